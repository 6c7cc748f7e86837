"""Taking a log away: selecting, copying, saving, the pager."""

from __future__ import annotations

import base64
import os
import stat
from pathlib import Path

import pytest

from console.ui.clipboard import Way, copy
from console.ui.net import PAYLOAD_LIMIT
from tests.console.ui.logapp import TRACEBACK, Sitting, entry, log_of, numbered, with_traceback
from tests.support.waiting import until


async def test_the_line_under_the_cursor_is_copied() -> None:
    async with log_of(*numbered(30)) as (sitting, _):
        await sitting.shows("line 29")
        await sitting.press("k", "y")
        assert sitting.copied == "line 28"
        await sitting.shows("✓ copied 1 line, 7 B", "the terminal has to allow OSC 52; s saves to a file")


async def test_a_traceback_is_copied_whole_while_it_is_folded() -> None:
    async with log_of(*with_traceback()) as (sitting, _):
        await sitting.shows("+3 lines")
        await sitting.press("e", "y")
        assert sitting.copied == "\n".join(TRACEBACK)
        await sitting.shows("copied 4 lines")


async def test_lines_are_selected_by_keys() -> None:
    async with log_of(*numbered(30)) as (sitting, _):
        await sitting.shows("line 29")
        await sitting.press("k", "v", "k", "k", "y")
        assert sitting.copied == "line 26\nline 27\nline 28"
        assert sitting.screen.port.mark is None
        await sitting.press("v", "j", "escape")
        assert sitting.screen.port.mark is None
        assert "paused" in sitting.status or "copied" in sitting.text


async def test_a_selection_takes_only_what_the_filter_shows() -> None:
    lines = [entry(at, "noise" if at % 2 else f"step {at}") for at in range(10)]
    async with log_of(*lines) as (sitting, _):
        await sitting.press("ampersand")
        await sitting.type("-noise")
        await sitting.press("enter")
        await sitting.lacks("noise  ", "12:00:01   noise")
        await sitting.press("v", "k", "k", "y")
        assert sitting.copied == "step 4\nstep 6\nstep 8"


async def test_the_mouse_selects_characters_and_ctrl_c_copies_them() -> None:
    async with log_of(*numbered(30)) as (sitting, _):
        await sitting.shows("line 29")
        body = sitting.screen.body.region_wanted
        pilot = sitting.pilot
        await pilot.mouse_down(offset=(12, body.y + 2))
        await pilot.hover(offset=(15, body.y + 3))
        await pilot.mouse_up(offset=(15, body.y + 3))
        await pilot.pause()
        await sitting.press("ctrl+c")
        assert sitting.copied == "line 12\nline"


async def test_a_click_puts_the_cursor_there_and_a_double_click_unfolds() -> None:
    async with log_of(*with_traceback()) as (sitting, _):
        await sitting.shows("+3 lines")
        row = next(at for at, text in enumerate(sitting.text.split("\n")) if "+3 lines" in text)
        await sitting.pilot.click(offset=(20, row))
        await sitting.pilot.pause()
        assert "RuntimeError" in sitting.cursor
        await sitting.pilot.click(offset=(20, row), times=2)
        await sitting.shows("Traceback (most recent call last):")


async def test_the_wheel_scrolls() -> None:
    async with log_of(*numbered(100)) as (sitting, _):
        await sitting.shows("line 99")
        from textual import events

        def wheel(kind: type[events.MouseScrollUp] | type[events.MouseScrollDown]) -> events.MouseEvent:
            return kind(None, 5, 5, 0, 0, 0, shift=False, meta=False, ctrl=False)

        sitting.app.post_message(wheel(events.MouseScrollUp))
        await sitting.pilot.pause()
        assert sitting.lines[-1].endswith("line 96")
        sitting.app.post_message(wheel(events.MouseScrollDown))
        await sitting.pilot.pause()
        assert "following" in sitting.status


def sent(env: dict[str, str], text: str = "some text\nof two lines") -> tuple[str, int, Way]:
    written: list[str] = []
    size, way = copy(text, written.append, env)
    return "".join(written), size, way


def test_a_plain_terminal_gets_osc_52() -> None:
    written, size, way = sent({})
    assert written == f"\x1b]52;c;{base64.b64encode(b'some text' + bytes([10]) + b'of two lines').decode()}\x07"
    assert (size, way) == (22, Way.TERMINAL)


def test_within_tmux_it_is_wrapped_when_tmux_itself_cannot_be_asked(tmp_path: Path) -> None:
    written, _, way = sent({"TMUX": "/nowhere,1,0", "PATH": str(tmp_path)})
    assert way is Way.TMUX_PASSED
    assert written.startswith("\x1bPtmux;\x1b\x1b]52;c;")
    assert written.endswith("\x07\x1b\\")


