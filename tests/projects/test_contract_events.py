"""Events of a training: each a whole line of JSON at once, whatever it is made of."""

from __future__ import annotations

import io
import json
import math
import signal
import threading
import time
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from jsonschema import ValidationError

from projects._template.src.contract.events import Events, plain
from tests.projects.kit import COMMIT, REVISION, SCHEMA, events, training

NAN, INF = math.nan, math.inf


class Scalar:
    """What numpy's and torch's numbers have in common."""

    def __init__(self, value: object) -> None:
        self._value = value

    def item(self) -> object:
        return self._value


def line(**fields: object) -> dict[str, Any]:
    """The one line that is written for these fields."""
    stdout = io.StringIO()
    Events(None, stdout).write("x", **fields)
    text = stdout.getvalue()
    assert text.endswith("\n")
    assert text.count("\n") == 1

    def refuse(word: str) -> float:
        raise AssertionError(f"{word} is no JSON")

    found: dict[str, Any] = json.loads(text, parse_constant=refuse)
    return found


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (NAN, "nan"),
        (INF, "inf"),
        (-INF, "-inf"),
        ([1, [NAN, (INF,)], {"a": [-INF]}], [1, ["nan", ["inf"]], {"a": ["-inf"]}]),
        ({"loss": NAN, "deep": {"er": INF}}, {"loss": "nan", "deep": {"er": "inf"}}),
        (Scalar(0.25), 0.25),
        (Scalar(3), 3),
        (Scalar(True), True),
        (Scalar(NAN), "nan"),
        ([Scalar(-INF)], ["-inf"]),
        (True, True),
        (None, None),
        (2**70, 2**70),
        (1e-320, 1e-320),
        ({1: 2, None: 3}, {"1": 2, "None": 3}),
        (PurePosixPath("a/b"), "a/b"),
        ('two\nlines "and" a \\ and 金', 'two\nlines "and" a \\ and 金'),
    ],
)
def test_a_value_becomes_json(value: object, written: object) -> None:
    found = line(value=value)["value"]
    assert found == written
    assert type(found) is type(written)


def test_a_number_of_another_library_becomes_one_of_pythons_own() -> None:
    class Number(float):
        pass

    class Whole(int):
        pass

    assert type(plain(Number(0.5))) is float
    assert type(plain(Whole(5))) is int
    assert plain(Number(NAN)) == "nan"


def test_the_kind_and_the_time_come_first_and_fields_keep_their_order() -> None:
    assert list(line(zebra=1, ant=2)) == ["event", "ts", "zebra", "ant"]


def test_text_that_is_no_unicode_is_written_all_the_same() -> None:
    """The name of a file may hold any bytes, and an error may name the file."""
    name = b"data-\xff".decode("utf-8", "surrogateescape")
    stdout = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    Events(None, stdout).write("error", error="ValueError", message=name)
    stdout.seek(0)
    message = json.loads(stdout.read())["message"]
    assert "data-" in message
    assert message.encode("utf-8"), "half a surrogate pair in it, which strict readers of JSON refuse"


def test_no_text_breaks_a_line_for_any_reader() -> None:
    stdout = io.StringIO()
    Events(None, stdout).write("error", error="ValueError", message="a\u2028b\u2029c\x85d\x0be\x1cf")
    assert len(stdout.getvalue().splitlines()) == 1


def test_stdout_and_the_file_say_the_same_and_a_resumed_training_appends(tmp_path: Path) -> None:
    file, stdout = tmp_path / "events.jsonl", io.StringIO()
    first = Events(file, stdout)
    first.write("stopped", reason="sigterm", epoch=1)
    first.close()
    first.close()
    second = Events(file, stdout)
    second.write("stopped", reason="sigint", epoch=2)
    second.close()
    assert file.read_text(encoding="utf-8") == stdout.getvalue()
    assert [event["epoch"] for event in events(stdout.getvalue())] == [1, 2]


def test_it_remembers_the_newest_of_each_kind() -> None:
    log = Events(None, io.StringIO())
    log.write("epoch", epoch=1, value=NAN)
    log.write("epoch", epoch=2, value=NAN)
    log.write("checkpoint", epoch=1)
    assert {name: (event["epoch"], event.get("value")) for name, event in log.last.items()} == {
        "epoch": (2, "nan"),
        "checkpoint": (1, None),
    }


