"""What the rest of the console asks of a system. The real sources and the demo world both look like this."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from console.model.container import Container, ContainerEvent, Engine, Ran, Usage
from console.model.log import Entry
from console.model.service import ComposeProject
from console.text import Clean

if TYPE_CHECKING:
    from console.model.asking import Definition, Needs, Question, Stop
    from console.model.build import Build, BuildRef, FailedTest, FilePart, LogPart, Stages
    from console.model.daemon import Daemon
    from console.model.disk import DiskUse
    from console.model.filefacts import FileFacts
    from console.model.gpu import GpuReading, GpuWorld
    from console.model.jenkins import Controller, Job, LeftItem, Monitors, Plugin, Queued, QueueItem, Work
    from console.model.kept import Kept
    from console.model.machine import MachineHistory, MachineReading
    from console.model.process import Process
    from console.model.unit import Unit
    from console.sources.rawterminal import Shell
    from console.sources.web import WebAnswer

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


class Knocks(Protocol):
    """Asks somebody on the web, once."""

    async def ask(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        limit: float = 5.0,
    ) -> WebAnswer:
        """What is answered, whatever the status; no redirect is followed. Raises `SourceError` where nobody answers within
        `limit` seconds, or whoever does cannot be trusted."""
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


class EngineDisk(Protocol):
    """What fills an Engine's disk. It costs more than a list (volumes are added up on disk): asked for when somebody looks."""

    async def disk(self) -> DiskUse:
        """Everything now. What does not change (layers of an image) is asked for once. Raises `SourceError`."""
        ...

    async def aclose(self) -> None:
        """Close all connections. Closing twice does nothing."""
        ...


class RunFolders(Protocol):
    """What runs keep on the disk. It looks at every file, so it is asked for when somebody wants to know."""

    async def kept(self, use: DiskUse, containers: Sequence[Container]) -> tuple[Kept, ...]:
        """Workspaces, runs and checkpoints, what can be gone on from first, then the largest. What cannot be read is one entry
        for each volume, with the Engine's size of it."""
        ...

    async def aclose(self) -> None: ...


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


class Jenkins(Protocol):
    """One Jenkins controller, read only. Every method raises `JenkinsError`, which knows the trouble and says it to people.

    All moments are in this machine's clock. Jobs are named as Jenkins writes them (`my-repo/feature%2Fx`).
    """

    @property
    def url(self) -> Clean:
        """Where it is, without a slash at the end."""
        ...

    @property
    def controller(self) -> Controller:
        """What the answers so far told of Jenkins itself."""
        ...

    async def who(self) -> Clean | None:
        """The user that the token belongs to; None when Jenkins takes us for nobody."""
        ...

    async def work(self) -> Work:
        """What runs and what waits: two small requests."""
        ...

    async def jobs(self) -> tuple[Job, ...]:
        """Everything that can be built, with its newest build (without details): one request."""
        ...

    async def builds(self, job: str, count: int) -> tuple[Build, ...]:
        """The newest builds of one job, newest first, with details. Costs the controller much the first time."""
        ...

    async def build(self, ref: BuildRef) -> Build:
        """One build with details and artifacts."""
        ...

    async def stages(self, ref: BuildRef) -> Stages:
        """Its stages so far. A freestyle build has none and is not found."""
        ...

    async def stage_steps(self, ref: BuildRef, stage: str) -> tuple[tuple[Clean, Clean], ...]:
        """Id and name of each step of a stage: the logs belong to the steps."""
        ...

    async def tests(self, ref: BuildRef) -> tuple[FailedTest, ...]:
        """The tests that failed."""
        ...

    async def log_size(self, ref: BuildRef, step: str | None = None) -> int:
        """How many bytes the log (of one step) has so far, counted as `log` counts them."""
        ...

    def log(self, ref: BuildRef, start: int, step: str | None = None) -> AsyncGenerator[LogPart]:
        """The log from byte `start` on to where it ends now, in parts; the last one is empty and comes always.

        Only 0 and what a part gave as `end` are good places to start: others may be in the middle of a letter.
        """
        ...

    async def node_log(self, node: str) -> Clean:
        """What the node's log page says of the last try to connect. Needs Agent/Connect."""
        ...

    async def monitors(self, node: str) -> Monitors | None:
        """What the node's monitors measured; None without Agent/Connect."""
        ...

    def artifact(self, ref: BuildRef, path: str) -> AsyncGenerator[FilePart]:
        """A file that the build keeps, in parts as they come. One that ends too early is an error, not a short file."""
        ...

    async def queue_item(self, item_id: int) -> QueueItem | LeftItem:
        """One item of the queue, also for five minutes after it has left; then it is not found.

        After a start that failed the ids begin at 1 again: whoever keeps one compares the job as well.
        """
        ...

    async def parameters(self, job: str) -> tuple[Definition, ...]:
        """What the job declares, in its order. A branch knows its own only after its first build."""
        ...

    async def questions(self, ref: BuildRef) -> tuple[Question, ...]:
        """What the build waits to be told by a person now."""
        ...

    async def aclose(self) -> None: ...


