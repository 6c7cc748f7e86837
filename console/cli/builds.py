"""`builds`, `build`, `stages`: what Jenkins has built, and how it went."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime

import click

from console.cli import jenkins_forms
from console.cli.asking import ask, document, find_build, find_job, jobs_in, read_build, world_of
from console.cli.group import Context, command
from console.cli.options import UsageError
from console.cli.output import Cell, Column, Printer, print_json
from console.feeds.build_facts import HISTORY, BuildFacts
from console.feeds.jenkins_once import with_waited_for, with_waits
from console.model.build import Build, Result, Stage, median
from console.model.jenkins import JenkinsError, JenkinsWorld, Trouble
from console.model.jenkins_rows import BuildRow, row, stage_state
from console.model.jenkins_rows import builds as rows_of
from console.model.secretnames import MASK
from console.model.state import StateClass
from console.model.words import age, duration
from console.sources.protocols import Jenkins
from console.text import Clean

_SHOWN = 20
_ALL = 10_000
_FILES = 20
_COLUMNS = (
    Column("BUILD", least=14, middle=True),
    Column("STATE"),
    Column("TOOK", drop=3),
    Column("VS USUAL", drop=4),
    Column("WHEN", drop=2),
    Column("WHY", least=31, drop=1),
)
_STAGE_COLUMNS = (Column("STAGE", least=14, middle=True), Column("STATE"), Column("TOOK"), Column("", least=16, drop=1))


@command("builds")
@click.argument("job", required=False, metavar="[JOB]")
@click.option("-n", "--count", metavar="N|all", default=str(_SHOWN), help="How many of them, the newest first.")
@click.pass_obj
def builds(context: Context, job: str | None, count: str) -> int:
    """List the newest build of every job; with JOB the builds of that one.

    With a folder or a multibranch project as JOB: the newest build of every job in it. What is usual is the median of the
    newest 50, however many are listed.

    Exit status: 0 the newest ones are good, 1 one of them is not, 3 Jenkins cannot be asked.
    """
    most = _count(count)
    return ask(context, "builds", lambda source: _builds(context, source, job, most))


def _count(text: str) -> int | None:
    if text == "all":
        return None
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 6 and int(text)):
        raise UsageError(f"--count {text} is no number of builds: a number, or all.")
    return int(text)


async def _builds(context: Context, source: Jenkins, name: str | None, most: int | None) -> int:
    world = await world_of(source)
    inside = {one.full_name for one in jobs_in(world.jobs, name)} if name is not None else set(world.jobs)
    job = find_job(world.jobs, name).full_name if name is not None and not inside else None
    if job is not None:
        # The newest ones cost the same: without them nobody could tell what is usual.
        history = await source.builds(job, max(most, HISTORY) if most is not None else _ALL)
        world = replace(world, history={job: history})
    world = await _with_steps(source, await with_waits(source, world))
    rows = _rows(world, job, inside)
    if job is not None:
        newest = next((one for one in rows if not one.build.building), None)
        bad = newest is not None and newest.state.bad
        rows = rows[:most]
    else:
        bad = any(one.state.bad for one in rows)
    if context.json and job is None:
        # To a program all is given that one request tells; why each of them ran or failed would be a request for each.
        print_json(document(context, "builds", [jenkins_forms.listed_build(one, world) for one in rows]))
        return 1 if bad else 0
    world = await _with_failures(source, world, [one.build for one in rows[:most]])
    if job is None:
        world = await _with_reasons(source, world, [one.build for one in rows[:most]])
    shown = _rows(world, job, inside)[:most]
    if context.json:
        print_json(document(context, "builds", [jenkins_forms.listed_build(one, world) for one in shown]))
        return 1 if bad else 0
    _print(context.printer(), world, shown, len(rows) - len(shown))
    return 1 if bad else 0


def _rows(world: JenkinsWorld, job: Clean | None, inside: Collection[Clean]) -> list[BuildRow]:
    """Of one job all builds, measured against the same ones however many are listed; else the newest of those `inside`."""
    if job is None:
        return [one for one in rows_of(world) if one.ref.job in inside]
    usual = median(world.history[job][:HISTORY])
    return [replace(one, usual=usual or one.build.estimated) for one in rows_of(world, job)]


async def _with_steps(source: Jenkins, world: JenkinsWorld) -> JenkinsWorld:
    """With why those nodes are away that a build waits for."""
    waits = any(one.what == "node" for one in world.held.values())
    return await with_waited_for(source, world) if waits else world


async def _with_failures(source: Jenkins, world: JenkinsWorld, found: list[Build]) -> JenkinsWorld:
    facts = BuildFacts(source)
    await asyncio.gather(*map(facts.explain, found))
    return replace(world, failures=facts.failures)


async def _with_reasons(source: Jenkins, world: JenkinsWorld, found: list[Build]) -> JenkinsWorld:
    async def one(build: Build) -> Build:
        try:
            return await source.build(build.ref)
        except JenkinsError:
            return build  # deleted in between: what is known stands

    details = await asyncio.gather(*map(one, found))
    return replace(world, details={**world.details, **{build.ref: build for build in details}})


def _print(printer: Printer, world: JenkinsWorld, rows: list[BuildRow], more: int) -> None:
    if not rows:
        printer.line("Nothing was built yet." if world.jobs else "No jobs: there are none, or this user may not see them.")
        return
    now = datetime.now(UTC)
    printer.table(
        _COLUMNS,
        [
            [
                Cell(f"{one.name} #{one.build.number}"),
                Cell(one.state.word, one.state),
                Cell(one.took(now)),
                Cell(one.against()),
                Cell(when(one.build, now)),
                Cell(_told(one, world)),
            ]
            for one in rows
        ],
    )
    if more > 0:
        printer.line(f"{more} more: -n all")


def _told(one: BuildRow, world: JenkinsWorld) -> str:
    """`disabled; out of memory`: a job that is turned off, or a branch that is gone."""
    job = world.jobs.get(one.ref.job)
    off = job is not None and not job.buildable
    return "; ".join(part for part in ("disabled" if off else "", one.told) if part)


def when(build: Build, now: datetime) -> str:
    """`5h ago`, `for 4m`."""
    if build.building or build.ended is None:
        return f"for {age((now - build.started).total_seconds())}"
    return f"{age((now - build.ended).total_seconds())} ago"


@command("build")
@click.argument("job", metavar="JOB")
@click.argument("number", required=False, metavar="[N]")
@click.option("--save", multiple=True, metavar="PATTERN", help="Save the files that fit, such as '*.json' or 'out/**'.")
@click.option("--to", metavar="DIR", help="Save them below this folder instead of here.")
@click.pass_obj
def build(context: Context, job: str, number: str | None, save: tuple[str, ...], to: str | None) -> int:
    """Show one build: how it went, why it ran, its parameters, tests and files. Without N the newest.

    With --save (once or more) files that it keeps are saved under their paths; what is there already is never overwritten.
    Names that begin with a dot are meant only by patterns that say so. Exit status: 0 it is good or runs, 1 it is not,
    3 Jenkins cannot be asked, 4 it was aborted; with --save: 0 all were saved, 1 one was not, 3 Jenkins cannot be asked.
    """
    if save:
        from console.cli.saving import save_files

        return ask(context, "build", lambda source: save_files(context, source, job, number, save, to))
    if to is not None:
        raise UsageError("--to says where to save files: it wants --save PATTERN.")
    return ask(context, "build", lambda source: _build(context, source, job, number))


async def _build(context: Context, source: Jenkins, name: str, number: str | None) -> int:
    world = await world_of(source)
    ref = find_build(world.jobs, name, number)
    facts = BuildFacts(source)
    found, history = await asyncio.gather(read_build(source, world.jobs, ref), _history(source, ref.job))
    await facts.complete(found, world.work)
    world = replace(
        world,
        details={ref: found},
        stages=facts.stages,
        failures=facts.failures,
        held=facts.held,
        failed_tests=facts.failed_tests,
    )
    world = await _with_steps(source, world)
    told = row(world, found, median(history))
    failed = facts.failed_tests.get(ref, ())
    if context.json:
        print_json(document(context, "build", [jenkins_forms.build_detail(told, facts.failures.get(ref), failed)]))
    else:
        _print_build(context.printer(), world, told)
    if found.result is Result.ABORTED and not found.building:
        return 4
    return 1 if told.state.bad else 0


async def _history(source: Jenkins, job: Clean) -> tuple[Build, ...]:
    """What a build is measured against. Without it Jenkins' own estimate has to do."""
    try:
        return await source.builds(job, HISTORY)
    except JenkinsError:
        return ()


