"""What is written is read again: runs, lists of them, curves."""

from __future__ import annotations

import math
import random
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.history import HistoryError, Reader, Trouble, Writer, rowing
from console.history.thinning import columns, on_axis
from console.model.history import NANO, Axis, Batch, PastRun, Point
from console.text import Clean
from tests.console.history.making import BEGIN, FULL_RUN, KEY, LOSS, NOW, Place, batches, curve, points, run, started


def test_a_run_comes_back_as_it_was(place: Place, reader: Reader) -> None:
    writer = place.writer()
    writer.record(Batch(runs=(FULL_RUN,)))
    assert reader.run(FULL_RUN.key) == FULL_RUN
    assert writer.keep(FULL_RUN.key, True)
    assert reader.run(FULL_RUN.key).kept
    assert writer.keep(FULL_RUN.key, False)
    assert not reader.run(FULL_RUN.key).kept
    assert not writer.keep(Clean("nobody#1"), True)
    with pytest.raises(HistoryError, match="Nothing is kept of a run nobody#1") as caught:
        reader.run("nobody#1")
    assert caught.value.trouble is Trouble.NOT_THERE
    assert reader.runs().runs == (FULL_RUN,)  # the reader goes on after that


def test_lists_are_newest_first_and_in_pages(place: Place, reader: Reader) -> None:
    runs = [run(f"p#{at}", project=Clean("p" if at % 3 else "q"), started=started(at % 20)) for at in range(60)]
    unknown = [run("p#x", project=Clean("p")), run("p#y", project=Clean("p"))]
    writer = place.writer()
    writer.record(Batch(runs=(*runs, *unknown)))
    for project in (None, "p", "q"):
        found: list[PastRun] = []
        page = reader.runs(project, limit=7)
        while True:
            assert len(page.runs) <= 7
            found += page.runs
            if page.next is None:
                break
            page = reader.runs(project, limit=7, after=page.next)
        wanted = [one for one in [*runs, *unknown] if project in (None, one.project)]
        assert found == sorted(wanted, key=lambda one: (one.started is not None, one.started, one.key), reverse=True)
    assert reader.runs("nobody").runs == ()


def test_previous_runs_are_of_the_same_project_and_job(place: Place, reader: Reader) -> None:
    mine = [run(f"p#{at}", project=Clean("p"), job=Clean("train"), started=started(at)) for at in range(6)]
    others = (run("q#1", project=Clean("q"), job=Clean("train")), run("local#1", project=Clean("p"), job=Clean("local")))
    place.writer().record(Batch(runs=(*mine, *others)))
    assert reader.previous("p#4", limit=3) == (mine[3], mine[2], mine[1])
    assert reader.previous("p#0") == ()


def test_values_that_are_not_finite_come_back(place: Place, reader: Reader) -> None:
    given_points = (
        Point(NOW, math.nan, 1),
        Point(NOW + 1, math.inf, 2, 0.5),
        Point(NOW + 2, -math.inf, 3),
        Point(NOW + 3, 5e-324),
    )
    place.writer().record(points(KEY, *given_points))
    found = reader.points(KEY)[LOSS]
    assert [str(one.value) for one in found] == ["5e-324", "nan", "inf", "-inf"]
    assert found[2] == given_points[1]
    assert math.isnan(found[1].value)


def test_points_may_come_before_their_run(place: Place, reader: Reader) -> None:
    writer = place.writer()
    writer.record(points(KEY, *curve(5)))
    assert reader.run(KEY) == run()
    writer.record(Batch(runs=(run(project=Clean("p"), started=BEGIN),)))
    assert reader.runs("p").runs == (run(project=Clean("p"), started=BEGIN),)
    assert reader.points(KEY)[LOSS] == curve(5)


