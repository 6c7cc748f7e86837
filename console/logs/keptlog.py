"""The log that a run has left in its folder: it is whole, and nothing comes any more."""

from __future__ import annotations

import asyncio
import time

from console.logs.buildtext import Stamper
from console.logs.lines import Kind, Line, Notice
from console.logs.origin import KeptLog
from console.logs.tail import Give
from console.model.source import SourceError, SourceState
from console.sources._blocking import Pool
from console.sources.runfolders import File, open_file
from console.text import clean

DISK_SECONDS = 30.0


class KeptLogError(SourceError):
    """The file cannot be read."""

    def __init__(self, log: KeptLog, why: str) -> None:
        super().__init__(SourceState.UNREACHABLE, clean(f"{log.path} cannot be read: {why}."))


class KeptTail:
    """Gives the lines of `log`, all from its beginning. They bear no times: each has that at which the file was last written.

    `since` leaves out what is older (nanoseconds since 1970).
    """

    behind = 0.0

    def __init__(self, log: KeptLog, *, since: int | None = None) -> None:
        self._log = log
        self._since = since

    async def run(self, give: Give) -> None:
        """As `BuildTail.run`, but never longer than what is there. Raises KeptLogError."""
        disk = Pool("kept log", 1)
        try:
            await self._read(disk, give)
        except (OSError, TimeoutError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else "the disk does not answer"
            raise KeptLogError(self._log, why) from None
        finally:
            disk.close()
        await give(Notice(Kind.NOW, time.time_ns(), clean("")))

    def unfinished(self) -> list[Line]:
        """None: nothing is being written."""
        return []

    async def _read(self, disk: Pool, give: Give) -> None:
        file = await disk.run(lambda: open_file(self._log.path), DISK_SECONDS)
        if file is None:
            raise KeptLogError(self._log, "it is no file any more")
        try:
            await self._lines(disk, file, give)
        finally:
            file.close()

    async def _lines(self, disk: Pool, file: File, give: Give) -> None:
        if self._since is not None and file.written < self._since:
            return
        reader = Stamper(file.written)
        while piece := await disk.run(file.piece, DISK_SECONDS):
            if lines := reader.feed(piece):
                await give(lines)
            await asyncio.sleep(0)
        if lines := reader.end():
            await give(lines)
