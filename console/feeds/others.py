"""The systems besides Docker and Compose: Jenkins, the tunnel, cards, the machine, and the logs of trainings.

Their modules take a tenth of a second to load, so they come by a thread while Docker is asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from console.feeds.docker_feed import DockerFeed
from console.feeds.loading import LOADING_SECONDS, loaded
from console.feeds.resting import rest
from console.feeds.unasked import Unasked
from console.model.source import Snapshot, SourceState, SourceStatus
from console.sources.protocols import ActingJenkins, ContainerEngine, Gpus, Machine
from console.text import Clean, clean

if TYPE_CHECKING:
    from datetime import datetime

    from console.feeds.gpu_feed import GpuFeed
    from console.feeds.jenkins_feed import JenkinsFeed
    from console.feeds.machine_feed import MachineFeed
    from console.feeds.run_feed import RunFeed
    from console.feeds.runlist import RunList
    from console.feeds.tunnel_feed import TunnelFeed
    from console.feeds.why_feed import WhyFeed
    from console.model.jenkins import JenkinsWorld
    from console.model.world import World

SLOW = clean(f"Its program could not be read within {LOADING_SECONDS:.0f}s.")

TRAININGS_SECONDS = 1.0
"""Between two looks for the first training."""


@dataclass(frozen=True, slots=True)
class Makers:
    """How each source is made: a source, why it cannot be asked, or None where nobody asks."""

    jenkins: Callable[[], ActingJenkins | SourceStatus | None] = lambda: None
    gpus: Callable[[], Gpus | SourceStatus | None] = lambda: None
    machine: Callable[[], Machine | SourceStatus | None] = lambda: None


@dataclass(slots=True)
class _Sources:
    """What was made so far."""

    jenkins: ActingJenkins | SourceStatus | None = None
    gpus: Gpus | SourceStatus | None = None
    machine: Machine | SourceStatus | None = None


class Others:
    """Owns the feeds of these systems. With `tunnel` the way in is looked at, with `trainings` their logs; `world` is the
    newest picture."""

    def __init__(
        self,
        makers: Makers,
        docker: DockerFeed,
        engine: ContainerEngine,
        changed: Callable[[], None],
        world: Callable[[], World | None],
        *,
        tunnel: bool,
        trainings: bool,
        now: Callable[[], datetime],
    ) -> None:
        self._makers = makers
        self._docker = docker
        self._engine = engine
        self._changed = changed
        self._world = world
        self._shown_runs: frozenset[Clean] = frozenset()
        self._with_tunnel = tunnel
        self._with_trainings = trainings
        self._now = now
        self._sources = _Sources()
        self._near_gpus = False
        self.jenkins: JenkinsFeed | None = None
        self.tunnel: TunnelFeed | None = None
        self.gpus: GpuFeed | Unasked | None = None
        self.machine: MachineFeed | Unasked | None = None
        self.runs: RunFeed | None = None
        self.joined: RunList | None = None
        """What joins the runs."""
        self.whys: WhyFeed | None = None
        self.jenkins_source: ActingJenkins | SourceStatus | None = None
        """The Jenkins that is watched, or why there is none."""

    async def begin(self, group: asyncio.TaskGroup) -> None:
        """Load and make everything, and have its feeds run in `group`."""
        try:
            await loaded(lambda: self._load(self._sources))
        except TimeoutError:
            # A disk that hangs: what is loaded already goes on without the rest.
            slow, made = SourceStatus(SourceState.UNREACHABLE, SLOW), self._sources
            self._sources = _Sources(made.jenkins or slow, made.gpus or slow, made.machine or slow)
        self._begin_jenkins()
        if self._with_tunnel:
            from console.feeds.tunnel_feed import TunnelFeed

            self.tunnel = TunnelFeed(self._engine, lambda: self._docker.snapshot.value, self._changed)
        self._begin_here()
        if self._with_trainings:
            group.create_task(self._follow_trainings())
            group.create_task(self._explain_ends())
        for feed in (self.jenkins, self.tunnel, self.gpus, self.machine):
            if feed is not None:
                group.create_task(feed.run())

    def look_at_gpus(self, closely: bool) -> None:
        """Whether somebody looks at the cards, and not only at their line."""
        self._near_gpus = closely
        if self.gpus is not None:
            self.gpus.watched(closely)

    def look_at_runs(self, keys: frozenset[Clean]) -> None:
        """Which runs are on the screen: why they ended badly is read, however old they are."""
        self._shown_runs = keys
        if self.whys is not None:
            self.whys.show(keys)

    def refresh(self) -> None:
        """Read everything again now."""
        for one in (self.jenkins, self.tunnel, self.gpus, self.machine):
            if one is not None:
                one.refresh()

    @property
    def jenkins_snapshot(self) -> Snapshot[JenkinsWorld] | None:
        if self.jenkins is not None:
            return self.jenkins.snapshot
        return Snapshot(None, self.jenkins_source) if isinstance(self.jenkins_source, SourceStatus) else None

    async def aclose(self) -> None:
        for source in (self._sources.jenkins, self._sources.gpus, self._sources.machine):
            if source is not None and not isinstance(source, SourceStatus):
                await source.aclose()

    def _load(self, sources: _Sources) -> None:
        """In a thread of its own: what is loaded here is there when the loop asks for it."""
        sources.jenkins, sources.gpus = self._makers.jenkins(), self._makers.gpus()
        sources.machine = self._makers.machine()
        wanted = (sources.jenkins is not None, self._with_tunnel, sources.gpus is not None, sources.machine is not None)
        for name, is_wanted in zip(("jenkins_feed", "tunnel_feed", "gpu_feed", "machine_feed"), wanted, strict=True):
            if is_wanted:
                import_module(f"console.feeds.{name}")
        if sources.jenkins is not None and not isinstance(sources.jenkins, SourceStatus):
            import_module("console.feeds.runlist")

    def _begin_jenkins(self) -> None:
        self.jenkins_source = source = self._sources.jenkins
        if source is None or isinstance(source, SourceStatus):
            return
        self._join_runs()
        from console.feeds.jenkins_feed import JenkinsFeed
        from console.model.orphans import trained_for

        self.jenkins = JenkinsFeed(source, self._changed, trainings=lambda: trained_for(self._docker.snapshot.value or ()))

    def _begin_here(self) -> None:
        """Cards and machine."""
        gpus, machine = self._sources.gpus, self._sources.machine
        if isinstance(gpus, SourceStatus):
            self.gpus = Unasked(gpus)
        elif gpus is not None:
            from console.feeds.gpu_feed import GpuFeed

            self.gpus = GpuFeed(gpus, self._changed)
        if isinstance(machine, SourceStatus):
            self.machine = Unasked(machine)
        elif machine is not None:
            from console.feeds.machine_feed import MachineFeed

            self.machine = MachineFeed(machine, self._folders, self._changed)
        self.look_at_gpus(self._near_gpus)

    async def _follow_trainings(self) -> None:
        """What reads their logs is loaded once there is a training."""
        never = asyncio.Event()
        while not any(one.training for one in self._docker.snapshot.value or ()):
            await rest(never, TRAININGS_SECONDS)
        try:
            await loaded(_load_run_feed)
        except TimeoutError:
            return  # a disk that hangs: all else goes on
        self._join_runs()
        from console.feeds.run_feed import RunFeed

        self.runs = RunFeed(self._engine, lambda: self._docker.snapshot.value, self._changed, clock=self._now)
        await self.runs.run()

    async def _explain_ends(self) -> None:
        """What explains them is loaded once a run has ended."""
        never = asyncio.Event()
        while (world := self._world()) is None or not any(one.ended for one in world.runs):
            await rest(never, TRAININGS_SECONDS)
        try:
            await loaded(lambda: import_module("console.feeds.why_feed"))
        except TimeoutError:
            return  # as above
        from console.feeds.why_feed import WhyFeed

        source = self.jenkins_source
        asked = source if not isinstance(source, SourceStatus) else None
        self.whys = WhyFeed(self._engine, lambda: asked, self._world, self._changed)
        self.whys.show(self._shown_runs)
        await self.whys.run()

    def _join_runs(self) -> None:
        """From now on: there are runs only where there is a Jenkins or a training, and what joins them was loaded by then."""
        if self.joined is None:
            from console.feeds.runlist import RunList

            self.joined = RunList()

    def _folders(self) -> dict[str, str]:
        """Whose disks matter besides the machine's own: where the Engine keeps its things, if it is here."""
        engine = self._docker.engine
        return {"docker": engine.root} if engine is not None and engine.local and engine.root is not None else {}


def _load_run_feed() -> None:
    import_module("console.feeds.run_feed")
    import_module("console.feeds.runlist")
    import_module("console.runs.hardware")
    # Its pattern is made, and RE2 with it loaded, where it can be waited for.
    import_module("console.runs.reader").suspect()
