"""Two terminals for tests: tmux, which shows what a person sees, and a bare pty, which keeps every byte."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import shutil
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

from tests.support import leftovers, scratch
from tests.support.controls import control_kinds
from tests.support.waiting import DEADLINE, until_sync

__all__ = ["Pty", "Tmux", "control_kinds"]

_CHUNK = 65536
_PIECE_SECONDS = 0.1
_ASKED = b"\x1b[6n"


class Tmux:
    """A command in a tmux server of its own, in a window of the given size.

    Its environment is `environment` over PATH, a UTF-8 locale, an empty HOME and the usual terminal's variables.
    """

    def __init__(
        self, command: Sequence[str], columns: int = 120, rows: int = 36, environment: Mapping[str, str] | None = None
    ) -> None:
        self._folder = scratch.new_folder("t")
        self._socket = self._folder / "s"
        (self._folder / "home").mkdir()
        self._environment = _environment(self._folder, environment)
        try:
            # The server hands its own environment on, except for TERM, which is an option of it.
            self._tmux(
                *("start-server", ";"),
                *("set-option", "-g", "default-terminal", self._environment["TERM"], ";"),
                *("set-option", "-g", "remain-on-exit", "on", ";"),
                *("set-option", "-s", "escape-time", "0", ";"),
                *("set-option", "-g", "status", "off", ";"),
                *("new-session", "-d", "-x", str(columns), "-y", str(rows), "--", *command),
            )
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @property
    def home(self) -> Path:
        """The HOME of the command."""
        return Path(self._environment["HOME"])

    @property
    def pid(self) -> int:
        """Of the command."""
        return int(self._tmux("display-message", "-p", "#{pane_pid}"))

    def keys(self, *names: str) -> None:
        """Press keys by tmux's names (`Enter`, `C-c`, `q`), one after the other."""
        self._tmux("send-keys", "--", *names)

    def type(self, text: str) -> None:
        """Type text as it is."""
        self._tmux("send-keys", "-l", "--", text)

    def resize(self, columns: int, rows: int) -> None:
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def screen(self) -> str:
        """What the screen shows, one line a row, without colours."""
        return self._tmux("capture-pane", "-p")

    def styled(self) -> str:
        """The same with colours and other attributes, as SGR sequences."""
        return self._tmux("capture-pane", "-p", "-e")

    def wait_for(self, wanted: str | Callable[[str], bool], deadline: float = DEADLINE) -> str:
        """The first screen that holds the text or satisfies the predicate. Raises AssertionError with the last one."""
        test = (lambda screen: wanted in screen) if isinstance(wanted, str) else wanted
        end = time.monotonic() + deadline
        while not test(screen := self.screen()):
            if time.monotonic() > end:
                raise AssertionError(f"waited {deadline:g}s in vain for {wanted!r} on this screen:\n{screen}")
            time.sleep(0.005)
        return screen

    def wait(self, deadline: float = DEADLINE) -> int:
        """The command's exit status, once it has ended; 128 and the signal's number for one that a signal ended."""
        until_sync(self._status, "the command in tmux to end", deadline)
        status = self._pane("#{pane_dead_status}")
        return int(status) if status else 128 + int(self._pane("#{pane_dead_signal}"))

    def close(self) -> None:
        """End the command and the server. Harmless when done twice."""
        leftovers.sweep(self._folder)

    def _status(self) -> str:
        """The exit status or the signal; empty before the end."""
        server, dead, status = self._pane("#{pid}/#{pane_dead}/#{pane_dead_status}#{pane_dead_signal}").split("/")
        if dead == "1" and not status:
            # tmux 3.3a on a busy machine can miss the one SIGCHLD that would make it ask for the status.
            os.kill(int(server), signal.SIGCHLD)
        return status

    def _pane(self, form: str) -> str:
        return self._tmux("display-message", "-p", form).strip()

    def _tmux(self, *arguments: str) -> str:
        command = ["tmux", "-u", "-S", str(self._socket), "-f", "/dev/null", *arguments]
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, timeout=30, check=False)
        if done.returncode != 0:
            raise AssertionError(f"tmux {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout


class Pty:
    """A command in a pty and a session of its own. Everything it writes is kept.

    Its environment is made like that of `Tmux`. With `answers` it tells where its cursor is when it is asked. `rate` is the
    bytes that it reads in a second, as over a slow line.
    """

    def __init__(
        self,
        command: Sequence[str],
        columns: int = 120,
        rows: int = 36,
        environment: Mapping[str, str] | None = None,
        *,
        answers: bool = False,
        rate: int | None = None,
    ) -> None:
        self._answers = answers
        self._rate = rate
        self._hung_up = False
        self._closed = False
        self._folder = scratch.new_folder("p")
        (self._folder / "home").mkdir()
        self._data = bytearray()
        self._grown = threading.Condition()
        self._master, terminal = pty.openpty()
        try:
            fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            # setsid makes the pty the session's controlling terminal, so that ctrl-c in it is a signal.
            self._process = subprocess.Popen(
                ["setsid", "--ctty", *command],
                env=_environment(self._folder, environment),
                stdin=terminal,
                stdout=terminal,
                stderr=terminal,
            )
        except BaseException:
            os.close(self._master)
            shutil.rmtree(self._folder)
            raise
        finally:
            os.close(terminal)
        self._reader = threading.Thread(target=self._read, name="pty reader", daemon=True)
        self._reader.start()
        # Until then a ctrl-c that is typed would reach nobody.
        until_sync(self._in_charge, "the pty to be the command's terminal")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """Of the command, which leads its process group."""
        return self._process.pid

    @property
    def master(self) -> int:
        """The pty's other end, for its size and its modes."""
        return self._master

    def resize(self, columns: int, rows: int) -> None:
        """Make the window another one, which is a SIGWINCH for the command."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    @property
    def data(self) -> bytes:
        """Everything written so far."""
        with self._grown:
            return bytes(self._data)

    def hang_up(self) -> None:
        """Cut the line: the terminal is gone, and the kernel sends SIGHUP to whom it was in charge."""
        self._hung_up = True
        until_sync(lambda: not self._reader.is_alive(), "the pty's reader to end")
        os.close(self._master)
        self._master = -1

    def write(self, keys: bytes) -> None:
        """Type bytes."""
        os.write(self._master, keys)

    def wait_for(self, wanted: bytes | Callable[[bytes], bool], deadline: float = DEADLINE) -> bytes:
        """Everything written, as soon as it holds the bytes or the predicate is true. Raises AssertionError with it."""
        test = (lambda data: wanted in data) if isinstance(wanted, bytes) else wanted
        with self._grown:
            if self._grown.wait_for(lambda: test(bytes(self._data)), deadline):
                return bytes(self._data)
            raise AssertionError(f"waited {deadline:g}s in vain for {wanted!r} in {bytes(self._data)!r}")

    def wait(self, deadline: float = DEADLINE) -> int:
        """The exit status, with everything read that was written; negative is the signal that ended it."""
        until_sync(lambda: self._process.poll() is not None, "the command in the pty to end", deadline)
        self._reader.join(deadline)
        return self._process.wait()

    def close(self) -> None:
        """End the process group and forget the pty; `data` stays. Harmless when done twice."""
        if self._closed:
            return
        self._closed = True
        self._rate = None
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        self._process.wait()
        leftovers.sweep(self._folder)
        self._reader.join(DEADLINE)
        if self._master >= 0:
            os.close(self._master)
            self._master = -1

    def _in_charge(self) -> bool:
        return self._process.poll() is not None or os.tcgetpgrp(self._master) == self._process.pid

    def _read(self) -> None:
        while not self._hung_up:
            try:
                chunk = self._chunk()
            except OSError:
                # EIO: the last process that had the terminal open has ended.
                return
            if self._answers and chunk:
                self._tell_cursor(chunk)
            with self._grown:
                self._data += chunk
                self._grown.notify_all()

    def _chunk(self) -> bytes:
        """What can be read now, or nothing after a moment; at `rate` a piece in each tenth of a second."""
        if self._rate is not None:
            time.sleep(_PIECE_SECONDS)
        if not select.select([self._master], [], [], _PIECE_SECONDS)[0]:
            return b""
        return os.read(self._master, _CHUNK if self._rate is None else int(self._rate * _PIECE_SECONDS))

    def _tell_cursor(self, chunk: bytes) -> None:
        tail = bytes(self._data[-len(_ASKED) + 1 :]) + chunk
        for _ in range(tail.count(_ASKED)):
            os.write(self._master, b"\x1b[1;1R")


def _environment(folder: Path, given: Mapping[str, str] | None) -> dict[str, str]:
    """What both terminals give to a command. By the mark a terminal finds whatever the command started."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder / "home"),
        "LANG": "C.UTF-8",
        "TERM": "tmux-256color",
        "COLORTERM": "truecolor",
        **(given or {}),
        leftovers.MARKER: str(folder),
    }
