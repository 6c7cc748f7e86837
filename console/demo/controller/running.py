"""A Pipeline on its way: how a run begins and ends, its stages and their `post` sections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import NAMESPACE_URL, uuid5

from console.demo.controller.blocks import Blocks, caught, worse
from console.demo.controller.builds import INTERRUPTED, STOPPED, Build, FlowNode, Status
from console.demo.controller.heads import Flow, Head, InterruptedStepError, StepFailedError
from console.demo.controller.leaves import STEP_MS, status_of
from console.demo.controller.queueing import span
from console.demo.controller.scope import Scope, World
from console.demo.controller.steps import (
    Block,
    Broken,
    Lock,
    OnNode,
    Parallel,
    Pipeline,
    Post,
    Retry,
    Stage,
    Step,
    Timeout,
    Try,
    WithPost,
)

START_MS = 200


class Run(Blocks):
    """One running build of a Pipeline job."""

    def __init__(self, world: World, build: Build, script: Pipeline | Broken) -> None:
        super().__init__(world, build, timestamps=isinstance(script, Pipeline) and script.timestamps)
        self._script = script
        self._head = Head(world, lambda _: None)

    def begin(self) -> None:
        self._head.begin(self._main())

    def interrupt(self, by: str, name: str) -> None:
        """A stop: the steps that run now are told, the `post` steps still come. `by` is a user id, `name` a full name."""
        self.build.interruptions.append((STOPPED, f"Aborted by {by}"))
        self._print(f"Aborted by {name}", plain=True)
        self._head.interrupt(InterruptedStepError())

    def kill(self) -> None:
        """A hard kill: nothing of the script runs any more."""
        self._head.drop()
        for node in self.build.nodes:
            if node.ended_at is None:
                node.ended_at, node.status = self.world.now, Status.ABORTED
        self._end("ABORTED", "Hard kill!")

    def resumed(self, moment: str) -> None:
        """The controller is back after a restart."""
        self._print(f"Resuming build at {moment} after Jenkins restart", plain=True)
        for deadline in self._deadlines:
            self._print(f"Timeout set to expire in {span(deadline - self.world.now)}")
        for node in self._nodes:
            if not node.built_in:
                self._print(f"Waiting for reconnection of {node.name} before proceeding with build", plain=True)
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
        self._ids(1, "FlowStartNode")
        error = yield from caught(self._steps(Scope(self._head), self._whole(self._script)))
        self._ids(1, "FlowEndNode")
        self._pipeline_line("End of Pipeline")
        result = worse(self.build.result, error.result if error else "SUCCESS")
        self.build.error = error.failure if error else None
        if error is not None and error.failure.type == INTERRUPTED:
            if error.line:
                self._print(error.line, plain=True)
            for branch in range(error.beside + 1):
                number = uuid5(NAMESPACE_URL, f"{self.build.full_display_name} {branch}")
                self._print(f"org.jenkinsci.plugins.workflow.actions.ErrorAction$ErrorId: {number}", plain=True)
        elif error is not None:
            self._print(f"ERROR: {error.failure.message}", plain=True)
        self._end(result)

    def _whole(self, script: Pipeline) -> tuple[Step, ...]:
        inner = (*script.steps, Post(script.post)) if script.post else script.steps
        return inner if script.agent is None else (OnNode(script.agent, inner),)

    def _end(self, result: str, line: str = "") -> None:
        self.build.result = result
        self.build.building = False
        self.build.ended_at = self.world.now
        if line:
            self._print(line, plain=True)
        self._print(f"Finished: {result}", plain=True)
        self.world.finished(self.build)

    def _steps(self, scope: Scope, steps: Sequence[Step]) -> Flow:
        failure: StepFailedError | None = None
        for step in steps:
            if isinstance(step, Post):
                yield from self._post_actions(scope, step, failure)
            elif failure is None:
                failure = yield from caught(self._step(scope, step))
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
        elif isinstance(step, WithPost):
            yield from self._with_post(scope, step)
        elif isinstance(step, Try):
            error = yield from caught(self._steps(scope, step.steps))
            if error is not None or not step.catches:
                yield from self._steps(scope, step.always)
            if error is not None and not step.catches:
                raise error
        elif isinstance(step, Retry):
            yield from self._retry(scope, step)
        elif isinstance(step, Block):
            yield from self._block(scope, step)
        else:
            yield from self._leaf(scope, step)

    def _open_stage(self, scope: Scope, name: str) -> FlowNode:
        self._pipeline_line("stage")
        stage = FlowNode(self._ids(2), name, self.world.now)
        if scope.stage is not None and scope.stage.ended_at is None:
            # A stage's own time ends where a nested one begins: wfapi counts them one after the other.
            self._stop_stage(scope.stage, Status.SUCCESS)
        if scope.beside is not None:
            stage.branch = True
            stage.masked_since = scope.beside[0].started_at if scope.beside else None
            scope.beside.append(stage)
        if scope.work is not None:
            # The executor is named after the stage that runs in its block now.
            scope.work.stage = name
        self.build.nodes.append(stage)
        self._pipeline_line(f"{{ ({name})")
        return stage

    def _stop_stage(self, stage: FlowNode, status: Status, error: StepFailedError | None = None) -> None:
        stage.go_on(self.world.now)
        if stage.ended_at is not None:
            return
        stage.ended_at = self.world.now
        stage.failure = error.failure if error and status is not Status.NOT_EXECUTED else None
        if error is not None or stage.status is not Status.UNSTABLE:
            stage.status = status

    def _stage(self, scope: Scope, step: Stage, earlier: StepFailedError | None = None) -> Flow:
        stage = self._open_stage(scope, step.name)
        yield self.world.now + STEP_MS
        error = earlier
        status = status_of(earlier)
        if earlier is not None:
            # Seen in the recording abort-train-stages: between stages the result is null again for a moment.
            if self.build.result == earlier.result:
                self.build.result = None
            self._print(f'Stage "{step.name}" skipped due to earlier failure(s)', plain=True)
        else:
            inner = replace(scope, stage=stage, beside=None)
            if step.ask is not None:
                error = yield from caught(self._leaf(inner, step.ask))
                status = status_of(error)
            if error is None and not step.when:
                skipped = f'Stage "{step.name}" skipped due to when conditional'
                self._print(skipped, plain=True)
                status = Status.NOT_EXECUTED
                yield from self._skip_inner(scope, stage, step.steps, skipped)
            elif error is None:
                error = yield from caught(self._with_post(inner, step))
                status = status_of(error)
        self._stop_stage(stage, status, error)
        self._end_block("stage")
        if error is not None and earlier is None:
            raise error

    def _skip_inner(self, scope: Scope, outer: FlowNode, steps: Sequence[Step], words: str) -> Flow:
        """The stages within one that is skipped are listed, with its reason; nothing of what stands around them is done."""
        for step in steps:
            if not isinstance(step, Stage):
                if isinstance(step, (Block, Lock, OnNode, Timeout, WithPost)):
                    yield from self._skip_inner(scope, outer, step.steps, words)
                continue
            self._stop_stage(outer, Status.NOT_EXECUTED)
            stage = self._open_stage(scope, step.name)
            yield self.world.now + STEP_MS
            self._print(words, plain=True)
            yield from self._skip_inner(scope, stage, step.steps, words)
            self._stop_stage(stage, Status.NOT_EXECUTED)
            self._end_block("stage")

    def _with_post(self, scope: Scope, step: Stage | WithPost) -> Flow:
        error = yield from caught(self._steps(scope, step.steps))
        if step.post or step.cleanup:
            self._print("Post stage", plain=True)
            yield from self._always(scope, step.post, "always")
            yield from self._always(scope, step.cleanup, "cleanup")
        if error is not None:
            raise error

    def _always(self, scope: Scope, steps: tuple[Step, ...], condition: str) -> Flow:
        """Steps of a `post` section: when they fail or are stopped as well, the build goes on to its end."""
        error = yield from caught(self._steps(scope, steps))
        if error is not None:
            self._print(f"Error when executing {condition} post condition:", plain=True)
            self.build.result = worse(self.build.result, error.result)

    def _post_actions(self, scope: Scope, post: Post, failure: StepFailedError | None) -> Flow:
        yield self.world.now + STEP_MS
        stage = self._open_stage(scope, "Declarative: Post Actions")
        yield self.world.now + STEP_MS
        self.build.result = worse(self.build.result, failure.result if failure else "SUCCESS")
        yield from self._always(replace(scope, stage=stage), post.steps, "always")
        if self.build.result == "SUCCESS":
            self.build.result = None
        self._stop_stage(stage, Status.SUCCESS)
        self._end_block("stage")
