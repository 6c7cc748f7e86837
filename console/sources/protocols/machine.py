"""The machine that the console runs on: its cards, its files, what systemd runs there, how it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from console.model.container import Container
    from console.model.disk import DiskUse
    from console.model.filefacts import FileFacts
    from console.model.gpu import GpuReading, GpuWorld
    from console.model.kept import Kept
    from console.model.machine import MachineHistory, MachineReading
    from console.model.unit import Unit
    from console.text import Clean


class Files(Protocol):
    """Files of the machine that the console runs on. Every method raises `SourceError`: `NotThereError` where there is none,
    `DENIED` for what this user may not look at."""

    async def facts(self, path: Path) -> FileFacts:
        """Of the file itself; of a link, and not of what it leads to."""
        ...

    async def text(self, path: Path) -> bytes:
        """The first MiB of a plain file."""
        ...

    async def held_by(self, path: Path) -> Clean | None:
        """Who holds the lock of a file that a program locks as long as it runs, in that program's words; None: nobody."""
        ...

    async def set_rights(self, path: Path, was: FileFacts, rights: int, uid: int | None) -> None:
        """Give it these twelve bits, and an owner (None: it keeps its own), if it still is what it `was`."""
        ...

    async def aclose(self) -> None: ...


class RunFolders(Protocol):
    """What runs keep on the disk. It looks at every file, so it is asked for when somebody wants to know."""

    async def kept(self, use: DiskUse, containers: Sequence[Container]) -> tuple[Kept, ...]:
        """Workspaces, runs and checkpoints, what can be gone on from first, then the largest. What cannot be read is one entry
        for each volume, with the Engine's size of it."""
        ...

    async def aclose(self) -> None: ...


class Units(Protocol):
    """Units of the systemd that runs this machine. Every method raises `SourceError`."""

    async def unit(self, name: str) -> Unit | None:
        """None where there is no such unit, or no systemd."""
        ...

    async def may_start(self) -> bool:
        """Whether this user may start units without being asked for a password."""
        ...

    async def start(self, name: str) -> None:
        """It answers when the unit says that it is ready. `error.unsure` where that was not waited for to its end."""
        ...

    async def aclose(self) -> None: ...


class Gpus(Protocol):
    """The GPUs of the machine that the console runs on."""

    async def read(self) -> GpuReading:
        """All cards now; a card that tells nothing any more is among them and says why.

        What is dear (use by process, errors of memory) is asked for now and then, and told again in between. Raises
        `SourceError`: `OFF` where there is no driver, `UNREACHABLE` where there is one that does not work.
        """
        ...

    async def aclose(self) -> None: ...


class Machine(Protocol):
    """The machine that the console runs on."""

    async def read(self, folders: Mapping[str, str]) -> MachineReading:
        """How it does now. `folders` are those whose disks matter, by what they are for; those that are not there are left out.

        Raises `SourceError` where the kernel tells nothing at all.
        """
        ...

    async def aclose(self) -> None: ...


@runtime_checkable
class KnowsGpuPast(Protocol):
    """Cards that can tell what they did before anybody looked. The demo can, NVML cannot."""

    def past(self) -> GpuWorld:
        """What a feed would know now if it had been looking for a day."""
        ...


@runtime_checkable
class KnowsMachinePast(Protocol):
    """The same for a machine."""

    def past(self) -> MachineHistory:
        """What a feed would know now."""
        ...
