"""Repaints of progress bars."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.runs.bars import LONGEST, is_bar, read_bar
from console.runs.reading import Form, Phase, Reading
from tests.console.runs.lines import read, values


def bar(text: str) -> Reading:
    assert is_bar(text)
    found = read_bar(0, text)
    assert found is not None
    return found.reading


def test_a_bar_of_tqdm_tells_where_it_is_how_fast_and_what_its_postfix_says() -> None:
    found = bar("Epoch 1/3:   2%|▏         | 2/88 [00:00<00:05, 14.93it/s, loss=2.3124, lr=0.001]")
    assert (found.form, found.epoch, found.epochs, found.step, found.steps) == (Form.BAR, 1, 3, 2, 88)
    assert (values(found), found.lr, found.rate, found.unit, found.exact) == ({"loss": 2.3124}, 0.001, 14.93, "it/s", False)


@pytest.mark.parametrize(
    ("text", "step", "steps", "rate"),
    [
        ("  0%|          | 0/88 [00:00<?, ?it/s]", 0, 88, None),
        ("train:  14%|#4        | 50.0/350 [00:06<00:36, 8.15batch/s]", 50, 350, 8.15),
        ("100%|██████████| 4/4 [00:17<00:00,  4.25s/it]", 4, 4, 1 / 4.25),
        ("training:  30%|██\ufffd\ufffd█      | 132/440 [00:09<00:22, 13.71it/s, loss=1.9]", 132, 440, 13.71),
        ("  1%|▏| 1.20k/100k [1:02:03<2 days, 3:00:00, 3.2it/s]", 1200, 100_000, 3.2),
        ("123it [00:03, 40.1it/s, loss=0.3]", 123, None, 40.1),
        ("Epoch 2: 100%|██████████| 50/50 [00:02<00:00, 17.20it/s, v_num=0, train_loss=0.246]", 50, 50, 17.2),
    ],
)
def test_counts_and_rates_in_all_their_forms(text: str, step: int, steps: int | None, rate: float | None) -> None:
    found = bar(text)
    assert (found.step, found.steps) == (step, steps)
    assert found.rate == pytest.approx(rate) if rate is not None else found.rate is None


def test_a_bar_of_ignite_has_its_numbers_before_the_times() -> None:
    found = bar("Epoch [1/3]: [43/44]  98%|█████████▊, loss=2.12 [00:02<00:00]")
    assert (found.epoch, found.epochs, found.step, found.steps, values(found)) == (1, 3, 43, 44, {"loss": 2.12})


def test_numbers_in_the_description_are_measurements_too() -> None:
    found = bar("ep 0 loss 1.961:  14%|#4        | 50/350 [00:06<00:36, 8.15batch/s]")
    assert (found.epoch, found.step, values(found)) == (0, 50, {"loss": 1.961})


def test_a_bar_of_validation_says_so_in_the_names() -> None:
    found = bar("valid:  50%|█████     | 6/12 [00:00<00:00, 19.77it/s, loss=0.3, val_acc=0.9]")
    assert (found.phase, values(found)) == (Phase.VAL, {"val_loss": 0.3, "val_acc": 0.9})


def test_a_bar_that_counts_epochs_has_no_steps() -> None:
    found = bar("epochs:  50%|█████     | 2/4 [00:17<00:00,  4.25s/it]")
    assert (found.epoch, found.epochs, found.step, found.counted) == (2, 4, None, True)
    assert bar("fit:  50%|█████     | 2/4 [00:17<00:00,  4.25s/epoch]").counted


@pytest.mark.parametrize(
    "text",
    [
        "Downloading: 100%|██████████| 45.9M/45.9M [00:00<00:00, 164MB/s]",
        "Writing model shards: 100%|██████████| 1/1 [00:00<00:00, 409.76it/s]",
        "Map:  50%|█████     | 500/1000 [00:01<00:01, 450.00 examples/s]",
        "Sanity Checking DataLoader 0: 100%|██████████| 2/2 [00:00<00:00, 19.6it/s]",
        "Loading checkpoint shards:  50%|█████     | 1/2 [00:01<00:01,  1.00s/it]",
        "Predicting DataLoader 0: 100%|██████████| 2/2 [00:00<00:00, 19.6it/s]",
        "Sanity Checking DataLoader 0: 100%|██████████| 2/2 [00:00<00:00, 19.6it/s, val_loss=2.31]",
        "100%|██████████| 45.9M/45.9M [00:00<00:00, 164MB/s]",
        "disk is 95%| full",
        "epoch 1 50%|",
    ],
)
def test_bars_of_other_things_are_no_progress_of_a_training(text: str) -> None:
    assert read_bar(0, text) is None


def test_counts_and_words_in_a_postfix_are_no_measurements() -> None:
    found = bar("Epoch 0:  50%|█████     | 25/50 [00:01<00:01, 18.0it/s, v_num=3, shard=17, name=abc, loss=1, custom=0.5]")
    assert values(found) == {"loss": 1.0, "custom": 0.5}


def test_what_a_bar_shows_again_and_again_is_measured_once() -> None:
    paint = "\rEpoch 1:  50%|█████     | {}/50 [00:01<00:01, 18.0it/s, train_loss={}, val_loss=0.61]"
    found = read("".join(paint.format(step, loss) for step, loss in [(1, 0.5), (1, 0.5), (2, 0.5), (2, 0.4), (3, 0.4)]))
    assert [(one.step, values(one)) for one in found] == [
        (1, {"train_loss": 0.5, "val_loss": 0.61}),
        (2, {}),
        (2, {"train_loss": 0.4}),
        (3, {}),
    ]


def test_short_bars_without_a_name_beside_a_long_one_are_those_of_evaluations() -> None:
    found = read(
        "\r 33%|███▎      | 60/180 [00:04<00:07, 15.32it/s]",
        "\r  0%|          | 0/12 [00:00<?, ?it/s]\x1b[A",
        "\r 34%|███▎      | 61/180 [00:04<00:07, 15.32it/s]",
    )
    assert [(one.step, one.steps) for one in found] == [(60, 180), (61, 180)]


def test_what_is_left_of_a_bar_in_an_unknown_terminal_is_nothing() -> None:
    assert read("\r\r\r", "\r" + " " * 40 + "\r") == []


@given(st.text(alphabet="0123456789%|/[]<,:?it s=loEpch█.ks\ufffd", max_size=300))
def test_no_text_raises(text: str) -> None:
    read_bar(0, text)
    read_bar(0, f"50%|{text}")


def test_longer_text_is_no_bar() -> None:
    text = "a" * LONGEST + ": 50%|█████     | 6/12 [00:00<00:00, 19.77it/s]"
    assert read_bar(0, text) is None