def _print_build(printer: Printer, world: JenkinsWorld, one: BuildRow) -> None:
    now, known = datetime.now(UTC), one.build
    against = (
        f", {one.against()} against the usual {duration(one.usual.total_seconds())}" if one.usual and one.against() else ""
    )
    printer.state_line(one.state.kind, f"{one.name} #{known.number}  {one.state.word}  {when(known, now)}")
    facts = [
        ("stage" if known.building and one.state.kind is StateClass.ACTIVE else "because", str(one.outcome)),
        ("took", f"{one.took(now)}{against}"),
        ("why it ran", str(one.ran)),
        ("commit", str(known.commit or "")),
        ("started", f"{known.started.astimezone():%Y-%m-%d %H:%M:%S %Z}"),
        ("says", str(known.description) if known.description != one.outcome else ""),
    ]
    facts += [(f"  {each.name}", MASK if each.value is None else each.value.replace("\n", " ")) for each in known.parameters]
    if known.tests is not None:
        facts.append(("tests", f"{known.tests.total} run, {known.tests.failed} failed, {known.tests.skipped} skipped"))
        facts += [
            ("  failed", f"{each.suite}.{each.name}: {each.message}") for each in world.failed_tests.get(known.ref, ())[:10]
        ]
    facts += [("file", str(each.path)) for each in known.artifacts[:_FILES]]
    if (more := len(known.artifacts) - _FILES) > 0:
        facts.append(("", f"{more} more: --json lists them all"))
    printer.table((Column(), Column(least=20)), [[Cell(key), Cell(value)] for key, value in facts if value])
    stages = world.stages.get(known.ref)
    if stages is not None and stages.stages:
        printer.line()
        printer.table(_STAGE_COLUMNS, [_stage(each, now) for each in stages.stages])


