"""Whatever a log holds, reading it raises nothing: one training's log must not end what is known of the others."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from console.logs.lines import STDERR
from console.runs.figures import figures
from console.runs.progress import Progress
from console.runs.reader import Reader
from console.runs.series import Point
from console.text import Clean

SECOND = 1_000_000_000
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
START = int(NOW.timestamp()) * SECOND
HUGE = "9" * 400


def followed(*lines: bytes, stderr: bool = False) -> Progress:
    """Lines of a tail, one a second, and all that is made of them."""
    taken: list[tuple[Clean, Point]] = []
    reader, progress = Reader(), Progress(points=8, taken=lambda name, point: taken.append((name, point)))
    flags = STDERR if stderr else 0
    for at, line in enumerate(lines):
        progress.add(reader.read([(START + at * SECOND, flags, line)]))
        known = figures(progress, NOW)
        for curve in known.curves:
            assert list(curve.spots) is not None
    progress.add(reader.end(START + len(lines) * SECOND))
    for ended in (False, True):
        figures(progress, NOW, ended=ended, whole=ended)
    for _, point in taken:
        # What the history can hold: integers of 64 bits, and moments that are some.
        assert point.step is None or 0 <= point.step < 2**63
        assert 0 <= point.time < 2**63
        datetime.fromtimestamp(point.time / SECOND, UTC)
    return progress


_NUMBER = (
    st.integers(-(10**420), 10**420)
    | st.sampled_from([10**15, 10**16, 10**18, 2**63, 10**299, 10**300, 10**309, -(10**309), 10**4000])
    | st.integers(-2, 100)
    | st.floats()
    | st.sampled_from(["nan", "inf", "-inf", "1e999", "0.5", HUGE, "1" * 30])
)
_KEY = st.sampled_from(
    ["event", "epoch", "epochs", "step", "steps", "total_steps", "max_steps", "ts", "lr", "loss", "val_loss", "metrics",
     "train", "seconds", "it/s", "samples_per_second", "msg", "x", ""]
)  # fmt: skip
_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | _NUMBER | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEY, inner, max_size=8),
    max_leaves=12,
)
_OBJECT = st.dictionaries(_KEY, _JSON, max_size=10)
_EVENT = st.builds(
    lambda event, beside, metrics: {**beside, "event": event, "metrics": metrics},
    st.sampled_from(["start", "step", "epoch", "checkpoint", "error", "end", "stopped"]),
    _OBJECT,
    st.dictionaries(_KEY, _JSON, max_size=4) | _JSON,
)
_SAID = """
    epoch Epoch: step iter: loss acc= val_loss: lr= = : / , | [ ] ( ) % 3/10 [3/10] 0/0 100% 50%|###| 7/9 [00:01<00:01,
    5.0it/s, 0.0000001it/s, 5.0it/s] 999999999999s/it] 0.5 nan inf -inf 1e999 -1 999999999999 999999999999/999999999999
    999999999999999G/999999999999999G 99999999999999999999 --- ------ train test {'loss': {'epoch': } nan/nan rank [rank
    エポック 損失 ━━ 1s 12ms/step tensor(0.5) 12,345 0.5% learn:
"""
_WORDS = st.lists(st.sampled_from([*_SAID.split(), "[1,  2000]", "[999999999,  999999999999]"]), max_size=14)
_LINE = (
    _OBJECT.map(lambda value: json.dumps(value).encode())
    | _EVENT.map(lambda value: json.dumps(value).encode())
    | _OBJECT.map(lambda value: repr(value).encode())
    | _WORDS.map(lambda said: " ".join(said).encode())
    | st.tuples(_WORDS, _WORDS).map(lambda two: b"\r".join(" ".join(said).encode() for said in two))
    | st.binary(max_size=60)
    | st.tuples(st.sampled_from([b"epoch ", b'{"event":"step",', b"{'loss': ", b" 50%|", b"["]), st.binary(max_size=40)).map(
        b"".join
    )
)


@pytest.mark.parametrize("key", ["step", "epoch", "epochs", "steps", "ts", "lr", "seconds"])
@pytest.mark.parametrize("kind", ["step", "epoch", "start", None])
@pytest.mark.parametrize("sign", ["", "-"])
def test_an_integer_larger_than_any_float_is_no_number(key: str, kind: str | None, sign: str) -> None:
    said = {"epoch": 1, "step": 5, "metrics": {"loss": 0.5}, key: "@"} | ({"event": kind} if kind else {})
    line = json.dumps(said).replace('"@"', sign + HUGE).encode()
    progress = followed(line, b'{"event":"step","epoch":3,"step":6,"metrics":{"loss":0.25}}')
    assert progress.place.step == 6
    loss = progress.metric("loss")
    assert loss is not None
    assert loss.last is not None
    assert loss.last.value == 0.25


@pytest.mark.parametrize(
    "line",
    [
        '{"event":"step","epoch":3,"step":1,"metrics":{"loss":@}}',
        '{"event":"step","epoch":3,"step":1,"metrics":{"a":{"b":@}}}',
        '{"epoch":3,"step":1,"loss":-@}',
        '{"epoch":3,"step":1,"losses":{"x":@}}',
    ],
)
def test_a_measurement_that_is_larger_than_any_float_is_none(line: str) -> None:
    assert followed(line.replace("@", HUGE).encode()).series == ()


def test_a_table_without_a_number_where_its_rows_are_counted_has_ended() -> None:
    for cell in ("nan", "inf", "1e999"):
        head = ["  epoch    train_loss", "-------  ------------", "      1        0.5000", f"{cell:>7}        0.2500"]
        progress = followed(*(line.encode() for line in head))
        loss = progress.metric("train_loss")
        assert loss is not None
        assert loss.count == 1


def test_an_end_after_all_calendars_is_no_moment() -> None:
    progress = followed(*(b"step %d/999999999999 loss 0.5" % at for at in range(4)))
    assert progress.place.total == 999_999_999_999
    assert figures(progress, NOW).finish is None
    progress = followed(*(b"Epoch %d/999999999999 loss 0.5" % at for at in range(4)))
    assert figures(progress, NOW).finish is None


@pytest.mark.parametrize("ts", ["9223372037", "99999999999", "1e11", "1e300", "-5", "1e-5"])
def test_a_moment_that_the_history_cannot_hold_is_not_the_time_of_an_event(ts: str) -> None:
    progress = followed(b'{"event":"step","ts":%s,"step":1,"metrics":{"loss":0.5}}' % ts.encode())
    assert progress.last == START


def test_steps_of_epochs_beyond_measure_are_not_counted() -> None:
    lines = [f"epoch {epoch}/999999999999 step {step}/999999999999 loss 0.5".encode()
             for epoch, step in ((1, 5), (2, 1), (999999999999, 0))]  # fmt: skip
    place = followed(*lines).place
    assert place.within
    assert (place.done, place.total) == (None, None)


@given(st.lists(_LINE, max_size=6), st.booleans())
@example([b'{"event":"step","epoch":3,"step":1,"metrics":{"loss":%s}}' % HUGE.encode()], False)
def test_any_lines_are_read_without_an_error(lines: list[bytes], stderr: bool) -> None:
    followed(*(line.replace(b"\n", b" ") for line in lines), stderr=stderr)
