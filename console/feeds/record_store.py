"""The history as a recorder writes it: in a thread of its own, opened anew where it was moved away."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from console.history import Bounds, HistoryError, Reader, Trouble, Writer
from console.model.history import Batch, PastRun, Point
from console.sources._blocking import Pool
from console.text import Clean, clean

T = TypeVar("T")
HELD, CACHE = 4000, 1024
"""Points of curves, and KiB of the file, that are kept in memory between two batches: what is not is read again, which for a
long curve takes some ten milliseconds, twice a minute."""

SECONDS = 60.0
_ANEW = (Trouble.NOT_THERE, Trouble.NO_DATABASE, Trouble.DAMAGED, Trouble.BROKEN)


class Store:
    """Every method raises HistoryError; the same call may be made again, and works once its cause is gone."""

    def __init__(self, path: Path, bounds: Bounds, *, make: Callable[[Path, Bounds], Writer] | None = None) -> None:
        self.path = path
        self._bounds = bounds
        self._make = make or (lambda where, kept: Writer(where, kept, held=HELD, cache=CACHE))
        self._pool = Pool("history", 1)
        self._writer: Writer | None = None
        self._reader: Reader | None = None
        self._closed = False
        self.opened = 0
        """How often a file was opened: what was recorded before is in another one."""

    async def open(self) -> None:
        """Take the lock, and make the file where there is none."""
        await self._run(self._open)

    def _open(self) -> Writer:
        if self._writer is None:
            self._writer = self._make(self.path, self._bounds)
            self._reader = Reader(self.path)
            self.opened += 1
        return self._writer

    async def record(self, batch: Batch) -> None:
        def work() -> None:
            writer = self._open()
            writer.record(batch)
            writer.beat()

        await self._run(work)

    async def run(self, key: str) -> PastRun | None:
        """What it has of a run; None where that is nothing."""

        def work() -> PastRun | None:
            self._open()
            assert self._reader is not None  # noqa: S101 - opened with the writer
            try:
                return self._reader.run(key)
            except HistoryError as error:
                if error.trouble is Trouble.NOT_THERE:
                    return None
                raise

        return await self._run(work)

    async def steps(self, key: str) -> dict[Clean, frozenset[int]]:
        """Of each metric of a run the steps that are known; nothing where the run is not."""

        def work() -> dict[Clean, frozenset[int]]:
            self._open()
            assert self._reader is not None  # noqa: S101 - as above
            try:
                found = self._reader.points(key)
            except HistoryError as error:
                if error.trouble is Trouble.NOT_THERE:
                    return {}
                raise
            return {name: _steps(points) for name, points in found.items()}

        return await self._run(work)

    async def note(self, name: str, words: str) -> None:
        await self._run(lambda: self._open().note(name, words))

    async def noted(self, name: str) -> str | None:
        return await self._run(lambda: self._open().noted(name))

    async def aclose(self) -> None:
        """What was recorded is on the disk. Closing twice does nothing."""
        if self._closed:
            return
        self._closed = True
        try:
            await self._pool.run(self._close, SECONDS)
        except TimeoutError:
            return
        finally:
            self._pool.close()

    async def _run(self, work: Callable[[], T]) -> T:
        try:
            return await self._pool.run(lambda: self._guarded(work), SECONDS)
        except TimeoutError:
            words = f"The history {self.path} does not answer within {SECONDS:.0f}s: its disk hangs."
            raise HistoryError(Trouble.BUSY, clean(words)) from None

    def _guarded(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except HistoryError as error:
            if error.trouble in _ANEW:
                self._close()
            raise

    def _close(self) -> None:
        writer, self._writer = self._writer, None
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()
        if writer is not None:
            writer.close()


def _steps(points: tuple[Point, ...]) -> frozenset[int]:
    return frozenset(one.step for one in points if one.step is not None)
