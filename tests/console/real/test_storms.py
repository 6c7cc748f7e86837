"""A window that somebody pulls at while worlds arrive: nothing breaks, and in the end it shows what a fresh start would."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest

from tests.console.real.program import environment, screen_command
from tests.console.real.test_terminals import picture
from tests.support.terminal import Pty
from tests.support.waiting import until_sync

# The demo on a clock that stands still. Worlds come a hundred times a second; every other one lacks half of everything until
# the file CALM is there.
STORM = """
import asyncio, os
from dataclasses import replace
from datetime import UTC, datetime
import console.demo as demo
from console.demo.clock import FrozenClock
still = FrozenClock(datetime(2026, 11, 23, 5, 44, 39, tzinfo=UTC), 900)
demo.RunningClock = lambda: still
import console.feeds.watch as watch
import console.ui.app as app
begin, opened = watch.Watch.__init__, app.ConsoleApp.__init__
watch.Watch.__init__ = lambda self, *a, **o: begin(self, *a, **(o | {"now": still.now}))
app.ConsoleApp.__init__ = lambda self, *a, **o: opened(self, *a, **(o | {"frozen": True}))
watch.PUBLISH_SECONDS = 0.01
async def rest(event, seconds):
    await asyncio.sleep(0.01)
watch.rest = rest
whole, worlds = watch.assemble, []
def assemble(**facts):
    worlds.append(1)
    world = whole(**facts)
    if len(worlds) % 2 and not os.path.exists(CALM):
        world = replace(world, services=world.services[::2])
    return world
watch.assemble = assemble
"""


def stormy(home: Path) -> dict[str, str]:
    (home / "storm").mkdir()
    (home / "storm" / "sitecustomize.py").write_text(f"CALM = {str(home / 'calm')!r}\n{STORM}")
    env = environment(None, home)
    env["PYTHONPATH"] = f"{home / 'storm'}:{env['PYTHONPATH']}"
    return env


SCREENS = {
    "main": b"",
    "detail": b"\r",
    "log": b"L",
    "builds": b"6",
    "build": b"6\r",
    "nodes": b"8",
    "help": b"?",
    "palette": b":",
    "plan": b"6R",
}


def shown(data: bytes, size: tuple[int, int]) -> list[str]:
    """The picture without curves: those grow with the time that somebody has looked."""
    return [re.sub("[\u2800-\u28ff]", " ", row) for row in picture(data, *size)]


@pytest.mark.parametrize("end", [(80, 24), (120, 40), (40, 10), (31, 7), (20, 5)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_after_a_storm_the_screen_is_that_of_a_fresh_start(tmp_path: Path, end: tuple[int, int]) -> None:
    env = stormy(tmp_path)
    with Pty(screen_command("--demo"), 200, 50, env, answers=True) as terminal:
        terminal.wait_for(b"portainer")
        for number in range(300):
            # Every width and height from 200x50 to 20x5, in no order.
            terminal.resize(20 + number * 97 % 181, 5 + number * 31 % 46)
            # Now and then it is let draw something of that size.
            if number % 10 == 0:
                seen = len(terminal.data)
                terminal.wait_for(lambda data, seen=seen: len(data) > seen)  # type: ignore[misc]
        (tmp_path / "calm").touch()
        before = len(terminal.data)
        # Once more from elsewhere, so that what is drawn at the end is drawn after `before`.
        terminal.resize(199, 49)
        terminal.wait_for(lambda data: len(data) > before)
        before = len(terminal.data)
        terminal.resize(*end)
        with Pty(screen_command("--demo"), *end, env, answers=True) as fresh:

            def same() -> bool:
                return shown(terminal.data[before:], end) == shown(fresh.data, end)

            fresh.wait_for(b"portainer" if end[0] > 40 else b"\x1b[1;1H")
            try:
                until_sync(same, "the same picture on both")
            except AssertionError:
                left, right = shown(terminal.data[before:], end), shown(fresh.data, end)
                assert "\n".join(left) == "\n".join(right)
                raise
            assert "".join(picture(fresh.data, *end)).strip(), "there is something to see"
            fresh.write(b"Q")
            assert fresh.wait() == 0
        terminal.write(b"Q")
        assert terminal.wait() == 0


@pytest.mark.parametrize("name", SCREENS)
def test_every_screen_bears_every_size(tmp_path: Path, name: str) -> None:
    with Pty(screen_command("--demo"), 80, 24, stormy(tmp_path), answers=True) as terminal:
        terminal.wait_for(b"trainer-2")
        for key in SCREENS[name].decode():
            seen = len(terminal.data)
            terminal.write(key.encode())
            terminal.wait_for(lambda data, seen=seen: len(data) > seen)  # type: ignore[misc]
        for size in ((20, 5), (30, 6), (31, 7), (40, 10), (1, 1), (200, 3), (10, 60), (79, 23)):
            seen = len(terminal.data)
            terminal.resize(*size)
            terminal.wait_for(lambda data, seen=seen: len(data) > seen)  # type: ignore[misc]
            terminal.write(b"jk")
        seen = len(terminal.data)
        terminal.resize(80, 24)
        terminal.wait_for(lambda data, seen=seen: any(map(str.strip, picture(data[seen:], 80, 24))))  # type: ignore[misc]
        os.kill(terminal.pid, signal.SIGTERM)
        assert terminal.wait() == 128 + signal.SIGTERM, terminal.data[-400:]