@command("stages")
@click.argument("job", metavar="JOB")
@click.argument("number", required=False, metavar="[N]")
@click.pass_obj
def stages(context: Context, job: str, number: str | None) -> int:
    """Show the stages of one build, with what runs in parallel. Without N the newest build.

    Exit status: 0 none has failed, 1 one has, 3 Jenkins cannot be asked.
    """
    return ask(context, "stages", lambda source: _stages(context, source, job, number))


async def _stages(context: Context, source: Jenkins, name: str, number: str | None) -> int:
    world = await world_of(source)
    ref = find_build(world.jobs, name, number)
    found = await read_build(source, world.jobs, ref)
    try:
        told = await source.stages(ref)
    except JenkinsError as error:
        if error.trouble is not Trouble.NOT_FOUND:
            raise
        why = "is no Pipeline" if not found.pipeline else "has none that can be read: plugin pipeline-rest-api is missing"
        raise UsageError(f"{world.jobs[ref.job].shown} #{ref.number} has no stages: it {why}.") from None
    now = datetime.now(UTC)
    if context.json:
        items = [jenkins_forms.stage(one, now) for one in told.stages]
        print_json(document(context, "stages", items, job=ref.job, number=ref.number, run=told.status.value))
    elif told.stages:
        context.printer().table(_STAGE_COLUMNS, [_stage(one, now) for one in told.stages])
    else:
        context.printer().line(await _no_stages(source, found))
    return 1 if any(stage_state(one).bad for one in told.stages) or (not told.stages and found.result is Result.FAILURE) else 0


async def _no_stages(source: Jenkins, found: Build) -> str:
    if found.building:
        return "No stage has begun yet."
    facts = BuildFacts(source)
    await facts.explain(found)
    why = facts.failures.get(found.ref)
    return f"No stages: {why}." if why else "No stages."


def _stage(one: Stage, now: datetime) -> list[Cell]:
    told = stage_state(one)
    name = f"{'  ' if one.branch else ''}{one.name}"
    return [Cell(name), Cell(told.word, told), Cell(duration(one.took(now).total_seconds())), Cell(one.error or "")]
