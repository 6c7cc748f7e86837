"""The terminal driver: it counts what is written, knows what the terminal understands, and always leaves it as it was."""

from __future__ import annotations

import asyncio
import codecs
import errno
import io
import os
import selectors
import signal
import sys
import termios
import threading
import time
import tty
from codecs import getincrementaldecoder
from contextlib import suppress
from types import FrameType
from typing import IO, TYPE_CHECKING, Any, Protocol, cast

from rich.cells import cell_len
from textual._parser import ParseError
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

from console.model.terminals import has_second_screen, knows_questions
from console.ui.pace import Meter

if TYPE_CHECKING:
    from textual.app import App

LEAVE_SECONDS = 3.0
"""So long an end that a signal asked for may take; then the process ends whatever hangs in it."""

_LOOK_SECONDS = 0.1
_READ = 4096
_SECOND_SCREEN_ON = "\x1b[?1049h"
# No cursor, told of focus, pasted text in brackets, no wrapping.
_AGAIN = "\x1b[?25l\x1b[?1004h\x1b[?2004h\x1b[?7l"
_SECOND_SCREEN_OFF = "\x1b[?1049l"
_WIPE = "\x1b[m\x1b[H\x1b[2J"
# Asked of, or told to, terminals of today: others show letters of them.
_QUESTIONS = ("\x1b[>", "\x1b[<", "\x1b[?2026$p", "\x1b[?2048$p", "\x1b]22;")


class Leaving(Protocol):
    """What the driver asks of the app."""

    def leave(self, status: int) -> None:
        """End with this status; from any thread."""

    def failed(self, defect: BaseException) -> None:
        """End because of a defect; from any thread."""

    def come_back(self) -> None:
        """Draw everything again: others had the terminal."""


def _terminal() -> IO[str]:
    """Where the screen is written: as Textual has it to stderr, but not where that was led elsewhere (2> file)."""
    errors, output = sys.__stderr__, sys.__stdout__
    file = errors if errors is not None and errors.isatty() else output
    codecs.register_error("cells", _in_as_many_cells)
    if isinstance(file, io.TextIOWrapper):
        file.reconfigure(errors="cells")
    return cast("IO[str]", file)


def _in_as_many_cells(failed: UnicodeError) -> tuple[str, int]:
    """`?` for each cell of what the terminal's charset lacks: the rest of the row stays where it is."""
    assert isinstance(failed, UnicodeEncodeError)  # noqa: S101 - nothing else is asked of it
    return "?" * cell_len(failed.object[failed.start : failed.end]), failed.end


class _Metered:
    """The file that Textual's writer thread writes to. What a lost terminal does not take is dropped."""

    def __init__(self, file: IO[str], meter: Meter, lost: Any) -> None:
        self._file = file
        self._meter = meter
        self._lost = lost
        self._is_lost = False

    def write(self, text: str) -> int:
        self._meter.written += len(text)
        with self._meter.busy():
            return self._carefully(lambda: self._file.write(text)) or 0

    def flush(self) -> None:
        with self._meter.busy():
            self._carefully(self._file.flush)

    def _carefully(self, call: Any) -> Any:
        if self._is_lost:
            return None
        try:
            return call()
        except OSError:
            # The thread that writes must live: others wait for room in its queue. What is still buffered goes nowhere, and
            # cannot become the status that the program ends with.
            self._is_lost = True
            with suppress(OSError):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, self._file.fileno(), inheritable=False)
                os.close(nowhere)
            self._lost()
            return None

    def fileno(self) -> int:
        return self._file.fileno()

    def isatty(self) -> bool:
        return self._file.isatty()


