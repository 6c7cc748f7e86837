"""Worlds with runs in them, as a test wants them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from console.model.build import BuildRef
from console.model.container import Container, ContainerEvent
from console.model.metric import Figures, Finding
from console.model.run import Phase, Run
from console.model.state import State, StateClass
from console.model.why import Cause, Why
from console.model.world import World
from console.text import Clean, clean
from tests.console.fakes import event
from tests.console.ui import worlds

TRAIN = clean("train")
TRAINS = State(StateClass.ACTIVE, clean("training"))
PUBLISHED = State(StateClass.GOOD, clean("published"))
FAILED = State(StateClass.BROKEN, clean("failed"))
ASKS = State(StateClass.ATTENTION, clean("approval"))


def run(
    number: int = 128,
    state: State = TRAINS,
    phase: Phase = Phase.TRAINING,
    why: str = "",
    project: str = "project-a",
    containers: tuple[Container, ...] = (),
) -> Run:
    ref = BuildRef(TRAIN, number)
    return Run(
        key=clean(str(ref)),
        project=clean(project),
        known_as=clean(f"#{number}"),
        phase=phase,
        state=state,
        why=clean(why),
        ref=ref,
        containers=containers,
    )


def ended(number: int = 128, state: State = PUBLISHED, why: str = "best val_acc 0.949") -> Run:
    return run(number, state, Phase.ENDED, why)


def local(container: Container, state: State = TRAINS, phase: Phase = Phase.TRAINING) -> Run:
    """A run by hand."""
    return Run(clean("local#1"), clean("line"), clean("local #1"), phase, state, Clean(""), containers=(container,))


def ill(sign: str, words: str) -> Figures:
    return Figures(findings=(Finding(clean(sign), clean(words), datetime(2026, 11, 23, tzinfo=UTC)),))


def why(words: str) -> Why:
    return Why(Cause.CONTAINER_MEMORY, clean(words), clean(words))


def world(*runs: Run, base: World | None = None, **more: object) -> World:
    return replace(base or worlds.world(), runs=runs, **more)  # type: ignore[arg-type]  # as World has them


def died(container: Container, code: int | None) -> ContainerEvent:
    return event(container, "die", code=code)
