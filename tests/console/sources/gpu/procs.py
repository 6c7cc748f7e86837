"""A /proc for tests: what the kernel shows of a process, as far as the console reads it."""

from __future__ import annotations

from pathlib import Path

ID = "4f" * 32
BOOTED = 1795400000


def process(
    proc: Path,
    pid: int,
    *,
    started: int = 100,
    name: str = "python3",
    uid: int = 0,
    cgroup: str = "0::/\n",
    command: bytes = b"x",
) -> Path:
    """Lay out one process; `started` in ticks since the machine started. Its folder."""
    folder = proc / str(pid)
    folder.mkdir(parents=True, exist_ok=True)
    fields = ["S", "1", *["0"] * 17, str(started), *["0"] * 30]
    (folder / "stat").write_text(f"{pid} ({name}) {' '.join(fields)}\n")
    (folder / "status").write_text(f"Name:\t{name}\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\n")
    (folder / "cgroup").write_text(cgroup)
    (folder / "cmdline").write_bytes(command)
    (proc / "stat").write_text(f"cpu 1 2 3\nbtime {BOOTED}\n")
    return folder
