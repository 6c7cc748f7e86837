"""The doctor on the screen: it walks in the back room, hops appear as they come, and keys do what the rows say."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from console.actions.docker.services import ActOnServices, ServiceVerb
from console.backend import Backend
from console.cli.options import GlobalOptions
from console.demo import FrozenClock, demo_gpus, demo_instruments, demo_jenkins, demo_machine, demo_reach
from console.doctor.findings import Finding, Mends, Rights, behind, broken, good, off, warning
from console.doctor.instruments import Instruments
from console.feeds.watch import Watch
from console.settings import Overrides, load
from console.sources.ownfiles import OwnFiles
from console.sources.protocols import Knocks
from console.sources.web import WebAnswer
from console.text import Clean, clean
from console.ui.app import ConsoleApp, Wishes
from console.ui.clipboard import Way
from console.ui.doctorlines import NAMES, Walk
from console.ui.screens.builds import BuildsScreen
from console.ui.screens.disk import DiskScreen
from console.ui.screens.doctor import DoctorScreen
from console.ui.screens.gpus import GpusScreen
from console.ui.screens.main import MainScreen
from console.ui.screens.nodes import NodesScreen
from tests.console.actions.acts import Notebook
from tests.console.fakes import NOW, FakeEngine
from tests.console.ui import jenkinsworlds
from tests.console.ui.doing import Person, person
from tests.console.ui.pressing import line_with, selected
from tests.console.ui.screenapp import ENV, app_of, screen_text, still
from tests.console.ui.test_doctor_lines import SICK
from tests.console.ui.test_snapshots import Compare
from tests.support.waiting import until

_WORLD = jenkinsworlds.read_all()


class Held:
    """The demo's instruments, whose web answers when it may, and which tell whether they were let go."""

    def __init__(self, folder: Path) -> None:
        loaded = load(argv=Overrides(), env={"HOME": str(folder)}, cwd=folder, etc=folder / "etc.toml")
        clock = FrozenClock(NOW)
        reach = demo_reach(clock)
        self._tools = demo_instruments(loaded, Clean("demo-01"), reach, demo_gpus(clock), demo_machine(clock))
        self.open = asyncio.Event()
        self.made: list[Web] = []

    def __call__(self) -> Instruments:
        self.made.append(Web(self._tools.web, self.open))
        return replace(self._tools, web=self.made[-1])

    @property
    def closed(self) -> bool:
        return all(one.closed for one in self.made)


class Web:
    """The demo's, behind a gate."""

    def __init__(self, inner: Knocks, gate: asyncio.Event) -> None:
        self._inner, self._gate = inner, gate
        self.closed = False

    async def ask(self, url: str, **options: Any) -> WebAnswer:
        await self._gate.wait()
        return await self._inner.ask(url, **options)

    async def aclose(self) -> None:
        self.closed = True


@pytest.fixture
def held(tmp_path: Path) -> Held:
    return Held(tmp_path)


def doctors(make: Callable[[], Instruments] | None) -> ConsoleApp:
    app = app_of(jenkinsworlds.world(_WORLD))
    still(app).log_engine, still(app).log_jenkins = FakeEngine(), demo_jenkins(FrozenClock(NOW))
    app.make_instruments = make
    return app


@asynccontextmanager
async def patient(make: Callable[[], Instruments] | None, size: tuple[int, int] = (80, 24)) -> AsyncIterator[Person]:
    """Somebody who has opened the doctor."""
    async with person(size, app=doctors(make)) as one:
        await one.press("9")
        yield one


def screen(one: Person) -> DoctorScreen:
    found = one.app.screen
    assert isinstance(found, DoctorScreen)
    return found


async def give(one: Person, **found: Finding) -> None:
    """A walk that is over, in which these were found."""
    walk = Walk()
    for name in NAMES:
        walk = walk.finds(name, found.get(name, good("fine")))
    screen(one)._take(screen(one)._number, lambda _: walk.ends(Clean("It is over."), 1.2))
    await one.press()


async def test_hops_appear_as_they_come_and_the_first_broken_one_is_selected(held: Held) -> None:
    async with patient(held) as one:
        lines = await one.sees(" 7 ✓ gate")
        assert lines[0].startswith(" train-01 › doctor")
        # All that asks nobody over the net is known, while the rest says that it is being looked at.
        await one.sees("  9 ▸ public    looking")
        lines = await one.sees(" 11 - hub       not configured")
        assert line_with(lines, " ▸ looking: ", " of 13 hops are known")
        assert selected(lines).startswith("▐ 3 ✗ compose   portainer unhealthy: connection refused on :9000")
        held.open.set()
        lines = await one.sees("✗ Broken at 3 compose: a part of the platform does not do its work.")
        assert line_with(lines, "  9 ✓ public    hook.example.org refuses")
        assert [line[1:3].strip() for line in lines[3:16]] == [str(number) for number in range(1, 14)], "all hops fit"
        assert line_with(lines, " command    mlops-console services portainer  y copies it")
        await until(lambda: held.closed)


