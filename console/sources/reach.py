"""What acts can reach: the systems of one server, watched and acted on by one event loop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from console.model.source import SourceError, SourceState, SourceStatus
from console.sources.protocols import ActingJenkins, Compose, ComposeActs, ContainerEngine, EngineActs, EngineDisk, RunFolders


class Hands(NamedTuple):
    """What does things, beside what only watches: for one that watches already."""

    disk: EngineDisk
    acts: EngineActs
    services: ComposeActs
    folders: RunFolders | None = None

    async def aclose(self) -> None:
        """Let all of them go."""
        for one in self:
            if one is not None:
                await one.aclose()


@dataclass(frozen=True, slots=True)
class Reach:
    """`engine`, `disk`, `folders` and `compose` are for looking, `acts` and `services` do things there; `jenkins` may be why
    there is none."""

    engine: ContainerEngine
    disk: EngineDisk
    acts: EngineActs
    compose: Compose
    services: ComposeActs
    jenkins: ActingJenkins | SourceStatus
    folders: RunFolders | None = None

    def ask_jenkins(self) -> ActingJenkins:
        """Raises SourceError where there is none to ask."""
        if not isinstance(self.jenkins, SourceStatus):
            return self.jenkins
        from console.model.jenkins import NOT_CONFIGURED

        raise SourceError(self.jenkins.state, self.jenkins.reason or NOT_CONFIGURED)

    async def aclose(self) -> None:
        """Let all of them go."""
        jenkins = self.jenkins if not isinstance(self.jenkins, SourceStatus) else None
        for one in (self.services, self.acts, self.disk, self.folders, self.compose, self.engine, jenkins):
            if one is not None:
                await one.aclose()

    @property
    def has_jenkins(self) -> bool:
        """Whether there is one, reachable or not."""
        return not isinstance(self.jenkins, SourceStatus) or self.jenkins.state is not SourceState.OFF
