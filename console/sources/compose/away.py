"""The Compose file of another machine, which cannot be read from here."""

from __future__ import annotations

from console.model.service import ComposeProject
from console.model.source import SourceError, SourceState
from console.sources.docker_engine.endpoint import There
from console.text import clean


class ComposeAway:
    """See `sources.protocols.Compose`. A file that lies here says nothing of an Engine elsewhere, unless somebody names it."""

    def __init__(self, there: There) -> None:
        self._reason = clean(f"Not available from here. {there.advice}")

    async def project(self) -> ComposeProject | None:
        raise SourceError(SourceState.OFF, self._reason)

    def changed(self) -> bool:
        return False

    async def aclose(self) -> None:
        """Nothing is open."""
