"""The two terminals."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.leftovers import processes
from tests.support.terminal import Pty, Tmux
from tests.support.waiting import until_sync

ASKING = ("sh", "-c", 'echo "$TERM $COLORTERM $WORD"; stty size; read line; echo "heard $line"; exit 7')


@pytest.mark.usefixtures("tmux")
def test_tmux_shows_types_and_tells_the_exit_status() -> None:
    with Tmux(ASKING, 100, 30, {"WORD": "hello"}) as terminal:
        assert "tmux-256color truecolor hello\n" in terminal.wait_for("30 100")
        terminal.type("C-c is text; -l too")
        terminal.keys("Enter")
        terminal.wait_for(lambda screen: "heard C-c is text; -l too" in screen)
        assert terminal.wait() == 7


@pytest.mark.usefixtures("tmux")
def test_tmux_keys_are_keys() -> None:
    with Tmux(["cat"]) as terminal:
        until_sync(lambda: Path(f"/proc/{terminal.pid}/comm").read_text() == "cat\n", "cat to run")
        terminal.keys("C-c")
        assert terminal.wait() == 130


@pytest.mark.usefixtures("tmux")
def test_tmux_resizes() -> None:
    with Tmux(["sh", "-c", "trap 'stty size' WINCH; echo ready; while :; do sleep 0.05; done"], 80, 24) as terminal:
        terminal.wait_for("ready")
        terminal.resize(120, 36)
        terminal.wait_for("36 120")


@pytest.mark.usefixtures("tmux")
def test_tmux_says_what_is_on_the_screen_instead() -> None:
    with Tmux(["sh", "-c", "echo something else; cat"]) as terminal:
        terminal.wait_for("something")
        with pytest.raises(AssertionError, match=r"'the right thing'[^$]*something else"):
            terminal.wait_for("the right thing", deadline=0.05)


@pytest.mark.usefixtures("tmux")
def test_tmux_ends_with_everything_started_in_it() -> None:
    with Tmux(["sh", "-c", "setsid sleep 1000 & echo started; wait"]) as terminal:
        terminal.wait_for("started")
        folder = terminal.home.parent
        until_sync(lambda: "sleep 1000" in processes(folder).values(), "the sleep to be seen")
    assert processes(folder) == {}
    assert not folder.exists()


def test_pty_keeps_every_byte_and_the_exit_status() -> None:
    with Pty(ASKING, 100, 30, {"WORD": "hello"}) as terminal:
        terminal.wait_for(b"30 100\r\n")
        terminal.write(b"there\r")
        terminal.wait_for(lambda data: data.endswith(b"heard there\r\n"))
        assert terminal.wait() == 7
        assert terminal.data == b"tmux-256color truecolor hello\r\n30 100\r\nthere\r\nheard there\r\n"


def test_pty_has_all_of_a_long_output() -> None:
    with Pty(["sh", "-c", "stty -opost; seq 200000"]) as terminal:
        assert terminal.wait() == 0
        assert terminal.data == "".join(f"{number}\n" for number in range(1, 200001)).encode()


def test_pty_is_the_controlling_terminal_from_the_start() -> None:
    with Pty(["cat"]) as terminal:
        terminal.write(b"\x03")
        assert terminal.wait() == -2


def test_pty_says_what_was_written_instead() -> None:
    with Pty(["sh", "-c", "echo something else; cat"]) as terminal:
        terminal.wait_for(b"something")
        with pytest.raises(AssertionError, match=r"'the right thing'.*something else"):
            terminal.wait_for(b"the right thing", deadline=0.05)


def test_pty_ends_with_everything_started_in_it() -> None:
    with Pty(["sh", "-c", "setsid sleep 1000 & echo $HOME; wait"]) as terminal:
        folder = Path(terminal.wait_for(b"\r\n").decode().strip()).parent
        until_sync(lambda: "sleep 1000" in processes(folder).values(), "the sleep to be seen")
    assert processes(folder) == {}
    assert not folder.exists()
