"""The steps of points, counted over the whole run however the log counts them."""

from __future__ import annotations

import pytest

from tests.console.runs.lines import read
from tests.console.runs.test_progress import progress_of


def steps_of(name: str, *lines: str) -> list[int | None]:
    series = progress_of(*lines).metric(name)
    assert series is not None
    return [point.step for point in series.points]


@pytest.mark.parametrize("form", ["epoch={} step={} loss=0.5", "[{},  {}] loss: 2.1", "Epoch {} | batch {} | loss 0.5"])
def test_steps_that_begin_again_in_each_epoch_go_on_without_a_total(form: str) -> None:
    lines = [form.format(epoch, step) for epoch in (1, 2, 3) for step in (100, 200, 300)]
    assert steps_of("loss", *lines) == [100, 200, 300, 400, 500, 600, 700, 800, 900]


def test_epochs_that_count_from_0_begin_at_the_first_step() -> None:
    lines = [f"epoch={epoch} step={step} loss=0.5" for epoch in (0, 1, 2) for step in (0, 10, 20)]
    assert steps_of("loss", *lines) == [0, 10, 20, 20, 30, 40, 40, 50, 60]


def test_an_evaluation_after_an_epoch_stands_at_its_last_step() -> None:
    lines = [line for epoch in (1, 2) for line in (f"[{epoch},  2000] loss: 2.1", f"[{epoch},  4000] loss: 2.0",
                                                   f"epoch {epoch} val_loss 0.5")]  # fmt: skip
    assert steps_of("val_loss", *lines) == [4000, 8000]


def test_steps_that_go_on_by_themselves_stay_as_they_are() -> None:
    lines = [f"epoch={epoch} step={100 * epoch + step} loss=0.5" for epoch in (0, 1, 2) for step in (10, 60)]
    assert steps_of("loss", *lines) == [10, 60, 110, 160, 210, 260]


def test_a_log_that_begins_within_a_run_has_no_steps_of_epochs_that_were_not_seen() -> None:
    lines = [f"Epoch [{epoch}/10], Step [{step}/100], Loss: 0.5" for epoch, step in ((7, 50), (7, 100), (8, 50))]
    assert steps_of("loss", *lines)[-1] == 750
    assert steps_of("loss", lines[0]) == [None]


def test_the_first_points_have_their_steps_before_it_is_known_what_they_count() -> None:
    lines = [f"Epoch [{epoch}/2], Step [{step}/100], Loss: 0.5" for epoch in (1, 2) for step in (50, 100)]
    assert steps_of("loss", *lines) == [50, 100, 150, 200]
    lines = ["step 50/100 loss 0.5", "step 100/100 loss 0.5", "epoch 1/3 val_loss 0.5", "step 50/100 loss 0.5"]
    assert steps_of("val_loss", *lines) == [100]


def test_what_is_not_known_of_the_whole_run_is_told_of_the_epoch() -> None:
    place = progress_of("Epoch [1/2], Step [20/100], Loss: 0.5").place
    assert (place.done, place.step, place.steps) == (None, 20, 100)
    assert read("[1,  2000] loss: 2.1")[0].step == 2000
