"""`runs`, `run ID` and `metrics ID`: trainings with everything that belongs to them, and what they measure."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime

import click

from console.actions.plan import several
from console.cli import run_forms
from console.cli.group import Context, command
from console.cli.looking import UNREACHABLE
from console.cli.options import UsageError
from console.cli.output import Cell, Column, Printer, print_json
from console.cli.run_forms import HEADER, plain
from console.cli.runfinding import Asked, Meant, complain, document, look_up, reached, with_runs
from console.feeds.runs_once import BUILDS, Runs
from console.model import run_words
from console.model.build import Parameter
from console.model.gpu_use import Holder
from console.model.history import PastRun
from console.model.metric import Curve, Figures
from console.model.run import Phase, Run
from console.model.secretnames import MASK
from console.model.times import clock
from console.model.why import Evidence
from console.model.words import binary, decimal, duration, memory_of
from console.runs.before import good_before, went_well
from console.runs.meant import SHOWN
from console.settings import SettingsError
from console.sources.projectfolders import project_names
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
PAST = 20
"""Runs of the history that are listed unless somebody wants more."""

EVERYTHING = 1_000_000


def _projects(context: Context) -> tuple[Clean, ...]:
    """Of the clone that one is in. The demo has none."""
    return project_names(context.backend.loaded.projects) if not context.backend.demo else ()


def _complete_project(ctx: click.Context, _param: click.Parameter, begun: str) -> list[str]:
    try:
        names = _projects(ctx.obj) if isinstance(ctx.obj, Context) else ()
    except SettingsError:
        return []
    return [name for name in names if name.startswith(begun)]


@command("runs")
@click.option("--project", metavar="P", shell_complete=_complete_project, help="Only runs of this project.")
@click.option("--count", "-n", metavar="N", default=str(BUILDS), help=f"How many builds are looked at (default {BUILDS}).")
@click.option(
    "--limit", metavar="N", default=str(PAST), help=f"How many runs are added that only the history knows (default {PAST})."
)
@click.option("--all", "everything", is_flag=True, help="All runs that the history knows.")
@click.pass_obj
def runs(context: Context, project: str | None, count: str, limit: str, everything: bool) -> int:
    """List the trainings: those that go on, how far they are and whether they learn, then those that ended, newest first.

    Behind them stand those that only the history knows: container and build are gone.

    Exit status: 0 none of those that go on wants a look, 1 one does, 3 neither Docker nor Jenkins can be reached.
    """
    wanted = EVERYTHING if everything else _number("--limit", limit, "runs", least=0)
    found = with_runs(context, _as_they_are, count=_number("--count", count, "builds", least=1), limit=wanted, project=project)
    shown = [one for one in found.found if project is None or one.project == project]
    bad = any(run_words.shown_state(one, found.figures.get(one.key)).bad for one in shown if not one.ended)
    if context.json:
        items = [run_forms.run(one, found.figures.get(one.key), recalled=one.key in found.recalled) for one in shown]
        print_json(document(context, "runs", found, items))
    else:
        complain(context, found)
        printer = context.printer()
        printer.table(_COLUMNS, [_row(one, found) for one in shown])
        if not shown and reached(found):
            printer.line(_nothing(context, found, project))
    return UNREACHABLE if not reached(found) else 1 if bad else 0


@command("run")
@click.argument("name", metavar="ID")
@click.pass_obj
def run(context: Context, name: str) -> int:
    """Show one run: `train#128` or 128, `local#3`, or a project, which means its newest. If it ended badly, why.

    Exit status: 0 it goes on or went well, 1 it wants a look or has failed, 3 neither Docker nor Jenkins can be reached, and
    the history does not know it.
    """
    found, meant = _meant(context, name, explained=True)
    if meant is None:
        return _away(context, "run", found)
    one, known = meant.run, meant.figures
    if context.json:
        item = run_forms.run(one, known, recalled=meant.recalled)
        item["asked"] = asdict(meant.told.asked) if meant.told.asked is not None else None
        item["explanation"] = run_forms.explanation(meant.why) if meant.why is not None else None
        item["history"] = run_forms.past(meant.past) if meant.past is not None else None
        print_json(document(context, "run", found, [item]))
    else:
        complain(context, found)
        _show(context.printer(), meant, found.taken_at)
    return 1 if run_words.shown_state(one, known).bad else 0


@command("metrics")
@click.argument("name", metavar="ID")
@click.option("--csv", "as_csv", is_flag=True, help="As CSV: metric, step, epoch, time, value; one line each.")
@click.pass_obj
def metrics(context: Context, name: str, as_csv: bool) -> int:
    """Show what a run measured, out of its log, or out of the history once that is gone: for people the last and the best
    value, all of them with --csv or --json.

    Of a long run each stretch has its lowest and its highest value. Exit status: 0, 1 it has measured nothing, or nobody knows
    any more, 3 neither Docker nor Jenkins can be reached, and the history does not know it.
    """
    if as_csv and context.json:
        raise UsageError("--csv and --json are two ways to say the same: take one.")
    found, meant = _meant(context, name)
    if meant is None:
        return _away(context, "metrics", found)
    one, known = meant.run, meant.figures
    curves = known.curves if known is not None else ()
    items = [run_forms.spot(str(curve.name), spot) for curve in curves for spot in curve.spots]
    if context.json:
        print_json(document(context, "metrics", found, items, run=one.key))
    elif as_csv:
        _write_csv(items)
    elif curves and known is not None:
        _print_metrics(context.printer(), known)
    if not curves and not context.json:
        context.complain(f"{one.shown}: {_why_nothing(meant)}")
    elif as_csv and not items:
        context.complain(f"{one.shown}: nothing was measured that is a number.")
    return 0 if curves else 1


def _why_nothing(meant: Meant) -> str:
    if meant.recalled:
        return "the history has nothing that it measured"
    if meant.figures is not None or meant.run.phase < Phase.TRAINING:
        return "it has measured nothing yet"
    if meant.run.container is not None:
        return "its log cannot be read"
    return "its log is gone with its container" if meant.run.ended else "it has no container whose log could be read"


async def _as_they_are(asked: Asked) -> Runs:
    return asked.found


def _meant(context: Context, name: str, *, explained: bool = False) -> tuple[Runs, Meant | None]:
    """None where nobody could be asked who might know it; with `explained` also why it ended badly. Raises UsageError."""

    async def job(asked: Asked) -> tuple[Runs, Meant | None]:
        try:
            meant = await look_up(asked.found, asked.past, name)
        except UsageError:
            if reached(asked.found):
                raise
            return asked.found, None
        return asked.found, replace(meant, why=await asked.why(meant.run)) if explained and not meant.recalled else meant

    return with_runs(context, job)


def _number(option: str, text: str, what: str, *, least: int) -> int:
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 5 and int(text) >= least):
        raise UsageError(f"{option} {clean(text, limit=SHOWN)} is no number of {what}.")
    return int(text)


def _away(context: Context, kind: str, found: Runs) -> int:
    if context.json:
        more = {"run": None} if kind == "metrics" else {}
        print_json(document(context, kind, found, [], **more))
    complain(context, found)
    return UNREACHABLE


def _nothing(context: Context, found: Runs, project: str | None) -> str:
    if project is not None:
        known = _projects(context)
        if known and project not in known:
            return f"No run of {clean(project, limit=SHOWN)}. Projects here: {several(known)}."
        if found.found:
            return f"No run of {clean(project, limit=SHOWN)}."
    return "No runs yet. A merged release starts one, or make train."


def _row(one: Run, found: Runs) -> list[Cell]:
    known = found.figures.get(one.key)
    told = run_words.shown_state(one, known)
    loss = known.loss if known is not None else None
    return [
        Cell(one.shown),
        Cell(told.word, told),
        Cell(run_words.progress(one, known)),
        Cell(run_words.figure(loss.last.value) if loss is not None else ""),
        Cell(f"{run_words.best(known)} {_change(one, found)}".rstrip()),
        Cell(run_words.when(one, known, found.taken_at)),
        Cell(run_words.cards(one)),
    ]


def _change(one: Run, found: Runs) -> str:
    """By how much one that went well is better than the last before it that did."""
    known = found.figures.get(one.key)
    if known is None or not went_well(one):
        return ""
    older = good_before(found.found, one)
    return run_words.change(known, found.figures.get(older.key)) if older is not None else ""


def _show(printer: Printer, meant: Meant, now: datetime) -> None:
    one, known = meant.run, meant.figures
    told = run_words.shown_state(one, known)
    words = " ".join(part for part in (f"{one.shown} {told.word}", run_words.progress(one, known)) if part)
    printer.state_line(told.kind, words)
    if meant.why is not None:
        printer.line(meant.why.words)
        printer.labelled([(str(row.source), _row_words(row)) for row in meant.why.evidence])
    rows = [("when", run_words.when(one, known, now)), ("commit", str(one.commit or ""))]
    if known is not None:
        rows += [("does", str(finding.words)) for finding in known.findings]
        if known.fit > 1:
            rows.append(("fit", f"{known.fit}: it has begun again, as a search does; how far it is counts within this one"))
        if known.finish is not None:
            rows.append(("done at", f"{known.finish.astimezone():%b %d %H:%M}, by {known.basis}"))
        if known.rate is not None:
            rows.append(("speed", run_words.speed(known)))
    rows.append(("may use", run_words.asked(meant.told.asked)))
    rows += _remembered(meant.told, all_of_it=meant.recalled)
    if one.build is not None:
        rows += [("asked by", str(cause.text)) for cause in one.build.causes]
        rows += [("parameter", f"{each.name}={each.value if each.value is not None else MASK}") for each in _given(one)]
    if one.stages is not None:
        rows.append(("stages", "  ".join(f"{stage.name} {stage.status.value.lower()}" for stage in one.stages.stages)))
    rows += [("container", str(each.name)) for each in one.containers]
    rows += [("image", str(one.image or "")), ("gpu", run_words.cards(one))]
    rows += [("holds", _holds(each)) for each in one.holders]
    printer.labelled([row for row in rows if row[1]])
    if known is not None and known.curves:
        printer.line()
        _print_metrics(printer, known)


def _remembered(past: PastRun, *, all_of_it: bool) -> list[tuple[str, str]]:
    """What only the history tells; `all_of_it` where nobody else knows anything."""
    rows = []
    if past.seconds is not None:
        rows.append(("took", duration(past.seconds)))
    if past.published is not None:
        rows.append(("published", f"{past.published.url} {past.published.tag}"))
    if past.checkpoint is not None:
        rows.append(("checkpoint", f"epoch {past.checkpoint.epoch}, {decimal(past.checkpoint.bytes)}"))
    if past.resumed_from is not None:
        rows.append(("went on from", str(past.resumed_from)))
    if past.peak_memory is not None:
        limit = past.asked.memory if past.asked is not None else None
        rows.append(("memory", f"{memory_of(past.peak_memory, limit)} at most"))
    if past.peak_gpu_memory is not None:
        rows.append(("GPU memory", f"{binary(past.peak_gpu_memory)} at most"))
    if all_of_it:
        rows += [("asked by", str(cause)) for cause in past.causes]
        rows += [("parameter", f"{name}={value}") for name, value in past.parameters.items()]
        rows += [("container", str(past.container[:12]) if past.container else ""), ("image", str(past.image or ""))]
    return rows


def _row_words(row: Evidence) -> str:
    """With the time of the viewer's clock before a line of the log."""
    if row.at is None:
        return str(row.words)
    return f"{clock(row.at)} {row.words}"


def _holds(one: Holder) -> str:
    size = binary(one.process.memory) if one.process.memory is not None else "memory n/a"
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
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows([["" if item[name] is None else plain(item[name]) for name in HEADER] for item in items])
