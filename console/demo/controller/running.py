"""A Pipeline on its way: the blocks (stages, nodes, locks, branches) and how a run begins and ends.

Blocks clean up after an error that they catch, never in a `finally`: a generator that is merely
thrown away must not print.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from console.demo.controller.builds import Build, FlowNode, Status
from console.demo.controller.heads import Flow, Head, InterruptedStepError, StepFailedError
from console.demo.controller.leaves import STEP_MS, Leaves, status_of
from console.demo.controller.nodes import Node
from console.demo.controller.queueing import Part, span
from console.demo.controller.scope import PostActions, Scope, World, workspace
from console.demo.controller.steps import Block, Broken, Lock, OnNode, Parallel, Pipeline, Stage, Step, Timeout

START_MS = 200
STILL_WAITING_MS = 15_000
_RANK = ("SUCCESS", "UNSTABLE", "FAILURE", "NOT_BUILT", "ABORTED")

_Caught = Generator[int | None, None, StepFailedError | None]


def worse(old: str | None, new: str) -> str:
    """The result of a build that had `old` when `new` comes: results only get worse."""
    return new if old is None or _RANK.index(new) > _RANK.index(old) else old


def _caught(flow: Flow) -> _Caught:
    """Run `flow`; what it raises is the answer instead."""
    try:
        yield from flow
    except StepFailedError as error:
        return error
    return None


@dataclass(slots=True)
class _Grant:
    node: Node | None = None
    number: int = 0
    over: bool = False


class Run(Leaves):
    """One running build of a Pipeline job."""

    def __init__(self, world: World, build: Build, script: Pipeline | Broken) -> None:
        super().__init__(world, build, timestamps=isinstance(script, Pipeline) and script.timestamps)
        self._script = script
        self._head = Head(world, lambda _: None)

    def begin(self) -> None:
        self._head.begin(self._main())

    def interrupt(self, by: str) -> None:
        """A stop: the steps that run now are told, the `post` steps still come."""
        self.build.interrupted = True
        self._print(f"Aborted by {by}", plain=True)
        self._head.interrupt(InterruptedStepError())

    def kill(self) -> None:
        """A hard kill: nothing of the script runs any more."""
        self._head.drop()
        self.build.interrupted = True
        for node in self.build.nodes:
            if node.ended_at is None:
                node.ended_at, node.status = self.world.now, Status.ABORTED
        self._end("ABORTED", "Hard kill!")

    def resumed(self, moment: str) -> None:
        """The controller is back after a restart."""
        self._print(f"Resuming build at {moment} after Jenkins restart", plain=True)
        self._print(f"Ready to run at {moment}", plain=True)

    def _main(self) -> Flow:
        for cause in self.build.causes:
            self._cause_line(cause)
        if self._script.source:
            self._print(f"Obtained Jenkinsfile from {self._script.source}", plain=True)
        yield self.world.now + START_MS
        if isinstance(self._script, Broken):
            self.build.compiled = False
            for line in self._script.errors:
                self._print(line, plain=True)
            self._end("FAILURE")
            return
        self._pipeline_line("Start of Pipeline", first=True)
        self._ids(1)
        error = yield from _caught(self._steps(Scope(self._head), self._whole(self._script)))
        self._pipeline_line("End of Pipeline")
        result = worse(self.build.result, error.result if error else "SUCCESS")
        self.build.error = error.failure if error else None
        line = ""
        if error is not None:
            line = error.line if error.result == "ABORTED" else f"ERROR: {error.failure.message}"
        self._end(result, line)

    def _whole(self, script: Pipeline) -> tuple[Step | PostActions, ...]:
        inner: tuple[Step | PostActions, ...] = script.steps
        if script.post:
            inner = (*inner, PostActions(script.post))
        return inner if script.agent is None else (OnNode(script.agent, inner),)  # type: ignore[arg-type]

    def _end(self, result: str, line: str = "") -> None:
        self.build.result = result
        self.build.building = False
        self.build.ended_at = self.world.now
        if line:
            self._print(line, plain=True)
        self._print(f"Finished: {result}", plain=True)
        self.world.finished(self.build)

    def _steps(self, scope: Scope, steps: Sequence[Step | PostActions]) -> Flow:
        failure: StepFailedError | None = None
        for step in steps:
            if isinstance(step, PostActions):
                yield from self._post_actions(scope, step)
            elif failure is None:
                failure = yield from _caught(self._step(scope, step))
                if failure is not None and self._declarative:
                    self.build.result = worse(self.build.result, failure.result)
            elif isinstance(step, Stage) and self._declarative:
                yield self.world.now + STEP_MS
                yield from self._stage(scope, step, failure)
        if failure is not None:
            raise failure

    @property
    def _declarative(self) -> bool:
        return isinstance(self._script, Pipeline) and self._script.declarative

    def _step(self, scope: Scope, step: Step) -> Flow:
        yield self.world.now + STEP_MS
        if isinstance(step, Stage):
            yield from self._stage(scope, step)
        elif isinstance(step, Parallel):
            yield from self._parallel(scope, step)
        elif isinstance(step, OnNode):
            yield from self._on_node(scope, step)
        elif isinstance(step, Lock):
            yield from self._locked(scope, step)
        elif isinstance(step, Timeout):
            yield from self._timed(scope, step)
        elif isinstance(step, Block):
            yield from self._block(scope, step)
        else:
            yield from self._leaf(scope, step)

    def _open_stage(self, scope: Scope, name: str) -> FlowNode:
        self._pipeline_line("stage")
        stage = FlowNode(self._ids(2), name, self.world.now, node=scope.node_name)
        if scope.stage is not None and scope.stage.ended_at is None:
            # A stage's own time ends where a nested one begins: wfapi counts them one after the other.
            self._stop_stage(scope.stage, Status.SUCCESS)
        self.build.nodes.append(stage)
        self._pipeline_line(f"{{ ({name})")
        return stage

    def _stop_stage(self, stage: FlowNode, status: Status, error: StepFailedError | None = None) -> None:
        stage.go_on(self.world.now)
        if stage.ended_at is not None:
            return
        stage.ended_at = self.world.now
        stage.failure = error.failure if error else None
        if error is not None or stage.status is not Status.UNSTABLE:
            stage.status = status

    def _stage(self, scope: Scope, step: Stage, earlier: StepFailedError | None = None) -> Flow:
        stage = self._open_stage(scope, step.name)
        yield self.world.now + STEP_MS
        error = earlier
        status = status_of(earlier)
        if earlier is not None:
            self._print(f'Stage "{step.name}" skipped due to earlier failure(s)', plain=True)
        elif not step.when:
            self._print(f'Stage "{step.name}" skipped due to when conditional', plain=True)
            status = Status.NOT_EXECUTED
        else:
            inner = replace(scope, stage=stage)
            error = yield from _caught(self._steps(inner, step.steps))
            if step.post:
                self._print("Post stage", plain=True)
                yield from self._always(inner, step.post)
            status = status_of(error)
        self._stop_stage(stage, status, error)
        self._end_block("stage")
        if error is not None and earlier is None:
            raise error

    def _always(self, scope: Scope, steps: tuple[Step, ...]) -> Flow:
        """Steps of a `post` section: when they fail or are stopped as well, the build goes on to its end."""
        error = yield from _caught(self._steps(scope, steps))
        if error is not None:
            self._print("Error when executing always post condition:", plain=True)
            self.build.result = worse(self.build.result, error.result)

    def _post_actions(self, scope: Scope, post: PostActions) -> Flow:
        yield self.world.now + STEP_MS
        stage = self._open_stage(scope, "Declarative: Post Actions")
        yield self.world.now + STEP_MS
        if self._declarative and self.build.result is None:
            self.build.result = "SUCCESS"
        yield from self._always(replace(scope, stage=stage), post.steps)
        if self.build.result == "SUCCESS":
            self.build.result = None
        self._stop_stage(stage, Status.SUCCESS)
        self._end_block("stage")

    def _parallel(self, scope: Scope, step: Parallel) -> Flow:
        self._pipeline_line("parallel")
        # Jenkins reserves an id for the head of each branch but the first before the branches get theirs.
        self._ids(len(step.stages))
        errors: list[StepFailedError] = []
        heads: list[Head] = []

        def ended(number: int, error: StepFailedError | None) -> None:
            scope.head.children.remove(heads[number])
            if error is not None:
                errors.append(error)
            if not scope.head.children:
                scope.head.wake()

        for number, branch in enumerate(step.stages):
            self._ids(1)
            self._pipeline_line(f"{{ (Branch: {branch.name})")
            heads.append(Head(self.world, partial(ended, number)))
        scope.head.children = list(heads)
        for head, branch in zip(heads, step.stages, strict=True):
            head.begin(self._branch(replace(scope, head=head), branch))
        while scope.head.children:
            yield None
        self._ids(1)
        self._pipeline_line("// parallel")
        if errors:
            raise max(errors, key=lambda error: _RANK.index(error.result))

    def _branch(self, scope: Scope, stage: Stage) -> Flow:
        error = yield from _caught(self._step(scope, stage))
        self._ids(1)
        self._pipeline_line("}")
        if error is not None:
            raise error

    def _on_node(self, scope: Scope, step: OnNode) -> Flow:
        self._pipeline_line("node")
        self._ids(2)
        grant = _Grant()

        def granted(node: Node, number: int) -> None:
            grant.node, grant.number = node, number
            scope.head.wake()

        item = self.world.request(Part(self.build, scope.stage.name if scope.stage else None, granted), step.label)

        def remind() -> None:
            if grant.node is None and not grant.over:
                self._print("Still waiting to schedule task")
                self._print(item.why(self.world.now) or "")

        self.world.at(self.world.now + STILL_WAITING_MS, remind)
        error = yield from _caught(self._paused(scope, lambda: grant.node is not None))
        if error is not None or grant.node is None:
            grant.over = True
            self.world.withdraw(item)
            if grant.node is not None:
                grant.node.slots[grant.number] = None
            self._ids(1)
            self._pipeline_line("// node")
            raise error or InterruptedStepError()
        node = grant.node
        self.build.built_on = self.build.built_on or ("" if node.built_in else node.name)
        self._print(f"Running on {'Jenkins' if node.built_in else node.name} in {workspace(node, self.build, grant.number)}")
        self._pipeline_line("{")
        error = yield from _caught(self._steps(replace(scope, node=node), step.steps))
        node.slots[grant.number] = None
        self.world.maintain()
        self._end_block("node")
        if error is not None:
            raise error

    def _locked(self, scope: Scope, step: Lock) -> Flow:
        self._pipeline_line("lock")
        self._ids(2)
        locks = self.world.locks
        self._print(f"Trying to acquire lock on [{step.resource}]")
        if step.resource not in locks:
            self._print(f"Resource [{step.resource}] did not exist. Created.")
        else:
            self._print("Found 0 available resource(s). Waiting for correct amount: 1.")
            self._print(f"[{step.resource}] is locked by {locks[step.resource].full_display_name}, waiting...")
            waiters = self.world.lock_waiters.setdefault(step.resource, [])
            waiters.append(scope.head.wake)
            error = yield from _caught(self._paused(scope, lambda: step.resource not in locks))
            waiters.remove(scope.head.wake)
            if error is not None:
                self._pipeline_line("// lock")
                raise error
        locks[step.resource] = self.build
        self._print(f"Lock acquired on [{step.resource}]")
        self._pipeline_line("{")
        error = yield from _caught(self._steps(scope, step.steps))
        self._ids(2)
        self._pipeline_line("}")
        self._print(f"Lock released on resource [{step.resource}]")
        self._pipeline_line("// lock")
        self.world.unlock(step.resource)
        if error is not None:
            raise error

    def _paused(self, scope: Scope, done: Callable[[], bool]) -> Flow:
        """Wait until somebody wakes the head and it is `done`; the stage counts the time as a pause."""
        if scope.stage:
            scope.stage.pause(self.world.now)
        while not done():
            yield None
        if scope.stage:
            scope.stage.go_on(self.world.now)

    def _block(self, scope: Scope, step: Block) -> Flow:
        self._pipeline_line(step.name)
        self._ids(2)
        self._pipeline_line("{")
        error = yield from _caught(self._steps(scope, step.steps))
        self._end_block(step.name)
        if error is not None:
            raise error

    def _timed(self, scope: Scope, step: Timeout) -> Flow:
        self._pipeline_line("timeout")
        self._ids(2)
        self._print(f"Timeout set to expire in {span(round(step.seconds * 1000))}")
        self._pipeline_line("{")
        over = False

        def expire() -> None:
            if not over and self.build.building:
                self._print("Cancelling nested steps due to timeout")
                scope.head.interrupt(InterruptedStepError("Timeout has been exceeded"))

        self.world.at(self.world.now + round(step.seconds * 1000), expire)
        error = yield from _caught(self._steps(scope, step.steps))
        over = True
        self._end_block("timeout")
        if error is not None:
            raise error
