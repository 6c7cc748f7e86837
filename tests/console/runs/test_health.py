"""Judgements about runs, each with its evidence."""

from __future__ import annotations

import math
import random

import pytest

from console.runs.health import Finding, Sign, diverging, findings, not_finite, plateau, stalled
from console.runs.progress import Progress
from console.runs.reader import Reader
from console.runs.series import Point, Series
from console.text import Clean
from tests.console.runs.lines import SECOND, read
from tests.console.runs.recorded import NAMES, blocks_of, replayed, truth_of


def series_of(values: list[float], name: str = "loss") -> Series:
    series = Series(Clean(name))
    for at, value in enumerate(values):
        series.add(Point(at * SECOND, at, None, value))
    return series


def judged(name: str) -> tuple[Finding, ...]:
    progress = Progress()
    progress.add(replayed(name)[1])
    return findings(progress, progress.last or 0)


def noisy(values: list[float], noise: float) -> list[float]:
    rng = random.Random(7)  # noqa: S311 - the same noise each time
    return [value + rng.gauss(0, noise) for value in values]


def test_a_run_that_says_nothing_for_long_has_stalled() -> None:
    progress = Progress()
    progress.add(read(*[f"step {at} loss 0.5" for at in range(30)]))
    assert stalled(progress, 40 * SECOND) is None
    found = stalled(progress, 71 * SECOND)
    assert found is not None
    assert (found.sign, found.metric, found.since) == (Sign.STALLED, None, 30 * SECOND)
    assert found.words == "No progress for 41s. It usually comes every 1s."


def test_a_pause_that_it_made_before_is_no_stall() -> None:
    progress = Progress()
    lines = [(at if at < 15 else at + 60) for at in range(30)]  # an evaluation of a minute
    reader = Reader()
    progress.add(reader.entries([(at * SECOND, False, f"step {at} loss 0.5\n".encode()) for at in lines]))
    assert stalled(progress, (89 + 80) * SECOND) is None
    assert stalled(progress, (89 + 95) * SECOND) is not None


def paced(*gaps: tuple[float, str]) -> tuple[Progress, int]:
    """After lines that came so many seconds after one another, and when the last one did."""
    progress, reader, at = Progress(), Reader(), 0
    for step, (gap, line) in enumerate(gaps):
        at += round(gap * SECOND)
        progress.add(reader.entries([(at, False, f"{line.format(step)}\n".encode())]))
    return progress, at


STEP = "step {} loss 0.5"


@pytest.mark.parametrize("before", [5, 30, 100, 1000])
def test_one_long_pause_hides_no_stall_after_it(before: int) -> None:
    progress, last = paced(*[(10, STEP)] * before, (3600, STEP), *[(10, STEP)] * 100)
    assert stalled(progress, last + 49 * SECOND) is None
    assert stalled(progress, last + 51 * SECOND) is not None


def test_a_pause_that_did_not_come_again_when_it_was_due_hides_no_stall() -> None:
    progress, last = paced(*[(1, STEP)] * 20, (60, STEP), *[(1, STEP)] * 100)
    assert stalled(progress, last + 11 * SECOND) is not None
    often, last = paced(*[*[(1, STEP)] * 20, (60, STEP)] * 3, *[(1, STEP)] * 200)
    assert stalled(often, last + 11 * SECOND) is not None


@pytest.mark.parametrize(("steps", "pause", "line"), [
    (30, 60, STEP), (30, 900, "epoch 1 val_loss 0.5"), (900, 60, STEP), (900, 900, "val_loss=0.5 val_acc=0.5"),
])  # fmt: skip
def test_pauses_that_come_after_each_epoch_are_no_stalls(steps: int, pause: int, line: str) -> None:
    progress, reader, at, step = Progress(), Reader(), 0, 0
    for epoch in range(5):
        for _ in range(steps):
            at, step = at + SECOND, step + 1
            progress.add(reader.entries([(at, False, f"step {step} loss 0.5\n".encode())]))
        if epoch:  # that the first one is none nobody can know
            assert stalled(progress, at + pause * SECOND) is None, epoch
        at += pause * SECOND
        progress.add(reader.entries([(at, False, f"{line.format(step)}\n".encode())]))
    assert stalled(progress, at + 2 * pause * SECOND) is not None


def test_pauses_of_a_checkpoint_are_known_by_its_event() -> None:
    step, saved = '{{"event":"step","epoch":1,"step":{}}}', '{{"event":"checkpoint","epoch":1,"path":"{}"}}'
    progress, last = paced(*[(1, step)] * 30, (200, saved), *[(1, step)] * 28)
    assert stalled(progress, last + 250 * SECOND) is None
    assert stalled(progress, last + 301 * SECOND) is not None


def test_a_run_that_ended_or_never_spoke_has_not_stalled() -> None:
    progress = Progress()
    assert stalled(progress, 10**6 * SECOND) is None
    progress.add(read(*[f"step {at} loss 0.5" for at in range(30)], '{"event":"end","status":"ok"}'))
    assert stalled(progress, 10**6 * SECOND) is None


