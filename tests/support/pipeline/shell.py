"""One `sh` step: a script, run as Jenkins' durable task runs it, its output, and the signals that a stop sends."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

_NAMES = {signal.SIGTERM: "Terminated", signal.SIGKILL: "Killed", signal.SIGINT: "Interrupt", signal.SIGHUP: "Hangup"}


def cookie(workspace: str) -> str:
    """What marks the processes of a step: made from the folder, so two steps in one folder are stopped together."""
    return "durable-" + hashlib.sha256(workspace.encode()).hexdigest()[:32]


def marked(mark: str) -> list[int]:
    """Every process whose environment holds the mark, children before their parents."""
    parents: dict[int, int] = {}
    wanted = f"JENKINS_SERVER_COOKIE={mark}".encode()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        # A process may end between being listed and being read.
        with contextlib.suppress(OSError):
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                stat = (entry / "stat").read_text().rsplit(")", 1)[1].split()
                if stat[0] != "Z":
                    parents[int(entry.name)] = int(stat[1])

    def depth(pid: int) -> int:
        return 1 + depth(parents[pid]) if parents.get(pid) in parents else 0

    return sorted(parents, key=depth, reverse=True)


def end_all(mark: str) -> None:
    """Kill, with -9, whatever holds the mark until nothing does."""
    while pids := marked(mark):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.005)


class Shell:
    """Started by its making. `lines()` gives what is new; `code` is None until the script has ended and all is read."""

    def __init__(
        self, script: str, folder: Path, control: Path, env: Mapping[str, str], *, stdout: bool, patience: float
    ) -> None:
        control.mkdir(parents=True)
        folder.mkdir(parents=True, exist_ok=True)
        path = control / "script.sh"
        path.write_text(script, encoding="utf-8")
        path.chmod(0o755)
        self.mark = env["JENKINS_SERVER_COOKIE"]
        self._patience = patience
        self._log = control / "jenkins-log.txt"
        self._out = control / "output.txt"
        self._read = 0
        self._rest = b""
        self._ended = False
        # A script with a first line of its own is run by what that names, any other one by sh -xe.
        command = [str(path)] if script.startswith("#!") else ["sh", "-xe", str(path)]
        with self._log.open("wb") as log, self._out.open("wb") as out:
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=out if stdout else log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def code(self) -> int | None:
        """The exit code as a shell gives it: 128 and the signal for a script that a signal has ended."""
        status = self._process.poll()
        return None if status is None else status if status >= 0 else 128 - status

    @property
    def stdout(self) -> str:
        return self._out.read_text(encoding="utf-8", errors="replace")

    def lines(self) -> Iterator[str]:
        """Whole lines that were not given before; after the end also the last one, and how it ended by a signal."""
        status = self._process.poll()
        with self._log.open("rb") as log:
            log.seek(self._read)
            data = log.read()
        self._read += len(data)
        *whole, self._rest = (self._rest + data).split(b"\n")
        if status is not None and not self._ended:
            self._ended = True
            if self._rest:
                whole.append(self._rest)
                self._rest = b""
            if status < 0:
                whole.append(_NAMES.get(signal.Signals(-status), f"signal {-status}").encode())
        for line in whole:
            yield line.decode("utf-8", errors="replace")

    def interrupt(self) -> None:
        """TERM to one marked process after the other, children first, each with a while to end; never more than that."""

        def each() -> None:
            for pid in marked(self.mark):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)
                end = time.monotonic() + self._patience / 4
                while time.monotonic() < end and pid in marked(self.mark):
                    time.sleep(0.01)

        threading.Thread(target=each, daemon=True).start()

    def kill_script(self) -> None:
        """End the script's own shell with -9 and nothing else."""
        self._process.kill()

    def kill_everything(self) -> None:
        """End every process of the step with -9, as the end of the agent's container does."""
        end_all(self.mark)
        self._process.wait()
