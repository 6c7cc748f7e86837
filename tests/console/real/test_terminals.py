"""Every terminal: what TERM says decides colours, characters and what is asked; multiplexers show all of it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pyte
import pytest

from tests.console.real.program import environment, run, screen_command
from tests.support.controls import unknown_to_old_terminals
from tests.support.terminal import Pty, Tmux

TRUE, MANY, SIXTEEN, NONE = "24 bits", "256", "16", "none"

# TERM, COLORTERM -> colours, Unicode, whether it may be asked what only terminals of today understand.
TERMINALS = [
    ("xterm-256color", "truecolor", TRUE, True, True),
    ("xterm-256color", "", MANY, True, True),
    ("xterm", "", SIXTEEN, True, True),
    ("tmux-256color", "truecolor", TRUE, True, True),
    ("tmux-256color", "", MANY, True, True),
    ("screen", "truecolor", SIXTEEN, True, True),
    ("screen-256color", "truecolor", MANY, True, True),
    ("linux", "truecolor", SIXTEEN, False, False),
    ("vt100", "truecolor", NONE, False, False),
    ("vt220", "", NONE, False, False),
    ("ansi", "", SIXTEEN, True, False),
    ("never-heard-of", "", SIXTEEN, True, False),
    ("never-heard-of-256color", "", MANY, True, False),
]
_SGR = re.compile(rb"\x1b\[([0-9;]*)m")
_NARROW = {"✓", "✗", "▸"}


def colors_in(data: bytes) -> str:
    """The richest colours that were asked for."""
    codes = [f";{found[1].decode()};" for found in _SGR.finditer(data)]
    if any(";38;2;" in code or ";48;2;" in code for code in codes):
        return TRUE
    if any(";38;5;" in code or ";48;5;" in code for code in codes):
        return MANY
    numbers = {int(number) for code in codes for number in code.strip(";").split(";") if number}
    return SIXTEEN if any(30 <= number <= 37 or 90 <= number <= 97 for number in numbers) else NONE


def _attributes(styled: str) -> set[int]:
    """The numbers of all attributes but colours."""
    found: set[int] = set()
    for codes in _SGR.findall(styled.encode()):
        plain = re.sub(rb"[34]8[;:](?:5[;:][0-9]+|2(?:[;:][0-9]*){3,4})", b"", codes)
        found |= {int(number) for number in re.split(rb"[;:]", plain) if number}
    return found


def picture(data: bytes, columns: int, rows: int) -> list[str]:
    """What a terminal shows after these bytes."""
    screen = pyte.Screen(columns, rows)
    pyte.ByteStream(screen).feed(data)
    return list(screen.display)


@pytest.mark.parametrize(("term", "colorterm", "colors", "unicode", "asks"), TERMINALS)
def test_each_terminal_gets_what_it_can_show(
    tmp_path: Path, term: str, colorterm: str, colors: str, unicode: bool, asks: bool
) -> None:
    env = environment(None, tmp_path, TERM=term, COLORTERM=colorterm)
    with Pty(screen_command("--demo"), 80, 24, env, answers=True) as terminal:
        terminal.wait_for(lambda data: any("portainer" in row for row in picture(data, 80, 24)))
        terminal.write(b"?")
        terminal.wait_for(b"keys that work here")
        terminal.write(b"?")
        whole = terminal.wait_for(lambda data: data.rfind(b"quit") > data.rfind(b"keys that work here"))
        terminal.write(b"Q")
        assert terminal.wait() == 0
        data = terminal.data
    assert colors_in(data) == colors
    assert bool(_NARROW & set(data.decode())) == unicode
    assert data.isascii() != unicode
    assert (b"\x1b[>25u" in data) == asks
    if not asks:
        assert unknown_to_old_terminals(data) == []
        assert picture(data.replace(b"\x1b[?1049l", b""), 80, 24)[0].strip() == "", "without a second screen the first is wiped"
    rows = picture(whole, 80, 24)
    assert any(row.startswith(" DEMO ") for row in rows)
    assert "quit" in rows[-1]


def test_the_strict_parser_sees_what_old_terminals_would_show() -> None:
    assert unknown_to_old_terminals(b"\x1b[?25l\x1b[1;31ma\x1b[6n\x1b[2J\x1b[K\x1b(B") == []
    found = unknown_to_old_terminals(b"\x1b[>25u\x1b[<u\x1b[?2026$p\x1b]22;x\x07")
    assert [one[:3] for one in found] == [b"\x1b[>", b"\x1b[<", b"\x1b[?", b"\x1b]2"]


@pytest.mark.parametrize("term", ["xterm-256color", "tmux-256color", "screen", "linux", "vt100", "never-heard-of"])
def test_within_tmux_every_screen_is_whole(tmux: None, tmp_path: Path, term: str) -> None:
    with Tmux(screen_command("--demo"), 80, 24, environment(None, tmp_path, TERM=term)) as terminal:
        screen = terminal.wait_for(lambda text: "portainer" in text and "q quit" in text)
        assert screen.startswith(" DEMO   an invented server")
        assert "[>" not in screen
        assert "$p" not in screen
        terminal.keys("6")
        terminal.wait_for(lambda text: "1 Builds" in text)
        terminal.keys("q")
        terminal.wait_for("1 Runs")
        terminal.keys("Q")
        assert terminal.wait() == 0


@pytest.mark.skipif(shutil.which("screen") is None, reason="screen is not installed")
@pytest.mark.parametrize("term", ["screen", "screen-256color"])
def test_within_gnu_screen(tmux: None, tmp_path: Path, term: str) -> None:
    folder = tmp_path / "screens"
    folder.mkdir(mode=0o700)
    (tmp_path / ".screenrc").write_text(f"startup_message off\nterm {term}\ndefutf8 on\n")
    env = environment(None, tmp_path, SCREENDIR=str(folder), COLORTERM="truecolor", TERM="tmux-256color")
    command = ["screen", "-U", "-c", str(tmp_path / ".screenrc"), *screen_command("--demo")]
    with Tmux(command, 80, 24, env) as terminal:
        screen = terminal.wait_for(lambda text: "portainer" in text and "q quit" in text)
        assert screen.startswith(" DEMO   an invented server")
        assert "✗ portainer unhealthy" in screen
        # What screen does not understand of colours it makes dim or blinking text of.
        assert not {2, 5} & _attributes(terminal.styled())
        terminal.keys("?")
        terminal.wait_for("keys that work here")
        # screen keeps an escape until the next key comes, with its usual settings (maptimeout).
        terminal.keys("q")
        terminal.wait_for("1 Runs")
        terminal.resize(100, 30)
        terminal.wait_for(lambda text: "q quit" in text.split("\n")[29])
        terminal.keys("Q")
        terminal.wait()


@pytest.mark.parametrize("term", ["dumb", "unknown"])
def test_a_terminal_that_shows_lines_only_is_refused(tmp_path: Path, term: str) -> None:
    with Pty(screen_command("--demo"), 80, 24, environment(None, tmp_path, TERM=term)) as terminal:
        assert terminal.wait() == 2
        assert b"cannot show the screen. Try: mlops-console status --watch" in terminal.data
        assert b"\x1b" not in terminal.data
    done = run(environment(None, tmp_path, TERM=term), "status", "--demo")
    assert done.returncode == 1
    assert "\x1b" not in done.stdout


def test_a_terminal_without_a_name_is_told_to_get_one(tmp_path: Path) -> None:
    with Pty(screen_command("--demo"), 80, 24, environment(None, tmp_path, TERM="")) as terminal:
        assert terminal.wait() == 2
        assert b"TERM is empty" in terminal.data
        assert b"\x1b" not in terminal.data


def test_exported_columns_and_lines_do_not_hold_the_size(tmp_path: Path) -> None:
    env = environment(None, tmp_path, COLUMNS="200", LINES="60")
    with Pty(screen_command("--demo"), 80, 24, env) as terminal:
        terminal.wait_for(b"portainer")
        assert b"\x1b[60;" not in terminal.data
        terminal.resize(60, 18)
        terminal.wait_for(lambda data: "quit" in picture(data, 60, 18)[17])
        terminal.write(b"Q")
        assert terminal.wait() == 0


def test_the_screen_does_not_go_where_errors_were_led(tmp_path: Path) -> None:
    command = ["sh", "-c", f"exec {' '.join(screen_command('--demo'))} 2>{tmp_path}/errors"]
    with Pty(command, 80, 24, environment(None, tmp_path)) as terminal:
        terminal.wait_for(b"portainer")
        terminal.write(b"Q")
        assert terminal.wait() == 0
    assert (tmp_path / "errors").read_bytes() == b""
