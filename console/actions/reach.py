"""What acts can reach: the systems of one server, watched and acted on by one event loop."""

from __future__ import annotations

from dataclasses import dataclass

from console.model.source import SourceError, SourceState, SourceStatus
from console.sources.protocols import ActingJenkins, Compose, ComposeActs, ContainerEngine, EngineActs, EngineDisk, RunFolders


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
        for one in (self.services, self.acts, self.compose, self.engine, jenkins, self.folders):
            if one is not None:
                await one.aclose()

    @property
    def has_jenkins(self) -> bool:
        """Whether there is one, reachable or not."""
        return not isinstance(self.jenkins, SourceStatus) or self.jenkins.state is not SourceState.OFF
