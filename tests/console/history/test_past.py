"""What cards and machine did, and when nobody looked."""

from __future__ import annotations

import math
import random
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from console.history import Reader
from console.history.bounds import DAY, HOUR
from console.model.history import NANO, Batch, GpuSample, HostSample, Span, Trace
from console.text import Clean
from tests.console.history.making import NOW, Place

CARD = Clean("GPU-1")


def gpu(second: float, use: float | None = 50.0, **more: Any) -> GpuSample:
    sample = GpuSample(NOW + int(second * NANO), CARD, 0, use, 1e9, 60.0, 250.0, Clean("a#1"))
    return replace(sample, **more) if more else sample


def test_a_sample_comes_back_where_it_was(place: Place, reader: Reader) -> None:
    place.writer().record(Batch(gpus=(gpu(0, 10.0), gpu(30, 70.0, run=Clean("a#2")), gpu(31, 80.0))))
    (card,) = reader.cards(NOW, NOW + 60 * NANO, 6)
    assert (card.card, card.index) == (CARD, 0)
    assert card.utilisation == Trace((10.0, None, None, 80.0, None, None), (10.0, None, None, 80.0, None, None))
    assert card.runs == ("a#1", None, None, "a#1", None, None)
    assert card.memory.mean[0] == 1e9
    assert (card.temperature.high[3], card.power.mean[3]) == (60.0, 250.0)


def test_the_machine_has_its_own(place: Place, reader: Reader) -> None:
    place.writer().record(
        Batch(host=(HostSample(NOW, 30.0, 4e9, 1.0, 2.0, 3.0), HostSample(NOW + 20 * NANO, 50.0, None, math.nan)))
    )
    host = reader.host(NOW, NOW + 40 * NANO, 1)
    assert host.cpu == Trace((40.0,), (50.0,))
    assert host.memory == Trace((4e9,), (4e9,))
    assert (host.cpu_pressure.mean, host.memory_pressure.mean, host.io_pressure.mean) == ((1.0,), (2.0,), (3.0,))
    assert reader.cards(NOW, NOW + 40 * NANO, 1) == ()


def test_coarser_values_have_mean_and_peak(place: Place, reader: Reader) -> None:
    place.writer().record(Batch(gpus=tuple(gpu(10 * at, float(at)) for at in range(360))))
    (card,) = reader.cards(NOW, NOW + HOUR * NANO, 6)
    assert card.utilisation.mean[:2] == (29.5, 89.5)
    assert card.utilisation.high[:2] == (59.0, 119.0)
    (one,) = reader.cards(NOW, NOW + HOUR * NANO, 60)
    assert one.utilisation.mean[:2] == (2.5, 8.5)


@settings(max_examples=25)
@given(
    st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 100)), min_size=1, max_size=40, unique_by=lambda one: one[0]),
    st.randoms(),
)
def test_samples_in_any_order_and_twice(tmp_path_factory: object, told: list[tuple[int, int]], chance: random.Random) -> None:
    del tmp_path_factory
    samples = [gpu(second, float(use)) for second, use in told]
    shuffled = samples + chance.choices(samples, k=5)
    chance.shuffle(shuffled)
    assert _read_after(samples) == _read_after(shuffled)


def _read_after(samples: list[GpuSample]) -> list[object]:
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder) / "h.db")
        writer = place.writer()
        for at in range(0, len(samples), 7):
            writer.record(Batch(gpus=tuple(samples[at : at + 7])))
        reader = Reader(place.path)
        try:
            return [reader.cards(NOW, NOW + 3600 * NANO, width) for width in (360, 60, 6)]
        finally:
            reader.close()
            place.close()


def test_each_resolution_is_kept_for_its_time(place: Place, reader: Reader) -> None:
    writer = place.writer()
    for day in range(0, 400, 5):
        writer.record(Batch(gpus=(gpu(day * DAY, float(day)), gpu(day * DAY + 5 * 60, float(day) + 1))))
        place.clock.go(2 * HOUR)  # long enough for the clock to be believed
        place.clock.go(5 * DAY - 2 * HOUR)
        writer.beat()
        writer.tidy()
        place.clock.go(HOUR)
        writer.tidy()
        place.clock.go(-HOUR)
    counts = dict(writer._db.execute("SELECT tier, count(*) FROM samples GROUP BY tier").fetchall())
    assert counts.get(0, 0) <= 2
    assert counts[1] <= 14
    assert 70 <= counts[2] <= 74
    (card,) = reader.cards(NOW + 20 * DAY * NANO, place.clock.now, 380)
    told = [value for value in card.utilisation.high if value is not None]
    assert told[0] == 41.0
    assert told[-1] == 396.0


