"""What a run measures and how far it is, as it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from console.text import Clean


@dataclass(frozen=True, slots=True)
class Spot:
    """One value of a metric. `step` counts over the whole run where that is known."""

    time: datetime
    step: int | None
    epoch: float | None
    value: float


@dataclass(frozen=True, slots=True)
class Curve:
    """One metric: `spots` are its finite values, the oldest first (of a long run only the extremes of each stretch).

    `last` may be nan or infinite. `best` is None where nobody knows which way is better: `better` is then 0, else 1 for a
    higher and -1 for a lower value.
    """

    name: Clean
    better: int
    last: Spot
    best: Spot | None
    spots: Sequence[Spot]
    percent: bool = False

    def thinned(self, count: int) -> list[float]:
        """Every so many-th of its values, so that they are not twice as many as `count`."""
        return [one.value for one in self.spots[:: max(1, len(self.spots) // count)]]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong with how a run does, in a sentence. `sign`: `stalled`, `not finite`, `diverging`, `plateau`;
    of its hardware `starved`, `memory`, `hot`, `xid`, `gpu memory`, `disk`."""

    sign: Clean
    words: Clean
    since: datetime


@dataclass(frozen=True, slots=True)
class Figures:
    """How far a run is. `done` is from 0 to 1, `finish` when it will be done if it goes on like this, on the `basis` of what.

    All that its log does not tell is None. `last` is when it last told of its progress, `note` says so where not all of the
    log was looked at. `whole`: it has ended, and its log was read to the end.
    """

    done: float | None = None
    epoch: float | None = None
    epochs: int | None = None
    step: int | None = None
    steps: int | None = None
    curves: tuple[Curve, ...] = ()
    lr: float | None = None
    rate: float | None = None
    unit: Clean | None = None
    finish: datetime | None = None
    basis: Clean | None = None
    findings: tuple[Finding, ...] = ()
    last: datetime | None = None
    note: Clean | None = None
    whole: bool = False

    @property
    def loss(self) -> Curve | None:
        """The metric that says whether it learns: the loss of the training, else the first that should fall."""
        falling = [one for one in self.curves if one.better < 0]
        train = [one for one in falling if not one.name.startswith(("val", "test", "eval"))]
        named = [one for one in train if "loss" in one.name]
        return next((one for one in (*named, *train, *falling)), None)

    @property
    def lead(self) -> Curve | None:
        """The metric that is shown first: the loss, else the first of all, which may be one that should rise."""
        return self.loss or next(iter(self.curves), None)

    @property
    def score(self) -> Curve | None:
        """The metric that says how good it is: one of validation that should rise, else any that should, else one of
        validation that should fall."""
        rising = [one for one in self.curves if one.better > 0]
        checked = [one for one in self.curves if one.better and one.name.startswith(("val", "test", "eval"))]
        risen = [one for one in rising if one.name.startswith(("val", "test", "eval"))]
        return next((one for one in (*risen, *rising, *checked)), None)
