"""Answers of Jenkins as model objects. What is missing or of another type than expected is simply not known."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

from console.model.asking import is_exact
from console.model.build import (
    Artifact,
    Build,
    BuildRef,
    Cause,
    CauseKind,
    FailedTest,
    JUnit,
    Parameter,
    Result,
    Stage,
    Stages,
    StageStatus,
    with_branches,
)
from console.model.jenkins import Job, JobKind, LeftItem, Monitors, Node, QueueItem, Waits
from console.sources.jenkins.address import Address, build_of, full_name
from console.text import Clean, clean

_PIPELINE = "org.jenkinsci.plugins.workflow.job."
_FREESTYLE = "hudson.model.FreeStyle"
_BRANCHES = ("MultiBranchProject", "OrganizationFolder")
_CAUSES = {
    "UserIdCause": CauseKind.USER,
    "GenericCause": CauseKind.WEBHOOK,
    "BranchIndexingCause": CauseKind.BRANCH,
    "BranchEventCause": CauseKind.BRANCH,
    "UpstreamCause": CauseKind.UPSTREAM,
    "BuildUpstreamCause": CauseKind.UPSTREAM,
    "TimerTriggerCause": CauseKind.TIMER,
    "ReplayCause": CauseKind.REPLAY,
}
_WAITS = {"WaitingItem": Waits.QUIET, "BlockedItem": Waits.BLOCKED, "BuildableItem": Waits.BUILDABLE}
# A step that waits for a node stands in the queue under this name; Jenkins puts it into the language of whoever asks.
_PART_OF = re.compile(r"^part of (?P<job>.+) #(?P<number>\d+)$")
_COMMIT = re.compile(r"[0-9a-f]{40}")


class Parser:
    """`ahead` is how far the controller's clock is ahead of this machine's: all moments come out in ours."""

    def __init__(self, address: Address, ahead: timedelta = timedelta(0)) -> None:
        self._address = address
        self._ahead = ahead

    def moment(self, milliseconds: object) -> datetime | None:
        if not isinstance(milliseconds, int | float) or isinstance(milliseconds, bool):
            return None
        try:
            return datetime.fromtimestamp(milliseconds / 1000, UTC) - self._ahead
        except (ValueError, OverflowError, OSError):
            return None

    # Jobs

    def jobs(self, answer: object) -> tuple[Job, ...]:
        """Everything that can be built, through all folders of the answer."""
        return tuple(self._jobs(answer, branches=False))

    def _jobs(self, holder: object, *, branches: bool) -> Iterator[Job]:
        for one in _items(holder, "jobs"):
            kind = _text(one, "_class")
            if "jobs" in one or "color" not in one:
                yield from self._jobs(one, branches=kind.endswith(_BRANCHES))
                continue
            path = self._address.inside(_text(one, "url"))
            if path is None:
                continue
            name = full_name(path)
            last = name.rpartition("/")[2]
            color = _text(one, "color")
            yield Job(
                full_name=clean(name),
                kind=_job_kind(kind),
                buildable=not color.startswith("disabled"),
                last=self.build(one.get("lastBuild"), name),
                shown=clean(unquote(name) if branches else name),
                name=clean(unquote(last) if branches else last),
            )

    # Builds

    def builds(self, answer: object, job: str) -> tuple[Build, ...]:
        found = (self.build(one, job, detailed=True) for one in _items(answer, "builds"))
        return tuple(one for one in found if one is not None)

    def build(self, one: object, job: str, *, detailed: bool = False) -> Build | None:
        if not isinstance(one, Mapping):
            return None
        number, started = _number(one, "number"), self.moment(one.get("timestamp"))
        if number is None or started is None:
            return None
        building = one.get("building") is True
        duration = _number(one, "duration")
        estimated = _number(one, "estimatedDuration")
        actions = list(_items(one, "actions"))
        parameters = tuple(_parameter(each) for action in actions for each in _items(action, "parameters"))
        return Build(
            ref=BuildRef(clean(job), number),
            building=building,
            result=_result(one.get("result")),
            started=started,
            # A running build says 0, which is no duration.
            duration=None if building or duration is None else timedelta(milliseconds=duration),
            estimated=timedelta(milliseconds=estimated) if estimated is not None and estimated > 0 else None,
            pipeline=not _text(one, "_class").startswith(_FREESTYLE),
            detailed=detailed,
            name=clean(_text(one, "displayName")),
            description=clean(_text(one, "description").split("\n")[0]),
            causes=tuple(_cause(each) for action in actions for each in _items(action, "causes")),
            parameters=parameters,
            commit=_commit(parameters, actions),
            queue_id=_number(one, "queueId"),
            artifacts=tuple(_artifact(each) for each in _items(one, "artifacts")),
            tests=_tests(actions),
            kept=one.get("keepLog") is True,
        )

    def stages(self, answer: object, ref: BuildRef) -> Stages:
        if not isinstance(answer, Mapping):
            return Stages(ref, StageStatus.UNKNOWN, ())
        found: list[Stage] = []
        for one in _items(answer, "stages"):
            started = self.moment(one.get("startTimeMillis"))
            if started is None:
                continue
            status = _status(one.get("status"))
            duration = _number(one, "durationMillis") or 0
            # Of a branch that still runs Jenkins says SUCCESS, with a duration below nothing (parallel-describe-running).
            status = StageStatus.IN_PROGRESS if duration < 0 else status
            running = status in (StageStatus.IN_PROGRESS, StageStatus.PAUSED)
            found.append(
                Stage(
                    id=clean(_text(one, "id")),
                    name=clean(_text(one, "name")),
                    status=status,
                    started=started,
                    duration=None if running else timedelta(milliseconds=duration),
                    paused=timedelta(milliseconds=max(0, _number(one, "pauseDurationMillis") or 0)),
                    error=_error(one.get("error")),
                )
            )
        whole = _status(answer.get("status"))
        return Stages(ref, whole, with_branches(found, running=whole is StageStatus.IN_PROGRESS))

    # The queue and the nodes

    def queue(self, answer: object) -> tuple[QueueItem, ...]:
        found = (self._queue_item(one) for one in _items(answer, "items"))
        return tuple(one for one in found if one is not None)

    def queue_item(self, one: object) -> QueueItem | LeftItem | None:
        """One item as its own URL tells it; None when it makes no sense."""
        if not isinstance(one, Mapping):
            return None
        if not _text(one, "_class").endswith("LeftItem"):
            return self._queue_item(one)
        number, name = _number(one, "id"), self._task_name(one)
        built = self._build_of(one.get("executable"))
        if number is None:
            return None
        return LeftItem(number, clean(name) if name is not None else None, built, one.get("cancelled") is True)

    def _task_name(self, one: Mapping[str, Any]) -> str | None:
        path = self._address.inside(_text(one.get("task"), "url"))
        return full_name(path) if path is not None else None

    def _build_of(self, executable: object) -> BuildRef | None:
        path = self._address.inside(_text(executable, "url"))
        found = build_of(path) if path is not None else None
        return BuildRef(clean(found[0]), found[1]) if found is not None else None

    def _queue_item(self, one: Mapping[str, Any]) -> QueueItem | None:
        number, since = _number(one, "id"), self.moment(one.get("inQueueSince"))
        if number is None or since is None:
            return None
        task = one.get("task")
        name = self._task_name(one)
        title = _text(task, "name") or (name or "").rpartition("/")[2]
        part = _PART_OF.match(title) if name is None else None
        waits = _WAITS.get(_text(one, "_class").rpartition("$")[2], Waits.BUILDABLE)
        actions = list(_items(one, "actions"))
        return QueueItem(
            id=number,
            job=clean(name) if name is not None else None,
            title=clean(unquote(title) if name is not None else title),
            waits=Waits.PENDING if one.get("pending") is True else waits,
            why=clean(_text(one, "why")),
            since=since,
            stuck=one.get("stuck") is True,
            until=self.moment(one.get("timestamp")) if waits is Waits.QUIET else None,
            part_of=BuildRef(clean(part["job"]), int(part["number"])) if part else None,
            causes=tuple(_cause(each) for action in actions for each in _items(action, "causes")),
            parameters=tuple(_parameter(each) for action in actions for each in _items(action, "parameters")),
        )

    def nodes(self, answer: object) -> tuple[tuple[Node, ...], frozenset[BuildRef]]:
        """The nodes, and the Pipelines that run as a whole."""
        nodes: list[Node] = []
        flying: set[BuildRef] = set()
        for one in _items(answer, "computer"):
            controller = _text(one, "_class").endswith("MasterComputer")
            name = clean("(built-in)" if controller else _text(one, "displayName"))
            labels = tuple(clean(_text(each, "name")) for each in _items(one, "assignedLabels"))
            flying.update(self._running(one, "oneOffExecutors"))
            nodes.append(
                Node(
                    name=name,
                    controller=controller,
                    offline=one.get("offline") is True,
                    set_offline=one.get("temporarilyOffline") is True,
                    reason=clean(_text(one, "offlineCauseReason")),
                    executors=_number(one, "numExecutors") or 0,
                    labels=tuple(label for label in labels if label != name),
                    running=tuple(self._running(one, "executors")),
                )
            )
        return tuple(nodes), frozenset(flying)

    def _running(self, node: Mapping[str, Any], which: str) -> Iterator[BuildRef]:
        for one in _items(node, which):
            found = self._build_of(one.get("currentExecutable"))
            if found is not None:
                yield found

    def failed_tests(self, answer: object) -> tuple[FailedTest, ...]:
        return tuple(
            FailedTest(
                name=clean(_text(case, "name")),
                suite=clean(_text(case, "className") or _text(suite, "name")),
                message=clean(next(iter(_text(case, "errorDetails").strip().split("\n")), "")),
                age=_number(case, "age") or 0,
            )
            for suite in _items(answer, "suites")
            for case in _items(suite, "cases")
            if _text(case, "status") in ("FAILED", "REGRESSION")
        )


def monitors(answer: object) -> Monitors | None:
    """None where Jenkins tells nothing, which is so without Agent/Connect and before the first round of the monitors."""
    data = answer.get("monitorData") if isinstance(answer, Mapping) else None
    if not isinstance(data, Mapping) or not any(value is not None for value in data.values()):
        return None
    told: dict[str, Any] = {str(name).rpartition(".")[2]: value for name, value in data.items()}
    disk, temp, swap, clock = (
        one if isinstance(one, Mapping) else {}
        for one in (told.get(f"{name}Monitor") for name in ("DiskSpace", "TemporarySpace", "SwapSpace", "Clock"))
    )
    off = _number(clock, "diff")
    system = told.get("ArchitectureMonitor")
    return Monitors(
        disk_free=_number(disk, "size"),
        disk_path=clean(_text(disk, "path")) or None,
        temp_free=_number(temp, "size"),
        clock_off=timedelta(milliseconds=off) if off is not None else None,
        memory_free=_number(swap, "availablePhysicalMemory"),
        memory_total=_number(swap, "totalPhysicalMemory"),
        system=clean(system) if isinstance(system, str) else None,
    )


def _items(holder: object, name: str) -> Iterator[Mapping[str, Any]]:
    found = holder.get(name) if isinstance(holder, Mapping) else None
    if isinstance(found, list):
        yield from (one for one in found if isinstance(one, Mapping))


def _text(holder: object, name: str) -> str:
    found = holder.get(name) if isinstance(holder, Mapping) else None
    return found if isinstance(found, str) else ""


def _number(holder: Mapping[str, Any], name: str) -> int | None:
    found = holder.get(name)
    return int(found) if isinstance(found, int | float) and not isinstance(found, bool) and abs(found) < 2**63 else None


def _result(word: object) -> Result | None:
    try:
        return Result(word) if isinstance(word, str) else None
    except ValueError:
        return None


def _status(word: object) -> StageStatus:
    try:
        return StageStatus(str(word))
    except ValueError:
        return StageStatus.UNKNOWN


def _error(one: object) -> Clean | None:
    return clean(_text(one, "message").strip().split("\n")[0]) or None


def _job_kind(name: str) -> JobKind:
    if name.startswith(_PIPELINE):
        return JobKind.PIPELINE
    return JobKind.FREESTYLE if name.startswith(_FREESTYLE) else JobKind.OTHER


def _cause(one: Mapping[str, Any]) -> Cause:
    kind = _CAUSES.get(re.split(r"[.$]", _text(one, "_class"))[-1], CauseKind.OTHER)
    by = _text(one, "userName") or _text(one, "userId")
    if kind is CauseKind.UPSTREAM:
        by = f"{_text(one, 'upstreamProject')} #{_number(one, 'upstreamBuild')}"
    return Cause(kind, clean(_text(one, "shortDescription")), clean(by) if by else None)


def _parameter(one: Mapping[str, Any]) -> Parameter:
    name = _text(one, "name")
    hidden = _text(one, "_class").endswith("PasswordParameterValue")
    value = None if hidden else value_of(one.get("value"))
    shown = clean(name)
    if value is None:
        return Parameter(shown, None, exact=shown == name)
    told = clean(value, lines=True)
    return Parameter(shown, told, exact=shown == name and is_exact(value, told))


def value_of(told: object) -> str | None:
    """A value as it is sent in a form; None where Jenkins tells none."""
    if isinstance(told, bool):
        return "true" if told else "false"
    return str(told) if isinstance(told, str | int | float) else None


def _artifact(one: Mapping[str, Any]) -> Artifact:
    path = _text(one, "relativePath")
    shown = clean(path)
    return Artifact(clean(_text(one, "fileName")), shown, exact=shown == path)


def _commit(parameters: Sequence[Parameter], actions: Sequence[Mapping[str, Any]]) -> Clean | None:
    """What was built: the commit it was asked to build, else the one that was checked out."""
    asked = next((one.value for one in parameters if one.name == "COMMIT" and one.value and _COMMIT.fullmatch(one.value)), None)
    if asked is not None:
        return asked
    revisions = (action.get("lastBuiltRevision") for action in actions)
    found = next((_text(one, "SHA1") for one in revisions if _COMMIT.fullmatch(_text(one, "SHA1"))), None)
    return clean(found) if found else None


def _tests(actions: Sequence[Mapping[str, Any]]) -> JUnit | None:
    for action in actions:
        total = _number(action, "totalCount")
        if total is not None:
            return JUnit(total, _number(action, "failCount") or 0, _number(action, "skipCount") or 0)
    return None
