"""The demo's Compose file."""

from __future__ import annotations

from console.demo.cast import DECLARED, FILE, PROJECT
from console.demo.disk import VOLUMES
from console.demo.identity import config_hash, image_id, images_here
from console.model.service import ComposeProject, Declared
from console.text import clean


class DemoCompose:
    """See `sources.protocols.Compose`: a file that never changes."""

    async def project(self) -> ComposeProject | None:
        here = images_here()
        declared = tuple(
            Declared(
                name=clean(name),
                image=clean(image),
                scale=scale,
                config_hash=config_hash(name, image),
                image_id=image_id(image) if image in here else None,
            )
            for name, image, scale in DECLARED
        )
        return ComposeProject(clean(PROJECT), clean(FILE), declared, (), tuple(map(clean, VOLUMES)))

    def changed(self) -> bool:
        return False

    async def aclose(self) -> None:
        """Nothing is open."""
