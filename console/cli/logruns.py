"""The names of runs where logs are asked for: a run's log is its container's. Once that is gone it is what its build printed
while it trained, or what is in its run folder."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from console.cli.group import Context
from console.cli.options import UsageError
from console.cli.runfinding import RECALLED, chosen, opened, unknown
from console.feeds.runs_once import read_runs, with_past
from console.logs.origin import KeptLog, build_name
from console.model.build import BuildRef, Stage
from console.model.container import Container
from console.model.history import PastRun
from console.model.jenkins import JenkinsError, Trouble
from console.model.run import Run
from console.model.source import SourceError, SourceStatus
from console.model.training import LOCAL, STAGE, TRAIN
from console.runs.join import join
from console.runs.meant import is_called as named_so
from console.sources.protocols import Jenkins
from console.sources.runfolders import log_of
from console.text import Clean

# As many figures of an id as nobody would use for a name by chance.
_ID_FIGURES = 4
_BY_HAND = f"{LOCAL}#"
_NUMBERED = re.compile(r"#([0-9]{1,9})(@.*)?\Z")
_OLD = "@"
"""In the key of a run whose number a later one of its job has: no build and no container is its own."""


@dataclass(frozen=True, slots=True)
class Instead:
    """What is read where `target` was asked for. `stage`: of that build only what this stage prints; `kept`: the file that the
    run has left. `words` tell where it comes from, where that may surprise."""

    target: str
    words: str | None = None
    stage: Stage | None = None
    kept: KeptLog | None = None


@dataclass(frozen=True, slots=True)
class _Held:
    """The Engine's containers (None where it cannot be asked), and the runs among them."""

    containers: Sequence[Container] | None
    runs: Sequence[Run]

    @property
    def lost(self) -> str:
        return "Docker cannot be asked for its container" if self.containers is None else "its container is gone"


def is_called(one: Container, name: str) -> bool:
    """Whether a container is meant by `name`: its own, its service's, or the beginning of its id."""
    return name in (one.name, one.service) or (len(name) >= _ID_FIGURES and one.id.startswith(name))


async def without_runs(context: Context, targets: Sequence[str], *, builds: bool) -> tuple[Instead, ...]:
    """The same targets, runs among them replaced by the id of their container, by their build, `JOB#N`, or by what is left in
    their folder. With `builds` whatever can be a build is one. Raises UsageError for a run of which nothing is left to read."""
    if all("#" in one and not _NUMBERED.search(one) for one in targets):
        return tuple(map(Instead, targets))
    containers = await _containers(context)
    held = _Held(containers, join(containers or (), None, None, datetime.now(UTC)))
    return tuple([await _instead(context, one, held, builds=builds) for one in targets])


async def _containers(context: Context) -> Sequence[Container] | None:
    """None where Docker cannot be asked: whoever reads its logs will say so, and of a build it can be read all the same."""
    try:
        engine, compose = context.backend.sources()
    except SourceError:
        return None
    try:
        return await engine.containers()
    except SourceError:
        return None
    finally:
        await engine.aclose()
        await compose.aclose()


async def _instead(context: Context, target: str, held: _Held, *, builds: bool) -> Instead:
    """What a target that may be a run is read from."""
    job, mark, _ = target.rpartition("#")
    number = _NUMBERED.search(target)
    if mark and job and number is None:
        return Instead(target)
    if not job:
        containers = held.containers
        if not mark and (not containers or any(is_called(one, target) or one.project == target for one in containers)):
            return Instead(target)
        return await _of_run(context, target, held, builds=builds)
    by_hand = job == LOCAL
    if by_hand or not builds:
        # The key of a run says all by itself: no other system has to be asked.
        run = next((one for one in held.runs if named_so(one, target)), None)
        if run is not None and run.container is not None:
            return Instead(run.container.id)
    if _OLD in target:
        return await _of_run(context, target, held, builds=builds)
    if job == TRAIN and number is not None:
        ref = BuildRef(TRAIN, int(number[1]))
        return Instead(target) if builds else await _of_build(context, build_name(TRAIN, ref.number), ref, held)
    if not by_hand and " " not in target and await _is_job(context, job):
        return Instead(target)
    return await _of_run(context, target, held, builds=builds)


async def _is_job(context: Context, name: str) -> bool:
    jenkins = context.backend.jenkins()
    if isinstance(jenkins, SourceStatus):
        return False
    try:
        return any(name in (one.full_name, one.shown) for one in await jenkins.jobs())
    except JenkinsError:
        return False
    finally:
        await jenkins.aclose()


