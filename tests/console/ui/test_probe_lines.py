"""What a probe said, as lines: the newest result whole at every width, older ones by their beginning."""

from __future__ import annotations

from datetime import timedelta

import pytest

from console.model.cells import width as cells_of
from console.model.container import Health, Probe, ProbePlan
from console.model.glyphs import Glyphs
from console.text import clean
from console.ui.details import clock, sections
from console.ui.look import Look
from console.ui.palette import DARK
from console.ui.rows import rows
from tests.console.fakes import NOW, container, inspection
from tests.console.ui.worlds import world

LOOK = Look(DARK, Glyphs(True))
LONG = "agent: secret 鍵 agent-host-key is readable by everybody (0644): run make secrets, then docker compose up -d agent"
OTHER = "one\ntwo\nthree\nfour\nfive"


def shown(width: int, *said: tuple[int, str]) -> list[str]:
    """The probe's lines of an unhealthy service whose results, half a minute apart, were these, the newest first."""
    ends = [NOW - timedelta(seconds=30 * number) for number in range(len(said))]
    probes = tuple(Probe(end, end, code, clean(text, lines=True)) for end, (code, text) in zip(ends, said, strict=True))
    details = inspection(probe=ProbePlan(clean("ask"), 30.0, 5.0, 3, 0.0), probes=probes, failing_streak=len(said))
    seen = world([container("mlops-agent-1", service="agent", health=Health.UNHEALTHY, details=details)])
    (row,) = [one for one in rows(seen) if one.name == "agent"]
    (probe,) = [one for one in sections(row, seen, LOOK, width, NOW, values=False) if one.title == "Probe"]
    return ["".join(text for text, _ in line) for line in probe.lines]


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_the_newest_sentence_is_whole_and_fits(width: int) -> None:
    lines = shown(width, (1, LONG), (1, LONG), (1, LONG))
    assert all(cells_of(line) <= width for line in lines)
    told = " ".join(line.strip() for line in lines)
    assert told.startswith(f"{clock(NOW)} E {LONG} (exit 1) the same 2 times since {clock(NOW - timedelta(seconds=60))} ")


def test_every_line_of_the_newest_and_the_first_of_older_ones() -> None:
    lines = [line.strip() for line in shown(80, (1, OTHER), (2, OTHER), (0, "fine"))]
    assert lines == [
        f"{clock(NOW)} E one (exit 1)",
        "two",
        "three",
        "four",
        "five",
        f"{clock(NOW - timedelta(seconds=30))} E one (exit 2)",
        "two",
        "+3 lines",
        f"{clock(NOW - timedelta(seconds=60))}   fine",
        "asks       ask",
    ]


def test_nothing_of_the_terminal_gets_through() -> None:
    assert not set("".join(shown(80, (1, "\x1b]0;x\x07a\x9b2J\u202eb")))) & set("\x1b\x07\x9b\u202e")
