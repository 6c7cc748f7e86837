"""Which run a container belongs to, by the labels that the platform gives it (interface.md). Pure."""

from __future__ import annotations

from collections.abc import Iterable

from console.model.build import BuildRef
from console.model.container import Container
from console.text import Clean

TRAIN = Clean("train")
"""The job of Jenkins that trains projects; its parameters are the platform's contract (docs/platform.md)."""

STAGE = "train"
"""The stage of its builds in which the training itself runs, in small letters (Jenkinsfile)."""

LOCAL = "local"
"""The job of runs by hand, which no Jenkins knows."""

IDENTITY = frozenset({"PROJECT", "COMMIT", "DELIVERY", "TIMESTAMP"})
"""Parameters of a build that say which run it is, and not how it trains."""

UNSET = frozenset({"", "false"})
"""Values of parameters that nobody has given."""

_JOB, _NUMBER = "mlops.job", "mlops.build"
_PURPOSE, _TRAINS = "mlops.purpose", "train"
_FIGURES = 9


def trains(container: Container) -> bool:
    """Whether it is a training itself, and not what checks or publishes one."""
    return container.training and (container.label(_PURPOSE) or _TRAINS) == _TRAINS


def newest_first(containers: Iterable[Container]) -> list[Container]:
    """Trainings among them: those that are alive, then those that have ended, the newest first."""
    return sorted(filter(trains, containers), key=lambda one: (one.alive, one.created), reverse=True)


def run_of(container: Container) -> BuildRef | None:
    """Its run; None for a container of none, and for labels that make no sense. A run by hand is of the job `local`."""
    job, number = container.label(_JOB), container.label(_NUMBER)
    if not job or number is None or not (number.isascii() and number.isdigit()) or len(number) > _FIGURES:
        return None
    return BuildRef(job, int(number))


def build_of(container: Container) -> BuildRef | None:
    """The build of Jenkins that it belongs to; None for one by hand, which has none."""
    found = run_of(container)
    return found if found is not None and found.job != LOCAL else None
