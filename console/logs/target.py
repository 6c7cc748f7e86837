"""Whose logs somebody looks at: everything that a service prints, or a build of Jenkins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from console.logs.origin import BuildLog, Origin
from console.model.build import BuildRef
from console.model.container import Container
from console.text import Clean, clean


@dataclass(frozen=True, slots=True)
class LogTarget:
    """Whose logs: `containers` now, and whatever is started later and `belongs`. `key` names it among others."""

    key: Clean
    name: Clean
    containers: tuple[Container, ...]
    belongs: Callable[[Container], bool]

    @property
    def called(self) -> str:
        """The one word that people type for it: without the kind that its key begins with."""
        kind, _, rest = self.key.partition("/")
        return str(self.name if kind == "container" else rest)

    @property
    def origins(self) -> tuple[Origin, ...]:
        """The logs that there are now."""
        return self.containers


@dataclass(frozen=True, slots=True)
class BuildTarget:
    """The log of a build, of a `stage` (its id) or of a `step` of it. `key` names it among others, `name` is what people call
    it: `train #12`."""

    key: Clean
    name: Clean
    ref: BuildRef
    step: Clean | None = None
    stage: Clean | None = None

    @property
    def called(self) -> str:
        """The one word that people type for it: `train#12`."""
        return self.name.replace(" #", "#")

    @property
    def origins(self) -> tuple[Origin, ...]:
        """Its log."""
        return (BuildLog(self.ref, self.name, stage=self.stage, step=self.step),)

    def belongs(self, _container: Container) -> bool:
        """No container is part of it."""
        return False


Target: TypeAlias = LogTarget | BuildTarget


def build_target(ref: BuildRef, name: str, *, stage: Clean | None = None, step: Clean | None = None) -> BuildTarget:
    """The target for what is called `name`: a build, or a stage or step of it."""
    found = BuildTarget(Clean(""), clean(name), ref, step, stage)
    return replace(found, key=clean(f"build/{found.origins[0].id}"))
