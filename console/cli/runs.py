"""`runs`, `run ID` and `metrics ID`: trainings with everything that belongs to them, and what they measure."""

from __future__ import annotations

import asyncio
import csv
import difflib
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import click

from console.cli import forms, run_forms
from console.cli.group import Context, command
from console.cli.looking import UNREACHABLE
from console.cli.options import UsageError
from console.cli.output import Cell, Column, Printer, print_json
from console.feeds.runs_once import BUILDS, Runs, read_runs, read_why
from console.model import run_words
from console.model.build import Parameter
from console.model.gpu_use import Holder
from console.model.metric import Curve, Figures
from console.model.run import Run
from console.model.source import SourceState, SourceStatus
from console.model.why import Evidence, Why
from console.model.words import decimal
from console.text import Clean, clean

_COLUMNS = (
    Column("RUN", least=14, middle=True),
    Column("STATE"),
    Column("PROGRESS", least=10, drop=1),
    Column("LOSS", drop=3),
    Column("BEST", drop=4),
    Column("WHEN"),
    Column("GPU", drop=2),
)
_METRICS = (
    Column("METRIC", least=12, middle=True),
    Column("LAST"),
    Column("BEST"),
    Column("AT", drop=1),
    Column("VALUES", drop=2),
)
_SHOWN = 60
_MOST = 5


@command("runs")
@click.option("--project", metavar="P", help="Only runs of this project.")
@click.option("--count", "-n", metavar="N", default=str(BUILDS), help=f"How many builds are looked at (default {BUILDS}).")
@click.pass_obj
def runs(context: Context, project: str | None, count: str) -> int:
    """List the trainings: those that go on, how far they are and whether they learn, then those that ended, newest first.

    Exit status: 0 none of those that go on wants a look, 1 one does, 3 neither Docker nor Jenkins can be reached.
    """
    found = _read(context, _count(count))
    shown = [one for one in found.found if project is None or one.project == project]
    bad = any(run_words.shown_state(one, found.figures.get(one.key)).bad for one in shown if not one.ended)
    if context.json:
        print_json(_document(context, "runs", found, [run_forms.run(one, found.figures.get(one.key)) for one in shown]))
    else:
        _complain(context, found)
        printer = context.printer()
        printer.table(_COLUMNS, [_row(one, found.figures.get(one.key), found.taken_at) for one in shown])
        if not shown and _reached(found):
            printer.line(_nothing(found, project))
    return _status(found, bad=bad)


@command("run")
@click.argument("name", metavar="ID")
@click.pass_obj
def run(context: Context, name: str) -> int:
    """Show one run: `train#128` or 128, `local#3`, or a project, which means its newest. If it ended badly, why.

    Exit status: 0 it goes on or went well, 1 it wants a look or has failed, 3 neither Docker nor Jenkins can be reached.
    """
    found, why = _read_one(context, name)
    if not _reached(found):
        return _away(context, "run", found)
    one = find(found.found, name)
    known = found.figures.get(one.key)
    if context.json:
        item = {**run_forms.run(one, known), "explanation": run_forms.explanation(why) if why is not None else None}
        print_json(_document(context, "run", found, [item]))
    else:
        _complain(context, found)
        _show(context.printer(), one, known, found.taken_at, why)
    return 1 if run_words.shown_state(one, known).bad else 0


