"""What the demo's runs have left on its disk."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from console.demo.clock import Clock
from console.demo.story import BY_NUMBER
from console.model.build import NOTHING
from console.model.container import Container
from console.model.disk import DiskUse
from console.model.kept import Kept, KeptKind, largest_first
from console.text import Clean, clean

_MB = 1_000_000
_PLACE = Clean("mlops_agent-work")
_RUNS = ((125, 9_200, False), (127, 3_300, True), (122, 1_310, False))
"""Runs of the story: build, MB of its checkpoints, and whether it can be gone on from."""


class DemoFolders:
    """See `sources.protocols.RunFolders`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def kept(self, use: DiskUse, containers: Sequence[Container]) -> tuple[Kept, ...]:
        began = self._clock.began
        found = [Kept(KeptKind.WORKSPACE, None, Clean("train"), _PLACE, 214 * _MB, began - timedelta(hours=5), note=NOTHING)]
        for build, size, goes_on in _RUNS:
            training = BY_NUMBER[build]
            at, name = began + timedelta(seconds=training.ends or 0.0), clean(f"train #{build}")
            project = clean(training.project)
            found.append(Kept(KeptKind.CHECKPOINTS, project, name, _PLACE, size * _MB, at, goes_on))
            found.append(Kept(KeptKind.RUN, project, name, _PLACE, 12 * _MB, at))
        return largest_first(found)

    async def aclose(self) -> None:
        """Nothing is open."""
