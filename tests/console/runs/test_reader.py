"""The stream as a whole: cuts, repaints, streams, floods, garbage."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.logs.join import LINE_LIMIT, Joiner
from console.model.log import Entry
from console.runs.reader import MOST_A_SECOND, ONE_IN, Reader
from console.runs.reading import Form, Phase, Reading
from tests.console.logs.recorded import entries_of
from tests.console.runs.lines import SECOND, read, values
from tests.console.runs.recorded import NAMES

LINES = (
    b"epoch 1/3 step 5 loss 0.5\n",
    b"val_loss=1.7167 val_acc=0.7960\n",
    b"\rEpoch 1/3:  50%|\xe2\x96\x88\xe2\x96\x88  | 44/88 [00:00<00:05, 14.93it/s, loss=2.31]",
    b"\rEpoch 1/3:  51%|\xe2\x96\x88\xe2\x96\x88  | 45/88 [00:00<00:05, 14.93it/s, loss=2.30]\n",
    b"\x1b[1m45/45\x1b[0m \x1b[32m\xe2\x94\x81\xe2\x94\x81\xe2\x94\x81\x1b[0m 2s 40ms/step - loss: 0.5\x08\x08\x08\x08\x08",
    b'{"event":"step","step":3,"metrics":{"loss":0.1}}\n',
    b"[3]\ttrain-logloss:0.3\n",
    b"\x00\xff\xfe garbage\r\r\n",
    b"nothing at all\n",
)


def everything(parts: list[Entry], per_block: int) -> list[Reading]:
    reader = Reader()
    found: list[Reading] = []
    for begin in range(0, len(parts), per_block):
        found += reader.entries(parts[begin : begin + per_block])
    return found + reader.end(9)


@given(st.lists(st.sampled_from(LINES), max_size=12), st.lists(st.integers(1, 60), min_size=1), st.integers(1, 9))
def test_any_cut_of_the_stream_says_the_same(lines: list[bytes], sizes: list[int], per_block: int) -> None:
    text = b"".join(lines)
    parts: list[Entry] = []
    at = turn = 0
    while at < len(text):
        size = sizes[turn % len(sizes)]
        parts.append((7, False, text[at : at + size]))
        at, turn = at + size, turn + 1
    assert everything(parts, per_block) == everything([(7, False, text)], 1)


@given(st.lists(st.tuples(st.integers(0, 2**62), st.booleans(), st.binary(max_size=400)), max_size=20))
def test_garbage_never_raises(entries: list[Entry]) -> None:
    reader = Reader()
    reader.entries(entries, now=5)
    reader.end(6)
    reader.read([(time, 1 if stderr else 0, text) for time, stderr, text in entries])


@given(st.data())
def test_a_spoilt_log_never_raises(data: st.DataObject) -> None:
    """Real lines with bytes changed, lost and doubled."""
    entries = entries_of(data.draw(st.sampled_from([name for name in NAMES if name not in ("tqdm-long", "long-lines")])))
    reader = Reader()
    for time, stderr, text in entries[:40]:
        at = data.draw(st.integers(0, len(text)))
        reader.entries([(time, stderr, text[:at] + data.draw(st.binary(max_size=3)) + text[at + 1 :])])
    reader.end(1)


def test_streams_are_read_apart() -> None:
    """A line of stdout comes between the parts of a bar on stderr."""
    bar = b"\rtrain:  50%|#####     | 5/10 [00:01<00:01, 5.0it/s, loss=0.25]\r"
    found = Reader().entries([(1, True, bar[:30]), (2, False, b"epoch 1/3 loss 0.5\n"), (1, True, bar[30:])])
    assert [(one.form, one.stderr, values(one)) for one in found] == [
        (Form.SENTENCE, False, {"loss": 0.5}),
        (Form.BAR, True, {"loss": 0.25}),
    ]


def test_the_parts_of_a_long_line_have_the_time_when_they_arrived() -> None:
    reader = Reader()
    paint = b"\rtrain:  50%%|#####     | %d/100 [00:01<00:01, 5.0it/s]"
    first = reader.entries([(1 * SECOND, True, paint % 1 + paint % 2)], now=2 * SECOND)
    second = reader.entries([(1 * SECOND, True, paint % 3 + paint % 4)], now=9 * SECOND)
    assert [(one.step, one.time // SECOND) for one in first + second] == [(1, 1), (2, 9), (3, 9)]
    assert [one.step for one in reader.end(10 * SECOND)] == [4]


def test_lines_of_a_tail_say_the_same_as_entries() -> None:
    for name in NAMES:
        entries = entries_of(name)
        joiner = Joiner(same_time=True)
        lines = joiner.feed(entries) + joiner.end()
        apart = {
            stderr: [repr(one.metrics) for one in Reader().entries(entries) if one.stderr is stderr] for stderr in (True, False)
        }
        reader = Reader()
        found = reader.read(lines)
        for stderr in (True, False):
            assert [repr(one.metrics) for one in found if one.stderr is stderr][: len(apart[stderr])] == apart[stderr], name


def test_keras_names_the_epoch_a_line_before_and_says_the_same_twice() -> None:
    found = read(
        "Epoch 3/4",
        "\r\x1b[1m 1/45\x1b[0m \x1b[37m━━━━━━━━━━\x1b[0m \x1b[1m1s\x1b[0m 43ms/step - accuracy: 0.9688 - loss: 0.3996"
        + "\b" * 40
        + "\r\x1b[1m45/45\x1b[0m \x1b[32m━━━━━━━━━━\x1b[0m \x1b[1m0s\x1b[0m 38ms/step - accuracy: 0.9165 - loss: 0.4191",
        "Epoch 3: finished saving model to /tmp/best.keras",
        "\b\b\b\r45/45 ━━━━━━━━━━ 2s 40ms/step - accuracy: 0.9165 - loss: 0.4191 - val_loss: 0.4897 - learning_rate: 0.0020",
        "12/12 ━━━━━━━━━━ 0s 5ms/step - accuracy: 0.8611 - loss: 0.4897",
    )
    assert [(one.epoch, one.epochs, one.step, values(one)) for one in found if one.metrics] == [
        (3, 4, 1, {"accuracy": 0.9688, "loss": 0.3996}),
        (3, 4, 45, {"accuracy": 0.9165, "loss": 0.4191}),
        (3, 4, 45, {"val_loss": 0.4897}),
        (None, None, 12, {"test_accuracy": 0.8611, "test_loss": 0.4897}),
    ]
    assert found[-1].phase is Phase.TEST


@pytest.mark.parametrize(
    "line",
    [
        "23/23 - 1s - 40ms/step - accuracy: 0.9 - loss: 0.30",
        "23/23 - 1s - loss: 0.30 - accuracy: 0.9 - 1s/epoch - 40ms/step",
        "23/23 [==============================] - 1s 40ms/step - loss: 0.30 - accuracy: 0.9",
        "23/23 [==============================] - ETA: 0s - loss: 0.30 - accuracy: 0.9",
    ],
)
def test_keras_in_two_lines_an_epoch(line: str) -> None:
    found = read("Epoch 1/12", line)[-1]
    assert (found.form, found.epoch, found.epochs, found.step, found.steps) == (Form.KERAS, 1, 12, 23, 23)
    assert values(found) == {"loss": 0.3, "accuracy": 0.9}


def test_a_bar_of_rich_that_was_wrapped() -> None:
    found = read(
        "Epoch 2/9  ━━━━━━━━━━━━━━━━━━ 10/10 0:00:00 • 0:00:00 0.00it/s train_loss: 2.320  ",
        "                                                             val_loss: 2.288    ",
        "                                                             val_acc: 0.172     ",
        "done",
        "    val_acc: 0.9",
    )
    assert [(one.epoch, one.step, values(one)) for one in found] == [
        (2, 10, {"train_loss": 2.32}),
        (2, 10, {"val_loss": 2.288}),
        (2, 10, {"val_acc": 0.172}),
    ]


def flood(count: int, second: int, event: int | None = None) -> list[Entry]:
    lines = [f"step {at} loss 0.5\n".encode() for at in range(count)]
    if event is not None:
        lines[event] = b'{"event":"step","step":7,"metrics":{"loss":0.25}}\n'
    return [(second * SECOND + at, False, line) for at, line in enumerate(lines)]


def test_above_so_many_lines_a_second_metrics_are_sampled_and_that_is_said() -> None:
    reader = Reader()
    assert len(reader.entries(flood(MOST_A_SECOND, 1))) == MOST_A_SECOND
    assert reader.words is None
    count = MOST_A_SECOND + 50 * ONE_IN
    # Events are few and trusted: none of them is left out.
    found = reader.entries(flood(count, 2, event=count - 3))
    assert len(found) == MOST_A_SECOND + 50 + 1
    assert reader.skipped == 50 * (ONE_IN - 1) - 1
    assert reader.words == (
        f"Metrics are sampled: {reader.skipped:,} of {reader.lines:,} lines came above 2,000 a second and were not looked at."
    )
    assert len(reader.entries(flood(3, 3))) == 3


def test_a_line_of_100_mb_costs_no_memory_and_the_next_one_is_read() -> None:
    reader = Reader()
    tracemalloc.start()
    for at in range(100):
        part = b"loss=0.5 epoch=%d " % at * 60_000
        assert reader.entries([(1, False, part)]) == []
    assert tracemalloc.get_traced_memory()[1] < 16 * LINE_LIMIT
    tracemalloc.stop()
    assert reader.entries([(1, False, b"\n")]) == []
    assert values(reader.entries([(2, False, b"epoch 1 loss 0.5\n")])[0]) == {"loss": 0.5}


@pytest.mark.parametrize(
    "unit",
    [
        b"loss=0.1 ", b"epoch 1 step 1 ", b"[", b"(", b'"\\', b"1/", b"a.", b"{", b'{"a":', b"'", b"50%|", b"50%| 1/2 [",
        b"\x08", b"\r50%|", b"--  ", b"\xe2\x94\x81", b"\x1b[", b"0.1", b"step: ", b"\t", b" ",
    ],
)  # fmt: skip
def test_a_line_of_a_megabyte_is_read(unit: bytes) -> None:
    """A pattern that went back and forth over it would not come to an end."""
    for lead in (b"", b"{", b"epoch 1 ", b"50%|"):
        text = lead + unit * (1_000_000 // len(unit))
        reader = Reader()
        reader.entries([(1, False, text[:250_000]), (1, False, text[250_000:] + b"\n")])
        reader.entries([(2, False, text[:8_000] + b"\n"), (2, False, text[:2_000] + b"\n")])
        reader.end(2)
        assert reader.skipped == 0 or reader.words
