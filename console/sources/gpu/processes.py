"""Whose a process is: container, user and command line from /proc, as far as anybody may read them.

Each process is looked at once: it is known by its pid and the moment it started. After that a reading costs one small file a
process. What can hang is apart from the rest: the command line stands in the process's own memory, which the kernel locks while
the process is stuck in a driver, and names of users may come over a network.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from console.model.gpu import GpuProcess
from console.model.secretnames import arguments
from console.text import Clean, clean

COMMAND_LIMIT = 200
"""Characters of a command line that are kept."""

# The pid namespace of the machine itself has this number on every kernel (PROC_PID_INIT_INO).
_FIRST_NAMESPACE = "pid:[4026531836]"
# Docker writes the id as it is below its parent group, systemd wraps it; podman and others have names of their own.
_ID = re.compile(r"/(?:docker-)?([0-9a-f]{64})(?:\.scope)?(?=/|$)")
_PIECE = 4096

Key = tuple[int, int]
"""A pid, and when it started in ticks since the machine did."""


@dataclass(frozen=True, slots=True)
class _Told:
    container: Clean | None
    user: Clean | None
    command: Clean | None
    started_at: datetime | None


class Owners:
    """Owners of processes. `check` and `tell` belong to the thread that reads; `look_up` may run, and hang, in another."""

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self._proc = proc
        self._told: dict[Key, _Told] = {}
        self._running: dict[int, Key] = {}
        self._users: dict[int, Clean] = {}

    def check(self, pids: Iterable[int]) -> list[Key]:
        """See who still runs, forget the others; those that are not known yet."""
        running = {}
        for pid in pids:
            started = self._started(pid)
            if started is not None:
                running[pid] = (pid, started)
        self._running = running
        keys = set(running.values())
        for key in [one for one in list(self._told) if one not in keys]:
            self._told.pop(key, None)
        return [key for key in running.values() if key not in self._told]

    def look_up(self, keys: Iterable[Key]) -> None:
        """Find out whose these are. What cannot hang is kept before the rest is tried, so nothing is tried twice."""
        boot = self._booted()
        ours = _paths(self._text("self/cgroup") or "")
        for key in keys:
            pid, ticks = key
            group, uid = self._text(f"{pid}/cgroup"), self._owner(pid)
            if group is None or uid is None or self._started(pid) != ticks:
                continue
            started_at = datetime.fromtimestamp(boot + ticks / os.sysconf("SC_CLK_TCK"), UTC) if boot else None
            told = _Told(container_of(_paths(group), ours), self._users.get(uid), None, started_at)
            self._told[key] = told
            command = self._command(pid)
            if self._started(pid) != ticks:
                self._told.pop(key, None)
                continue
            self._told[key] = replace(told, command=command)
            self._told[key] = replace(told, command=command, user=self._name(uid))

    def tell(self, process: GpuProcess) -> GpuProcess:
        """The process with its owner; hidden where /proc tells nothing of it."""
        key = self._running.get(process.pid)
        told = self._told.get(key) if key is not None else None
        if told is None:
            return replace(process, hidden=True)
        return GpuProcess(
            process.pid,
            process.memory,
            process.utilisation,
            process.instance,
            told.container,
            told.user,
            told.command,
            told.started_at,
        )

    def nested(self) -> bool:
        """Whether we are in a pid namespace of our own: then the driver keeps the processes outside of it from us."""
        try:
            return (self._proc / "self" / "ns" / "pid").readlink() != Path(_FIRST_NAMESPACE)
        except OSError:
            return False

    def _started(self, pid: int) -> int | None:
        fields = self._after_name(pid)
        try:
            return int(fields[19]) if fields else None
        except (ValueError, IndexError):
            return None

    def _after_name(self, pid: int) -> list[bytes] | None:
        """The fields of /proc/PID/stat behind the name, which may hold blanks and brackets itself."""
        try:
            handle = os.open(f"{self._proc}/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            return os.read(handle, 4096).rpartition(b")")[2].split()
        except OSError:
            return None
        finally:
            os.close(handle)

    def _owner(self, pid: int) -> int | None:
        """Whose rights it has now. The folder's owner would be root's for one that changed its user."""
        for line in (self._text(f"{pid}/status") or "").splitlines():
            if line.startswith("Uid:"):
                return int(line.split()[2])
        return None

    def _command(self, pid: int) -> Clean | None:
        try:
            with (self._proc / str(pid) / "cmdline").open("rb") as file:
                raw = file.read(_PIECE)
        except OSError:
            return None
        words = raw.rstrip(b"\0").decode(errors="surrogateescape").split("\0")
        return clean(" ".join(arguments(words)), limit=COMMAND_LIMIT) or None

    def _name(self, uid: int) -> Clean:
        known = self._users.get(uid)
        if known is None:
            # Kept before the list of users is asked: it may hang, and then nobody shall ask again.
            self._users[uid] = clean(str(uid))
            known = self._users[uid] = _user(uid)
        return known

    def _booted(self) -> int | None:
        for line in (self._text("stat") or "").splitlines():
            if line.startswith("btime "):
                return int(line.split()[1])
        return None

    def _text(self, name: str) -> str | None:
        try:
            return (self._proc / name).read_text(errors="replace")
        except OSError:
            return None


def _paths(text: str) -> dict[str, str]:
    """Path by hierarchy, from /proc/PID/cgroup of both versions."""
    rows = [line.split(":", 2) for line in text.splitlines()]
    return {row[0]: row[2] for row in rows if len(row) == 3}


def container_of(paths: dict[str, str], ours: dict[str, str] | None = None) -> Clean | None:
    """The id of the container whose groups these are. Of nested ones the outermost, which is the one that the Engine around it
    knows; where we are in a container ourselves (`ours`), the outermost within ours.
    """
    for hierarchy, path in paths.items():
        base = (ours or {}).get(hierarchy, "/").rstrip("/")
        inner = path[len(base) :] if base and path.startswith(f"{base}/") else ""
        found = _ID.search(inner) or _ID.search(path)
        if found is not None:
            return clean(found[1])
    return None


def _user(uid: int) -> Clean:
    import pwd

    try:
        return clean(pwd.getpwuid(uid).pw_name, limit=64) or clean(str(uid))
    except KeyError:
        return clean(str(uid))
