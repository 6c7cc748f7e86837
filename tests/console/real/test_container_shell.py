"""`container shell` as a person uses it: a real terminal, a real Engine, and what goes wrong in between."""

from __future__ import annotations

import json
import os
import signal
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.console.real.program import PROGRAM, environment, run
from tests.support import images
from tests.support.engine import Engine
from tests.support.images import BUSYBOX
from tests.support.terminal import Pty

READY = b"# "
ENDLESS = ("sh", "-c", "trap 'exit 0' TERM; while :; do sleep 1; done")


@pytest.fixture(scope="module")
def shelled(engine: Engine) -> Iterator[Engine]:
    with images.own_engine() as own:
        yield own


@pytest.fixture
def box(shelled: Engine) -> Iterator[str]:
    shelled.docker("run", "-d", "--name=box", "--network=none", "--stop-timeout=0", BUSYBOX, *ENDLESS)
    yield "box"
    shelled.docker("rm", "--force", "box")


def program(engine: Engine | None, home: Path, *words: str) -> Pty:
    # Whatever the tests themselves were started with (nohup).
    default = ("env", "--default-signal=HUP,TERM")
    return Pty(
        [*default, *PROGRAM, "container", "shell", *words],
        environment={**environment(engine, home), "PATH": os.environ["PATH"]},
    )


def entered(engine: Engine, home: Path, *words: str) -> Pty:
    """A terminal whose shell is at its prompt."""
    terminal = program(engine, home, *words)
    try:
        terminal.wait_for(READY)
    except BaseException:
        terminal.close()
        raise
    return terminal


def said(terminal: Pty, typed: str, wanted: str) -> None:
    """Type a line, and wait for what it makes: the line itself is echoed, so `wanted` must not be in it."""
    terminal.write(typed.encode() + b"\r")
    terminal.wait_for(wanted.encode())


def modes(terminal: Pty) -> list[object]:
    """Of the person's terminal, as `stty -a` would tell them."""
    found = termios.tcgetattr(terminal.master)
    return [*found[:6], list(map(bytes, found[6]))] if isinstance(found[6][0], bytes) else found


def acts(home: Path) -> list[dict[str, Any]]:
    (file,) = home.rglob("audit.jsonl")
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_a_shell_is_there_and_its_exit_status_is_passed_on(shelled: Engine, box: str, tmp_path: Path) -> None:
    with entered(shelled, tmp_path, box) as terminal:
        said(terminal, "echo $((6 * 7))-$TERM-$(tty | cut -c 1-5)", "42-tmux-256color-/dev/")
        terminal.write(b"exit 7\r")
        assert terminal.wait() == 7
    first, second = acts(tmp_path)
    assert (first["act"], first["phase"], second["phase"]) == ("container-shell", "begun", "ended")
    assert first["requests"] == ["docker exec -it box /bin/sh"]
    (result,) = second["results"]
    assert result["fate"] == "done"
    assert result["words"].startswith("ended with 7 after")


def test_keys_go_inside_and_the_terminal_is_as_before(shelled: Engine, box: str, tmp_path: Path) -> None:
    with Pty(["sh"], environment=environment(shelled, tmp_path)) as terminal:
        terminal.wait_for(READY)
        before = modes(terminal)
        command = " ".join([*PROGRAM, "container", "shell", box])
        said(terminal, f"cd {Path(__file__).parents[3]}; {command}", "~ # ")
        assert modes(terminal) != before
        said(terminal, "echo rea''dy; cat", "ready\r\n")
        terminal.write(b"hello\r")
        terminal.wait_for(lambda data: data.count(b"hello") == 2)
        terminal.write(b"\x03")  # ends cat inside, and nothing out here
        terminal.wait_for(lambda data: READY in data.partition(b"^C")[2])
        said(terminal, "echo $?-after", "130-after")
        terminal.write(b"\x10")  # ctrl+p is the shell's: the Engine would keep it
        terminal.wait_for(lambda data: data.count(b"echo $?-after") == 2)
        terminal.write(b"\x15printf '\\033[?1049h\\033[?1000;1006h\\033[?25l'; echo o''n\r")
        terminal.wait_for(b"on\r\n")
        terminal.write(b"\x04")
        terminal.wait_for(b"\x1b[?25h\x1b[?1006l\x1b[?1000l\x1b[?1049l\x1b[0m")
        said(terminal, "echo back-$?", "back-0")
        assert modes(terminal) == before


def test_the_window_follows(shelled: Engine, box: str, tmp_path: Path) -> None:
    with entered(shelled, tmp_path, box) as terminal:
        said(terminal, "stty size", "36 120")
        terminal.write(b"until [ \"$(stty size)\" = '19 71' ]; do sleep 0.02; done; echo o''k\r")
        terminal.resize(71, 19)
        terminal.wait_for(b"ok\r\n")


