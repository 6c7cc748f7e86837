"""Which builds run now, and which services they would break without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from console.actions.plan import several
from console.model.container import Container
from console.model.source import SourceError
from console.model.training import build_of
from console.sources.reach import Reach
from console.text import Clean, clean

NEEDED = ("jenkins", "agent", "gate")
"""Services of the platform that builds run in, or are asked for through."""


@dataclass(frozen=True, slots=True)
class AtWork:
    """`builds` by name (`train #42`); `unknown` is why Jenkins could not be asked, None where it was or where there is none."""

    builds: tuple[Clean, ...] = ()
    unknown: Clean | None = None

    @property
    def words(self) -> Clean:
        """`train #42 and train #43 run`."""
        return clean(f"{several([str(one) for one in self.builds])} {'runs' if len(self.builds) == 1 else 'run'}")


async def at_work(reach: Reach, containers: Sequence[Container]) -> AtWork:
    """What Jenkins says runs; where it cannot be asked, what the labels of running trainings say."""
    if reach.has_jenkins:
        try:
            work = await reach.ask_jenkins().work()
        except SourceError as error:
            return AtWork(_by_labels(containers), error.reason)
        return AtWork(tuple(sorted(ref.shown for ref in work.running)))
    return AtWork(_by_labels(containers))


def _by_labels(containers: Sequence[Container]) -> tuple[Clean, ...]:
    found = (build_of(one) for one in containers if one.training and one.alive)
    return tuple(dict.fromkeys(ref.shown for ref in found if ref is not None))
