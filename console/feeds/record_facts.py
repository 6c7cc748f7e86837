"""What is recorded of a run: all that its build, its container, its log and its run folder tell, as one fact each. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from console.history.facts import moment
from console.model.build import Build
from console.model.gpu import GpuReading
from console.model.history import Asked, PastRun
from console.model.metric import Figures
from console.model.run import Run
from console.model.run_words import shown_state
from console.model.state import State, StateClass, state
from console.model.training import IDENTITY, LOCAL, UNSET
from console.model.why import Cause, Why
from console.runs.facts import Said, published
from console.runs.recalled import RUN_LABEL, standing
from console.text import Clean, clean

_RESUMED = re.compile(r"(?:(?P<job>[\w./%-]{1,200})[-#])?(?P<number>[0-9]{1,9})")
_LONGEST = 500
STARTED = "started "
"""Before the moment at which a container was started, among the names of its run."""

_ENDS = {
    "ok": (StateClass.GOOD, "done"),
    "failed": (StateClass.BROKEN, "failed"),
    "out-of-memory": (StateClass.BROKEN, "out of memory"),
    "stopped": (StateClass.ENDED, "stopped"),
    "timed-out": (StateClass.BROKEN, "timed out"),
    "could-not-start": (StateClass.BROKEN, "could not start"),
}
_EVENTS = {
    "end": (StateClass.GOOD, "done"),
    "stopped": (StateClass.ENDED, "stopped"),
    "error": (StateClass.BROKEN, "failed"),
}


@dataclass(slots=True)
class Peaks:
    """The most that a run was seen to use, in bytes."""

    memory: int | None = None
    gpu: int | None = None

    def saw(self, memory: int | None, gpu: int | None) -> None:
        self.memory = _most(self.memory, memory)
        self.gpu = _most(self.gpu, gpu)


def _most(one: int | None, other: int | None) -> int | None:
    return max((each for each in (one, other) if each is not None), default=None)


def of_run(
    run: Run, said: Said | None, known: PastRun | None, *, figures: Figures | None, final: bool, peaks: Peaks, why: Why | None
) -> PastRun:
    """As it is told now. `known` is what the history has of it; `final`: its end may be told, where it has ended."""
    found = standing(run)
    begun = _moment(said.begun) if said is not None else None
    found = replace(found, started=found.started or begun)
    found = _parameters(found, run.build, said, known)
    if run.ended and not final:
        return with_peaks(found, peaks)
    told = shown_state(run, figures)
    known_why = why is not None and (why.cause is not Cause.UNKNOWN or not run.why)
    reason = why.words if why is not None and known_why else run.why if run.ended or told.bad else None
    found = replace(found, state=told, reason=clean(reason, limit=_LONGEST) if reason else None)
    if run.ended:
        found = replace(found, ended=_ended(run, said))
    return with_peaks(found, peaks)


def _ended(run: Run, said: Said | None) -> datetime | None:
    if run.build is not None and run.build.ended is not None:
        return run.build.ended
    details = run.container.details if run.container is not None else None
    return (details.finished_at if details is not None else None) or (_moment(said.over) if said is not None else None)


def _parameters(found: PastRun, build: Build | None, said: Said | None, known: PastRun | None) -> PastRun:
    """Facts are kept as wholes: what was known before stays among them."""
    told: dict[Clean, Clean] = dict(known.parameters) if known is not None else {}
    resumed: Clean | None = None
    if build is not None:
        for one in build.parameters:
            if one.name not in IDENTITY and one.value is not None and one.value not in UNSET:
                told[one.name] = clean(one.value or "", limit=_LONGEST)
        resumed = resumed_key(build.parameter("RESUME_FROM"), build.job)
    if said is None:
        return replace(found, parameters=told, resumed_from=resumed)
    told |= said.settings or {}
    return replace(
        found,
        parameters=told,
        resumed_from=resumed,
        resumed_step=said.resumed_step,
        checkpoint=said.checkpoint,
    )


def with_peaks(found: PastRun, peaks: Peaks) -> PastRun:
    return replace(found, peak_memory=peaks.memory, peak_gpu_memory=peaks.gpu)


def resumed_key(told: str | None, job: str | None) -> Clean | None:
    """The key of the run that RESUME_FROM names: a number of the same job, or `local-3`."""
    match = _RESUMED.fullmatch(told or "")
    if match is None:
        return None
    return clean(f"{match['job'] or job or LOCAL}#{int(match['number'])}")


def over(past: PastRun, more: PastRun | None) -> PastRun:
    """With what its folder tells besides; parameters of both."""
    if more is None:
        return past
    told = {
        name: value
        for name in ("training", "image", "container", "asked", "published", "checkpoint", "resumed_from", "resumed_step")
        if (value := getattr(more, name)) is not None
    }
    return replace(past, parameters={**past.parameters, **more.parameters}, **told)


def aliases(run: Run) -> frozenset[str]:
    """What tells this run from another one of the same key: numbers of builds come again."""
    found = {str(label) for one in run.containers if (label := one.label(RUN_LABEL))}
    found |= {one.created.isoformat() for one in run.containers}
    if run.build is not None:
        found.add(run.build.started.isoformat())
    return frozenset(found) | starts(run)


def starts(run: Run) -> frozenset[str]:
    """When its containers were started last: one that is started again trains once more under all other names."""
    moments = [one.details.started_at for one in run.containers if one.details is not None]
    return frozenset(f"{STARTED}{at.isoformat()}" for at in moments if at is not None)


def card_names(run: Run, reading: GpuReading | None) -> tuple[Clean, ...]:
    """Uuids of the cards that it has."""
    if reading is None:
        return ()
    return tuple(one.uuid for one in reading.cards if one.index in run.cards and one.uuid)


def gpu_memory(run: Run) -> int | None:
    """Bytes that its processes hold on all cards; None where that is not known."""
    held = [one.process.memory for one in run.holders if one.process.memory is not None]
    return sum(held) if held else None


def vanished(known: PastRun, said: Said, at: datetime) -> PastRun:
    """A run by hand whose container is gone, and with it how it ended: what its log said last is all there is."""
    kind, word = _EVENTS.get(str(said.end), (StateClass.ENDED, "gone"))
    reason = said.words or (None if said.end else Clean("its container was removed"))
    return replace(known, state=State(kind, Clean(word)), reason=reason, ended=_moment(said.over) or at)


def of_folder(
    record: Mapping[str, Any],
    result: Mapping[str, Any] | None,
    told_published: Mapping[str, Any] | None,
    said: Said,
    *,
    ends: bool,
    at: datetime | None = None,
) -> PastRun | None:
    """What a run folder, or what a build keeps of it, says: run.json, result.json, published.json and the events. None where
    it names no run. `ends`: also when it began and how it ended, which a build tells better where there is one;
    `at` is when its result was written."""
    job, number = record.get("job"), record.get("build")
    if not isinstance(job, str) or not job or not isinstance(number, int) or isinstance(number, bool):
        return None
    resources = record.get("resources")
    found = PastRun(
        clean(f"{job}#{number}"),
        training=_text(record.get("run")),
        project=_text(record.get("project")),
        job=clean(job),
        number=number,
        commit=_text(record.get("commit")),
        parameters=said.settings or {},
        image=_text(record.get("image")),
        container=_text(record.get("container")),
        asked=_resources(resources) if isinstance(resources, dict) else None,
        published=published(told_published) if told_published is not None else None,
        checkpoint=said.checkpoint,
        resumed_from=resumed_key(_text(record.get("resume_from")), job),
        resumed_step=said.resumed_step,
    )
    if not ends:
        return found
    found = replace(found, started=_moment(said.begun))
    status = result.get("status") if result is not None else None
    if result is None or not isinstance(status, str) or status not in _ENDS:
        return found
    told = state(*_ENDS[status]) if found.published is None or status != "ok" else state(StateClass.GOOD, "published")
    return replace(found, state=told, reason=_text(result.get("reason")), ended=_moment(said.over) or at)


def _resources(told: Mapping[str, Any]) -> Asked:
    numbers = {name: value for name, value in told.items() if isinstance(value, int | float) and not isinstance(value, bool)}
    memory, shm, gpus = (int(numbers[name]) if name in numbers else None for name in ("memory", "shm", "gpus"))
    return Asked(memory, shm, float(numbers["cpus"]) if "cpus" in numbers else None, gpus)


def _text(value: object) -> Clean | None:
    return clean(value, limit=_LONGEST) if isinstance(value, str) and value else None


def _moment(nano: int | None) -> datetime | None:
    return moment(nano) if nano is not None else None
