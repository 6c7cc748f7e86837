"""Which run is meant, and all that is known of it: the same for every command that takes the name of one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from console.cli import forms
from console.cli.group import Context
from console.cli.options import UsageError
from console.feeds.runs_once import BUILDS, Runs, read_runs, read_why, with_past
from console.model.history import PastRun
from console.model.metric import Figures
from console.model.past import Past
from console.model.run import Run
from console.model.source import SourceState, SourceStatus
from console.model.why import Why
from console.runs.meant import SHOWN, ManyMeantError, meant, near
from console.runs.recalled import as_past, as_run, both
from console.sources.protocols import ContainerEngine, Gpus, Jenkins
from console.text import Clean, clean

T = TypeVar("T")

RECALLED = 1000
"""Runs of the history among which one is looked for by its number or its project."""


@dataclass(frozen=True, slots=True)
class Meant:
    """One run. `past` is what the history knows of it, `recalled` whether nobody else knows it,
    `why` why it ended badly, where somebody asked."""

    run: Run
    figures: Figures | None
    past: PastRun | None
    recalled: bool
    why: Why | None = None

    @property
    def told(self) -> PastRun:
        """All that is known of it: what its build and its container say now, and where they say nothing the history."""
        if self.past is None:
            return as_past(self.run)
        return self.past if self.recalled else both(as_past(self.run), self.past)


@dataclass(frozen=True, slots=True)
class Asked:
    """What was found, and who can be asked for more: the history, and `why` a run ended badly."""

    found: Runs
    past: Past
    why: Callable[[Run], Awaitable[Why | None]]


@asynccontextmanager
async def opened(
    context: Context,
) -> AsyncIterator[tuple[ContainerEngine, Jenkins | SourceStatus, Gpus | SourceStatus, Past]]:
    """Whoever knows of runs: Engine, Jenkins, cards and history. Raises SourceError."""
    engine, compose = context.backend.sources()
    jenkins, gpus, past = context.backend.jenkins(), context.backend.gpus(), context.backend.past()
    try:
        yield engine, jenkins, gpus, past
    finally:
        for source in (engine, compose, jenkins, gpus, past):
            if not isinstance(source, SourceStatus):
                await source.aclose()


def with_runs(
    context: Context,
    job: Callable[[Asked], Awaitable[T]],
    *,
    count: int = BUILDS,
    limit: int = RECALLED,
    project: str | None = None,
) -> T:
    """Read all runs, those of the history behind the others, and do `job` with them. It may ask the history for more."""

    async def go() -> T:
        async with opened(context) as (engine, jenkins, gpus, past):
            found = await read_runs(engine, jenkins, gpus, count=count)
            found = await with_past(found, past, project=project, limit=limit)
            return await job(Asked(found, past, lambda run: read_why(run, engine, jenkins, found)))

    return asyncio.run(go())


async def look_up(found: Runs, past: Past, name: str) -> Meant:
    """The run that is called `name`. Raises UsageError."""
    run = chosen(found.found, name)
    kept = found.past.get(run.key) if run is not None else None
    if kept is None:
        # The list may be too short for it, or have none of those that go on.
        kept = await past.run(run.key if run is not None else clean(name, limit=SHOWN))
    if run is None:
        if kept is None:
            raise unknown(found.found, name)
        run = as_run(kept)
    recalled = run.key in found.recalled or all(one.key != run.key for one in found.found)
    known = found.figures.get(run.key)
    # A list has of the past only the last and the best.
    if recalled or known is None or not any(one.spots for one in known.curves):
        known = await past.figures(run.key) or known
    return Meant(run, known, kept, recalled)


def chosen(found: Sequence[Run], name: str) -> Run | None:
    """As `meant`. Raises UsageError where it could be several."""
    try:
        return meant(found, name)
    except ManyMeantError as error:
        raise UsageError(str(error)) from None


def unknown(found: Sequence[Run], name: str) -> UsageError:
    """That there is no such run, and what may have been meant."""
    close = near(found, name)
    hint = f" Did you mean {close}?" if close is not None else ""
    return UsageError(f"no run is called {clean(name, limit=SHOWN)}.{hint} mlops-console runs lists them.")


def reached(found: Runs) -> bool:
    """One of both is enough: a run is seen by its build and by its container."""
    return any(found.sources[name].state is SourceState.OK for name in ("docker", "jenkins"))


def complain(context: Context, found: Runs) -> None:
    """What is missing because a system does not answer; one that was never set up is no news."""
    for name in ("docker", "jenkins", "history"):
        status = found.sources[name]
        if status.state not in (SourceState.OK, SourceState.OFF):
            context.complain(status.reason or Clean(f"{name} does not answer"))


def document(context: Context, kind: str, found: Runs, items: Sequence[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """The answer for programs."""
    demo = context.backend.demo
    return forms.envelope(kind, items, taken_at=found.taken_at, demo=demo, sources=found.sources, **more)