class JenkinsActs(Protocol):
    """What can be started, ended and switched at a Jenkins. Apart from `Jenkins`, so that what only watches cannot act.

    Every method raises `JenkinsError`; nothing is ever sent twice. Where the connection broke after the request was sent,
    `error.unsure` is set: Jenkins may have taken it.
    """

    async def trigger(self, job: str, parameters: Mapping[str, str] | None, *, delay: int | None = None) -> Queued:
        """Ask for a build. `parameters` None is for a job that has none; those left out get their defaults, unknown ones are
        ignored by Jenkins. `delay` are seconds until it may begin, None is the job's own quiet period.
        """
        ...

    async def stop(self, ref: BuildRef, how: Stop) -> None:
        """Tell a build to end. It goes on for a while; on one that has ended nothing happens. A build of a freestyle job
        knows only `STOP` (recording term-freestyle)."""
        ...

    async def cancel(self, item_id: int) -> None:
        """Take an item out of the queue. One that has left it, or was cancelled, is not found."""
        ...

    async def answer(self, ref: BuildRef, question: str, values: Mapping[str, str]) -> None:
        """Say yes to a question of a build; fields that are left out get their defaults. One that is not asked (any more) is
        not found, a person who may not answer is not permitted: Jenkins says 500 to both, so the question is looked for."""
        ...

    async def reject(self, ref: BuildRef, question: str) -> None:
        """Say no: the build ends as aborted. As for `answer`."""
        ...

    async def scan(self, project: str) -> None:
        """Have a project of branches look for new ones and changed ones."""
        ...

    async def set_enabled(self, job: str, *, on: bool) -> None:
        """Let the job be built, or let it not. A branch cannot be switched: it belongs to its project."""
        ...

    async def set_kept(self, ref: BuildRef, *, on: bool) -> bool:
        """Keep a build from being discarded, or let it be. False when it was so already: Jenkins only knows how to toggle,
        so it is looked at before and after."""
        ...

    async def set_offline(self, node: str, reason: str | None) -> bool:
        """Take a node off line with a reason; None brings it back. False when it was so already, as for `set_kept`."""
        ...

    async def lacks(self, needs: Needs, job: str, ended: BuildRef | None = None) -> bool | None:
        """Whether the user lacks a permission, found out without any effect; None where that cannot be told beforehand.

        `ended` is a build of the job that has ended, whatever came of it: stopping it once more does nothing, and is refused
        to whoever may not (recordings stop-finished, stop-no-permission).
        """
        ...


class ActingJenkins(Jenkins, JenkinsActs, Protocol):
    """Both."""


class JenkinsAdmin(Protocol):
    """What administrators look up. Every method raises `JenkinsError`."""

    async def version(self) -> Clean: ...

    async def configuration(self, job: str) -> Clean:
        """The job's config.xml. Needs Job/ExtendedRead, or Job/Configure."""
        ...

    async def plugins(self) -> tuple[Plugin, ...]:
        """What is installed, by name. Needs Overall/SystemRead, or Overall/Administer."""
        ...

    async def aclose(self) -> None: ...
