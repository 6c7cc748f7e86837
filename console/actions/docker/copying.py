"""Files and folders out of a container: the Engine's tar, read by a thread as it comes."""

from __future__ import annotations

import asyncio
import contextlib
import posixpath
import queue
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any, TypeVar

from console.model.source import SourceError, SourceState
from console.sources._blocking import Pool
from console.sources.newfile import SaveError
from console.sources.protocols import EngineActs
from console.sources.reach import Reach
from console.sources.unpacking import NoArchiveError, Progress, Unpacked, single_file, unpack
from console.text import Clean, clean

_ON_THE_WAY = 8
_LONGEST = 24 * 3600.0
_PATIENCE = 10.0
T = TypeVar("T")

__all__ = ["copy_to", "final_place", "inside", "pour_to"]


def inside(path: str) -> str:
    """A path in a container as it is asked for: absolute, without `.` and `..`. Raises SaveError for the root, and for none."""
    if "\0" in path or not path:
        raise SaveError("Name a file or folder in the container: NAME:PATH")
    found = posixpath.normpath(f"/{path}").replace("//", "/")
    if found == "/":
        raise SaveError("That is all of the container: name a file or folder in it.")
    return found


def final_place(path: str, target: Path) -> Path:
    """What it will be called here: in a folder that is there it keeps its name, anything else is its new name.

    Raises SaveError where there is no folder to put it in.
    """
    try:
        place = target / posixpath.basename(path) if target.is_dir() else target
        above = place.parent.is_dir()
    except OSError as failed:
        raise SaveError(f"{target} cannot be used: {failed.strerror}.") from None
    if not above:
        raise SaveError(f"There is no folder {place.parent}.")
    if place.name in ("", ".", "..") or "\0" in str(place):
        raise SaveError(f"{target} is no name.")
    return place


async def copy_to(
    reach: Reach, container: Clean, path: str, place: Path, *, overwrite: bool, progress: Progress = lambda _done, _size: None
) -> Unpacked:
    """Copy `path` (see `inside`) of a container to `place` (see `final_place`), whole or not at all.

    `progress` is called in another thread. Raises SaveError where it cannot be saved, SourceError where it cannot be had; then,
    and when it is cancelled before it is whole, nothing is left of it. That is waited for, ten seconds at most: a disk that
    hangs keeps what it has until it goes on.
    """
    return await _through(
        reach.acts, container, path, lambda stream: unpack(stream, place, overwrite=overwrite, progress=progress)
    )


async def pour_to(
    reach: Reach,
    container: Clean,
    path: str,
    write: Callable[[bytes], object],
    *,
    progress: Progress = lambda _done, _size: None,
) -> int:
    """The same with the content of one file, to whatever takes bytes; how many there were. Raises what `write` raises, too."""
    return await _through(reach.acts, container, path, lambda stream: single_file(stream, write, progress))


async def _through(acts: EngineActs, container: Clean, path: str, work: Callable[[_Inflow], T]) -> T:
    inflow = _Inflow(asyncio.get_running_loop())
    disk = Pool("copy", 1)
    working = asyncio.create_task(disk.run(lambda: inflow.run(work), _LONGEST))
    try:
        async with aclosing(acts.copy_out(container, path)) as pieces:
            await _feed(pieces, inflow, working)
        inflow.end()
        return await asyncio.shield(working)
    except BaseException as error:
        called_off = await _given_up(inflow, working) or isinstance(error, asyncio.CancelledError)
        own = working.exception() if working.done() and not working.cancelled() else None
        if called_off or working.cancelled():
            raise asyncio.CancelledError from None
        raise _told(error if own is None or isinstance(own, _GivenUpError) else own) from None
    finally:
        disk.close()


def _told(error: BaseException) -> BaseException:
    if isinstance(error, NoArchiveError):
        return SourceError(SourceState.UNREACHABLE, clean(f"What Docker sent of it is no whole archive: {error}."))
    return error


async def _given_up(inflow: _Inflow, working: asyncio.Task[T]) -> bool:
    """Wait until the thread has taken everything away again: whoever goes on finds nothing of it. Whether it was cancelled
    meanwhile, as often as it likes: whoever ends the whole program cancels again what was cancelled before."""
    inflow.give_up()
    waited: set[asyncio.Future[Any]] = {inflow.left, working}
    cancelled = False
    now = asyncio.get_running_loop().time
    # A disk that hangs, or a reader who reads no more, must not keep the program.
    until = now() + _PATIENCE
    while not all(one.done() for one in waited) and (rest := until - now()) > 0:
        try:
            await asyncio.wait(waited, timeout=rest)
        except asyncio.CancelledError:
            cancelled = True
    return cancelled


async def _feed(pieces: AsyncGenerator[bytes], inflow: _Inflow, working: asyncio.Task[T]) -> None:
    """Hand over what comes, until all has come or nobody wants more of it."""
    async for piece in pieces:
        room = asyncio.create_task(inflow.room.acquire())
        try:
            await asyncio.wait({room, working}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            room.cancel()
        if working.done():
            return
        inflow.put(piece)


class _GivenUpError(Exception):
    """Whoever wanted it does not any more."""


class _Inflow:
    """Pieces of a stream for a thread that reads as from a file. All but `run` and `read` is the loop's.

    `left` is done when the thread does nothing more, and will not.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.room = asyncio.Semaphore(_ON_THE_WAY)
        # No task of the loop: those are cancelled when it ends, while the thread goes on.
        self.left: asyncio.Future[None] = loop.create_future()
        self._queue: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._held = b""
        self._over = False
        self._given_up = False
        self._begun = False
        self._lock = threading.Lock()

    def put(self, piece: bytes) -> None:
        self._queue.put(piece)

    def end(self) -> None:
        self._queue.put(None)

    def give_up(self) -> None:
        """What waits is not read any more."""
        with self._lock:
            self._given_up = True
            begun = self._begun
        self._queue.put(None)
        if not begun:
            self._leave()

    def run(self, work: Callable[[_Inflow], T]) -> T:
        with self._lock:
            if self._given_up:
                raise _GivenUpError
            self._begun = True
        try:
            return work(self)
        finally:
            with contextlib.suppress(RuntimeError):  # the loop has closed: nobody waits any more
                self._loop.call_soon_threadsafe(self._leave)

    def _leave(self) -> None:
        if not self.left.done():
            self.left.set_result(None)

    def read(self, count: int, /) -> bytes:
        """At most `count` bytes, and none at the end. Raises _GivenUpError as soon as nobody wants it any more."""
        while not self._held and not self._over:
            piece = self._queue.get()
            if piece is None:
                self._over = True
            else:
                self._loop.call_soon_threadsafe(self.room.release)
                self._held = piece
        if self._given_up:
            raise _GivenUpError
        found, self._held = self._held[:count], self._held[count:]
        return found
