"""A defect in the real program, in a real pty: what stays on the terminal, and what is written down."""

from __future__ import annotations

import os
import re
import stat
import termios
from pathlib import Path

import pytest

from tests.console.real.program import environment, run, screen_command
from tests.support.terminal import Pty

TOKEN = "tok-5f2c9e71d0"
SETTING = "setting-91ab77"
VARIABLE = "variable-3c55e0"
LOGGED = "logged-77d1f2"
ARGUMENT = "argument-0e4b19"
PLANTED = (TOKEN, SETTING, VARIABLE, LOGGED, ARGUMENT)

# Where the program is broken, and what is pressed so that it notices.
HANDLER = """
import console.ui.screens.base as base
def action_help(self):
    line, token = LOGGED, TOKEN
    raise ValueError(f"cannot show {line} for {token} and {ARGUMENT}")
base.ConsoleScreen.action_help = action_help
"""
BACK_ROOM = """
import console.feeds.docker_feed as feed
async def run(self):
    line = LOGGED
    raise KeyError(line, TOKEN, ARGUMENT)
feed.DockerFeed.run = run
"""
MOVE = """
import console.ui.screens.main as main
before = main.MainScreen.action_move
def action_move(self, by):
    if by:
        words = [LOGGED, TOKEN]
        words[len(words)]
    before(self, by)
main.MainScreen.action_move = action_move
"""
THREAD = """
import threading
import console.ui.screens.base as base
def search(line):
    raise RuntimeError(line, TOKEN, ARGUMENT)
def action_help(self):
    threading.Thread(target=search, args=(LOGGED,)).start()
base.ConsoleScreen.action_help = action_help
"""
WORKER = """
import console.ui.screens.base as base
async def work():
    token = TOKEN
    raise LookupError(f"{LOGGED} {ARGUMENT}")
def action_help(self):
    self.run_worker(work())
base.ConsoleScreen.action_help = action_help
"""
TIMER = """
import console.ui.screens.base as base
def ring():
    raise AttributeError(f"{LOGGED} {ARGUMENT}")
def action_help(self):
    self.set_timer(0.01, ring)
base.ConsoleScreen.action_help = action_help
"""
INPUT = """
import console.ui.driver as driver
def process_message(self, message):
    raise ValueError(f"{LOGGED} {ARGUMENT} {TOKEN}")
driver.MeteredDriver.process_message = process_message
"""
BREAKS = {
    "handler": (HANDLER, "?"),
    "back room": (BACK_ROOM, ""),
    "move": (MOVE, "jjj"),
    "thread": (THREAD, "?"),
    "worker": (WORKER, "?"),
    "timer": (TIMER, "?"),
    "input": (INPUT, "?"),
}


def broken(home: Path, code: str) -> dict[str, str]:
    """The environment of a program that is broken by `code`, with something to keep for itself in every place."""
    (home / "breaks").mkdir()
    # What is planted comes from a file: lines of the program's text may stand in a report.
    (home / "breaks" / "planted.py").write_text(f"TOKEN, LOGGED, ARGUMENT = {TOKEN!r}, {LOGGED!r}, {ARGUMENT!r}\n")
    # sitecustomize runs before anything of ours, and whatever it imports is loaded in its broken shape.
    (home / "breaks" / "sitecustomize.py").write_text(f"from planted import ARGUMENT, LOGGED, TOKEN\n{code}")
    config = home / ".config" / "mlops-console" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(f'[jenkins]\nurl = "http://127.0.0.1:9/{SETTING}"\n')
    env = environment(None, home, MLOPS_JENKINS_USER="operator", MLOPS_JENKINS_TOKEN=TOKEN, PLANTED=VARIABLE)
    env["PYTHONPATH"] = f"{home / 'breaks'}:{env['PYTHONPATH']}"
    return env


def reports(home: Path) -> list[Path]:
    return sorted((home / ".local" / "state" / "mlops-console").glob("crash-*.txt"))


