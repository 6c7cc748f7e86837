"""What a test run left on the machine, and its removal: processes, mounts, cgroups, sockets.

Everything belongs to a folder. A process is a folder's when it was started with `MARKER` naming the folder, or one in
it, or when it runs in the folder's cgroup, which is where its Engine puts containers.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

MARKER = "CONSOLE_TESTS_SCRATCH"
PREFIX = "mlops-tests-"

_PATIENCE = 10.0
_SHIM_ADDRESSES = "x/containerd/daemon/io.containerd.runtime.v2.task/*/*/address"


def cgroup_of(folder: Path) -> str:
    """The name, at the top of every hierarchy, of the cgroup that containers of an Engine in `folder` live in."""
    parts = folder.parts
    top = next(index for index, part in enumerate(parts) if part.startswith(PREFIX))
    return "-".join(parts[top:])


def find(folder: Path) -> list[str]:
    """One line for each thing of `folder` that is still there, its files included. Empty when all is clean."""
    found = [f"process {pid}: {what}" for pid, what in sorted(processes(folder).items())]
    found += [f"mount {mount}" for mount in _mounts(folder)]
    found += [f"cgroup {cgroup}" for cgroup in _cgroups(folder)]
    found += [f"socket {address}" for address in _shim_sockets(folder) if address.exists()]
    if folder.is_dir():
        found += [f"file {path}" for path in sorted(folder.iterdir())]
    return found


def end_children() -> list[str]:
    """Kill what this process has started and not ended, marked or not; a line for each."""
    found = {pid: _command(pid) for pid, parent, state in _stats() if parent == os.getpid() and state != "Z"}
    for pid in found:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return [f"process {pid}: {command}" for pid, command in found.items()]


def sweep(folder: Path) -> None:
    """End its processes, undo its mounts and cgroups, delete it. Raises TimeoutError if something resists."""
    sockets = _shim_sockets(folder)
    _kill(folder)
    mounts = _mounts(folder)
    if mounts:
        subprocess.run(["umount", "--lazy", *map(str, mounts)], check=False, capture_output=True)
    for address in sockets:
        address.unlink(missing_ok=True)
    _remove_cgroups(folder)
    shutil.rmtree(folder, ignore_errors=True)


def processes(folder: Path) -> dict[int, str]:
    """Process id to command line, this process and zombies left out."""
    mark = f"{MARKER}={folder}".encode()
    found = {}
    for pid, _, state in _stats():
        if pid == os.getpid() or state == "Z":
            continue
        try:
            environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if any(entry == mark or entry.startswith(mark + b"/") for entry in environment):
            found[pid] = _command(pid)
    for cgroup in _cgroups(folder):
        try:
            inside = (cgroup / "cgroup.procs").read_text().split()
        except OSError:
            continue
        found.update({int(pid): _command(int(pid)) for pid in inside if pid != "0"})
    return {pid: command for pid, command in found.items() if command}


def _kill(folder: Path) -> None:
    """In rounds, because an Engine that is still alive in the first may start a container again."""
    deadline = time.monotonic() + _PATIENCE
    while alive := processes(folder):
        # A container that is paused does not even take a signal that cannot be refused.
        _thaw(folder)
        for pid in alive:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            raise TimeoutError(f"these processes do not end: {alive}")
        time.sleep(0.002)


def _thaw(folder: Path) -> None:
    """In both versions of cgroups."""
    for cgroup in _cgroups(folder):
        for name, word in (("freezer.state", "THAWED"), ("cgroup.freeze", "0")):
            if (cgroup / name).exists():
                with suppress(OSError):
                    (cgroup / name).write_text(word)


def _remove_cgroups(folder: Path) -> None:
    """A cgroup stays busy for a moment after its last process has gone."""
    deadline = time.monotonic() + _PATIENCE
    while left := _cgroups(folder):
        for cgroup in left:
            with suppress(OSError):
                cgroup.rmdir()
        if time.monotonic() > deadline:
            raise TimeoutError(f"these cgroups stay busy: {left}")
        time.sleep(0.002)


def _stats() -> Iterator[tuple[int, int, str]]:
    """Process id, its parent's, and its state's letter. Nothing where there is no /proc."""
    proc = Path("/proc")
    for entry in proc.iterdir() if proc.is_dir() else ():
        if not entry.name.isdigit():
            continue
        try:
            # The name, in brackets, may hold anything, brackets and blanks too.
            state, parent = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()[:2]
        except (OSError, ValueError):
            continue
        yield int(entry.name), int(parent), state


def _command(pid: int) -> str:
    """The command line; the name alone in brackets for what has none; empty when the process is gone or dead."""
    try:
        line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        state = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0]
        return "" if state in "ZX" else line or f"[{Path(f'/proc/{pid}/comm').read_text(errors='replace').strip()}]"
    except (OSError, IndexError):
        return ""


def _mounts(folder: Path) -> list[Path]:
    """Mount points in `folder`, the innermost first."""
    return [point for point in reversed(_mount_points()) if point.is_relative_to(folder)]


def _mount_points(kinds: tuple[str, ...] = ()) -> list[Path]:
    """In the order they were mounted; only those of file systems `kinds` when any is given."""
    try:
        lines = Path("/proc/self/mounts").read_text().splitlines()
    except OSError:
        return []
    fields = [line.split(" ") for line in lines]
    return [Path(field[1]) for field in fields if not kinds or field[2] in kinds]


def _cgroups(folder: Path) -> list[Path]:
    """The cgroups of the folder and of those in it, children before their parents."""
    found: list[Path] = []
    for hierarchy in _mount_points(("cgroup", "cgroup2")):
        for top in hierarchy.glob(f"{cgroup_of(folder)}*"):
            found += [Path(path) for path, _, _ in os.walk(top, topdown=False)]
    return found


def _shim_sockets(folder: Path) -> list[Path]:
    """Shims listen outside of the folder that their containerd was given; a killed one leaves its socket there."""
    files = [*folder.glob(_SHIM_ADDRESSES), *folder.glob(f"*/{_SHIM_ADDRESSES}")]
    return [Path(file.read_text().strip().removeprefix("unix://")) for file in files]