async def _of_run(context: Context, target: str, held: _Held, *, builds: bool) -> Instead:
    """For the name of a run that has to be looked up."""
    try:
        found, past = await _all(context, target)
    except SourceError:
        return Instead(target)  # Docker itself will say it
    if found is None:
        job, mark, _ = target.rpartition("#")
        if mark and (not job or job == LOCAL or " " in target):
            raise unknown(held.runs, target)
        return Instead(target)
    if found.container is not None and not (builds and found.ref is not None):
        return Instead(found.container.id)
    if found.ref is None or _OLD in found.key:
        return _kept(context, found, past, held)
    if builds:
        return Instead(str(found.ref))
    return await _of_build(context, found.shown, found.ref, held, past)


async def _of_build(context: Context, name: Clean, ref: BuildRef, held: _Held, past: PastRun | None = None) -> Instead:
    """What the build of a run has of its training; where Jenkins cannot tell, what is in the run's folder."""
    jenkins = context.backend.jenkins()
    if isinstance(jenkins, SourceStatus):
        return _kept_of(context, name, ref, past or await _recalled(context, ref), held) or Instead(str(ref))
    try:
        build = await jenkins.build(ref)
        stage = await _training(jenkins, ref)
    except JenkinsError as error:
        past = past or await _recalled(context, ref)
        kept = _kept_of(context, name, ref, past, held)
        if kept is None and error.trouble is Trouble.NOT_FOUND:
            raise _nothing(context, name, past, held, str(error.reason)) from None
        return kept or Instead(str(ref))
    finally:
        await jenkins.aclose()
    if stage is not None:
        words = f"{name}: {held.lost}: this is stage {stage.name} of its build at Jenkins; --build prints all of it."
        return Instead(str(ref), words, stage)
    begun = "there is no container yet" if build.building and held.containers is not None else held.lost
    return Instead(str(ref), f"{name}: {begun}: this is what its build prints at Jenkins.")


async def _recalled(context: Context, ref: BuildRef) -> PastRun | None:
    past = context.backend.past()
    try:
        return await past.run(str(ref))
    finally:
        await past.aclose()


async def _training(jenkins: Jenkins, ref: BuildRef) -> Stage | None:
    """The stage in which it trains; None where it has printed nothing yet, or there is none. Raises JenkinsError."""
    try:
        stages = (await jenkins.stages(ref)).stages
        stage = next((one for one in stages if one.name.casefold() == STAGE), None)
        return stage if stage is not None and await jenkins.stage_steps(ref, stage.id) else None
    except JenkinsError as error:
        if error.trouble is not Trouble.NOT_FOUND:
            raise
        return None


def _kept(context: Context, run: Run, past: PastRun | None, held: _Held) -> Instead:
    """Of one that has no build, or whose build's number is another one's now. Raises UsageError where nothing is left."""
    ref = BuildRef(past.job, past.number) if past is not None and past.job is not None and past.number is not None else None
    found = _kept_of(context, run.shown, ref, past, held) if ref is not None else None
    if found is None:
        why = "A run by hand has no build." if run.ref is None else "Its build was deleted with its job."
        raise _nothing(context, run.shown, past, held, why)
    return found


def _kept_of(context: Context, name: Clean, ref: BuildRef, past: PastRun | None, held: _Held) -> Instead | None:
    log = log_of(_folders(context), ref.job, ref.number, past.training if past is not None else None)
    if log is None:
        return None
    words = f"{name}: {held.lost}: this is {log}, which the run has left."
    return Instead(str(ref), words, kept=KeptLog(ref, name, log))


def _nothing(context: Context, name: Clean, past: PastRun | None, held: _Held, why: str) -> UsageError:
    places = ", ".join(str(one) for one in _folders(context))
    measured = f" What it measured: mlops-console metrics {past.key}" if past is not None else ""
    return UsageError(
        f"{name}: nothing is left of its log: {held.lost}. {why} No run folder of it is in {places}: name another place in "
        f"history.run_folders.{measured}"
    )


def _folders(context: Context) -> Sequence[Path]:
    from console.cli.record import run_folders

    return run_folders(context.backend.loaded.settings.history.run_folders, os.environ)


async def _all(context: Context, target: str) -> tuple[Run | None, PastRun | None]:
    """What of everything has the name of a run, with what the history has of it; no log is read. Raises SourceError."""
    async with opened(context) as (engine, jenkins, gpus, past):
        found = await with_past(await read_runs(engine, jenkins, gpus, measured=False), past, limit=RECALLED)
        run = chosen(found.found, target)
        return run, found.past.get(run.key) if run is not None else None
