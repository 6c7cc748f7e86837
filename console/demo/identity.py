"""Invented ids: the same name always has the same one."""

from __future__ import annotations

from hashlib import sha256

from console.demo.actor import Actor
from console.demo.cast import CAST
from console.text import Clean, clean

# Linux gives out no greater number, so this can never be mistaken for a process of the real machine.
PIDS_ABOVE = 1 << 22


def container_id(actor: Actor) -> Clean:
    return clean(sha256(f"container {actor.name}".encode()).hexdigest())


def pid(actor: Actor, restarts: int = 0) -> int:
    """The process id that its first process has on the host."""
    return PIDS_ABOVE + int(container_id(actor)[:4], 16) + restarts


def image_id(image: str) -> Clean:
    return clean(f"sha256:{sha256(f'image {image}'.encode()).hexdigest()}")


def config_hash(service: str, image: str) -> Clean:
    """What Compose would label a container of this service with: another image, another hash."""
    return clean(sha256(f"config {service} {image}".encode()).hexdigest())


def images_here() -> frozenset[str]:
    """Images that the demo's Engine has: those that containers were made of."""
    return frozenset(actor.image for actor in CAST)