def modes(terminal: Pty) -> list[object]:
    found: list[object] = list(termios.tcgetattr(terminal.master))
    return found


def left_as_it_was(data: bytes) -> None:
    """Every mode that was set in the byte stream has been unset after it."""
    on = {number: at.start() for at in re.finditer(rb"\x1b\[\?([0-9]+)h", data) for number in [at[1]]}
    off = {number: at.start() for at in re.finditer(rb"\x1b\[\?([0-9]+)l", data) for number in [at[1]]}
    # 25 is the cursor and 7 the wrapping of lines: those are on to begin with.
    begins_on = {b"25", b"7"}
    for number in on.keys() - begins_on:
        assert off.get(number, -1) > on[number], f"mode {number!r} is still on"
    for number in off.keys() & begins_on:
        assert on.get(number, -1) > off[number], f"mode {number!r} is still off"
    assert data.count(b"\x1b[>") == data.count(b"\x1b[<"), "the keyboard is another one"


@pytest.mark.parametrize("name", BREAKS)
def test_a_defect_leaves_a_clean_terminal_and_a_report_without_secrets(tmp_path: Path, name: str) -> None:
    code, keys = BREAKS[name]
    with Pty(screen_command("--demo"), 100, 30, broken(tmp_path, code)) as terminal:
        before = modes(terminal)
        if keys:
            terminal.wait_for(b"portainer")
            terminal.write(keys.encode())
        assert terminal.wait() == 70
        assert modes(terminal) == before
        data = terminal.data
    left_as_it_was(data)
    said = data.rpartition(b"\x1b[")[2].decode()
    assert "mlops-console: a defect ended the console: " in said
    assert "Traceback" not in data.decode()
    assert len(said.strip().splitlines()) <= 3, said
    (file,) = reports(tmp_path)
    assert file.name in said.replace("\r\n", "").replace(" ", "")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    text = file.read_text()
    for planted in PLANTED:
        assert planted not in text
        assert planted.encode() not in data
    assert "Python 3." in text
    assert "Textual 8." in text
    assert "TERM tmux-256color, " in text
    assert "sitecustomize.py" in text, "where it happened is told"
    if keys == "?":
        assert "help" in text or name == "input"
    if name == "move":
        assert "IndexError: list index out of range" in text, "the interpreter's own words stay"
        assert "move" in text


def test_a_defect_in_a_command_is_a_report_too(tmp_path: Path) -> None:
    code = 'import console.cli.output as o\ndef line(*_): raise ValueError(f"{LOGGED} {TOKEN}")\no.Printer.fitting = line\n'
    done = run(broken(tmp_path, code), "status", "--demo")
    assert done.returncode == 70
    assert done.stderr.startswith("mlops-console: a defect ended the console: ValueError in ")
    (file,) = reports(tmp_path)
    for planted in PLANTED:
        assert planted not in done.stdout + done.stderr + file.read_text()


def test_ten_reports_are_kept(tmp_path: Path) -> None:
    code = "import console.cli.output as o\ndef line(*_): raise ValueError()\no.Printer.fitting = line\n"
    env = broken(tmp_path, code)
    folder = tmp_path / ".local" / "state" / "mlops-console"
    folder.mkdir(parents=True)
    for number in range(12):
        (folder / f"crash-20200101T0000{number:02}.000000Z.txt").write_text("old")
    (folder / "audit.jsonl").write_text("")
    run(env, "status", "--demo")
    assert len(reports(tmp_path)) == 10
    assert "ValueError" in reports(tmp_path)[-1].read_text()
    assert (folder / "audit.jsonl").exists()


def test_where_nothing_can_be_written_that_is_said(tmp_path: Path) -> None:
    code = "import console.cli.output as o\ndef line(*_): raise ValueError(TOKEN)\no.Printer.fitting = line\n"
    env = broken(tmp_path, code) | {"XDG_STATE_HOME": os.devnull}
    done = run(env, "status", "--demo")
    assert done.returncode == 70
    assert done.stderr.splitlines()[1:] == ["a report cannot be written: Not a directory."]
