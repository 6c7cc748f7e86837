"""What explains the end of one run, read once: the end of its container's log, and of its build's console."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from datetime import timedelta

from console.model.build import BuildRef, Result, StageStatus
from console.model.container import Container, ContainerEvent, UsageHistory
from console.model.gpu import Xid
from console.model.gpu_use import given_cards
from console.model.jenkins import JenkinsError, JenkinsWorld
from console.model.log import Entry
from console.model.metric import Figures
from console.model.run import Run
from console.model.source import NotThereError, SourceError
from console.model.why import Why
from console.runs.case import Clues
from console.runs.endings import Said, of_build, of_container
from console.runs.explain import explain
from console.sources.protocols import ContainerEngine, Jenkins
from console.text import Clean, clean

ENTRIES = 400
"""The newest entries of a container's log: a traceback, what led to it, and the bars around."""

CONSOLE_BYTES = 64 * 1024
LONGEST = 8 * CONSOLE_BYTES
"""A console that grows while it is read is read no further."""

END_SECONDS = 20.0
"""How long one end may take, all of its requests together."""

_AFTER = timedelta(minutes=2)
_TOLD = frozenset({Result.FAILURE, Result.ABORTED, Result.NOT_BUILT})


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a run without asking: Jenkins' word for the stage that failed, news of the Engine, errors that the
    driver reported, what the run measured, and what its container used."""

    failure: Clean | None = None
    events: tuple[ContainerEvent, ...] = ()
    xids: tuple[Xid, ...] = ()
    figures: Figures | None = None
    usage: UsageHistory | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """`whole` is False where a system did not answer: asked again it may tell more."""

    why: Why | None
    whole: bool


def failure_of(run: Run, world: JenkinsWorld | None) -> Clean | None:
    """Jenkins' word for the stage that failed, as far as it was asked for."""
    return (world.failures.get(run.ref) or None) if world is not None and run.ref is not None else None


async def read_end_in_time(run: Run, engine: ContainerEngine, jenkins: Jenkins | None, known: Known) -> Answer | None:
    """The same as `read_end`; None where all of its requests together take too long."""
    with suppress(TimeoutError):
        async with asyncio.timeout(END_SECONDS):
            return await read_end(run, engine, jenkins, known)
    return None


async def read_end(run: Run, engine: ContainerEngine, jenkins: Jenkins | None, known: Known) -> Answer:
    """Why it ended badly, from all that can be read. A system that does not answer leaves its part out."""
    whole = True
    container, lines = run.container, tuple[Said, ...]()
    if container is not None:
        try:
            container, lines = await _of_container(engine, container)
            run = replace(run, containers=(container, *(one for one in run.containers if one.id != container.id)))
        except NotThereError:
            pass  # removed meanwhile: its build tells the rest
        except SourceError:
            whole = False
    console, failure = tuple[Said, ...](), known.failure
    if run.build is not None and run.build.result in _TOLD:
        if jenkins is None:
            whole = False
        else:
            try:
                console = of_build(await _tail(jenkins, run.build.ref))
                if failure is None and run.build.result is Result.FAILURE:
                    failure = await _failure(jenkins, run.build.ref)
            except JenkinsError as error:
                # What was deleted or is hidden will not be there the next time either.
                whole = error.status in (403, 404)
    xids = of_cards(container, known.xids) if container is not None else ()
    await asyncio.sleep(0)  # reading all that and thinking about it are two turns
    clues = Clues(lines, console, failure, known.events, xids, known.figures, known.usage)
    return Answer(explain(run, clues), whole)


def of_cards(container: Container, xids: Sequence[Xid]) -> tuple[Xid, ...]:
    """The errors of the cards that it was given, from its start to a little after its end."""
    cards = given_cards(container, ())
    details = container.details
    begin = details.started_at if details is not None else None
    end = details.finished_at if details is not None else None
    return tuple(
        one for one in xids if one.index in cards and begin is not None and end is not None and begin <= one.at <= end + _AFTER
    )


async def _of_container(engine: ContainerEngine, container: Container) -> tuple[Container, tuple[Said, ...]]:
    full = container if container.details is not None else await engine.inspect(container.id)
    newest: deque[Entry] = deque(maxlen=ENTRIES)
    async with aclosing(engine.log(full, tail=ENTRIES)) as pieces:
        async for entries in pieces:
            newest.extend(entries)
    return full, of_container(newest)


async def _tail(jenkins: Jenkins, ref: BuildRef) -> str:
    text = b""
    start = max(0, await jenkins.log_size(ref) - CONSOLE_BYTES)
    async with aclosing(jenkins.log(ref, start)) as parts:
        async for part in parts:
            text += part.text
            if len(text) > LONGEST:
                break
    return text[-LONGEST:].decode("utf-8", "replace")


async def _failure(jenkins: Jenkins, ref: BuildRef) -> Clean | None:
    """The first stage that failed, with its message: what follows it failed because of it."""
    stages = await jenkins.stages(ref)
    failed = next((one for one in stages.stages if one.status is StageStatus.FAILED), None)
    if failed is None:
        return None
    return clean(f"{failed.name}: {failed.error}" if failed.error else f"{failed.name} failed")
