"""The recorded logs of 45 real trainings, replayed as they arrived: is every number true, was every shown one found?"""

from __future__ import annotations

import dataclasses
import random

import pytest

from console.runs.reader import Reader
from console.runs.reading import Metric, Reading
from tests.console.logs.recorded import entries_of
from tests.console.runs.recorded import HELD_OUT, NAMES, replayed, truth_of
from tests.console.runs.scoring import FORMATS, score, score_of, table

PROMISED = [name for name in FORMATS if name != "beyond"]


def test_every_log_belongs_to_a_format() -> None:
    assert sorted(log for logs in FORMATS.values() for log in logs) == list(NAMES)
    assert len(NAMES) == 45


@pytest.mark.parametrize("name", PROMISED)
def test_of_each_format_nearly_every_number_is_true_and_nearly_every_one_is_found(name: str) -> None:
    found = score_of(FORMATS[name])
    assert found.precision >= 0.98, found.false[:10]
    assert found.recall >= 0.95, found.missed[:10]
    assert found.reported > 20  # or both figures would say nothing


@pytest.mark.parametrize("name", NAMES)
def test_of_no_log_is_more_than_one_number_in_fifty_false(name: str) -> None:
    found = score(name)
    assert found.precision >= 0.98, found.false[:10]


def test_logs_that_were_held_out_are_read_as_well() -> None:
    found = score_of(HELD_OUT)
    assert found.precision >= 0.98, found.false[:10]
    assert found.recall >= 0.95, found.missed[:10]


def test_the_table_names_every_format() -> None:
    assert [line[:32].strip() for line in table().splitlines()[1:-2]] == list(FORMATS)


@pytest.mark.parametrize("name", ["torch-keyvalue", "tqdm-postfix", "keras-verbose1"])
def test_the_score_sees_numbers_that_are_wrong_or_missing(name: str) -> None:
    readings = replayed(name)[1]
    spoilt = [
        dataclasses.replace(one, metrics=tuple(Metric(metric.name, metric.value * 1.01 + 0.01) for metric in one.metrics))
        for one in readings
    ]
    assert score(name, spoilt).precision < 0.5
    moved = [dataclasses.replace(one, epoch=None if one.epoch is None else one.epoch + 7) for one in readings]
    assert score(name, moved).true < score(name, readings).true
    assert score(name, readings[: len(readings) // 2]).recall < 0.8


@pytest.mark.parametrize("name", NAMES)
def test_blocks_and_cuts_change_nothing(name: str) -> None:
    """Entries as they arrived, all at once, and cut at any byte say the same."""
    entries = entries_of(name)
    if not entries:
        return
    whole = Reader()
    last = entries[-1][0]
    expected = whole.entries(entries) + whole.end(last)
    rng = random.Random(name)  # noqa: S311 - the same cuts each time
    cut: list[tuple[int, bool, bytes]] = []
    for time, stderr, text in entries:
        at = 0
        while at < len(text):
            size = rng.choice([1, 7, 100, 4096, 16384])
            cut.append((time, stderr, text[at : at + size]))
            at += size
    reader = Reader()
    found = []
    for begin in range(0, len(cut), 5):
        found += reader.entries(cut[begin : begin + 5])
    # As text, because nan is not equal to itself.
    assert repr(found + reader.end(last)) == repr(expected)
    assert repr(_timeless(replayed(name)[1])) == repr(_timeless(expected))


def _timeless(readings: list[Reading]) -> list[Reading]:
    """Parts of a long line are read at the time when they arrived, as far as that is known."""
    return [dataclasses.replace(one, time=0) for one in readings]


def test_logs_without_a_measurement_give_none() -> None:
    for name in ("end-import", "tqdm-tty-blank"):
        assert [metric for one in replayed(name)[1] for metric in one.metrics] == []


def test_of_a_log_full_of_traps_only_the_three_lines_of_the_training_are_read() -> None:
    readings = replayed("traps-config")[1]
    measured = [one for one in readings if one.metrics]
    assert [one.epoch for one in measured] == [1.0, 2.0, 3.0]
    assert [metric.name for metric in measured[0].metrics] == ["train_loss", "val_loss", "val_acc"]
    assert {one.epochs for one in readings} == {3}


def test_totals_that_are_told_are_those_that_the_programs_knew() -> None:
    wrong = []
    for name in NAMES:
        totals = truth_of(name)["totals"]
        epochs = {one.epochs for one in replayed(name)[1] if one.epochs is not None}
        if "epochs" in totals and epochs - {totals["epochs"]}:
            wrong.append((name, epochs, totals))
    assert wrong == []
