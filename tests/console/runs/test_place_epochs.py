"""The epoch of steps whose lines name none: told where the counts bear it out, and left out elsewhere."""

from __future__ import annotations

import pytest

from console.model.metric import Figures
from console.runs.figures import figures
from console.runs.progress import Progress
from console.runs.series import Point
from console.text import Clean
from tests.console.fakes import NOW
from tests.console.runs.recorded import NAMES, replayed, truth_of
from tests.console.runs.test_progress import progress_of


def epochs_of(*lines: str, name: str = "loss") -> list[float | None]:
    series = progress_of(*lines).metric(name)
    assert series is not None
    return [point.epoch for point in series.points]


def shown(*lines: str) -> Figures:
    return figures(progress_of(*lines), NOW)


def over(each: int, epochs: int, *, every: int, form: str, closes: str = "", opens: str = "", begin: int = 1) -> list[str]:
    """The lines of a training that counts its steps over the whole run."""
    lines = []
    for epoch in range(begin, begin + epochs):
        lines += [opens.format(epoch, epochs)] if opens else []
        first = (epoch - begin) * each + 1
        lines += [form.format(step, each * epochs) for step in range(first, first + each) if step % every == 0]
        lines += [closes.format(epoch, epochs)] if closes else []
    return lines


def test_steps_after_the_line_of_an_epoch_that_is_over_belong_to_the_next() -> None:
    lines = over(211, 3, every=20, form="step {}/{}  loss 0.5", closes="epoch {}/{}  val_loss 0.6")
    found = epochs_of(*lines)
    assert found[:10] == [None] * 10  # that epochs are counted from 1 is not known before the first line
    assert found[10:] == [2.0] * 11 + [3.0] * 10
    assert epochs_of(*lines, name="val_loss") == [1.0, 2.0, 3.0]
    told = shown(*lines[:-1])
    assert (told.epoch, told.epochs) == (3.0, 3)
    assert shown(*lines[:11]).epoch == 1.0


def test_the_step_at_an_epochs_end_belongs_to_it() -> None:
    lines = over(10, 3, every=5, form="step {}/{} loss 0.5", closes="epoch {}/{} val_loss 0.6")
    assert epochs_of(*lines) == [None, None, 2, 2, 3, 3]


def test_epochs_that_count_from_0_are_told_so() -> None:
    # Its name as the total of the last one would make them four.
    lines = over(10, 3, every=5, form="step {}/{} loss 0.5", closes="epoch {}/{} val_loss 0.6", begin=0)
    assert epochs_of(*lines) == [None, None, 1, 1, 2, 2]


@pytest.mark.parametrize("form", ["step {}/{} loss 0.5", "step {} loss 0.5"])
def test_a_line_that_opens_an_epoch_names_the_epoch_of_its_steps(form: str) -> None:
    lines = over(10, 3, every=5, form=form, opens="Epoch {}/{}")
    assert epochs_of(*lines) == [1, 1, 2, 2, 3, 3]
    lines = over(10, 3, every=5, form=form, opens="Epoch {}/{}", closes="epoch {}/{} val_loss 0.6")
    assert epochs_of(*lines) == [1, 1, 2, 2, 3, 3]


def test_steps_that_begin_again_in_each_epoch_are_those_of_the_next() -> None:
    each = [f"step {step}/10 loss 0.5" for step in (5, 10)]
    closed = progress_of(*each, "epoch 1/3 val_loss 0.6", *each, "epoch 2/3 val_loss 0.6", *each)
    series = closed.metric("loss")
    assert series is not None
    assert [point.epoch for point in series.points] == [None, None, 2, 2, 3, 3]
    assert [point.step for point in series.points] == [5, 10, 15, 20, 25, 30]
    assert (closed.place.done, closed.place.total) == (30, 30)
    opened = progress_of("Epoch 1/3", *each, "Epoch 2/3", *each, "Epoch 3/3", *each[:1])
    assert (opened.place.done, opened.place.epoch_now) == (25, 3)
    assert epochs_of("Epoch 1/3", *each, "Epoch 2/3", *each) == [1, 1, 2, 2]


