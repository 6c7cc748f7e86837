"""A person's terminal given to a program elsewhere: every key goes there, and all that it writes comes here as it is.

Whatever happens in between, the terminal is afterwards as it was before: its modes (termios), and what the program had switched
on in it and was killed before it switched it off again (the alternate screen, the mouse, pasting in brackets).
"""

from __future__ import annotations

import fcntl
import os
import re
import select
import signal
import struct
import termios
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Protocol

from console.model.source import SourceError

_PIECE = 16 * 1024
_MOST_WAITING = 64 * 1024
_READS = 8
# Where no signal tells of a new size (another thread's terminal), it is looked at.
_LOOK_SECONDS = 1.0
_USUAL_SIZE = 24, 80
_ENDS = (signal.SIGTERM, signal.SIGHUP)
_PRIVATE = re.compile(rb"\x1b\[\?([0-9;]{1,40})([hl])|(\x1bc|\x1b\[!p)|\x1b([=>])")
_CUT = re.compile(rb"\x1b(?:\[(?:\?[0-9;]{0,40}|!)?)?\Z")
# Modes that a shell's own prompt does not need, and how they are left: most are off, the cursor and wrapping are on.
_OFF = (1, 5, 9, 47, 66, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1015, 1016, 1047, 1049, 2004, 2026)
_ON = (7, 25)


class Shell(Protocol):
    """A program at a terminal inside of a container. All of it blocks: it is for the thread that has the person's terminal.

    `start`, `resize` and `status` raise `SourceError`; `read` and `write` never do, as a connection that broke is its end.
    """

    def start(self, rows: int, columns: int) -> None:
        """Begin it, in a window of this size."""
        ...

    def resize(self, rows: int, columns: int) -> None: ...

    def fileno(self) -> int:
        """To wait on until there is something to read, or room to write."""
        ...

    def read(self) -> bytes | None:
        """What it has written; None where there is nothing yet, and nothing but b"" from the moment on when it has ended."""
        ...

    def write(self, typed: bytes) -> int:
        """How many of these bytes it has taken; 0 while there is no room."""
        ...

    def status(self) -> int | None:
        """Its exit status; None where nobody knows it, as with a container that was removed under it."""
        ...

    def close(self) -> None:
        """Let go of it. Once is enough. What still runs inside is not ended by that: Docker knows no way to."""
        ...


def converse(shell: Shell, into: int = 0, out: int = 1) -> int | None:
    """Start it and pass bytes both ways until it ends; `into` and `out` are descriptors of one terminal.

    Blocks. Raises SourceError where it does not start, and OSError where `into` is no terminal. SIGTERM and SIGHUP end it, too:
    their number is returned, for whoever has done what is left to do to send it again. In the main thread the size follows at
    once, elsewhere in a second.
    """
    with _Bell() as bell:
        marks = _Modes()
        try:
            with raw(into):
                shell.start(*size(out))
                _pass(shell, into, out, bell, marks)
        finally:
            if undo := marks.undo():
                with suppress(OSError):
                    os.write(out, undo)
        return bell.asked


def size(fd: int) -> tuple[int, int]:
    """Rows and columns; 24 and 80 of what does not tell."""
    try:
        rows, columns, _, _ = struct.unpack("HHHH", fcntl.ioctl(fd, termios.TIOCGWINSZ, bytes(8)))
    except OSError:
        return _USUAL_SIZE
    return (rows, columns) if rows and columns else _USUAL_SIZE


@contextmanager
def raw(fd: int) -> Iterator[None]:
    """Every key as it is typed, also ctrl+c; afterwards the modes are those of before."""
    try:
        before = termios.tcgetattr(fd)
    except termios.error as failed:
        raise OSError(*failed.args) from None
    try:
        tty.setraw(fd, termios.TCSANOW)
        yield
    finally:
        # A terminal that is gone has no modes.
        with suppress(termios.error):
            termios.tcsetattr(fd, termios.TCSANOW, before)


def _pass(shell: Shell, into: int, out: int, bell: _Bell, marks: _Modes) -> None:
    typed = bytearray()
    shown = size(out)
    listens, more = True, True
    while True:
        reading: list[int] = [shell.fileno(), bell.fileno()]
        if listens and len(typed) < _MOST_WAITING:
            reading.append(into)
        writing = [shell.fileno()] if typed else []
        ready, room, _ = select.select(reading, writing, [], 0.0 if more else bell.patience)
        if bell.rang():
            return
        if (now := size(out)) != shown:
            shown = now
            with suppress(SourceError):  # one that has just ended has no size
                shell.resize(*now)
        if into in ready:
            data = _read(into)
            listens = bool(data)
            typed += data
        if typed and (room or into in ready):
            del typed[: shell.write(bytes(typed[:_PIECE]))]
        if more or shell.fileno() in ready:
            more = False
            for _ in range(_READS):
                got = shell.read()
                if got == b"":
                    return
                if got is None:
                    break
                marks.seen(got)
                _write(out, got)
            else:
                more = True
        if not listens and not typed:
            return  # the terminal is gone, and whoever sat at it


def _read(fd: int) -> bytes:
    try:
        return os.read(fd, _PIECE)
    except OSError:
        return b""


def _write(fd: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(fd, rest) :]
        except BlockingIOError:
            select.select([], [fd], [])
        except OSError:
            return


class _Modes:
    """What a program has switched on in the terminal and not off again."""

    def __init__(self) -> None:
        self._changed: dict[int, None] = {}
        self._keypad = False
        self._begun = b""

    def seen(self, data: bytes) -> None:
        data = self._begun + data
        for found in _PRIVATE.finditer(data):
            numbers, how, reset, keypad = found.groups()
            if reset is not None:
                self._changed.clear()
                self._keypad = False
            elif keypad is not None:
                self._keypad = keypad == b"="
            else:
                for number in numbers.split(b";"):
                    self._switched(int(number or 0), on=how == b"h")
        cut = _CUT.search(data[-48:])
        self._begun = cut[0] if cut is not None else b""

    def _switched(self, mode: int, *, on: bool) -> None:
        if (mode in _OFF and on) or (mode in _ON and not on):
            self._changed[mode] = None
        else:
            self._changed.pop(mode, None)

    def undo(self) -> bytes:
        """What brings the terminal back, the newest first; nothing where nothing was left."""
        told = [f"\x1b[?{mode}{'h' if mode in _ON else 'l'}" for mode in reversed(self._changed)]
        told += ["\x1b>"] if self._keypad else []
        return "".join([*told, "\x1b[0m"] if told else []).encode()


class _Bell:
    """Rings when the terminal's size may have changed, and for good when this program is asked to end."""

    def __init__(self) -> None:
        self._before: dict[int, object] = {}
        self.asked: int | None = None
        self._reader = self._writer = -1
        self.patience = _LOOK_SECONDS

    def __enter__(self) -> _Bell:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        os.set_blocking(self._reader, False)
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGWINCH, *_ENDS):
                # What is ignored (nohup) is meant to change nothing.
                if number == signal.SIGWINCH or signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._ring)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)  # type: ignore[arg-type]  # what signal() has returned
        os.close(self._reader)
        os.close(self._writer)

    def fileno(self) -> int:
        return self._reader

    def rang(self) -> bool:
        """Whether it is time to end."""
        with suppress(BlockingIOError):
            os.read(self._reader, 4096)
        return self.asked is not None

    def _ring(self, number: int, _frame: FrameType | None) -> None:
        if number in _ENDS:
            self.asked = number
        with suppress(BlockingIOError):
            os.write(self._writer, b"!")
