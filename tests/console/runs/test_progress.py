"""Where a run is, how long it will take, what it has reached."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from console.runs.figures import figures, moment
from console.runs.pace import Pace, Silence
from console.runs.progress import MOST_SERIES, Progress
from console.runs.reader import Reader
from console.runs.reading import Form, Metric, Phase, Reading
from console.text import Clean
from tests.console.fakes import NOW
from tests.console.runs.lines import SECOND, read
from tests.console.runs.recorded import NAMES, blocks_of, replayed, truth_of


def progress_of(*lines: str) -> Progress:
    """After lines that came one a second."""
    found = Progress()
    found.add(read(*lines))
    return found


def after(name: str) -> Progress:
    found = Progress()
    found.add(replayed(name)[1])
    return found


@pytest.mark.parametrize(
    ("name", "epoch", "epochs", "done", "total"),
    [
        ("torch-jsonl", 6, 6, 132, 132),
        ("torch-keyvalue", 3, 4, 176, 176),
        ("logging-module", 5, 5, 66, 70),  # its last print is of step 10 of 14
        ("tqdm-postfix", 3, 3, 264, 264),
        ("tqdm-nested", 4, 4, 176, 176),
        ("tqdm-ascii", 1, None, 350, 350),
        ("tqdm-long", None, None, 440, 440),
        ("ignite-bar", 3, 3, 132, 132),
        ("hf-trainer", 3, None, 180, 180),
        ("lightning-bar", 2, None, 150, None),
        ("keras-verbose1", 4, 4, 180, 180),
        ("keras-verbose2", 10, 12, 230, 276),  # it stopped early
        ("metriclogger", 2, 3, 263, 264),
        ("japanese", 10, 10, 220, 220),
        ("end-oom-kill", 3, None, 65, 132),
        ("end-hang", 2, None, 300, None),
        ("dl-workers", 2, None, 60, 60),
        ("lightgbm", None, None, 40, None),  # and then the line of its best round once more
        ("xgboost", None, None, 62, None),
        ("torch-epoch-print", 10, 10, None, None),
    ],
)
def test_real_trainings_end_where_they_ended(
    name: str, epoch: float | None, epochs: int | None, done: int | None, total: int | None
) -> None:
    place = after(name).place
    assert (place.epoch, place.epochs, place.done, place.total) == (epoch, epochs, done, total)


@pytest.mark.parametrize("name", NAMES)
def test_no_total_is_told_that_the_program_did_not_know(name: str) -> None:
    """At no time: a wrong total makes a wrong end."""
    known = truth_of(name)["totals"].get("steps")
    reader, progress = Reader(), Progress()
    for now, entries in blocks_of(name):
        progress.add(reader.entries(entries, now))
        if known is not None and progress.place.total is not None:
            assert progress.place.total == known


@pytest.mark.parametrize(
    "name", ["tqdm-long", "tqdm-tty-sized", "torch-jsonl", "keras-verbose2", "end-plateau", "japanese", "logging-module"]
)
def test_the_end_of_real_trainings_is_foretold_within_a_third(name: str) -> None:
    """From half of the run on; how long the program lived after its last step nobody can know."""
    truth = truth_of(name)
    last = truth["events"][-1]["t"]
    wrong = []
    reader, progress = Reader(), Progress()
    for now, entries in blocks_of(name):
        progress.add(reader.entries(entries, now))
        eta, fraction = progress.eta, progress.place.fraction
        if eta is not None and fraction is not None and 0.5 <= fraction < 0.9:
            wrong.append(abs(eta.left(now) - (last - now / 1e9)) / (last - now / 1e9))
    assert wrong
    assert sorted(wrong)[len(wrong) // 2] < (0.34 if name != "keras-verbose2" else 2.0)  # which stopped early


def test_the_basis_of_an_eta_is_told() -> None:
    lines = [f"step {at}/100 loss 0.5" for at in range(1, 31)]
    eta = progress_of(*lines).eta
    assert eta is not None
    assert eta.basis == "median of the last 20 steps"
    assert eta.left(30 * SECOND) == pytest.approx(70)
    assert eta.left(500 * SECOND) == 0
    eta = progress_of(*[f"step {at}/100 loss 0.5" for at in range(10, 60, 10)]).eta
    assert eta is not None
    assert (str(eta.basis), eta.left(5 * SECOND)) == ("median of the last 4 intervals, 40 steps", 5.0)
    eta = progress_of("Epoch 1/10 - loss: 0.5", "Epoch 2/10 - loss: 0.5").eta
    assert eta is not None
    assert (str(eta.basis), eta.left(2 * SECOND)) == ("the last epoch", 8.0)
    eta = progress_of("\rtrain:  50%|#####     | 50/100 [00:01<00:01, 5.0it/s]\r").eta
    assert eta is not None
    assert (str(eta.basis), eta.left(1 * SECOND)) == ("the bar's own rate, 5 it/s", 10.0)


def test_when_a_run_that_stands_still_will_be_done_nobody_knows() -> None:
    found = progress_of(*[f"step {at}/1000 loss {1 / at:.3f}" for at in range(1, 31)])
    goes, stands = (figures(found, moment((30 + silent) * SECOND)) for silent in (5, 60))
    assert (goes.finish, goes.findings) == (moment(1000 * SECOND), ())
    assert [one.sign for one in stands.findings] == ["stalled"]
    assert (stands.finish, stands.basis) == (None, None)


@pytest.mark.parametrize(
    "lines",
    [
        ["step 5 loss 0.5", "step 6 loss 0.4"],  # of how many?
        ["step 5/10 loss 0.5"],  # how fast?
        ["epoch 1/4 step 1/10 loss 0.5", "epoch 1/4 step 2/10 loss 0.5"],  # of an epoch, or of all?
        ["epoch 0 step 5/10 loss 0.5", "epoch 0 step 6/10 loss 0.5"],
        ["val_loss=0.5 val_acc=0.3"],
    ],
)
def test_without_a_total_or_a_pace_there_is_no_eta(lines: list[str]) -> None:
    assert progress_of(*lines).eta is None


def test_steps_that_begin_again_count_within_an_epoch_and_others_over_the_run() -> None:
    within = progress_of(*[f"epoch {epoch}/3 step {step}/10 loss 0.5" for epoch in (1, 2) for step in (5, 10)])
    assert (within.place.within, within.place.done, within.place.total) == (True, 20, 30)
    over = progress_of(*[f"epoch {epoch}/3 step {step + 5 * epoch}/15 loss 0.5" for epoch in (1, 2) for step in (-2, 0)])
    assert (over.place.within, over.place.done, over.place.total) == (False, 10, 15)


def test_lines_that_were_held_back_make_no_pace() -> None:
    pace = Pace("step")
    for at in range(100):
        pace.add(5 * SECOND + at, at)
    assert pace.seconds is None
    for at in range(100, 200):
        pace.add(15 * SECOND + at, at)
    assert pace.seconds == pytest.approx(0.1)
    assert pace.basis == "the last 100 steps"


@given(st.lists(st.tuples(st.integers(0, 10**15), st.integers(0, 10**6))))
def test_a_pace_is_never_negative(samples: list[tuple[int, int]]) -> None:
    pace = Pace("step")
    for time, count in sorted(samples, key=lambda sample: sample[0]):
        pace.add(time, count)
    assert pace.seconds is None or pace.seconds > 0


def test_events_of_the_contract_are_trusted_alone() -> None:
    found = progress_of(
        '{"event":"start","epochs":4,"steps":40}',
        "epoch 9/9 step 80/90 loss 7.5",
        '{"event":"step","epoch":1,"step":5,"metrics":{"loss":0.5}}',
        "\rtrain:  50%|#####     | 50/100 [00:01<00:01, 5.0it/s, loss=3.3, extra_loss=0.25]",
        '{"event":"epoch","epoch":1,"epochs":4,"step":10,"metrics":{"loss":0.4}}',
        "epoch 2/9 loss 7.5",
    )
    assert (found.place.epoch, found.place.epochs, found.place.done, found.place.total) == (1, 4, 10, 40)
    loss = found.metric("loss")
    assert loss is not None
    assert [point.value for point in loss.points] == [7.5, 0.5, 0.4]  # 7.5 was all there was at the time
    assert found.metric("extra_loss") is not None


def test_how_it_ended_is_what_it_said_last() -> None:
    end = '{"event":"end","ts":1795413625,"status":"ok"}'
    error = '{"event":"error","ts":1795413624,"error":"HTTPError","message":"503"}'
    step = '{"event":"step","step":%d,"ts":%d,"metrics":{}}'
    found = progress_of('{"event":"start","epochs":4,"steps":40}', step % (1, 1795413620), step % (2, 1795413621), error)
    before = found.eta
    assert before is not None
    found.add(read(end))
    assert found.end is not None
    assert (found.end.event, found.end.note) == ("end", "ok")
    assert found.eta is None
    assert found.error is not None
    assert found.error.note == "HTTPError: 503"
    found.add(read('{"event":"start","epochs":4,"steps":40}'))
    assert found.end is None


def test_of_several_ranks_the_lowest_one_speaks() -> None:
    found = progress_of(
        "[rank 1] epoch=0 step=5 loss=9.5", "[rank 0] epoch=0 step=5 loss=0.5", "[rank 1] epoch=0 step=10 loss=9.5"
    )
    loss = found.metric("loss")
    assert loss is not None
    assert [point.value for point in loss.points] == [0.5]
    assert found.place.step == 5


@pytest.mark.parametrize(
    "line",
    [
        "step {}/40 loss {}",
        '{{"event":"step","step":{},"metrics":{{"loss":{}}}}}',
        "{{'step': {}, 'loss': {}}}",
        "train:  50%|#####     | {}/40 [00:01<00:01, 5.0it/s, loss={}]",
        "step={} loss={}",
    ],
)
@pytest.mark.parametrize("prefix", ["[default{}]:", "[trainer{}]: ", "[rank{}]:"])
def test_processes_whose_lines_a_launcher_has_numbered_are_told_apart(prefix: str, line: str) -> None:
    lines = [prefix.format(rank) + line.format(at, 9.5 if rank else 0.5) for at in range(1, 20) for rank in (1, 0)]
    found = progress_of(*lines)
    loss = found.metric("loss")
    assert loss is not None
    # A bar shows what changed; the others say it each time.
    assert {point.value for point in loss.points} == {0.5}
    assert (found.place.step, loss.count) == (19, 1 if "it/s" in line else 19)


def test_what_looks_like_such_a_number_and_is_none_is_no_process() -> None:
    assert [one.rank for one in read("[default0]:[rank 3] epoch=0 step=5 loss=0.5")] == [3]
    assert [one.rank for one in read("[epoch3]: loss 0.5 acc 0.5")] == [None]
    assert read('[default0]:{"event":"end","status":"ok"}')[0].event == "end"


def test_two_processes_that_write_tables_in_turn_are_read_apart() -> None:
    table = ("  epoch    train_loss    valid_acc", "-------  ------------  -----------", "      1        0.5000       0.9000",
             "      2        0.4000       0.9100")  # fmt: skip
    found = progress_of(*[f"[default{rank}]:{line}" for line in table for rank in (0, 1)])
    series = found.metric("train_loss")
    assert series is not None
    assert [(point.epoch, point.value) for point in series.points] == [(1, 0.5), (2, 0.4)]


def test_an_evaluation_moves_no_step() -> None:
    found = progress_of("epoch 1/3 step 7/9 loss 0.5", "Test:  [2/25]  loss: 0.05 (0.05)", "Test:  [24/25]  loss: 0.05 (0.05)")
    assert (found.place.step, found.place.steps) == (7, 9)
    test = found.metric("test_loss")
    assert test is not None
    assert test.last is not None
    assert test.last.epoch == 1


def test_a_search_begins_again_and_again() -> None:
    found = progress_of(*[f"trial {trial} epoch {epoch}/5 val_loss=0.5" for trial in range(3) for epoch in range(1, 6)])
    assert (found.place.attempts, found.place.epoch, found.place.epochs) == (3, 5, 5)
    told = figures(found, NOW)
    assert told.fit == 3
    assert told.fit_since is not None
    assert [spot.epoch for spot in told.curves[0].spots if spot.time >= told.fit_since] == [1, 2, 3, 4, 5]
    assert (once := figures(progress_of("epoch 1/5 loss=0.5", "epoch 2/5 loss=0.4"), NOW)).fit == 1
    assert once.fit_since is None


def test_prints_that_were_held_back_while_the_bar_went_on_take_nothing_back() -> None:
    found = progress_of(
        *[f"\repochs:  50%|#####     | {at}/4 [00:17<00:00,  4.25s/it]" for at in range(5)],
        *[f"epoch {at}: val loss 0.5706 val acc 0.899" for at in range(4)],
    )
    assert (found.place.epoch, found.place.fraction, found.place.attempts) == (4, 1.0, 1)


def test_an_outer_bar_counts_the_epochs_that_are_done() -> None:
    found = progress_of(*[f"\repochs:  50%|#####     | {at}/4 [00:17<00:00,  4.25s/it]" for at in range(3)])
    assert (found.place.fraction, found.place.epochs_left) == (0.5, 2)


def test_a_total_may_be_the_name_of_the_last_epoch() -> None:
    found = progress_of(*[f"Epoch {at}/2 - loss: 0.5" for at in range(3)])
    assert (found.place.epochs, found.place.fraction) == (3, 1.0)
    found = progress_of(*[f"Epoch {at}/2 - loss: 0.5" for at in range(1, 3)])
    assert (found.place.epochs, found.place.fraction) == (2, 1.0)


def test_the_best_value_is_by_the_direction_of_its_name() -> None:
    found = progress_of(*[f"epoch {at} loss={loss} acc={acc} grad_norm={loss}" for at, loss, acc in
                          [(1, 0.9, 0.1), (2, 0.4, 0.8), (3, 0.5, 0.7)]])  # fmt: skip
    best = {series.name: series.best and (series.best.value, series.best.epoch) for series in found.series}
    assert best == {"loss": (0.4, 2), "acc": (0.8, 2), "grad_norm": None}


def test_a_log_that_invents_names_is_bounded() -> None:
    found = Progress(points=16)
    for at in range(1000):
        found.add([Reading(at, Form.PAIRS, metrics=(Metric(Clean(f"loss{at}"), 0.5), Metric(Clean("loss0"), 0.5)))])
    assert len(found.series) == MOST_SERIES
    assert found.series[0].count == 1001


def test_silence_is_measured_between_moments_not_lines() -> None:
    silence = Silence()
    for turn in range(5):
        for line in range(100):
            silence.add(turn * 7 * SECOND + line)
    assert (silence.median, silence.longest, silence.last) == (7.0, 7.0, 28 * SECOND)


@given(
    st.lists(
        st.builds(
            Reading,
            st.integers(0, 10**19),
            st.sampled_from(Form),
            st.none() | st.sampled_from(Phase),
            st.none() | st.floats(0, 1e15),
            st.none() | st.integers(0, 10**12),
            st.none() | st.integers(0, 10**12),
            st.none() | st.integers(0, 10**12),
            st.just((Metric(Clean("loss"), 0.5),)),
            rate=st.none() | st.floats(1e-3, 1e9),
            rank=st.none() | st.integers(0, 3),
            counted=st.booleans(),
            event=st.none() | st.sampled_from([Clean("start"), Clean("step"), Clean("end"), Clean("error")]),
        )
    )
)
@example(
    [
        Reading(0, Form.EVENT, epoch=1.0, epochs=2, event=Clean("epoch")),
        Reading(1, Form.BAR, epoch=4e-221, step=0, steps=1),
        Reading(2, Form.BAR, epoch=4e-221, step=0, steps=1),
    ]
)
def test_no_readings_make_nonsense(readings: list[Reading]) -> None:
    found = Progress()
    found.add(readings)
    place = found.place
    assert place.fraction is None or 0 <= place.fraction <= 1
    assert place.steps_left is None or place.steps_left >= 0
    assert place.epochs_left is None or place.epochs_left >= 0
    assert found.eta is None or found.eta.left(0) >= 0


def test_steps_after_the_end_of_the_first_epoch_are_counted_over_the_whole_run() -> None:
    lines = ["step 190/600  loss 2.0", "step 200/600  loss 1.9", "epoch 1/3  loss 1.9", "step 210/600  loss 1.8"]
    loss = progress_of(*lines).metric("loss")
    assert loss is not None
    assert [one.step for one in loss.points] == [190, 200, 200, 210]


def test_an_epoch_that_is_named_before_its_steps_tells_nothing_of_how_they_are_counted() -> None:
    place = progress_of("step 0/200  loss 2.0", "epoch 1/3  loss 2.0", "step 1/200  loss 1.8").place
    assert place.within is None
