"""What the screens of Jenkins share: why nothing is known, and what is read while they are open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from console.ui.palette import Role
from console.ui.screens.tablebase import OneListScreen, Tabled
from console.ui.standing import old, trouble

if TYPE_CHECKING:
    from console.feeds.jenkins_feed import Interest
    from console.logs.target import Target
    from console.model.jenkins import JenkinsWorld
    from console.model.source import SourceStatus
    from console.model.state import State
    from console.ui.logtargets import LogOwner


class JenkinsScreen(OneListScreen, inherit_bindings=False):
    """A list of something in Jenkins, and below it all about the selected one."""

    @property
    def jenkins(self) -> JenkinsWorld | None:
        return self.world.jenkins if self.world is not None else None

    @property
    def status(self) -> SourceStatus | None:
        return self.world.sources.get("jenkins") if self.world is not None else None

    def interest(self) -> Interest:
        """What has to be read while this is on the screen."""
        raise NotImplementedError

    def attend(self) -> None:
        self.console.attend_jenkins(self, self.interest())
        super().attend()

    # What a log that was opened here asks

    def log_owner(self) -> LogOwner:
        return self

    def log_neighbour(self, way: int) -> Sequence[Target]:
        """Go to the previous or next build here; whose log it is. None where a screen lists no builds."""
        return []

    def log_problem(self) -> Sequence[Target]:
        """Problems are on the main screen."""
        return []

    def log_state(self, target: Target) -> State | None:
        """How the build of an open log is doing."""
        from console.ui.logtargets import state_of

        return state_of(self.world, target)

    def sentences(self) -> list[tuple[str, Role]]:
        """Why the rows cannot be trusted, or why there are none; empty when all is well."""
        told = trouble(self.status, "jenkins", self.now(), self.own("refresh"))
        return [] if told is None else [(told, Role.BAD if self.jenkins is not None else Role.TEXT)]

    def stale_note(self) -> list[str]:
        told = old(self.status, self.now())
        return [] if told is None else [told]


class TableScreen(Tabled, JenkinsScreen, inherit_bindings=False):
    """The list is a table."""
