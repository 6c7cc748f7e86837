"""The first line of every screen: what gives way when there is no room."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from console.model.glyphs import Glyphs
from console.model.source import SourceState, SourceStatus
from console.model.state import StateClass, state
from console.text import clean
from console.ui import frame
from console.ui.look import Look
from console.ui.palette import choose
from tests.console.fakes import NOW

LOOK = Look(choose("dark", {"TERM": "xterm-256color", "COLORTERM": "truecolor"}, color=True), Glyphs(unicode=True))
GOOD = SourceStatus(SourceState.OK)
BAD = SourceStatus(SourceState.UNREACHABLE, clean("gone"))


def told(sources: Mapping[str, SourceStatus]) -> list[frame.System]:
    return [frame.System(name, frame.state_of(one), unknown=one.word == "unknown") for name, one in sources.items()]


def first_line(width: int, name: str, number: int = 633, *, docker: SourceStatus = GOOD, jenkins: SourceStatus = GOOD) -> str:
    crumbs = [
        LOOK.part(name),
        LOOK.part(f" #{number}   "),
        *LOOK.state(state(StateClass.ACTIVE, "running"), 9),
        LOOK.part("  2m of 10m"),
    ]
    head = frame.Header("train-01", crumbs, told({"docker": docker, "jenkins": jenkins}), NOW)
    return "".join(text for text, _ in frame.header(head, LOOK, width))


def test_with_room_everything_is_there() -> None:
    told = first_line(100, "train", 128)
    assert " train-01 › train #128   ▸ running  2m of 10m  ✓ docker  ✓ jenkins" in told


@pytest.mark.parametrize("width", [40, 50, 60, 80])
def test_a_long_name_gives_way_to_its_number_and_its_state(width: int) -> None:
    told = first_line(width, "research/speech/ner-models-69/feature/a-long-branch")
    assert "#633   ▸ running" in told
    assert "⋯" in told
    assert len(told) <= width


def test_what_is_broken_stays() -> None:
    told = first_line(80, "research/speech/ner-models-69/feature/a-long-branch", docker=BAD, jenkins=BAD)
    assert "✗ docker unreachable" in told
    assert "✗ jenkins unreachable" in told
    assert "#633   ▸ running" in told


def systems(width: int, **sources: SourceStatus) -> str:
    head = frame.Header("train-01", [LOOK.part("train #1")], told(sources), NOW)
    return "".join(text for text, _ in frame.header(head, LOOK, width))


STALE = SourceStatus(SourceState.STALE)
UNKNOWN = SourceStatus(SourceState.STALE, clean("not known while Docker does not answer"), word=clean("unknown"))


def test_where_many_are_bad_the_broken_are_told_and_the_rest_counted() -> None:
    told = systems(80, docker=BAD, compose=STALE, jenkins=BAD)
    assert " train-01 › train #1  ✗ docker unreachable  ✗ jenkins unreachable  +1  " in told
    assert len(told) <= 80
    assert "+2" in systems(44, docker=BAD, compose=STALE, jenkins=BAD)


def test_what_nobody_can_know_is_no_trouble_of_its_own() -> None:
    assert "tunnel" not in systems(120, docker=BAD, tunnel=UNKNOWN)


@pytest.mark.parametrize("others", [{}, {"jenkins": BAD}])
@pytest.mark.parametrize("width", range(24, 101))
def test_no_item_is_cut(width: int, others: Mapping[str, SourceStatus]) -> None:
    crumbs = [
        LOOK.part("project-a"), LOOK.part(" #128   "), *LOOK.state(state(StateClass.ACTIVE, "training"), 10), LOOK.part("  48%")
    ]  # fmt: skip
    disk = frame.System("disk", state(StateClass.ATTENTION, "91%"))
    head = frame.Header("train-01", crumbs, [*told({"tunnel": BAD, **others}), disk], NOW)
    parts = [text for text, _ in frame.header(head, LOOK, width)]
    line = "".join(parts)
    assert len(line) <= width
    for item in ("tunnel unreachable", "jenkins unreachable", "disk 91%"):
        name = item.split()[0]
        assert name not in line or item in line or (name == "tunnel" and "disk" not in line)
    assert "disk 91%" in line or "+" in line, "what is not told is counted"
    assert "project-a #128" in line