def test_screen_gets_it_in_strings_that_are_short_enough() -> None:
    written, _, way = sent({"STY": "1.tty"}, "x" * 3000)
    pieces = written.split("\x1b\\")[:-1]
    assert way is Way.SCREEN
    assert all(piece.startswith("\x1bP") and len(piece) < 256 for piece in pieces)
    inner = "".join(piece.removeprefix("\x1bP") for piece in pieces)
    assert base64.b64decode(inner.removeprefix("\x1b]52;c;").removesuffix("\x07")) == b"x" * 3000


async def test_what_is_too_long_for_a_clipboard_is_cut_and_said() -> None:
    async with log_of(*[entry(at, "x" * 1000) for at in range(100)]) as (sitting, _):
        await sitting.shows("12:01:39")
        await sitting.press("v", "g")
        await until(lambda: sitting.cursor.startswith("12:00:00"), "the first line")
        await sitting.press("y")
        assert len(sitting.copied.encode()) == PAYLOAD_LIMIT
        await sitting.shows("copied the first 75 kB of 100 kB")


async def test_no_control_sequence_of_a_log_gets_into_the_clipboard() -> None:
    async with log_of(entry(0, "\x1b]52;c;ZWNobw==\x07evil\x1b[31m text\u202e")) as (sitting, _):
        await sitting.shows("evil")
        await sitting.press("y")
        assert sitting.copied == "evil text<U+202E>"


def names(folder: Path) -> list[str]:
    return [one.name for one in folder.iterdir()]


async def save(sitting: Sitting, name: str) -> None:
    await sitting.press("s")
    prompt = sitting.screen.prompt
    assert prompt is not None
    prompt.value = ""
    prompt.insert_text_at_cursor(name)
    await sitting.press("enter")


async def test_what_the_filter_shows_is_saved_all_of_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        async with log_of(*numbered(5000)) as (sitting, _):
            await sitting.shows("line 4999")
            await sitting.press("ampersand")
            await sitting.type("[05]$")
            await sitting.press("enter")
            await save(sitting, str(tmp_path / "out.log"))
            await sitting.shows("✓ saved 1,000 lines")
    finally:
        os.umask(before)
    file = tmp_path / "out.log"
    assert file.read_text().splitlines() == [f"line {at}" for at in range(5000) if at % 5 == 0]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert names(tmp_path) == ["out.log"]


async def test_the_offered_name_says_what_and_when(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with log_of(*numbered(3)) as (sitting, _):
        await sitting.shows("line 2")
        await sitting.press("s", "enter")
        await sitting.shows("✓ saved 3 lines, 21 B: train-")
    assert [name[:6] for name in names(tmp_path)] == ["train-"]


async def test_a_file_that_is_there_is_overwritten_only_after_a_yes(tmp_path: Path) -> None:
    file = tmp_path / "out.log"
    file.write_text("precious")
    async with log_of(*numbered(3)) as (sitting, _):
        await sitting.shows("line 2")
        await save(sitting, str(file))
        await sitting.shows("exists", "y overwrite it")
        await sitting.press("n")
        await sitting.shows("not saved")
        assert file.read_text() == "precious"
        await save(sitting, str(file))
        await sitting.shows("y overwrite it")
        await sitting.press("y")
        await sitting.shows("✓ saved 3 lines")
    assert file.read_text() == "line 0\nline 1\nline 2\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


async def test_no_link_is_followed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("precious")
    (tmp_path / "link").symlink_to(target)
    async with log_of(*numbered(3)) as (sitting, _):
        await sitting.shows("line 2")
        await save(sitting, str(tmp_path / "link"))
        await sitting.shows("y overwrite it")
        await sitting.press("y")
        await sitting.shows("✗ not saved")
    assert target.read_text() == "precious"
    assert (tmp_path / "link").is_symlink()


async def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    async with log_of(*numbered(3)) as (sitting, _):
        await sitting.shows("line 2")
        await save(sitting, str(tmp_path / "nowhere" / "out.log"))
        await sitting.shows("✗ not saved", "No such file or directory")


@pytest.mark.parametrize(("pager", "words"), [("nothing-of-this-name", "which is not installed"), ("'", "PAGER is no command")])
async def test_a_pager_that_does_not_exist_is_said(pager: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with log_of(*numbered(3)) as (sitting, _):
        await sitting.shows("line 2")
        monkeypatch.setattr(sitting.app, "_env", {"PAGER": pager, "PATH": os.environ["PATH"]})
        await sitting.press("P")
        await sitting.shows(words)
