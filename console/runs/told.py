"""What the figures of trainings make of their rows: how far each is, and what wants somebody to look. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from console.model.container import ContainerState
from console.model.gpu_use import run_name
from console.model.metric import Figures
from console.model.run_words import figure, grave_state, place, remaining, worst_of
from console.model.state import StateClass, state
from console.model.world import ContainerRow, Problem
from console.text import Clean, clean


def told_rows(
    rows: Sequence[ContainerRow], figures: Mapping[Clean, Figures], now: datetime
) -> tuple[tuple[ContainerRow, ...], tuple[Problem, ...]]:
    """The rows with what is known of them, the worst first again, and the problems among them."""
    found: list[ContainerRow] = []
    problems: list[Problem] = []
    for row in rows:
        known = figures.get(row.container.id)
        if known is None or row.container.state is not ContainerState.RUNNING or row.state.bad:
            found.append(row)
            continue
        worst = worst_of(known)
        if worst is None:
            found.append(replace(row, state=state(StateClass.ACTIVE, "training"), why=progress(known, now) or row.why))
            continue
        told = grave_state(worst)
        found.append(replace(row, state=told, why=worst.words))
        sentence = clean(f"{run_name(row.container)} {told.word}: {worst.words}")
        problems.append(Problem(told.kind, sentence, clean(f"container/{row.container.id}")))
    ordered = sorted(found, key=lambda one: (one.state.kind.value, one.container.name))
    return tuple(ordered), tuple(problems)


def progress(known: Figures, now: datetime) -> Clean:
    """`48% 15/30  loss 0.409  18m left`."""
    lead = known.lead
    parts = [place(known), f"{lead.name} {figure(lead.last.value)}" if lead is not None else "", remaining(known, now)]
    return clean("  ".join(part for part in parts if part))
