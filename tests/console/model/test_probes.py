"""What probes said, put together for people."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from console.model.container import Health, Inspection, Probe, ProbePlan
from console.model.probes import results, rhythm
from console.text import clean
from tests.console.fakes import NOW, container, inspection

PLAN = ProbePlan(clean("true"), 30.0, 5.0, 3, 0.0)


def probed(*said: tuple[int, str], streak: int = 0, plan: ProbePlan | None = PLAN) -> Inspection:
    """Results half a minute apart, the newest last as Docker lists them."""
    found = []
    for number, (code, output) in enumerate(said):
        at = NOW - timedelta(seconds=30 * (len(said) - number))
        found.append(Probe(at, at + timedelta(seconds=1), code, clean(output, lines=True)))
    return inspection(probe=plan, probes=tuple(found), failing_streak=streak)


@pytest.mark.parametrize(
    ("details", "health", "told"),
    [
        (probed((1, "x"), (1, "x"), streak=24), Health.UNHEALTHY, "every 30s, limit 5s, the last 24 failed"),
        (probed((1, "x"), (0, "x")), Health.HEALTHY, "every 30s, limit 5s, the last one passed"),
        (
            probed((0, "x"), (1, "x"), (1, "y")),
            Health.STARTING,
            "every 30s, limit 5s, the last 2 failed, which does not count while it starts",
        ),
        (probed((1, "x")), Health.HEALTHY, "every 30s, limit 5s, the last 1 failed"),
        (probed(), Health.STARTING, "every 30s, limit 5s"),
        (probed((0, "x"), plan=None), Health.HEALTHY, "the last one passed"),
        (probed((0, "x"), plan=replace(PLAN, interval=0.0, timeout=0.0)), Health.HEALTHY, "the last one passed"),
    ],
)
def test_how_often_it_asks_and_how_often_in_a_row_it_failed(details: Inspection, health: Health, told: str) -> None:
    assert rhythm(container("web", health=health, details=details)) == told


def test_equal_results_in_a_row_are_told_once_newest_first() -> None:
    newest, bad, oldest = results(probed((0, "fine"), (1, "a"), (1, "a"), (1, "a"), (0, "fine")))
    assert [(one.times, one.good, list(one.lines)) for one in (newest, bad, oldest)] == [
        (1, True, ["fine"]),
        (3, False, ["a"]),
        (1, True, ["fine"]),
    ]
    assert bad.newest.end - bad.first == timedelta(seconds=60)


@pytest.mark.parametrize(
    ("code", "output", "outcome", "lines"),
    [
        (0, "", "", ["ok"]),
        (1, "", "exit 1", ["no output"]),
        (2, "one  \n\n  two\n", "exit 2", ["one", "", "  two"]),
        (-1, "", "timed out", ["no output"]),
        # Docker says so itself, with what had been printed until then behind it.
        (-1, "Health check exceeded timeout (5s): half", "", ["Health check exceeded timeout (5s): half"]),
    ],
)
def test_the_outcome_and_what_was_printed(code: int, output: str, outcome: str, lines: list[str]) -> None:
    (one,) = results(probed((code, output)))
    assert (one.outcome, list(one.lines)) == (outcome, lines)
