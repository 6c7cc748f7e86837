"""The Engine, and Compose. What only watches and what acts are apart, so that what only watches cannot act."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from console.model.container import Container, ContainerEvent, Engine, Ran, Usage
    from console.model.daemon import Daemon
    from console.model.disk import DiskUse
    from console.model.log import Entry
    from console.model.process import Process
    from console.model.service import ComposeProject
    from console.sources.rawterminal import Shell
    from console.text import Clean

NO_VARIABLES: Mapping[str, str] = MappingProxyType({})


class ContainerEngine(Protocol):
    """A Docker Engine, read only. Every method raises `SourceError` with a state and a sentence for people."""

    async def engine(self) -> Engine:
        """Who answers; also settles the API version for all later requests."""
        ...

    async def root(self) -> Clean | None:
        """The folder that the Engine keeps everything in, on its own machine; None when it does not tell.

        It costs the Engine more than a list: it looks at all of itself.
        """
        ...

    async def containers(self) -> tuple[Container, ...]:
        """All containers, running or not, without `details`: one request."""
        ...

    async def inspect(self, container_id: str) -> Container:
        """One container with `details`; `NotThereError` when it is gone."""
        ...

    def events(
        self, since_nano: int | None = None, connected: Callable[[], None] | None = None
    ) -> AsyncIterator[ContainerEvent]:
        """Events about containers, from `since_nano` (nanoseconds since 1970, the Engine's clock) on, without end.

        `connected` is called once the Engine has begun to answer: nothing that happens from then on is missed.
        """
        ...

    async def usage(self, containers: Sequence[Container]) -> Mapping[Clean, Usage]:
        """Newest CPU and memory by container id. It keeps open what it needs for exactly these until the next call."""
        ...

    async def image_ids(self, names: Collection[str]) -> Mapping[Clean, Clean]:
        """Full image id for each name that this Engine has an image of; the others are left out."""
        ...

    def log(
        self, container: Container, *, tail: int | None, since: int | None = None, follow: bool = False
    ) -> AsyncGenerator[list[Entry]]:
        """The newest `tail` entries of a container's log (None: all), oldest first, in lists as they come.

        `container` has `details`. `since` leaves out what is older (nanoseconds since 1970). With `follow` it goes on
        until the container ends. The first list, which may be empty, comes when the Engine has begun to answer. What the
        Engine loses or sends twice is lost or doubled here too: see `console.logs.tail`.
        """
        ...

    async def aclose(self) -> None: ...


@runtime_checkable
class Patient(Protocol):
    """An Engine whose followed logs may come in larger pieces: to wake up for each line costs more than to read it."""

    def gather(self, seconds: float) -> None:
        """Let what a log brings gather for so long; what comes fast is passed on as fast as before."""
        ...


class EngineDaemon(Protocol):
    """An Engine's own set-up: asked for by whoever wants to know whether it is as it should be."""

    async def daemon(self) -> Daemon:
        """It costs the Engine more than a list. Raises `SourceError`."""
        ...


class EngineDisk(Protocol):
    """What fills an Engine's disk. It costs more than a list (volumes are added up on disk): asked for when somebody looks."""

    async def disk(self) -> DiskUse:
        """Everything now. What does not change (layers of an image) is asked for once. Raises `SourceError`."""
        ...

    async def aclose(self) -> None:
        """Close all connections. Closing twice does nothing."""
        ...


class EngineActs(Protocol):
    """What can be done to containers, images, volumes and cache. Apart from `ContainerEngine`, so that what only watches cannot
    act.

    Every method raises `SourceError`: `NotThereError` for what is gone, `error.unsure` where the connection broke after the
    request was sent. Nothing is forced unless it says so, and nothing is sent twice. `grace` are seconds until the kernel
    kills what does not end by itself; None is the container's own (ten seconds where it says none).
    """

    async def start(self, container: str) -> bool:
        """False when it ran already."""
        ...

    async def stop(self, container: str, grace: int | None) -> bool:
        """Ask it to end, by its own stop signal. It answers when it has ended. False when it did not run."""
        ...

    async def restart(self, container: str, grace: int | None) -> None: ...

    async def kill(self, container: str, signal: str) -> None:
        """`signal` is a name such as `SIGKILL`. A container that does not run is a conflict: `SourceError` says so."""
        ...

    async def pause(self, container: str) -> None: ...

    async def unpause(self, container: str) -> None: ...

    async def remove_container(self, container: str, *, volumes: bool) -> None:
        """One that does not run; with its unnamed `volumes`. One that runs is refused by the Engine."""
        ...

    async def remove_image(self, image: str, names: Sequence[str]) -> int:
        """By its id, with all of `names`, each only while it still stands for this image. How many layers went with it.

        Refused by the Engine while a container, running or not, was made from it, and by us when it has got another name.
        """
        ...

    async def remove_volume(self, name: str) -> None:
        """Refused by the Engine while a container, running or not, has it."""
        ...

    async def remove_cache(self, records: Sequence[str]) -> int:
        """Parts of the build cache by their ids; bytes that came free. One that is in use, or gone, is left without a word."""
        ...

    async def top(self, container: str) -> tuple[tuple[Clean, ...], ...]:
        """Its processes as a table: the first row has the titles."""
        ...

    async def processes(self, container: str) -> tuple[Process, ...]:
        """The same, understood. A container that does not run is a conflict: `SourceError` says so."""
        ...

    async def has(self, container: str, path: str) -> bool:
        """Whether there is a file, folder or link at an absolute path in it. `path` may be asked of one that does not run."""
        ...

    def shell(self, container: str, command: Sequence[str], environment: Mapping[str, str]) -> Shell:
        """A program in it that a person sits at; nothing is asked of the Engine before it is started."""
        ...

    async def raw(self, container: str) -> Mapping[str, object]:
        """All that the Engine knows of it, as it came: whoever shows it cleans it, and hides values of the environment."""
        ...

    async def run_inside(
        self,
        container: str,
        command: Sequence[str],
        *,
        user: str = "",
        environment: Mapping[str, str] = NO_VARIABLES,
        limit: float = 30.0,
    ) -> Ran:
        """Run a short command in a container that runs, as `user` (empty: the container's own), without input and terminal.

        It answers when the command has ended, whatever its status. After `limit` seconds the error is `unsure`: it may go on.
        A program that is not there is a status of 126 or 127, or a refusal of the Engine, by its version.
        """
        ...

    def copy_out(self, container: str, path: str) -> AsyncGenerator[bytes]:
        """A file or folder in it, as the bytes of a tar archive. `NotThereError` where there is none."""
        ...

    async def aclose(self) -> None: ...


class GpuTrial(Protocol):
    """Tries whether a container gets the cards."""

    async def sees(self, image: str) -> tuple[Clean, ...]:
        """The cards as `nvidia-smi -L` lists them in a new container of `image`, which is on the Engine; it is gone afterwards.

        Raises `SourceError` with the Engine's own words, or the program's.
        """
        ...

    async def aclose(self) -> None: ...


class Compose(Protocol):
    """The Compose file that this console looks after."""

    async def project(self) -> ComposeProject | None:
        """The file as Compose reads it now; None when no file is configured or found.

        Raises `SourceError` when there is a file and it cannot be read: the reason quotes Compose's own message.
        """
        ...

    def changed(self) -> bool:
        """True when a file that went into the last answer is different on disk, so that asking again is worth it."""
        ...

    async def aclose(self) -> None: ...


class ComposeActs(Protocol):
    """What can be done to the services of one Compose file, by Compose itself."""

    async def act(self, verb: str, services: Sequence[str], grace: int | None, tell: Callable[[Clean], None]) -> None:
        """`verb` is `up`, `start`, `stop`, `restart`, `recreate`, `pull` or `down`; no services are all of them. `tell` gets
        what Compose says it does (`jenkins stopping`), as it does it.

        Raises `SourceError` with Compose's own complaint; what was done until then stays done, and `unsure` is set when it was
        ended before it had told.
        """
        ...

    def command(self, verb: str, services: Sequence[str], grace: int | None) -> Clean:
        """The command that does the same, as a person would type it: `docker compose -f FILE up -d --no-deps jenkins`."""
        ...

    async def aclose(self) -> None: ...