def test_a_command_in_the_place_of_a_shell(shelled: Engine, box: str, tmp_path: Path) -> None:
    with program(shelled, tmp_path, box, "sh", "-c", "echo a-$1-b; exit 3", "x", "-y") as terminal:
        assert terminal.wait() == 3
        assert b"a--y-b" in terminal.data
    with program(shelled, tmp_path, box, "--", "ls", "--help") as terminal:
        assert terminal.wait() == 0
        assert b"BusyBox" in terminal.data
    with program(shelled, tmp_path, box, "nosuchprogram") as terminal:
        assert terminal.wait() in (126, 127)
        assert b"nosuchprogram" in terminal.data


def test_a_container_that_is_killed_meanwhile(shelled: Engine, box: str, tmp_path: Path) -> None:
    with entered(shelled, tmp_path, box) as terminal:
        shelled.docker("kill", box)
        assert terminal.wait() == 137
        assert _sane(terminal)


def test_a_container_that_is_removed_meanwhile(shelled: Engine, box: str, tmp_path: Path) -> None:
    with entered(shelled, tmp_path, box) as terminal:
        shelled.docker("rm", "--force", box)
        assert terminal.wait() in (3, 137)
        assert _sane(terminal)
    shelled.docker("run", "-d", "--name=box", "--network=none", BUSYBOX, *ENDLESS)


def test_an_engine_that_dies_meanwhile(own_engine: Engine, tmp_path: Path) -> None:
    own_engine.docker("run", "-d", "--name=box", "--network=none", BUSYBOX, *ENDLESS)
    with entered(own_engine, tmp_path, "box") as terminal:
        own_engine.kill()
        assert terminal.wait() == 3
        assert b"mlops-console: box: " in terminal.data
        assert _sane(terminal)
    _, second = acts(tmp_path)
    (result,) = second["results"]
    assert result["fate"] == "unsure"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_from_outside_leaves_the_terminal_whole(
    shelled: Engine, box: str, tmp_path: Path, number: signal.Signals
) -> None:
    with entered(shelled, tmp_path, box) as terminal:
        os.kill(terminal.pid, number)
        assert terminal.wait() == -number
        assert _sane(terminal)
    _, second = acts(tmp_path)
    (result,) = second["results"]
    assert (result["fate"], result["words"]) == ("unsure", f"left by {number.name}: what ran in it may go on")


def _sane(terminal: Pty) -> bool:
    local = termios.tcgetattr(terminal.master)[3]
    return bool(local & termios.ECHO and local & termios.ICANON and local & termios.ISIG)


def test_an_image_without_a_shell(shelled: Engine, tmp_path: Path) -> None:
    made = shelled.docker("create", "--network=none", BUSYBOX, "/bin/busybox", "sleep", "1000").strip()
    shelled.docker("start", made)
    shelled.docker("exec", made, "/bin/busybox", "rm", "/bin/sh")
    with program(shelled, tmp_path, made[:12]) as terminal:
        assert terminal.wait() == 1
        assert b"neither /bin/bash nor /bin/sh is there" in terminal.data
    shelled.docker("rm", "--force", made)


def test_what_cannot_be_entered(shelled: Engine, box: str, tmp_path: Path) -> None:
    env = environment(shelled, tmp_path)
    for words, status, told in (
        (["box"], 2, "a shell needs a terminal"),
        (["box", "--json"], 2, "it has no --json"),
        (["--read-only", "box"], 2, "Read-only: acts are off"),
    ):
        done = run(env, "container", "shell", *words)
        assert (done.returncode, told in done.stderr) == (status, True), done.stderr
    shelled.docker("pause", box)
    with program(shelled, tmp_path, box) as terminal:
        assert terminal.wait() == 1
        assert b"It is paused: unpause it first." in terminal.data
    shelled.docker("unpause", box)
    shelled.docker("kill", box)
    with program(shelled, tmp_path, box) as terminal:
        assert terminal.wait() == 1
        assert b"It does not run." in terminal.data
    with program(shelled, tmp_path, "bix") as terminal:
        assert terminal.wait() == 2
        assert b"there is no container bix. Did you mean box?" in terminal.data


def test_what_cannot_be_recorded_is_not_opened(shelled: Engine, box: str, tmp_path: Path) -> None:
    (tmp_path / ".local").write_text("no folder")
    with program(shelled, tmp_path, box) as terminal:
        assert terminal.wait() == 1
        assert b"Not done, because it cannot be recorded" in terminal.data
