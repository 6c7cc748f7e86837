"""The machine's own facts: a /proc as the kernel writes it, this machine's own, and real file systems on their bad days."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import pytest

from console.model.machine import Disk, MachineReading
from console.model.source import SourceError, SourceState
from console.sources.machine import LocalMachine, own_folders
from tests.support import mounts, skips
from tests.support.mounts import NoMountError
from tests.support.waiting import DEADLINE

# Linux 6.8, four cores (one of them switched off), less of what nobody reads.
STAT = """cpu  1000 10 500 8000 400 0 90 0 200 0
cpu0 333 3 166 2666 133 0 30 0 66 0
cpu1 333 3 166 2666 133 0 30 0 66 0
cpu3 334 4 168 2668 134 0 30 0 68 0
intr 1 2 3
ctxt 99
"""
MEMINFO = """MemTotal:       16000 kB
MemFree:         1000 kB
MemAvailable:    6000 kB
Buffers:          500 kB
SwapTotal:       4000 kB
SwapFree:        3000 kB
HugePages_Total:       0
"""
PRESSURE = "some avg10={some:.2f} avg60=0.11 avg300=0.05 total=1\nfull avg10=9.99 avg60=0.00 avg300=0.00 total=2\n"


class Proc:
    """A /proc that can be written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write(stat=STAT, loadavg="3.02 2.50 2.00 2/900 4711\n", meminfo=MEMINFO)
        for what, some in (("cpu", 1.5), ("memory", 0.0), ("io", 7.25)):
            self.write(**{f"pressure/{what}": PRESSURE.format(some=some)})

    def write(self, **files: str) -> None:
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def drop(self, *names: str) -> None:
        for name in names:
            (self.folder / name).unlink()


@pytest.fixture
def proc(tmp_path: Path) -> Proc:
    return Proc(tmp_path / "proc")


@asynccontextmanager
async def machine(proc: Path = Path("/proc"), own: Mapping[str, str] | None = None) -> AsyncIterator[LocalMachine]:
    made = LocalMachine(own if own is not None else {}, proc)
    try:
        yield made
    finally:
        await made.aclose()


async def read(proc: Proc) -> MachineReading:
    async with machine(proc.folder) as made:
        return await made.read({})


async def read_until(
    made: LocalMachine, folders: Mapping[str, str], condition: Callable[[MachineReading], bool]
) -> MachineReading:
    """The first reading of which that is true."""
    for _ in range(int(DEADLINE / 0.01)):
        found = await made.read(folders)
        if condition(found):
            return found
        await asyncio.sleep(0.01)
    raise AssertionError("no such reading came")


Mount = Callable[[str], Path]


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Mount]:
    """Mounts a tmpfs with these options."""
    with ExitStack() as stack:

        def made(options: str) -> Path:
            folder = tmp_path / f"mount-{options.replace('=', '-').replace(',', '-')}"
            try:
                return stack.enter_context(mounts.tmpfs(folder, options))
            except NoMountError as error:
                pytest.skip(skips.NO_MOUNT.format(why=error))

        yield made


async def disks(*folders: Path, own: Mapping[str, str] | None = None) -> tuple[Disk, ...]:
    async with machine(own=own) as made:
        return (await made.read({f"disk-{at}": str(folder) for at, folder in enumerate(folders)})).disks


async def test_what_the_kernel_writes(proc: Proc) -> None:
    assert await read(proc) == MachineReading(
        cores=3,
        cpu=None,
        load=3.02,
        memory_total=16000 << 10,
        memory_used=10000 << 10,
        swap_total=4000 << 10,
        swap_used=1000 << 10,
        cpu_pressure=1.5,
        memory_pressure=0.0,
        io_pressure=7.25,
        disks=(),
    )


async def test_the_processor_is_what_was_done_between_two_readings(proc: Proc) -> None:
    """Waiting for a disk is no work, and time of guests is counted once."""
    async with machine(proc.folder) as made:
        assert (await made.read({})).cpu is None
        proc.write(stat=STAT.replace("cpu  1000 10 500 8000 400 0 90 0 200 0", "cpu  1030 10 505 8050 410 0 95 0 230 0"))
        assert (await made.read({})).cpu == pytest.approx(40.0)
        assert (await made.read({})).cpu is None, "no tick has gone by"


@pytest.mark.parametrize(
    ("line", "cpu"),
    [
        ("cpu  1100 10 500 7990 400 0 90 0 200 0", 100.0),  # idle time went back
        ("cpu  990 10 500 8100 400 0 90 0 200 0", 0.0),  # busy time did
        ("cpu  10 1 5 80 4 0 9 0 0 0", None),  # a container that was moved begins anew
        ("cpu  1000 10", None),
        ("cpu  what is this", None),
    ],
)
async def test_counters_that_do_not_only_grow(proc: Proc, line: str, cpu: float | None) -> None:
    async with machine(proc.folder) as made:
        await made.read({})
        proc.write(stat=line + "\n")
        assert (await made.read({})).cpu == cpu


