"""Invented ids: the same name always has the same one."""

from __future__ import annotations

from hashlib import sha256

from console.demo.actor import Actor
from console.demo.cast import CAST
from console.text import Clean, clean


def container_id(actor: Actor) -> Clean:
    return clean(sha256(f"container {actor.name}".encode()).hexdigest())


def image_id(image: str) -> Clean:
    return clean(f"sha256:{sha256(f'image {image}'.encode()).hexdigest()}")


def config_hash(service: str, image: str) -> Clean:
    """What Compose would label a container of this service with: another image, another hash."""
    return clean(sha256(f"config {service} {image}".encode()).hexdigest())


def images_here() -> frozenset[str]:
    """Images that the demo's Engine has: those that containers were made of."""
    return frozenset(actor.image for actor in CAST)
