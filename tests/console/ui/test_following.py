"""Runs that a person follows, by the keys that they press: what is said on the screen and to the terminal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from console.actions.plan import End, News
from console.demo import FrozenClock, demo_jenkins
from console.model.build import BuildRef
from console.model.jenkins import JenkinsWorld
from console.model.run import Run
from console.model.state import StateClass
from console.model.world import World
from console.sources import terminal
from console.text import clean
from console.ui.app import ConsoleApp, Wishes
from tests.console.fakes import NOW, FakeEngine
from tests.console.ui import jenkinsworlds
from tests.console.ui.doing import Person, Shown, person
from tests.console.ui.followworlds import FAILED as FAILS
from tests.console.ui.followworlds import TRAIN, ended, run, world
from tests.console.ui.jenkinsworlds import FAILED
from tests.console.ui.pressing import line_with
from tests.console.ui.screenapp import ENV, app_of, still
from tests.support.waiting import DEADLINE, until

RUNS = BuildRef(TRAIN, 128)


@dataclass
class Follower:
    """A person before a console whose worlds the test makes; `written` went past the screen."""

    one: Person
    base: World
    written: list[str]

    def comes(self, *runs: Run) -> None:
        still(self.one.app).give(world(*runs, base=self.base))

    async def select(self, ref: BuildRef) -> None:
        await self.one.press("6", "b")
        jenkinsworlds.select(self.one.app, ref)


@asynccontextmanager
async def follower(
    jenkins: JenkinsWorld, *runs: Run, notify: str = "off", env: Mapping[str, str] = ENV
) -> AsyncIterator[Follower]:
    base = jenkinsworlds.world(jenkins)
    app: ConsoleApp = app_of(world(*runs, base=base), wishes=Wishes(glyphs="unicode", notify=notify), env=env)
    still(app).log_engine, still(app).log_jenkins = FakeEngine(), demo_jenkins(FrozenClock(NOW))
    async with person(app=app) as one:
        written: list[str] = []
        app.write_terminal = written.append  # type: ignore[method-assign,assignment]  # what goes past the screen, in the test's hands
        yield Follower(one, base, written)


async def test_the_end_of_a_run_that_is_followed_is_said(jenkins: JenkinsWorld) -> None:
    async with follower(jenkins, run()) as room:
        await room.select(RUNS)
        await room.one.press("F")
        await room.one.sees("✓ you will hear of project-a #128")
        room.comes(run())
        room.comes(ended())
        lines = await room.one.sees("✓ project-a #128 published: best val_acc 0.949")
        assert "L log" in line_with(lines, "published: best")
        assert room.written == [], "the terminal hears nothing unless somebody wants it"


async def test_of_others_nothing_is_said(jenkins: JenkinsWorld) -> None:
    async with follower(jenkins, run(), run(126)) as room:
        await room.select(RUNS)
        await room.one.press("F")
        await room.one.sees("you will hear of project-a #128")
        room.comes(run(), ended(126, FAILS, "out of memory"))
        room.comes(ended())
        await room.one.sees("project-a #128 published")
        assert "#126 failed" not in "\n".join(room.one.lines)


async def test_the_same_key_ends_it(jenkins: JenkinsWorld) -> None:
    async with follower(jenkins, run(), notify="bell") as room:
        await room.select(RUNS)
        await room.one.press("F")
        await room.one.sees("you will hear of")
        await room.one.press("F")
        await room.one.sees("project-a #128 no longer followed")
        room.comes(ended())
        await room.one.pilot.pause()
        assert room.written == []
        assert "published" not in room.one.lines[-2]


async def test_what_has_ended_and_what_is_no_run_says_so(jenkins: JenkinsWorld) -> None:
    async with follower(jenkins, ended(FAILED.number, FAILS)) as room:
        await room.select(FAILED)
        await room.one.press("F")
        await room.one.sees(f"project-a #{FAILED.number} has ended")
        jenkinsworlds.select(room.one.app, RUNS)
        await room.one.press("F")
        await room.one.sees("no run stands behind it")


@pytest.mark.parametrize(
    ("notify", "expected"),
    [
        ("bell", ["\x07"]),
        ("osc9", ["\x1b]9;mlops-console: project-a #128 failed: out of memory\x07"]),
        ("osc777", ["\x1b]777;notify;mlops-console;project-a #128 failed: out of memory\x07"]),
    ],
)
async def test_the_terminal_is_told_as_somebody_wants_it(jenkins: JenkinsWorld, notify: str, expected: list[str]) -> None:
    async with follower(jenkins, run(), notify=notify) as room:
        await room.select(RUNS)
        await room.one.press("F")
        await room.one.sees("you will hear of")
        room.comes(ended(state=FAILS, why="out of memory"))
        await room.one.sees("✗ project-a #128 failed: out of memory")
        assert room.written == expected


async def test_no_key_waits_for_what_tmux_says(jenkins: JenkinsWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, answer = tmp_path / "asked", tmp_path / "answer"
    tmux = tmp_path / "tmux"
    tmux.write_text(f"#!/bin/sh\necho >>{asked}\nwhile [ ! -e {answer} ]; do /bin/sleep 0.05; done\necho on\n")
    tmux.chmod(0o755)
    monkeypatch.setattr(terminal, "_TMUX_SECONDS", DEADLINE)
    env = {**ENV, "TMUX": "here,1,0", "PATH": str(tmp_path)}
    async with follower(jenkins, run(), run(126), notify="osc9", env=env) as room:
        for ref in (RUNS, BuildRef(TRAIN, 126)):
            room.one.app.follow_build(ref, clean("project-a"))
        room.comes(ended(), ended(126, FAILS, "out of memory"))
        await room.one.sees("project-a #126 failed: out of memory  +1 more")
        await until(asked.exists, "tmux to be asked")
        await room.one.press("6")
        assert room.written == []
        answer.touch()
        await until(lambda: len(room.written) == 2, "both notices")
        assert asked.read_text() == "\n", "once for both"
        assert all(one.startswith("\x1bPtmux;") for one in room.written)


async def test_several_at_once_are_one_line_and_one_bell(jenkins: JenkinsWorld) -> None:
    async with follower(jenkins, run(), run(126), notify="bell") as room:
        for ref in (RUNS, BuildRef(TRAIN, 126)):
            room.one.app.follow_build(ref, clean("project-a"))
        room.comes(ended(), ended(126, FAILS, "out of memory"))
        await room.one.sees("✗ project-a #126 failed: out of memory  +1 more")
        assert room.written == ["\x07"]


async def test_what_was_started_here_is_followed_by_itself(jenkins: JenkinsWorld) -> None:
    async with follower(jenkins, run()) as room:
        later: asyncio.Queue[News | None] = asyncio.Queue()
        act = Shown({"hall"}, ("hall",), name="retrigger", later=later)
        await room.one.plan(act)
        await room.one.press("enter")
        target = (await act.plan()).targets[0]
        later.put_nowait(News(target, StateClass.ACTIVE, clean("started as #140"), BuildRef(TRAIN, 140), End.GOOD))
        later.put_nowait(None)
        await room.one.sees("started as #140")
        room.comes(run(140))
        room.comes(ended(140, FAILS, "loss is NaN since step 812"))
        await room.one.sees("✗ project-a #140 failed: loss is NaN since step 812")


async def test_a_run_is_followed_from_the_screen_in_front_whatever_that_is(jenkins: JenkinsWorld) -> None:
    async with follower(jenkins, run()) as room:
        await room.select(RUNS)
        await room.one.press("F")
        await room.one.sees("you will hear of")
        await room.one.press("8")
        room.comes(ended())
        await room.one.sees("project-a #128 published")
