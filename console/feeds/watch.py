"""The live world: all feeds together, published as one immutable picture at a bounded rate."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from console.feeds.assemble import assemble
from console.feeds.backroom import BackRoom
from console.feeds.compose_feed import ComposeFeed
from console.feeds.docker_feed import DockerFeed
from console.feeds.loading import loaded
from console.feeds.others import SLOW, Makers, Others
from console.feeds.resting import rest
from console.feeds.usage_feed import UsageFeed
from console.model.source import SourceError, SourceState, SourceStatus
from console.model.world import World
from console.sources.protocols import ActingJenkins, Compose, ContainerEngine, Gpus, Machine
from console.text import Clean

if TYPE_CHECKING:
    from console.feeds.adoptions import Adoptions
    from console.feeds.disk_feed import DiskFeed
    from console.feeds.jenkins_feed import Interest
    from console.feeds.seen import Seen
    from console.model.disk_view import DiskFacts
    from console.model.orphans import Adoption
    from console.model.past import Past
    from console.sources.reach import Hands, Reach

# Five pictures a second are as many as a person can use, and as a slow link can carry.
PUBLISH_SECONDS = 0.2
_NO_HANDS = Clean("Nothing can be done to this server from here.")

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


class Watch:
    """Watches one server in the back room. All methods may be called from any thread.

    `now` is the clock that durations are counted by; a world that stands still brings its own.
    With `tunnel` the way in is looked at too, with `trainings` what those that run tell of their progress. `make_gpus` and
    `make_machine` give None where nobody asks about them, or why they cannot be asked: what is on this machine is no fact
    about an Engine that is elsewhere. `make_hands` is called in a thread of its own when somebody acts for the first time.
    `read_disk` reads what fills the disk and decides about it; it is asked while somebody looks. `read_adoptions` tells which
    trainings may outlive their build (None: nobody can be asked); it is asked while one has. `make_past` is called in a thread
    of its own when somebody asks for the past for the first time, with what tells what the feeds have.
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
        make_past: Callable[[Callable[[], Seen]], Past] | None = None,
    ) -> None:
        self._now = now
        self._make_sources = make_sources
        self._makers = Makers(make_jenkins, make_gpus, make_machine)
        self._make_hands = make_hands
        self._make_past = make_past
        self._read_disk = read_disk
        self._disk: DiskFeed | None = None
        self._host = host
        self._demo = demo
        self._with_tunnel = tunnel
        self._with_trainings = trainings
        self._read_adoptions = read_adoptions
        self._adoptions: Adoptions | None = None
        self._room = BackRoom(self._job)
        self._publish: Callable[[World], None] | None = None
        self._docker: DockerFeed | None = None
        self._compose: ComposeFeed | None = None
        self._usage: UsageFeed | None = None
        self._others: Others | None = None
        self._engine: ContainerEngine | None = None
        self._compose_source: Compose | None = None
        self._hands: asyncio.Task[Hands] | None = None
        self._past: asyncio.Task[Past] | None = None
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
        return self._room.stop()

    @property
    def failure(self) -> BaseException | None:
        """What ended the back room, if it was not asked to end: a defect of ours."""
        return self._room.failure

    def refresh(self) -> None:
        """Read everything again now."""

        def ask() -> None:
            for one in (self._adoptions, self._docker, self._compose, self._others, self._disk):
                if one is not None:
                    one.refresh()

        self._room.post(ask)

    def look_at(self, interest: Interest) -> None:
        """Which builds, jobs and nodes of Jenkins are on the screen."""

        def tell() -> None:
            if self._others is not None and self._others.jenkins is not None:
                self._others.jenkins.show(interest)

        self._room.post(tell)

    def look_at_runs(self, keys: frozenset[Clean]) -> None:
        """Which runs are on the screen: why they ended badly is read, however old they are."""
        self._room.post(lambda: self._others.look_at_runs(keys) if self._others is not None else None)

    def look_at_gpus(self, closely: bool) -> None:
        """Whether somebody looks at the cards, and not only at their line."""
        self._room.post(lambda: self._others.look_at_gpus(closely) if self._others is not None else None)

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
        return self._others.jenkins_source if self._others is not None else None

    async def reach(self) -> Reach:
        """All that something can be done to, for whoever runs in the back room. Raises SourceError."""
        from console.model.jenkins import NOT_CONFIGURED
        from console.sources.reach import Reach

        if self._make_hands is None or self._engine is None or self._compose_source is None:
            raise SourceError(SourceState.OFF, _NO_HANDS)
        if self._hands is None:
            self._hands = asyncio.ensure_future(loaded(self._make_hands))
        try:
            # Shielded: who is let go while this is being loaded must not end it for the others.
            hands = await asyncio.shield(self._hands)
        except (SourceError, TimeoutError) as error:
            self._hands = None
            raise error if isinstance(error, SourceError) else SourceError(SourceState.UNREACHABLE, SLOW) from error
        jenkins = self.jenkins or SourceStatus(SourceState.OFF, NOT_CONFIGURED)
        return Reach(self._engine, hands.disk, hands.acts, self._compose_source, hands.services, jenkins, hands.folders)

    async def past(self) -> Past:
        """What is remembered, for whoever runs in the back room. Raises SourceError."""
        if self._past is None:
            self._past = asyncio.ensure_future(loaded(self._new_past))
        try:
            return await asyncio.shield(self._past)
        except (SourceError, TimeoutError) as error:
            self._past = None
            raise error if isinstance(error, SourceError) else SourceError(SourceState.UNREACHABLE, SLOW) from error

    def _new_past(self) -> Past:
        if self._make_past is not None:
            return self._make_past(self._seen)
        from console.feeds.history_feed import HistoryFeed

        return HistoryFeed(None, self._seen)

    def _seen(self) -> Seen:
        """What the feeds have at this moment, for whoever runs in the back room."""
        from console.feeds.seen import seen

        return seen(self._others, self.world.runs if self.world is not None else ())

    async def _job(self) -> None:
        change = asyncio.Event()
        self._changed = change.set
        docker_source, compose_source = self._make_sources()
        self._engine, self._compose_source = docker_source, compose_source
        docker = self._docker = DockerFeed(docker_source, change.set)
        compose = self._compose = ComposeFeed(compose_source, change.set)
        usage = self._usage = UsageFeed(docker_source, lambda: docker.snapshot.value or (), change.set)
        others = self._others = Others(
            self._makers,
            docker,
            docker_source,
            change.set,
            lambda: self.world,
            tunnel=self._with_tunnel,
            trainings=self._with_trainings,
            now=self._now,
        )
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                group.create_task(docker.run())
                group.create_task(compose.run())
                group.create_task(usage.run())
                await others.begin(group)
                if self._read_adoptions is not None:
                    self._begin_adoptions(group, self._read_adoptions)
                group.create_task(self._pictures(change, docker, compose, usage, others))
        finally:
            await _let_go_of(self._hands)
            await _let_go_of(self._past)
            await docker_source.aclose()
            await compose_source.aclose()
            await others.aclose()

    def _begin_adoptions(
        self, group: asyncio.TaskGroup, read: Callable[[Reach], Awaitable[Mapping[Clean, Adoption] | None]]
    ) -> None:
        from console.feeds.adoptions import Adoptions

        async def ask() -> Mapping[Clean, Adoption] | None:
            return await read(await self.reach())

        self._adoptions = Adoptions(ask, lambda: self.world.outlived if self.world is not None else frozenset(), self._changed)
        group.create_task(self._adoptions.run())

    async def _pictures(
        self, change: asyncio.Event, docker: DockerFeed, compose: ComposeFeed, usage: UsageFeed, others: Others
    ) -> None:
        while True:
            await rest(change, AGE_SECONDS)
            change.clear()
            if others.tunnel is not None:
                others.tunnel.notice()
            self.world = assemble(
                host=self._host,
                demo=self._demo,
                now=self._now(),
                engine=docker.engine,
                docker=docker.snapshot,
                compose=compose.snapshot,
                usage=usage.histories,
                events=docker.events,
                jenkins=others.jenkins_snapshot,
                tunnel=others.tunnel.look if others.tunnel is not None else None,
                figures=others.runs.figures if others.runs is not None else None,
                adopted=self._adoptions.known if self._adoptions is not None else None,
                runs=others.joined,
                whys=others.whys.whys if others.whys is not None else None,
                gpus=others.gpus.snapshot if others.gpus is not None else None,
                machine=others.machine.snapshot if others.machine is not None else None,
                machine_history=others.machine.history if others.machine is not None else None,
                disk=self._disk.snapshot if self._disk is not None else None,
            )
            if self._publish is not None:
                self._publish(self.world)
            await asyncio.sleep(PUBLISH_SECONDS)


async def _let_go_of(made: asyncio.Task[Any] | None) -> None:
    """Close what was made, or have it not be made any more."""
    if made is None:
        return
    if not made.done():
        made.cancel()
    elif not made.cancelled() and made.exception() is None:
        await made.result().aclose()