class MeteredDriver(LinuxDriver):
    """Textual's driver for Linux, writing through a meter; it ends in order when a signal or a lost line ends the program."""

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)
        self.meter = Meter()
        self._file = cast("Any", _Metered(_terminal(), self.meter, self._lost))
        self._leaving = cast("Leaving", app)
        self._asks = knows_questions(os.environ)
        self._wipes = not has_second_screen(os.environ)
        self._running = False
        self._home: asyncio.AbstractEventLoop | None = None
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._told_to_end)

    def _get_terminal_size(self) -> tuple[int, int]:
        """The window's own size. COLUMNS and LINES would hold it where it was when the shell set them."""
        for number in (self.fileno, cast("_Metered", self._file).fileno()):
            with suppress(OSError):
                columns, rows = os.get_terminal_size(number)
                if columns and rows:
                    return columns, rows
        return 80, 24

    def write(self, data: str) -> None:
        if not self._asks and data.startswith(_QUESTIONS):
            return
        if self._wipes and data == _SECOND_SCREEN_OFF:
            data = _WIPE + data
        super().write(data)

    def start_application_mode(self) -> None:
        self._home = asyncio.get_running_loop()
        self._running = True
        super().start_application_mode()  # type: ignore[no-untyped-call]

    def stop_application_mode(self) -> None:
        self._running = False
        if self._mouse_pixels:
            self.write("\x1b[?1016l")
        super().stop_application_mode()

    def _sigcont_application(self, *_: object) -> None:
        if not self._auto_restart:
            return
        if not self._running:
            self.resume_application_mode()
        elif self._home is not None:
            # Stopped without being asked (SIGSTOP): the shell has changed the terminal's modes meanwhile.
            self._home.call_soon_threadsafe(self._renew)

    def _renew(self) -> None:
        """Take the terminal again. The threads never stopped, and what was typed meanwhile is for them."""
        if not self._running:
            return
        with suppress(termios.error):
            modes = termios.tcgetattr(self.fileno)
            modes[tty.IFLAG] = self._patch_iflag(modes[tty.IFLAG])
            modes[tty.LFLAG] = self._patch_lflag(modes[tty.LFLAG])
            modes[tty.CC][termios.VMIN] = 1
            termios.tcsetattr(self.fileno, termios.TCSANOW, modes)
        self.write(_SECOND_SCREEN_ON + _AGAIN)
        self._enable_mouse_support()
        self._leaving.come_back()

    def _told_to_end(self, number: int, _frame: FrameType | None) -> None:
        self._leave(128 + number)

    def _lost(self) -> None:
        """The terminal is gone: its line was cut while SIGHUP is ignored, or somebody revoked it."""
        self._leave(128 + signal.SIGHUP)

    def _leave(self, status: int) -> None:
        threading.Thread(target=self._end_anyway, args=(status,), name="last resort", daemon=True).start()
        self._leaving.leave(status)

    def _end_anyway(self, status: int) -> None:
        time.sleep(LEAVE_SECONDS)
        if self.attrs_before is not None:
            with suppress(termios.error):
                termios.tcsetattr(self.fileno, termios.TCSANOW, self.attrs_before)
        os._exit(status)

    def _run_input_thread(self) -> None:
        try:
            self.run_input_thread()
        except BaseException as defect:
            self._leaving.failed(defect)

    def run_input_thread(self) -> None:
        """Textual's, but that the end of the terminal ends the program: there it is read over and over, without a rest."""
        parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")("replace").decode
        selector = selectors.SelectSelector()
        selector.register(self.fileno, selectors.EVENT_READ)
        try:
            while not self.exit_event.is_set():
                if selector.select(_LOOK_SECONDS):
                    data = self._typed()
                    if not data:
                        self._lost()
                        return
                    for event in parser.feed(decode(data)):
                        self.process_message(event)
                for event in parser.tick():
                    self.process_message(event)
        finally:
            selector.close()
            with suppress(EOFError, ParseError):
                for _ in parser.feed(""):
                    pass

    def _typed(self) -> bytes:
        try:
            return os.read(self.fileno, _READ)
        except OSError as failed:
            if failed.errno in (errno.EIO, errno.ENXIO):
                return b""
            raise
