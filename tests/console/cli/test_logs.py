"""`mlops-console logs`: what is printed for people, for pipes and for programs."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from console.cli.output import ReaderGoneError
from console.model.container import ContainerState
from console.model.log import Entry
from console.model.source import SourceError, SourceState
from console.model.times import moment, nanoseconds
from console.text import clean
from tests.console.cli.calling import SCHEMAS, FakeBackend, answer, call
from tests.console.fakes import NOW, FakeCompose, FakeEngine, container

SECOND = 1_000_000_000
START = nanoseconds(NOW)


def entry(seconds: float, text: str | bytes, *, stderr: bool = False) -> Entry:
    raw = text.encode() if isinstance(text, str) else text
    return START + int(seconds * SECOND), stderr, raw + b"\n"


@pytest.fixture
def backend(tmp_path: Path) -> FakeBackend:
    """A gate with two replicas, a training and a service that keeps no log."""
    one = container("mlops-gate-1", service="gate")
    two = container("mlops-gate-2", service="gate", number=2)
    ended = container("mlops-project-b-127", state=ContainerState.EXITED, exit_code=0)
    engine = FakeEngine(one, two, ended)
    engine.logs = {
        one.id: [entry(1, "INFO: one"), entry(4, "ERROR: four", stderr=True), entry(6, "six")],
        two.id: [entry(2, "two"), entry(5, "five")],
        ended.id: [entry(number, f"step {number}") for number in range(100)],
    }
    return FakeBackend(engine, FakeCompose(None), tmp_path)


def printed(backend: FakeBackend, capsys: pytest.CaptureFixture[str], *argv: str, status: int = 0) -> list[str]:
    assert call(backend, "logs", *argv) == status
    return capsys.readouterr().out.splitlines()


def test_one_log_is_printed_as_it_is(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(backend, capsys, "mlops-project-b-127") == [f"step {number}" for number in range(100)]
    assert printed(backend, capsys, "mlops-gate-1") == ["INFO: one", "ERROR: four", "six"]


def test_a_compose_project_is_all_of_its_services(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(backend, capsys, "mlops")
    assert [line.split(" | ")[1] for line in lines] == ["INFO: one", "two", "ERROR: four", "five", "six"]
    assert {line.split()[0] for line in lines} == {"gate-1", "gate-2"}


@pytest.mark.parametrize(("tail", "first"), [("all", 0), ("100", 0), ("7", 93), ("0", 100), ("5000", 0)])
def test_tail(backend: FakeBackend, capsys: pytest.CaptureFixture[str], tail: str, first: int) -> None:
    assert printed(backend, capsys, "mlops-project-b-127", "--tail", tail) == [f"step {number}" for number in range(first, 100)]


def test_several_come_by_time_each_with_its_name(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(backend, capsys, "gate") == [
        "gate-1 | INFO: one",
        "gate-2 | two",
        "gate-1 | ERROR: four",
        "gate-2 | five",
        "gate-1 | six",
    ]
    one_by_one = printed(backend, capsys, "gate", "--no-merge")
    assert [line[:6] for line in one_by_one] == ["gate-1"] * 3 + ["gate-2"] * 2


def test_times_stand_in_front(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(backend, capsys, "mlops-gate-1", "-t", "--tail", "1") == ["2026-11-23T14:03:52.000000000Z six"]


def test_grep_exclude_and_level(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(backend, capsys, "mlops-project-b-127", "--grep", "9$", "--exclude", "[2-8]") == [
        "step 9",
        "step 19",
        "step 99",
    ]
    assert printed(backend, capsys, "mlops-project-b-127", "--grep", "9$", "--grep", "3") == ["step 39"]
    assert printed(backend, capsys, "gate", "--level", "warning") == ["gate-1 | ERROR: four"]


def test_tail_counts_the_lines_that_are_shown(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(backend, capsys, "mlops-project-b-127", "--grep", "9$", "--tail", "2") == ["step 89", "step 99"]


def test_since(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    when = (NOW + timedelta(seconds=98)).isoformat()
    assert printed(backend, capsys, "mlops-project-b-127", "--since", when) == ["step 98", "step 99"]


def test_nothing_that_a_terminal_would_obey_comes_out(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    gate = container("mlops-gate-1", service="gate")
    hostile = [b"\x1b]52;c;aGk=\x07a", b"\x9b2Jb", b"c\rd", b"\x00\xff", b"\x1b[31mred\x1b[0m", "\u202ex".encode()]
    backend.engine.logs = {gate.id: [entry(number, text) for number, text in enumerate(hostile)]}
    assert printed(backend, capsys, "mlops-gate-1") == ["a", "\ufffd2Jb", "d", "␀\ufffd", "red", "<U+202E>x"]


def test_json_has_what_was_written_with_every_control_escaped(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    gate = container("mlops-gate-1", service="gate")
    backend.engine.logs = {
        gate.id: [entry(0, b"\x1b[31mERROR: x\x1b[0m \x9b", stderr=True), entry(1, "学習"), (START, False, b"half")]
    }
    assert call(backend, "logs", "mlops-gate-1", "--json") == 0
    out = capsys.readouterr().out
    assert out.isascii()
    assert out.removesuffix("\n").isprintable()
    items = json.loads(out)["items"]
    assert [item["text"] for item in items] == ["\x1b[31mERROR: x\x1b[0m \ufffd", "学習", "half"]
    assert [(item["stream"], item["level"], item["complete"]) for item in items] == [
        ("stderr", "error", True),
        ("stdout", None, True),
        ("stdout", None, False),
    ]


@pytest.mark.parametrize("argv", [["gate"], ["mlops-gate-1"], ["gate", "--grep", "nothing at all"], ["gate", "--no-merge"]])
def test_json_is_one_object_that_fits_its_schema(
    backend: FakeBackend, capsys: pytest.CaptureFixture[str], argv: list[str]
) -> None:
    status, document = answer(backend, capsys, "logs", *argv)
    assert status == 0
    assert document["sources"]["docker"]["state"] == "ok"
    expected = 0 if "--grep" in argv else 3 if argv == ["mlops-gate-1"] else 5
    assert len(document["items"]) == expected


def test_follow_as_json_is_one_object_a_line(
    backend: FakeBackend, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.logs.several.GRACE_SECONDS", 0.0)
    assert call(backend, "logs", "mlops-project-b-127", "-f", "--tail", "2", "--json") == 0
    lines = capsys.readouterr().out.splitlines()
    schema = jsonschema.Draft202012Validator(json.loads((SCHEMAS / "logs.schema.json").read_text()))
    items: list[dict[str, Any]] = []
    for line in lines:
        document = json.loads(line)
        schema.validate(document)
        items += document["items"]
    assert [(item["text"], item["notice"]) for item in items] == [
        ("step 98", None),
        ("step 99", None),
        ("mlops-project-b-127 has ended, exit 0.", "ended"),
    ]


def test_follow_of_what_has_ended_ends(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(backend, "logs", "mlops-project-b-127", "-f", "--tail", "1") == 0
    said = capsys.readouterr()
    assert said.out == "step 99\n"
    assert said.err == "mlops-console: mlops-project-b-127 has ended, exit 0.\n"


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["gat"], "there is no service, container, project or run gat. Did you mean gate?"),
        (["9999"], "run 9999. mlops-console containers lists containers, mlops-console runs lists runs."),
        (["gate", "--tail", "-1"], "--tail -1 is no number of lines: a number, or all."),
        (["gate", "--tail", "some"], "--tail some is no number of lines"),
        (["gate", "--since", "yesterday"], "yesterday is no time. A time is 10m, 2h30m, 14:03"),
        (["gate", "--grep", "(?=x)"], "(?=x): searches know no look-ahead"),
        (["gate", "--exclude", "["], "[ is no pattern: missing ]"),
        (["gate", "--level", "loud"], "there is no level loud: debug, info, warning, error, critical."),
        (["gate", "-f", "--no-merge"], "--follow and --no-merge exclude each other"),
        ([], "logs wants TARGET. See: mlops-console logs --help"),
        (["gate", "--tial", "3"], "there is no option --tial. Did you mean --tail?"),
    ],
)
def test_wrong_use_is_told(backend: FakeBackend, capsys: pytest.CaptureFixture[str], argv: list[str], says: str) -> None:
    assert call(backend, "logs", *argv) == 2
    said = capsys.readouterr()
    assert says in said.err
    assert said.out == ""
    assert said.err.count("\n") == 1


@pytest.mark.parametrize("state", [SourceState.UNREACHABLE, SourceState.DENIED])
def test_docker_out_of_reach(backend: FakeBackend, capsys: pytest.CaptureFixture[str], state: SourceState) -> None:
    backend.engine.failure = SourceError(state, clean("Docker hides."))
    assert call(backend, "logs", "gate") == 3
    assert capsys.readouterr().err == "mlops-console: Docker hides.\n"
    status, document = answer(backend, capsys, "logs", "gate")
    assert status == 3
    assert document["sources"]["docker"] == {"state": state.value, "reason": "Docker hides.", "taken_at": None}
    assert document["items"] == []
    status, document = answer(backend, capsys, "logs", "gate", "-f")
    assert (status, document["sources"]["docker"]["state"]) == (3, state.value)


def test_one_log_of_several_that_cannot_be_read_hides_no_other(
    backend: FakeBackend, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    log = FakeEngine.log

    async def refuse(self: FakeEngine, one: Any, **options: Any) -> Any:
        if one.name == "mlops-gate-1":
            raise SourceError(SourceState.OFF, clean('Log driver "none": Docker keeps nothing.'))
        async for entries in log(self, one, **options):
            yield entries

    monkeypatch.setattr(FakeEngine, "log", refuse)
    assert call(backend, "logs", "gate") == 3
    said = capsys.readouterr()
    assert said.out.splitlines() == ["gate-2 | two", "gate-2 | five"]
    assert 'mlops-gate-1: Log driver "none": Docker keeps nothing.' in said.err
    assert call(backend, "logs", "mlops-gate-1") == 3
    assert capsys.readouterr().err == 'mlops-console: Log driver "none": Docker keeps nothing.\n'


def test_json_stays_valid_when_docker_goes_away_in_the_middle(
    backend: FakeBackend, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    log = FakeEngine.log

    async def half(self: FakeEngine, one: Any, **options: Any) -> Any:
        async for entries in log(self, one, **options):
            yield entries[:2]
            raise SourceError(SourceState.UNREACHABLE, clean("Docker has closed the connection."))

    monkeypatch.setattr(FakeEngine, "log", half)
    status, document = answer(backend, capsys, "logs", "mlops-gate-1")
    assert status == 3
    assert [item["text"] for item in document["items"]] == ["INFO: one", "ERROR: four"]
    assert document["sources"]["docker"]["state"] == "unreachable"


def test_a_reader_that_goes_away_ends_it_quietly(
    backend: FakeBackend, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(_text: str) -> None:
        raise ReaderGoneError

    monkeypatch.setattr("console.cli.logprint.write_out", gone)
    monkeypatch.setattr("console.cli.output.drop_output", lambda: None)
    assert call(backend, "logs", "gate", "-f") == 0
    assert capsys.readouterr().err == ""


AT = datetime(2026, 11, 23, 14, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90s", AT - timedelta(seconds=90)),
        ("2h30m", AT - timedelta(hours=2, minutes=30)),
        ("1.5d", AT - timedelta(hours=36)),
        ("1w", AT - timedelta(days=7)),
        ("14:02", AT - timedelta(minutes=1)),
        ("14:04", AT - timedelta(days=1) + timedelta(minutes=1)),
        ("9:30", AT.replace(hour=9, minute=30)),
        ("2026-11-23", AT.replace(hour=0, minute=0)),
        ("2026-11-23 13:00:30", AT.replace(hour=13, minute=0, second=30)),
        ("2026-11-23T13:00:00+09:00", AT.replace(hour=4, minute=0)),
        ("1795413618.5", datetime.fromtimestamp(1795413618.5, UTC)),
    ],
)
def test_times_as_people_type_them(text: str, expected: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    assert moment(text, AT) == expected


@pytest.mark.parametrize("text", ["", "10", "m", "25:00", "2026-13-01", "yesterday", "1y", "9999999999999", "-5m"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match="is no time"):
        moment(text, AT)