def test_the_real_hang_is_seen_while_it_lasts_and_no_other_run_is_accused() -> None:
    marks = truth_of("end-hang")["marks"]
    begins, ends = (next(mark["t"] for mark in marks if word in str(mark)) for word in ("begin", "end"))
    for name in NAMES:
        reader, progress = Reader(), Progress()
        seen: list[float] = []
        blocks = [*blocks_of(name)]
        for place, (now, entries) in enumerate(blocks):
            progress.add(reader.entries(entries, now))
            until = blocks[place + 1][0] if place + 1 < len(blocks) else now
            seen += [moment / 1e9 for moment in range(now, until, SECOND // 2) if stalled(progress, moment)]
        assert bool(seen) is (name == "end-hang"), name
        if seen:
            assert begins < seen[0] < begins + 15
            assert seen[-1] < ends + 1


def test_a_value_that_is_not_finite_is_told_with_the_last_one_that_was() -> None:
    found = not_finite(series_of([0.5, 0.4, math.nan, math.nan]))
    assert found is not None
    assert (found.sign, found.metric, found.since) == (Sign.NOT_FINITE, "loss", 2 * SECOND)
    assert found.words == "loss is nan since step 2. The last finite value was 0.4 at step 1."
    assert not_finite(series_of([0.5, math.inf, 0.4])) is None
    never = not_finite(series_of([-math.inf]))
    assert never is not None
    assert never.words == "loss is -inf since step 0."


def test_the_real_run_whose_loss_became_nan() -> None:
    words = [one.words for one in judged("end-nan")]
    assert words == [
        "loss is nan since step 77. The last finite value was 0.2513 at step 66.",
        "val_loss is nan since step 88. The last finite value was 0.3086 at step 66.",
    ]


FALLS = [2.3 * 0.97**at + 0.3 for at in range(100)]


@pytest.mark.parametrize(
    "values",
    [
        [*FALLS, *[0.5 * 1.08**at for at in range(40)]],
        noisy([*FALLS, *[0.5 + at * 0.08 for at in range(40)]], 0.05),
        [2.3 * 1.5**at for at in range(20)],
    ],
)
def test_a_loss_that_rises_far_above_its_lowest_level_diverges(values: list[float]) -> None:
    found = diverging(series_of(values))
    assert found is not None
    assert found.words.startswith("loss rose to ")
    assert "Its lowest level was" in found.words


@pytest.mark.parametrize(
    "values",
    [
        FALLS,
        noisy(FALLS, 0.2),
        [*FALLS, 9.9],  # one batch
        [*FALLS, 9.9, 0.35, 9.9, 0.4, 9.9],  # and some
        [467_713.0 * at for at in range(1, 60)],  # a sum over all epochs
        [0.5] * 50,
        noisy([0.5] * 200, 0.1),
        [1.0, 5.0],
    ],
)
def test_noise_single_values_and_sums_do_not_diverge(values: list[float]) -> None:
    assert diverging(series_of(values)) is None


def test_only_losses_of_the_training_diverge() -> None:
    values = [*FALLS, *[0.5 * 1.08**at for at in range(40)]]
    assert diverging(series_of(values, "val_loss")) is None
    assert diverging(series_of(values, "accuracy")) is None
    assert diverging(series_of(values, "grad_norm")) is None


def test_a_metric_that_got_no_better_is_on_a_plateau() -> None:
    found = plateau(series_of([*FALLS[:20], *noisy([0.53] * 40, 0.003)], "val_loss"))
    assert found is not None
    assert (found.sign, found.metric) == (Sign.PLATEAU, "val_loss")
    assert found.words.startswith("val_loss got no better over its last 30 values: 0.5")
    assert "The best is 0.52" in found.words


@pytest.mark.parametrize(
    ("values", "name"),
    [
        (FALLS, "loss"),
        (noisy(FALLS[:60], 0.02), "loss"),
        ([0.5 + at / 200 for at in range(90)], "acc"),
        ([0.999] * 50, "acc"),
        ([0.0] * 50, "loss"),
        ([0.5] * 19, "loss"),
        ([0.5] * 50, "grad_norm"),
    ],
)
def test_what_improves_is_perfect_or_has_no_direction_is_on_no_plateau(values: list[float], name: str) -> None:
    assert plateau(series_of(values, name)) is None


def test_the_real_plateau_is_seen() -> None:
    found = judged("end-plateau")
    assert {one.metric for one in found} <= {"train_loss", "val_loss"}
    assert {one.sign for one in found} == {Sign.PLATEAU}


def test_real_trainings_that_went_well_are_not_accused() -> None:
    accused = {name: [one.words for one in judged(name)] for name in NAMES if truth_of(name)["end"]["how"] == "ok"}
    assert {name: words for name, words in accused.items() if words and name != "end-plateau"} == {}
