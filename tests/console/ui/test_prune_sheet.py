"""From the disk to what is free again: what goes is seen, chosen from, agreed to, and counted afterwards."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, tzinfo

import pytest

from console.actions.docker import known as knowing
from console.demo import FrozenClock, demo_jenkins
from console.feeds.watch import Watch
from console.model.container import Container
from console.model.disk import DiskUse
from console.model.disk_view import DiskFacts
from console.model.pruning import Known, Usual
from console.model.service import ComposeProject
from console.model.source import SourceError, SourceState
from console.sources.reach import Reach
from console.text import clean
from console.ui.app import ConsoleApp, Wishes
from console.ui.screens.disk import DiskScreen
from console.ui.screens.plan import PlanSheet
from tests.console.actions.acts import Notebook
from tests.console.fake_hands import FakeHands
from tests.console.fakes import NOW, FakeCompose, FakeEngine
from tests.console.ui.diskworlds import crowded, disk_known, facts, world
from tests.console.ui.doing import Person, person
from tests.console.ui.pressing import line_with, press
from tests.console.ui.screenapp import ENV, app_of, screen_text, still
from tests.support.waiting import until

GONE = SourceError(SourceState.UNREACHABLE, clean("Docker does not answer on /run/docker.sock."))
DECLARED = ComposeProject(clean("mlops"), clean("c.yml"), (), volumes=(clean("mlops_jenkins-home"), clean("mlops_hf_cache")))


class Hands(FakeHands):
    """Hands whose disk is what they leave of it. `busy` are the ids of what somebody has begun to use."""

    def __init__(self, use: DiskUse) -> None:
        super().__init__(use)
        self.busy: set[str] = set()

    async def remove_image(self, image: str, names: Sequence[str]) -> int:
        found = await super().remove_image(image, names)
        if image in self.busy:
            raise SourceError(SourceState.OK, clean("a container uses it."))
        self.use = replace(self.use, images=tuple(one for one in self.use.images if one.id != image))
        return found

    async def remove_volume(self, name: str) -> None:
        await super().remove_volume(name)
        self.use = replace(self.use, volumes=tuple(one for one in self.use.volumes if one.name != name))

    async def remove_cache(self, records: Sequence[str]) -> int:
        self.use = replace(self.use, cache=tuple(one for one in self.use.cache if one.id not in records))
        return await super().remove_cache(records)

    @property
    def looks(self) -> int:
        """How often the disk was looked at."""
        return self.did.count("disk")

    @property
    def removed(self) -> list[str]:
        return [did for did in self.did if did.startswith("remove")]


class _Clock(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return NOW


@pytest.fixture(autouse=True)
def clock_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(knowing, "datetime", _Clock)


def prepared(of: Known, hands: FakeHands) -> ConsoleApp:
    app = app_of(world(facts(of)))
    live = still(app)
    live.log_engine, live.log_jenkins = FakeEngine(*_inspected(of.containers)), demo_jenkins(FrozenClock(NOW))
    live.hands, live.compose = hands, FakeCompose(DECLARED)
    return app


def _inspected(containers: Sequence[Container]) -> Sequence[Container]:
    return containers


@asynccontextmanager
async def pruning(of: Known | None = None, size: tuple[int, int] = (80, 24)) -> AsyncIterator[tuple[Person, Hands]]:
    """Somebody who looks at the disk."""
    shown = of if of is not None else disk_known()
    hands = Hands(shown.disk)
    async with person(size, app=prepared(shown, hands)) as one:
        await one.press("7")
        one.wait()
        yield one, hands


def sheet(lines: Sequence[str]) -> list[str]:
    """The lines of the sheet, from its title on."""
    return list(lines[next(at for at, line in enumerate(lines) if line.startswith(" Prune ")) :])


def labels(lines: Sequence[str]) -> list[str]:
    """What goes and what stays, in the order of the lines."""
    return [line[1:].split()[0] for line in sheet(lines) if line[1:6] in ("goes ", "stays")]


async def opened(one: Person, *keys: str) -> list[str]:
    await one.press(*keys, "p")
    lines = await one.sees("Prune ")
    one.wait()
    return sheet(lines)


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
        lines = (
            await opened(one, "slash", *"dangling", "enter", "space", "escape", "space")
            if False
            else await opened(one, "j", "j", "j", "j", "space")
        )
        assert "of 3 objects chosen" in line_with(lines, " Prune ") or "Prune  6.0 GB" in line_with(lines, " Prune ")
        labels = [line[1:6] for line in lines if line[1:6] in ("goes ", "stays")]
        assert labels == ["goes "], "nothing is told of what nobody asked for"
        await one.press("y")
        await one.sees("6.0 GB freed (6.0 GB expected)")
        assert len(hands.removed) == 3
        one.wait()
        lines = await one.press("escape")
        assert not any(line.startswith("*") for line in lines)


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


async def test_what_a_person_keeps_stays_and_may_go_again() -> None:
    async with pruning() as (one, hands):
        await opened(one)
        await one.press("space")
        lines = sheet(await one.sees("Prune  17 GB"))
        assert line_with(lines, "▐").startswith("▐goes    6 build cache parts")
        assert "3 kept by you" in line_with(lines, "stays", "images of project-a")
        await one.press("space", "space")
        await one.sees("Prune  5.1 GB")
        assert hands.looks == 1, "all from what was seen once"
        while "images of project-a" not in line_with(sheet(await one.press("j")), "▐"):
            pass
        assert "space let it go" in one.lines[-1]
        await one.press("space")
        await one.sees("Prune  56 GB")
        one.wait()
        await one.press("y")
        await one.sees("56 GB freed (56 GB expected)")
        assert hands.looks == 3, "before it is done, and afterwards"
        assert sorted(did.split()[1] for did in hands.removed if len(did.split()[1]) < 8) == ["image"] * 3 + ["volume"] * 2


async def test_a_group_is_unfolded_and_one_of_its_objects_kept() -> None:
    async with pruning() as (one, hands):
        await opened(one)
        lines = await one.press("enter")
        assert sum("mlops/project-a:" in line for line in lines) == 3
        assert line_with(lines, "mlops/project-a:dddd").split()[-5:] == ["18", "GB", "built", "before", "Oct", "24"][-5:]
        await one.press("j", "j", "space")
        lines = sheet(await one.sees("Prune  51 GB"))
        assert line_with(lines, "2 images of project-a", "goes")
        assert "ffff" in line_with(lines, "▐"), "the next one takes its place under the cursor"
        lines = sheet(await one.press("enter"))
        assert line_with(lines, "▐").startswith("▐goes    2 images of project-a"), "folded from one of its objects"
        assert not any("mlops/project-a:" in line for line in lines)
        one.wait()
        await one.press("y")
        await one.sees("51 GB freed (51 GB expected)")
        assert not any("eeee" in did for did in hands.removed)


async def test_nothing_is_agreed_to_while_a_choice_is_being_planned() -> None:
    async with pruning() as (one, hands):
        await opened(one)
        sheet = one.app.screen
        assert isinstance(sheet, PlanSheet)
        asked: list[object] = []
        read, sheet._read = sheet._read, asked.append
        lines = await one.press("space")
        assert "y prune" not in lines[-1]
        one.wait()
        await one.press("y")
        assert isinstance(one.app.screen, PlanSheet)
        assert hands.removed == []
        read(asked[0])  # type: ignore[arg-type]  # the act that it asked for
        await one.sees("Prune  17 GB")


async def test_the_rule_is_a_form_and_the_plan_below_it_follows() -> None:
    async with pruning() as (one, hands):
        await opened(one)
        lines = await one.press("e")
        assert line_with(lines, "images kept").split()[2:4] == ["kept", "3_"] or "3_" in line_with(lines, "images kept")
        assert lines[-1].strip().startswith("enter take this rule")
        await one.press("backspace", "1", "tab", "tab", "tab", "tab", "space")
        lines = await one.sees("keep 1 per project")
        await until(lambda: "only" in line_with(one.lines, " Prune "), "the kinds")
        assert "[ ] no" in line_with(one.lines, "volumes", "without a name")
        assert hands.removed == []
        await one.press("y")
        assert isinstance(one.app.screen, PlanSheet)
        assert hands.removed == []
        lines = await one.press("enter")
        assert not any("images kept" in line for line in lines)
        assert line_with(lines, " Prune ").startswith(" Prune  ")
        one.wait()
        assert hands.looks == 1
        shown = sheet(await one.press("k"))
        assert line_with(shown, "goes", "4 images of project-a")
        assert not any("goes" in line and "volumes" in line for line in shown)


async def test_a_rule_that_makes_no_sense_is_not_taken_and_esc_brings_the_old_one_back() -> None:
    async with pruning() as (one, _):
        await opened(one)
        await one.press("e", "0")
        await one.press("backspace", "backspace", "0")
        await one.sees("is no number from 1 to 1000")
        lines = await one.press("enter")
        assert any("images kept" in line for line in lines)
        await one.press("escape")
        lines = await one.sees("Prune  68 GB by the rule: keep 3")
        assert not any("images kept" in line for line in lines)
        await until(lambda: "y prune" in one.lines[-1], "the plan to be one to agree to")
        one.wait()
        await one.press("escape")
        assert isinstance(one.app.screen, DiskScreen)


async def test_enter_before_the_plan_of_the_last_letters_waits_for_it() -> None:
    async with pruning() as (one, hands):
        await opened(one)
        await one.press("e", "backspace", "1", "enter")
        lines = await one.sees("keep 1 per project")
        await until(lambda: not any("images kept" in line for line in one.lines), "the form to close")
        assert "4 images of project-a" in "\n".join(lines)
        assert hands.removed == []


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


async def test_thousands_of_parts_are_moved_through_without_drawing_them_all() -> None:
    async with pruning(crowded(0, 0, 3000)) as (one, _):
        await opened(one)
        lines = await one.press("enter")
        below = next(line for line in lines if "more below" in line)
        assert int(below.split("more below")[0].split()[-1].replace(",", "")) > 1500
        lines = await one.press("G")
        assert "more below" not in "\n".join(lines)
        lines = sheet(await one.press("g"))
        assert line_with(lines, "▐").startswith("▐goes")


def test_what_is_read_and_decided_is_so_in_the_back_room(monkeypatch: pytest.MonkeyPatch) -> None:
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
    assert rooms == {"backroom"}
