"""How far a file has come: seen on a terminal, gone in the end, and nowhere else."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pyte
import pytest

from console.cli import meter
from console.cli.meter import Meter


class Stderr(io.StringIO):
    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


@pytest.fixture
def stderr(monkeypatch: pytest.MonkeyPatch) -> Stderr:
    monkeypatch.setattr(meter, "EVERY", 0.0)
    monkeypatch.setenv("COLUMNS", "40")
    made = Stderr(terminal=True)
    monkeypatch.setattr(meter, "sys", SimpleNamespace(stderr=made))
    return made


def screen(stderr: Stderr) -> list[str]:
    shown = pyte.Screen(40, 3)
    pyte.Stream(shown).feed(stderr.getvalue())
    return [line.rstrip() for line in shown.display]


def test_it_is_one_line_that_goes_away(stderr: Stderr) -> None:
    shown = Meter("out/model.bin")
    shown(1_000_000, 4_000_000)
    assert screen(stderr) == ["out/model.bin  1.0 MB of 4.0 MB, 25 %", "", ""]
    shown(9, None)
    assert screen(stderr) == ["out/model.bin  9 B", "", ""]
    shown.clear()
    assert screen(stderr) == ["", "", ""]


def test_a_long_name_does_not_make_it_two(stderr: Stderr) -> None:
    shown = Meter("学習済みモデル" * 10)
    shown(1, 2)
    assert screen(stderr)[1:] == ["", ""]
    shown.clear()
    assert screen(stderr) == ["", "", ""]


def test_an_empty_file_has_no_percentage(stderr: Stderr) -> None:
    Meter("a")(0, 0)
    assert screen(stderr)[0] == "a  0 B"


@pytest.mark.parametrize(("terminal", "wanted"), [(False, True), (True, False)])
def test_elsewhere_it_is_silent(monkeypatch: pytest.MonkeyPatch, *, terminal: bool, wanted: bool) -> None:
    monkeypatch.setattr(meter, "EVERY", 0.0)
    made = Stderr(terminal=terminal)
    monkeypatch.setattr(meter, "sys", SimpleNamespace(stderr=made))
    shown = Meter("a", wanted=wanted)
    shown(1, 2)
    shown.clear()
    assert made.getvalue() == ""


def test_what_is_quick_is_not_shown(stderr: Stderr, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meter, "EVERY", 60.0)
    shown = Meter("a")
    shown(1, 2)
    shown.clear()
    assert stderr.getvalue() == ""
