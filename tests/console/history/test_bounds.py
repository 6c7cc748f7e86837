"""How much is kept, and what goes first."""

from __future__ import annotations

import pytest

from console.history import Bounds, HistoryError, Reader, Trouble, Writer
from console.history.bounds import DAY, HOUR, LEAST_BYTES, Trust
from console.model.history import NANO, Batch, GpuSample, Point
from console.text import Clean
from tests.console.history.making import LOSS, NOW, Place, curve, points, run, started

ROOM = 1_200_000


def fill(place: Place, count: int) -> None:
    """Runs, oldest first, of some 200 kB each."""
    writer = place.opened[-1]
    for at in range(count):
        key = Clean(f"a#{at}")
        writer.record(Batch(runs=(run(key, project=Clean("p"), started=started(at)),)))
        writer.record(Batch(points={key: {Clean(f"m{metric}"): curve(1000) for metric in range(6)}}))


def test_curves_of_the_oldest_go_first_and_ends_and_extremes_stay(place: Place, reader: Reader) -> None:
    place.writer(size=ROOM)
    fill(place, 12)
    assert place.path.stat().st_size <= ROOM
    runs = {one.key: one for one in reader.runs().runs}
    assert len(runs) == 12
    assert runs[Clean("a#0")].bare
    assert not runs[Clean("a#11")].bare
    bare = [runs[Clean(f"a#{at}")].bare for at in range(12)]
    assert bare == sorted(bare, reverse=True)
    assert reader.points("a#11")[Clean("m0")] == curve(1000)
    left = reader.points("a#0")[Clean("m0")]
    assert len(left) <= 4
    values = [one.value for one in curve(1000)]
    assert {min(values), max(values)} <= {one.value for one in left}
    assert {left[0], left[-1]} == {curve(1)[0], curve(1000)[-1]}


def test_a_lower_bound_makes_the_file_smaller(place: Place, reader: Reader) -> None:
    place.writer(size=4 * ROOM)
    fill(place, 12)
    place.close()
    assert place.path.stat().st_size > 1.5 * ROOM
    place.writer(size=ROOM).record(Batch())
    place.close()
    assert place.path.stat().st_size <= ROOM
    assert len(reader.runs().runs) == 12


def test_reading_an_old_log_again_does_not_bring_its_curve_back(place: Place, reader: Reader) -> None:
    place.writer(size=ROOM)
    fill(place, 12)
    before = reader.points("a#0")
    writer = place.opened[-1]
    writer.record(Batch(points={Clean("a#0"): {Clean(f"m{metric}"): curve(1000) for metric in range(6)}}))
    assert reader.points("a#0") == before


def test_then_whole_runs_go_and_stay_away(place: Place, reader: Reader) -> None:
    writer = place.writer(size=LEAST_BYTES, metrics=100)
    many = {Clean(f"metric-{at}"): curve(1) for at in range(100)}
    for at in range(150):
        key = Clean(f"a#{at}")
        writer.record(Batch(runs=(run(key, started=started(at)),), points={key: many}))
    assert place.path.stat().st_size <= LEAST_BYTES
    kept = [one.key for one in reader.runs(limit=1000).runs]
    assert kept == [f"a#{at}" for at in range(149, 149 - len(kept), -1)]
    assert 10 < len(kept) < 150
    writer.record(Batch(runs=(run("a#0", started=started(0)),), points={Clean("a#0"): many}))
    with pytest.raises(HistoryError):
        reader.run("a#0")
    writer.record(Batch(runs=(run("a#0", training=Clean("another"), started=started(200)),)))
    with pytest.raises(HistoryError):
        reader.run("a#0")


def test_a_removed_run_makes_room_for_another_of_the_same_number(place: Place, reader: Reader) -> None:
    writer = place.writer(size=LEAST_BYTES)
    writer.record(Batch(runs=(run("a#0", training=Clean("first"), started=started(0)),)))
    with writer._transaction():
        writer._runs.remove(1, NOW)
    writer.record(Batch(runs=(run("a#0", training=Clean("first"), started=started(0)),)))
    assert reader.runs().runs == ()
    second = run("a#0", training=Clean("second"), started=started(9))
    writer.record(Batch(runs=(second,), points={Clean("a#0"): {LOSS: curve(3)}}))
    assert reader.runs().runs == (second,)
    assert reader.points("a#0")[LOSS] == curve(3)


def keep_many(writer: Writer) -> None:
    for at in range(50):
        key = Clean(f"a#{at}")
        writer.record(Batch(runs=(run(key, started=started(at)),)))
        writer.keep(key, True)
        writer.record(points(key, *curve(3000)))


