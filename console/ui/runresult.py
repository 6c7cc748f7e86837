"""What came of a run in the words of its row: how good it is, against the last that was, and where its model went. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from console.model import run_words
from console.model.history import PastRun
from console.model.metric import Figures
from console.model.run import Run
from console.model.world import World
from console.runs.before import good_before, went_well
from console.text import Clean

_TAG = re.compile(r"\bpublished (?:to \S+ )?as ([^\s,]+)")
"""In the platform's own sentence on how a build ended (fact.py)."""


@dataclass(frozen=True, slots=True)
class Known:
    """Every run that is known, in which those before another are found, and what the history tells of them by their keys."""

    runs: Sequence[Run] = ()
    past: Mapping[Clean, PastRun] = field(default_factory=dict)
    figures: Mapping[Clean, Figures] = field(default_factory=dict)

    def measured(self, run: Run, world: World | None) -> Figures | None:
        """What is seen of it, else what is remembered."""
        seen = world.measured(run) if world is not None else None
        return seen if seen is not None and seen.score is not None else self.figures.get(run.key, seen)


def result(run: Run, known: Known, world: World | None) -> str:
    """`acc .978 +.004  hub build-127`; empty where it did not end well, or nobody knows how good it is."""
    if not went_well(run):
        return ""
    figures = known.measured(run, world)
    best = short_best(figures)
    if figures is None or not best:
        return ""
    older = good_before(known.runs, run)
    change = run_words.change(figures, known.measured(older, world) if older is not None else None)
    tag = _tag(run, known)
    return "  ".join(part for part in (f"{best} {change}".rstrip(), f"hub {tag}" if tag else "") if part)


def short_best(known: Figures | None) -> str:
    """`acc .914`: scores in a column go without their zero."""
    name, _, value = run_words.best(known).rpartition(" ")
    value = value.replace("0.", ".", 1) if value.startswith(("0.", "-0.")) else value
    return f"{name} {value}".strip()


def _tag(run: Run, known: Known) -> str:
    past = known.past.get(run.key)
    if past is not None and past.published is not None:
        return str(past.published.tag)
    found = _TAG.search(run.why)
    return found[1] if found is not None else ""
