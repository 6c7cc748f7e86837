"""When disks will be full, as a console reads it out of the history."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from console.feeds.outlook import OFTEN_SECONDS, Foreseeing, Outlook
from console.history import Bounds, Writer
from console.model.history import NANO, Batch, DiskSample
from console.model.machine import Disk, MachineReading
from console.text import Clean

BEGIN = 1_795_000_000
GB = 10**9
RATE = 1_000_000
HOUR, DAY = 3600, 86400
DISK = Disk(Clean("docker"), Clean("/var/lib/docker"), 1000 * GB, 900 * GB, 100 * GB)


class Clock:
    """Seconds since 1970, and seconds that only grow."""

    def __init__(self) -> None:
        self.now, self.ticks = float(BEGIN), 0.0


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """A day in which the disk grew by a megabyte a second."""
    path = tmp_path / "history.db"
    now = [(BEGIN - DAY - HOUR) * NANO]
    writer = Writer(path, Bounds(), now=lambda: now[0])
    for _ in range(0, DAY + HOUR + 1, 600):
        used = 900 * GB - (BEGIN - now[0] / NANO) * RATE
        writer.record(Batch(disks=(DiskSample(now[0], DISK.path, used, 1000 * GB - used),)))
        now[0] += 600 * NANO
    writer.close()
    return path


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def removed(history: Path) -> Callable[[], None]:
    """Removes it, when it is called."""
    return history.unlink


@pytest.fixture
def outlook(history: Path, clock: Clock) -> Iterator[Outlook]:
    made = Outlook(lambda: history, clock=lambda: clock.now, ticks=lambda: clock.ticks, deadline=60)
    yield made
    made.close()


async def test_a_disk_is_told_with_when_it_will_be_full(outlook: Outlook) -> None:
    (found,) = await outlook.of((DISK,))
    assert found.full_in == pytest.approx(100 * GB / RATE, rel=0.05)


async def test_what_was_freed_since_counts_at_once(outlook: Outlook, removed: Callable[[], None]) -> None:
    await outlook.of((DISK,))
    removed()  # it is not read again so soon
    (found,) = await outlook.of((Disk(DISK.what, DISK.path, DISK.total, 700 * GB, 300 * GB),))
    assert found.full_in == pytest.approx(300 * GB / RATE, rel=0.05)


async def test_the_history_is_read_again_after_a_while(outlook: Outlook, removed: Callable[[], None], clock: Clock) -> None:
    await outlook.of((DISK,))
    removed()
    clock.ticks += OFTEN_SECONDS
    (found,) = await outlook.of((DISK,))
    assert found.full_in is None


@pytest.mark.parametrize("content", [None, b"", b"no database of ours, and longer than a header has to be" * 10])
async def test_without_a_history_nothing_is_foreseen(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "h.db"
    if content is not None:
        path.write_bytes(content)
    outlook = Outlook(lambda: path)
    assert await outlook.of((DISK,)) == (DISK,)
    outlook.close()


async def test_a_disk_that_hangs_is_told_without_it(history: Path) -> None:
    hangs = threading.Event()

    def place() -> Path:
        hangs.wait(60)
        return history

    outlook = Outlook(place, deadline=0.05)
    try:
        assert await outlook.of((DISK,)) == (DISK,)
    finally:
        hangs.set()
        outlook.close()


async def test_a_machine_that_foresees_tells_all_else_as_it_is(outlook: Outlook) -> None:
    told = MachineReading(2, 40.0, 1.0, 100, 50, 0, 0, 1.0, 2.0, 3.0, (DISK,))
    closed = []

    class Machine:
        async def read(self, folders: Mapping[str, str]) -> MachineReading:
            assert folders == {"docker": "/var/lib/docker"}
            return told

        async def aclose(self) -> None:
            closed.append(True)

    machine = Foreseeing(Machine(), outlook)
    found = await machine.read({"docker": "/var/lib/docker"})
    assert found.disks[0].full_in is not None
    assert (found.cpu, found.memory_used, found.disks[0].used) == (40.0, 50, 900 * GB)
    await machine.aclose()
    assert closed
