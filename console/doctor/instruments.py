"""What the hops look with. `console.backend` puts it together, the demo has its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from console.model.source import SourceStatus
from console.settings import Loaded, SettingsError
from console.sources.protocols import (
    ActingJenkins,
    Compose,
    ContainerEngine,
    EngineActs,
    EngineDaemon,
    Files,
    Gpus,
    GpuTrial,
    JenkinsAdmin,
    Knocks,
    Machine,
    Units,
)
from console.text import Clean


@dataclass(frozen=True, slots=True)
class DockerSide:
    """The Engine, asked in all ways. `hands` runs commands in containers, `trial` starts one: None while the console is
    read-only, since that starts programs, if only to ask."""

    engine: ContainerEngine
    daemon: EngineDaemon
    compose: Compose
    hands: EngineActs | None
    trial: GpuTrial | None

    async def aclose(self) -> None:
        for one in (self.hands, self.trial, self.compose, self.engine):
            if one is not None:
                await one.aclose()


@dataclass(frozen=True, slots=True)
class Instruments:
    """For one event loop. `loaded` may be what is wrong with the settings; then nothing else is asked.

    `own` are files that only this person, or an administrator, may change; `keys` those that nobody else may read either.
    `away` says why files of the server cannot be looked at from here. `history` is the file that a recorder writes (None: there
    is none to be), `user` who this is.
    """

    host: Clean
    demo: bool
    loaded: Loaded | SettingsError
    own: tuple[Path, ...]
    keys: tuple[Path, ...]
    user: Clean
    uid: int
    files: Files
    units: Units
    web: Knocks
    docker: DockerSide | SourceStatus
    jenkins: ActingJenkins | SourceStatus
    admin: JenkinsAdmin | None
    gpus: Gpus | SourceStatus
    machine: Machine | SourceStatus
    history: Path | None
    away: Clean | None = None

    async def aclose(self) -> None:
        """Let all of them go."""
        for one in (self.files, self.units, self.web, self.docker, self.jenkins, self.admin, self.gpus, self.machine):
            if one is not None and not isinstance(one, SourceStatus):
                await one.aclose()
