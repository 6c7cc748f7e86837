"""What the screen of a run knows of it at one moment: the run, its figures, what is remembered, the run before it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from console.model.build import Parameter
from console.model.container import Container, UsageHistory
from console.model.history import Asked, PastRun
from console.model.metric import Figures
from console.model.past import Around
from console.model.run import Phase, Run
from console.model.run_words import shown_state
from console.model.secretnames import MASK
from console.model.state import State, StateClass, state
from console.model.training import IDENTITY, UNSET
from console.model.why import Why
from console.model.world import World
from console.runs.before import before_of
from console.runs.overrides import apart
from console.runs.recalled import standing
from console.text import Clean


@dataclass(frozen=True, slots=True)
class Recalled:
    """What the history told of a run: all of it None until it has answered, or where nobody remembers anything."""

    run: PastRun | None = None
    figures: Figures | None = None
    before: Figures | None = None
    around: Around | None = None


@dataclass(frozen=True, slots=True)
class RunView:
    """Everything that is shown. `before` is the run before it of the same project; `gone` tells that nobody knows of it any
    more, and that all here is what was known last; `recalled` that only the history knows it."""

    run: Run
    world: World
    figures: Figures | None
    now: datetime
    before: Run | None = None
    past: Recalled = field(default_factory=Recalled)
    gone: bool = False
    recalled: bool = False

    @property
    def goes_on(self) -> Container | None:
        """What trains on although its build has ended."""
        one = self.run.container
        return one if self.run.ended and one is not None and one.alive else None

    @property
    def outlives(self) -> bool:
        """Whether it is told as one that has outlived its build, for longer than systems need to agree."""
        return self.run.state.word in ("orphan", "adopted")

    @property
    def phase(self) -> Phase:
        """What matters now: what has outlived its build trains."""
        return Phase.TRAINING if self.goes_on is not None and not self.gone else self.run.phase

    @property
    def state(self) -> State:
        if self.gone and not self.run.ended:
            return state(StateClass.UNKNOWN, "gone")
        if self.goes_on is not None and not self.gone and not self.outlives:
            return state(StateClass.ATTENTION, "orphan")
        return shown_state(self.run, self.figures)

    @property
    def why(self) -> Why | None:
        return self.world.whys.get(self.run.key)

    @property
    def bad(self) -> bool:
        """Whether it ended in a way that is to be explained."""
        return self.phase is Phase.ENDED and self.run.state.kind is not StateClass.GOOD

    @property
    def usage(self) -> UsageHistory | None:
        one = self.run.container
        return self.world.usage.get(one.id) if one is not None else None

    @property
    def asked(self) -> Asked | None:
        """What it was given at most: as its container has it, else as the history does."""
        past = self.past.run
        return standing(self.run).asked or (past.asked if past is not None else None)

    @property
    def began(self) -> datetime | None:
        """When it began: its build, else its container."""
        if self.run.build is not None:
            return self.run.build.started
        one = self.run.container
        if one is None:
            return self.past.run.started if self.past.run is not None else None
        return (one.details.started_at if one.details is not None else None) or one.created

    @property
    def ended(self) -> datetime | None:
        """When it ended; None while it goes on, and where that is not known."""
        if self.phase is not Phase.ENDED:
            return None
        if self.run.build is not None and self.run.build.ended is not None:
            return self.run.build.ended
        one = self.run.container
        told = one.details.finished_at if one is not None and one.details is not None else None
        return told or (self.past.run.ended if self.past.run is not None else None) or self.run.since

    @property
    def took(self) -> timedelta | None:
        """How long it ran, or has run so far."""
        begin, end = self.began, self.ended
        if begin is None or (end is None and self.phase is Phase.ENDED):
            return None
        return max(timedelta(0), (end or self.now) - begin)


def find(world: World, key: str) -> Run | None:
    return next((one for one in world.runs if one.key == key), None)


def successor(world: World, run: Run) -> Run | None:
    """The same run in a newer world. What waited in the queue has become a build: that has another key."""
    found = find(world, run.key)
    if found is not None or run.item is None:
        return found
    return next((one for one in world.runs if one.build is not None and one.build.queue_id == run.item.id), None)


def before(world: World, run: Run) -> Run | None:
    """The run before it of the same project, to tell what is new about this one. One that was skipped has trained nothing."""
    return before_of(world.runs, run)


def figures_of(world: World, run: Run) -> Figures | None:
    """What it measures: of its newest container that told anything."""
    return next((found for one in run.containers if (found := world.figures.get(one.id)) is not None), None)


def parameters(run: Run) -> Mapping[str, str]:
    """How it trains, by name: each part of OVERRIDES is one of its own. What is empty or false is left out."""
    given: tuple[Parameter, ...] = ()
    if run.build is not None:
        given = run.build.parameters
    elif run.item is not None:
        given = run.item.parameters
    return _plain((one.name, one.value) for one in given)


def given(view: RunView) -> Mapping[str, str] | None:
    """The same as the systems tell it, else as the history does; None where nobody has told."""
    past = view.past.run
    if not knows_parameters(view.run) and past is not None and past.parameters:
        return _plain(past.parameters.items())
    return parameters(view.run) if knows_parameters(view.run) else None


def _plain(told: Iterable[tuple[Clean, Clean | None]]) -> Mapping[str, str]:
    given = [(name, value) for name, value in told if name not in IDENTITY and value not in UNSET]
    return {
        str(name): str(value)
        for name, value in apart((name, MASK if value is None else value) for name, value in given).items()
    }


def knows_parameters(run: Run) -> bool:
    """Whether what it was started with was told."""
    return run.item is not None or (run.build is not None and run.build.detailed)


def changes(run: Run, older: Run) -> list[str]:
    """`lr 3e-4 -> 1e-4`: parameters that differ, in the order of their names."""
    now, then = parameters(run), parameters(older)
    names = [name for name in sorted({*now, *then}) if now.get(name) != then.get(name)]
    return [f"{name} {then.get(name, 'unset')} -> {now.get(name, 'unset')}" for name in names]


def kept(known: RunView, last: RunView | None) -> RunView:
    """With what was known last where a newer world knows less: a container that is removed takes its figures with it."""
    if last is None or last.run.key != known.run.key:
        return known
    return replace(known, figures=known.figures or last.figures)
