"""The terminal driver, with a meter: how much was written, and whether the terminal still takes it."""

from __future__ import annotations

from typing import IO, Any, cast

from textual.drivers.linux_driver import LinuxDriver

from console.ui.pace import Meter


class _Metered:
    """The file that Textual's writer thread writes to."""

    def __init__(self, file: IO[str], meter: Meter) -> None:
        self._file = file
        self._meter = meter

    def write(self, text: str) -> int:
        self._meter.written += len(text)
        with self._meter.busy():
            return self._file.write(text)

    def flush(self) -> None:
        with self._meter.busy():
            self._file.flush()

    def fileno(self) -> int:
        return self._file.fileno()

    def isatty(self) -> bool:
        return self._file.isatty()


class MeteredDriver(LinuxDriver):
    """Textual's driver for Linux, writing through a meter."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.meter = Meter()
        self._file = cast("Any", _Metered(cast("IO[str]", self._file), self.meter))
