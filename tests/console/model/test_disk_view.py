"""The disk as rows and objects, each with its fate."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given

from console.model.container import ContainerState
from console.model.disk_view import view
from console.model.kept import Kept, KeptKind
from console.model.machine import Disk
from console.model.prunable import decide
from console.model.pruning import Kind, Known, Rule, Why, count_of, key_of, span_of, span_text
from console.text import clean
from tests.console.pruneworlds import ago, asked, image, known, part, stack, trained, unnamed, using, volume


@given(asked())
def test_every_object_is_behind_exactly_one_row_with_its_fate(world: tuple[Known, Rule]) -> None:
    facts = view(*world)
    decision = facts.decision
    assert facts.objects.keys() == {row.what for row in facts.rows} == facts.fates.keys()
    assert {row.what: row.count for row in facts.rows} == {what: len(found) for what, found in facts.objects.items()}
    told = {one.key: (one.goes, one.reason, one.alone) for found in facts.objects.values() for one in found}
    assert told == {key_of(one): (one.why is None, one.reason, one.bytes) for one in (*decision.remove, *decision.keep)}
    for what, (goes, stays) in facts.fates.items():
        counts = [one.goes for one in facts.objects[what]]
        assert (goes.count if goes else 0, stays.count if stays else 0) == (counts.count(True), counts.count(False))
    for found in facts.objects.values():
        assert [one.size or 0 for one in found] == sorted((one.size or 0 for one in found), reverse=True)


def test_what_is_told_of_an_object_of_each_kind() -> None:
    run = image("run", "mlops/project-a:1", "again:2", days=5, layers=stack(0, 1))
    data = volume("data", days=9, size=7)
    job, old = using("b", of=run, volumes=[data]), using("a", ContainerState.EXITED, of=run, ended=3, days=8)
    facts = view(
        known(
            images=[run, image("young", days=1, layers=stack(0, 2))],
            volumes=[data],
            cache=[part("p" * 20, used=4, shared=True, size=70)],
            containers=[job, old],
            written={job.id: 5},
            logs={job.id: 2},
        ),
        Rule(),
    )
    every = {one.name: one for found in facts.objects.values() for one in found}
    shown = every[run.shown]
    assert shown.names == run.names
    assert (shown.size, shown.alone) == (run.size, stack(0, 1)[1].size), "whole, and what no other image has"
    assert (shown.users, shown.when, shown.short) == ((clean("a"), clean("b")), ago(5), run.short)
    assert every[clean("data")].users == (clean("b"),)
    (cache,) = facts.objects[clean("build cache")]
    assert (cache.size, cache.alone, cache.when, cache.short) == (70, 0, ago(4), clean("p" * 12))
    assert (every[clean("b")].size, every[clean("b")].log, every[clean("b")].why) == (7, 2, Why.IN_USE)
    assert (every[clean("a")].size, every[clean("a")].when, every[clean("a")].goes) == (None, ago(3), True)


@given(asked())
def test_only_what_was_chosen_goes_and_choosing_lets_nothing_more_go(world: tuple[Known, Rule]) -> None:
    known_, rule = world
    free = {key_of(one) for one in decide(known_, rule).remove}
    chosen = frozenset(sorted(free)[::2])
    found = decide(known_, replace(rule, only=chosen))
    assert {key_of(one) for one in found.remove} <= chosen
    containers_go = {key for key in free if key.startswith("container/")}
    if not containers_go:
        # What stays on its own account does so whatever is chosen; what is chosen may be needed by what is not.
        missing = chosen - {key_of(one) for one in found.remove}
        reasons = {one.why for one in found.keep if key_of(one) in missing}
        assert reasons <= {Why.BASE, Why.NEEDED}
    assert decide(known_, replace(rule, only=frozenset())).remove == ()


def test_a_volume_that_is_named_goes_only_where_it_is_chosen_too() -> None:
    world = known(volumes=[volume("data"), unnamed("1")])
    named = Rule(named=frozenset({clean("data")}))
    assert [one.id for one in decide(world, replace(named, only=frozenset({clean("volume/data")}))).remove] == ["data"]
    assert decide(world, replace(named, only=frozenset({clean("volume/other")}))).remove == ()


def test_notes_tell_of_what_was_chosen_only() -> None:
    blind = known(images=[trained("project-a", "a", 9), trained("project-a", "b", 8), trained("project-a", "c", 7)], good=None)
    assert "2 images of projects" in decide(blind, Rule(keep=1)).notes[0]
    chosen = frozenset({clean(f"image/{blind.disk.images[0].id}")})
    assert "1 image of projects" in decide(blind, Rule(keep=1, only=chosen)).notes[0]


def test_a_rule_in_words() -> None:
    assert Rule().told == "keep 3 per project"
    assert Rule(older_than=timedelta(days=30)).told == "keep 3 per project, unused for 30d"
    assert Rule(kinds=frozenset({Kind.CACHE})).told == "only build cache"
    assert Rule(kinds=frozenset({Kind.IMAGE, Kind.VOLUME}), only=frozenset({clean("image/1")})).told == (
        "only images and volumes, keep 3 per project, of 1 object chosen"
    )


@pytest.mark.parametrize(
    ("text", "seconds"), [("12h", 43_200), ("30d", 2_592_000), ("30", 2_592_000), ("4w", 2_419_200), ("0", 0)]
)
def test_spans_are_read(text: str, seconds: int) -> None:
    assert span_of(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "d", "-1d", "1.5h", "123456d", "30 d", "1y"])
def test_what_is_no_span(text: str) -> None:
    assert span_of(text) is None


@pytest.mark.parametrize("text", ["30d", "36h", "90m", "59s", "0"])
def test_a_span_is_written_as_it_is_read(text: str) -> None:
    assert span_text(span_of(text)) == text


@pytest.mark.parametrize(
    ("text", "count"), [("1", 1), ("1000", 1000), ("0", None), ("1001", None), ("x", None), ("", None), ("٣", None)]
)
def test_how_many_images_stay(text: str, count: int | None) -> None:
    assert count_of(text) == count


def test_how_full_a_disk_is_in_bytes_and_in_files() -> None:
    disk = Disk(clean("docker"), clean("/d"), 100, 40, 10, 1000, 50)
    assert (disk.space, disk.files, disk.full) == (80.0, 95.0, 95.0)
    assert replace(disk, inodes=None).files is None
    assert replace(disk, inodes=None).full == 80.0
    assert replace(disk, used=0, free=0).space == 100.0


def test_what_runs_keep_is_a_row_that_no_rule_touches() -> None:
    kept = (
        Kept(KeptKind.CHECKPOINTS, clean("project-a"), clean("train #41"), clean("agent-work"), 900, ago(1), resumable=True),
        Kept(KeptKind.WORKSPACE, None, clean("train"), clean("agent-work"), None, None, note=clean("not readable from here")),
    )
    plain, facts = (
        view(known(volumes=[volume("data", size=7)]), Rule()),
        view(known(volumes=[volume("data", size=7)]), Rule(), kept),
    )
    assert facts.decision == plain.decision
    (row,) = [row for row in facts.rows if row.kind is None]
    assert (row.what, row.count, row.size, row.can_go, row.unknown) == ("checkpoints, workspaces", 2, 900, 0, 1)
    assert row.note == "only by name, 1 to go on from"
    told = [(one.name, one.goes, one.reason) for one in facts.objects[row.what]]
    assert told == [
        ("project-a train #41 checkpoints", False, "a run can go on from it"),
        ("train workspace", False, "only by name"),
    ]
    assert [facts.kept[one.key] for one in facts.objects[row.what]] == list(kept)
