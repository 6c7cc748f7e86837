"""From the disk to what is free again: what goes is seen, agreed to, and counted afterwards."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace

import pytest

from console.actions.docker import known as knowing
from console.actions.docker.pruning import Prune
from console.actions.doer import Doer
from console.actions.plan import Fate, Outcome
from console.demo import FrozenClock, demo_jenkins
from console.feeds.watch import Watch
from console.model.disk_view import DiskFacts
from console.model.pruning import Kind, Rule, Usual
from console.model.words import decimal
from console.sources.reach import Reach
from console.text import clean
from console.ui.app import ConsoleApp, Wishes
from console.ui.screens.disk import DiskScreen
from tests.console.actions.acts import Notebook
from tests.console.fakes import NOW, FakeCompose, FakeEngine
from tests.console.pruneworlds import volume
from tests.console.ui.diskworlds import GB, crowded, disk_known, facts, world
from tests.console.ui.pressing import line_with, press
from tests.console.ui.pruneroom import DECLARED, GONE, Hands, labels, opened, pruning
from tests.console.ui.screenapp import ENV, app_of, screen_text, still
from tests.support.waiting import until


async def test_three_keys_free_what_can_go_and_say_what_came_of_it() -> None:
    async with pruning() as (one, hands):
        lines = await opened(one)
        assert line_with(lines, " Prune ").startswith(" Prune  68 GB by the rule: keep 3 per project, unused for 30d")
        goes = [" ".join(line[1:].split()) for line in lines if line[1:].startswith("goes")]
        assert goes == [
            "goes 3 images of project-a 51 GB built before Oct 24",
            "goes 6 build cache parts 6.0 GB unused for 30 days",
            "goes 3 dangling images 6.0 GB no tag, no container",
            "goes 2 volumes 5.0 GB no name, no container",
            "goes 1 container 100 MB ended before Oct 24",
        ]
        stays = line_with(lines, "stays", "images of project-a")
        assert stays.split()[-5:] == ["1", "in", "use,", "2", "newest"]
        assert lines[-1].startswith(" y prune, free 68 GB  e change the rule  space keep this")
        await one.press("y")
        lines = await one.sees("freed")
        assert line_with(lines, "freed").strip() == "✓ 15 objects removed, 68 GB freed (68 GB expected)"
        assert line_with(lines, "✓ 15 removed")
        assert hands.removed[0].startswith("remove 6d6c6f7073"), "what uses others goes before them"
        assert [did.split()[1] for did in hands.removed[1:]] == ["image"] * 6 + ["volume"] * 2 + ["cache"]
        assert still(one.app).refreshed == 1
        assert one.notebook.phases == ["begun", "ended"]
        one.wait()
        await one.press("escape")
        assert isinstance(one.app.screen, DiskScreen)


async def test_only_what_is_marked_goes_and_the_marks_go_with_it() -> None:
    async with pruning() as (one, hands):
        lines = await opened(one, "j", "j", "j", "j", "space")
        assert "of 3 objects chosen" in line_with(lines, " Prune ") or "Prune  6.0 GB" in line_with(lines, " Prune ")
        labels = [line[1:6] for line in lines if line[1:6] in ("goes ", "stays")]
        assert labels == ["goes "], "nothing is told of what nobody asked for"
        await one.press("y")
        await one.sees("6.0 GB freed (6.0 GB expected)")
        assert len(hands.removed) == 3
        one.wait()
        lines = await one.press("escape")
        assert not any(line.startswith("*") for line in lines)


async def test_what_the_filter_hides_is_not_meant() -> None:
    async with pruning() as (one, hands):
        lines = await opened(one, "slash", *"dangling", "enter")
        assert "Prune  6.0 GB" in line_with(lines, " Prune ")
        await one.press("escape")
        await one.press("escape", "slash", *"nobody", "enter", "p")
        await one.sees("nothing is listed here")
        await one.press("escape", "space", "slash", *"dangling", "enter", "p")
        await one.sees("marks are hidden by the filter: esc shows them")
        await one.press("escape", "escape", "g", "enter", "slash", *"old-data", "enter")
        lines = await opened(one)
        assert labels(lines) == ["stays"], "of a row only what is listed"
        assert not hands.removed


async def test_parts_of_the_cache_that_are_gone_cannot_be_called_off() -> None:
    async with pruning() as (one, hands):
        act = Prune(await still(one.app).reach(), Rule(kinds=frozenset({Kind.CACHE})), 10)
        plan = await act.plan()
        assert len(plan.doable) > 1
        outcome = await Doer(Notebook()).carry_out(plan, lambda _: None, lambda: bool(hands.removed))
        assert isinstance(outcome, Outcome)
        assert {each.fate for each in outcome.results} == {Fate.DONE}


async def test_expected_is_what_was_agreed_to_and_not_what_could_go_since() -> None:
    async with pruning() as (one, hands):
        act = Prune(await still(one.app).reach(), Rule(kinds=frozenset({Kind.VOLUME})), 10)
        plan = await act.plan()
        expected = decimal(act.decision.bytes)
        hands.use = replace(hands.use, volumes=(*hands.use.volumes, volume("f" * 64, days=90, size=40 * GB)))
        outcome = await Doer(Notebook()).carry_out(plan, lambda _: None)
        assert isinstance(outcome, Outcome)
        news = act.aftermath(outcome)
        assert news is not None
        told = [str(each.words) async for each in news]
        assert told == [f"2 objects removed, {expected} freed ({expected} expected)"]


@pytest.mark.parametrize("keys", [("space", "p"), ("enter", "p"), ("enter", "y")])
async def test_a_reading_that_was_not_painted_yet_harms_nobody(keys: tuple[str, ...]) -> None:
    """Where motion is reduced the rows may be ten seconds older than what is known."""
    app = app_of(world(), wishes=Wishes(glyphs="unicode", motion="reduced"))
    live = still(app)
    live.log_engine, live.hands = FakeEngine(), Hands(disk_known().disk)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "7", *keys[:1])
        empty = replace(disk_known(), disk=replace(disk_known().disk, volumes=()))
        live.give(world(facts(empty)))
        await press(pilot, *keys[1:])
        assert app.defect is None


async def test_single_objects_are_chosen_among_those_of_a_row() -> None:
    async with pruning() as (one, hands):
        lines = await opened(one, "j", "enter", "slash", *"eeee", "enter", "space")
        assert "Prune  17 GB" in line_with(lines, " Prune ")
        await one.press("y")
        await until(lambda: hands.removed, "the removal")
        await one.sees("1 object removed, 17 GB freed (17 GB expected)")
        assert len(hands.removed) == 1
        assert "eeeeeeeeeeee" in hands.removed[0]
        assert len(one.app.screen_stack) == 3, "one line says it, no sheet"


async def test_without_marks_all_of_an_open_row_is_meant() -> None:
    async with pruning() as (one, _):
        lines = await opened(one, "j", "enter")
        assert "Prune  51 GB" in line_with(lines, " Prune ")
        assert labels(lines) == ["goes", "stays"]


async def test_a_volume_with_a_name_is_typed() -> None:
    async with pruning() as (one, hands):
        lines = await opened(one, "enter", "slash", *"old-data", "enter", "space")
        assert "y then type old-data" in lines[-1]
        await one.press("y")
        await one.press(*"old-dat", "enter")
        assert hands.removed == []
        await one.press(*"old-data", "enter")
        await until(lambda: hands.removed == ["remove volume old-data"], "the removal")


async def test_several_marked_volumes_with_names_stay() -> None:
    async with pruning() as (one, hands):
        lines = await opened(one, "enter", "slash", *"data", "enter", "space", "escape", "escape", "space", "j", "space")
        assert hands.removed == []
        assert any("stays" in line or "Nothing can go" in line for line in lines)
        assert "then type" not in lines[-1]


async def test_what_failed_is_told_first_and_by_name() -> None:
    async with pruning() as (one, hands):
        await opened(one)
        hands.busy = {str(image.id) for image in hands.use.images if any("dddd" in name for name in image.names)}
        await one.press("y")
        lines = await one.sees("freed")
        start = next(at for at, line in enumerate(lines) if line.startswith(" Prune"))
        shown = [line.strip() for line in lines[start + 1 : -1]]
        assert shown[0] == "! 14 objects removed, 50 GB freed (68 GB expected)"
        assert shown[1].startswith("✗ mlops/project-a:dddd")
        assert shown[1].endswith("a container uses it.")
        assert shown[2] == "✓ 14 removed"


async def test_nothing_that_can_go_is_said_and_agreed_to_by_nothing() -> None:
    empty = replace(disk_known(), containers=())
    empty = replace(empty, disk=replace(empty.disk, images=(), cache=(), volumes=empty.disk.volumes[:2]))
    async with pruning(empty) as (one, hands):
        lines = await opened(one)
        assert "✗ Nothing can go: everything is needed, or the rule keeps it." in "\n".join(lines)
        await one.press("y", "enter", "space")
        assert hands.removed == []
        await one.press("escape")
        assert isinstance(one.app.screen, DiskScreen)


@pytest.mark.parametrize("when", ["planning", "agreeing"])
async def test_an_engine_that_goes_meanwhile(when: str) -> None:
    async with pruning() as (one, hands):
        if when == "planning":
            hands.failure = GONE
            await one.press("p")
        else:
            await opened(one)
            hands.failure = GONE
            await one.press("y")
        await one.sees("✗ Docker does not answer on /run/docker.sock.")
        assert isinstance(one.app.screen, DiskScreen)
        assert hands.removed == []


async def test_while_the_disk_is_looked_at_the_sheet_says_so_and_can_be_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.ui.screens.plan.READING_SECONDS", 0.01)
    async with pruning() as (one, hands):
        hands.gate = asyncio.Event()
        await one.press("p")
        await one.sees("Reading Docker⋯")
        await one.press("escape")
        assert isinstance(one.app.screen, DiskScreen)
        assert "Reading" not in "\n".join(await one.press("j"))


async def test_who_may_only_look_is_told_so() -> None:
    async with pruning() as (one, hands):
        one.app.read_only = clean("--read-only")
        assert "p prune" not in (await one.press("j"))[-1]
        await one.press("p")
        assert one.app.said.startswith("Read-only")
        one.app.screen.action_prune_by("images")  # type: ignore[attr-defined]  # a ConsoleScreen's
        assert hands.did == []


async def test_the_palette_has_the_words_of_the_command_line() -> None:
    async with pruning() as (one, hands):
        lines = await one.press("0", "colon", *"prune im")
        assert line_with(lines, "prune images --keep 3", "the same, keep 3 per project")
        await one.press(*"ages --keep 1")
        lines = one.lines
        assert line_with(lines, "prune images --keep 1", "only images, keep 1 per project")
        await one.press("enter")
        lines = await one.sees("Prune ")
        assert "only images, keep 1 per project" in line_with(lines, " Prune ")
        assert any(isinstance(screen, DiskScreen) for screen in one.app.screen_stack)
        assert hands.removed == []


def test_what_is_decided_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three hundred images and as many volumes: the loop that answers keys has nothing to do with them."""
    rooms: set[str] = set()
    for module, name in (("console.model.disk_view", "decide"), ("console.actions.docker.pruning", "decide")):
        real = getattr(__import__(module, fromlist=[name]), name)

        def noted(*given: object, _real: object = real) -> object:
            rooms.add(threading.current_thread().name)
            return _real(*given)  # type: ignore[operator]  # the function that it stands for

        monkeypatch.setattr(f"{module}.{name}", noted)
    hands = Hands(crowded().disk)

    async def read(reach: Reach) -> DiskFacts:
        return await knowing.look(reach, Usual())

    async def use(live: Watch) -> None:
        app = ConsoleApp(live, host=clean("h"), demo=False, wishes=Wishes(glyphs="unicode"), env=ENV, make_recorder=Notebook)
        async with app.run_test(size=(80, 24)) as pilot:
            await until(lambda: app.world is not None, "the world")
            await press(pilot, "7")
            await until(lambda: "volumes" in screen_text(app), "the rows")
            await press(pilot, "p")
            await until(lambda: "Prune " in screen_text(app), "the plan")
            await press(pilot, "space")
            await until(lambda: "kept by you" in screen_text(app), "the choice")

    live = Watch(
        lambda: (FakeEngine(), FakeCompose(DECLARED)),
        host=clean("h"),
        demo=False,
        make_jenkins=lambda: demo_jenkins(FrozenClock(NOW)),
        make_hands=lambda: hands.hands,
        read_disk=read,
    )
    live.start()
    try:
        asyncio.run(use(live))
    finally:
        live.stop()
    assert rooms == {"deciding-1"}, "and whoever watches goes on as well"
