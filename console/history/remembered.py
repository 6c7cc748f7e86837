"""What a past run measured, out of its stored points, in the form in which a run that goes on tells it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, datetime

from console.history import compare
from console.history.facts import moment
from console.history.reader import Reader
from console.history.thinning import column_of
from console.model.history import Point
from console.model.metric import Curve, Figures, Spot
from console.runs.names import Kind, better, kind_of
from console.text import Clean

MOST_SPOTS = 200_000
"""Of all curves of a run together: more would fill the memory of a console, and no screen shows them."""

LEAST_SPOTS = 64


def figures(reader: Reader, key: str) -> Figures:
    """It blocks. Raises HistoryError. Of a run with very many metrics each stretch of a curve has its extremes alone."""
    names = reader.metrics(key)
    room = max(LEAST_SPOTS, MOST_SPOTS // max(1, len(names)))
    # One metric after the other: its packed points are a tenth of what they are as objects.
    curves = [made for name in names if (made := curve(name, reader.packed(key, name).each(), room)) is not None]
    last = max((one.last for one in curves), key=lambda spot: spot.time, default=None)
    steps = [spot.step for one in curves for spot in one.spots[-1:] if spot.step is not None]
    epochs = [spot.epoch for one in curves for spot in one.spots[-1:] if spot.epoch is not None]
    rates = [one for one in curves if kind_of(one.name) is Kind.LR]
    return Figures(
        epoch=max(epochs, default=None),
        step=max(steps, default=None),
        curves=tuple(curves),
        lr=rates[0].last.value if rates else None,
        last=last.time if last is not None else None,
    )


def brief(reader: Reader, key: str) -> Figures | None:
    """Of what says whether it learned and how good it was the last and the best, without curves; None where there is nothing.
    It blocks. Raises HistoryError."""
    nowhere = Spot(datetime.fromtimestamp(0, UTC), None, None, 0.0)
    named = Figures(curves=tuple(Curve(name, better(name), nowhere, None, ()) for name in reader.metrics(key)))
    names = {one.name: one.better for one in (named.lead, named.score) if one is not None}
    curves = []
    for name, (last, best) in reader.ends(key, names).items():
        if (spot := _spot(last)) is not None:
            curves.append(Curve(name, names[name], spot, _spot(best), ()))
    return Figures(curves=tuple(curves), last=max(one.last.time for one in curves)) if curves else None


def curve(name: Clean, points: Iterable[Point], room: int) -> Curve | None:
    """None where there is no point that stands at a time of the calendar. `room` is how many spots it may have."""
    told = list(points)
    way = better(name)
    found = compare.figures(told, way)
    last = _spot(found.final)
    if last is None:
        return None
    spots = [spot for point in _thin(told, room) if (spot := _spot(point)) is not None]
    return Curve(name, way, last, _spot(found.best), tuple(spots))


def _thin(points: list[Point], room: int) -> list[Point]:
    """The finite ones, and of too many the lowest and the highest of each stretch, in their order."""
    finite = [point for point in points if math.isfinite(point.value)]
    if len(finite) <= room:
        return finite
    stretches: dict[int, tuple[int, int]] = {}
    for at, point in enumerate(finite):
        column = column_of(at, 0, len(finite), max(1, room // 2 - 1))
        low, high = stretches.get(column, (at, at))
        stretches[column] = (
            at if point.value < finite[low].value else low,
            at if point.value > finite[high].value else high,
        )
    kept = {0, len(finite) - 1, *(at for pair in stretches.values() for at in pair)}
    return [finite[at] for at in sorted(kept)]


def _spot(point: Point | None) -> Spot | None:
    at = moment(point.time) if point is not None else None
    return Spot(at, point.step, point.epoch, point.value) if point is not None and at is not None else None
