"""What a person wants to hear of the runs that they follow: that one has ended, does badly, or wants an answer. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from console.model.build import BuildRef
from console.model.container import ContainerEvent
from console.model.run import Run
from console.model.run_words import GRAVE, grave, shown_state
from console.model.source import SourceState
from console.model.state import State, StateClass
from console.model.world import World
from console.text import Clean, clean


@dataclass(frozen=True, slots=True)
class Heard:
    """What was known last of a run that is followed. `trouble` is the word of what was wrong with it, `container` the id of
    the one that trained, `shown` what it is called; `seen` is False until it was in a world."""

    shown: Clean
    seen: bool = False
    ended: bool = False
    trouble: Clean | None = None
    container: Clean | None = None


Followed = Mapping[Clean, Heard]
"""By the run's key."""


@dataclass(frozen=True, slots=True)
class Notice:
    """`project-a #128 published: best val_acc 0.949`. `ref` is the build whose log tells more."""

    kind: StateClass
    words: Clean
    ref: BuildRef | None = None


def following(run: Run, world: World) -> Heard:
    """What a person knows of a run who begins to follow it now: of that they need not be told."""
    known = world.measured(run)
    told = shown_state(run, known)
    trouble = told.word if told.bad and not run.ended else None
    container = run.container.id if run.container is not None else None
    return Heard(run.shown, True, run.ended, trouble, container)


def look(followed: Followed, world: World) -> tuple[Followed, tuple[Notice, ...]]:
    """What is followed from now on, and what is to be told. Whoever has ended is followed no more."""
    runs = {run.key: run for run in world.runs}
    left: dict[Clean, Heard] = {}
    told: list[Notice] = []
    for key, before in _begun(followed, world).items():
        run = runs.get(key)
        if run is None:
            gone = _gone(before, world)
            if gone is None:
                left[key] = before
            else:
                told.append(gone)
            continue
        now = following(run, world)
        if now.ended:
            if not before.ended:
                told.append(_ended(run, world))
            continue
        left[key] = now
        if now.trouble is not None and now.trouble != before.trouble:
            told.append(_troubled(run, world))
    return left, tuple(told)


def _begun(followed: Followed, world: World) -> Followed:
    """An item of the queue has another key once it is a build."""
    became = {
        clean(f"queue/{run.build.queue_id}"): run.key
        for run in world.runs
        if run.build is not None and run.build.queue_id is not None
    }
    return {became.get(key, key): heard for key, heard in followed.items()}


def _ended(run: Run, world: World) -> Notice:
    """In one sentence: why, where that was found out, else what the platform says of it."""
    why = world.whys.get(run.key)
    return Notice(run.state.kind, _sentence(run.shown, run.state, why.words if why is not None else run.why), run.ref)


def _troubled(run: Run, world: World) -> Notice:
    known = world.measured(run)
    told, worst, why = shown_state(run, known), grave(run, known), world.whys.get(run.key)
    words = why.words if why is not None else worst.words if worst is not None else run.why
    kind = GRAVE[worst.sign] if worst is not None else told.kind
    return Notice(kind, _sentence(run.shown, told, words), run.ref)


def _gone(before: Heard, world: World) -> Notice | None:
    """Of a run by hand nothing is left when it has ended: its container is taken away. The Engine tells how that ended."""
    docker = world.sources.get("docker")
    if not before.seen or before.ended or before.container is None or docker is None or docker.state is not SourceState.OK:
        return None
    died = next((one for one in world.events if one.id == before.container and one.action == "die"), None)
    return _died(before, died) if died is not None else None


def _died(before: Heard, event: ContainerEvent) -> Notice:
    if event.exit_code == 0:
        return Notice(StateClass.GOOD, clean(f"{before.shown} done"))
    return Notice(StateClass.BROKEN, clean(f"{before.shown} ended with exit {event.exit_code}"))


def _sentence(shown: Clean, told: State, words: str) -> Clean:
    return clean(f"{shown} {told.word}: {words}" if words else f"{shown} {told.word}")
