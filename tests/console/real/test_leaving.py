"""How the screen ends when nobody presses a key for it: signals, a line that was cut, a shell that takes the terminal."""

from __future__ import annotations

import os
import signal
import termios
from pathlib import Path

import psutil
import pytest

from tests.console.real.program import PROGRAM, environment, screen_command
from tests.console.real.test_crash import left_as_it_was, modes
from tests.console.real.test_slow_line import frozen, settled
from tests.support.terminal import Pty, Tmux
from tests.support.waiting import until_sync

BOUND = 10.0
"""Seconds within which nothing may be left; the console gives itself 3."""


def is_gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_gives_the_terminal_back(tmp_path: Path, number: signal.Signals) -> None:
    with Pty(screen_command("--demo"), 80, 24, environment(None, tmp_path)) as terminal:
        before = modes(terminal)
        terminal.wait_for(b"portainer")
        assert modes(terminal) != before
        os.kill(terminal.pid, number)
        assert terminal.wait(BOUND) == 128 + number
        assert modes(terminal) == before
        left_as_it_was(terminal.data)
        assert b"defect" not in terminal.data


@pytest.mark.parametrize("keys", [b"", b"L", b"6", b"?"], ids=["main", "log", "builds", "help"])
def test_a_line_that_is_cut_leaves_no_process(tmp_path: Path, keys: bytes) -> None:
    with Pty(screen_command("--demo"), 80, 24, environment(None, tmp_path), answers=True) as terminal:
        terminal.wait_for(b"portainer")
        terminal.write(keys)
        terminal.hang_up()
        until_sync(lambda: is_gone(terminal.pid), "the console to end", BOUND)


# A blocked signal reaches nobody, however it would be handled.
DEAF = "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])\n"


@pytest.mark.parametrize("world", ["moves", "stands still"])
def test_a_line_that_is_cut_and_no_signal_tells(tmp_path: Path, world: str) -> None:
    """While much is written, writing tells of it; where nothing is, only reading can."""
    env = frozen(tmp_path)
    start = tmp_path / "frozen" / "sitecustomize.py"
    start.write_text(DEAF + (start.read_text() if world == "stands still" else ""))
    with Pty(screen_command("--demo"), 80, 24, env, answers=True) as terminal:
        terminal.wait_for(b"portainer")
        if world == "stands still":
            until_sync((tmp_path / "settled").exists, "the world to stand still")
            settled(terminal, tmp_path)
        terminal.hang_up()
        # In order, not by a defect that reading on and on would have come to.
        assert terminal.wait(BOUND) == 128 + signal.SIGHUP
        assert not list(tmp_path.rglob("crash*"))


def test_a_terminal_that_takes_nothing_any_more_does_not_hold_a_signal_up(tmp_path: Path) -> None:
    # A byte in ten seconds: whatever is written waits in the kernel, and the thread that writes with it.
    with Pty(screen_command("--demo"), 200, 50, environment(None, tmp_path), rate=10) as terminal:
        thread = "textual-output"
        until_sync(lambda: _threads_wait(terminal.pid), f"{thread} to wait")
        os.kill(terminal.pid, signal.SIGTERM)
        until_sync(lambda: is_gone(terminal.pid), "the console to end", BOUND)
        flags = termios.tcgetattr(terminal.master)[3]
        assert flags & termios.ECHO
        assert flags & termios.ICANON


def _threads_wait(pid: int) -> bool:
    """Whether one of its threads waits for a terminal to take what it writes."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            if "n_tty_write" in (task / "wchan").read_text() or (task / "syscall").read_text().startswith("1 0x2 "):
                return True
        except OSError:
            continue
    return False


def test_ctrl_z_gives_the_shell_its_terminal_and_fg_the_screen_at_its_new_size(tmp_path: Path) -> None:
    with Tmux(["bash", "--norc"], 80, 24, environment(None, tmp_path)) as terminal:
        terminal.type(f"cd {tmp_path}; stty -g > before; " + " ".join([*PROGRAM, "--demo"]))
        terminal.keys("Enter")
        terminal.wait_for(lambda text: "go there" in text and "portainer" in text)
        for columns, rows in ((100, 30), (60, 18), (80, 24)):
            terminal.keys("C-z")
            terminal.wait_for("Stopped")
            terminal.type("stty -g > after; cmp before after; echo modes-$?")
            terminal.keys("Enter")
            terminal.wait_for("modes-0")
            terminal.type("clear")
            terminal.keys("Enter")
            terminal.resize(columns, rows)
            terminal.type("fg")
            terminal.keys("Enter")

            def is_whole(text: str, columns: int = columns, rows: int = rows) -> bool:
                lines = text.split("\n")
                return lines[0].startswith(" DEMO ") and "quit" in lines[rows - 1] and "modes-" not in text

            terminal.wait_for(is_whole)
        terminal.keys("q")
        terminal.wait_for(lambda text: "DEMO" not in text)
        terminal.type("stty -g > after; cmp before after; echo end-$?")
        terminal.keys("Enter")
        terminal.wait_for("end-0")


def test_a_process_that_was_stopped_from_outside_comes_back(tmp_path: Path) -> None:
    with Tmux(["bash", "--norc"], 80, 24, environment(None, tmp_path)) as terminal:
        terminal.type(" ".join([*PROGRAM, "--demo"]))
        terminal.keys("Enter")
        terminal.wait_for("portainer")
        (console,) = psutil.Process(terminal.pid).children()
        console.send_signal(signal.SIGSTOP)
        terminal.wait_for("Stopped")
        terminal.type("clear; fg")
        terminal.keys("Enter")
        terminal.wait_for(lambda text: text.startswith(" DEMO ") and "quit" in text)
        terminal.keys("?")
        terminal.wait_for("keys that work here")
        terminal.keys("q")
        terminal.wait_for("1 Runs")
        terminal.keys("Q")
        terminal.wait_for(lambda text: "DEMO" not in text)


def test_going_on_without_having_stopped_starts_nothing_twice(tmp_path: Path) -> None:
    with Pty(screen_command("--demo"), 80, 24, environment(None, tmp_path)) as terminal:
        terminal.wait_for(b"portainer")
        console = psutil.Process(terminal.pid)
        threads = console.num_threads()
        for _ in range(3):
            seen = len(terminal.data)
            console.send_signal(signal.SIGCONT)
            terminal.wait_for(lambda data, seen=seen: b"portainer" in data[seen:])  # type: ignore[misc]
        until_sync(lambda: console.num_threads() <= threads, "the threads of before")
        terminal.write(b"q")
        assert terminal.wait() == 0
        left_as_it_was(terminal.data)
