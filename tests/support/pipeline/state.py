"""The state of a build that runs: its console, its stages, what it waits for, what can interrupt it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.support.pipeline.places import InterruptedStepError, Locks, Node, Nodes
from tests.support.pipeline.shell import Shell

Answers = Mapping[str, object]


@dataclass
class Stage:
    """One line of the list of stages, as Jenkins' stage API has it."""

    name: str
    status: str


@dataclass
class Step:
    """One `sh` that was run: with which environment, on which node, and how it ended (None: it was given up)."""

    script: str
    label: str | None
    node: str
    folder: Path
    env: dict[str, str]
    code: int | None = None


@dataclass
class Pending:
    """An input that waits."""

    id: str
    message: str
    submitter: str | None
    parameters: list[dict[str, Any]]
    answer: dict[str, Any] | None = None
    refused_by: str | None = None


@dataclass
class Timeout:
    number: str
    timer: threading.Timer


class State:
    """The state of one build. `condition` guards everything; whoever changes what a step waits for notifies it."""

    def __init__(
        self,
        folder: Path,
        job: str,
        nodes: Iterable[Node],
        *,
        scm: Path | None,
        branch: str,
        credentials: Mapping[str, str | Path],
        resources: Mapping[str, Iterable[str]],
        locked: Mapping[str, str],
        path: Mapping[str, str],
        gone: Iterable[str],
        patience: float,
        sleeps: float,
    ) -> None:
        self.condition = threading.Condition(threading.RLock())
        self.lines: list[str] = []
        self.stages: list[Stage] = []
        self.steps: list[Step] = []
        self.archived: dict[str, Path] = {}
        self.events: list[tuple[str, str]] = []
        self.build: dict[str, Any] = {}
        self.pending: Pending | None = None
        self.shell: Shell | None = None
        self.marks: set[str] = set()
        self.nodes = Nodes(nodes)
        self.nodes.gone.update(gone)
        self.patience = patience
        self.sleeps = sleeps
        self.locks = Locks(resources, locked, self.say)
        self.lost = False
        self._folder = folder
        self._job = job
        self._scm = scm
        self._branch = branch
        self._credentials = credentials
        self._path = path
        self._stamped = False
        self._interrupt: InterruptedStepError | None = None
        self._timeouts: dict[str, Timeout] = {}
        self._secrets: dict[int, list[str]] = {}
        self._number = 0

    def say(self, text: str, *, stamp: bool = True) -> None:
        """Put lines into the console, with the time before them where `timestamps` is in force."""
        with self.condition:
            now = datetime.now(UTC)
            prefix = f"[{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z] " if stamp and self._stamped else ""
            for secret in sorted((one for each in self._secrets.values() for one in each), key=len, reverse=True):
                text = text.replace(secret, "****")
            self.lines.extend(prefix + line for line in text.split("\n"))
            self.condition.notify_all()

    def interrupt(self, error: InterruptedStepError) -> None:
        """End the step that runs or waits, or else the next one that would."""
        with self.condition:
            self._interrupt = error
            self.condition.notify_all()

    def expire(self, number: str) -> None:
        """The timeout with this number has passed."""
        with self.condition:
            if number in self._timeouts:
                self.say("Cancelling nested steps due to timeout")
                self.interrupt(InterruptedStepError("Timeout has been exceeded", number))

    @property
    def timeouts(self) -> list[str]:
        """The numbers of the timeouts in force, the outermost one first."""
        with self.condition:
            return list(self._timeouts)

    def close_timeouts(self) -> None:
        """Nothing goes off later."""
        with self.condition:
            for one in self._timeouts.values():
                one.timer.cancel()
            self._timeouts.clear()

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _wait(self, ready: Callable[[], object], *, seconds: float | None = None) -> bool:
        """Until `ready`; False after `seconds`. An interrupt is thrown."""
        end = None if seconds is None else time.monotonic() + seconds
        with self.condition:
            while not ready():
                self._interrupted()
                left = None if end is None else end - time.monotonic()
                if left is not None and left <= 0:
                    return False
                self.condition.wait(left)
            self._interrupted()
            return True

    def _interrupted(self) -> None:
        with self.condition:
            error, self._interrupt = self._interrupt, None
            if error is not None:
                raise error
