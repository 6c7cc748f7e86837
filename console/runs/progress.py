"""The state of one run, kept from the readings of its log."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from console.runs.names import phase_of
from console.runs.pace import Silence
from console.runs.place import Place
from console.runs.reading import Form, Phase, Reading
from console.runs.series import POINTS, Point, Series
from console.text import Clean, clean

MOST_SERIES = 200
"""Names that are followed; a log that invents more has names that are no metrics."""

_LAST = 250_000_000_000
"""Seconds since 1970: the last moments that a `datetime` can hold."""


@dataclass(frozen=True, slots=True)
class Eta:
    """When a run will be done if it goes on like this: `finish` in nanoseconds since 1970, and what that rests on."""

    finish: int
    basis: Clean

    def left(self, now: int) -> float:
        """Seconds from `now` on, never less than 0."""
        return max(0.0, (self.finish - now) / 1e9)


@dataclass(frozen=True, slots=True)
class End:
    """That a run said it ends: `event` is `end`, `stopped` or `error`."""

    event: Clean
    time: int
    note: Clean | None


class Progress:
    """Fed with the readings of one run in the order in which they came; asked for at any time."""

    def __init__(self, *, points: int = POINTS, taken: Callable[[Clean, Point], None] | None = None) -> None:
        """`taken` gets every value that counts, with the name of its metric; `points` are kept of each metric here."""
        self.place = Place()
        self.lr: float | None = None
        self.rate: float | None = None
        self.unit: Clean | None = None
        self.end: End | None = None
        self.error: End | None = None
        """The last error that it told of. A run may go on after one."""
        self.fit_since: int | None = None
        """When it last began again, nanoseconds since 1970; None while it is at its first fit."""
        self.silence = Silence()
        self._points = points
        self._taken = taken
        self._series: dict[Clean, Series] = {}
        self._forms: dict[Clean, Form] = {}
        self._rank: int | None = None
        self._per_step: tuple[int, float, Clean] | None = None

    def add(self, readings: Iterable[Reading]) -> None:
        for reading in readings:
            self._add(reading)

    @property
    def series(self) -> tuple[Series, ...]:
        """Every metric in the order in which they appeared."""
        return tuple(self._series.values())

    def metric(self, name: str) -> Series | None:
        return next((one for key, one in self._series.items() if key == name), None)

    @property
    def last(self) -> int | None:
        """When it last said something of its progress, nanoseconds since 1970."""
        return self.silence.last

    @property
    def eta(self) -> Eta | None:
        """None while the total or the pace is unknown, and after the end."""
        if self.end is not None or self.last is None:
            return None
        place = self.place
        left, step = place.steps_left, self._step_seconds()
        if left is not None and step is not None:
            at, seconds, basis = step
            return _eta(at, left * seconds, basis)
        epochs, seconds_each = place.epochs_left, place.epoch_pace.seconds
        if epochs is not None and seconds_each is not None and place.epoch_at is not None:
            return _eta(place.epoch_at, epochs * seconds_each, place.epoch_pace.basis)
        return None

    def _step_seconds(self) -> tuple[int, float, Clean] | None:
        place = self.place
        if place.step_at is None:
            return None
        if self._per_step is not None and place.step_form is Form.BAR:
            return self._per_step
        seconds = place.step_pace.seconds
        return None if seconds is None else (place.step_at, seconds, place.step_pace.basis)

    def _add(self, reading: Reading) -> None:
        if reading.rank is not None and not self._speaks(reading.rank):
            return
        if reading.event is not None:
            self._event(reading)
        if reading.epoch is not None or reading.step is not None or reading.metrics:
            self.silence.add(reading.time, beside=_beside_steps(reading))
        trains = reading.phase not in (Phase.VAL, Phase.TEST)
        fits = self.place.attempts
        self.place.add(reading)
        if self.place.attempts > fits:
            self.fit_since = reading.time
        if trains:
            if reading.lr is not None:
                self.lr = reading.lr
            if reading.rate is not None and not reading.counted:
                self.rate, self.unit = reading.rate, reading.unit
                if reading.form is Form.BAR and reading.steps == self.place.steps:
                    self._per_step = (
                        reading.time,
                        1 / reading.rate,
                        clean(f"the bar's own rate, {reading.rate:.3g} {reading.unit}"),
                    )
        step = self.place.overall(reading)
        epoch = reading.epoch if reading.epoch is not None else self.place.epoch_now
        for metric in reading.metrics:
            series = self._of(metric.name, reading.form, percent=metric.percent)
            if series is not None:
                value = series.scaled(metric.value, percent=metric.percent)
                point = Point(reading.time, step, epoch, value)
                series.add(point)
                if self._taken is not None:
                    self._taken(series.name, point)

    def _speaks(self, rank: int) -> bool:
        """Whether it is the process whose word counts: of several the one with the lowest rank."""
        if self._rank is None or rank < self._rank:
            self._rank = rank
            self._series.clear()
            self._forms.clear()
        return rank == self._rank

    def _event(self, reading: Reading) -> None:
        if reading.event in ("end", "stopped"):
            self.end = End(reading.event, reading.time, reading.note)
        elif reading.event == "error":
            self.error = End(reading.event, reading.time, reading.note)
        elif self.end is not None and reading.event in ("start", "step", "epoch"):
            self.end = None  # it was started again

    def _of(self, name: Clean, form: Form, *, percent: bool) -> Series | None:
        """The series that a value belongs to; None if a more trusted source tells of this metric."""
        series = self._series.get(name)
        if series is None:
            if len(self._series) >= MOST_SERIES:
                return None
            series = self._series[name] = Series(name, percent=percent, most=self._points)
            self._forms[name] = form
        elif form is Form.EVENT or self._forms[name] is Form.EVENT:
            if form is not self._forms[name] and form is not Form.EVENT:
                return None
            self._forms[name] = form
        return series


def _beside_steps(reading: Reading) -> bool:
    """Whether it tells of what a run does between its steps: an evaluation, a checkpoint, the end of an epoch."""
    if reading.event is not None:
        return reading.event in ("epoch", "checkpoint")
    if reading.phase in (Phase.VAL, Phase.TEST) or (reading.epoch is not None and reading.step is None):
        return True
    return any(phase_of(metric.name) in (Phase.VAL, Phase.TEST) for metric in reading.metrics)


def _eta(at: int, seconds: float, basis: Clean) -> Eta | None:
    """None where it would be after all calendars, so that nothing can be told of it."""
    return Eta(at + round(seconds * 1e9), basis) if at / 1e9 + seconds < _LAST else None
