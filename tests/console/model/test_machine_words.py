"""What is said of a machine and its disks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.model.machine import Disk, MachineReading
from console.model.machine_words import disk_state, mark, most_urgent, outlook, problems, summary, used_of
from console.model.state import StateClass
from console.text import clean

TB, GB, GIB = 10**12, 10**9, 1 << 30


def disk(
    used: int, free: int, what: str = "docker", *, total: int | None = None, inodes: tuple[int, int] | None = None
) -> Disk:
    """A disk by its bytes; `inodes` are how many there are and how many are free."""
    path = clean("/var/lib/docker" if what == "docker" else f"/{what}")
    every, left = inodes or (None, None)
    return Disk(clean(what), path, total or used + free, used, free, every, left)


def reading(*disks: Disk) -> MachineReading:
    return MachineReading(16, 41.2, 12.1, 256 * GIB, 97 * GIB, 0, 0, None, None, None, disks)


@pytest.mark.parametrize(
    ("used", "free", "kind", "word"),
    [
        (89, 11, StateClass.GOOD, "ok"),
        (90, 10, StateClass.ATTENTION, "90%"),
        (97, 3, StateClass.ATTENTION, "97%"),
        (98, 2, StateClass.BROKEN, "98%"),
        (100, 0, StateClass.BROKEN, "full"),
        (0, 0, StateClass.BROKEN, "full"),
    ],
)
def test_a_disk_wants_a_look_before_it_is_full(used: int, free: int, kind: StateClass, word: str) -> None:
    told = disk_state(disk(used * GB, free * GB))
    assert (told.kind, told.word) == (kind, word)


def test_what_only_root_may_write_is_not_free() -> None:
    """As `df` counts: 90 of the 95 that a program may use at all."""
    assert disk(90 * GB, 5 * GB, total=100 * GB).full == pytest.approx(94.7, abs=0.1)


def test_a_disk_that_fills_soon_wants_a_look_however_much_is_free() -> None:
    fills = replace(disk(60 * GB, 40 * GB), full_in=5 * 3600.0)
    (told,) = problems(reading(fills))
    assert told.kind is StateClass.ATTENTION
    assert told.sentence == "disk 60%, full in about 5h: 40 GB of 100 GB free on /var/lib/docker"
    assert not problems(reading(replace(fills, full_in=25 * 3600.0)))
    # Another disk may be fuller, and well.
    assert (marked := mark(reading(fills, disk(80 * GB, 20 * GB, "home")))) is not None
    assert marked.word == "60%"
    # What is full in some hours is more urgent than what has been nearly full for long, and less than what is full.
    several = reading(disk(91 * GB, 9 * GB, "home"), disk(99 * GB, 1 * GB, "tmp"), fills)
    assert [one.sentence.partition(":")[0].partition(",")[0] for one in problems(several)] == [
        "disk of tmp 99%",
        "disk 60%",
        "disk of home 91%",
    ]


def test_when_it_will_be_full_stands_beside_how_full_it_is() -> None:
    fills = replace(disk(91 * GB, 9 * GB), full_in=6.4 * 86400)
    (told,) = problems(reading(fills))
    assert told.sentence == "disk 91%, full in about 6d: 9.0 GB of 100 GB free on /var/lib/docker"
    assert summary(reading(fills)).startswith("91 of 100 GB, full in about 6d, cpu 41%")
    assert outlook(disk(91 * GB, 9 * GB)) == ""


def test_a_disk_without_inodes_left_is_full() -> None:
    empty = disk(10 * GB, 90 * GB, inodes=(1000, 30))
    assert disk_state(empty).word == "97%"
    (told,) = problems(reading(empty))
    assert told.sentence == "disk 97%: 30 files more can be made on /var/lib/docker"


def test_the_fullest_disk_is_told_first_and_gives_the_mark() -> None:
    told = reading(disk(91 * GB, 9 * GB), disk(99 * GB, 1 * GB, "home"), disk(1 * GB, 99 * GB, "tmp"))
    assert [(one.kind, one.sentence, one.target) for one in problems(told)] == [
        (StateClass.BROKEN, "disk of home 99%: 1.0 GB of 100 GB free on /home", "disk"),
        (StateClass.ATTENTION, "disk 91%: 9.0 GB of 100 GB free on /var/lib/docker", "disk"),
    ]
    found = mark(told)
    assert found is not None
    assert found.word == "99%"
    assert mark(reading(disk(1, 99))) is None
    assert mark(reading()) is None
    assert most_urgent(()) is None


def test_the_summary_says_what_is_known() -> None:
    told = reading(disk(1680 * GB, 160 * GB))
    assert summary(told) == "1.68 of 1.84 TB, cpu 41%, memory 38%, load 12.1 on 16 cores"
    silent = replace(told, cpu=None, load=None, memory_used=None, disks=())
    assert summary(silent) == ""
    assert summary(replace(silent, load=0.5, cores=None)) == "load 0.5"


@pytest.mark.parametrize(
    ("used", "free", "words"),
    [
        (1680 * GB, 160 * GB, "1.68 of 1.84 TB"),
        (500 * GB, TB, "500 GB of 1.50 TB"),
        (12 * GB, 88 * GB, "12 of 100 GB"),
        (int(999.6 * GB), 0, "1.00 of 1.00 TB"),
    ],
)
def test_used_and_whole_share_their_unit(used: int, free: int, words: str) -> None:
    assert used_of(disk(used, free)) == words