def test_a_recent_stretch_is_not_filled_up_by_coarser_values(place: Place, reader: Reader) -> None:
    """A recorder that was away for five minutes leaves a hole, not a mean of the minutes around it."""
    place.writer().record(Batch(gpus=(gpu(0), gpu(10), gpu(500))))
    (card,) = reader.cards(NOW, NOW + 600 * NANO, 60)
    assert [at for at, value in enumerate(card.utilisation.mean) if value is not None] == [0, 1, 50]


def test_old_and_new_stand_in_one_picture(place: Place, reader: Reader) -> None:
    writer = place.writer()
    writer.record(Batch(gpus=(gpu(0, 20.0),)))
    place.clock.go(HOUR)
    place.clock.go(3 * DAY)
    writer.record(Batch(gpus=(gpu(3 * DAY + HOUR, 90.0),)))
    place.clock.go(2 * HOUR)
    writer.tidy()
    place.clock.go(2 * HOUR)
    writer.tidy()
    assert writer._db.execute("SELECT count(*) FROM samples WHERE tier = 0").fetchone() == (1,)
    (card,) = reader.cards(NOW, NOW + 4 * DAY * NANO, 96)
    assert card.utilisation.mean[0] == 20.0
    assert card.utilisation.mean[73] == 90.0
    assert sum(value is not None for value in card.utilisation.mean) == 2


def test_a_card_keeps_its_past_when_its_index_changes(place: Place, reader: Reader) -> None:
    place.writer().record(Batch(gpus=(gpu(0), gpu(60, index=3), gpu(30, index=1), gpu(0, card=Clean("GPU-2"), index=1))))
    found = reader.cards(NOW, NOW + 100 * NANO, 10)
    assert [(one.card, one.index) for one in found] == [("GPU-2", 1), (CARD, 3)]


def test_gaps_are_when_nobody_recorded(place: Place, reader: Reader) -> None:
    writer = place.writer(silence=45)
    for _ in range(4):
        writer.beat()
        place.clock.go(10)
    place.clock.go(300)
    place.close()
    second = place.writer(silence=45)
    second.beat()
    place.clock.go(20)
    second.beat()
    at = [NOW + seconds * NANO for seconds in (-10, 30, 340, 360, 400)]
    assert reader.gaps(at[0], at[4]) == (Span(at[0], NOW), Span(at[1], at[2]), Span(at[3], at[4]))
    assert reader.gaps(NOW, at[1]) == ()
    assert reader.gaps(at[1] + 5, at[2] - 5) == (Span(at[1] + 5, at[2] - 5),)


def test_a_recorder_that_is_started_again_and_again_makes_no_gaps_and_no_rows(place: Place, reader: Reader) -> None:
    for _ in range(20):
        place.writer(silence=45).beat()
        place.clock.go(5)
        place.close()
    assert reader.gaps(NOW, NOW + 95 * NANO) == ()
    assert reader.known().beat == NOW + 95 * NANO
    assert place.writer()._db.execute("SELECT count(*) FROM spans").fetchone() == (1,)


def test_a_clock_that_is_set_back_makes_no_gap(place: Place, reader: Reader) -> None:
    writer = place.writer(silence=45)
    for seconds in (10, 10, -3600, *([10] * 400)):
        writer.beat()
        place.clock.go(seconds)
    writer.beat()
    assert reader.gaps(NOW - 3580 * NANO, NOW + 20 * NANO) == ()


def test_a_short_span_within_a_long_one_makes_no_gap(place: Place, reader: Reader) -> None:
    writer = place.writer(silence=45)
    for _ in range(60):
        writer.beat()
        place.clock.go(40)
    place.clock.jump(-1800)
    writer.beat()
    assert reader.gaps(NOW, NOW + 2000 * NANO) == ()
