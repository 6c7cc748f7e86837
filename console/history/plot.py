"""Values over a stretch of time, in columns of equal width: of each quantity the mean and the highest. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from console.model.history import Trace


def column_at(moment: int, begin: int, end: int, width: int) -> int:
    """The column in which a moment is, or the nearest one that there is."""
    return min(width - 1, max(0, (moment - begin) * width // max(1, end - begin)))


class Plot:
    """From `begin` to `end` (nanoseconds since 1970) in `width` columns, for `many` quantities."""

    def __init__(self, begin: int, end: int, width: int, many: int) -> None:
        self.begin, self.end, self.width = begin, max(end, begin + 1), width
        self._sums = [[0.0] * width for _ in range(many)]
        self._counts = [[0] * width for _ in range(many)]
        self._highs: list[list[float | None]] = [[None] * width for _ in range(many)]

    def column(self, moment: int) -> int:
        return column_at(moment, self.begin, self.end, self.width)

    def add(self, first: int, last: int, at: int, mean: float, high: float) -> None:
        """A value of the quantity `at` that stands for the columns from `first` to `last`, both included."""
        sums, counts, highs = self._sums[at], self._counts[at], self._highs[at]
        for column in range(first, last + 1):
            sums[column] += mean
            counts[column] += 1
            before = highs[column]
            highs[column] = high if before is None else max(before, high)

    def trace(self, at: int) -> Trace:
        pairs = zip(self._sums[at], self._counts[at], strict=True)
        return Trace(tuple(total / count if count else None for total, count in pairs), tuple(self._highs[at]))

    def traces(self) -> Sequence[Trace]:
        """Of all quantities, in their order."""
        return [self.trace(at) for at in range(len(self._sums))]
