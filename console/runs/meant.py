"""Which run somebody means by a word: the same rules for commands and for the screen. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from console.model.run import Run
from console.runs.before import went_well
from console.text import Clean, clean
from console.text.near import nearest

SHOWN = 60
"""Cells of a word that somebody typed, in a sentence about it."""

_MOST = 5


class ManyMeantError(Exception):
    """Several runs have this number: it says which, and that one is to be named."""


def meant(found: Sequence[Run], name: str) -> Run | None:
    """By its key, its name, its number, or its project, which means the newest.

    Raises ManyMeantError where it could be several.
    """
    wanted = clean(name, limit=SHOWN)
    one = next((one for one in found if is_called(one, wanted)), None)
    if one is None and name.isascii() and name.removeprefix("#").isdigit():
        numbered = [one for one in found if one.ref is not None and one.ref.number == int(name.removeprefix("#"))]
        # Those of a job that was made anew since have a longer key of their own.
        numbered = [one for one in numbered if "@" not in one.key] or numbered
        if len({one.key for one in numbered}) > 1:
            raise ManyMeantError(f"{wanted} can be {', '.join(one.key for one in numbered[:_MOST])}: say which.")
        one = numbered[0] if numbered else None
    return one if one is not None else next((one for one in found if one.project == wanted), None)


def is_called(run: Run, name: str) -> bool:
    """By its key, or by what the screen calls it, with or without the blanks: `project-a #128`, `project-a#128`."""
    return name == run.key or name.replace(" ", "") == run.shown.replace(" ", "")


def near(found: Sequence[Run], name: str) -> Clean | None:
    """The key or the project that is nearly called so; None where none is."""
    names = {str(each): each for one in found for each in (one.key, one.project)}
    close = nearest(clean(name, limit=SHOWN), names, alike=0.6)
    return names[close] if close is not None else None


def fitting(found: Sequence[Run], part: str) -> Iterator[Run]:
    """Those that can be meant by a word of which only a part is typed: whoever it means already comes first."""
    first: Run | None = None
    if part:
        try:
            first = meant(found, part)
        except ManyMeantError:
            first = None
    if first is not None:
        yield first
    low = part.casefold()
    for one in found:
        if one is not first and (low in one.key.casefold() or low in one.shown.casefold()):
            yield one


def last_good(found: Sequence[Run], run: Run) -> Run | None:
    """The newest run of the same project that went well before this one; where none did, the newest that did at all."""
    good = [one for one in found if one.project == run.project and one.key != run.key and went_well(one)]
    older = [one for one in good if _place(one) < _place(run)]
    return max(older or good, key=_place, default=None)


def _place(run: Run) -> tuple[float, int]:
    """Its place in time: when it began, as far as that is known; builds that began together go by their numbers."""
    begun = run.begun
    return begun.timestamp() if begun is not None else float("inf"), run.ref.number if run.ref is not None else 0
