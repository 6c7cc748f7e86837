"""What commands need from the outside; `console.backend` provides it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from console.model.source import SourceStatus
from console.settings import Loaded
from console.settings.keyfacts import KeyFact
from console.sources.protocols import ActingJenkins, Compose, ContainerEngine, Gpus, Machine
from console.text import Clean

if TYPE_CHECKING:
    from console.actions.audit import AuditRecorder
    from console.doctor.instruments import Instruments
    from console.feeds.outlook import Outlook
    from console.model.past import Past
    from console.sources.reach import Hands, Reach


class Backend(Protocol):
    @property
    def loaded(self) -> Loaded:
        """The settings; raises SettingsError with every mistake in them."""
        ...

    def keys(self) -> Sequence[KeyFact]:
        """The table of keys as the person has it; raises SettingsError."""
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

    def gpus(self) -> Gpus | SourceStatus:
        """The cards, for one event loop, or why they cannot be asked from here."""
        ...

    def machine(self, *, foresees: bool = True) -> Machine | SourceStatus:
        """The machine, for one event loop, or why it is not the server. With `foresees` it tells when a disk will be full."""
        ...

    def outlook(self) -> Outlook:
        """When disks of this machine would be full, for one event loop."""
        ...

    def past(self) -> Past:
        """What is remembered, for one event loop."""
        ...

    def reach(self) -> Reach:
        """All that acts can be done to, for one event loop; raises SourceError for an address that makes no sense."""
        ...

    def hands(self) -> Hands:
        """What does things, for one event loop that watches already; raises SourceError as `reach` does."""
        ...

    def for_doctor(self) -> Backend:
        """The same, where a secret that others can read is no mistake of the settings: the doctor tells it, and mends it."""
        ...

    def instruments(self) -> Instruments:
        """What the doctor looks with, for one event loop; settings that are wrong are part of it."""
        ...

    def recorder(self) -> AuditRecorder:
        """Where acts are written down, and read again. The same one each time; the demo has its own, which keeps nothing."""
        ...
