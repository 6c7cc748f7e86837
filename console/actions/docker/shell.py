"""A shell in a container: an act like the others, recorded before and after. What is done in it is not."""

from __future__ import annotations

import os
import re
import shlex
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from console.actions.docker.running import NEEDED
from console.actions.doer import Doer, RefusedError
from console.actions.plan import Basis, Fate, News, Outcome, Plan, Result, Say, Target, Tell, Weight
from console.model.container import Container, ContainerState
from console.model.secretnames import masked
from console.model.source import SourceError, SourceState
from console.model.words import duration
from console.sources.reach import Reach
from console.text import Clean, clean

if TYPE_CHECKING:
    from console.sources.rawterminal import Shell

SHELLS = ("/bin/bash", "/bin/sh")
"""Tried in this order where nobody names a command."""

NO_SHELL = Clean(
    f"There is no shell in it: neither {SHELLS[0]} nor {SHELLS[1]} is there. Name a program that is: -- PROGRAM [ARGUMENT...]"
)
_TERM = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._-]{0,60}")
_NOT_OF = {
    ContainerState.PAUSED: "It is paused: unpause it first.",
    ContainerState.RESTARTING: "It is being restarted again and again.",
}


@dataclass(frozen=True, slots=True)
class Talked:
    """A shell at a terminal, once it has ended. `status` is its exit status, where that is known; `asked_to_end` the signal
    that ended it from outside."""

    status: int | None
    asked_to_end: int | None


Sitting = Callable[[Callable[[], Talked]], Awaitable[Talked]]
"""Has what it is given run where the terminal is: it blocks as long as somebody sits there."""


async def _here(work: Callable[[], Talked]) -> Talked:
    return work()


@dataclass(frozen=True, slots=True)
class Session:
    """A shell that has ended. `status` is its exit status; None where it was never begun, and where nobody knows."""

    outcome: Outcome
    status: int | None


async def open_shell(
    reach: Reach,
    doer: Doer,
    container: Clean,
    command: Sequence[str] = (),
    *,
    into: int = 0,
    out: int = 1,
    env: Mapping[str, str] = os.environ,
) -> Session:
    """Open a shell (or run `command`) in a container, by id, at the terminal of these descriptors, and come back when it ends.

    It blocks the thread, and with it its loop, as long as somebody sits there. Raises RefusedError where it cannot be done,
    SourceError where the Engine cannot be asked. SIGTERM and SIGHUP are sent again once the audit is written.
    """
    act = OpenShell(reach, container, command, into=into, out=out, env=env)
    became = await doer.carry_out(await act.plan(), lambda _: None)
    if isinstance(became, Plan):
        raise RefusedError(became.moved or became.why_not or "Things have changed meanwhile.")
    act.aftermath(became)
    return Session(became, act.status)


class OpenShell:
    """The act. `status` and `asked_to_end` are those of what was talked, once it has ended. `sit` brings it to the terminal:
    that of the main thread, where the size of the window follows at once."""

    name = "container-shell"

    def __init__(
        self,
        reach: Reach,
        container: Clean,
        command: Sequence[str] = (),
        *,
        into: int = 0,
        out: int = 1,
        env: Mapping[str, str] = os.environ,
        sit: Sitting = _here,
    ) -> None:
        self._reach = reach
        self._sit = sit
        self._id = container
        self._command = tuple(command)
        self._into, self._out = into, out
        self._term = env.get("TERM", "") if _TERM.fullmatch(env.get("TERM", "")) else "xterm"
        self._chosen: tuple[str, ...] = ()
        self.status: int | None = None
        self.asked_to_end: int | None = None

    async def plan(self) -> Plan:
        found = next((one for one in await self._reach.engine.containers() if one.id == self._id), None)
        name = found.name if found is not None else Clean(self._id[:12])
        refused = self._refused(found)
        if refused is None:
            self._chosen = self._command or await self._shell()
            refused = None if self._chosen else NO_SHELL
        words = masked(shlex.join(self._chosen))
        return Plan(
            act=self,
            title=clean(f"Shell  {name}"),
            yes=Clean("open it"),
            targets=(Target(clean(f"container/{self._id}"), name, refused),),
            says=tuple(self._says(found, words)) if refused is None else (),
            same_as=(clean(f"docker exec -it {name} {words}"),) if refused is None else (),
            weight=Weight.ENTER,
            basis=(Basis("state", found is not None and found.state, clean(f"{name} is in another state now.")),),
        )

    def _refused(self, found: Container | None) -> Clean | None:
        if found is None:
            return Clean("It is not there any more.")
        if found.state is not ContainerState.RUNNING:
            return Clean(_NOT_OF.get(found.state, "It does not run."))
        return None

    def _says(self, found: Container | None, words: Clean) -> list[Say]:
        says = [Say("does", clean(f"runs {words} in it, as its own user; what is done there is not recorded"))]
        if found is not None and found.training:
            says.append(Say("but", Clean("it is a training: what is changed in it is in no commit")))
        elif found is not None and found.service in NEEDED:
            says.append(Say("but", Clean("builds need it; what is changed outside of its volumes goes with the container")))
        return says

    async def _shell(self) -> tuple[str, ...]:
        for path in SHELLS:
            if await self._reach.acts.has(self._id, path):
                return (path,)
        return ()

    async def perform(self, plan: Plan, target: Target, tell: Tell) -> Result:
        began = time.monotonic()
        shell = self._reach.acts.shell(self._id, self._chosen, {"TERM": self._term})
        try:
            talked = await self._sit(partial(_talk, shell, self._into, self._out))
            self.status, self.asked_to_end = talked.status, talked.asked_to_end
            if self.asked_to_end is not None:
                return Result(target, Fate.UNSURE, self._cut_off())
            if self.status is None:
                return self._lost(target, await self._why())
        except OSError as failed:
            reason = clean(f"There is no terminal to open a shell at: {failed.strerror or failed}.")
            raise SourceError(SourceState.OK, reason) from None
        finally:
            shell.close()
        return Result(target, Fate.DONE, clean(f"ended with {self.status} after {duration(time.monotonic() - began)}"))

    def _cut_off(self) -> Clean:
        name = signal.Signals(self.asked_to_end or 0).name
        return clean(f"left by {name}: what ran in it may go on")

    async def _why(self) -> SourceError:
        """Why nobody knows how it ended."""
        try:
            await self._reach.engine.inspect(self._id)
        except SourceError as error:
            return error
        return SourceError(SourceState.UNREACHABLE, Clean("Docker has closed the connection: how it ended is not known."))

    @staticmethod
    def _lost(target: Target, error: SourceError) -> Result:
        return Result(target, Fate.UNSURE, error.reason, error.permission, error.state)

    def aftermath(self, outcome: Outcome, *, whole: bool = False) -> AsyncIterator[News] | None:
        """The audit is written: whoever wanted this program to end has been kept waiting for that."""
        if self.asked_to_end is not None:
            os.kill(os.getpid(), self.asked_to_end)
        return None


def _talk(shell: Shell, into: int, out: int) -> Talked:
    from console.sources.rawterminal import converse

    asked = converse(shell, into, out)
    status = None
    if asked is None:
        with suppress(SourceError):
            status = shell.status()
    return Talked(status, asked)