def test_kept_runs_stay_and_a_full_history_says_so(place: Place, reader: Reader) -> None:
    writer = place.writer(size=LEAST_BYTES)
    with pytest.raises(HistoryError, match=r"reached its bound of 1\.0 MB: no more may go, for its runs are kept") as caught:
        keep_many(writer)
    assert caught.value.trouble is Trouble.FULL
    assert caught.value.reason in str(caught.value)
    kept = [one for one in reader.runs().runs if one.kept]
    assert len(kept) >= 5
    assert not any(one.bare for one in kept)
    writer.keep(kept[-1].key, False)
    writer.record(points("b#1", *curve(3000)))
    assert reader.run(kept[-1].key).bare


def test_nothing_is_removed_for_what_would_never_fit(place: Place, reader: Reader) -> None:
    writer = place.writer(size=ROOM, points=20_000)
    fill(place, 3)
    before = reader.runs()
    with pytest.raises(HistoryError, match="too much came at once"):
        writer.record(points("huge#1", *curve(20_000)))
    assert reader.runs() == before
    assert not any(one.bare for one in before.runs)
    writer.record(points("small#1", *curve(20)))


def test_samples_go_last(place: Place, reader: Reader) -> None:
    writer = place.writer(size=LEAST_BYTES)
    writer.record(points("a#1", *curve(3000)))
    for at in range(0, 8000, 1000):
        for card in ("G1", "G2", "G3"):
            writer.record(Batch(gpus=tuple(_sample(card, second * 10) for second in range(at, at + 1000))))
    assert place.path.stat().st_size <= LEAST_BYTES
    assert reader.runs().runs == ()
    found = reader.cards(NOW, NOW + 80_000 * NANO, 20)
    assert [one.utilisation.mean[-1] for one in found] == [1.5, 1.5, 1.5]


def _sample(card: str, second: float) -> GpuSample:
    return GpuSample(NOW + int(second * NANO), Clean(card), 0, 1.5, 2.5)


def test_a_run_whose_start_nobody_told_is_as_old_as_its_points(place: Place, reader: Reader) -> None:
    writer = place.writer(size=ROOM)
    fill(place, 5)
    later = NOW + 1000 * HOUR * NANO
    writer.record(points("new#1", *(Point(later + at, float(at), at) for at in range(2000))))
    fill(place, 12)
    assert not reader.run("new#1").bare


def test_bounds_that_keep_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1048576 bytes, not 5"):
        Bounds(size=5)
    with pytest.raises(ValueError, match="at least 32 points, not 5"):
        Bounds(points=5)


def test_a_clock_that_jumps_ahead_makes_nothing_old(place: Place, reader: Reader) -> None:
    writer = place.writer()
    writer.record(Batch(gpus=(GpuSample(NOW, Clean("G"), 0, 7.0),)))
    writer.beat()
    place.clock.jump(10 * 365 * DAY)
    for _ in range(50):
        place.clock.go(60)
        writer.beat()
        writer.record(Batch(gpus=(GpuSample(place.clock.now, Clean("G"), 0, 9.0),)))
        writer.tidy()
    place.clock.jump(-10 * 365 * DAY)
    for _ in range(200):
        place.clock.go(60)
        writer.beat()
        writer.record(Batch(gpus=(GpuSample(place.clock.now, Clean("G"), 0, 8.0),)))
        writer.tidy()
    (card,) = reader.cards(NOW, place.clock.now + NANO, 250)
    assert card.utilisation.mean[0] == 7.0
    assert card.utilisation.mean[-1] == 8.0
    # What was written ten years ahead is removed once the clock is believed again.
    assert reader.cards(NOW + 9 * 365 * DAY * NANO, NOW + 11 * 365 * DAY * NANO, 10) == ()
    assert reader.known().beat == place.clock.now


def test_a_long_time_without_a_recorder_is_believed_after_an_hour(place: Place, reader: Reader) -> None:
    writer = place.writer()
    writer.record(Batch(gpus=(GpuSample(NOW, Clean("G"), 0, 7.0),)))
    writer.beat()
    place.close()
    place.clock.go(800 * DAY)
    again = place.writer()
    again.tidy()
    assert reader.cards(NOW, NOW + HOUR * NANO, 1)
    place.clock.go(HOUR + 1)
    again.tidy()
    assert reader.cards(NOW, NOW + HOUR * NANO, 1) == ()


def test_when_a_clock_is_believed() -> None:
    trust = Trust(None, NOW, 0)
    assert trust.believes(NOW + 60 * NANO, 60)
    assert not trust.believes(NOW + 2 * DAY * NANO, 120)
    assert not trust.believes(NOW + 2 * DAY * NANO + 60 * NANO, 180)
    assert trust.believes(NOW + 2 * DAY * NANO + 4000 * NANO, 4120)
    assert not trust.believes(NOW, 4180)
