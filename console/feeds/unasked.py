"""A feed of what cannot be asked from here: it says why, and never anything else."""

from __future__ import annotations

from typing import Any

from console.model.source import Snapshot, SourceStatus


class Unasked:
    """Stands where a feed would."""

    history = None

    def __init__(self, status: SourceStatus) -> None:
        self.snapshot: Snapshot[Any] = Snapshot(None, status)

    async def run(self) -> None:
        """There is nothing to read."""

    def refresh(self) -> None:
        """It does not become known by asking once more."""

    def watched(self, closely: bool) -> None:
        """Nor by looking."""
