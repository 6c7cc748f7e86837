"""The steps that hold no other steps: printing, shells, sources, artifacts, tests, questions, other jobs."""

from __future__ import annotations

from datetime import UTC, datetime

from console.demo.controller.builds import (
    ABORT,
    DOWNSTREAM,
    Build,
    Cause,
    CauseKind,
    Failure,
    FlowNode,
    Question,
    Status,
    Suite,
)
from console.demo.controller.heads import Flow, InterruptedStepError, StepFailedError
from console.demo.controller.rawlog import LINK_NOTE, START_NOTE, STEP_NOTE, RawLog, note
from console.demo.controller.scope import Scope, World, workspace
from console.demo.controller.steps import (
    Archive,
    Call,
    Checkout,
    Describe,
    Fail,
    Input,
    Junit,
    Say,
    Sh,
    Step,
    Trigger,
    Unstable,
    Wait,
)

STEP_MS = 10
END = "StepEndNode"
PATIENCE_SECONDS = 20.0  # how long Jenkins waits for a process that it has told to end


_HEARTBEAT = (
    "JENKINS-48300: if on an extremely laggy filesystem, consider "
    "-Dorg.jenkinsci.plugins.durabletask.BourneShellScript.HEARTBEAT_CHECK_INTERVAL=86400"
)


class _ProcessLostError(Exception):
    """The process of a shell step has died with all others of its machine, at that moment (milliseconds)."""

    def __init__(self, at: int) -> None:
        super().__init__(at)
        self.at = at


def status_of(error: StepFailedError | None) -> Status:
    """What wfapi says about a stage or a step that ended with `error`."""
    if error is None:
        return Status.SUCCESS
    return {"ABORTED": Status.ABORTED, "NOT_BUILT": Status.NOT_EXECUTED}.get(error.result, Status.FAILED)


