"""What goes to the terminal when a run that is followed has ended: nothing that could be anything else than a notice."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.sources.terminal import tmux_passes
from console.ui.ringing import BELL, MOST, ring, sequence
from tests.support.terminal import Tmux

PLAIN: Mapping[str, str] = {"PATH": "/usr/bin:/bin"}
NEWS = "project-a #128 published: best val_acc 0.949"


def written(way: str, env: Mapping[str, str], words: str = NEWS) -> str:
    pieces: list[str] = []
    ring(way, [words], pieces.append, env)
    return "".join(pieces)


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        ("off", ""),
        ("bell", "\x07"),
        ("osc9", f"\x1b]9;mlops-console: {NEWS}\x07"),
        ("osc777", f"\x1b]777;notify;mlops-console;{NEWS}\x07"),
    ],
)
def test_each_way(way: str, expected: str) -> None:
    assert written(way, PLAIN) == expected


@given(st.text() | st.text("\x1b\x07\x9c\x9d;\\]P9\u202e\r\n\x00ab"))
def test_no_text_ends_its_sequence_or_begins_another(words: str) -> None:
    for way, head in (("osc9", "\x1b]9;mlops-console: "), ("osc777", "\x1b]777;notify;mlops-console;")):
        told = sequence(way, words)
        body = told.removeprefix(head).removesuffix("\x07")
        assert told == f"{head}{body}\x07"
        assert all(char.isprintable() for char in body)
        assert len(body) <= MOST
        assert way == "osc9" or ";" not in body


def test_screen_is_told_to_pass_it_on() -> None:
    told = written("osc9", {**PLAIN, "STY": "1.pts"})
    assert re.fullmatch(r"(?:\x1bP[^\x1b]*\x1b\\|\x1bP\x1b[^\x1b]*\x1b\\)+", told)
    assert "".join(piece.removeprefix("\x1bP") for piece in told.split("\x1b\\")) == sequence("osc9", NEWS)


@pytest.fixture
def inside(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a program within tmux."""
    with Tmux(["sh", "-c", f"env >{tmp_path}/env; echo ready; read x"], 80, 24) as terminal:
        terminal.wait_for("ready")
        lines = (tmp_path / "env").read_text().splitlines()
        yield dict(line.split("=", 1) for line in lines if "=" in line)


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
def test_tmux_lets_through_what_somebody_has_allowed(inside: dict[str, str]) -> None:
    assert not tmux_passes(inside)
    assert written("osc9", inside) == BELL, "tmux shows a bell of its own"
    subprocess.run(["tmux", "set-option", "-g", "allow-passthrough", "on"], env=inside, check=True, capture_output=True)
    assert tmux_passes(inside)
    inner = sequence("osc9", NEWS).replace("\x1b", "\x1b\x1b")
    assert written("osc9", inside) == f"\x1bPtmux;{inner}\x1b\\"
    assert written("bell", inside) == BELL


def test_a_tmux_that_does_not_answer_lets_nothing_through(tmp_path: Path) -> None:
    gone = {**PLAIN, "TMUX": f"{tmp_path}/gone,1,0", "TMUX_PANE": "%0"}
    assert not tmux_passes(gone)
    assert not tmux_passes({**gone, "PATH": str(tmp_path)})
    assert not tmux_passes(PLAIN)
    assert written("osc777", gone) == BELL