@command("metrics")
@click.argument("name", metavar="ID")
@click.option("--csv", "as_csv", is_flag=True, help="As CSV: metric, step, epoch, time, value; one line each.")
@click.pass_obj
def metrics(context: Context, name: str, as_csv: bool) -> int:
    """Show what a run measured, out of its log: for people the last and the best value, all of them with --csv or --json.

    Of a long run each stretch has its lowest and its highest value. Exit status: 0, 1 it has measured nothing, or its log is
    gone, 3 neither Docker nor Jenkins can be reached.
    """
    if as_csv and context.json:
        raise UsageError("--csv and --json are two ways to say the same: take one.")
    found = _read(context, BUILDS)
    if not _reached(found):
        return _away(context, "metrics", found)
    one = find(found.found, name)
    known = found.figures.get(one.key)
    curves = known.curves if known is not None else ()
    spots = [(str(curve.name), spot) for curve in curves for spot in curve.spots]
    if context.json:
        items = [run_forms.spot(metric, spot) for metric, spot in spots]
        print_json(_document(context, "metrics", found, items, run=one.key))
    elif as_csv:
        _write_csv([run_forms.spot(metric, spot) for metric, spot in spots])
    elif curves and known is not None:
        _print_metrics(context.printer(), known)
    if not curves and not context.json:
        why = "it has measured nothing yet" if known is not None else "its log is gone with its container"
        context.complain(f"{one.shown}: {why}")
    return 0 if curves else 1


def find(found: Sequence[Run], name: str) -> Run:
    """By its key, its number, or its project, which means the newest. Raises UsageError."""
    wanted = clean(name, limit=_SHOWN)
    chosen = next((one for one in found if wanted in (one.key, one.shown)), None)
    if chosen is None and name.isascii() and name.removeprefix("#").isdigit():
        numbered = [one for one in found if one.ref is not None and one.ref.number == int(name.removeprefix("#"))]
        if len(numbered) > 1:
            raise UsageError(f"{wanted} can be {', '.join(one.key for one in numbered[:_MOST])}: say which.")
        chosen = numbered[0] if numbered else None
    if chosen is None:
        chosen = next((one for one in found if one.project == wanted), None)
    if chosen is None:
        near = difflib.get_close_matches(wanted, [*(one.key for one in found), *(one.project for one in found)], 1, 0.6)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise UsageError(f"no run is called {wanted}.{hint} mlops-console runs lists them.")
    return chosen


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 5 and int(text)):
        raise UsageError(f"--count {clean(text, limit=_SHOWN)} is no number of builds.")
    return int(text)


def _read(context: Context, count: int) -> Runs:
    return _read_with(context, count, None)[0]


def _read_one(context: Context, name: str) -> tuple[Runs, Why | None]:
    """With why the run that goes by `name` ended badly. Raises UsageError."""
    return _read_with(context, BUILDS, name)


def _read_with(context: Context, count: int, name: str | None) -> tuple[Runs, Why | None]:
    async def go() -> tuple[Runs, Why | None]:
        engine, compose = context.backend.sources()
        jenkins, gpus = context.backend.jenkins(), context.backend.gpus()
        try:
            found = await read_runs(engine, jenkins, gpus, count=count)
            wanted = find(found.found, name) if name is not None and _reached(found) else None
            return found, await read_why(wanted, engine, jenkins, found) if wanted is not None else None
        finally:
            for source in (engine, compose, jenkins, gpus):
                if not isinstance(source, SourceStatus):
                    await source.aclose()

    return asyncio.run(go())


def _reached(found: Runs) -> bool:
    """One of both is enough: a run is seen by its build and by its container."""
    return any(found.sources[name].state is SourceState.OK for name in ("docker", "jenkins"))


def _status(found: Runs, *, bad: bool) -> int:
    return UNREACHABLE if not _reached(found) else 1 if bad else 0


def _away(context: Context, kind: str, found: Runs) -> int:
    if context.json:
        more = {"run": None} if kind == "metrics" else {}
        print_json(_document(context, kind, found, [], **more))
    _complain(context, found)
    return UNREACHABLE


def _complain(context: Context, found: Runs) -> None:
    """What is missing because a system does not answer; one that was never set up is no news."""
    for name in ("docker", "jenkins"):
        status = found.sources[name]
        if status.state not in (SourceState.OK, SourceState.OFF):
            context.complain(status.reason or Clean(f"{name} does not answer"))


