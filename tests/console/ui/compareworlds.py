"""Runs that are put beside each other: of the world in which a run is looked at, and of a history that knows more."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from console.model.history import Asked, PastRun, Saved
from console.model.metric import Figures
from console.model.past import Remembered
from console.model.run import Run
from console.model.state import StateClass, state
from console.model.world import World
from console.runs.recalled import as_run
from console.text import clean
from console.ui.runview import Recalled, RunView, figures_of, find
from tests.console.fake_gpus import GIB
from tests.console.fakes import NOW
from tests.console.ui import trainingworlds
from tests.console.ui.trainingworlds import curve


def past(number: int, project: str = "project-a", *, good: bool = True, days: float = 6, **more: object) -> PastRun:
    """One that ended so many days ago, after 34 minutes."""
    ended = NOW - timedelta(days=days)
    base = PastRun(
        clean(f"train#{number}"),
        project=clean(project),
        job=clean("train"),
        number=number,
        commit=clean(f"{number:x}" * 8),
        parameters={clean("PROJECT"): clean(project), clean("OVERRIDES"): clean(f"lr=0.0{number}\nepochs=30", lines=True)},
        started=ended - timedelta(minutes=34),
        ended=ended,
        state=state(StateClass.GOOD, "published") if good else state(StateClass.BROKEN, "failed"),
        reason=clean("published as build-1" if good else "loss is NaN"),
        checkpoint=Saved(30, 98_000_000),
        asked=Asked(memory=16 * GIB, gpus=1),
        peak_memory=int(9.6 * GIB),
        peak_gpu_memory=61 * GIB,
        cards=(clean("GPU-0"),),
    )
    return replace(base, **more)  # type: ignore[arg-type]  # names and types are the field's own


def falling(name: str = "loss", top: float = 2.0, count: int = 60, every: int = 100) -> Figures:
    """A loss that falls, `every` steps a value."""
    values = [0.3 + top * math.exp(-number / 10) for number in range(count)]
    return Figures(step=count * every, curves=(curve(name, values, every),), last=NOW)


def earlier(known: Figures, seconds: float) -> Figures:
    """The same, measured so many seconds before."""
    by = timedelta(seconds=seconds)
    curves = [replace(one, spots=[replace(spot, time=spot.time - by) for spot in one.spots]) for one in known.curves]
    return replace(known, curves=tuple(replace(one, last=replace(one.last, time=one.last.time - by)) for one in curves))


class ManyRemembered(trainingworlds.KnownPast):
    """A history of several runs."""

    def __init__(self, *runs: PastRun, figures: Mapping[str, Figures] | None = None) -> None:
        super().__init__()
        self.every = {str(one.key): one for one in runs}
        self.known = dict(figures or {})
        self.listed = 0
        self.asked_for: list[str] = []
        self.hidden: set[str] = set()
        """Those that are too old for the list."""

    async def runs(self, project: str | None = None, *, limit: int = 200) -> Remembered:
        self.listed += 1
        shown = tuple(one for key, one in self.every.items() if key not in self.hidden)
        return Remembered(shown, recorder=True, figures={clean(key): one for key, one in self.known.items()})

    async def earlier(self, key: str, project: str) -> tuple[PastRun, ...]:
        return tuple(one for one in self.every.values() if one.project == project and one.key != key)

    async def run(self, key: str) -> PastRun | None:
        self.asked_for.append(key)
        return self.every.get(key)


def view(world: World, key: str, known: Figures | None = None, told: PastRun | None = None) -> RunView:
    """Of a run of the world; `known` is what the history has of what it measured."""
    run = find(world, key)
    assert run is not None
    recalled = Recalled(told, known)
    return RunView(run, world, figures_of(world, run) or known, NOW, past=recalled)


def recalled(told: PastRun, known: Figures | None = None, world: World | None = None) -> RunView:
    """Of one that only the history knows."""
    run: Run = as_run(told)
    return RunView(run, world or trainingworlds.world(), known, NOW, past=Recalled(told, known), recalled=True)


def several(count: int) -> Sequence[RunView]:
    """So many runs of one project, each with another learning rate."""
    return [recalled(past(100 + number), falling(top=1.0 + number)) for number in range(count)]
