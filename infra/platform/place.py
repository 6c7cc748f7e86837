"""Where things are: paths below the repository's folder, and how they are called in sentences."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """One checkout of the repository on one server."""

    root: Path

    @classmethod
    def here(cls) -> Place:
        """The checkout that this program is in."""
        return cls(Path(__file__).resolve().parents[2])

    @property
    def infra(self) -> Path:
        return self.root / "infra"

    @property
    def secrets(self) -> Path:
        return self.infra / "secrets"

    @property
    def env(self) -> Path:
        return self.infra / ".env"

    @property
    def example(self) -> Path:
        return self.infra / ".env.example"

    @property
    def compose(self) -> Path:
        return self.infra / "docker-compose.yml"

    @property
    def plugins(self) -> Path:
        return self.infra / "jenkins" / "plugins.txt"

    def name(self, path: Path) -> str:
        """A path as people type it in the repository's folder."""
        return str(path.relative_to(self.root))


def person() -> tuple[int, int]:
    """User and group that files for people belong to: with sudo, of whoever called it."""
    user, group = os.environ.get("SUDO_UID", ""), os.environ.get("SUDO_GID", "")
    if os.geteuid() == 0 and user.isdigit() and group.isdigit():
        return int(user), int(group)
    return os.geteuid(), os.getegid()
