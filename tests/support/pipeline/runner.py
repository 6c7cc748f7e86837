"""Runs a declarative Jenkinsfile for real, without a Jenkins: its Groovy on Java, its steps as processes on this machine.

with run(text, folder=tmp_path, params={"PROJECT": "project-a"}) as build:
    build.until("epoch 2")
    build.stop()
    assert build.result() == "ABORTED"
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from tests.support.pipeline.java import command
from tests.support.pipeline.operations import Operations, Stage, Step
from tests.support.pipeline.places import InterruptedStepError, JenkinsError, Node
from tests.support.pipeline.shell import end_all
from tests.support.waiting import until_sync

__all__ = ["Build", "Node", "Run", "Stage", "Step", "lint", "run"]

URL = "http://jenkins.test/"
DEADLINE = 60.0


@dataclass(frozen=True)
class Build:
    """Another build of the job, as `previousBuild` and `nextBuild` show it. `result` None: it is running."""

    number: int
    result: str | None = "SUCCESS"
    displayName: str = ""  # noqa: N815 # Jenkins' own names
    description: str | None = None
    timeInMillis: int = 0  # noqa: N815
    causes: Sequence[Mapping[str, str]] = ()
    buildVariables: Mapping[str, str] = field(default_factory=dict)  # noqa: N815

    def facts(self) -> dict[str, Any]:
        return {**asdict(self), "displayName": self.displayName or f"#{self.number}", "causes": list(self.causes)}


@dataclass(frozen=True)
class Findings:
    """`errors`: what Jenkins' own linter refuses; `more`: what it lets pass and the harness refuses."""

    errors: list[str]
    more: list[str]