async def test_leaving_ends_the_walk_and_lets_its_tools_go(held: Held) -> None:
    async with patient(held) as one:
        await one.sees("▸ public    looking")
        walking = screen(one)._walking
        assert walking is not None
        await one.press("q")
        assert isinstance(one.app.screen, MainScreen)
        await until(lambda: walking.task is not None and walking.task.done())
        assert walking.task is not None
        assert walking.task.cancelled(), "nobody waits for what hangs"
        assert held.closed


async def test_the_key_that_reads_anew_begins_another_walk_and_forgets_the_first(held: Held) -> None:
    async with patient(held) as one:
        await one.sees("▸ public    looking")
        first = screen(one)._number
        await one.press("ctrl+r")
        await until(lambda: len(held.made) == 2 and held.made[0].closed)
        screen(one)._take(first, lambda walk: walk.fails(clean("too late")))
        held.open.set()
        await one.sees("Broken at 3")
        assert "too late" not in screen_text(one.app)
        assert still(one.app).refreshed == 1


def test_the_hops_are_not_loaded_with_the_screen() -> None:
    """That is left to the back room, when somebody has opened it."""
    heavy = "{'console.doctor.walk', 'console.doctor.tools', 'httpx'}"
    code = f"import sys, console.ui.screens.doctor; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "set()"


async def test_what_a_person_has_selected_stays_selected() -> None:
    async with patient(None) as one:
        await give(one)
        assert selected(one.lines).startswith("▐ 1 ")
        await give(one, hub=warning("hub", "down", "slow"))
        assert selected(one.lines).startswith("▐11 ! hub")
        await one.press("k")
        await give(one, compose=SICK)
        assert selected(one.lines).startswith("▐10 ✓ gpu")


async def test_without_instruments_it_says_so() -> None:
    async with patient(None) as one:
        assert " ✗ There is nothing to look with here." in one.lines[1]
        await one.press("f")
        await one.sees("nothing is there that could be mended safely")


async def test_the_palette_opens_it() -> None:
    async with person(app=doctors(None)) as one:
        await one.press("colon", *"doctor", "enter")
        assert isinstance(one.app.screen, DoctorScreen)


async def test_y_copies_the_command_alone_or_else_all_about_the_hop() -> None:
    async with patient(None) as one:
        copied: list[str] = []
        one.app.copied = lambda text: (copied.append(text) or len(text.encode()), Way.TERMINAL)  # type: ignore[method-assign,func-returns-value]
        await give(one, compose=SICK)
        await one.press("y")
        assert copied == ["mlops-console services gate"]
        await one.press("k", "y")
        assert copied[1].splitlines()[0] == "2 ✓ docker    fine"
        assert "looks at" in copied[1]


@pytest.mark.parametrize(
    ("down", "found", "kind"),
    [
        (1, {"docker": replace(SICK, about=Clean("disk"))}, DiskScreen),
        (1, {}, MainScreen),
        (4, {}, BuildsScreen),
        (5, {"job": replace(SICK, about=Clean("trainer-1"))}, NodesScreen),
        (9, {}, GpusScreen),
        (10, {}, DoctorScreen),
        (12, {"recorder": off("none")}, MainScreen),
    ],
)
async def test_enter_goes_to_what_the_hop_is_about(down: int, found: dict[str, Finding], kind: type[object]) -> None:
    async with patient(None) as one:
        await give(one, **found)
        await one.press("g", *"j" * down, "enter")
        assert type(one.app.screen) is kind, screen_text(one.app)
        if kind is DoctorScreen:
            await one.sees("there is no screen about that")


async def test_enter_goes_to_the_row_of_a_service() -> None:
    async with patient(None) as one:
        name = str(next(each.name for each in (one.app.world or jenkinsworlds.world(_WORLD)).services))
        await give(one, compose=replace(SICK, about=Clean(name)))
        await one.press("enter")
        assert isinstance(one.app.screen, MainScreen)
        assert selected(one.lines).startswith(f"▐{name}")


async def test_a_click_selects_a_hop_and_a_second_one_opens_it() -> None:
    async with patient(None) as one:
        await give(one)
        await one.pilot.click(offset=(20, 12))
        assert selected(one.lines).startswith("▐10 ✓ gpu")
        await one.pilot.click(offset=(20, 12), times=2)
        await one.press()
        assert isinstance(one.app.screen, GpusScreen)


