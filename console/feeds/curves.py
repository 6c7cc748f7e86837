"""The past of figures, in as much memory after a week as after an hour."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence

from console.model.gpu import Gpu, GpuHistory, Window
from console.text import Clean

WINDOWS: tuple[tuple[Window, float, int], ...] = (
    (Window.MINUTE, 1.0, 60),
    (Window.HOUR, 15.0, 240),
    (Window.DAY, 360.0, 240),
)
"""Each window, how many seconds one of its values stands for, and how many of them are kept."""

HOLDS_SECONDS = 3.0
"""A reading stands for the time until the next one, but no longer: a look that comes late is no gap, a silence is one."""


def ticking() -> float:
    """Seconds that only grow, also while the machine is suspended: what nobody saw is a gap."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class Ring:
    """The newest `size` values of one figure, each out of all readings of its piece of time (`bucket`, which only grows).

    A value is the mean: what was done or drawn in that time. With `highest` it is the highest reading: of memory and
    temperature the peak is what ends a training or slows a card, and a mean would hide one that is shorter than its bucket.
    """

    __slots__ = ("_bucket", "_count", "_done", "_highest", "_kept", "_last", "_peak", "_sum")

    def __init__(self, size: int, *, highest: bool = False) -> None:
        self._done: deque[float | None] = deque(maxlen=size - 1)
        self._kept: tuple[float | None, ...] | None = ()
        self._highest = highest
        self._bucket: int | None = None
        self._last: float | None = None
        self._sum, self._peak, self._count = 0.0, 0.0, 0

    def add(self, bucket: int, value: float | None, *, held: bool = False) -> None:
        """Take a reading (None: there was none). `held`: the reading before stands for the buckets that nobody read."""
        if self._bucket is not None and bucket > self._bucket:
            self._finish(bucket - self._bucket - 1, self._last if held else None)
        self._bucket = bucket
        self._last = value
        if value is None:
            return
        self._sum += value
        self._peak = value if self._count == 0 else max(self._peak, value)
        self._count += 1

    def fill(self, bucket: int, values: Sequence[float | None]) -> None:
        """Begin with values that are known already, oldest first; the newest one is of `bucket`."""
        self._done.clear()
        self._done.extend(values[:-1])
        self._kept = None
        self._bucket, self._last = bucket, None
        self._clear()
        if values:
            self.add(bucket, values[-1])

    def values(self) -> tuple[float | None, ...]:
        """Oldest first; the newest is that of the bucket which is not over yet."""
        if self._bucket is None:
            return ()
        if self._kept is None:
            self._kept = tuple(self._done)
        return (*self._kept, self._value())

    def _value(self) -> float | None:
        if self._count == 0:
            return None
        return self._peak if self._highest else self._sum / self._count

    def _finish(self, missed: int, between: float | None) -> None:
        self._done.append(self._value())
        self._done.extend([between] * min(missed, self._done.maxlen or 0))
        self._kept = None
        self._clear()

    def _clear(self) -> None:
        self._sum, self._peak, self._count = 0.0, 0.0, 0


class _Card:
    """The rings of one card."""

    def __init__(self, uuid: Clean) -> None:
        self.uuid = uuid
        self.rings = {
            window: (Ring(size), Ring(size, highest=True), Ring(size), Ring(size, highest=True)) for window, _, size in WINDOWS
        }

    def add(self, buckets: Mapping[Window, int], card: Gpu | None, *, held: bool) -> None:
        if card is None or card.lost is not None:
            figures: tuple[float | None, ...] = (None, None, None, None)
        else:
            figures = (card.utilisation, card.memory_used, card.power, card.temperature)
        for window, bucket in buckets.items():
            for ring, figure in zip(self.rings[window], figures, strict=True):
                ring.add(bucket, figure, held=held)

    def history(self, window: Window, step: float) -> GpuHistory:
        utilisation, memory, power, temperature = (ring.values() for ring in self.rings[window])
        return GpuHistory(step, utilisation, memory, power, temperature)


class Curves:
    """What cards did, in all windows. `now` is what `ticking` tells."""

    def __init__(self) -> None:
        self._cards: dict[int, _Card] = {}
        self._read_at = float("-inf")

    def add(self, now: float, cards: Iterable[Gpu]) -> None:
        """Take a reading. A card that the driver does not name any more is forgotten, and so is one whose place another has."""
        buckets, held = self._buckets(now), now - self._read_at <= HOLDS_SECONDS
        self._read_at = now
        before, self._cards = self._cards, {}
        for card in cards:
            known = before.get(card.index)
            if known is None or (known.uuid and card.uuid and known.uuid != card.uuid):
                known = _Card(card.uuid)
            self._cards[card.index] = known
            known.add(buckets, card, held=held)

    def miss(self, now: float) -> None:
        """Nothing could be read."""
        for known in self._cards.values():
            known.add(self._buckets(now), None, held=False)
        self._read_at = float("-inf")

    def fill(self, now: float, cards: Iterable[Gpu], past: Mapping[Window, Mapping[int, GpuHistory]]) -> None:
        """Begin with a past that somebody else knows. Its steps have to be those of `WINDOWS`."""
        buckets = self._buckets(now)
        for card in cards:
            known = self._cards.setdefault(card.index, _Card(card.uuid))
            for window, histories in past.items():
                history = histories.get(card.index)
                if history is None:
                    continue
                figures = (history.utilisation, history.memory, history.power, history.temperature)
                for ring, values in zip(known.rings[window], figures, strict=True):
                    ring.fill(buckets[window], values)

    def histories(self) -> Mapping[Window, Mapping[int, GpuHistory]]:
        return {
            window: {index: card.history(window, step) for index, card in self._cards.items()} for window, step, _ in WINDOWS
        }

    @staticmethod
    def _buckets(now: float) -> dict[Window, int]:
        return {window: int(now // step) for window, step, _ in WINDOWS}
