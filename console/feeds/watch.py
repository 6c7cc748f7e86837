"""The live world: all feeds together, published as one immutable picture at a bounded rate."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from console.feeds.assemble import assemble
from console.feeds.backroom import BackRoom
from console.feeds.compose_feed import ComposeFeed
from console.feeds.docker_feed import DockerFeed
from console.feeds.resting import rest
from console.feeds.unasked import Unasked
from console.feeds.usage_feed import UsageFeed
from console.model.source import Snapshot, SourceError, SourceState, SourceStatus
from console.model.world import World
from console.sources._blocking import Pool
from console.sources.protocols import ActingJenkins, Compose, ContainerEngine, Gpus, Machine
from console.text import Clean, clean

if TYPE_CHECKING:
    from console.feeds.disk_feed import DiskFeed
    from console.feeds.gpu_feed import GpuFeed
    from console.feeds.jenkins_feed import Interest, JenkinsFeed
    from console.feeds.machine_feed import MachineFeed
    from console.feeds.run_feed import RunFeed
    from console.feeds.runlist import RunList
    from console.feeds.tunnel_feed import TunnelFeed
    from console.feeds.why_feed import WhyFeed
    from console.model.disk_view import DiskFacts
    from console.model.jenkins import JenkinsWorld
    from console.model.orphans import Adoption
    from console.sources.reach import Hands, Reach

T = TypeVar("T")

# Five pictures a second are as many as a person can use, and as a slow link can carry.
PUBLISH_SECONDS = 0.2
LOADING_SECONDS = 60.0
LOADED_SECONDS = 1.0
"""How long leaving waits for what is being loaded."""

_SLOW = clean(f"Its program could not be read within {LOADING_SECONDS:.0f}s.")
_NO_HANDS = Clean("Nothing can be done to this server from here.")
TRAININGS_SECONDS = 1.0
"""Between two looks for the first training."""

ADOPTED_SECONDS = 30.0
"""Between two questions which trainings were adopted."""

# Sentences hold durations ("for 12m"): they are made anew even when nothing else happens.
AGE_SECONDS = 15.0


class Attached:
    """Something that runs in the back room for somebody outside of it."""

    def __init__(self, room: BackRoom) -> None:
        self._room = room
        self.task: asyncio.Task[None] | None = None
        self.over = False

    def post(self, call: Callable[[], object]) -> None:
        """Have `call` run in the back room soon."""
        self._room.post(call)

    def let_go(self) -> None:
        """End it."""
        self.over = True
        self._room.post(lambda: self.task.cancel() if self.task is not None else None)


@dataclass(slots=True)
class _Others:
    """The sources besides Docker and Compose: what each is, why it cannot be asked, or None where nobody asks."""

    jenkins: ActingJenkins | SourceStatus | None = None
    gpus: Gpus | SourceStatus | None = None
    machine: Machine | SourceStatus | None = None


class Watch:
    """Watches one server in the back room. All methods may be called from any thread.

    `now` is the clock that durations are counted by; a world that stands still brings its own.
    With `tunnel` the way in is looked at too, with `trainings` what those that run tell of their progress. `make_gpus` and
    `make_machine` give None where nobody asks about them, or why they cannot be asked: what is on this machine is no fact
    about an Engine that is elsewhere. `make_hands` is called in a thread of its own when somebody acts for the first time.
    `read_disk` reads what fills the disk and decides about it; it is asked while somebody looks. `read_adoptions` tells which
    trainings may outlive their build (None: nobody can be asked); it is asked while one has.
    `publish` is called in the back room with each new World; it must only hand it over.
    """

    def __init__(
        self,
        make_sources: Callable[[], tuple[ContainerEngine, Compose]],
        *,
        host: Clean,
        demo: bool,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        make_jenkins: Callable[[], ActingJenkins | SourceStatus | None] = lambda: None,
        make_gpus: Callable[[], Gpus | SourceStatus | None] = lambda: None,
        make_machine: Callable[[], Machine | SourceStatus | None] = lambda: None,
        make_hands: Callable[[], Hands] | None = None,
        read_disk: Callable[[Reach], Awaitable[DiskFacts]] | None = None,
        tunnel: bool = False,
        trainings: bool = False,
        read_adoptions: Callable[[Reach], Awaitable[Mapping[Clean, Adoption] | None]] | None = None,
    ) -> None:
        self._now = now
        self._make_sources = make_sources
        self._make_jenkins = make_jenkins
        self._make_gpus, self._make_machine = make_gpus, make_machine
        self._make_hands = make_hands
        self._read_disk = read_disk
        self._disk: DiskFeed | None = None
        self._host = host
        self._demo = demo
        self._with_tunnel = tunnel
        self._with_trainings = trainings
        self._read_adoptions = read_adoptions
        self._adopted: Mapping[Clean, Adoption] = {}
        self._adoptions_due = 0.0
        self._runs: RunFeed | None = None
        self._joined: RunList | None = None
        self._whys: WhyFeed | None = None
        self._shown_runs: frozenset[Clean] = frozenset()
        self._room = BackRoom(self._job)
        self._publish: Callable[[World], None] | None = None
        self._docker: DockerFeed | None = None
        self._compose: ComposeFeed | None = None
        self._usage: UsageFeed | None = None
        self._jenkins: JenkinsFeed | None = None
        self._tunnel: TunnelFeed | None = None
        self._no_jenkins: SourceStatus | None = None
        self._gpus: GpuFeed | Unasked | None = None
        self._machine: MachineFeed | Unasked | None = None
        self._near_gpus = False
        self._jenkins_source: ActingJenkins | None = None
        self._engine: ContainerEngine | None = None
        self._compose_source: Compose | None = None
        self._hands: asyncio.Task[Hands] | None = None
        self._group: asyncio.TaskGroup | None = None
        self._changed: Callable[[], None] = lambda: None
        self.world: World | None = None

    def start(self) -> None:
        """Begin to read. Nobody needs to listen yet: `world` holds the newest picture."""
        self._room.start()

    def listen(self, publish: Callable[[World], None]) -> None:
        """From now on `publish` gets each new picture, and at once the newest if there is one."""

        def begin() -> None:
            self._publish = publish
            if self.world is not None:
                publish(self.world)

        self._room.post(begin)

    def if_it_fails(self, call: Callable[[], None]) -> None:
        """Have `call` called, in whichever thread, once `failure` is there: without this nobody would look for a while."""
        self._room.on_failure = call
        if self.failure is not None:
            call()

    def stop(self) -> bool:
        """End all reading. True when everything was closed in time; a system that hangs is simply left."""
        closed = self._room.stop()
        _wait_for_loads()
        return closed

    @property
    def failure(self) -> BaseException | None:
        """What ended the back room, if it was not asked to end: a defect of ours."""
        return self._room.failure

    def refresh(self) -> None:
        """Read everything again now."""

        def ask() -> None:
            self._adoptions_due = 0.0
            if self._docker is not None and self._compose is not None:
                self._docker.refresh()
                self._compose.refresh()
            if self._jenkins is not None:
                self._jenkins.refresh()
            if self._tunnel is not None:
                self._tunnel.refresh()
            for one in (self._gpus, self._machine, self._disk):
                if one is not None:
                    one.refresh()

        self._room.post(ask)

    def look_at(self, interest: Interest) -> None:
        """Which builds, jobs and nodes of Jenkins are on the screen."""
        self._room.post(lambda: self._jenkins.show(interest) if self._jenkins is not None else None)

    def look_at_runs(self, keys: frozenset[Clean]) -> None:
        """Which runs are on the screen: why they ended badly is read, however old they are."""

        def tell() -> None:
            self._shown_runs = keys
            if self._whys is not None:
                self._whys.show(keys)

        self._room.post(tell)

    def look_at_gpus(self, closely: bool) -> None:
        """Whether somebody looks at the cards, and not only at their line."""

        def tell() -> None:
            self._near_gpus = closely
            if self._gpus is not None:
                self._gpus.watched(closely)

        self._room.post(tell)

    def look_at_disk(self, on: bool) -> None:
        """Whether somebody looks at what fills the disk: it is read for nobody else."""

        def tell() -> None:
            if self._disk is None and on and self._group is not None and self._read_disk is not None:
                from console.feeds.disk_feed import DiskFeed

                # The first one who looks makes the feed.
                self._disk = DiskFeed(self._look_at_disk, self._changed)
                self._group.create_task(self._disk.run())
            if self._disk is not None:
                self._disk.watched(on)

        self._room.post(tell)

    async def _look_at_disk(self) -> DiskFacts:
        assert self._read_disk is not None  # noqa: S101 - there is no feed without it
        return await self._read_disk(await self.reach())

    def show(self, visible: frozenset[Clean], selected: Clean | None) -> None:
        """Which containers are on the screen, and whose details a person looks at."""

        def tell() -> None:
            if self._usage is not None and self._docker is not None:
                self._usage.show(visible)
                self._docker.select(selected)

        self._room.post(tell)

    def attach(self, job: Callable[[ContainerEngine], Coroutine[Any, Any, None]]) -> Attached:
        """Have something else run in the back room, with the Engine that is watched, until it ends or is let go."""
        attached = Attached(self._room)

        def begin() -> None:
            if self._group is not None and self._engine is not None and not attached.over:
                attached.task = self._group.create_task(job(self._engine))

        self._room.post(begin)
        return attached

    @property
    def jenkins(self) -> ActingJenkins | SourceStatus | None:
        """The Jenkins that is watched, for whoever runs in the back room; or why there is none."""
        return self._jenkins_source or self._no_jenkins

    async def reach(self) -> Reach:
        """All that something can be done to, for whoever runs in the back room. Raises SourceError."""
        from console.model.jenkins import NOT_CONFIGURED
        from console.sources.reach import Reach

        if self._make_hands is None or self._engine is None or self._compose_source is None:
            raise SourceError(SourceState.OFF, _NO_HANDS)
        if self._hands is None:
            self._hands = asyncio.ensure_future(_loaded(self._make_hands))
        try:
            # Shielded: who is let go while this is being loaded must not end it for the others.
            hands = await asyncio.shield(self._hands)
        except (SourceError, TimeoutError) as error:
            self._hands = None
            raise error if isinstance(error, SourceError) else SourceError(SourceState.UNREACHABLE, _SLOW) from error
        jenkins = self.jenkins or SourceStatus(SourceState.OFF, NOT_CONFIGURED)
        return Reach(self._engine, hands.disk, hands.acts, self._compose_source, hands.services, jenkins, hands.folders)

    async def _let_go_of_hands(self) -> None:
        if self._hands is None:
            return
        if not self._hands.done():
            self._hands.cancel()
        elif not self._hands.cancelled() and self._hands.exception() is None:
            await self._hands.result().aclose()

    async def _job(self) -> None:
        change = asyncio.Event()
        self._changed = change.set
        docker_source, compose_source = self._make_sources()
        self._engine, self._compose_source = docker_source, compose_source
        docker = self._docker = DockerFeed(docker_source, change.set)
        compose = self._compose = ComposeFeed(compose_source, change.set)
        usage = self._usage = UsageFeed(docker_source, lambda: docker.snapshot.value or (), change.set)
        others = _Others()
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                group.create_task(docker.run())
                group.create_task(compose.run())
                group.create_task(usage.run())
                await self._begin_others(group, docker, docker_source, change.set, others)
                if self._read_adoptions is not None:
                    group.create_task(self._ask_about_orphans(self._read_adoptions))
                group.create_task(self._pictures(change, docker, compose, usage))
        finally:
            await self._let_go_of_hands()
            await docker_source.aclose()
            await compose_source.aclose()
            for source in (others.jenkins, others.gpus, others.machine):
                if source is not None and not isinstance(source, SourceStatus):
                    await source.aclose()

    async def _begin_others(
        self,
        group: asyncio.TaskGroup,
        docker: DockerFeed,
        engine: ContainerEngine,
        changed: Callable[[], None],
        others: _Others,
    ) -> None:
        """Jenkins, the tunnel, cards and machine. Their modules take a tenth of a second to load: Docker is asked meanwhile."""
        try:
            await _loaded(lambda: self._load_others(others))
        except TimeoutError:
            # A disk that hangs: what is loaded already goes on without the rest.
            slow = SourceStatus(SourceState.UNREACHABLE, _SLOW)
            others = _Others(others.jenkins or slow, others.gpus or slow, others.machine or slow)
        if isinstance(others.jenkins, SourceStatus):
            self._no_jenkins = others.jenkins
        elif others.jenkins is not None:
            self._join_runs()
            from console.feeds.jenkins_feed import JenkinsFeed
            from console.model.orphans import trained_for

            self._jenkins_source = others.jenkins
            self._jenkins = JenkinsFeed(others.jenkins, changed, trainings=lambda: trained_for(docker.snapshot.value or ()))
        if self._with_tunnel:
            from console.feeds.tunnel_feed import TunnelFeed

            self._tunnel = TunnelFeed(engine, lambda: docker.snapshot.value, changed)
        if isinstance(others.gpus, SourceStatus):
            self._gpus = Unasked(others.gpus)
        elif others.gpus is not None:
            from console.feeds.gpu_feed import GpuFeed

            self._gpus = GpuFeed(others.gpus, changed)
        if isinstance(others.machine, SourceStatus):
            self._machine = Unasked(others.machine)
        elif others.machine is not None:
            from console.feeds.machine_feed import MachineFeed

            self._machine = MachineFeed(others.machine, lambda: _folders(docker), changed)
        if self._gpus is not None:
            self._gpus.watched(self._near_gpus)
        if self._with_trainings:
            group.create_task(self._follow_trainings(docker, engine, changed))
            group.create_task(self._explain_ends(engine, changed))
        for feed in (self._jenkins, self._tunnel, self._gpus, self._machine):
            if feed is not None:
                group.create_task(feed.run())

    async def _ask_about_orphans(self, read: Callable[[Reach], Awaitable[Mapping[Clean, Adoption] | None]]) -> None:
        """Whether those that have outlived their build were adopted: the agent knows, and starting its program costs it."""
        never, asked = asyncio.Event(), frozenset[Clean]()
        while True:
            await rest(never, TRAININGS_SECONDS)
            outlived = self.world.outlived if self.world is not None else frozenset()
            if not outlived or (outlived == asked and time.monotonic() < self._adoptions_due):
                continue
            asked, self._adoptions_due = outlived, time.monotonic() + ADOPTED_SECONDS
            try:
                found = await read(await self.reach())
            except SourceError:
                continue
            if found is not None and found != self._adopted:
                self._adopted = found
                self._changed()

    async def _follow_trainings(self, docker: DockerFeed, engine: ContainerEngine, changed: Callable[[], None]) -> None:
        """What reads their logs is loaded once there is a training."""
        never = asyncio.Event()
        while not any(one.training for one in docker.snapshot.value or ()):
            await rest(never, TRAININGS_SECONDS)
        try:
            await _loaded(_load_run_feed)
        except TimeoutError:
            return  # a disk that hangs: all else goes on
        self._join_runs()
        from console.feeds.run_feed import RunFeed

        self._runs = RunFeed(engine, lambda: docker.snapshot.value, changed)
        await self._runs.run()

    async def _explain_ends(self, engine: ContainerEngine, changed: Callable[[], None]) -> None:
        """What explains them is loaded once a run has ended."""
        never = asyncio.Event()
        while self.world is None or not any(one.ended for one in self.world.runs):
            await rest(never, TRAININGS_SECONDS)
        try:
            await _loaded(lambda: import_module("console.feeds.why_feed"))
        except TimeoutError:
            return  # as above
        from console.feeds.why_feed import WhyFeed

        self._whys = WhyFeed(engine, lambda: self._jenkins_source, lambda: self.world, changed)
        self._whys.show(self._shown_runs)
        await self._whys.run()

    def _join_runs(self) -> None:
        """From now on: there are runs only where there is a Jenkins or a training, and what joins them was loaded by then."""
        if self._joined is None:
            from console.feeds.runlist import RunList

            self._joined = RunList()

    def _load_others(self, others: _Others) -> None:
        """In a thread of its own: what is loaded here is there when the loop asks for it."""
        others.jenkins, others.gpus, others.machine = self._make_jenkins(), self._make_gpus(), self._make_machine()
        wanted = (others.jenkins is not None, self._with_tunnel, others.gpus is not None, others.machine is not None)
        for name, is_wanted in zip(("jenkins_feed", "tunnel_feed", "gpu_feed", "machine_feed"), wanted, strict=True):
            if is_wanted:
                import_module(f"console.feeds.{name}")
        if others.jenkins is not None and not isinstance(others.jenkins, SourceStatus):
            import_module("console.feeds.runlist")
            import_module("console.runs.hardware")

    def _jenkins_snapshot(self) -> Snapshot[JenkinsWorld] | None:
        if self._jenkins is not None:
            return self._jenkins.snapshot
        return Snapshot(None, self._no_jenkins) if self._no_jenkins is not None else None

    async def _pictures(self, change: asyncio.Event, docker: DockerFeed, compose: ComposeFeed, usage: UsageFeed) -> None:
        while True:
            await rest(change, AGE_SECONDS)
            change.clear()
            if self._tunnel is not None:
                self._tunnel.notice()
            self.world = assemble(
                host=self._host,
                demo=self._demo,
                now=self._now(),
                engine=docker.engine,
                docker=docker.snapshot,
                compose=compose.snapshot,
                usage=usage.histories,
                events=docker.events,
                jenkins=self._jenkins_snapshot(),
                tunnel=self._tunnel.look if self._tunnel is not None else None,
                figures=self._runs.figures if self._runs is not None else None,
                adopted=self._adopted,
                runs=self._joined,
                whys=self._whys.whys if self._whys is not None else None,
                gpus=self._gpus.snapshot if self._gpus is not None else None,
                machine=self._machine.snapshot if self._machine is not None else None,
                machine_history=self._machine.history if self._machine is not None else None,
                disk=self._disk.snapshot if self._disk is not None else None,
            )
            if self._publish is not None:
                self._publish(self.world)
            await asyncio.sleep(PUBLISH_SECONDS)


async def _loaded(make: Callable[[], T]) -> T:
    """Of `make`, in a thread of its own. Raises TimeoutError where a disk hangs."""
    loading, done = Pool("loading", 1), threading.Event()
    _LOADS.add(done)

    def work() -> T:
        try:
            return make()
        finally:
            _LOADS.discard(done)
            done.set()

    try:
        return await loading.run(work, LOADING_SECONDS)
    finally:
        loading.close()


def _load_run_feed() -> None:
    import_module("console.feeds.run_feed")
    import_module("console.feeds.runlist")
    import_module("console.runs.hardware")
    # Its pattern is made, and RE2 with it loaded, where it can be waited for.
    import_module("console.runs.reader").suspect()


_LOADS: set[threading.Event] = set()


def _wait_for_loads() -> None:
    """Python ends a thread wherever it stands, and in the middle of a library that is being loaded that ends the process
    with it."""
    end = time.monotonic() + LOADED_SECONDS
    for one in list(_LOADS):
        one.wait(max(0.0, end - time.monotonic()))


def _folders(docker: DockerFeed) -> dict[str, str]:
    """Whose disks matter besides the machine's own: where the Engine keeps images, containers and volumes, if it is here."""
    engine = docker.engine
    return {"docker": engine.root} if engine is not None and engine.local and engine.root is not None else {}
