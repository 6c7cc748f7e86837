"""What goes over a slow line, counted in bytes: measured at 80x24; the limits leave a third."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.console.real.program import environment, screen_command
from tests.support.terminal import Pty
from tests.support.waiting import until_sync

RATE = 2048

# TERM: the bytes from the start until the demo stands still, of a key that moves, of a sheet that opens; measured, limit.
COSTS = {
    "xterm-256color": ((18_887, 25_000), (1_955, 2_600), (5_406, 7_200)),
    "linux": ((9_481, 13_000), (656, 880), (2_745, 3_700)),
    "vt100": ((8_140, 11_000), (566, 760), (2_253, 3_000)),
}
A_MINUTE = 12
"""How often the screen looks at its clock in a minute."""

# A world that stands still: the demo as it is, read once, on a clock that is stopped.
FROZEN = """
import console.ui.app as app
app.TICK_SECONDS = 0.1
before, repaint = app.ConsoleApp.__init__, app.ConsoleApp._repaint
def frozen(self, *arguments, **options):
    before(self, *arguments, **(options | {"frozen": True}))
def ticked(self):
    repaint(self)
    with open(TICKS, "a") as file:
        file.write(".")
app.ConsoleApp.__init__, app.ConsoleApp._repaint = frozen, ticked
import console.feeds.watch as watch
old = watch.Watch._pictures
async def once(self, *parts):
    import asyncio
    pictures = asyncio.create_task(old(self, *parts))
    while not self.settled():
        await asyncio.sleep(0.05)
    pictures.cancel()
    open(SETTLED, "w").close()
    await asyncio.Event().wait()
watch.Watch._pictures = once
watch.Watch.settled = lambda self: (
    self.world is not None and len(self.world.services) > 5
    and len(self.world.runs) > 8 and len(self.world.figures) > 1
    and all(one.state.value == "ok" for one in self.world.sources.values())
)
"""


def frozen(home: Path, **more: str) -> dict[str, str]:
    (home / "frozen").mkdir()
    (home / "frozen" / "sitecustomize.py").write_text(
        f"SETTLED, TICKS = {str(home / 'settled')!r}, {str(home / 'ticks')!r}\n{FROZEN}"
    )
    env = environment(None, home, **more)
    env["PYTHONPATH"] = f"{home / 'frozen'}:{env['PYTHONPATH']}"
    return env


def test_keys_are_answered_on_a_slow_line(tmp_path: Path) -> None:
    with Pty(screen_command("--demo"), 80, 24, environment(None, tmp_path), answers=True, rate=RATE) as terminal:
        terminal.wait_for(b"portainer", 60)
        for keys, wanted in (
            (b"?", b"keys that work here"),
            (b"?", b"1 Runs"),
            (b"\r", b"1 Metrics"),
            (b"\x7f", b"1 Runs"),
        ):
            seen = len(terminal.data)
            terminal.write(keys)
            terminal.wait_for(lambda data, seen=seen, wanted=wanted: wanted in data[seen:], 60)  # type: ignore[misc]
        terminal.write(b"Q")
        assert terminal.wait(60) == 0


@pytest.mark.parametrize("term", COSTS)
def test_what_a_picture_and_a_key_and_an_idle_screen_cost(tmp_path: Path, term: str) -> None:
    colorterm = "truecolor" if "256" in term else ""
    env = frozen(tmp_path, TERM=term, COLORTERM=colorterm)
    with Pty(screen_command("--demo"), 80, 24, env, answers=True) as terminal:
        terminal.wait_for(b"portainer")
        until_sync((tmp_path / "settled").exists, "the world to stand still")
        first = settled(terminal, tmp_path)
        terminal.write(b"j")
        terminal.wait_for(lambda data: len(data) > first)
        key = settled(terminal, tmp_path) - first
        seen = len(terminal.data)
        terminal.write(b"?")
        terminal.wait_for(lambda data: b"keys that work here" in data[seen:])
        sheet = settled(terminal, tmp_path) - seen
        before = len(terminal.data)
        ticked(tmp_path, A_MINUTE)
        idle = terminal.data[before:]
        terminal.write(b"Q")
        assert terminal.wait() == 0
    for what, found, (measured, limit) in zip(("the start", "a key", "a sheet"), (first, key, sheet), COSTS[term], strict=True):
        assert found < limit, f"{what} costs {found} bytes on {term}, where it was {measured}"
    assert idle.replace(b"\x1b[6n", b"") == b""


def settled(terminal: Pty, home: Path) -> int:
    """How much was written, once nothing more comes while the screen paints itself anew several times."""
    size = -1
    while size != len(terminal.data):
        size = len(terminal.data)
        ticked(home, 4)
    return size


def ticked(home: Path, times: int) -> None:
    """Wait until the screen has painted itself anew so often, which it does every five seconds (here: ten times in one)."""
    file = home / "ticks"
    until_sync(file.exists, "the first tick")
    before = file.stat().st_size
    until_sync(lambda: file.stat().st_size >= before + times, "the screen's clock")
