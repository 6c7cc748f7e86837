"""Where the Compose file is, and whether it can be read."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from console.model.source import NotThereError, SourceError, SourceState
from console.sources.compose.messages import short
from console.text import clean

DEFAULT_FILE = Path("infra") / "docker-compose.yml"


@dataclass(frozen=True, slots=True)
class Place:
    """`configured` when somebody asked for this file by name; `root` is where people stand."""

    file: Path
    root: Path
    configured: bool

    @classmethod
    def of(cls, file: Path | None, root: Path) -> Place:
        """`file` None means infra/docker-compose.yml under `root`."""
        return cls(root / (file if file is not None else DEFAULT_FILE), root, file is not None)

    @property
    def short(self) -> str:
        """The path as a person at `root` writes it."""
        return short(self.file, self.root)

    def is_there(self) -> bool:
        """False when there is none and nobody asked for one. Raises NotThereError for one that somebody asked for
        and is not there, SourceError: DENIED without permission to read it."""
        try:
            self.file.stat()
        except PermissionError:
            raise self._denied() from None
        except (OSError, ValueError):
            if not self.configured:
                return False
            reason = f"No compose file at {self.short}. Set compose.file."
            raise NotThereError(SourceState.UNREACHABLE, clean(reason)) from None
        if not os.access(self.file, os.R_OK):
            raise self._denied()
        return True

    def _denied(self) -> SourceError:
        return SourceError(SourceState.DENIED, clean(f"No permission to read {self.short}."))
