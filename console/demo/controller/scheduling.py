"""The queue at work: who may start, on which executor, and why the others wait."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import cast

from console.demo.controller.builds import Build, Cause
from console.demo.controller.freestyle import FreestyleRun
from console.demo.controller.items import Job, Kind
from console.demo.controller.nodes import Node, Work
from console.demo.controller.parameters import ParameterValue
from console.demo.controller.queueing import LEFT_FOR_MS, Part, QueueItem, State, span
from console.demo.controller.running import Run
from console.demo.controller.scope import World
from console.demo.controller.steps import Jenkinsfile, Pipeline
from console.demo.controller.timeline import Timeline

TICK_MS = 5000  # the queue looks at quiet periods that often; a change makes it look at once


class Scheduling(Timeline):
    """Queue, executors and the builds that run."""

    def __init__(self, clock: Callable[[], int]) -> None:
        super().__init__(clock)
        self.queue: dict[int, QueueItem] = {}
        self.nodes: dict[str, Node] = {}
        self.quieting_down = False
        self.quiet_period = 5.0
        self.locks: dict[str, Build] = {}
        self.lock_waiters: dict[str, list[Callable[[], None]]] = {}
        self.resources: dict[str, str] = {}  # those of the configuration: label by name
        self.heartbeat = 300.0  # seconds between two looks at the log of a silent process
        self.runs: dict[tuple[str, int], Run | FreestyleRun] = {}
        self.next_queue_id = 1
        self._ticking = False
        self._look_due = False
        self._started: dict[int, list[Callable[[], None]]] = {}
        self._ended: dict[tuple[str, int], list[Callable[[], None]]] = {}

    @property
    def waiting_items(self) -> list[QueueItem]:
        """What the queue lists: everything that has not left, in the order Jenkins shows it."""
        order = (State.WAITING, State.BLOCKED, State.BUILDABLE)
        items = [item for item in self.queue.values() if item.state is not State.LEFT]
        return sorted(items, key=lambda item: (order.index(item.state), -item.id if item.state is State.BUILDABLE else item.id))

    def enqueue(
        self,
        job: Job,
        parameters: tuple[ParameterValue, ...],
        causes: Sequence[Cause],
        quiet: float | None,
        *,
        replay_of: int | None = None,
        script: Jenkinsfile | None = None,
    ) -> tuple[QueueItem, bool]:
        """Queue a build, or fold the request into an equal item: then the second answer is True. `quiet` in seconds."""
        same = next((item for item in self.queue.values() if item.same_as(job, parameters)), None)
        if same is not None:
            same.causes.extend(causes)
            return same, True
        wait = job.quiet_period if quiet is None else quiet
        wait = self.quiet_period if wait is None else wait
        item = self._new_item(job=job, parameters=parameters, causes=list(causes), replay_of=replay_of, script=script)
        item.due = self.now + round(wait * 1000)
        item.label = job.label
        self.maintain()
        self._keep_ticking()
        return item, False

    def request(self, part: Part, label: str) -> QueueItem:
        item = self._new_item(part=part, label=label)
        item.due = self.now
        self.maintain()
        self._keep_ticking()
        return item

    def withdraw(self, item: QueueItem) -> None:
        if item.state is not State.LEFT:
            self._leave(item, cancelled=True)

    def maintain(self) -> None:
        if not self._look_due:
            self._look_due = True
            self.at(self.now + 1, self._look)

    def unlock(self, resource: str) -> None:
        self.locks.pop(resource, None)
        # All are told, the one that has waited longest is called first and has it; the others look and wait on.
        label = self.resources.get(resource, "")
        for wake in [*self.lock_waiters.get(resource, ()), *self.lock_waiters.get(label, ())]:
            wake()

    def when_started(self, item: QueueItem, call: Callable[[], None]) -> None:
        if item.executable is not None:
            call()
        else:
            self._started.setdefault(item.id, []).append(call)

    def when_finished(self, build: Build, call: Callable[[], None]) -> None:
        if not build.building:
            call()
        else:
            self._ended.setdefault((build.job.full_name, build.number), []).append(call)

    def finished(self, build: Build) -> None:
        key = (build.job.full_name, build.number)
        self.runs.pop(key, None)
        for resource in [name for name, holder in self.locks.items() if holder is build]:
            self.unlock(resource)
        for node in self.nodes.values():
            node.slots = [None if work is not None and work.build is build else work for work in node.slots]
        for call in self._ended.pop(key, []):
            call()
        self.maintain()

    def _new_item(self, **values: object) -> QueueItem:
        item = QueueItem(self.next_queue_id, self.now, **values)  # type: ignore[arg-type]
        self.next_queue_id += 1
        self.queue[item.id] = item
        return item

    def _keep_ticking(self) -> None:
        if not self._ticking:
            self._ticking = True
            self.at(self.now + TICK_MS - (self.now - self.started_at) % TICK_MS, self._tick)

    def _tick(self) -> None:
        self._ticking = False
        self._look()
        if any(item.state is not State.LEFT for item in self.queue.values()):
            self._keep_ticking()

    def _look(self) -> None:
        """One round of queue maintenance, oldest items first."""
        self._look_due = False
        for item in list(self.queue.values()):
            if item.state is State.LEFT:
                continue
            if item.state is State.WAITING:
                if item.due > self.now:
                    continue
                item.buildable_since = self.now
            if item.part is not None:
                self._place(item)
            elif item.job is not None:
                blocker = self._blocker(item.job)
                if blocker:
                    item.state, item.blocked_by, item.stuck = State.BLOCKED, blocker, False
                else:
                    self._place(item)

    def _blocker(self, job: Job) -> str:
        if job.concurrent:
            return ""
        running = next((build for build in job.newest_first() if build.building), None)
        if running is None:
            return ""
        left = running.estimate - (self.now - running.started_at)
        eta = "N/A" if running.estimate < 0 or left <= 0 else span(left)
        return f"Build {running.shown_name} is already in progress (ETA: {eta})"

    def _place(self, item: QueueItem) -> None:
        item.state = State.BUILDABLE
        item.stuck = False
        if self.quieting_down and item.part is None:
            item.waits_for = "Jenkins is about to shut down"
            return
        if item.job is not None and item.job.kind is Kind.PIPELINE:
            self._start(item, item.job)
            return
        for node in self._for_label(item.label):
            number = node.free_slot()
            if number is None:
                continue
            if item.part is not None:
                self._grant(item, item.part, node, number)
            elif item.job is not None:
                self._start(item, item.job, node, number)
            return
        item.waits_for, item.stuck = self._reason(item.label)

    def _for_label(self, label: str) -> list[Node]:
        return [node for node in self.nodes.values() if node.executors and node.takes(label)]

    def _reason(self, label: str) -> tuple[str, bool]:
        """Jenkins' sentence for an item that nothing can take now, and whether it counts as stuck."""
        nodes = self._for_label(label)
        online = [node for node in nodes if not node.offline]
        if online:
            busy = f" on ‘{label}’" if label and not any(node.name == label for node in online) else ""
            alone = f" on ‘{online[0].name}’" if label and len(nodes) == 1 else busy
            return f"Waiting for next available executor{alone}", False
        if len(nodes) == 1:
            return f"‘{nodes[0].name}’ is offline", True
        if nodes:
            return f"All nodes of label ‘{label}’ are offline" if label else "All nodes are offline", True
        return f"There are no nodes with the label ‘{label}’", True

    def _grant(self, item: QueueItem, part: Part, node: Node, number: int) -> None:
        node.slots[number] = Work(part.build, self.now, stage=part.stage, part=True)
        self._leave(item)
        part.granted(node, number)

    def _leave(self, item: QueueItem, *, cancelled: bool = False) -> None:
        item.state = State.LEFT
        item.cancelled = cancelled
        item.stuck = False
        self.at(self.now + LEFT_FOR_MS, partial(self._forget, item))

    def _forget(self, item: QueueItem) -> None:
        # A restart may have begun the ids anew: the number may belong to another item by now.
        if self.queue.get(item.id) is item:
            del self.queue[item.id]

    def _start(self, item: QueueItem, job: Job, node: Node | None = None, slot: int = 0) -> Build:
        estimate = job.estimate()
        build = Build(
            job,
            job.next_number,
            item.id,
            item.causes,
            item.parameters,
            left_queue_at=self.now,
            started_at=self.now + 2,
            estimate=estimate,
            replay_of=item.replay_of,
        )
        job.builds[build.number] = build
        job.next_number += 1
        if item.part is None:
            self._leave(item)
        item.executable = build
        script = self._script(item, build)
        build.declarative = isinstance(script, Pipeline) and script.declarative and build.pipeline
        build.has_environment = isinstance(script, Pipeline) and script.environment
        world = cast(World, self)
        run: Run | FreestyleRun
        if node is not None and isinstance(script, Pipeline):
            build.built_on = "" if node.built_in else node.name
            node.slots[slot] = Work(build, self.now)
            run = FreestyleRun(world, build, script, node, slot)
        else:
            run = Run(world, build, script)
        self.runs[job.full_name, build.number] = run
        self.at(self.now + 2, run.begin)
        if job.learns is not None and isinstance(script, Pipeline):
            job.parameters, job.learns = job.learns, None
        if item.script is None:
            job.read_options()
        for call in self._started.pop(item.id, []):
            call()
        return build

    def _script(self, item: QueueItem, build: Build) -> Jenkinsfile:
        if isinstance(item.script, Pipeline):
            return item.script
        script = build.job.script
        made = script(build) if callable(script) else script
        return replace(made)
