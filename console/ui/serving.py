"""What keys do to services and containers: restart, up, update, a shell inside; and what their rows stand for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from console.model.state import StateClass
from console.ui import makings
from console.ui.acting import ActingScreen, Subject, begin

if TYPE_CHECKING:
    from console.model.container import Container
    from console.text import Clean
    from console.ui.rows import Row

_FOR_SERVICES = "this is for services and containers"


def subjects_of(row: Row, *, builds: bool, outlived: Collection[Clean] = ()) -> list[Subject]:
    """A service that the Compose file declares is acted on by Compose; every other container by itself. With `builds` a
    training is the build that it belongs to; `outlived` are the containers whose build has ended."""
    service = row.service
    if service is not None and service.declared is not None:
        return [Subject(row.name, service=service.name, containers=row.containers)]
    return [subject_of(one, builds=builds, outlived=outlived) for one in row.containers]


def subject_of(container: Container, *, builds: bool, outlived: Collection[Clean] = ()) -> Subject:
    """What one container stands for."""
    from console.ui.logtargets import build_of

    ref = build_of(container) if builds else None
    over = ref is not None and container.id in outlived
    # What is left of a build that has ended is its container: that is what its keys are about.
    name = ref.shown if ref is not None and not over else container.name
    return Subject(name, ref, containers=(container,), outlived=over)


class ServingScreen(ActingScreen, inherit_bindings=False):
    """A screen with rows of services and containers."""

    @property
    def outlived(self) -> Collection[Clean]:
        """The containers whose build has ended."""
        return self.world.outlived if self.world is not None else ()

    def action_restart(self) -> None:
        self._serve("restart", "restart")

    def action_up(self) -> None:
        self._serve("up", "start")

    def action_update(self) -> None:
        self._serve("update", "")

    def _serve(self, service_verb: str, container_verb: str) -> None:
        subjects = self.subjects()
        otherwise = _FOR_SERVICES
        if any(one.ref is not None for one in subjects):
            otherwise = f"a build is run again: {self.own('again')}"
        elif any(one.containers for one in subjects):
            otherwise = "only what the Compose file declares can be fetched anew"
        self._begin(makings.serving(subjects, service_verb, container_verb), otherwise)

    def do_inside(self, what: str, subjects: Sequence[Subject]) -> None:
        match what:
            case "shell":
                self._shell(self._inside(subjects))
            case "copy_out":
                self._copy_out(self._inside(subjects))

    def action_inside(self) -> None:
        """The processes of its container, and all that Docker knows of it."""
        one = self._inside(self.subjects())
        if one is not None:
            from console.ui.screens.inside import InsideScreen

            self.app.push_screen(InsideScreen(one.id, one.name))

    def action_shell(self) -> None:
        """A shell in the container of this row: the terminal is given to it, and comes back when it ends."""
        self._shell(self._inside(self.subjects()))

    def _copy_out(self, one: Container | None) -> None:
        """A file or folder of it, into the folder that the console was started in."""
        if one is not None:
            from console.ui.copyout import ask_and_copy

            ask_and_copy(self, one.id, one.name)

    def _shell(self, one: Container | None) -> None:
        if one is not None:
            from console.ui.shelling import shell_in

            begin(self, shell_in(self.console, one.id, one.name))

    def _inside(self, subjects: Sequence[Subject]) -> Container | None:
        """The one container that is meant; says why there is none."""
        found: Sequence[Container] = [each for one in subjects for each in one.containers]
        if len(found) == 1:
            return found[0]
        if not subjects:
            self.say(StateClass.ENDED, self.no_subject())
        elif not found:
            self.say(StateClass.ENDED, "it has no container")
        else:
            self.say(StateClass.ENDED, "choose one container: several are meant here")
        return None
