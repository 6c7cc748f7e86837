"""What the Groovy side asks for, one after the other: everything of a build that touches the machine or waits for something."""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.support.pipeline.places import ArgumentError, InterruptedStepError, JenkinsError, Locks, Node, Nodes, OfflineError
from tests.support.pipeline.shell import Shell, cookie

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
class _Timeout:
    number: str
    timer: threading.Timer


class Operations:
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
        self._timeouts: dict[str, _Timeout] = {}
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

    def answer(self, question: dict[str, Any]) -> object:
        """What `question` asks for; JenkinsError is thrown in the script."""
        handler: Callable[..., object] = getattr(self, "_" + str(question.pop("op")).replace("-", "_"))
        return handler(**question)

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

    def _console(self, line: str, stamp: bool) -> None:
        self.say(line, stamp=stamp)

    def _timestamps(self, on: bool) -> None:
        self._stamped = on

    def _build(self, name: str, value: object) -> None:
        with self.condition:
            self.build[name] = value
            self.condition.notify_all()

    def _stage(self, index: int, name: str, status: str) -> None:
        with self.condition:
            if index == len(self.stages):
                self.stages.append(Stage(name, status))
                self.events.append(("stage", name))
            self.stages[index].status = status
            self.condition.notify_all()

    def _node(self, label: str | None) -> object:
        with self.condition:
            node, why = self.nodes.find(label)
            if node is None:
                self.say("Still waiting to schedule task")
                self.say(why)
                self._wait(lambda: self.nodes.find(label)[0] is not None)
                node, _ = self.nodes.find(label)
            self._interrupted()
            assert node is not None
        workspace = (node.folder or self._folder / node.name) / "workspace" / re.sub(r"[^\w.-]", "_", self._job)
        workspace.mkdir(parents=True, exist_ok=True)
        self.marks.add(cookie(str(workspace)))
        self.say(f"Running on {node.name} in {workspace}")
        self.events.append(("node", node.name))
        env = {
            **node.env,
            "NODE_NAME": node.name,
            "NODE_LABELS": " ".join(sorted(node.labels | {node.name})),
            "EXECUTOR_NUMBER": "0",
            "WORKSPACE": str(workspace),
            "WORKSPACE_TMP": f"{workspace}@tmp",
        }
        return {"name": node.name, "folder": str(workspace), "env": env}

    def _release(self, node: str, folder: str) -> None:
        self.events.append(("release", node))

    def _here(self, node: str) -> None:
        with self.condition:
            if node in self.nodes.gone:
                why = f"Unable to create live FilePath for {node}; {node} was marked offline: Connection was broken"
                raise OfflineError(why)

    def _sh(self, node: str, folder: str, env: dict[str, str], script: str, label: str | None, stdout: bool) -> object:
        self._here(node)
        self._interrupted()
        workspace = env["WORKSPACE"]
        mark = cookie(workspace)
        process = {
            **self._path,
            **env,
            "JENKINS_SERVER_COOKIE": mark,
            "HUDSON_SERVER_COOKIE": "harness",
            "JENKINS_NODE_COOKIE": "harness",
            "PWD": folder,
        }
        step = Step(script, label, node, Path(folder), process)
        control = Path(f"{workspace}@tmp") / f"durable-{self._next():08x}"
        with self.condition:
            self.steps.append(step)
            self.events.append(("sh", label or script))
            self.lost = False
            self.shell = shell = Shell(script, Path(folder), control, process, stdout=stdout, patience=self.patience)
        try:
            step.code = self._follow(shell, node, control)
        finally:
            with self.condition:
                self.shell = None
        return {"code": step.code, "stdout": shell.stdout if stdout else None}

    def _follow(self, shell: Shell, node: str, control: Path) -> int:
        noticed = False
        while True:
            with self.condition:
                gone = node in self.nodes.gone
                if gone and not noticed:
                    noticed = True
                    self.say(
                        f'Cannot contact {node}: hudson.remoting.ChannelClosedException: Channel "hudson.remoting.Channel@1:{node}": '
                        f"Remote call on {node} failed. The channel is closing down or has closed down"
                    )
                try:
                    self._interrupted()
                except InterruptedStepError:
                    self._end(shell, node, gone)
                    raise
                if self.lost:
                    self.say(f"wrapper script does not seem to be touching the log file in {control}")
                    return -1
                if not gone:
                    # Asked before the lines are read, so that none is left behind.
                    code = shell.code
                    for line in shell.lines():
                        self.say(line)
                    if code is not None:
                        return code
                self.condition.wait(0.02)

    def _end(self, shell: Shell, node: str, gone: bool) -> None:
        if gone:
            self.say(f"Could not connect to {node} to send interrupt signal to process")
            return
        self.say("Sending interrupt signal to process")
        shell.interrupt()
        end = time.monotonic() + self.patience
        while time.monotonic() < end and node not in self.nodes.gone:
            code = shell.code
            for line in shell.lines():
                self.say(line)
            if code is not None:
                self.say(f"script returned exit code {code}")
                return
            self.condition.wait(0.02)
        self.say(f"After {self.patience:g}s process did not stop")

    def _sleep(self, seconds: float, **_: object) -> None:
        self.say(f"Sleeping for {seconds:g} sec")
        self._wait(lambda: False, seconds=seconds)

    def _exists(self, node: str, folder: str, file: str, **_: object) -> bool:
        self._here(node)
        return (Path(folder) / file).exists()

    def _read(self, node: str, folder: str, file: str, **_: object) -> str:
        self._here(node)
        try:
            return (Path(folder) / file).read_text(encoding="utf-8")
        except FileNotFoundError:
            raise JenkinsError(f"{Path(folder) / file} (No such file or directory)") from None

    def _write(self, node: str, folder: str, file: str, text: str, **_: object) -> None:
        self._here(node)
        path = Path(folder) / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def _delete(self, node: str, folder: str, **_: object) -> None:
        self._here(node)
        shutil.rmtree(folder, ignore_errors=True)

    def _checkout(self, node: str, folder: str, **_: object) -> object:
        self._here(node)
        if self._scm is None:
            raise JenkinsError(
                "‘checkout scm’ is only available when using “Multibranch Pipeline” or “Pipeline script from SCM”"
            )

        def git(*args: str) -> str:
            command = ["git", "-C", folder, *args]
            return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

        Path(folder).mkdir(parents=True, exist_ok=True)
        git("init", "--quiet")
        git("fetch", "--quiet", "--tags", "--force", str(self._scm), "+refs/heads/*:refs/remotes/origin/*")
        commit = git("rev-parse", f"origin/{self._branch}^{{commit}}")
        git("checkout", "--quiet", "-f", commit)
        self.say(f"Checking out Revision {commit} (origin/{self._branch})")
        self.say(f'Commit message: "{git("log", "-1", "--format=%s")}"')
        url = f"file://{self._scm}"
        return {"GIT_COMMIT": commit, "GIT_BRANCH": f"origin/{self._branch}", "GIT_URL": url}

    def _archive(self, node: str, folder: str, artifacts: str, excludes: str | None, **_: object) -> int:
        self._here(node)
        wanted, unwanted = ([_ant(one) for one in (each or "").split(",") if one.strip()] for each in (artifacts, excludes))
        found = 0
        for path in sorted(Path(folder).rglob("*")):
            name = path.relative_to(folder).as_posix()
            if (
                not path.is_file()
                or not any(one.fullmatch(name) for one in wanted)
                or any(one.fullmatch(name) for one in unwanted)
            ):
                continue
            kept = self._folder / "archive" / name
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, kept)
            self.archived[name] = kept
            found += 1
        return found

    def _lock(self, resource: str | None, label: str | None, quantity: int, skip: bool) -> object:
        number = self._next()
        taken: list[list[str]] = []
        with self.condition:
            shown = self.locks.names(resource, label, quantity)
            self.locks.announce(shown, resource)

            def take() -> bool:
                names = self.locks.take(number, shown, resource, label, quantity)
                if names:
                    taken.append(names)
                return bool(names)

            if not take():
                why = f"[{shown}] is locked{self.locks.holder(resource)}"
                if skip:
                    self.say(f"{why}, skipping execution...")
                    return {"id": number, "names": []}
                self.say(f"{why}, waiting...")
                self._wait(take)
            self.events.append(("lock", ",".join(taken[0])))
        return {"id": number, "names": taken[0]}

    def _unlock(self, id: int) -> None:  # noqa: A002 # the name that the question has
        with self.condition:
            self.events.append(("unlock", ",".join(self.locks.give(id))))
            self.condition.notify_all()

    def _timeout(self, seconds: float) -> str:
        number = str(self._next())
        timer = threading.Timer(seconds, self.expire, [number])
        timer.daemon = True
        with self.condition:
            self._timeouts[number] = _Timeout(number, timer)
        timer.start()
        self.say(f"Timeout set to expire in {_span(seconds)}")
        return number

    def _timeout_end(self, id: str) -> None:  # noqa: A002 # the name that the question has
        with self.condition:
            one = self._timeouts.pop(id, None)
            if one is not None:
                one.timer.cancel()
            if self._interrupt is not None and self._interrupt.block == id:
                self._interrupt = None

    def _bind(self, bindings: list[dict[str, str]], folder: str | None) -> object:
        number = self._next()
        env: dict[str, str] = {}
        secrets: list[str] = []
        for one in bindings:
            known = self._credentials_of(one)
            if isinstance(known, Path):
                place = Path(f"{folder}@tmp") / "secretFiles" / str(number) / known.name
                place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                place.write_bytes(known.read_bytes())
                place.chmod(0o400)
                env[one["variable"]] = str(place)
            else:
                env[one["variable"]] = known
                secrets.append(known)
            self.events.append(("credentials", one["credentialsId"]))
        with self.condition:
            self._secrets[number] = [one for one in secrets if one]
        self.say(f"Masking supported pattern matches of {' or '.join('$' + name for name in env)}")
        return {"id": number, "env": env}

    def _unbind(self, id: int) -> None:  # noqa: A002 # the name that the question has
        with self.condition:
            del self._secrets[id]

    def _credentials_of(self, one: Mapping[str, str]) -> str | Path:
        known = self._credentials.get(one["credentialsId"])
        if known is None:
            raise JenkinsError(f"Could not find credentials entry with ID '{one['credentialsId']}'")
        if one["value"] not in {"any", "file" if isinstance(known, Path) else "string"}:
            raise JenkinsError(f"Credentials '{one['credentialsId']}' is of another type than {one['value']}")
        return known

    def _input(self, id: str | None, message: str, ok: str | None, submitter: str | None, parameters: list[Any]) -> object:  # noqa: A002
        name = id or "Proceed"
        # Jenkins makes the first letter of an id a capital one.
        pending = Pending(name[:1].upper() + name[1:], message, submitter, parameters)
        with self.condition:
            self.pending = pending
            self.say("Input requested")
            try:
                self._wait(lambda: pending.answer is not None or pending.refused_by is not None)
            finally:
                self.pending = None
        if pending.refused_by is not None:
            self.say(f"Rejected by {pending.refused_by}")
            raise InterruptedStepError(f"Rejected by {pending.refused_by}")
        assert pending.answer is not None
        self.say(f"Approved by {pending.answer['by']}")
        return pending.answer


def _ant(pattern: str) -> re.Pattern[str]:
    """A pattern of Ant: two stars are any folders, one star stays in its folder, a folder's name means all below it."""
    text = pattern.strip().lstrip("/")
    text = text + "**" if text.endswith("/") else text
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", text)
    known = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(known.get(part) or re.escape(part) for part in parts))


def _span(seconds: float) -> str:
    """A time in the words of Jenkins: two units at most."""
    left = int(seconds)
    for size, unit, smaller, name in ((86400, "days", 3600, "hr"), (3600, "hr", 60, "min"), (60, "min", 1, "sec")):
        if left >= size:
            return f"{left // size} {unit} {left % size // smaller} {name}"
    return f"{left} sec"
