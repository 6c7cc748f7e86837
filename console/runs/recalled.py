"""Runs that only the history knows, in the form of those that go on, and the other way round. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, replace

from console.model.build import BuildRef, Parameter
from console.model.container import Container
from console.model.gpu_use import given_cards
from console.model.history import Asked, PastRun
from console.model.run import Phase, Run
from console.model.secretnames import MASK, secret
from console.model.state import StateClass, state
from console.model.training import IDENTITY, LOCAL, UNSET
from console.text import Clean, clean

RUN_LABEL = "mlops.run"
"""What tells one training from all others: numbers of builds come again."""

LOST = state(StateClass.UNKNOWN, "unknown")
"""Nobody has told how it ended, and nobody knows it any more."""


def as_run(past: PastRun) -> Run:
    """One that nobody but the history knows has ended, whatever was last heard of it."""
    job, number = past.job, past.number
    called = f"{job} #{number}" if job == LOCAL else f"#{number}" if number is not None else ""
    return Run(
        key=past.key,
        project=past.project or past.key,
        # Numbers come again when a job is made anew: the older run has more in its key.
        known_as=clean(past.key if "@" in past.key else called),
        phase=Phase.ENDED,
        state=past.state if past.state is not None and past.ended is not None else LOST,
        why=past.reason or Clean(""),
        ref=BuildRef(job, number) if job is not None and number is not None and job != LOCAL else None,
        commit=past.commit,
        since=past.ended,
    )


def standing(run: Run) -> PastRun:
    """What is known of a run besides its parameters and how it does: that stays as it is."""
    build, container = run.build, run.container
    details = container.details if container is not None else None
    return PastRun(
        key=run.key,
        training=container.label(RUN_LABEL) if container is not None else None,
        project=run.project,
        job=run.ref.job if run.ref is not None else Clean(LOCAL) if run.by_hand else None,
        number=run.ref.number if run.ref is not None else _number(run),
        commit=run.commit,
        causes=tuple(one.text for one in build.causes) if build is not None else (),
        image=run.image,
        container=container.id if container is not None else None,
        started=build.started if build is not None else details.started_at if details is not None else None,
        asked=_asked(container) if container is not None else None,
    )


def _asked(container: Container) -> Asked | None:
    """None until it was inspected."""
    details = container.details
    if details is None:
        return None
    label = container.label("mlops.gpu")
    gpus = len(given_cards(container, ())) if label not in (None, "all") else None
    return Asked(details.memory_limit, details.shm, details.cpus, gpus)


def as_past(run: Run) -> PastRun:
    """What is known of a run without a history. Secrets among its parameters stay away."""
    build, container = run.build, run.container
    details = container.details if container is not None else None
    ended = build.ended if build is not None else details.finished_at if details is not None else None
    return replace(
        standing(run),
        parameters=_parameters(build.parameters) if build is not None else {},
        ended=ended if run.ended else None,
        state=run.state,
        reason=run.why or None,
    )


def _number(run: Run) -> int | None:
    """Of one by hand, which is no build."""
    _, _, told = run.key.rpartition("#")
    return int(told) if run.by_hand and told.isascii() and told.isdigit() else None


def _parameters(told: Iterable[Parameter]) -> dict[Clean, Clean]:
    """Those that say how it trains, as a recorder keeps them: not which run it is, and none that was left as it is."""
    given = [one for one in told if one.name not in IDENTITY and one.value not in UNSET]
    return {one.name: MASK if secret(one.name) else one.value for one in given if one.value is not None}


def both(now: PastRun, kept: PastRun) -> PastRun:
    """What is known now, and where that lacks something what the history has."""
    missing = {one.name: getattr(kept, one.name) for one in fields(PastRun) if getattr(now, one.name) in (None, (), {}, False)}
    return replace(now, **missing)
