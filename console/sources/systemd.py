"""Units of this machine's systemd, asked and started by `systemctl`; whether this user may start one, polkit says.

What the programs print and how they end: systemctl(1) of systemd 252, pkcheck(1) of polkit 122.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from shutil import which

from console.model.source import SourceError, SourceState
from console.model.unit import Unit
from console.sources._process import Children, Finished
from console.text import Clean, clean

ASK_SECONDS = 5.0
# A unit is given 90 s to say that it is ready; after that systemd ends it, and says so.
START_SECONDS = 120.0
_PROPERTIES = "LoadState,UnitFileState,ActiveState,Environment"
_STARTS_UNITS = "org.freedesktop.systemd1.manage-units"
_PASSED_ON = ("PATH", "DBUS_SYSTEM_BUS_ADDRESS")
_DENIED = ("access denied", "authentication required", "authentication is required", "permission denied")


class Systemd:
    """See `sources.protocols.Units`. `uid` is who asks."""

    def __init__(self, env: Mapping[str, str], uid: int) -> None:
        self._path = env.get("PATH", os.defpath)
        # Its words are told apart, so they must not be in anybody's own language.
        self._env = {name: env[name] for name in _PASSED_ON if name in env} | {"LC_ALL": "C.UTF-8"}
        self._uid = uid
        self._children = Children(64 * 1024)

    async def unit(self, name: str) -> Unit | None:
        told = await self._run("systemctl", "show", f"--property={_PROPERTIES}", name, deadline=ASK_SECONDS)
        if told is None:
            return None
        # Where systemd does not run this machine, nothing is printed.
        facts = dict(line.partition("=")[::2] for line in told.out.decode(errors="replace").splitlines())
        if facts.get("LoadState", "not-found") == "not-found":
            return None
        active, file = facts.get("ActiveState", ""), facts.get("UnitFileState", "")
        return Unit(clean(name), clean(active), clean(file), _environment(facts.get("Environment", "")))

    async def may_start(self) -> bool:
        if self._uid == 0:
            return True
        # Who calls may not name the unit, so a rule for this unit alone is not seen: then the command is told instead.
        words = ("--action-id", _STARTS_UNITS, "--process", _this_process(self._uid))
        told = await self._run("pkcheck", *words, deadline=ASK_SECONDS)
        return told is not None and told.status == 0

    async def start(self, name: str) -> None:
        # Nobody sits at a terminal of it that could be asked for a password.
        told = await self._run("systemctl", "--no-ask-password", "start", name, deadline=START_SECONDS)
        if told is None:
            raise SourceError(SourceState.OFF, Clean("There is no systemctl here."))
        if told.status != 0:
            said = clean(" ".join(told.err.decode(errors="replace").split())) or clean(f"exit status {told.status}")
            denied = any(words in said.lower() for words in _DENIED)
            reason = f"{name} has not been started: {said}"
            raise SourceError(SourceState.DENIED if denied else SourceState.UNREACHABLE, clean(reason))

    async def _run(self, program: str, *words: str, deadline: float) -> Finished | None:
        """None where there is no such program. Raises SourceError, which is `unsure`, where it does not end."""
        found = which(program, path=self._path)
        if found is None:
            return None
        try:
            return await self._children.run([found, *words], env=self._env, cwd=Path("/"), deadline=deadline)
        except TimeoutError:
            error = SourceError(SourceState.UNREACHABLE, clean(f"{program} has not answered for {deadline:g}s."))
            error.unsure = True
            raise error from None
        except OSError as failed:
            raise SourceError(SourceState.UNREACHABLE, clean(f"{program} cannot be run: {failed.strerror}.")) from None

    async def aclose(self) -> None:
        """End what still runs."""
        await self._children.aclose()


def _environment(told: str) -> Mapping[str, Clean]:
    """`A=b "C=d e"`, quoted as a shell would have it."""
    try:
        words = shlex.split(told)
    except ValueError:
        return {}
    return {str(clean(name)): clean(value) for name, found, value in (word.partition("=") for word in words) if found}


def _this_process(uid: int) -> str:
    """This process, so that no other that gets its number later is meant: number, start in ticks since the machine's, user."""
    told = Path("/proc/self/stat").read_text()
    # A program's name may hold blanks and brackets.
    started = told.rpartition(")")[2].split()[19]
    return f"{os.getpid()},{started},{uid}"
