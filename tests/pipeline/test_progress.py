"""What a person reads while a training runs."""

from __future__ import annotations

import json

import pytest

from infra.jenkins.steps.check import duration_words
from infra.jenkins.steps.host import human
from infra.jenkins.steps.progress import Builder, Progress

EPOCH = {"event": "epoch", "ts": 1, "epochs": 40, "step": 1, "lr": 0.1}


def epoch(number: int, **metrics: float | str) -> bytes:
    return json.dumps({**EPOCH, "epoch": number, "seconds": 3.0, "metrics": metrics}).encode() + b"\n"


def test_an_epoch_is_one_line_with_the_time_that_is_left() -> None:
    progress = Progress()
    assert progress.lines(epoch(3, val_loss=0.25012, note="nan")) == ["epoch  3/40  111s left  val_loss 0.2501  note nan"]
    assert progress.lines(epoch(40, val_loss=0.25)) == ["epoch 40/40  val_loss 0.25"]


def test_metrics_that_do_not_fit_are_left_to_the_log() -> None:
    many = {f"metric_number_{number}": 0.123456 for number in range(9)}
    (line,) = Progress().lines(epoch(1, **many))
    assert len(line) < 80
    assert "metric_number_0" in line
    assert "metric_number_8" not in line


def test_lines_arrive_in_any_pieces() -> None:
    progress, whole = Progress(), epoch(1, loss=1.0) + b"plain text\n"
    told = [line for index in range(len(whole)) for line in progress.lines(whole[index : index + 1])]
    assert told == ["epoch  1/40  117s left  loss 1", "plain text"]


@pytest.mark.parametrize(
    ("event", "line"),
    [
        ({"event": "start", "device": "cpu", "epochs": 2, "steps": 8}, "training on cpu: 2 epochs, 8 steps"),
        (
            {"event": "start", "device": "cuda", "epochs": 2, "steps": 8, "resumed_epoch": 1},
            "training on cuda: 2 epochs, 8 steps, going on after epoch 1",
        ),
        ({"event": "end", "seconds": 170.2}, "trained in 3m"),
        ({"event": "stopped", "epoch": 3, "reason": "sigterm"}, "stopped in epoch 3 (sigterm)"),
        ({"event": "error", "error": "KeyError", "message": "cut"}, "error: KeyError: cut"),
        ({"event": "error", "error": "TrainingError", "message": "no data"}, "error: no data"),
    ],
)
def test_events_are_sentences(event: dict[str, object], line: str) -> None:
    assert Progress().lines(json.dumps(event).encode() + b"\n") == [line]


@pytest.mark.parametrize("text", ['{"event": "epoch"}', '{"event": 3}', '{"event":', '{"event":"epoch","epoch":"x"}', "[1]"])
def test_what_is_no_event_of_ours_is_shown_as_it_is(text: str) -> None:
    assert Progress().lines(text.encode() + b"\n") in ([text], [])
    assert Progress().lines(text.encode() + b"\n") == ([] if text == '{"event": 3}' else [text])


def test_a_builder_is_shown_by_its_steps(capsys: pytest.CaptureFixture[str]) -> None:
    builder = Builder()
    for line in ("Step 1/9 : FROM x", " ---> 7dc3", "Step 8/9 : LABEL a=b", "#5 [2/4] RUN pip", "Step 2/9 : RUN " + "x" * 99):
        builder.take(f"[build] {line}")
    told = capsys.readouterr().err.splitlines()
    assert told[:2] == ["[build] Step 1/9 : FROM x", "[build] #5 [2/4] RUN pip"]
    assert len(told) == 3
    assert len(told[2]) < 80


def test_times_and_sizes() -> None:
    assert [duration_words(seconds) for seconds in (0.4, 90, 119, 150, 7000, 7200, 9000)] == [
        *("0s", "90s", "119s", "2m", "117m", "2h", "2h 30m")
    ]
    assert [human(count) for count in (12, 2048, 24 << 20, 3 << 30)] == ["12 B", "2 KiB", "24 MiB", "3.0 GiB"]
