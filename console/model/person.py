"""Who sits at the console: as this machine knows them, and as Jenkins does."""

from __future__ import annotations

from dataclasses import dataclass

from console.model.build import NOTHING
from console.text import Clean


@dataclass(frozen=True, slots=True)
class Person:
    """`user` is the name of the real `uid`, `sudo` who became that user with sudo, `ssh` the address they came from,
    `jenkins` the user that Jenkins is asked as. None where there is no such thing."""

    user: Clean
    uid: int
    sudo: Clean | None = None
    ssh: Clean | None = None
    jenkins: Clean | None = None

    @property
    def called(self) -> Clean:
        """`anna`, `anna@192.0.2.7`; whoever has become root is called by their own name, with that told: `anna (root)`."""
        name = self.user if self.sudo is None else f"{self.sudo} ({self.user})"
        return Clean(name if self.ssh is None else f"{name}@{self.ssh}")


NOBODY = Person(NOTHING, -1)
"""Stands for whoever a damaged record does not name."""
