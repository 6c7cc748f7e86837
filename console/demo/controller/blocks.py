"""The steps that hold others: nodes, locks, branches, timeouts, retries.

Blocks clean up after an error that they catch, never in a `finally`: a generator that is merely
thrown away must not print.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from console.demo.controller.builds import EXCEEDED, UNQUEUED, Build, Failure, FlowNode
from console.demo.controller.heads import Flow, Head, InterruptedStepError, StepFailedError
from console.demo.controller.leaves import END, Leaves
from console.demo.controller.nodes import Node
from console.demo.controller.queueing import Part, span
from console.demo.controller.scope import Scope, World, workspace
from console.demo.controller.steps import Block, Lock, OnNode, Parallel, Retry, Stage, Step, Timeout

STILL_WAITING_MS = 15_000
_RANK = ("SUCCESS", "UNSTABLE", "FAILURE", "NOT_BUILT", "ABORTED")

_Caught = Generator[int | None, None, StepFailedError | None]


def worse(old: str | None, new: str) -> str:
    """The result of a build that had `old` when `new` comes: results only get worse."""
    return new if old is None or _RANK.index(new) > _RANK.index(old) else old


def caught(flow: Flow) -> _Caught:
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


class Blocks(Leaves):
    """The part of a run that knows what stands around other steps."""

    def __init__(self, world: World, build: Build, *, timestamps: bool) -> None:
        super().__init__(world, build, timestamps=timestamps)
        self._deadlines: list[int] = []
        self._nodes: list[Node] = []

    def _steps(self, scope: Scope, steps: Sequence[Step]) -> Flow:
        """Do these steps one after the other."""
        raise NotImplementedError

    def _step(self, scope: Scope, step: Step) -> Flow:
        """Do one step of any kind."""
        raise NotImplementedError

    def _parallel(self, scope: Scope, step: Parallel) -> Flow:
        self._pipeline_line("parallel")
        # Jenkins reserves an id for the head of each branch but the first before the branches get theirs.
        self._ids(1)
        self._ids(len(step.stages) - 1, "")
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
        beside: list[FlowNode] = []
        for head, branch in zip(heads, step.stages, strict=True):
            head.begin(self._branch(replace(scope, head=head, beside=beside), branch))
        while scope.head.children:
            yield None
        self._ids(1, END)
        self._pipeline_line("// parallel")
        if errors:
            worst = max(errors, key=lambda error: _RANK.index(error.result))
            worst.beside = len(errors) - 1
            raise worst

    def _branch(self, scope: Scope, stage: Stage) -> Flow:
        error = yield from caught(self._step(scope, stage))
        self._ids(1, END)
        self._pipeline_line("}")
        if error is not None:
            self._print(f"Failed in branch {stage.name}", plain=True)
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
        error = yield from caught(self._paused(scope, lambda: grant.node is not None))
        if error is not None or grant.node is None:
            grant.over = True
            self.build.interruptions.append((UNQUEUED, "Queue task was cancelled"))
            self.world.withdraw(item)
            if grant.node is not None:
                grant.node.slots[grant.number] = None
            self._ids(1, END)
            self._pipeline_line("// node")
            raise error or InterruptedStepError()
        node = grant.node
        if scope.stage and scope.stage.branch and scope.stage.masked_since is None:
            scope.stage.masked_since = self.world.now
        self.build.built_on = self.build.built_on or ("" if node.built_in else node.name)
        self._print(f"Running on {'Jenkins' if node.built_in else node.name} in {workspace(node, self.build, grant.number)}")
        self._pipeline_line("{")
        self._nodes.append(node)
        error = yield from caught(self._steps(replace(scope, node=node, work=node.slots[grant.number]), step.steps))
        self._nodes.remove(node)
        node.slots[grant.number] = None
        self.world.maintain()
        self._end_block("node")
        if error is not None:
            raise error

    def _locked(self, scope: Scope, step: Lock) -> Flow:
        self._pipeline_line("lock")
        self._ids(2)
        locks, name = self.world.locks, step.shown
        named = [one for one, label in self.world.resources.items() if label == step.resource] if step.quantity else None
        if named is not None and not named:
            self._pipeline_line("// lock")
            raise StepFailedError(Failure(f"The label does not exist: {step.resource}", "java.lang.IllegalArgumentException"))
        wanted, many = (named, step.quantity) if named is not None else ([step.resource], 1)

        def free() -> list[str]:
            return [one for one in wanted if one not in locks]

        self._print(f"Trying to acquire lock on [{name}]")
        if len(free()) < many:
            self._print(f"Found {len(free())} available resource(s). Waiting for correct amount: {many}.")
            holder = f" by {locks[step.resource].full_display_name}" if named is None else ""
            self._print(f"[{name}] is locked{holder}, waiting...")
            waiters = self.world.lock_waiters.setdefault(step.resource, [])
            waiters.append(scope.head.wake)
            error = yield from caught(self._paused(scope, lambda: len(free()) >= many))
            waiters.remove(scope.head.wake)
            if error is not None:
                self._pipeline_line("// lock")
                raise error
        elif named is None and step.resource not in self.world.resources:
            self._print(f"Resource [{step.resource}] did not exist. Created.")
        held = free()[:many]
        locks.update(dict.fromkeys(held, self.build))
        self._print(f"Lock acquired on [{name}]")
        self._pipeline_line("{")
        error = yield from caught(self._steps(scope, step.steps))
        self._ids(2, END)
        self._pipeline_line("}")
        self._print(f"Lock released on resource [{name}]")
        self._pipeline_line("// lock")
        for one in held:
            self.world.unlock(one)
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
        error = yield from caught(self._steps(scope, step.steps))
        self._end_block(step.name)
        if error is not None:
            raise error

    def _retry(self, scope: Scope, step: Retry) -> Flow:
        self._pipeline_line("retry")
        self._ids(1)
        error: StepFailedError | None = None
        for attempt in range(step.times):
            if attempt:
                self._print(f"ERROR: {error.failure.message if error else ''}", plain=True)
                self._print("Retrying", plain=True)
            self._ids(1)
            self._pipeline_line("{")
            error = yield from caught(self._steps(scope, step.steps))
            self._ids(1, END)
            self._pipeline_line("}")
            if error is None or error.result == "ABORTED":
                break
        self._ids(1, END)
        self._pipeline_line("// retry")
        if error is not None:
            raise error

    def _timed(self, scope: Scope, step: Timeout) -> Flow:
        self._pipeline_line("timeout")
        self._ids(2)
        self._print(f"Timeout set to expire in {span(round(step.seconds * 1000))}")
        self._pipeline_line("{")
        deadline = self.world.now + round(step.seconds * 1000)
        self._deadlines.append(deadline)
        over = False

        def expire() -> None:
            if not over and self.build.building:
                self._print("Cancelling nested steps due to timeout")
                self.build.interruptions.append((EXCEEDED, "Timeout has been exceeded"))
                scope.head.interrupt(InterruptedStepError("Timeout has been exceeded"))

        self.world.at(deadline, expire)
        error = yield from caught(self._steps(scope, step.steps))
        over = True
        self._deadlines.remove(deadline)
        self._end_block("timeout")
        if error is not None:
            raise error
