"""Which epoch a step belongs to whose line does not name one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Counting:
    """How a run counts: steps of `steps`, epochs of `epochs` from `first` on. `within` as a `Place` tells it."""

    steps: int | None
    epochs: int | None
    within: bool | None
    first: int

    @property
    def each(self) -> int | None:
        """Steps of an epoch, where those of the whole run are counted and divide into epochs."""
        if not self.steps or not self.epochs or self.steps % self.epochs:
            return None
        return self.steps // self.epochs


@dataclass(frozen=True, slots=True)
class _Line:
    """A line about an epoch alone. `step` was the last one before it, `gap` how far steps lay apart, `laps` how often they
    had begun again since the line before; `span` is how many there were since then, where that is known."""

    epoch: float
    measured: bool
    step: int | None
    gap: int
    laps: int
    span: int | None


class Epochs:
    """Fed by a `Place` with what it takes from the log, in its order.

    A line about an epoch opens it (`Epoch 3/10`, then its steps) or closes it (its steps, then `epoch 3/10 loss 0.4`). After
    one that closes, the steps are those of the next epoch. That is only told where the counts bear it out: the line stood where
    the totals, or two epochs of the same length, put the end of its epoch. Lines that were held back stand elsewhere.
    """

    __slots__ = ("_before", "_closes", "_gap", "_laps", "_line", "_loose", "_step", "now")

    def __init__(self) -> None:
        self.now: float | None = None
        """The epoch that the run is in, as it counts them itself; None where that is not sure."""
        self._line: _Line | None = None
        self._before: _Line | None = None
        self._closes: bool | None = None
        self._loose = False
        self._step: int | None = None
        self._gap = 0
        self._laps = 0

    def named(self, epoch: float, step: int | None) -> None:
        """A reading named its epoch beside its step; with None it told the epoch as a place, as an outer bar does."""
        self.now = epoch
        self._loose = step is None
        if step is not None:
            self._advance(step)

    def told(self, epoch: float, *, measured: bool) -> None:
        """A line about an epoch alone; `measured` where it had results."""
        self.now, self._loose = epoch, False
        before = self._line
        moved = self._step is not None and (before is None or self._step != before.step or self._laps > 0)
        if before is not None and epoch == before.epoch:
            if not moved:
                return
            if self._closes is not False:
                before = None  # such lines come in the midst of an epoch too
        elif before is not None and epoch < before.epoch:
            before = None  # another fit begins, with steps that begin again
            self._laps = max(0, self._laps - 1)
        span = self._span(epoch, before)
        self._before = before
        self._line = _Line(epoch, measured, self._step, self._gap, self._laps, span)
        self._gap = self._laps = 0

    def switched(self) -> None:
        """From now on another source tells the steps."""
        self._step, self._gap, self._laps = None, 0, 0
        self._before = None
        if self._line is not None:
            self._line = _Line(self._line.epoch, self._line.measured, None, 0, 0, None)

    def went(self, step: int, counting: Counting) -> None:
        """A step that named no epoch."""
        self._advance(step)
        if not self._loose:
            self.now = self._of(step, counting)

    def _advance(self, step: int) -> None:
        if self._step is not None and step < self._step:
            self._laps += 1
        else:
            self._gap = max(self._gap, step - (self._step or 0))
        self._step = step

    def _span(self, epoch: float, before: _Line | None) -> int | None:
        if self._step is None:
            return None
        if before is None:
            return self._step if epoch in (0, 1) and not self._laps else None
        if epoch != before.epoch + 1 or before.step is None:
            return None
        return self._step if self._laps == 1 else self._step - before.step if not self._laps else None

    def _of(self, step: int, counting: Counting) -> float | None:
        line = self._line
        if line is None:
            return None
        borne = self._borne(line, counting)
        if self._closes is None:
            self._learn(line, borne=borne)
        if self._closes is False:
            return line.epoch if self._is_in(line.epoch, step, line, counting) else None
        if self._closes and borne and self._is_in(line.epoch + 1, step, line, counting):
            return line.epoch + 1
        return None

    def _learn(self, line: _Line, *, borne: bool) -> None:
        began = self._before is None and line.epoch in (0, 1)
        if began and not line.step and not line.measured:
            self._closes = False
        elif borne and (began or line.measured or self._follows_a_beginning(line)):
            self._closes = True

    def _follows_a_beginning(self, line: _Line) -> bool:
        before = self._before
        return before is not None and bool(before.step) and before.epoch in (0, 1) and line.epoch == before.epoch + 1

    def _borne(self, line: _Line, counting: Counting) -> bool:
        """Whether the line stood at the end of the epoch that it names."""
        if not line.step:
            return False
        if counting.within and counting.steps:
            passed = line.epoch - (self._before.epoch if self._before is not None else counting.first)
            return line.laps == passed and 0 <= counting.steps - line.step <= line.gap
        if not counting.within and not line.laps and counting.each is not None:
            return 0 <= counting.each * (line.epoch - counting.first + 1) - line.step <= line.gap
        span, before = line.span, self._before.span if self._before is not None else None
        return span is not None and before is not None and abs(span - before) <= line.gap

    def _is_in(self, epoch: float, step: int, line: _Line, counting: Counting) -> bool:
        """Whether a step after the line can be one of that epoch."""
        if counting.epochs is not None and epoch - counting.first >= counting.epochs:
            return False
        opened = self._closes is False
        if counting.within:
            first = opened and self._before is None and not line.step
            return self._laps == (0 if first else 1) and step <= (counting.steps or step)
        if self._laps:
            return False
        if counting.each is not None:
            place = epoch - counting.first
            return place in ((step - 1) // counting.each, step // counting.each)
        return opened or line.span is None or line.step is None or step - line.step <= line.span + line.gap
