"""What commands need from the outside; `console.main` provides it."""

from __future__ import annotations

from typing import Protocol

from console.actions.doer import Recorder
from console.model.source import SourceStatus
from console.settings import Loaded
from console.sources.protocols import ActingJenkins, Compose, ContainerEngine
from console.text import Clean


class Backend(Protocol):
    @property
    def loaded(self) -> Loaded:
        """The settings; raises SettingsError with every mistake in them."""
        ...

    @property
    def host(self) -> Clean: ...

    @property
    def demo(self) -> bool: ...

    def sources(self) -> tuple[ContainerEngine, Compose]:
        """Fresh sources, for one event loop; raises SourceError for an address that makes no sense."""
        ...

    def jenkins(self) -> ActingJenkins | SourceStatus:
        """A fresh source, for one event loop, or why there is none."""
        ...

    def recorder(self) -> Recorder:
        """Where acts leave their trace."""
        ...