async def test_a_kernel_of_before_waiting_was_counted(proc: Proc) -> None:
    async with machine(proc.folder) as made:
        proc.write(stat="cpu 100 0 0 100\n")
        assert (await made.read({})).cores is None
        proc.write(stat="cpu 130 0 0 110\n")
        assert (await made.read({})).cpu == 75.0


async def test_what_is_not_told_is_not_known(proc: Proc) -> None:
    """As in a container that is shown half of /proc, and on a kernel that does not count pressure."""
    proc.drop("stat", "pressure/cpu", "pressure/io")
    proc.write(meminfo="MemTotal: 16000 kB\nMemFree: 1000 kB\n", loadavg="")
    found = await read(proc)
    assert (found.cores, found.cpu, found.load) == (None, None, None)
    assert (found.memory_total, found.memory_used, found.swap_total, found.swap_used) == (16000 << 10, None, None, None)
    assert (found.cpu_pressure, found.memory_pressure, found.io_pressure) == (None, 0.0, None)


async def test_nonsense_is_not_known_either(proc: Proc) -> None:
    proc.write(meminfo="MemTotal: many kB\nMemAvailable 7\n\x00\xff\n", loadavg="high\n", **{"pressure/cpu": "some avg10=x"})
    found = await read(proc)
    assert (found.memory_total, found.load, found.cpu_pressure, found.cores) == (None, None, None, 3)


async def test_a_kernel_that_tells_nothing_at_all(proc: Proc, tmp_path: Path) -> None:
    proc.drop("stat", "loadavg", "meminfo")
    async with machine(proc.folder) as made:
        with pytest.raises(SourceError) as caught:
            await made.read({})
        assert caught.value.state is SourceState.UNREACHABLE
        assert caught.value.reason == f"How this machine does is not known: {proc.folder} tells nothing."
        assert len((await made.read({"docker": str(tmp_path)})).disks) == 1


async def test_this_machine() -> None:
    async with machine() as made:
        first = await made.read({"docker": "/"})
        found = await read_until(made, {"docker": "/"}, lambda told: told.cpu is not None)
    assert found.cpu is not None
    assert found.cores is not None
    assert 1 <= found.cores <= (os.cpu_count() or 1)
    assert 0.0 <= found.cpu <= 100.0
    assert found.memory_total is not None
    assert found.memory_used is not None
    assert 0 < found.memory_used < found.memory_total
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert found.memory_total == pytest.approx(pages, rel=0.02)
    assert [disk.what for disk in first.disks] == ["docker"]
    assert first.disks[0].total > 0


async def test_a_disk_that_fills(mount: Mount) -> None:
    folder = mount("size=1m,nr_inodes=100")
    (empty,) = await disks(folder)
    assert (empty.what, empty.path, empty.total, empty.used, empty.free) == ("disk-0", str(folder), 1 << 20, 0, 1 << 20)
    assert empty.full == pytest.approx(1.0)  # one of a hundred inodes is the folder itself
    (folder / "half").write_bytes(bytes(1 << 19))
    (half,) = await disks(folder)
    assert (half.used, half.free, half.full) == (1 << 19, 1 << 19, 50.0)
    with pytest.raises(OSError, match="No space left"):
        (folder / "rest").write_bytes(bytes(1 << 20))
    (full,) = await disks(folder)
    assert (full.used, full.free, full.full) == (1 << 20, 0, 100.0)


async def test_a_file_system_has_one_name_whichever_folder_on_it_is_asked_about(mount: Mount) -> None:
    folder = mount("size=1m")
    deep = folder / "a" / "b"
    deep.mkdir(parents=True)
    (folder / "link").symlink_to(deep)
    for asked in (folder, deep, folder / "link"):
        (found,) = await disks(asked)
        assert (found.place, found.path) == (str(folder), str(asked))
    (above,) = await disks(folder.parent)
    assert above.place != str(folder)


async def test_a_disk_that_is_full_of_files(mount: Mount) -> None:
    folder = mount("size=1m,nr_inodes=10")
    for number in range(9):
        (folder / str(number)).touch()
    with pytest.raises(OSError, match="No space left"):
        (folder / "one more").touch()
    (found,) = await disks(folder)
    assert (found.inodes, found.inodes_free, found.used) == (10, 0, 0)
    assert found.full == 100.0