def test_without_totals_two_epochs_of_one_length_bear_it_out() -> None:
    lines = over(30, 4, every=10, form="step {} loss 0.5", closes="epoch {} val_loss 0.6")
    assert epochs_of(*lines) == [None] * 6 + [3] * 3 + [4] * 3
    # A line only now and then: what follows the second may be any of the next.
    uneven = ["step 10 loss 0.5", "epoch 1 val_loss 0.6", *[f"step {at} loss 0.5" for at in range(20, 90, 10)]]
    assert epochs_of(*uneven, "epoch 2 val_loss 0.6", "step 90 loss 0.5") == [None] * 9


@pytest.mark.parametrize(
    "lines",
    [
        ["step 5 loss 0.5", "step 6 loss 0.4"],  # only steps
        ["step 5/10 loss 0.5", "step 6/10 loss 0.4"],
        # Lines in the midst of an epoch.
        [line for at in (5, 10, 15) for line in (f"step {at}/90 loss 0.5", "epoch 1/3 val_loss 0.6")],
        # Held back until another epoch went on.
        [*[f"step {at}/40 loss 0.5" for at in range(5, 30, 5)], *[f"epoch {at}/4 val_loss 0.6" for at in (1, 2)],
         "step 30/40 loss 0.5"],
        [*[f"step {at}/10 loss 0.5" for at in (5, 10, 5, 10, 5)], *[f"epoch {at}/4 val_loss 0.6" for at in (1, 2)],
         "step 10/10 loss 0.5", "step 5/10 loss 0.5"],
        # The log was cut: do its lines open or close?
        ["step 25/40 loss 0.5", "step 30/40 loss 0.5", "Epoch 3/4", "step 35/40 loss 0.5"],
        ["Epoch 3/4", "step 35/40 loss 0.5"],
        # More steps than its epochs have.
        ["step 5/10 loss 0.5", "step 10/10 loss 0.5", "epoch 1/1 val_loss 0.6", "step 15/10 loss 0.5"],
    ],
)  # fmt: skip
def test_where_it_is_not_sure_no_epoch_is_told(lines: list[str]) -> None:
    assert set(epochs_of(*lines)) == {None}


def test_a_step_without_an_epoch_after_those_that_name_theirs_is_in_no_certain_one() -> None:
    lines = ["step=4 epoch=0 loss=0.5", "step=8 loss=0.5", "step=12 epoch=1 loss=0.5"]
    assert epochs_of(*lines) == [0, None, 1]


@pytest.mark.parametrize("name", NAMES)
def test_no_recorded_training_has_a_point_in_a_wrong_epoch(name: str) -> None:
    truth = truth_of(name)["events"]
    found: list[Point] = []

    def keep(_: Clean, point: Point) -> None:
        found.append(point)

    each = truth_of(name)["totals"].get("steps_per_epoch")
    progress = Progress(taken=keep)
    wrong = []
    for reading in replayed(name)[1]:
        found.clear()
        progress.add([reading])
        for point in found if reading.epoch is None and reading.step is not None and not reading.phase else ():
            known = {event["epoch"] for event in truth if event["step"] == point.step and event["phase"] == "train"}
            if point.epoch is not None and reading.exact and known and point.epoch not in known:
                wrong.append((point, known, each))
    assert wrong == []


def test_two_recorded_trainings_name_the_epoch_of_what_comes_after_its_end() -> None:
    told = {name: Progress() for name in ("loguru-colour", "dl-workers")}
    for name, progress in told.items():
        progress.add(replayed(name)[1])
    series = {name: progress.metric("loss") for name, progress in told.items()}
    assert [(point.step, point.epoch) for one in (series["loguru-colour"],) if one for point in one.points][6:] == [
        (63, 3), (72, 3), (81, 3), (90, 4), (99, 4), (108, 4)
    ]  # fmt: skip
    assert [(point.step, point.epoch) for one in (series["dl-workers"],) if one for point in one.points][10:13] == [
        (44, 2), (48, 2), (52, 2)
    ]  # fmt: skip


def test_another_fit_has_no_epoch_of_the_one_before() -> None:
    lines = over(10, 2, every=5, form="step {}/{} loss 0.5", closes="epoch {}/{} val_loss 0.6")
    assert epochs_of(*lines, *lines) == [None, None, 2, 2, None, None, None, None]
    opened = over(10, 2, every=5, form="step {} loss 0.5", opens="Epoch {}/{}")
    assert epochs_of(*opened, *opened)[:4] == [1, 1, 2, 2]
