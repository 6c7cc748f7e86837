"""What the screen and the commands look with: the settings and the sources of this call, made when they are first needed."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from console.cli.options import GlobalOptions
from console.model.source import SourceStatus
from console.settings import Loaded, Overrides, SettingsError, load
from console.settings.loading import user_file
from console.text import Clean, clean

if TYPE_CHECKING:
    from console.actions.audit import AuditRecorder
    from console.doctor.instruments import Instruments
    from console.feeds.outlook import Outlook
    from console.feeds.seen import Seen
    from console.feeds.watch import Watch
    from console.model.disk_view import DiskFacts
    from console.model.orphans import Adoption
    from console.model.past import Past
    from console.model.pruning import Usual
    from console.settings.keyfacts import KeyFact
    from console.sources.docker_engine.endpoint import Endpoint
    from console.sources.docker_engine.source import DockerEngine
    from console.sources.jenkins.client import Access
    from console.sources.protocols import ActingJenkins, Compose, ContainerEngine, EngineDisk, Gpus, Machine
    from console.sources.reach import Hands, Reach


class Backend:
    """Settings and sources for this call, made when they are first needed."""

    def __init__(self, options: GlobalOptions, *, open_secrets: bool = False) -> None:
        self._options = options
        self._open_secrets = open_secrets
        self.demo = options.demo

    @cached_property
    def loaded(self) -> Loaded:
        """Raises SettingsError with every problem in every file."""
        return load(argv=self._overrides, env=os.environ, cwd=Path.cwd(), open_secrets=self._open_secrets)

    def for_doctor(self) -> Backend:
        """The same for who tells of secrets that others can read, and mends them: they are no mistake of the settings here."""
        return self if self._open_secrets or self.demo else Backend(self._options, open_secrets=True)

    @property
    def _overrides(self) -> Overrides:
        options = self._options
        read_only = True if options.read_only else None
        return Overrides(config=options.config, read_only=read_only, no_color=options.no_color)

    @cached_property
    def own_keys(self) -> Mapping[str, str]:
        """What the settings say of keys, by id, as Textual calls them. Raises SettingsError."""
        from console.ui.ownkeys import checked

        return checked(self.loaded)

    def keys(self) -> Sequence[KeyFact]:
        """The whole table of keys as the person has it. Raises SettingsError."""
        from console.ui.ownkeys import facts

        return facts(self.own_keys)

    @property
    def host(self) -> Clean:
        """The machine that all this is about: the Engine's, where that is another one."""
        if self.demo:
            return Clean("demo-01")
        if (there := self._engine_host()) is not None:
            return there
        return self.here

    @property
    def here(self) -> Clean:
        """The machine that this runs on."""
        return clean(os.uname().nodename.partition(".")[0])

    def _engine_host(self) -> Clean | None:
        from console.model.source import SourceError

        try:
            return self.endpoint.there.short if not self.endpoint.local else None
        except (SourceError, SettingsError):
            return None

    @cached_property
    def endpoint(self) -> Endpoint:
        """Raises SourceError when the address in the settings makes no sense."""
        from console.sources.docker_engine.endpoint import find_endpoint

        docker = self.loaded.settings.docker
        return find_endpoint(
            docker.host,
            docker.context,
            os.environ,
            tls_verify=docker.tls_verify,
            cert_path=docker.cert_path,
        )

    def sources(self) -> tuple[ContainerEngine, Compose]:
        if self.demo:
            return self._demo.engine, self._demo.compose
        engine = self.engine()
        return engine, self.compose(engine)

    def engine(self) -> DockerEngine:
        """Raises SourceError as `endpoint` does."""
        from console.sources.docker_engine.source import DockerEngine

        return DockerEngine(self.endpoint, self.loaded.settings.docker.timeout)

    def compose(self, engine: DockerEngine) -> Compose:
        """The Compose file of `engine`'s machine, if one is here."""
        settings = self.loaded.settings
        if not self.endpoint.local and settings.compose.file is None:
            from console.sources.compose.away import ComposeAway

            return ComposeAway(self.endpoint.there)
        from console.sources.compose import ComposeCli

        return ComposeCli(
            file=settings.compose.file,
            project=settings.compose.project or None,
            profiles=settings.compose.profiles,
            engine=engine,
            env=os.environ,
            root=Path.cwd(),
        )

    def jenkins(self) -> ActingJenkins | SourceStatus:
        """Jenkins, or why there is none to ask."""
        if self.demo:
            return self._demo.jenkins
        found = self.access()
        if isinstance(found, SourceStatus):
            return found
        from console.sources.jenkins.source import JenkinsServer

        return JenkinsServer(found)

    def access(self) -> Access | SourceStatus:
        """Where Jenkins is, and as whom it is asked; or why it cannot be."""
        from console.sources.jenkins.login import find_access, login_file

        return find_access(self.loaded.settings.jenkins, login_file(user_file(os.environ).parent))

    def reach(self) -> Reach:
        """All that acts can be done to."""
        from console.sources.reach import Reach

        if self.demo:
            return self._demo
        engine = self.engine()
        disk, acts, services, folders = self.hands(engine)
        return Reach(engine, disk, acts, self.compose(engine), services, self.jenkins(), folders)

    def hands(self, disk: EngineDisk | None = None) -> Hands:
        """What does things, for one that watches already; the disk is looked at over connections of its own, so that the
        minute which that may take holds up nothing else."""
        from console.sources.reach import Hands

        if self.demo:
            return Hands(self._demo.disk, self._demo.acts, self._demo.services, self._demo.folders)
        from console.sources.compose.acts import ComposeDoer
        from console.sources.docker_acts import DockerActs
        from console.sources.keptfolders import KeptFolders, own_folder

        settings = self.loaded.settings
        services = ComposeDoer(
            file=settings.compose.file,
            project=settings.compose.project or None,
            profiles=settings.compose.profiles,
            endpoint=self.endpoint,
            env=os.environ,
            root=Path.cwd(),
        )
        folders = KeptFolders(local=self.endpoint.local, own=own_folder(os.environ, Path.cwd()))
        return Hands(disk or self.engine(), DockerActs(self.endpoint), services, folders)

    @cached_property
    def _demo(self) -> Reach:
        """The demo's one world: what is done there is seen by whoever looks."""
        from console.demo import demo_reach

        return demo_reach()

    def gpus(self) -> Gpus | SourceStatus:
        """The cards of this machine, or why they are not the server's."""
        if self.demo:
            from console.demo import demo_gpus

            return demo_gpus()
        if (elsewhere := self._elsewhere()) is not None:
            return elsewhere
        from console.sources.gpu.source import NvmlGpus

        return NvmlGpus()

    def machine(self, *, foresees: bool = True) -> Machine | SourceStatus:
        """This machine, or why it is not the server. With `foresees` it tells when its disks would be full."""
        if self.demo:
            from console.demo import demo_machine

            return demo_machine(of=self._demo)
        if (elsewhere := self._elsewhere()) is not None:
            return elsewhere
        from console.sources.machine import LocalMachine

        if not foresees:
            return LocalMachine()
        from console.feeds.outlook import Foreseeing

        return Foreseeing(LocalMachine(), self.outlook())

    def outlook(self) -> Outlook:
        """When disks of this machine would be full, by what a recorder wrote down of them."""
        from console.feeds.outlook import Outlook

        given = self.loaded.settings.history.path

        def place() -> Path:
            from console.history.place import usual_place

            return usual_place(given, os.environ)

        return Outlook(place)

    def _elsewhere(self) -> SourceStatus | None:
        """What is on this machine is no fact about a server that its Engine is asked of over a network."""
        from console.model.source import SourceError, SourceState

        try:
            endpoint = self.endpoint
        except SourceError as error:
            return SourceStatus(SourceState.OFF, error.reason)
        if endpoint.local:
            return None
        return SourceStatus(SourceState.OFF, clean(f"Not available from here. {endpoint.there.advice}"))

    def instruments(self) -> Instruments:
        """What the doctor looks with. Settings that are wrong are among what it finds."""
        if self.demo:
            from console.demo import demo_instruments

            try:
                loaded: Loaded | SettingsError = self.loaded
            except SettingsError as wrong:
                loaded = wrong
            return demo_instruments(loaded, self.host, self._demo, self.gpus(), self.machine())
        from console.doctor.tools import instruments

        return instruments(self.for_doctor(), self._overrides, os.environ, Path.cwd())

    @cached_property
    def _recorders(self) -> dict[bool, AuditRecorder]:
        return {}

    def recorder(self) -> AuditRecorder:
        """Where acts are written down; those of the demo nowhere but in memory."""
        if self.demo not in self._recorders:
            self._recorders[self.demo] = self._new_recorder()
        return self._recorders[self.demo]

    def _new_recorder(self) -> AuditRecorder:
        from console.actions.audit import AuditRecorder, InMemory

        if self.demo:
            from console.model.person import Person

            return AuditRecorder(InMemory(Person(Clean("you"), os.getuid())), self.host)
        from console.sources.trail import Trail

        return AuditRecorder(Trail(os.environ, jenkins=self._jenkins_user), self.here)

    def _jenkins_user(self) -> str | None:
        found = self.access()
        return None if isinstance(found, SourceStatus) else found.user

    @property
    def usual(self) -> Usual:
        """What the settings say of pruning. Raises SettingsError."""
        from console.actions.docker.known import usual_of

        return usual_of(self.loaded.settings.prune)

    async def _read_disk(self, reach: Reach) -> DiskFacts:
        from console.actions.docker.known import look

        return await look(reach, self.usual)

    async def _read_adoptions(self, reach: Reach) -> Mapping[Clean, Adoption] | None:
        from console.actions.docker.adopting import adoptions

        return await adoptions(reach)

    def past(self, seen: Callable[[], Seen] | None = None) -> Past:
        """What is remembered, for one loop: the history, and above it what the feeds have `seen`; the demo has its own."""
        if self.demo:
            from console.demo import demo_past

            return demo_past()
        # Loaded by whoever asks first, in a thread: not when the first question is under way.
        import sqlite3  # noqa: F401

        from console.feeds.history_feed import HistoryFeed
        from console.feeds.seen import Seen
        from console.history.place import usual_place

        return HistoryFeed(usual_place(self.loaded.settings.history.path, os.environ), seen or Seen)

    def watch(self) -> Watch:
        from console.feeds.watch import Watch

        return Watch(
            self.sources,
            host=self.host,
            demo=self.demo,
            make_jenkins=self.jenkins,
            make_gpus=self.gpus,
            make_machine=self.machine,
            make_hands=self.hands,
            read_disk=self._read_disk,
            tunnel=True,
            trainings=True,
            make_past=self.past,
            # Whoever may only look starts no program, not even one that asks.
            read_adoptions=self._read_adoptions if not self.demo and self.loaded.read_only is None else None,
        )
