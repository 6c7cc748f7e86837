"""How disks have filled, as a recorder wrote it down."""

from __future__ import annotations

import pytest

from console.history import Reader
from console.history.bounds import DAY, HOUR
from console.model.history import NANO, Batch, DiskSample, GpuSample, HostSample
from console.text import Clean
from tests.console.history.making import Place

ROOT = Clean("/var/lib/docker")
GB = 10**9


def fill(place: Place, seconds: int, rate: float, *, path: Clean = ROOT, every: int = 600) -> None:
    """A recorder looks every so often while the disk grows by `rate` bytes a second."""
    writer = place.writer()
    for at in range(0, seconds + 1, every):
        used = 500 * GB + at * rate
        writer.record(Batch(disks=(DiskSample(place.clock.now, path, used, 1000 * GB - used),)))
        place.clock.go(every)
    place.close()


def test_growth_is_measured_over_each_time_that_is_known(place: Place, reader: Reader) -> None:
    fill(place, DAY + HOUR, 1e6, every=120)
    found = reader.growths(place.clock.now)
    assert list(found) == [ROOT]
    assert [one.rate for one in found[ROOT]] == pytest.approx([1e6, 1e6], rel=0.02)
    assert [one.ahead for one in found[ROOT]] == [4 * HOUR, 4 * DAY]


def test_a_week_is_told_from_what_is_kept_for_a_month(place: Place, reader: Reader) -> None:
    fill(place, 7 * DAY + 8 * HOUR, 2e5, every=1800)
    (*_, week) = reader.growths(place.clock.now)[ROOT]
    assert week.rate == pytest.approx(2e5, rel=0.02)
    assert week.ahead == 28 * DAY


def test_a_recorder_that_is_gone_tells_nothing_of_now(place: Place, reader: Reader) -> None:
    fill(place, DAY + HOUR, 1e6)
    assert reader.growths(place.clock.now + 2 * HOUR * NANO) == {}


def test_each_disk_has_its_own(place: Place, reader: Reader) -> None:
    fill(place, 2 * HOUR, 1e6, every=60)
    place.clock.go(-2 * HOUR - 60)
    fill(place, 2 * HOUR, -1e6, path=Clean("/home/full"), every=60)
    assert list(reader.growths(place.clock.now)) == [ROOT]


def test_a_disk_is_no_card_and_not_the_machine(place: Place, reader: Reader) -> None:
    now = place.clock.now
    place.writer().record(
        Batch(
            gpus=(GpuSample(now, Clean("GPU-1"), 0, 50.0),),
            host=(HostSample(now, 30.0),),
            disks=(DiskSample(now, ROOT, 1.0, 2.0),),
        )
    )
    assert [one.card for one in reader.cards(now, now + 60 * NANO, 1)] == ["GPU-1"]
    assert reader.host(now, now + 60 * NANO, 1).cpu.mean == (30.0,)
