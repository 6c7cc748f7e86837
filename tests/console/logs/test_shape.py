"""Lines of data: names and values as they were written, and nothing that can hurt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.logs.levels import Level
from console.logs.shape import MOST_FIELDS, shape_of, summary
from tests.console.logs.recorded import entries_of


def test_a_json_line_is_its_message_then_names_and_values() -> None:
    shape = shape_of(
        '{"ts":1795413618.20,"level":"warn","event":"step","epoch":3,"metrics":{"train_loss":0.2310},"lr":1e-3,"x":null}'
    )
    assert shape is not None
    assert (shape.time, shape.level, shape.message) == ("1795413618.20", Level.WARNING, "step")
    assert shape.fields == (("epoch", "3"), ("metrics.train_loss", "0.2310"), ("lr", "1e-3"), ("x", "null"))
    assert summary(shape) == "step  epoch 3  train_loss 0.2310  lr 1e-3  x null"


def test_names_that_would_be_the_same_keep_where_they_are_from() -> None:
    shape = shape_of('{"train":{"loss":0.1},"val":{"loss":0.2}}')
    assert shape is not None
    assert summary(shape) == "train.loss 0.1  val.loss 0.2"


def test_lists_and_what_is_deep_are_short() -> None:
    shape = shape_of('{"a":[1,"b",{"c":1},[2],[],{}],"long":[1,2,3,4,5,6,7,8,9,10],"ok":true,"nan":NaN}')
    assert shape is not None
    assert summary(shape) == "a [1 b {…} […] [] {}]  long [1 2 3 4 5 6 7 8 +2]  ok true  nan NaN"


def test_a_field_that_is_called_level_and_is_none_is_still_shown() -> None:
    shape = shape_of('{"level":3,"stage":"b"}')
    assert shape is not None
    assert (shape.level, summary(shape)) == (Level.NONE, "level 3  stage b")


def test_a_message_that_says_nothing_leaves_the_event_to_speak() -> None:
    shape = shape_of('{"msg":null,"event":"step"}')
    assert shape is not None
    assert shape.message == "step"


def test_two_fields_of_one_name_are_both_kept() -> None:
    shape = shape_of('{"a.b":1,"a":{"b":2}}')
    assert shape is not None
    assert [value for _, value in shape.fields] == ["1", "2"]


def test_logfmt() -> None:
    shape = shape_of('time=2026-11-23T05:44:39Z level=info msg="a \\"b\\" c" lr=0.002 empty= path=/a/b=c')
    assert shape is not None
    assert (shape.time, shape.level, shape.message) == ("2026-11-23T05:44:39Z", Level.INFO, 'a "b" c')
    assert shape.fields == (("lr", "0.002"), ("empty", ""), ("path", "/a/b=c"))


@pytest.mark.parametrize(
    "line",
    [
        "",
        "step 3 loss=0.1 lr=0.2",
        "loss=0.1",
        "[1, 2]",
        "{}",
        '{"a": 1} and more',
        '{"a": 1',
        '{"a":' * 5000,
        '{"a":' * 50_000 + "1" + "}" * 50_000,
        "{" + ",".join(f'"k{number}":1' for number in range(MOST_FIELDS + 1)) + "}",
        "a=" * 100_000,
        "a=1 " * 60_000,
        " ".join(f"k{number}=1" for number in range(MOST_FIELDS + 1)),
        '{"a":"' + "x" * 300_000 + '"}',
    ],
)
def test_what_is_no_line_of_data(line: str) -> None:
    assert shape_of(line) is None


def test_a_number_of_thousands_of_figures_is_text() -> None:
    shape = shape_of('{"a":' + "1" * 6000 + "}")
    assert shape is not None
    assert shape.fields[0][1].startswith("1111")


def test_escapes_hidden_in_json_do_not_come_out() -> None:
    shape = shape_of('{"msg":"\\u001b]52;c;aGk=\\u0007x","\\u001b[2Ja":"\\u202eb"}')
    assert shape is not None
    assert summary(shape) == "x  a <U+202E>b"


@given(st.text(max_size=200))
def test_any_text_is_some_shape_or_none(text: str) -> None:
    for line in (text, "{" + text, f"a={text} b=c", '{"a":"' + text + '"}'):
        shape = shape_of(line)
        assert shape is None or "\x1b" not in summary(shape)


def test_every_line_of_a_real_training_by_the_contract_is_data() -> None:
    lines = [text.decode().rstrip("\n") for _, _, text in entries_of("torch-jsonl")]
    shapes = [shape_of(line) for line in lines]
    assert all(shapes)
    assert {str(shape.message) for shape in shapes if shape} >= {"start", "step", "epoch", "checkpoint", "published"}