async def test_a_file_system_that_does_not_count_files(mount: Mount) -> None:
    (found,) = await disks(mount("size=1m,nr_inodes=0"))
    assert (found.inodes, found.inodes_free, found.full) == (None, None, 0.0)


async def test_what_df_says_of_this_machines_disk(tmp_path: Path) -> None:
    """Which may keep blocks for root alone: they are neither used nor free."""
    (found,) = await disks(tmp_path)
    asked = ["df", "-B1", "--output=size,used,avail", str(tmp_path)]
    done = await asyncio.to_thread(subprocess.run, asked, capture_output=True, text=True, check=True)
    size, used, free = map(int, done.stdout.splitlines()[1].split())
    assert found.total == size
    assert found.used == pytest.approx(used, abs=size * 0.01)
    assert found.free == pytest.approx(free, abs=size * 0.01)


async def test_a_disk_that_can_only_be_read(mount: Mount) -> None:
    folder = mount("size=1m")
    (folder / "file").write_bytes(bytes(1 << 18))
    mounts.make_read_only(folder)
    (found,) = await disks(folder)
    assert found.full == 25.0


async def test_each_disk_once_by_the_first_folder_on_it(mount: Mount, tmp_path: Path) -> None:
    folder = mount("size=1m")
    (folder / "inner").mkdir()
    found = await disks(folder / "inner", tmp_path, folder, own={"home": str(folder), "tmp": str(tmp_path)})
    assert [(disk.what, disk.path) for disk in found] == [("disk-0", str(folder / "inner")), ("disk-1", str(tmp_path))]


async def test_the_consoles_own_folders_are_looked_at_too(mount: Mount, tmp_path: Path) -> None:
    found = await disks(tmp_path, own={"home": str(mount("size=1m"))})
    assert [disk.what for disk in found] == ["disk-0", "home"]


@pytest.mark.parametrize("path", ["/not/there", "", "relative/nowhere", "/proc", "a\0b"])
async def test_what_is_no_folder_on_a_disk_is_left_out(path: str) -> None:
    async with machine() as made:
        assert (await made.read({"docker": path})).disks == ()


AS_NOBODY = """
import asyncio, json, os, sys
from console.sources.machine import LocalMachine

async def main():
    # Only now: the program itself may lie where nobody may look.
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
    machine = LocalMachine({})
    found = await machine.read(dict(enumerate(sys.argv[1:])))
    print(json.dumps([disk.path for disk in found.disks]))

asyncio.run(main())
"""


def test_somebody_without_rights_sees_the_disk_of_a_closed_folder_but_not_what_is_behind_it() -> None:
    """As of /var/lib/docker, which only root may look into."""
    if os.getuid() != 0:
        pytest.skip(skips.NO_ROOT)
    # The folders that pytest makes are closed themselves.
    with tempfile.TemporaryDirectory(dir="/tmp") as place:
        Path(place).chmod(0o755)
        closed = Path(place) / "docker"
        (closed / "volumes").mkdir(parents=True)
        closed.chmod(0o700)
        done = subprocess.run(
            [sys.executable, "-c", AS_NOBODY, str(closed / "volumes"), str(closed)],
            capture_output=True,
            text=True,
            cwd=Path(__file__).parents[3],
            check=False,
        )
    assert done.stderr == ""
    assert json.loads(done.stdout) == [str(closed)]


def threads() -> int:
    return sum(thread.name.startswith("machine-") for thread in threading.enumerate())


async def test_a_disk_that_hangs_is_left_out_and_costs_one_thread(tmp_path: Path) -> None:
    before = threads()
    async with machine() as made:
        folders = {"nfs": str(tmp_path / "nfs"), "docker": "/"}
        with ExitStack() as stack:
            try:
                stack.enter_context(mounts.hanging(tmp_path / "nfs"))
            except NoMountError as error:
                pytest.skip(skips.NO_MOUNT.format(why=error))
            for _ in range(4):
                found = await made.read(folders)
                assert "nfs" not in [disk.what for disk in found.disks]
                assert found.memory_total is not None
            assert threads() <= before + 3
        # Its server has come to its end: the folder is one again.
        await read_until(made, folders, lambda told: "nfs" in [disk.what for disk in told.disks])


def test_the_consoles_own_folders() -> None:
    assert own_folders({"HOME": "/home/me", "XDG_STATE_HOME": "/srv/state", "TMPDIR": "/var/tmp"}) == {
        "home": "/home/me",
        "state": "/srv/state",
        "tmp": "/var/tmp",
    }
    assert own_folders({"HOME": "", "XDG_STATE_HOME": "relative"}) == {"tmp": "/tmp"}