METRICS = st.sampled_from(["loss", "acc"])
POINTS = st.builds(
    Point,
    st.integers(0, 1000).map(lambda second: NOW + second * NANO),
    st.floats(allow_nan=True, allow_infinity=True),
    st.one_of(st.none(), st.integers(0, 300)),
    st.one_of(st.none(), st.integers(0, 3)),
)
BATCHES = st.lists(
    st.builds(
        lambda key, metric, many, ended: replace(
            points(key, *many, metric=metric), runs=(run(key, peak_memory=len(many), ended=ended),), told=len(many)
        ),
        st.sampled_from(["a#1", "a#2"]),
        METRICS,
        st.lists(POINTS, max_size=60),
        st.one_of(st.none(), st.just(BEGIN)),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=20)
@given(BATCHES, st.randoms(use_true_random=False))
def test_any_order_and_repetition_of_batches_ends_in_the_same_store(several: list[Batch], chance: random.Random) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shuffled = several + chance.choices(several, k=2)
        chance.shuffle(shuffled)
        one = _written(Path(folder) / "one", several, 1000)
        assert _written(Path(folder) / "other", shuffled, 1000) == one
        assert _written(Path(folder) / "again", shuffled, 1) == one


def _written(path: Path, several: list[Batch], opened_for: int) -> list[object]:
    """What is read after it; the writer is opened anew after `opened_for` batches."""
    for at in range(0, len(several), opened_for):
        writer = _small_writer(path)
        batches(several[at : at + opened_for], writer)
        writer.close()
    reader = Reader(path)
    try:
        return [(one, repr(sorted(reader.points(one.key).items()))) for one in reader.runs().runs]
    finally:
        reader.close()


def _small_writer(path: Path) -> Writer:
    place = Place(path)
    return place.writer(points=40)


def test_the_same_log_read_twice_changes_nothing_of_a_long_curve(place: Place, reader: Reader) -> None:
    writer = place.writer(points=200)
    writer.record(points(KEY, *curve(5000)))
    before = reader.points(KEY)
    assert len(before[LOSS]) <= 200
    for at in range(0, 5000, 1000):
        writer.record(points(KEY, *curve(1000, at)))
    assert reader.points(KEY) == before
    place.close()
    place.writer(points=200).record(points(KEY, *curve(5000)))
    assert reader.points(KEY) == before
    assert before[LOSS][0] == curve(1)[0]
    assert before[LOSS][-1] == curve(5000)[-1]


def test_series_that_memory_has_no_room_for_are_read_again(
    place: Place, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rowing, "HELD_POINTS", 50)
    writer = place.writer(points=40)
    for at in range(30):
        for metric in ("a", "b", "c"):
            writer.record(points(KEY, *curve(10, at * 10), metric=metric))
    place.close()
    other = Place(place.path.with_name("other.db"))
    other.writer(points=40).record(Batch(points={KEY: {Clean(one): curve(300) for one in "abc"}}))
    there = Reader(other.path)
    assert there.points(KEY) == reader.points(KEY)
    there.close()
    other.close()


def test_many_small_batches_leave_what_one_large_one_leaves(place: Place, reader: Reader) -> None:
    writer = place.writer(points=40)
    for at in range(0, 500, 5):
        writer.record(points(KEY, *curve(5, at)))
    writer.record(Batch(points={Clean("b#1"): {LOSS: curve(500)}}))
    assert reader.points(KEY) == reader.points("b#1")


def test_a_run_has_no_more_metrics_than_it_may(place: Place, reader: Reader) -> None:
    place.writer(metrics=5).record(Batch(points={KEY: {Clean(f"m{at}"): curve(1) for at in range(50)}}))
    assert len(reader.metrics(KEY)) == 5


@pytest.mark.parametrize("axis", list(Axis))
@pytest.mark.parametrize("span", [None, (10, 300.5)])
def test_columns_out_of_the_file_are_those_of_the_points(
    place: Place, reader: Reader, axis: Axis, span: tuple[float, float] | None
) -> None:
    chance = random.Random(7)  # noqa: S311
    values = [chance.choice([chance.gauss(0, 5), math.nan, math.inf, -math.inf, 1e-300]) for _ in range(900)]
    given_points = tuple(
        Point(NOW + at * 997_000_003, value, at if at % 5 else None, at / 2 if at % 3 else None)
        for at, value in enumerate(values)
    )
    writer = place.writer(points=1000)
    writer.record(Batch(runs=(run(started=BEGIN),)))
    writer.record(points(KEY, *given_points))
    found = reader.columns(KEY, 37, axis, span=span)[LOSS]
    whole = on_axis(given_points, axis, NOW)
    assert found == columns(whole, 37, span)


def test_all_metrics_of_a_plot_have_the_same_ends(place: Place, reader: Reader) -> None:
    writer = place.writer()
    writer.record(points(KEY, *curve(10, 0)))
    writer.record(points(KEY, *curve(10, 50), metric="val"))
    writer.record(points(KEY, Point(NOW, 1.0), metric="stepless"))
    found = reader.columns(KEY, 6)
    assert set(found) == {"loss", "val"}
    assert {(one.start, one.end) for one in found.values()} == {(0, 59)}
    assert found[LOSS].low[5] is None
    assert found[Clean("val")].low[0] is None
    assert set(reader.columns(KEY, 6, names=["val"])) == {"val"}


def test_a_resumed_run_goes_on_where_the_one_before_was_saved(place: Place, reader: Reader) -> None:
    writer = place.writer()
    one = run("a#1", started=started(0))
    two = run("a#2", started=started(1), resumed_from=Clean("a#1"), resumed_step=19)
    three = run("a#3", started=started(2), resumed_from=Clean("a#2"), resumed_step=9)
    writer.record(Batch(runs=(one, two, three)))
    for key, first, scale in (("a#1", 0, 1.0), ("a#2", 20, 2.0), ("a#3", 10, 3.0)):
        writer.record(points(key, *curve(30, first, scale)))
    assert [each.key for each in reader.chain("a#3")] == ["a#1", "a#2", "a#3"]
    assert reader.points("a#2")[LOSS] == curve(30, 20, 2.0)
    assert reader.points("a#2", whole=True)[LOSS] == curve(20) + curve(30, 20, 2.0)
    assert reader.points("a#3", whole=True)[LOSS] == curve(10) + curve(30, 10, 3.0)
    whole = on_axis(reader.points("a#3", whole=True)[LOSS], Axis.STEP)
    assert reader.columns("a#3", 13, whole=True)[LOSS] == columns(whole, 13)
    by_time = reader.columns("a#3", 13, Axis.TIME, whole=True)[LOSS]
    assert (by_time.start, by_time.end) == (0.0, 39.0)


def test_a_circle_of_resumed_runs_ends(place: Place, reader: Reader) -> None:
    runs = (run("a#1", resumed_from=Clean("a#2")), run("a#2", resumed_from=Clean("a#1")))
    place.writer().record(Batch(runs=runs))
    assert [one.key for one in reader.chain("a#1")] == ["a#2", "a#1"]


def test_a_number_that_comes_again_is_another_run(place: Place, reader: Reader) -> None:
    old = run("a#1", training=Clean("old-one-of-all"), started=started(0), project=Clean("p"))
    new = run("a#1", training=Clean("new-one-of-all"), started=started(5))
    writer = place.writer()
    writer.record(Batch(runs=(old,)))
    writer.record(points("a#1", *curve(3)))
    for _ in range(2):
        writer.record(Batch(runs=(new,)))
        writer.record(Batch(runs=(old,)))
    assert reader.runs().runs == (new, replace(old, key=Clean("a#1@old-one-")))
    assert reader.points("a#1@old-one-")[LOSS] == curve(3)
    assert reader.points("a#1") == {}


def test_words_that_others_wrote_into_the_file_are_clean(place: Place, reader: Reader) -> None:
    writer = place.writer()
    writer.record(points(KEY, *curve(1)))
    writer._db.execute("UPDATE series SET name = ?", ("lo\x1b]0;title\x07ss",))
    writer._db.execute("UPDATE runs SET key = ?", ("a\x1b[31m#1",))
    assert reader.runs().runs[0].key == "a#1"
    assert "\x1b" not in reader.metrics("a\x1b[31m#1")[0]


def test_the_room_is_light() -> None:
    code = (
        "import sys, console.history, console.history.compare\n"
        "print({'sqlite3', '_sqlite3', 'textual', 'docker', 'jenkins', 'asyncio', 'rich', 'httpx'} & set(sys.modules))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "set()"
