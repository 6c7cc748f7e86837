"""What runs and what waits, read with as few bytes as it takes.

Names, labels, reasons, causes and parameters are most of what Jenkins tells about its nodes and its queue, and stay as they
are until something else moves. So they are read whole at first, then every half minute and whenever two lean requests show
that something is new: a build, a node that went, an item of the queue.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from console.model.build import BuildRef
from console.model.jenkins import JenkinsError, Node, QueueItem, Waits, Work
from console.sources.jenkins import trees
from console.sources.jenkins.client import Client
from console.sources.jenkins.parse import Parser

WHOLE_SECONDS = 30.0
"""How old Jenkins' words about a node or a waiting item may be (an estimate in a sentence, a cause that joined)."""

# Packing an answer about fewer items costs more, in headers and framing, than it saves.
_WORTH_PACKING = 3
T = TypeVar("T")
S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class _Known(Generic[T]):
    """What was read whole, when, and by what a lean answer shows that it still holds."""

    at: float
    found: T
    key: Hashable

    @property
    def fresh(self) -> bool:
        return time.monotonic() - self.at < WHOLE_SECONDS


class Lately:
    """Reads the `Work` of one controller again and again, one reading at a time."""

    def __init__(self, client: Client, parser: Callable[[], Parser]) -> None:
        self._client = client
        self._parser = parser
        self._nodes: _Known[tuple[tuple[Node, ...], frozenset[BuildRef]]] | None = None
        self._queue: _Known[tuple[QueueItem, ...]] | None = None
        self._session: str | None = None

    async def read(self) -> Work:
        """Two requests; one or two more in a round in which something is new."""
        (nodes, flying), queue = await _both(self._read_nodes(), self._read_queue())
        before, self._session = self._session, self._client.session
        if before not in (None, self._session):
            # After a start the ids of the queue may begin again, and mean something else.
            self._nodes = self._queue = None
            return await self.read()
        return Work(nodes, queue, flying)

    async def _read_nodes(self) -> tuple[tuple[Node, ...], frozenset[BuildRef]]:
        path, what = "computer/api/json", "list of nodes"
        known = self._nodes
        if known is not None and known.fresh:
            lean = await self._client.json(path, {"tree": trees.NODES_NOW}, what=what)
            if _nodes_key(lean) == known.key:
                return known.found
        whole = await self._client.json(path, {"tree": trees.NODES}, what=what)
        found = self._parser().nodes(whole)
        self._nodes = _Known(time.monotonic(), found, _nodes_key(whole))
        return found

    async def _read_queue(self) -> tuple[QueueItem, ...]:
        path, what = "queue/api/json", "queue"
        known = self._queue
        if known is not None and known.fresh:
            packed = len(known.found) >= _WORTH_PACKING
            lean = await self._client.get(path, {"tree": trees.QUEUE_NOW}, what=what, packed=packed)
            if _queue_key(self._client.decode(lean, what)) == known.key:
                return known.found
        whole = await self._client.json(path, {"tree": trees.QUEUE}, what=what)
        found = self._parser().queue(whole)
        # What is about to begin says so in the whole answer only, and for a moment.
        key = _queue_key(whole) if all(one.waits is not Waits.PENDING for one in found) else None
        self._queue = _Known(time.monotonic(), found, key)
        return found


async def _both(first: Awaitable[T], second: Awaitable[S]) -> tuple[T, S]:
    """Both answers. When one fails the other is not left behind, where it would still be on its way at the next try."""
    one, other = asyncio.ensure_future(first), asyncio.ensure_future(second)
    try:
        return await asyncio.gather(one, other)
    except JenkinsError:
        if (me := asyncio.current_task()) is not None and me.cancelling():
            # gather gives the error of a part that failed in the same moment, and forgets that all of it was told to end.
            raise asyncio.CancelledError from None
        raise
    finally:
        for each in (one, other):
            each.cancel()
        await asyncio.gather(one, other, return_exceptions=True)


def _nodes_key(answer: object) -> Hashable:
    """Which nodes are there and why not, and what each executor does.

    A build is known by its id in the queue, which is never given twice while a controller lives; the part of a Pipeline that
    has an executor has none, and is known by its number: the Pipeline itself is among `oneOffExecutors`.
    """
    return tuple(
        (
            one.get("offline"),
            _class(one.get("offlineCause")),
            tuple(_work(each) for each in _each(one, "executors")),
            tuple(_work(each)[2] for each in _each(one, "oneOffExecutors")),
        )
        for one in _each(answer, "computer")
    )


def _queue_key(answer: object) -> Hashable:
    return tuple((one.get("id"), one.get("_class"), one.get("stuck")) for one in _each(answer, "items"))


def _work(executor: Mapping[str, Any]) -> tuple[Hashable, Hashable, Hashable]:
    does = executor.get("currentExecutable")
    return (_class(does), does.get("number"), does.get("queueId")) if isinstance(does, Mapping) else (None, None, None)


def _class(one: object) -> Hashable:
    return one.get("_class") if isinstance(one, Mapping) else None


def _each(holder: object, name: str) -> Iterator[Mapping[str, Any]]:
    found = holder.get(name) if isinstance(holder, Mapping) else None
    yield from (one for one in found if isinstance(one, Mapping)) if isinstance(found, list) else ()
