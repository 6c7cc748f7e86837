"""Each reason in its words, and what people read of many."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from console.model.container import ContainerState
from console.model.disk import Image
from console.model.prunable import decide
from console.model.prunegroups import groups
from console.model.pruning import Decision, Kind, Known, Rule, Why
from console.model.words import day
from console.text import Clean, clean
from tests.console.fakes import NOW
from tests.console.pruneworlds import ago, full, image, known, part, stack, trained, unnamed, using, volume

A = clean("project-a")
MONTH = timedelta(days=30)
FIVE = tuple(trained("project-a", figure, days) for figure, days in zip("abcde", (50, 40, 30, 20, 10), strict=True))


def reason(world: Known, rule: Rule | None = None, at: str | None = None) -> tuple[bool, str]:
    """Whether it goes, and why; of the only object, or of the one with that name or id."""
    decision = decide(world, rule if rule is not None else Rule())
    found = [one for one in (*decision.remove, *decision.keep) if at is None or at in (one.id, one.name)]
    assert len(found) == 1, found
    return found[0] in decision.remove, found[0].reason


def gone(decision: Decision, kind: Kind = Kind.IMAGE) -> list[str]:
    return [one.name for one in decision.remove if one.kind is kind]


OLD = image("old", "busybox:1")
LOST = image("lost")


@pytest.mark.parametrize(
    ("state", "goes", "words"),
    [
        (ContainerState.EXITED, True, "ended"),
        (ContainerState.DEAD, True, "ended"),
        (ContainerState.CREATED, False, "created"),
        (ContainerState.RUNNING, False, "running"),
        (ContainerState.PAUSED, False, "paused"),
        (ContainerState.RESTARTING, False, "restarting"),
        (ContainerState.REMOVING, False, "removing"),
        (ContainerState.UNKNOWN, False, "its state is not known"),
    ],
)
@pytest.mark.parametrize("labels", [{}, {"mlops.managed": "true"}])
def test_only_containers_that_have_ended_go_trainings_too(
    state: ContainerState, goes: bool, words: str, labels: dict[str, str]
) -> None:
    assert reason(known(containers=[using("x", state, labels=labels)])) == (goes, words)


def test_the_age_of_a_container_is_counted_from_its_end() -> None:
    rule = Rule(older_than=MONTH)
    ended = using("x", ContainerState.EXITED, ended=31, days=90)
    assert reason(known(containers=[ended]), rule) == (True, "ended before Oct 24")
    fresh = using("x", ContainerState.EXITED, ended=29, days=90)
    assert reason(known(containers=[fresh]), rule) == (False, "younger than 30 days")
    assert reason(known(containers=[using("x", ContainerState.EXITED, days=31)]), rule)[0]


@pytest.mark.parametrize(
    ("one", "world", "said"),
    [
        (OLD, {}, (True, "no container, not in compose")),
        (OLD, {"containers": [using("train-7", of=OLD)]}, (False, "in use by train-7")),
        (OLD, {"containers": [using("b", of=OLD), using("a", of=OLD)]}, (False, "in use by a and 1 more")),
        (OLD, {"containers": [using("a", ContainerState.CREATED, of=OLD)]}, (False, "in use by a")),
        (OLD, {"containers": [using("a", ContainerState.REMOVING, of=OLD)]}, (False, "in use by a")),
        (OLD, {"declared_images": [OLD.id]}, (False, "declared in compose")),
        (OLD, {"declared_images": None}, (False, "the compose file could not be read")),
        (OLD, {"good": None}, (True, "no container, not in compose")),
        (LOST, {}, (True, "no tag, no container")),
        (LOST, {"declared_images": [LOST.id]}, (False, "declared in compose")),
        (LOST, {"containers": [using("a", of=LOST)]}, (False, "in use by a")),
        (image("x", "y:1", labels={"mlops.keep": "True"}), {}, (False, "mlops.keep=true")),
        (image("x", "y:1", labels={"mlops.keep": "false"}), {}, (True, "no container, not in compose")),
        (image("x", "mlops/project-a:aaaaaaaaaaaa"), {}, (False, "the newest")),
        (image("x", labels={"mlops.project": "project-a"}), {}, (False, "the newest")),
        (trained("project-a", "a", 9, labels={"mlops.purpose": "validate"}), {}, (True, "made to check a branch")),
    ],
)  # fmt: skip
def test_why_an_image_goes_or_stays(one: Image, world: dict[str, object], said: tuple[bool, str]) -> None:
    found = known(images=[one], **world)  # type: ignore[arg-type]  # each case has the names of `known`
    assert reason(found, at=one.id) == said


def test_the_newest_of_a_project_stay() -> None:
    world = known(images=FIVE)
    assert gone(decide(world, Rule())) == ["mlops/project-a:aaaaaaaaaaaa", "mlops/project-a:bbbbbbbbbbbb"]
    assert reason(world, at=FIVE[0].id) == (True, "older than the 3 newest")
    assert reason(world, at=FIVE[2].id) == (False, "among the 3 newest")
    assert reason(world, at=FIVE[4].id) == (False, "the newest")
    assert len(gone(decide(world, Rule(keep=0)))) == 4, "the newest stays whatever the rule"
    assert reason(world, Rule(keep=0), at=FIVE[3].id) == (True, "older than the newest")
    assert reason(world, Rule(older_than=timedelta(days=45)), at=FIVE[0].id) == (True, "built before Oct 9")
    assert reason(world, Rule(older_than=timedelta(days=45)), at=FIVE[1].id) == (False, "younger than 45 days")


def test_images_for_other_purposes_push_no_training_out() -> None:
    data = [image(f"d{days}", f"mlops/project-a-dataset:{days}", days=days,
                  labels={"mlops.project": "project-a", "mlops.purpose": "dataset"}) for days in (1, 2)]  # fmt: skip
    checks = [trained("project-a", "f", days, labels={"mlops.purpose": "validate"}) for days in (3, 4)]
    lost = image("lost", days=5, labels={"mlops.project": "project-a"})
    decision = decide(known(images=[*FIVE, *data, *checks, lost]), Rule(keep=1))
    assert {one.id for one in decision.keep} == {FIVE[4].id, data[0].id, lost.id}
    assert next(one.reason for one in decision.keep if one.id == lost.id) == "the newest"


def test_an_image_with_names_of_two_projects_is_the_newest_of_both() -> None:
    both = image("both", f"mlops/project-a:{'1' * 12}", f"mlops/project-b:{'1' * 12}", days=60)
    assert reason(known(images=[both, *FIVE]), Rule(keep=1), at=both.id) == (False, "the newest")


def test_images_of_the_same_age_are_all_the_newest() -> None:
    twins = [image(name, f"mlops/project-a:{name * 12}", days=5) for name in "ab"]
    assert gone(decide(known(images=twins), Rule(keep=1))) == []


def test_images_of_good_builds_stay_by_label_and_by_name() -> None:
    named = image("named", f"mlops/project-a:{'f' * 12}", days=90)
    lost = image("lost", days=91, labels={"mlops.project": "project-a", "mlops.commit": "E" * 40})
    world = known(images=[*FIVE, named, lost], good={A: ["a" * 12, "f" * 12, "e" * 12]})
    for one in (FIVE[0], named, lost):
        assert reason(world, at=one.id) == (False, "of a good build")
    assert reason(world, at=FIVE[1].id) == (True, "older than the 3 newest")
    other = known(images=FIVE, good={clean("project-b"): ["a" * 12]})
    assert reason(other, at=FIVE[0].id)[0], "the same commit of another project"


def test_without_jenkins_all_images_of_projects_stay() -> None:
    decision = decide(known(images=[*FIVE, OLD], good=None), Rule())
    assert gone(decision) == ["busybox:1"]
    assert [one.reason for one in decision.keep[:2]] == ["Jenkins could not be asked for its good builds"] * 2
    assert decision.notes == (
        "Jenkins could not be asked for the good builds: 2 images of projects that might be of one stay.",
    )


def test_without_the_compose_file_names_protect() -> None:
    volumes = [volume("data"), unnamed("a")]
    world = known(images=[OLD, *FIVE], volumes=volumes, declared_images=None, declared_volumes=None)
    decision = decide(world, Rule(named=frozenset({clean("data")})))
    assert gone(decision, Kind.VOLUME) == ["a" * 64]
    assert reason(world, at="data") == (False, "the compose file could not be read")
    assert decision.notes == (
        "The compose file could not be read: 1 image that it might declare stays.",
        "The compose file could not be read: 1 volume that it might declare stays.",
    )


def test_nothing_is_noted_of_what_nobody_asked_for() -> None:
    world = known(images=[OLD, *FIVE], volumes=[volume("x")], declared_images=None, declared_volumes=None, good=None)
    named = frozenset({clean("nowhere")})
    assert decide(world, Rule(kinds=frozenset({Kind.CONTAINER, Kind.CACHE}), named=named)).notes == ()
    assert len(decide(world, Rule(named=named)).notes) == 4


@pytest.mark.parametrize(
    ("ends", "words"),
    [(False, "in use by x"), (True, "of x, which has ended")],
)
def test_what_a_container_has_stays_until_the_container_goes(ends: bool, words: str) -> None:
    data = unnamed("a")
    one = using("x", ContainerState.EXITED if ends else ContainerState.RUNNING, of=OLD, volumes=[data])
    world = known(images=[OLD], volumes=[data], containers=[one])
    rule = Rule(kinds=frozenset({Kind.IMAGE, Kind.VOLUME}))
    assert reason(world, rule, at=OLD.id) == (False, words)
    assert reason(world, rule, at=data.name) == (False, words)
    assert reason(world, rule, at="x")[1] == ("not asked for" if ends else "running")
    everything = decide(world, Rule()).remove
    assert [one.kind for one in everything] == ([Kind.CONTAINER, Kind.IMAGE, Kind.VOLUME] if ends else [])


def test_a_container_that_is_kept_keeps_what_it_has() -> None:
    one = using("x", ContainerState.EXITED, of=OLD, labels={"mlops.keep": "true"})
    world = known(images=[OLD], containers=[one])
    assert reason(world, at="x") == (False, "mlops.keep=true")
    assert reason(world, at=OLD.id) == (False, "of x, which has ended")


def test_volumes() -> None:
    named = Rule(named=frozenset({clean("data")}))
    data = volume("data")
    assert reason(known(volumes=[data])) == (False, "only by name")
    assert reason(known(volumes=[data]), named) == (True, "named by you, no container")
    assert reason(known(volumes=[data], declared_volumes=["data"]), named) == (False, "declared in compose")
    assert reason(known(volumes=[volume("data", labels={"mlops.keep": "true"})]), named) == (False, "mlops.keep=true")
    assert reason(known(volumes=[data], containers=[using("x", volumes=[data])]), named, "data") == (False, "in use by x")
    assert reason(known(volumes=[unnamed("a")])) == (True, "no name, no container")
    labelled = volume("b", labels={"com.docker.volume.anonymous": ""})
    assert reason(known(volumes=[labelled])) == (False, "only by name"), "a label takes no name away"
    assert reason(known(volumes=[unnamed("a", created=None)]), Rule(older_than=MONTH)) == (False, "its age is not known")
    assert reason(known(volumes=[unnamed("a", created=ago(29))]), Rule(older_than=MONTH)) == (False, "younger than 30 days")
    assert decide(known(), named).notes == ("There is no volume data.",)


def test_a_folder_that_is_called_like_a_volume_is_none() -> None:
    data = unnamed("a")
    bound = using("x", volumes=[data])
    bound = replace(bound, mounts=tuple(replace(one, kind=clean("bind")) for one in bound.mounts))
    assert reason(known(volumes=[data], containers=[bound]), at=data.name)[0]


def test_cache_goes_from_the_leaves_down() -> None:
    parts = [part("root", used=90), part("mid", "root", used=80), part("leaf", "mid", used=70), part("twig", "mid", used=99)]
    world = known(cache=parts)
    assert gone(decide(world, Rule()), Kind.CACHE) == ["twig", "leaf", "mid", "root"]
    assert reason(world, at="leaf") == (True, "not in use")
    assert reason(world, Rule(older_than=MONTH), at="leaf") == (True, "unused for 30 days")
    fresh = known(cache=[*parts[:2], replace(parts[2], used_at=ago(1)), parts[3]])
    assert gone(decide(fresh, Rule(older_than=MONTH)), Kind.CACHE) == ["twig"]
    assert reason(fresh, Rule(older_than=MONTH), at="mid") == (False, "a part that stays is built on it")
    used = known(cache=[*parts[:3], replace(parts[3], in_use=True)])
    assert gone(decide(used, Rule()), Kind.CACHE) == ["leaf"]
    assert reason(used, at="twig") == (False, "in use")
    between = known(cache=[parts[0], replace(parts[1], in_use=True), *parts[2:]])
    assert gone(decide(between, Rule()), Kind.CACHE) == ["twig", "leaf"], "the root is below one that stays"
    assert reason(known(cache=[part("made", days=31)]), Rule(older_than=MONTH))[0], "one that was never used again"


def test_a_label_leaves_out_what_does_not_have_it() -> None:
    team = image("team", "b:1", labels={"team": "a=b"})
    world = known(images=[OLD, team], cache=[part("x")])
    assert gone(decide(world, Rule(label=clean("team=a=b")))) == ["b:1"]
    assert gone(decide(world, Rule(label=clean("team")))) == ["b:1"]
    assert gone(decide(world, Rule(label=clean("team=a")))) == []
    assert reason(world, Rule(label=clean("team")), at=OLD.id) == (False, "no label team")
    assert reason(world, Rule(label=clean("team")), at="x") == (False, "the build cache has no labels")


def test_ages_reach_as_far_as_they_say() -> None:
    def at(span: timedelta, age: timedelta) -> tuple[bool, str]:
        return reason(known(images=[replace(OLD, created=NOW - age)]), Rule(older_than=span))

    hour = timedelta(hours=1)
    assert at(hour, hour) == (True, f"built before {(NOW - hour).astimezone():%H:%M}")
    assert at(hour, hour - timedelta(seconds=1)) == (False, "younger than 1h")
    assert at(timedelta(days=1), timedelta(days=1)) == (True, "built before Nov 22")
    assert at(timedelta(days=400), timedelta(days=401)) == (True, "built before Oct 19, 2025")
    assert at(timedelta(days=999_999), timedelta(days=300_000)) == (False, "younger than 999,999 days")
    assert at(timedelta(days=10), NOW - datetime.min.replace(tzinfo=UTC)) == (True, "built before Nov 13")


def test_days_have_their_year_where_it_is_another() -> None:
    assert day(datetime(2026, 6, 2, 12, tzinfo=UTC), NOW) == "Jun 2"
    assert day(datetime(2024, 12, 24, 12, tzinfo=UTC), NOW) == "Dec 24, 2024"
    assert day(datetime.min.replace(tzinfo=UTC), NOW) == "Jan 1, 1"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "America/New_York")
        time.tzset()
        assert day(datetime(2026, 6, 2, 3, tzinfo=UTC), NOW) == "Jun 1", "the viewer's day"
        assert day(datetime.min.replace(tzinfo=UTC), NOW) == "Jan 1, 1"
    time.tzset()


def test_sizes_that_are_not_known_count_nothing_and_are_told() -> None:
    ended = using("x", ContainerState.EXITED)
    world = known(volumes=[unnamed("a", size=None), unnamed("b")], containers=[ended])
    decision = decide(world, Rule())
    assert decision.bytes == 10
    assert [one.bytes for one in decision.remove] == [None, None, 10]
    assert decision.notes == ("2 objects may free more: their sizes are not known and counted as nothing.",)
    measured = known(containers=[ended], written={ended.id: 3}, logs={ended.id: 4})
    assert decide(measured, Rule()).bytes == 7


def test_layers_are_freed_with_the_last_that_has_them() -> None:
    one, two, three = (image(name, f"{name}:1", days=at, layers=stack(0, at)) for at, name in enumerate("xyz"))
    base, own = stack(0)[0].size, [stack(0, at)[1].size for at in range(3)]
    world = known(images=[one, two, three], containers=[using("c", of=three)])
    decision = decide(world, Rule())
    assert decision.bytes == own[0] + own[1]
    assert sorted(one.bytes or 0 for one in decision.remove) == sorted(own[:2])
    assert [row.bytes for row in groups(decision.keep) if row.kind is Kind.IMAGE] == [base + own[2]]
    everything = decide(known(images=[one, two, three]), Rule())
    assert everything.bytes == groups(everything.remove)[0].bytes == base + sum(own)


def test_cache_that_images_share_is_not_promised() -> None:
    parts = [part("s", shared=True, size=4000), part("t", size=2)]
    decision = decide(known(cache=parts), Rule())
    assert decision.bytes == 2
    assert decision.notes == (
        "1 build cache part is layers of images too and frees nothing while they stay: it is counted as nothing.",
    )
    images = decide(known(images=[image("x", "y:1", size=9_000)], cache=parts), Rule(kinds=frozenset({Kind.IMAGE})))
    assert images.bytes == 9000
    assert images.notes == ("Up to 4.0 kB of images comes free only with the build cache that has the same layers.",)


def test_what_people_read_of_many() -> None:
    figures = "0123456789abcdef"
    own = [trained("project-a", figure, 100 - at, size=10**9) for at, figure in enumerate(figures)]
    lost = [image(f"l{at}", size=5 * 10**9) for at in range(2)]
    world = known(
        images=[*own, *lost],
        volumes=[volume("a", size=None), volume("b", size=None)],
        declared_volumes=["a", "b"],
        cache=[part(f"p{at}", used=40, size=10**7) for at in range(1_011)],
        containers=[using("train-7", of=own[10])],
        good={A: [figure * 12 for figure in "3456"]},
    )
    decision = decide(world, Rule(older_than=MONTH))
    assert [row.line for row in groups(decision.remove)] == [
        "1,011 build cache parts, 10 GB, unused for 30 days",
        "2 dangling images, 10 GB, no tag, no container",
        "8 images of project-a, 8.0 GB, built before Oct 24",
    ]
    assert [row.line for row in groups(decision.keep)] == [
        "8 images of project-a, 8.0 GB, 1 in use, 3 newest, 4 of good builds",
        "2 volumes, size n/a, declared in compose",
        "1 container, size n/a, running",
    ]
    assert groups(()) == ()


def test_the_rarest_reasons_are_not_spelled_out() -> None:
    verdict = decide(known(volumes=[volume("a")]), Rule()).keep[0]
    whys = [*[Why.IN_USE] * 5, *[Why.DECLARED] * 4, *[Why.BY_NAME] * 3, *[Why.YOUNG] * 2, Why.NO_AGE, Why.LABELLED]
    row = groups(replace(verdict, why=why, reason=Clean(why.value)) for why in whys)[0]
    assert row.reason == "5 in use, 4 declared in compose, 3 only by name, 2 too young, 2 for other reasons"
    assert row.what == "16 volumes"


def test_names_of_projects_are_left_as_they_are() -> None:
    row = groups(decide(known(images=[trained("cats of images", "a", 3)]), Rule()).keep)[0]
    assert row.what == "1 image of cats of images"


def test_ids_are_those_that_the_engine_takes() -> None:
    assert [one.id for one in decide(known(images=[LOST]), Rule()).remove] == [full("lost")]


def test_who_names_a_volume_means_it_whatever_its_age_and_means_no_other() -> None:
    young = volume("data", days=1)
    world = known(volumes=[young, unnamed("a"), volume("other")])
    rule = Rule(older_than=MONTH, label=clean("team"), named=frozenset({clean("data")}), nameless=False)
    assert gone(decide(world, rule), Kind.VOLUME) == ["data"]
    assert reason(world, rule, unnamed("a").name) == (False, "not asked for")
    spared = replace(rule, spared=frozenset({clean("volume/data")}))
    assert reason(world, spared, "data") == (False, "you keep it")


def test_what_a_person_spares_stays() -> None:
    world = known(images=FIVE, containers=[using("x", ContainerState.EXITED)], cache=[part("c")], volumes=[unnamed("a")])
    everything = decide(world, Rule(keep=1))
    assert {one.kind for one in everything.remove} == set(Kind)
    spared = frozenset(clean(f"{one.kind}/{one.id}") for one in everything.remove)
    assert decide(world, Rule(keep=1, spared=spared)).remove == ()


def test_an_image_that_others_stand_on_stays_while_they_do() -> None:
    base = image("base", "python:3.11", layers=stack(1, 2))
    project = image("top", f"mlops/project-a:{'1' * 12}", days=1, layers=stack(1, 2, 3))
    assert reason(known(images=[base, project]), at=base.id) == (False, "all of its layers are of images that stay")
    assert reason(known(images=[base]), at=base.id)[0], "of nobody's it is one like others"
    lost = image("lost", layers=stack(1, 2))
    assert not reason(known(images=[lost, project]), at=lost.id)[0], "one without a name frees as little"
