"""The curves of a run, made ready for a plot: which stand together, over steps or time, and which part is seen. Pure."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from operator import itemgetter

from console.model.metric import Curve, Figures, Spot
from console.model.run import Phase
from console.text import Clean
from console.ui.plot import Trace, View
from console.ui.runlines import base_name, ordered
from console.ui.runview import RunView

SMOOTHED = 10
"""Of how many points a smoothed one is the mean."""

_KNOTS = 400

Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Wish:
    """How a person wants to see the curves. `group` is the place of the metric, `time` None until somebody chose; `part` is
    what of the axis is shown (None: all of it, as it grows), `cursor` where the crosshair stands."""

    group: int = 0
    time: bool | None = None
    log: bool = False
    smooth: bool = False
    part: Span | None = None
    cursor: float | None = None


@dataclass(frozen=True, slots=True)
class Plot:
    """What is drawn: `whole` is all of the axis, `view` what of it is seen."""

    traces: Sequence[Trace]
    view: View
    whole: Span


def groups(known: Figures) -> list[list[Curve]]:
    """Curves that say the same of different data stand together: `loss` with `val_loss`. The one that matters comes first."""
    found: dict[str, list[Curve]] = {}
    for one in ordered(known):
        found.setdefault(base_name(one), []).append(one)
    return list(found.values())


def chosen(view: RunView, wish: Wish) -> Sequence[Curve]:
    """The curves that are shown; empty where nothing was measured. Of several fits the newest: their steps are the same."""
    known = view.figures
    every = groups(known) if known is not None else []
    found = every[wish.group % len(every)] if every else []
    since = known.fit_since if known is not None else None
    if since is None:
        return found
    return [replace(one, spots=[spot for spot in one.spots if spot.time >= since]) for one in found]


def plot_of(view: RunView, wish: Wish) -> Plot | None:
    """None where nothing was measured."""
    curves = chosen(view, wish)
    if not curves:
        return None
    in_time = over_time(curves, wish)
    began = began_at(view, curves)
    traces = [trace for one in curves if (trace := trace_of(one, one.name, began, word_of([one]), in_time=in_time)).points]
    whole = _whole(view, traces, began, in_time=in_time)
    return seen(traces, whole, wish, word_of(curves), in_time=in_time)


def seen(traces: Sequence[Trace], whole: Span, wish: Wish, word: str, *, in_time: bool) -> Plot:
    """These curves as they are wanted."""
    part = whole if wish.part is None else _within(wish.part, whole)
    shown = View(
        start=part[0],
        end=part[1],
        log=wish.log,
        smooth=SMOOTHED if wish.smooth else 0,
        cursor=wish.cursor,
        time=in_time,
        word=word,
    )
    return Plot(traces, shown, whole)


def over_time(curves: Sequence[Curve], wish: Wish) -> bool:
    """Time is the axis where somebody wants it, and where neither steps nor epochs were told of most points."""
    return bool(wish.time) or not any(steps(one) or epochs(one) for one in curves)


def steps(curve: Curve) -> bool:
    """Whether most points have one: what has none is not drawn over steps, and a few must not stand for the curve."""
    return _most([spot.step is not None for spot in _all(curve)])


def epochs(curve: Curve) -> bool:
    """Whether most points have one."""
    return _most([spot.epoch is not None for spot in _all(curve)])


def _all(curve: Curve) -> Sequence[Spot]:
    return curve.spots or (curve.last,)


def _most(told: Sequence[bool]) -> bool:
    return 2 * sum(told) > len(told)


def word_of(curves: Sequence[Curve]) -> str:
    """What the axis counts, unless it is time."""
    return "step" if any(steps(one) for one in curves) else "epoch"


def _place(spot: Spot, began: datetime, word: str, *, in_time: bool) -> float | None:
    if in_time:
        return (spot.time - began).total_seconds()
    return float(spot.step) if word == "step" and spot.step is not None else spot.epoch if word == "epoch" else None


def trace_of(curve: Curve, name: Clean, began: datetime, word: str, *, in_time: bool) -> Trace:
    """Its points in order of their places; the newest value has one even where it is not finite."""
    points = [(at, spot.value) for spot in curve.spots if (at := _place(spot, began, word, in_time=in_time)) is not None]
    at = _place(curve.last, began, word, in_time=in_time)
    if at is not None and not math.isfinite(curve.last.value):
        points.append((at, curve.last.value))
    points.sort(key=itemgetter(0))
    return Trace(name, tuple(points))


def began_at(view: RunView, curves: Sequence[Curve]) -> datetime:
    """Where the axis of time begins: with the container that trains, not with the build before it."""
    one = view.run.container
    begun = one.details.started_at if one is not None and one.details is not None else None
    first = min((curve.spots[0].time for curve in curves if curve.spots), default=None)
    told = begun or (view.began if view.run.build is None else None)
    if told is not None and first is not None:
        return min(told, first)
    return told or first or view.now


def _whole(view: RunView, traces: Sequence[Trace], began: datetime, *, in_time: bool) -> Span:
    first = min((one.points[0][0] for one in traces), default=0.0)
    last = max((one.points[-1][0] for one in traces), default=0.0)
    if not in_time:
        step = view.figures.step if view.figures is not None else None
        known = float(step) if step is not None and traces and last <= step else last
        return (min(first, 0.0) if first <= known / 2 else first), known
    return min(0.0, first), max(last, until(view, began))


def until(view: RunView, began: datetime) -> float:
    """How many seconds it trains by now; 0 where it does no more."""
    goes_on = view.phase is Phase.TRAINING and not view.gone
    return (view.now - began).total_seconds() if goes_on else 0.0


def _within(part: Span, whole: Span) -> Span:
    start, end = max(whole[0], part[0]), min(whole[1], part[1])
    return (start, end) if start < end else whole


def moved_wish(wish: Wish, plot: Plot, view: View) -> Wish:
    """With what of the axis is shown now. All of it goes on growing; so does the end, where that is what is seen."""
    if view.start <= plot.whole[0] and view.end >= plot.whole[1]:
        return replace(wish, part=None, cursor=view.cursor)
    return replace(wish, part=(view.start, math.inf if view.end >= plot.whole[1] else view.end), cursor=view.cursor)


def slid(wish: Wish, plot: Plot | None, before: Span | None) -> Wish:
    """A part that ends now moves on with the end: it stays as wide as it was."""
    if plot is None or before is None or wish.part is None or not math.isinf(wish.part[1]):
        return wish
    grown = plot.whole[1] - before[1]
    return replace(wish, part=(wish.part[0] + grown, math.inf)) if grown > 0 else wish


# Steps as times, for what is drawn on the same axis


@dataclass(frozen=True, slots=True)
class Clock:
    """When each place of an axis was, in nanoseconds since 1970. `knots` are places with their times, ascending in both."""

    knots: Sequence[tuple[float, float]]

    def time(self, place: float) -> float:
        """Between two knots as if it went on evenly; beyond them the nearest."""
        knots = self.knots
        behind = bisect_left(knots, place, key=itemgetter(0))
        if behind <= 0:
            return knots[0][1]
        if behind >= len(knots):
            return knots[-1][1]
        (x, t), (y, u) = knots[behind - 1], knots[behind]
        return t + (u - t) * ((place - x) / (y - x)) if y > x else u


def clock_of(view: RunView, wish: Wish, plot: Plot | None) -> Clock:
    """Of the axis of the plot; where nothing was measured, of the time since it began."""
    curves = chosen(view, wish) if plot is not None else ()
    began = began_at(view, curves) if curves else (view.began or view.now)
    start = began.timestamp() * 1e9
    if plot is None or plot.view.time:
        end = plot.whole[1] if plot is not None else max(1.0, ((view.ended or view.now) - began).total_seconds())
        return Clock([(0.0, start), (max(1.0, end), start + max(1.0, end) * 1e9)])
    word = plot.view.word
    longest = max(curves, key=lambda one: len(one.spots), default=None)
    spots = longest.spots if longest is not None else ()
    # Between two knots it goes on evenly: as many as a wide screen has columns are enough.
    some = [*spots[:: max(1, len(spots) // _KNOTS)], *(one.last for one in curves)]
    found = sorted(
        (at, spot.time.timestamp() * 1e9) for spot in some if (at := _place(spot, began, word, in_time=False)) is not None
    )
    knots: list[tuple[float, float]] = [(plot.whole[0], start)] if not found or found[0][0] > plot.whole[0] else []
    for at, moment in found:
        if not knots or (at > knots[-1][0] and moment >= knots[-1][1]):
            knots.append((at, moment))
    return Clock(knots)
