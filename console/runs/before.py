"""The run before another, against which that is told to be better or worse. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from console.model.build import BuildRef, Result
from console.model.run import Phase, Run
from console.text import Clean


def before_of(runs: Iterable[Run], run: Run) -> Run | None:
    """The one before it of the same project and job among these; of one that waits the newest. One that was skipped has trained
    nothing, and is none. None where there is no such run."""
    same = [one for one in runs if one.project == run.project and one.key != run.key and _trained(one)]
    ref = _ref(run)
    if ref is None:
        return max(same, key=_number, default=None) if run.phase is Phase.QUEUED else None
    older = [one for one in same if (theirs := _ref(one)) is not None and theirs.job == ref.job and theirs < ref]
    return max(older, key=_number, default=None)


def _trained(run: Run) -> bool:
    return run.phase is not Phase.QUEUED and (run.build is None or run.build.result is not Result.NOT_BUILT)


def _ref(run: Run) -> BuildRef | None:
    """By the key: a run by hand has a number of its own, and no build."""
    job, mark, number = run.key.rpartition("#")
    return BuildRef(Clean(job), int(number)) if mark and number.isascii() and number.isdigit() else None


def _number(run: Run) -> int:
    ref = _ref(run)
    return ref.number if ref is not None else -1
