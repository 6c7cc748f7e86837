"""A crowded model controller behind its HTTP front, for a process of its own: its CPU is not that of who asks it.

    python -m bench.controller 200 40.0      200 jobs; a training takes 40 s

Prints one JSON object with its address, then answers each line of standard input with one. It ends with its input.
"""

from __future__ import annotations

import contextlib
import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

from console.demo.controller import Controller, Kind
from console.model.build import job_path
from tests.support.jenkins.crowd import USER, crowd
from tests.support.jenkins.server import JenkinsServer

AT_ONCE = 3
"""Pipelines that run while it is busy: two have a node, the third waits for one."""


class Remote:
    """That process, as who measures sees it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        self.url: str = json.loads(process.stdout.readline())["url"]

    def ask(self, what: str) -> dict[str, Any]:
        """`busy SECONDS`, `calm`, `spent` (since the last time), `end` (let one build end), `ended`, `startable`."""
        assert self._process.stdin is not None  # noqa: S101
        assert self._process.stdout is not None  # noqa: S101
        self._process.stdin.write(f"{what}\n")
        self._process.stdin.flush()
        found: dict[str, Any] = json.loads(self._process.stdout.readline())
        return found


@contextlib.contextmanager
def controller(jobs: int, training: float) -> Iterator[Remote]:
    command = [sys.executable, "-m", "bench.controller", str(jobs), str(training)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield Remote(process)
    finally:
        assert process.stdin is not None  # noqa: S101
        process.stdin.close()
        process.wait(20)


class _Traffic:
    """While it is busy three trainings are on their way; one that ends is followed by another one."""

    def __init__(self, model: Controller, server: JenkinsServer) -> None:
        self._model, self._server = model, server
        self._dice = random.Random(3)
        self._jobs = [one.full_name for one in model.jobs.values() if one.kind is Kind.PIPELINE and one.buildable]
        self._busy = False
        self.ended: list[tuple[str, int, float]] = []
        threading.Thread(target=self._work, daemon=True).start()

    def busy(self, between: float) -> None:
        """The second one begins `between` seconds after the first; with half a training between them one ends that often."""
        for _ in range(AT_ONCE - 1):
            self._start()
            time.sleep(between)
        self._busy = True

    def calm(self) -> None:
        self._busy = False
        while self._model.runs:
            self.end()
            time.sleep(0.2)

    def end(self) -> None:
        """Stop a build: it ends a moment later, as builds do."""
        with self._server.lock:
            if self._model.runs:
                self._model.stop(*next(iter(self._model.runs)), by=USER)

    def _start(self) -> None:
        with self._server.lock:
            idle = [name for name in self._jobs if not any(name == job for job, _ in self._model.runs)]
            item, _ = self._model.trigger(self._dice.choice(idle), by=USER, delay=0)
            self._model.when_started(item, lambda: self._note(item.executable))

    def _note(self, build: Any) -> None:
        def over() -> None:
            self.ended.append((build.job.full_name, build.number, build.ended_at / 1000))

        self._model.when_finished(build, over)

    def _work(self) -> None:
        while True:
            time.sleep(0.1)
            if self._busy and len(self._model.runs) < AT_ONCE:
                self._start()


def main() -> int:
    jobs, training = int(sys.argv[1]), float(sys.argv[2])
    model = crowd(lambda: time.time_ns() // 1_000_000, jobs, training=training)
    with JenkinsServer(model) as server:
        traffic = _Traffic(model, server)
        _tell(url=server.url)
        for line in sys.stdin:
            match line.split():
                case ["busy", seconds]:
                    traffic.busy(float(seconds))
                    _tell()
                case ["calm"]:
                    traffic.calm()
                    _tell()
                case ["end"]:
                    traffic.end()
                    _tell()
                case ["ended"]:
                    _tell(ended=traffic.ended)
                case ["startable"]:
                    found = [
                        one for one in model.jobs.values() if one.parameters and one.kind is Kind.PIPELINE and one.buildable
                    ]
                    _tell(jobs=[[one.name, "/" + job_path(one.full_name)] for one in found])
                case ["spent"]:
                    with server.lock:
                        _tell(requests=server.requests[:], sent=server.bytes_in, received=server.bytes_out)
                    server.forget()
    return 0


def _tell(**values: object) -> None:
    print(json.dumps(values), flush=True)


if __name__ == "__main__":
    sys.exit(main())
