"""The demo's Compose file."""

from __future__ import annotations

from console.demo.cast import DECLARED, FILE, PROJECT
from console.demo.engine import config_hash
from console.model.service import ComposeProject, Declared
from console.text import clean


class DemoCompose:
    """See `sources.protocols.Compose`: a file that never changes."""

    async def project(self) -> ComposeProject | None:
        declared = tuple(
            Declared(clean(name), clean(image), scale, clean(config_hash(name))) for name, image, scale in DECLARED
        )
        return ComposeProject(clean(PROJECT), clean(FILE), declared)

    def changed(self) -> bool:
        return False

    async def aclose(self) -> None:
        """Nothing is open."""
