"""Where lines come from: a container, a build of Jenkins, or what a run has left in its folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from console.model.build import BuildRef
from console.model.container import Container
from console.text import Clean, clean


@dataclass(frozen=True, slots=True)
class BuildLog:
    """The log of one build, of one stage of it (`stage` is its id), or of one `step`. `name` is what people call it."""

    ref: BuildRef
    name: Clean
    stage: Clean | None = None
    step: Clean | None = None

    @property
    def id(self) -> Clean:
        """Tells it from all other logs: a container's id has no `#`."""
        return clean("/".join(str(part) for part in (self.ref, self.stage, self.step) if part is not None))


@dataclass(frozen=True, slots=True)
class KeptLog:
    """The log that a run has left in its folder, at `path`. `ref` is its job and number, be it of Jenkins or not."""

    ref: BuildRef
    name: Clean
    path: Path

    @property
    def id(self) -> Clean:
        """Tells it from all other logs: no build has a number behind two marks."""
        return clean(f"{self.ref}#kept")


Origin: TypeAlias = Container | BuildLog | KeptLog


def build_name(shown: str, number: int) -> Clean:
    """`my-repo/feature/x #3`, for a job that people call `shown`."""
    return clean(f"{shown} #{number}")
