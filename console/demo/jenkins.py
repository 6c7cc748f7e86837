"""The demo's Jenkins: the model controller, seen through the same Protocol as a real one."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta

from console.demo.acts import Acts, given, gone, node_name, ref_of
from console.demo.controller import Build as Made
from console.demo.controller import CauseKind as Why
from console.demo.controller import FlowNode, Kind, Multibranch, State
from console.demo.controller import Job as Declared
from console.demo.controller import Node as Machine
from console.demo.controller import QueueItem as Waiting
from console.demo.controller.errors import MissingError
from console.demo.controller.rawlog import RawLog
from console.model.build import (
    Artifact,
    Build,
    BuildRef,
    Cause,
    CauseKind,
    FailedTest,
    FilePart,
    JUnit,
    LogPart,
    Result,
    Stage,
    Stages,
    StageStatus,
    with_branches,
)
from console.model.jenkins import (
    Controller,
    Job,
    JobKind,
    LeftItem,
    Monitors,
    Node,
    QueueItem,
    Waits,
    Work,
)
from console.text import Clean, clean

URL = clean("https://jenkins.example.org")
_CAUSES = {
    Why.USER: CauseKind.USER,
    Why.UPSTREAM: CauseKind.UPSTREAM,
    Why.HOOK: CauseKind.WEBHOOK,
    Why.BRANCH_EVENT: CauseKind.BRANCH,
    Why.INDEXING: CauseKind.BRANCH,
    Why.TIMER: CauseKind.TIMER,
    Why.REPLAY: CauseKind.REPLAY,
}
_WAITS = {State.WAITING: Waits.QUIET, State.BLOCKED: Waits.BLOCKED, State.BUILDABLE: Waits.BUILDABLE}


class DemoJenkins(Acts):
    """See `sources.protocols.ActingJenkins`."""

    @property
    def url(self) -> Clean:
        return URL

    @property
    def controller(self) -> Controller:
        model = self._model
        return Controller(clean(model.version), clean(model.session), timedelta(0), model.quieting_down, clean(self._user))

    async def who(self) -> Clean | None:
        return clean(self._user)

    async def work(self) -> Work:
        self._advance()
        model = self._model
        now = model.now
        flying = frozenset(ref_of(run.build) for run in model.runs.values() if run.build.pipeline)
        nodes = tuple(_node(one) for one in model.nodes.values())
        queue = tuple(_item(one, now) for one in model.waiting_items)
        return Work(nodes, queue, flying)

    async def jobs(self) -> tuple[Job, ...]:
        self._advance()
        return tuple(_job(one) for one in self._model.jobs.values())

    async def builds(self, job: str, count: int) -> tuple[Build, ...]:
        self._advance()
        try:
            declared = self._model.job(job)
        except MissingError:
            raise gone(f"job {job}") from None
        return tuple(_build(one, detailed=True) for one in declared.newest_first()[:count])

    async def build(self, ref: BuildRef) -> Build:
        return _build(self._made(ref), detailed=True)

    async def stages(self, ref: BuildRef) -> Stages:
        made = self._made(ref)
        if not made.pipeline:
            raise gone(f"list of stages of {ref}")
        now = self._model.now
        found = [_stage(one, now) for one in made.stages]
        running = made.building
        return Stages(ref, StageStatus(made.status().value), with_branches(found, running=running))

    async def stage_steps(self, ref: BuildRef, stage: str) -> tuple[tuple[Clean, Clean], ...]:
        made = self._made(ref)
        node = made.node(int(stage)) if stage.isdigit() else None
        steps = made.steps_of(node) if node is not None else []
        return tuple((clean(one.id), clean(one.name)) for one in steps if one.log is not None and one.log.size)

    async def tests(self, ref: BuildRef) -> tuple[FailedTest, ...]:
        made = self._made(ref)
        failed = [(case, suite) for suite in made.suites for case in suite.cases if case.failure is not None]
        return tuple(
            FailedTest(clean(case.name), clean(case.class_name), clean(case.failure[0] if case.failure else ""), 1)
            for case, _ in failed
        )

    async def log_size(self, ref: BuildRef, step: str | None = None) -> int:
        return self._log(ref, step)[0].size

    async def log(self, ref: BuildRef, start: int, step: str | None = None) -> AsyncGenerator[LogPart]:
        log, more = self._log(ref, step)
        text, end = log.read(start)
        whole = start > end
        yield LogPart(text.replace("\n", "\r\n").encode(), end, more, whole)
        yield LogPart(b"", end, more, whole)

    async def node_log(self, node: str) -> Clean:
        self._advance()
        machine = self._machine(node)
        return clean(machine.log, lines=True)

    async def monitors(self, node: str) -> Monitors | None:
        self._advance()
        told = self._machine(node).monitors
        if told is None:
            return None
        return Monitors(
            disk_free=told.disk_space,
            disk_path=clean(told.disk_path),
            temp_free=told.temporary_space,
            clock_off=timedelta(milliseconds=told.clock_difference),
            memory_free=told.available_memory,
            memory_total=told.total_memory,
            system=clean(told.architecture),
        )

    async def artifact(self, ref: BuildRef, path: str) -> AsyncGenerator[FilePart]:
        content = self._made(ref).artifacts.get(path)
        if content is None:
            raise gone(f"file {path} of {ref}")
        yield FilePart(content, len(content))

    async def queue_item(self, item_id: int) -> QueueItem | LeftItem:
        self._advance()
        found = self._model.queue.get(item_id)
        if found is None:
            raise gone(f"item {item_id} of the queue")
        if found.state is not State.LEFT:
            return _item(found, self._model.now)
        job = clean(found.job.full_name) if found.job is not None else None
        return LeftItem(item_id, job, ref_of(found.executable) if found.executable is not None else None, found.cancelled)

    async def aclose(self) -> None:
        """Nothing is open."""

    def _log(self, ref: BuildRef, step: str | None) -> tuple[RawLog, bool]:
        made = self._made(ref)
        if step is None:
            return made.log, made.building
        node = made.node(int(step)) if step.isdigit() else None
        if node is None or node.log is None:
            raise gone(f"log of {ref}")
        return node.log, node.ended_at is None


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _job(declared: Declared) -> Job:
    name = declared.full_name
    branch = isinstance(declared.parent, Multibranch)
    last = declared.last()
    return Job(
        full_name=clean(name),
        kind=JobKind.PIPELINE if declared.kind is Kind.PIPELINE else JobKind.FREESTYLE,
        buildable=declared.buildable,
        last=_build(last) if last is not None else None,
        shown=clean(f"{declared.parent.full_name}/{declared.branch}" if branch else name),
        name=clean(declared.branch if branch else declared.name),
    )


def _build(made: Made, *, detailed: bool = False) -> Build:
    plain = Build(
        ref=ref_of(made),
        building=made.building,
        result=Result(made.result) if made.result else None,
        started=_moment(made.left_queue_at),
        duration=None if made.building else timedelta(milliseconds=made.duration),
        estimated=timedelta(milliseconds=made.estimate) if made.estimate > 0 else None,
        pipeline=made.pipeline,
    )
    if not detailed:
        return plain
    from dataclasses import replace

    cases = [case for suite in made.suites for case in suite.cases]
    values = tuple(given(one) for one in made.parameters)
    asked = next((one.value for one in values if one.name == "COMMIT" and one.value), None)
    return replace(
        plain,
        detailed=True,
        name=clean(made.shown_name),
        description=clean(made.description or ""),
        causes=tuple(Cause(_CAUSES[one.kind], clean(one.text), _by(one.user, one.upstream)) for one in made.causes),
        parameters=values,
        commit=asked or (clean(made.checkouts[-1].commit) if made.checkouts else None),
        queue_id=made.queue_id,
        artifacts=tuple(
            Artifact(clean(path.rpartition("/")[2]), clean(path), exact=clean(path) == path) for path in made.artifacts
        ),
        tests=JUnit(len(cases), sum(one.failure is not None for one in cases), sum(one.skipped for one in cases))
        if made.suites
        else None,
        kept=made.keep,
    )


def _by(user: tuple[str, str] | None, upstream: tuple[str, str, int] | None) -> Clean | None:
    if upstream is not None:
        return clean(f"{upstream[0]} #{upstream[2]}")
    return clean(user[1]) if user is not None else None


def _stage(node: FlowNode, now: int) -> Stage:
    return Stage(
        id=clean(node.id),
        name=clean(node.name),
        status=StageStatus(node.status.value),
        started=_moment(node.started_at),
        duration=None if node.ended_at is None else timedelta(milliseconds=node.duration(now)),
        paused=timedelta(milliseconds=node.paused(now)),
        error=clean(node.failure.message) if node.failure is not None and node.failure.message else None,
    )


def _node(machine: Machine) -> Node:
    return Node(
        name=node_name(machine),
        controller=machine.built_in,
        offline=machine.offline,
        set_offline=machine.temporarily_offline is not None,
        reason=clean(machine.reason),
        executors=machine.executors,
        labels=tuple(clean(label) for label in machine.labels),
        running=tuple(ref_of(slot.build) for slot in machine.slots if slot is not None),
    )


def _item(item: Waiting, now: int) -> QueueItem:
    job = item.job
    title = (job.branch or job.name) if job is not None else ""
    return QueueItem(
        id=item.id,
        job=clean(job.full_name) if job is not None else None,
        title=clean(title),
        waits=_WAITS.get(item.state, Waits.BUILDABLE),
        why=clean(item.why(now) or ""),
        since=_moment(item.since),
        stuck=item.stuck,
        until=_moment(item.due) if item.state is State.WAITING else None,
        causes=tuple(Cause(_CAUSES[one.kind], clean(one.text), _by(one.user, one.upstream)) for one in item.causes),
        parameters=tuple(given(one) for one in item.parameters),
    )
