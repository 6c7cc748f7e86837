"""Terminals to measure keys in: tmux, looked at every other millisecond, and one at the end of a slow line."""

from __future__ import annotations

import fcntl
import os
import pty
import shlex
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
import pyte

from tests.support.terminal import Tmux

PATIENCE = 5.0
"""Seconds after which a key that shows nothing counts as lost."""
_POLL = 0.002
_SIP = 64
"""Bytes read at once: 9 ms of a line of 56 kbit/s."""


class Eye:
    """Types into a tmux window and looks at it through one client that stays, so that a look takes no process."""

    def __init__(self, terminal: Tmux) -> None:
        self._pane = psutil.Process(terminal.pid)
        socket = self._pane.environ()["TMUX"].split(",")[0]
        command = ["tmux", "-u", "-S", socket, "-C", "attach-session", "-f", "no-output,ignore-size"]
        self._client = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")
        self._answer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._client.kill()
        self._client.communicate()

    def _ask(self, *words: str) -> str:
        assert self._client.stdin is not None  # noqa: S101 - it is a pipe
        self._client.stdin.write(shlex.join(words) + "\n")
        self._client.stdin.flush()
        return self._answer()

    def _answer(self) -> str:
        assert self._client.stdout is not None  # noqa: S101 - it is a pipe
        lines: list[str] | None = None
        end = ""
        for line in self._client.stdout:
            if lines is None and line.startswith("%begin "):
                lines, end = [], line.split(" ", 1)[1]
            elif lines is not None and line in (f"%end {end}", f"%error {end}"):
                return "".join(lines)
            elif lines is not None:
                lines.append(line)
        raise AssertionError("tmux has ended")

    def screen(self) -> str:
        return self._ask("capture-pane", "-p")

    def press(self, *keys: str) -> None:
        self._ask("send-keys", "--", *keys)

    def type(self, text: str) -> None:
        self._ask("send-keys", "-l", "--", text)

    def count_into(self, path: Path) -> None:
        """From now on what the program writes goes into this file too."""
        self._ask("pipe-pane", "-O", f"exec cat > {shlex.quote(str(path))}")

    def wait_for(self, wanted: Callable[[str], bool], deadline: float = PATIENCE) -> float | None:
        """Seconds until the screen is so; None when it was not in time."""
        begun = time.perf_counter()
        while not wanted(self.screen()):
            if time.perf_counter() - begun > deadline:
                return None
            time.sleep(_POLL)
        return time.perf_counter() - begun


class SlowTerminal:
    """A command in a pty whose other side is read at `rate` bytes a second and drawn as it comes.

    With `answers` it says where its cursor is when it is asked (`ESC[6n`), once it has drawn all that came before: as
    terminals do.
    """

    def __init__(
        self, command: Sequence[str], columns: int, rows: int, env: Mapping[str, str], rate: float, *, answers: bool
    ) -> None:
        self._rate = rate
        self._answers = answers
        self._screen = pyte.Screen(columns, rows)
        self._screen.write_process_input = self._answer  # type: ignore[method-assign]  # made to be replaced
        self._stream = pyte.ByteStream(self._screen)
        self._drawn = threading.Condition()
        self.taken = 0
        self.answered = 0
        self._master, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._process = subprocess.Popen(
            ["setsid", "--ctty", *command], env=dict(env), stdin=terminal, stdout=terminal, stderr=terminal
        )
        os.close(terminal)
        self._reader = threading.Thread(target=self._read, name="slow terminal", daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        self._process.wait()
        self._reader.join(10)
        os.close(self._master)

    @property
    def pid(self) -> int:
        """Of the command."""
        return self._process.pid

    def write(self, keys: bytes) -> None:
        """Type bytes."""
        os.write(self._master, keys)

    def screen(self) -> str:
        """What the screen shows now, one line a row."""
        with self._drawn:
            return "\n".join(self._screen.display)

    def wait_for(self, wanted: Callable[[str], bool], deadline: float) -> float | None:
        """Seconds until the screen is so; None when it was not in time."""
        begun = time.perf_counter()
        with self._drawn:
            if not self._drawn.wait_for(lambda: wanted("\n".join(self._screen.display)), deadline):
                return None
        return time.perf_counter() - begun

    def _answer(self, data: str) -> None:
        if self._answers and data.endswith("R"):
            self.answered += 1
            os.write(self._master, data.encode())

    def _read(self) -> None:
        due = time.perf_counter()
        while True:
            try:
                data = os.read(self._master, _SIP)
            except OSError:
                return  # EIO: the last process that had the terminal open has ended
            if not data:
                return
            # A line that was idle has saved nothing up. The bytes are there when their last one has come through.
            due = max(due, time.perf_counter()) + len(data) / self._rate
            time.sleep(max(0.0, due - time.perf_counter()))
            with self._drawn:
                self._stream.feed(data)
                self.taken += len(data)
                self._drawn.notify_all()
