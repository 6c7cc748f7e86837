"""What the demo's runs have left on its disk."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from console.demo.clock import Clock
from console.model.build import NOTHING
from console.model.container import Container
from console.model.disk import DiskUse
from console.model.kept import Kept, KeptKind, largest_first
from console.text import Clean, clean

_MB = 1_000_000
_PLACE = Clean("mlops_agent-work")
_RUNS = (("project-a", 41, 9_400, 5, True), ("project-a", 38, 9_200, 40, False), ("project-b", 40, 1_310, 11, False))
"""Project, build, MB of its checkpoints, hours since, and whether it can be gone on from."""


class DemoFolders:
    """See `sources.protocols.RunFolders`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def kept(self, use: DiskUse, containers: Sequence[Container]) -> tuple[Kept, ...]:
        began = self._clock.began
        found = [Kept(KeptKind.WORKSPACE, None, Clean("train"), _PLACE, 214 * _MB, began - timedelta(hours=5), note=NOTHING)]
        for project, build, size, hours, goes_on in _RUNS:
            at, name = began - timedelta(hours=hours), clean(f"train #{build}")
            found.append(Kept(KeptKind.CHECKPOINTS, clean(project), name, _PLACE, size * _MB, at, goes_on))
            found.append(Kept(KeptKind.RUN, clean(project), name, _PLACE, 12 * _MB, at))
        return largest_first(found)

    async def aclose(self) -> None:
        """Nothing is open."""
