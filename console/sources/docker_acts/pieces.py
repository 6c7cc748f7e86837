"""Pieces of a stream on their way from the thread that reads it to the loop, a few at a time."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from threading import Semaphore

_ON_THE_WAY = 16


class Pieces:
    """`put` and `end` are the thread's, `get` and `close` the loop's. Whoever is faster waits for the other."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._queue: asyncio.Queue[bytes | BaseException | None] = asyncio.Queue()
        self._room = Semaphore(_ON_THE_WAY)
        self._closed = False

    def put(self, piece: bytes) -> bool:
        """Hand it over, as soon as there is room. False when nobody wants it any more."""
        self._room.acquire()
        if self._closed:
            return False
        return self._hand_over(piece)

    def end(self, error: BaseException | None) -> None:
        """Nothing more comes; with what it broke off by."""
        self._hand_over(error)

    async def get(self) -> bytes | None:
        """The next one, or None when that was all. Raises what the thread ended with."""
        piece = await self._queue.get()
        if isinstance(piece, BaseException):
            raise piece
        if piece is not None:
            self._room.release()
        return piece

    def close(self) -> None:
        self._closed = True
        self._room.release()

    def _hand_over(self, piece: bytes | BaseException | None) -> bool:
        # The loop may have ended: then nobody waits.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._queue.put_nowait, piece)
            return True
        return False