class Leaves:
    """The part of a run that prints and does single steps."""

    def __init__(self, world: World, build: Build, *, timestamps: bool) -> None:
        self.world = world
        self.build = build
        self._timestamps = timestamps
        self._last_id = 1

    def _ids(self, count: int, kind: str = "StepStartNode") -> int:
        """Take `count` ids of the flow graph, the last one is the answer. Jenkins counts blocks and their ends too.

        `kind` is the class of these nodes; empty for ids that are only reserved.
        """
        self._last_id += count
        if kind:
            self.build.graph += [kind] * count
        return self._last_id

    def _print(self, line: str, *, plain: bool = False) -> None:
        """One line of the console. `plain` lines never get a timestamp."""
        self.build.log.add(self._stamp() + line if self._timestamps and not plain else line)

    def _stamp(self) -> str:
        at = datetime.fromtimestamp(self.world.now / 1000, UTC)
        return f"[{at:%Y-%m-%dT%H:%M:%S}.{self.world.now % 1000:03d}Z] "

    def _pipeline_line(self, text: str, *, first: bool = False) -> None:
        self.build.log.add(f"{note(text, START_NOTE if first else STEP_NOTE)}[Pipeline] {text}")

    def _end_block(self, name: str) -> None:
        self._ids(2, END)
        self._pipeline_line("}")
        self._pipeline_line(f"// {name}")

    def _cause_line(self, cause: Cause) -> None:
        if cause.user is not None and cause.kind is CauseKind.USER:
            self.build.log.add(f"Started by user {note(cause.user[0], LINK_NOTE)}{cause.user[1]}")
        else:
            self.build.log.add(cause.text)

    def _open(self, scope: Scope, step: str, name: str, description: str | None = None) -> FlowNode:
        """Begin a step: its line in the console and its node in the flow graph."""
        self._pipeline_line(step)
        node = FlowNode(
            self._ids(1, "StepAtomNode"),
            name,
            self.world.now,
            stage=scope.stage.id if scope.stage else None,
            parent=self._last_id - 1,
            description=description,
            log=RawLog(),
        )
        self.build.nodes.append(node)
        return node

    def _close(self, node: FlowNode, error: StepFailedError | None = None) -> None:
        node.ended_at = self.world.now
        node.failure = error.failure if error else None
        if error is not None or node.status is Status.IN_PROGRESS:
            node.status = status_of(error)

    def _say(self, node: FlowNode, line: str) -> None:
        """A line of a step, in the console and in the step's own log."""
        self._print(line)
        if node.log is not None:
            # It is a part of the console, and has its times.
            node.log.add(self._stamp() + line if self._timestamps else line)

    def _leaf(self, scope: Scope, step: Step) -> Flow:
        if isinstance(step, Sh):
            yield from self._sh(scope, step)
        elif isinstance(step, Wait):
            yield from self._sleep(scope, step)
        elif isinstance(step, Input):
            yield from self._input(scope, step)
        elif isinstance(step, Trigger):
            yield from self._trigger(scope, step)
        else:
            self._at_once(scope, step)

    def _at_once(self, scope: Scope, step: Step) -> None:
        if isinstance(step, Say):
            line = step.line.replace("${currentBuild.currentResult}", self.build.result or "SUCCESS")
            node = self._open(scope, "echo", "Print Message", line)
            self._say(node, line)
            self._close(node)
        elif isinstance(step, Checkout):
            self._checkout(scope, step)
        elif isinstance(step, Archive):
            node = self._open(scope, "archiveArtifacts", "Archive the artifacts", step.pattern or step.path)
            self._say(node, "Archiving artifacts")
            self.build.artifacts |= dict(((step.path, step.content), *step.more))
            self._close(node)
        elif isinstance(step, Junit):
            self._junit(scope, step)
        elif isinstance(step, Unstable):
            node = self._open(scope, "unstable", "Set stage result to unstable", step.message)
            self._say(node, f"WARNING: {step.message}")
            self._close(node)
            self._unstable(scope)
        elif isinstance(step, Describe):
            self._describe(step)
        elif isinstance(step, Call):
            self._pipeline_line(step.name)
            self._ids(1, "StepAtomNode")
        elif isinstance(step, Fail):
            self._fail(scope, step)

    def _fail(self, scope: Scope, step: Fail) -> None:
        message = step.message if step.exit_code is None else f"script returned exit code {step.exit_code}"
        shell = step.exit_code is not None
        node = self._open(scope, "sh" if shell else "error", "Shell Script" if shell else "Error signal", step.message or None)
        if shell:
            self._say(node, f"+ exit {step.exit_code}")
        error = StepFailedError(Failure(message, ABORT))
        self._close(node, error)
        raise error

    def _describe(self, step: Describe) -> None:
        if step.display_name is not None:
            self.build.display_name = step.display_name
        if step.description is not None:
            self.build.description = step.description
        if step.result is not None:
            self.build.result = step.result

    def _unstable(self, scope: Scope) -> None:
        if scope.stage is not None and scope.stage.ended_at is None:
            scope.stage.status = Status.UNSTABLE
        if self.build.result in {None, "SUCCESS"}:
            self.build.result = "UNSTABLE"

    def _checkout(self, scope: Scope, step: Checkout) -> None:
        node = self._open(scope, step.step, "Git" if step.step == "git" else "Check out from version control")
        lines = step.lines or (
            "The recommended git tool is: NONE",
            "Fetching changes from the remote Git repository",
            f"Checking out Revision {step.commit} ({step.branch})",
            f'Commit message: "{step.message}"',
        )
        for line in lines:
            self._say(node, line)
        self.build.checkouts.append(step)
        self._close(node)

    def _junit(self, scope: Scope, step: Junit) -> None:
        node = self._open(scope, "junit", "Archive JUnit-formatted test results")
        self._say(node, "Recording test results")
        stages = ((scope.stage.id, scope.stage.name),) if scope.stage else ()
        self.build.suites.append(Suite(step.suite, step.cases, stages, node.id))
        self._close(node)
        if any(case.failure for case in step.cases):
            self._unstable(scope)

    def _sleep(self, scope: Scope, step: Wait) -> Flow:
        node = self._open(scope, "sleep", "Sleep", f"{step.seconds:g}")
        self._say(node, f"Sleeping for {step.seconds:g} sec")
        try:
            yield self.world.now + round(step.seconds * 1000)
        except StepFailedError as error:
            self._close(node, error)
            raise
        self._close(node)

    def _sh(self, scope: Scope, step: Sh) -> Flow:
        node = self._open(scope, "sh", "Shell Script", step.script)
        if scope.node is not None and not scope.node.connected:
            gone = scope.node.name
            words = f"Unable to create live FilePath for {gone}; {gone} was marked offline: {scope.node.reason}"
            offline = StepFailedError(Failure(words, "org.jenkinsci.plugins.workflow.support.steps.AgentOfflineException"))
            self._close(node, offline)
            raise offline
        code = step.exit_code
        try:
            yield from self._output(scope, step, node)
        except InterruptedStepError as error:
            yield from self._terminate(scope, step, node, error)
        except _ProcessLostError as lost:
            code = -1
            yield from self._missed(scope, node, lost)
        if code and not step.return_status:
            failed = StepFailedError(Failure(f"script returned exit code {code}", ABORT))
            self._close(node, failed)
            raise failed
        self._close(node)

    def _output(self, scope: Scope, step: Sh, node: FlowNode) -> Flow:
        """What a process prints, by its own clock: pauses are counted from its start, not from what was read."""
        machine, due = scope.node, float(self.world.now)
        if machine is not None:
            machine.processes.append(scope.head.wake)
        deaths = machine.deaths if machine is not None else 0
        try:
            for part in (*step.output, ""):
                if not isinstance(part, str):
                    due += part * 1000
                    continue
                while due > self.world.now and not (machine is not None and machine.deaths != deaths):
                    yield round(due)
                yield from self._contact(scope)
                if machine is not None and machine.deaths != deaths:
                    raise _ProcessLostError(machine.died_at)
                if part:
                    self._say(node, part)
        finally:
            if machine is not None:
                machine.processes.remove(scope.head.wake)

    def _missed(self, scope: Scope, node: FlowNode, lost: _ProcessLostError) -> Flow:
        """Jenkins notices a dead process by its log, which nobody touches any more: after two looks."""
        try:
            yield max(self.world.now, lost.at + round(2000 * self.world.heartbeat))
        except InterruptedStepError as error:
            self._close(node, error)
            raise
        place = workspace(scope.node, self.build, 0) if scope.node is not None else ""
        self._say(node, f"wrapper script does not seem to be touching the log file in {place}@tmp/durable-{node.id:08x}")
        self._say(node, f"({_HEARTBEAT})")

    def _contact(self, scope: Scope) -> Flow:
        """Wait while the node is away; its processes live on meanwhile."""
        node = scope.node
        if node is None or node.connected:
            return
        self._print(
            f"Cannot contact {node.name}: hudson.remoting.ChannelClosedException: Channel is closing or has closed down"
        )
        while not node.connected:
            node.waiters.append(scope.head.wake)
            yield None

    def _terminate(self, scope: Scope, step: Sh, node: FlowNode, error: InterruptedStepError) -> Flow:
        if scope.node is not None and not scope.node.connected:
            self._print(f"Could not connect to {scope.node.name} to send interrupt signal to process")
        else:
            self._print("Sending interrupt signal to process")
            try:
                yield self.world.now + round(min(step.stop_seconds, PATIENCE_SECONDS) * 1000)
            except InterruptedStepError as again:
                self._close(node, again)
                raise
            if step.stop_seconds > PATIENCE_SECONDS:
                self._print("After 20s process did not stop")
            else:
                for line in step.on_stop:
                    self._say(node, line)
                self._print("script returned exit code 143")
        self._close(node, error)
        raise error

    def _input(self, scope: Scope, step: Input) -> Flow:
        node = self._open(scope, "input", "Wait for interactive input", step.message)
        question = Question(step.id[:1].upper() + step.id[1:], step, self.world.now)
        self.build.questions.append(question)
        self.build.asked = True
        if step.parameters or step.submitter_parameter:
            self._print("Input requested")
        else:
            self._print(step.message)
            self._print(f"{step.ok} or Abort")
        stage = scope.stage
        for paused in (node, stage):
            if paused is not None:
                paused.pause(self.world.now)
                paused.status = Status.PAUSED
        question.wake = scope.head.wake
        error: StepFailedError | None = None
        try:
            while question.open:
                yield None
        except StepFailedError as stopped:
            error = stopped
            question.rejected = True
        who = question.by[1] if question.by else ""
        if error is None and question.rejected:
            error = InterruptedStepError(f"Rejected by {who}")
        for paused in (node, stage):
            if paused is not None:
                paused.go_on(self.world.now)
                paused.status = Status.IN_PROGRESS
        if error is not None:
            self._close(node, error)
            raise error
        self._print(f"Approved by {who}")
        self._close(node)

    def _trigger(self, scope: Scope, step: Trigger) -> Flow:
        node = self._open(scope, "build", "Build a job", step.job)
        self._say(node, f"Scheduling project: {step.job}")
        item = self.world.start_downstream(step.job, step.parameters, self.build)
        if item is None:
            error = StepFailedError(Failure(f"Failed to trigger build of {step.job}", ABORT))
            self._close(node, error)
            raise error
        if step.wait:
            self.world.when_started(item, scope.head.wake)
            while item.executable is None and not item.cancelled:
                yield None
            child = item.executable
            if child is None:
                cancelled = StepFailedError(Failure(f"Queue task was cancelled: {step.job}", ABORT))
                self._close(node, cancelled)
                raise cancelled
            self._say(node, f"Starting building: {child.full_display_name}")
            self.world.when_finished(child, scope.head.wake)
            try:
                while child.building:
                    yield None
            except InterruptedStepError as stopped:
                self.world.stop_downstream(child)
                # It is waited for all the same; a second stop does not wait.
                while child.building:
                    yield None
                self._say(node, f"Build {child.full_display_name} completed: {child.result}")
                self._close(node, stopped)
                raise
            self._say(node, f"Build {child.full_display_name} completed: {child.result}")
            if child.result not in {"SUCCESS", "UNSTABLE"}:
                words = f"{child.full_display_name} completed with status {child.result} (propagate: false to ignore)"
                self.build.interruptions.append((DOWNSTREAM, words))
                failed = InterruptedStepError(words)
                failed.result = child.result or "FAILURE"
                self._close(node, failed)
                raise failed
        self._close(node)
