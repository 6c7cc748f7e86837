"""A freestyle build on its way: it holds an executor from its beginning to its end."""

from __future__ import annotations

from console.demo.controller.builds import STOPPED, Build
from console.demo.controller.heads import Flow, Head, InterruptedStepError, StepFailedError
from console.demo.controller.leaves import Leaves
from console.demo.controller.nodes import Node
from console.demo.controller.scope import Scope, World, workspace
from console.demo.controller.steps import Archive, Fail, Junit, Pipeline, Sh

START_MS = 30


class FreestyleRun(Leaves):
    """Runs the shell steps of a freestyle job one after the other; the first failure ends it."""

    def __init__(self, world: World, build: Build, script: Pipeline, node: Node, slot: int) -> None:
        super().__init__(world, build, timestamps=False)
        self._script = script
        self._node = node
        self._slot = slot
        self._head = Head(world, lambda _: None)

    def begin(self) -> None:
        self._head.begin(self._main())

    def interrupt(self, by: str, name: str) -> None:
        """A stop: ends the step that runs. `by` is a user id, `name` a full name."""
        self.build.interruptions.append((STOPPED, f"Aborted by {by}"))
        self.build.result = "ABORTED"
        self._by = name
        self._head.interrupt(InterruptedStepError())

    def kill(self) -> None:
        """The controller's process ended: a freestyle build does not live on."""
        self._head.drop()
        self._end("ABORTED")

    def _main(self) -> Flow:
        for cause in self.build.causes:
            self._cause_line(cause)
        place = workspace(self._node, self.build, self._slot)
        where = "the built-in node" if self._node.built_in else f"remotely on {self._node.name}"
        self._print("Running as SYSTEM")
        self._print(f"Building {'on ' if self._node.built_in else ''}{where} in workspace {place}")
        result, error = "SUCCESS", None
        try:
            yield self.world.now + START_MS
            for step in self._script.steps:
                if isinstance(step, Sh):
                    self._print(f"[{self.build.job.name}] $ /bin/sh -xe /tmp/jenkins{self.build.queue_id}.sh")
                    yield from self._sh(Scope(self._head, node=self._node), step)
                elif isinstance(step, (Archive, Junit, Fail)):
                    self._at_once(Scope(self._head, node=self._node), step)
        except StepFailedError as caught:
            error = caught
            result = caught.result
        if result == "ABORTED":
            self._print("Build was aborted")
            self._print(f"Aborted by {self._by}")
        elif error is not None:
            self._print("Build step 'Execute shell' marked build as failure")
        self._end(result if error else self.build.result or "SUCCESS")

    _by = ""

    def _pipeline_line(self, text: str, *, first: bool = False) -> None:
        """A freestyle console has no lines of Pipeline."""

    def _end(self, result: str) -> None:
        self._node.slots[self._slot] = None
        self.build.result = result
        self.build.building = False
        self.build.ended_at = self.world.now
        self._print(f"Finished: {result}")
        self.world.finished(self.build)
        self.world.maintain()
