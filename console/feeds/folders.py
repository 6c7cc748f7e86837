"""Which folders' disks matter besides the machine's own."""

from __future__ import annotations

from collections.abc import Mapping

from console.model.container import Engine


def docker_folders(engine: Engine | None) -> Mapping[str, str]:
    """Where the Engine keeps images, containers and volumes, if it is on this machine."""
    return {"docker": engine.root} if engine is not None and engine.local and engine.root is not None else {}
