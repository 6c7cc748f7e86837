"""`compare`: runs beside each other: what was different, and what came of it."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import click

from console.cli import run_forms
from console.cli.forms import moment
from console.cli.group import Context, command
from console.cli.looking import UNREACHABLE
from console.cli.options import UsageError
from console.cli.output import Cell, Column, Printer, print_json
from console.cli.run_forms import number, plain
from console.cli.runfinding import Asked, Meant, complain, document, look_up, reached, with_runs
from console.feeds.runs_once import Runs
from console.history.compare import Comparison, compare
from console.history.compare import Figures as Ends
from console.history.facts import moment as moment_of
from console.model import run_words
from console.model.history import Point
from console.model.metric import Curve, Figures, Spot
from console.model.times import nanoseconds
from console.model.words import commit_id, duration
from console.text import Clean

_WIDE = 80
"""Cells of a table that goes nowhere in particular."""

_NAME, _VALUE = 20, 14
_NONE = "n/a"


@command("compare")
@click.argument("names", nargs=-1, required=True, metavar="ID ID...")
@click.option("--csv", "as_csv", is_flag=True, help="As CSV: what, name, and a column for each run.")
@click.pass_obj
def compare_runs(context: Context, names: tuple[str, ...], as_csv: bool) -> int:
    """Show runs beside each other: the parameters in which they differ, how long they took, the best and the last value of each
    metric. Runs are called as in `runs`; those of the history count too.

    Exit status: 0, 3 neither Docker nor Jenkins can be reached, and the history does not know them.
    """
    if as_csv and context.json:
        raise UsageError("--csv and --json are two ways to say the same: take one.")
    if len(names) < 2:
        raise UsageError("name at least two runs: mlops-console compare train#127 train#128")

    async def job(asked: Asked) -> tuple[Runs, list[Meant]]:
        try:
            return asked.found, [await look_up(asked.found, asked.past, name) for name in names]
        except UsageError:
            if reached(asked.found):
                raise
            return asked.found, []

    found, meant = with_runs(context, job)
    keys = [one.run.key for one in meant]
    if len(set(keys)) < len(keys):
        twice = next(key for key in keys if keys.count(key) > 1)
        raise UsageError(f"{twice} is named twice: it is compared with others.")
    compared = compare([(one.told, _curves(one.figures)) for one in meant])
    compared = replace(compared, seconds=tuple(_took(one, found.taken_at) for one in meant))
    if context.json:
        items = [run_forms.run(one.run, one.figures, recalled=one.recalled) for one in meant]
        print_json(document(context, "compare", found, items, **_told(compared)))
    elif as_csv and meant:
        _write_csv(compared)
    elif meant:
        _print(context.printer(), meant, compared)
    if not context.json or not meant:
        complain(context, found)
    return 0 if meant else UNREACHABLE


def _curves(known: Figures | None) -> Mapping[Clean, Sequence[Point]]:
    return {one.name: tuple(_points(one)) for one in known.curves} if known is not None else {}


def _points(curve: Curve) -> Iterator[Point]:
    """With the newest value, which may be no number, and the best one: of a long curve not every value is there."""
    ends = [one for one in (curve.last, curve.best) if one is not None and one not in curve.spots]
    for spot in (*curve.spots, *ends):
        yield _point(spot)


def _point(spot: Spot) -> Point:
    return Point(nanoseconds(spot.time), spot.value, spot.step, spot.epoch)


def _told(compared: Comparison) -> dict[str, Any]:
    return {
        "parameters": {name: list(values) for name, values in compared.parameters.items()},
        "commits": [one.commit for one in compared.runs],
        "seconds": list(compared.seconds),
        "metrics": {name: [_ends(one) for one in several] for name, several in compared.metrics.items()},
    }


def _ends(one: Ends) -> dict[str, Any]:
    return {"best": _end(one.best), "low": _end(one.low), "high": _end(one.high), "final": _end(one.final)}


def _end(point: Point | None) -> dict[str, Any] | None:
    if point is None:
        return None
    return {
        "value": number(point.value),
        "step": point.step,
        "epoch": point.epoch,
        "time": moment(moment_of(point.time)),
    }


def _write_csv(compared: Comparison) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("what", "name", *(plain(one.key) for one in compared.runs)))
    for name, values in compared.parameters.items():
        writer.writerow(("parameter", plain(name), *("" if value is None else plain(value) for value in values)))
    if len({one.commit for one in compared.runs}) > 1:
        writer.writerow(("commit", "", *(one.commit or "" for one in compared.runs)))
    writer.writerow(("seconds", "", *("" if value is None else value for value in compared.seconds)))
    for name, several in compared.metrics.items():
        for what in ("best", "final"):
            points = [getattr(one, what) for one in several]
            if any(point is not None for point in points):
                told = ("" if point is None else number(point.value) for point in points)
                writer.writerow((what, plain(name), *told))


def _print(printer: Printer, meant: Sequence[Meant], compared: Comparison) -> None:
    """As many runs side by side as there is room for, the others below."""
    most = max(1, ((printer.columns or _WIDE) - _NAME - 2) // (_VALUE + 2))
    for begin in range(0, len(meant), most):
        if begin:
            printer.line()
        some = range(begin, min(len(meant), begin + most))
        columns = [Column("", least=8, middle=True), *(Column("", least=6) for _ in some)]
        printer.table(columns, list(_rows(meant, compared, some)))
    if not compared.metrics:
        printer.line("None of them has measured anything.")


def _rows(meant: Sequence[Meant], compared: Comparison, some: Sequence[int]) -> Iterator[list[Cell]]:
    yield [Cell("RUN"), *(Cell(meant[at].run.shown) for at in some)]
    states = [run_words.shown_state(meant[at].run, meant[at].figures) for at in some]
    yield [Cell("state"), *(Cell(state.word, state) for state in states)]
    yield [Cell("took"), *(Cell(_duration(compared.seconds[at])) for at in some)]
    if len({one.commit for one in compared.runs}) > 1:
        yield [Cell("commit"), *(Cell(commit_id(compared.runs[at].commit, wide=True) or _NONE) for at in some)]
    for name, values in compared.parameters.items():
        yield [Cell(name), *(Cell(_NONE if (value := values[at]) is None else value) for at in some)]
    for name, several in compared.metrics.items():
        if any(one.best is not None for one in several):
            best = _values([one.best for one in several], where=True)
            yield [Cell(f"{name} best"), *(Cell(best[at]) for at in some)]
        last = _values([one.final for one in several])
        yield [Cell(f"{name} last"), *(Cell(last[at]) for at in some)]


def _took(one: Meant, now: datetime) -> float | None:
    """So far, of one that goes on."""
    begun = one.told.started
    return max(0.0, (now - begun).total_seconds()) if begun is not None and not one.run.ended else one.told.seconds


def _duration(seconds: float | None) -> str:
    return _NONE if seconds is None else duration(seconds)


def _values(points: Sequence[Point | None], *, where: bool = False) -> list[str]:
    """`0.914 @15`: the epoch, or the step where no epoch is told."""
    told = iter(run_words.figures_apart([one.value for one in points if one is not None]))
    return [_NONE if one is None else next(told) + (_where(one) if where else "") for one in points]


def _where(point: Point) -> str:
    at = point.epoch if point.epoch is not None else point.step
    return f" @{at:g}" if at is not None else ""
