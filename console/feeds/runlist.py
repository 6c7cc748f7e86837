"""All runs of a server, joined anew only when something that they are made of is another."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from console.model.container import Container
from console.model.gpu import GpuWorld
from console.model.jenkins import JenkinsWorld
from console.model.run import Run
from console.model.training import trains
from console.runs.join import join

OLD_SECONDS = 5.0
"""What waits says for how long still, in steps of some seconds."""


class RunList:
    """Joins what pictures are made of, which come five times a second: a full server costs 15 ms each time."""

    def __init__(self) -> None:
        self._made_of: tuple[object, ...] = ()
        self._made_at: datetime | None = None
        self._runs: tuple[Run, ...] = ()

    def __call__(
        self, containers: Sequence[Container], jenkins: JenkinsWorld | None, gpus: GpuWorld | None, now: datetime
    ) -> tuple[Run, ...]:
        """The runs at `now`, in the order of the screen: the same tuple as before where nothing has changed."""
        trainings = tuple(one for one in containers if trains(one))
        made_of = (trainings, _of_jenkins(jenkins), _of_cards(gpus))
        old = self._made_at is None or abs((now - self._made_at).total_seconds()) >= OLD_SECONDS
        if old or made_of != self._made_of:
            self._made_of, self._made_at = made_of, now
            found = join(trainings, jenkins, gpus, now)
            # Equal runs stay the objects that they were: who compares pictures compares these first.
            self._runs = self._runs if found == self._runs else found
        return self._runs


def _of_jenkins(world: JenkinsWorld | None) -> tuple[object, ...]:
    if world is None:
        return ()
    quiet = world.controller.quieting_down
    facts = (world.history, world.details, world.stages, world.held, world.steps, world.failures, world.stopping)
    return (quiet, world.work, world.jobs, *facts)


def _of_cards(world: GpuWorld | None) -> tuple[object, ...]:
    """Temperatures and loads come every second and are nothing that a run is made of."""
    if world is None:
        return ()
    cards = tuple((one.index, one.processes, one.instances) for one in world.reading.cards)
    return (cards, world.process_idle_since)