async def test_mending_shows_its_plan_and_looks_again_when_it_is_done(held: Held, tmp_path: Path) -> None:
    held.open.set()
    file = tmp_path / "config.toml"
    file.write_text("")
    file.chmod(0o666)
    files = OwnFiles()
    mends = Mends(rights=(Rights(file, await files.facts(file), 0o644),))
    await files.aclose()
    async with patient(lambda: replace(held(), files=OwnFiles())) as one:
        await one.sees("Broken at 3")
        await give(one, settings=replace(SICK, mends=mends))
        await one.press("f")
        await one.sees("Mend  config.toml")
        one.wait()
        await one.press("y")
        await until(lambda: one.notebook.phases == ["begun", "ended"], "the act to be over")
        assert file.stat().st_mode & 0o777 == 0o644
        lines = await one.sees("Broken at 3")
        assert line_with(lines, "  1 ✓ settings  all at their defaults")


async def test_read_only_mends_nothing() -> None:
    app = doctors(None)
    app.read_only = Clean("--read-only")
    async with person(app=app) as one:
        await one.press("9")
        await give(one, compose=replace(SICK, mends=Mends(services=(Clean("gate"),))))
        assert not any(line.startswith(" mend") for line in one.lines)
        assert " f mend" not in one.lines[-1]
        await one.press("f")
        await one.sees("Read-only: acts are off (--read-only).")


async def test_while_it_walks_nothing_can_be_mended_yet(held: Held) -> None:
    async with patient(held) as one:
        await one.sees("▸ public    looking")
        await one.press("f")
        await one.sees("the walk is not over")
        held.open.set()


async def test_in_the_real_back_room_of_the_demo_a_stopped_service_is_found_and_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The screen lives in one loop, the walk and the act in another."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    backend = Backend(GlobalOptions(demo=True))
    # Without what trainings print: reading that takes a while, and is looked at elsewhere.
    watch = Watch(
        backend.sources,
        host=backend.host,
        demo=True,
        make_jenkins=backend.jenkins,
        make_hands=backend.hands,
        tunnel=True,
    )
    book = Notebook()
    app = ConsoleApp(
        watch,
        host=backend.host,
        demo=True,
        env=ENV,
        wishes=Wishes(glyphs="unicode"),
        make_recorder=lambda: book,
        make_instruments=backend.instruments,
    )
    act = ActOnServices(backend.reach(), ServiceVerb.STOP, ["agent"])
    stopped = await act.plan()
    for target in stopped.targets:
        await act.perform(stopped, target, lambda _: None)
    watch.start()
    try:
        async with app.run_test(size=(100, 30)) as pilot:
            one = Person(app, pilot, book)
            await until(lambda: app.world is not None)
            await one.press("9")
            lines = await one.sees("Broken at 3")
            assert selected(lines).startswith("▐ 3 ✗ compose   agent is stopped; ")
            assert line_with(lines, " mend       starts agent  f shows how")
            await one.press("f")
            await one.sees("compose.yml start agent")
            one.wait()
            await one.press("enter")
            await until(lambda: book.phases == ["begun", "ended"], "the act to be over")
            await until(lambda: screen(one).walk.over and "agent is stopped" not in screen_text(app), "another walk")
    finally:
        watch.stop()


def pictured(compare: Compare, size: tuple[int, int], found: Mapping[str, Finding], *, half: bool = False) -> None:
    """The picture of the doctor when these were found; `half` is while it still looks at what is not among them."""
    app = doctors(None)

    async def look(pilot: Pilot[int]) -> None:
        await pilot.press("9")
        walk = Walk()
        for name in found if half else NAMES:
            walk = walk.begins(name).finds(name, found.get(name, good("fine")))
        done = walk.begins("gate") if half else walk.ends(BROKEN_AT_8, 1.24)
        shown = app.screen
        assert isinstance(shown, DoctorScreen)
        shown._take(shown._number, lambda _: done)
        await pilot.pause()

    assert compare(app, terminal_size=size, run_before=look)


BROKEN_AT_8 = Clean("Broken at 8 tunnel: a merged release cannot reach Jenkins.")
ANOTHER_DAY = {
    "settings": good("9 values from 2 files, file modes are right"),
    "docker": warning("docker", "full", "Engine 29.7.2, rotation on; disk 91%, full in about 6d", about="disk"),
    "compose": behind("tunnel", "5 services declared, 4 fine; frp_client: see there"),
    "secrets": good("7 present, owners and modes are right"),
    "jenkins": good("2.568.3 as operator in 31 ms; may read and build"),
    "tunnel": replace(broken("tunnel", "refused", "frps.example.org refuses its token"), seconds=0.31),
    "public": behind("tunnel"),
    "hub": good("token may write to acme/project-a, answers in 120 ms"),
    "recorder": off("there is no history here"),
}


@pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_doctor(snap_compare: Compare, size: tuple[int, int]) -> None:
    pictured(snap_compare, size, ANOTHER_DAY)


def test_the_doctor_in_a_narrow_terminal_while_it_looks(snap_compare: Compare) -> None:
    pictured(snap_compare, (40, 12), {name: ANOTHER_DAY[name] for name in ("settings", "docker", "jenkins")}, half=True)
