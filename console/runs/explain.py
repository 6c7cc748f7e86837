"""Why a run ended badly: one cause, in a sentence, with what it rests on. Pure.

What somebody knows comes before what is read out of words: Jenkins' own word for a stop, the Engine's for memory, the
platform's sentence, then the last error of the program. Nothing is guessed: `unknown` with the last lines is an answer.
"""

from __future__ import annotations

from collections.abc import Callable

from console.model.build import Result
from console.model.run import Run
from console.model.state import StateClass
from console.model.why import Cause, Why
from console.runs import evidence, inside, outside
from console.runs.case import Case, Clues

_FINDERS: tuple[Callable[[Case], Why | None], ...] = (
    outside.refused,
    outside.pipeline,
    outside.ended_by_time,
    outside.stopped,
    outside.interrupted,
    outside.node_lost,
    outside.memory,
    outside.killed,
    inside.image,
    inside.not_started,
    inside.by_problem,
    inside.collective,
    inside.program,
    inside.signal,
    inside.last_error,
    inside.by_description,
    inside.build,
)


def explain(run: Run, clues: Clues) -> Why | None:
    """None for a run that goes on, went well, or had nothing to do."""
    if not run.ended or run.state.kind is StateClass.GOOD:
        return None
    case = Case(run, clues)
    if case.result is Result.NOT_BUILT and not (case.verdict and case.verdict.status == "refused"):
        return None
    if case.container is not None and case.code == 0 and run.build is None:
        return None
    for find in _FINDERS:
        if (found := find(case)) is not None:
            return found
    return _unknown(case)


def _unknown(case: Case) -> Why:
    code = case.code if case.code not in (None, 0) else None
    told = f"It ended with exit {code}" if code is not None else "It failed"
    said = str(case.clues.failure or case.description or "")
    words = f"{told}, and nothing that is known says why"
    short = f"exit {code}" if code is not None else said or "not known why"
    return case.why(Cause.UNKNOWN, words, short, case.docker, case.platform, *evidence.last_lines(case.lines, 4))