class Run(Operations):
    """A build that runs. Everything that it shows may be read while it does; `result()` waits for its end."""

    def __init__(self, start: Mapping[str, Any], **places: Any) -> None:
        super().__init__(**places)
        self.refused: list[str] = []
        self.error: str | None = None
        self._done = threading.Event()
        self._noise = tempfile.TemporaryFile()  # noqa: SIM115 # closed by close()
        self.build = dict(start["build"])
        self._java = subprocess.Popen(
            command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._noise, text=True, encoding="utf-8"
        )
        for cause in start["build"]["causes"]:
            self.say(cause["shortDescription"])
        self._send(start)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @property
    def console(self) -> str:
        """The text of the console so far."""
        with self.condition:
            return "".join(line + "\n" for line in self.lines)

    @property
    def display_name(self) -> str:
        return str(self.build["displayName"])

    @property
    def description(self) -> str | None:
        return self.build.get("description")

    @property
    def held(self) -> list[str]:
        """The locks in the order in which they were taken."""
        return [name for what, name in self.events if what == "lock"]

    def statuses(self) -> dict[str, str]:
        """The status of each stage by its name, in order."""
        with self.condition:
            return {stage.name: stage.status for stage in self.stages}

    def until(self, text: str, count: int = 1, deadline: float = DEADLINE) -> Self:
        """Wait until the console holds the text, `count` times; fail with the whole console when the build ends before."""

        def seen() -> bool:
            ended = self._done.is_set()
            if self.console.count(text) >= count:
                return True
            assert not ended, f"the build has ended without {text!r}:\n{self.console}"
            return False

        try:
            until_sync(seen, repr(text), deadline)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.console}") from None
        return self

    def result(self, deadline: float = DEADLINE) -> str:
        """Wait for the end of the build; its result."""
        if not self._done.wait(deadline):
            raise AssertionError(f"the build did not end in {deadline:g} s:\n{self.console}")
        self._java.wait(deadline)
        return str(self.build["result"])

    @property
    def building(self) -> bool:
        return not self._done.is_set()

    def stop(self, by: str = "operator") -> None:
        """Press stop, as the user with this name. Again is allowed: it ends the step that runs then."""
        with self.condition:
            self.say(f"Aborted by {by}", stamp=False)
            self.build["result"] = "ABORTED"
            self.interrupt(InterruptedStepError(f"Aborted by {by}"))

    def time_out(self, which: int = -1) -> None:
        """Let a timeout pass now: 0 is the outermost one in force, -1 the innermost."""
        self.expire(self.timeouts[which])

    def kill_script(self) -> None:
        """End the shell of the step that runs with -9, and nothing else: the step gives 137."""
        self._running().kill_script()

    def lose_step(self, *, kill: bool = True) -> None:
        """Let the controller notice that the step is gone: it gives -1. `kill`: its processes have been ended with -9."""
        shell = self._running()
        with self.condition:
            self.lost = True
            if kill:
                shell.kill_everything()
            self.condition.notify_all()

    def cut(self, node: str = "trainer-1") -> None:
        """The connection to a node breaks. What runs there runs on."""
        with self.condition:
            self.nodes.gone.add(node)
            self.condition.notify_all()

    def back(self, node: str = "trainer-1") -> None:
        """The node is there again."""
        with self.condition:
            self.nodes.gone.discard(node)
            self.condition.notify_all()

    def free(self, resource: str) -> None:
        """Another build gives a lock back."""
        with self.condition:
            self.locks.free(resource)
            self.condition.notify_all()

    def approve(self, by: str = "operator", **values: object) -> None:
        """Approve the input that waits, with values for its parameters; PermissionError for whom `submitter` leaves out."""
        self._answer(by, {"by": by, "values": values})

    def reject(self, by: str = "operator") -> None:
        """Abort at the input that waits; PermissionError as for approve."""
        self._answer(by, None)

    def close(self) -> None:
        """End whatever is left of the build: Java, and every process of its steps."""
        self.close_timeouts()
        self._java.kill()
        self._java.wait()
        for mark in self.marks:
            end_all(mark)
        self._thread.join()
        for stream in (self._java.stdin, self._java.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
        self._noise.close()

    def _running(self) -> Any:
        until_sync(lambda: self.shell is not None or self._done.is_set(), "a step that runs")
        assert self.shell is not None, f"no step runs:\n{self.console}"
        return self.shell

    def _answer(self, by: str, answer: dict[str, Any] | None) -> None:
        until_sync(lambda: self.pending is not None or self._done.is_set(), "an input that waits")
        with self.condition:
            assert self.pending is not None, f"no input waits:\n{self.console}"
            allowed = [one.strip() for one in (self.pending.submitter or "").split(",") if one.strip()]
            if allowed and by not in allowed:
                raise PermissionError(f"{by} may not answer the input {self.pending.id}: only {', '.join(allowed)}")
            if answer is None:
                self.pending.refused_by = by
            else:
                self.pending.answer = answer
            self.condition.notify_all()

    def _send(self, message: Mapping[str, Any]) -> None:
        assert self._java.stdin is not None
        self._java.stdin.write(json.dumps(message) + "\n")
        self._java.stdin.flush()

    def _serve(self) -> None:
        assert self._java.stdout is not None
        for line in self._java.stdout:
            question = json.loads(line)
            if question["op"] == "done":
                self._finish(question)
                return
            with contextlib.suppress(BrokenPipeError):
                self._send(self._reply(question))
        self._java.wait()
        self._noise.seek(0)
        self._finish({"result": "FAILURE", "error": f"the harness has died:\n{self._noise.read().decode()}"})

    def _reply(self, question: dict[str, Any]) -> dict[str, Any]:
        try:
            return {"value": self.answer(question)}
        except JenkinsError as error:
            return {"error": error.kind, "message": str(error), "block": getattr(error, "block", None)}
        except Exception as error:  # whatever it is, the script must not wait for ever
            return {"error": "abort", "message": f"the harness failed: {error!r}"}

    def _finish(self, end: Mapping[str, Any]) -> None:
        with self.condition:
            self.refused = list(end.get("refused") or [])
            self.error = end.get("error")
            if self.error:
                self.say(self.error, stamp=False)
            order = ["SUCCESS", "UNSTABLE", "FAILURE", "NOT_BUILT", "ABORTED"]
            both = [end["result"], self.build.get("result") or "SUCCESS"]
            self.build["result"] = max(both, key=order.index)
            self.say(f"Finished: {self.build['result']}", stamp=False)
        self.close_timeouts()
        self._done.set()


def run(
    jenkinsfile: str | Path,
    *,
    folder: Path,
    job: str = "train",
    build: int = 1,
    params: Mapping[str, str | bool] | None = None,
    nodes: Iterable[Node] | None = None,
    node_env: Mapping[str, str] | None = None,
    branch: str | None = None,
    scm: Path | None = None,
    causes: Sequence[str | Mapping[str, str]] = ("Started by user operator",),
    history: Sequence[Build] = (),
    newer: Sequence[Build] = (),
    started: int | None = None,
    credentials: Mapping[str, str | Path] | None = None,
    resources: Mapping[str, Iterable[str]] | None = None,
    locked: Mapping[str, str] | None = None,
    gone: Iterable[str] = (),
    patience: float = 20.0,
) -> Run:
    """Start a build. `folder` gets workspaces and archive; `node_env` are the properties of one node `trainer-1`, unless `nodes`.

    `branch`: the build of a branch of a multibranch job (then `job` is like `mlops/main`). `scm`: a git repository that is
    checked out on each node of the declarative `agent`. `history` and `newer`: the other builds, nearest first. `started`: ms since
    the epoch. `credentials`: secret text, or a file, by id. `resources`: declared locks and their labels. `locked`: locks that
    another build (`train #3`) has. `gone`: nodes that are off line from the start. `patience`: seconds that a step has after a stop.
    """
    text = jenkinsfile.read_text(encoding="utf-8") if isinstance(jenkinsfile, Path) else jenkinsfile
    given = dict(params or {})
    address = "".join(f"job/{quote(part)}/" for part in job.split("/"))
    env = {
        **{name: str(value).lower() if isinstance(value, bool) else value for name, value in given.items()},
        "BUILD_DISPLAY_NAME": f"#{build}",
        "BUILD_ID": str(build),
        "BUILD_NUMBER": str(build),
        "BUILD_TAG": f"jenkins-{job.replace('/', '-')}-{build}",
        "BUILD_URL": f"{URL}{address}{build}/",
        "CI": "true",
        "JENKINS_URL": URL,
        "HUDSON_URL": URL,
        "JOB_BASE_NAME": job.rsplit("/", 1)[-1],
        "JOB_NAME": job,
        "JOB_URL": f"{URL}{address}",
        **({"BRANCH_NAME": branch} if branch is not None else {}),
    }
    facts = Build(
        build,
        None,
        timeInMillis=int(time.time() * 1000) if started is None else started,
        causes=[{"shortDescription": one} if isinstance(one, str) else dict(one) for one in causes],
    ).facts()
    facts |= {"projectName": job.rsplit("/", 1)[-1], "fullProjectName": job, "absoluteUrl": env["BUILD_URL"], "duration": 0}
    start = {
        "mode": "run",
        "text": text,
        "params": given,
        "env": env,
        "build": facts,
        "history": [one.facts() for one in history],
        "newer": [one.facts() for one in newer],
        "scm": scm is not None,
    }
    made = [Node(env=dict(node_env or {}))] if nodes is None else list(nodes)
    path = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "USER") if name in os.environ}
    return Run(
        start,
        folder=folder,
        job=job,
        nodes=made,
        scm=scm,
        branch=branch or "main",
        credentials=credentials or {},
        resources=resources or {},
        locked=locked or {},
        path=path,
        gone=gone,
        patience=patience,
    )


def lint(jenkinsfile: str) -> Findings:
    """What is wrong with a Jenkinsfile as far as can be seen without running it."""
    message = json.dumps({"mode": "lint", "text": jenkinsfile}) + "\n"
    done = subprocess.run(command(), input=message, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    answer = json.loads(done.stdout)
    return Findings(answer["errors"], answer["more"])
