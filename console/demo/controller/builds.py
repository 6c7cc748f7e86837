"""A build: what it was asked for, what became of it, its stages, log, artifacts and questions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from console.demo.controller.items import Kind
from console.demo.controller.parameters import ParameterValue
from console.demo.controller.rawlog import RawLog

if TYPE_CHECKING:
    from console.demo.controller.items import Job
    from console.demo.controller.steps import Case, Checkout, Input


class CauseKind(StrEnum):
    """The Java class of a cause."""

    USER = "hudson.model.Cause$UserIdCause"
    UPSTREAM = "org.jenkinsci.plugins.workflow.support.steps.build.BuildUpstreamCause"
    HOOK = "org.jenkinsci.plugins.gwt.GenericCause"
    BRANCH_EVENT = "jenkins.branch.BranchEventCause"
    INDEXING = "jenkins.branch.BranchIndexingCause"
    TIMER = "hudson.triggers.TimerTrigger$TimerTriggerCause"
    REPLAY = "org.jenkinsci.plugins.workflow.cps.replay.ReplayCause"


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a build was asked for. `user` is (id, full name); `upstream` is (job's full name, its path, number)."""

    kind: CauseKind
    text: str
    user: tuple[str, str] | None = None
    upstream: tuple[str, str, int] | None = None
    original: int | None = None


class Status(StrEnum):
    """Status of a run, a stage or a step as wfapi tells it."""

    SUCCESS = "SUCCESS"
    FAILED = "FAILED"
    ABORTED = "ABORTED"
    UNSTABLE = "UNSTABLE"
    IN_PROGRESS = "IN_PROGRESS"
    PAUSED = "PAUSED_PENDING_INPUT"
    NOT_EXECUTED = "NOT_EXECUTED"


INTERRUPTED = "org.jenkinsci.plugins.workflow.steps.FlowInterruptedException"
ABORT = "hudson.AbortException"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a stage or a step failed: `message` is None for an interruption; `type` is a Java class."""

    message: str | None
    type: str


@dataclass(slots=True)
class FlowNode:
    """A stage (`log` is None: its log is empty) or a step of it. Moments in milliseconds since 1970."""

    id: int
    name: str
    started_at: int
    stage: int | None = None
    parent: int | None = None
    ended_at: int | None = None
    status: Status = Status.IN_PROGRESS
    failure: Failure | None = None
    description: str | None = None
    log: RawLog | None = None
    paused_since: int | None = None
    paused_ms: int = 0
    masked_since: int | None = None
    branch: bool = False

    @property
    def shown_status(self) -> Status:
        """The status as wfapi tells it: a branch that runs beside others looks as if it had succeeded."""
        running = self.status is Status.IN_PROGRESS and self.masked_since is not None
        return Status.SUCCESS if running else self.status

    def duration(self, now: int) -> int:
        if self.ended_at is None and self.masked_since is not None:
            return self.masked_since - self.started_at
        return (self.ended_at if self.ended_at is not None else now) - self.started_at

    def paused(self, now: int) -> int:
        """Milliseconds that it has waited for a person, a lock or a node."""
        return self.paused_ms + (now - self.paused_since if self.paused_since is not None else 0)

    def pause(self, now: int) -> None:
        if self.paused_since is None:
            self.paused_since = now

    def go_on(self, now: int) -> None:
        if self.paused_since is not None:
            self.paused_ms += now - self.paused_since
            self.paused_since = None


@dataclass(slots=True)
class Question:
    """An input step that waits. `id` is capitalized as the server does it; `step` is what the script asked for."""

    id: str
    step: Input
    asked_at: int
    answer: dict[str, str | bool] | None = None
    by: tuple[str, str] | None = None
    rejected: bool = False
    wake: Callable[[], None] | None = None

    @property
    def open(self) -> bool:
        return self.answer is None and not self.rejected


@dataclass(slots=True)
class Suite:
    """One recorded test suite, with the stage that recorded it (names of the enclosing blocks and their ids)."""

    name: str
    cases: tuple[Case, ...]
    stages: tuple[tuple[int, str], ...] = ()
    step: int | None = None


# Why a build was interrupted, by Java class.
STOPPED = "jenkins.model.CauseOfInterruption$UserInterruption"
REJECTED = "org.jenkinsci.plugins.workflow.support.steps.input.Rejection"
DOWNSTREAM = "org.jenkinsci.plugins.workflow.support.steps.build.DownstreamFailureCause"
EXCEEDED = "org.jenkinsci.plugins.workflow.steps.TimeoutStepExecution$ExceededTimeout"
UNQUEUED = "org.jenkinsci.plugins.workflow.support.steps.ExecutorStepExecution$QueueTaskCancelled"


@dataclass(slots=True)
class Build:
    """One build of a job. `result` may be set while `building` is still true: then it is being ended.

    `interruptions` are (Java class, text).

    Moments are milliseconds since 1970: `left_queue_at` is api/json's `timestamp`, `started_at` wfapi's start.
    """

    job: Job
    number: int
    queue_id: int
    causes: list[Cause]
    parameters: tuple[ParameterValue, ...]
    left_queue_at: int
    started_at: int
    building: bool = True
    result: str | None = None
    ended_at: int | None = None
    display_name: str | None = None
    description: str | None = None
    keep: bool = False
    estimate: int = -1
    log: RawLog = field(default_factory=RawLog)
    nodes: list[FlowNode] = field(default_factory=list)
    artifacts: dict[str, bytes] = field(default_factory=dict)
    suites: list[Suite] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    approvers: list[str] = field(default_factory=list)
    checkouts: list[Checkout] = field(default_factory=list)
    interruptions: list[tuple[str, str]] = field(default_factory=list)
    asked: bool = False
    compiled: bool = True
    error: Failure | None = None
    built_on: str = ""
    replay_of: int | None = None
    graph: list[str] = field(default_factory=list)
    declarative: bool = False
    has_environment: bool = False

    @property
    def pipeline(self) -> bool:
        return self.job.kind is Kind.PIPELINE

    @property
    def duration(self) -> int:
        """api/json's duration: milliseconds, 0 while it runs."""
        return 0 if self.ended_at is None else self.ended_at - self.started_at

    @property
    def path(self) -> str:
        return f"{self.job.path}{self.number}/"

    @property
    def shown_name(self) -> str:
        return self.display_name or f"#{self.number}"

    @property
    def full_display_name(self) -> str:
        return f"{self.job.full_display_name} {self.shown_name}"

    @property
    def stages(self) -> list[FlowNode]:
        """The stages that have begun, in the order of their ids; nested ones after their parent."""
        return [node for node in self.nodes if node.log is None]

    @property
    def pending(self) -> list[Question]:
        return [question for question in self.questions if question.open]

    def steps_of(self, stage: FlowNode) -> list[FlowNode]:
        return [node for node in self.nodes if node.stage == stage.id and node.log is not None]

    def node(self, number: int) -> FlowNode | None:
        return next((node for node in self.nodes if node.id == number), None)

    def status(self) -> Status:
        """Status of the whole run as wfapi tells it."""
        if self.building:
            return Status.PAUSED if self.pending else Status.IN_PROGRESS
        if not self.compiled:
            return Status.NOT_EXECUTED
        if self.result == "NOT_BUILT":
            return Status.FAILED if self.error else Status.NOT_EXECUTED
        return {
            "SUCCESS": Status.SUCCESS,
            "UNSTABLE": Status.UNSTABLE,
            "ABORTED": Status.ABORTED,
        }.get(self.result or "", Status.FAILED)
