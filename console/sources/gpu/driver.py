"""All cards of this machine through the driver: begun, read, begun anew after it or a card was away. Blocks."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from console.model.gpu import Gpu, Xid
from console.model.source import SourceError, SourceState
from console.sources.gpu.card import Card, Identity
from console.sources.gpu.nvml import NO_CARD, NOT_FOUND, Calls, Library, code_of, loss, refusal
from console.sources.gpu.xid import Xids
from console.text import Clean, clean

RETRY_SECONDS = 10.0
"""How long a driver that refused, or a card that is lost, is left alone: beginning anew may start a program as root."""

# Use by process costs 2 ms a card, so one card is asked in a reading and none twice within this many seconds.
_PAUSE = 0.9


@dataclass(frozen=True, slots=True)
class Seen:
    """One reading. `unlisted`: processes use cards that the driver does not list to us."""

    driver: Clean
    cuda: Clean
    cards: tuple[Gpu, ...]
    xids: tuple[Xid, ...]
    unlisted: bool


class Driver:
    """NVML and its cards. For one thread at a time.

    A card keeps the index that it was first seen with, so that its past stays its own while another is away. `clock` is steady,
    `wall` is seconds since 1970.
    """

    def __init__(self, clock: Callable[[], float], wall: Callable[[], float]) -> None:
        self._clock = clock
        self._wall = wall
        self._library = Library()
        self._calls: Calls | None = None
        self._versions = (clean(""), clean(""))
        self._cards: list[Card] = []
        self._lost: dict[int, Gpu] = {}
        self._known: dict[Clean, Identity] = {}
        self._xids: Xids | None = None
        self._turn = 0
        self._use_asked = float("-inf")
        self._again = float("-inf")
        self._refused: tuple[SourceState, Clean] | None = None

    def read(self) -> Seen:
        """All cards now. Raises SourceError when there is no driver, or none that works."""
        now = self._clock()
        if self._refused is not None and now < self._again:
            raise SourceError(*self._refused)
        if self._lost and now >= self._again:
            self.end()
        try:
            if self._calls is None:
                self._begin(now)
            return self._read(now)
        except SourceError as error:
            self._refuse(error, now)
            raise
        except Exception as error:
            if self._library.nvml is None or not isinstance(error, self._library.nvml.NVMLError):
                raise
            problem = refusal(code_of(error), str(error))
            self._refuse(problem, now)
            raise problem from None

    def end(self) -> None:
        """Let the driver go: what is held keeps a card from being reset. The next reading begins anew."""
        if self._calls is None:
            return
        if self._xids is not None:
            self._xids.close()
        self._calls = self._xids = None
        self._cards = []
        self._lost = {}
        self._library.end()

    def _refuse(self, error: SourceError, now: float) -> None:
        self.end()
        self._refused = (error.state, error.reason)
        self._again = now + RETRY_SECONDS

    def _begin(self, now: float) -> None:
        nvml = self._library.begin()
        self._refused = None
        self._calls = calls = Calls(nvml)
        self._versions = (clean(nvml.nvmlSystemGetDriverVersion()), _cuda(calls))
        found: dict[int, Card] = {}
        for place in range(nvml.nvmlDeviceGetCount()):
            try:
                handle = nvml.nvmlDeviceGetHandleByIndex(place)
                identity = self._identify(nvml, handle, place)
            except calls.error as error:
                self._lost[place] = self._stranger(place).lost(loss(code_of(error), str(error)))
            else:
                found[identity.index] = Card(calls, handle, identity, now)
        self._cards = [found[index] for index in sorted(found)]
        for identity in self._known.values():
            if identity.index not in found:
                self._lost.setdefault(identity.index, identity.lost(loss(NOT_FOUND, "")))
        if not found and not self._lost:
            raise SourceError(SourceState.OFF, clean(NO_CARD))
        self._again = now + RETRY_SECONDS
        self._xids = Xids(calls, [(one.identity.index, one.handle) for one in self._cards])

    def _identify(self, nvml: Any, handle: Any, place: int) -> Identity:
        uuid = clean(nvml.nvmlDeviceGetUUID(handle))
        known = self._known.get(uuid)
        if known is not None:
            return known
        index, taken = place, {one.index for one in self._known.values()}
        while index in taken:
            index += 1
        bus = clean(nvml.nvmlDeviceGetPciInfo(handle).busId)
        self._known[uuid] = identity = Identity(index, uuid, bus, clean(nvml.nvmlDeviceGetName(handle)))
        return identity

    def _stranger(self, place: int) -> Identity:
        """Who a card is that does not say so itself."""
        for known in self._known.values():
            if known.index == place:
                return known
        return Identity(place, clean(""), clean(""), clean(""))

    def _read(self, now: float) -> Seen:
        wall = self._wall()
        seen = dict(self._lost)
        may_ask = now - self._use_asked >= _PAUSE
        turn = self._turn
        for step in range(len(self._cards)):
            place = (turn + step) % len(self._cards)
            card = self._cards[place]
            gpu = card.read(now, int(wall * 1_000_000), may_ask=may_ask)
            seen[gpu.index] = gpu
            if gpu.lost is not None and not self._lost:
                self._again = now + RETRY_SECONDS
            if may_ask and card.asked:
                may_ask, self._use_asked, self._turn = False, now, place + 1
        self._lost = {index: gpu for index, gpu in seen.items() if gpu.lost is not None}
        xids = self._xids.read(datetime.fromtimestamp(wall, UTC)) if self._xids is not None else ()
        cards = tuple(seen[index] for index in sorted(seen))
        return Seen(*self._versions, cards, xids, any(one.unlisted for one in self._cards))


def _cuda(calls: Calls) -> Clean:
    """The newest CUDA that this driver runs, "" for one that does not say."""
    number = 0
    with suppress(calls.error):
        number = calls.nvml.nvmlSystemGetCudaDriverVersion_v2()
    return clean(f"{number // 1000}.{number % 1000 // 10}" if number else "")