def test_lines_of_several_threads_stay_whole() -> None:
    class Slow(io.StringIO):
        """Lets others go first in the middle of a line."""

        def write(self, text: str) -> int:
            half = len(text) // 2
            super().write(text[:half])
            time.sleep(0)
            return super().write(text[half:])

    stdout = Slow()
    log = Events(None, stdout)

    def write() -> None:
        for _ in range(50):
            log.write("error", error="E", message="x")

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(events(stdout.getvalue())) == 200


def test_what_a_killed_training_had_said_is_there(tmp_path: Path) -> None:
    program = """
def train(run):
    run.start(epochs=3, steps=3, device="cpu")
    for number in (1, 2):
        run.step(State(seed=1, step=number), {"train_loss": 0.5 / number})
    tell("said")
    wait_for("never")

sys.exit(contract.main(train))
"""
    with training(tmp_path / "out", program) as killed:
        killed.until_marked("said")
        killed.send(signal.SIGKILL)
        assert killed.status() == -signal.SIGKILL
    assert [event["event"] for event in killed.events()] == ["start", "step", "step"]
    assert (killed.out / "events.jsonl").read_text(encoding="utf-8") == killed.stdout


START = {"project": "p", "commit": COMMIT, "epochs": 40, "steps": 1200, "device": "cpu", "config": {"epochs": 40}}
STEP = {"epoch": 3, "step": 310, "metrics": {"train_loss": 0.231}, "lr": 0.001}
EPOCH = {"epoch": 3, "epochs": 40, "step": 400, "metrics": {"val_loss": 0.25}, "lr": 0.001, "seconds": 12.3}
END = {"status": "ok", "best": {"metric": "val_accuracy", "value": 0.95, "epoch": 31}, "seconds": 611.2}
PUBLISHED = {"repo": "org/p", "revision": REVISION, "tag": "build-48", "url": "http://127.0.0.1/org/p"}


@pytest.mark.parametrize(
    ("event", "fields"),
    [
        ("start", START),
        ("start", {**START, "commit": "", "resumed_epoch": 3, "resumed_step": 310, "rows": {"train": 5}, "workers": 2}),
        ("step", STEP),
        ("epoch", EPOCH),
        ("epoch", {**EPOCH, "lr": None, "metrics": {"a": "nan", "b": "inf", "c": "-inf", "d": 1}}),
        ("checkpoint", {"epoch": 3, "path": "checkpoint/epoch-3", "bytes": 48231}),
        ("published", PUBLISHED),
        ("stopped", {"reason": "sigterm", "epoch": 3}),
        ("error", {"error": "ValueError", "message": ""}),
        ("end", END),
        ("end", {**END, "best": None}),
        ("end", {**END, "best": {**END["best"], "value": "nan"}}),  # type: ignore[dict-item]
    ],
)
def test_the_schema_takes_what_is_agreed(event: str, fields: dict[str, object]) -> None:
    SCHEMA.validate({"event": event, "ts": 1795413618.2, **fields})
    for name in fields.keys() - {"resumed_epoch", "resumed_step", "rows", "workers"}:
        with pytest.raises(ValidationError):
            SCHEMA.validate({"event": event, "ts": 1795413618.2, **fields, name: object})
        with pytest.raises(ValidationError):
            SCHEMA.validate({"event": event, "ts": 1795413618.2, **{key: fields[key] for key in fields if key != name}})


@pytest.mark.parametrize(
    ("event", "fields"),
    [
        ("begin", START),
        ("start", {**START, "commit": "main"}),
        ("start", {**START, "resumed_epoch": -1}),
        ("step", {**STEP, "metrics": {"train_loss": None}}),
        ("step", {**STEP, "metrics": {"train_loss": "NaN"}}),
        ("epoch", {**EPOCH, "lr": "0.001"}),
        ("epoch", {**EPOCH, "note": "more"}),
        ("checkpoint", {"epoch": 0.5, "path": "checkpoint/epoch-3", "bytes": 48231}),
        ("stopped", {"reason": "bored", "epoch": 3}),
        ("published", {**PUBLISHED, "revision": "main"}),
        ("end", {**END, "status": "failed"}),
    ],
)
def test_the_schema_refuses_anything_else(event: str, fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SCHEMA.validate({"event": event, "ts": 1795413618.2, **fields})


def test_the_schema_wants_a_time() -> None:
    with pytest.raises(ValidationError):
        SCHEMA.validate({"event": "stopped", "reason": "sigterm", "epoch": 3})
