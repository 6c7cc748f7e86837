"""A shell of the demo: it says that nothing in it is real, says after what is typed, and ends with `exit` or ctrl+d."""

from __future__ import annotations

import os

_WELCOME = b"This shell comes from the demo: nothing in it is real. exit or ctrl+d ends it.\r\n"
_PROMPT = b"demo$ "
_ENTER, _END, _RUB_OUT, _INTERRUPT = b"\r", b"\x04", b"\x7f", b"\x03"


class DemoShell:
    """See `sources.rawterminal.Shell`. What it writes goes through a pipe."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        self._line = b""

    def start(self, rows: int, columns: int) -> None:
        self._say(_WELCOME + _PROMPT)

    def resize(self, rows: int, columns: int) -> None:
        """It writes lines that are short enough for any window."""

    def fileno(self) -> int:
        return self._reader

    def read(self) -> bytes | None:
        try:
            return os.read(self._reader, 4096)
        except BlockingIOError:
            return None

    def write(self, typed: bytes) -> int:
        for number in typed:
            self._key(bytes([number]))
        return len(typed)

    def _key(self, key: bytes) -> None:
        if key == _ENTER:
            line, self._line = self._line.strip(), b""
            if line == b"exit":
                self._end()
                return
            self._say(b"\r\n" + (b"demo: " + line + b"\r\n" if line else b"") + _PROMPT)
        elif key == _END and not self._line:
            self._end()
        elif key == _INTERRUPT:
            self._line = b""
            self._say(b"^C\r\n" + _PROMPT)
        elif key == _RUB_OUT and self._line:
            self._line = self._line[:-1]
            self._say(b"\b \b")
        elif b" " <= key < _RUB_OUT:
            self._line += key
            self._say(key)

    def _say(self, data: bytes) -> None:
        if self._writer >= 0:
            os.write(self._writer, data)

    def _end(self) -> None:
        self._say(b"\r\n")
        self._hang_up()

    def status(self) -> int | None:
        return 0

    def close(self) -> None:
        self._hang_up()
        os.close(self._reader)

    def _hang_up(self) -> None:
        if self._writer >= 0:
            os.close(self._writer)
            self._writer = -1