def _document(context: Context, kind: str, found: Runs, items: Sequence[dict[str, Any]], **more: Any) -> dict[str, Any]:
    demo = context.backend.demo
    return forms.envelope(kind, items, taken_at=found.taken_at, demo=demo, sources=found.sources, **more)


def _nothing(found: Runs, project: str | None) -> str:
    if project is not None and found.found:
        return f"No run of {clean(project, limit=_SHOWN)}."
    return "No runs yet. A merged release starts one, or make train."


def _row(one: Run, known: Figures | None, now: datetime) -> list[Cell]:
    told = run_words.shown_state(one, known)
    loss = known.loss if known is not None else None
    return [
        Cell(one.shown),
        Cell(told.word, told),
        Cell(run_words.progress(one, known)),
        Cell(run_words.figure(loss.last.value) if loss is not None else ""),
        Cell(run_words.best(known)),
        Cell(run_words.when(one, known, now)),
        Cell(run_words.cards(one)),
    ]


def _show(printer: Printer, one: Run, known: Figures | None, now: datetime, why: Why | None) -> None:
    told = run_words.shown_state(one, known)
    words = " ".join(part for part in (f"{one.shown} {told.word}", run_words.progress(one, known)) if part)
    printer.state_line(told.kind, words)
    if why is not None:
        printer.line(why.words)
        printer.labelled([(str(row.source), _row_words(row)) for row in why.evidence])
        printer.line()
    rows = [("when", run_words.when(one, known, now)), ("commit", str(one.commit or ""))]
    if known is not None:
        rows += [("does", str(finding.words)) for finding in known.findings]
        if known.finish is not None:
            rows.append(("done at", f"{known.finish.astimezone():%b %d %H:%M}, by {known.basis}"))
        if known.rate is not None:
            unit = known.unit or "steps/s"
            rows.append(("speed", f"{known.rate:.3g} {unit if '/' in unit else f'{unit}/s'}"))
    if one.build is not None:
        rows += [("asked by", str(cause.text)) for cause in one.build.causes]
        rows += [("parameter", f"{each.name}={each.value if each.value is not None else '********'}") for each in _given(one)]
    if one.stages is not None:
        rows.append(("stages", "  ".join(f"{stage.name} {stage.status.value.lower()}" for stage in one.stages.stages)))
    rows += [("container", str(each.name)) for each in one.containers]
    rows += [("image", str(one.image or "")), ("gpu", run_words.cards(one))]
    rows += [("holds", _holds(each)) for each in one.holders]
    printer.labelled([row for row in rows if row[1]])
    if known is not None and known.curves:
        printer.line()
        _print_metrics(printer, known)


def _row_words(row: Evidence) -> str:
    """With the time of the viewer's clock before a line of the log."""
    if row.at is None:
        return str(row.words)
    return f"{datetime.fromtimestamp(row.at / 1e9, UTC).astimezone():%H:%M:%S} {row.words}"


def _holds(one: Holder) -> str:
    size = decimal(one.process.memory) if one.process.memory is not None else "memory n/a"
    return f"GPU {one.place}: {size}, pid {one.process.pid}"


def _given(one: Run) -> list[Parameter]:
    return [each for each in one.build.parameters if each.value not in ("", "false")] if one.build is not None else []


def _print_metrics(printer: Printer, known: Figures) -> None:
    printer.table(_METRICS, [_metric(one) for one in known.curves])
    if known.note is not None:
        printer.line(known.note)


def _metric(one: Curve) -> list[Cell]:
    at = one.best
    where = "" if at is None else f"step {at.step:,}" if at.step is not None else f"epoch {at.epoch:g}" if at.epoch else ""
    best = run_words.figure(at.value) if at is not None else ""
    return [Cell(one.name), Cell(run_words.figure(one.last.value)), Cell(best), Cell(where), Cell(f"{len(one.spots):,}")]


def _write_csv(items: Sequence[dict[str, object]]) -> None:
    names = ("metric", "step", "epoch", "time", "value")
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([["" if item[name] is None else item[name] for name in names] for item in items])
