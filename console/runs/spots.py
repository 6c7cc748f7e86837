"""Points of a curve as they are shown, made when somebody looks at them: most pictures are drawn without."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, overload

from console.model.metric import Spot
from console.runs.series import Point, Series

_SECOND = 1_000_000_000


class Spots(Sequence[Spot]):
    """What a series holds at this moment, oldest first; what comes later changes nothing. Any thread may look."""

    __slots__ = ("_kept", "_made")

    def __init__(self, series: Series) -> None:
        self._kept = series.kept
        self._made: tuple[Spot, ...] | None = None

    def _all(self) -> tuple[Spot, ...]:
        made = self._made
        if made is None:
            # Two threads may do so at once: both make the same.
            made = self._made = tuple(map(spot, self._kept.points()))
        return made

    def __len__(self) -> int:
        return len(self._kept) if self._made is None else len(self._made)

    def __iter__(self) -> Iterator[Spot]:
        return iter(self._all())

    @overload
    def __getitem__(self, at: int) -> Spot: ...

    @overload
    def __getitem__(self, at: slice) -> tuple[Spot, ...]: ...

    def __getitem__(self, at: int | slice) -> Spot | tuple[Spot, ...]:
        return self._all()[at]

    def __eq__(self, other: Any) -> bool:
        if isinstance(other, Spots):
            return self._kept.same(other._kept) or self._all() == other._all()
        return isinstance(other, Sequence) and self._all() == tuple(other)

    def __hash__(self) -> int:
        return hash(self._all())

    def __repr__(self) -> str:
        return repr(self._all())


def spot(point: Point) -> Spot:
    return Spot(datetime.fromtimestamp(point.time / _SECOND, UTC), point.step, point.epoch, point.value)
