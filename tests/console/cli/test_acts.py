"""How every act is done from a script: consent by options, exit statuses, what goes to stdout and what to stderr."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from console.actions.audit import AuditRecorder, InMemory
from console.actions.plan import End, News, Weight
from console.cli import group
from console.model.jenkins import JenkinsError, Trouble
from console.model.person import Person
from console.model.source import SourceError, SourceState, SourceStatus
from console.model.state import StateClass
from console.sources.auditfile import AuditError
from console.text import Clean, clean
from tests.console.cli.calling import FakeBackend, answer, call
from tests.console.cli.small_acts import COMMANDS_WITH_IT, CURRENT, SmallAct, away
from tests.console.fake_jenkins import FakeJenkins, lacks, ref, unreachable
from tests.console.fakes import FakeCompose, FakeEngine


@pytest.fixture(autouse=True)
def in_a_script(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(group, "COMMANDS", COMMANDS_WITH_IT)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"y\n")))
    yield
    CURRENT.clear()


@pytest.fixture
def backend(tmp_path: Path) -> FakeBackend:
    return FakeBackend(FakeEngine(), FakeCompose(), tmp_path, ci=FakeJenkins())


def given(**more: object) -> SmallAct:
    CURRENT.append(SmallAct(**more))  # type: ignore[arg-type]  # names and types are the field's own
    return CURRENT[-1]


def news(words: str, kind: StateClass = StateClass.ACTIVE, *, end: End | None = None, build: int | None = None) -> News:
    target = SmallAct().target("thing")
    return News(target, kind, clean(words), ref("train", build) if build is not None else None, end)


def said(capsys: pytest.CaptureFixture[str]) -> tuple[list[str], list[str]]:
    got = capsys.readouterr()
    return got.out.splitlines(), got.err.splitlines()


def recorded(backend: FakeBackend) -> list[str]:
    """The phases that were written down."""
    lines = asyncio.run(backend.recorder().places.lines())
    return [json.loads(line)["phase"] for line in lines]


# Consent


@pytest.mark.parametrize("weight", [Weight.ENTER, Weight.YES])
def test_without_a_terminal_nothing_happens_without_yes(
    backend: FakeBackend, capsys: pytest.CaptureFixture[str], weight: Weight
) -> None:
    small = given(weight=weight)
    assert call(backend, "do") == 2
    out, err = said(capsys)
    assert (small.done, recorded(backend), out) == ([], [], [])
    assert err == [
        "Do  thing",
        "  does   makes a thing",
        "  stays  all others",
        "    TOKEN  ********",
        "    SIZE   2  (was 1)",
        "  same as  POST thing",
        "mlops-console: nothing was done: without a terminal it wants --yes. With --dry-run it only shows the plan.",
    ]
    assert call(backend, "do", "--yes") == 0
    assert said(capsys)[0] == ["✓ thing  thing is done"]
    assert small.done == ["thing"]
    assert recorded(backend) == ["begun", "ended"]


def test_what_cannot_be_undone_wants_its_word(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    small = given(weight=Weight.WORD, word="project-b")
    for words in ((), ("--yes",)):
        assert call(backend, "do", *words) == 2
        err = said(capsys)[1]
        assert "  word  project-b" in err
        assert err[-1].endswith("it cannot be undone, and without a terminal it wants --confirm project-b")
    assert call(backend, "do", "--yes", "--confirm", "project-a") == 2
    assert said(capsys)[1] == ["mlops-console: --confirm project-a does not fit this plan: it wants --confirm project-b"]
    assert small.done == []
    assert call(backend, "do", "--confirm", "project-b") == 0
    assert small.done == ["thing"]


def test_a_word_is_no_yes(backend: FakeBackend) -> None:
    small = given()
    assert call(backend, "do", "--confirm", "thing") == 2
    assert small.done == []


def test_a_dry_run_shows_the_plan_and_does_nothing(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    small = given(weight=Weight.WORD, word="thing", names=("a", "b"), refused={"b": "It is gone."})
    assert call(backend, "do", "--dry-run", "--yes", "--confirm", "thing") == 0
    out, err = said(capsys)
    assert (out[:3], err) == (["Do  a, b", "  to        a", "  left out  b: It is gone."], [])
    status, document = answer(backend, capsys, "do", "--dry-run")
    assert (status, document["kind"], document["act"], document["weight"], document["word"]) == (
        0,
        "plan",
        "do",
        "word",
        "thing",
    )
    assert [(one["id"], one["refused"]) for one in document["items"]] == [("thing/a", None), ("thing/b", "It is gone.")]
    assert [(one["name"], one["value"], one["changed"]) for one in document["entries"]] == [
        ("TOKEN", "********", False),
        ("SIZE", "2", True),
    ]
    assert (document["says"][0], document["same_as"]) == ({"label": "does", "text": "makes a thing"}, ["POST thing"])
    assert (small.done, recorded(backend)) == ([], [])


# What cannot be done


@pytest.mark.parametrize(
    ("why", "denied", "status"),
    [("It has ended: passed.", "", 1), ("operator lacks Job/Cancel on train.", "Job/Cancel", 3)],
    ids=["ended", "not permitted"],
)
def test_a_plan_that_cannot_be_done(
    backend: FakeBackend, capsys: pytest.CaptureFixture[str], why: str, denied: str, status: int
) -> None:
    small = given(refused={"thing": why}, denied=denied)
    assert call(backend, "do", "--yes") == status
    assert said(capsys) == ([], [f"mlops-console: thing: {why}"])
    assert call(backend, "do", "--dry-run") == status
    assert f"  left out  thing: {why}" in said(capsys)[0]
    for words in (("do", "--yes"), ("do", "--dry-run")):
        told, document = answer(backend, capsys, *words)
        assert (told, document["kind"], document["refused"]) == (status, "plan", why)
    assert small.done == []


def test_what_is_left_out_is_told_and_counts(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    given(names=("a", "b"), refused={"a": "It is gone."})
    assert call(backend, "do", "--yes") == 1
    assert said(capsys)[0] == ["- a  It is gone.", "✓ b  b is done"]


@pytest.mark.parametrize("words", [("do", "--yes"), ("do", "--dry-run"), ("do",)], ids=" ".join)
def test_a_value_that_cannot_be_sent_is_wrong_use(
    backend: FakeBackend, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    small = given(problem="SIZE is true or false, not 2.")
    assert call(backend, *words) == 2
    assert said(capsys) == ([], ["mlops-console: SIZE is true or false, not 2."])
    assert small.done == []


def test_read_only_holds_for_what_gets_this_far(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    """The command of these tests is none that is gone then."""
    small = given()
    backend.env = {"MLOPS_READ_ONLY": "1"}
    assert call(backend, "do", "--yes") == 1
    assert said(capsys)[1] == ["mlops-console: Read-only: acts are off (MLOPS_READ_ONLY)."]
    assert small.done == []


def test_a_plan_that_moved_is_refused_with_the_new_one(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    small = given(moves=2)
    assert call(backend, "do", "--yes") == 1
    out, err = said(capsys)
    assert (out, small.done) == ([], [])
    assert err[:2] == ["The world has moved. This is the new plan.", "Do  thing once more"]
    assert err[-1] == "mlops-console: nothing was done."
    small.seen = 0
    status, document = answer(backend, capsys, "do", "--yes")
    assert (status, document["kind"], document["moved"]) == (1, "plan", "The world has moved.")


class FullDisk(InMemory):
    """Takes only the first so many records."""

    def __init__(self, takes: int) -> None:
        super().__init__(Person(Clean("anna"), 1000))
        self._takes = takes

    async def write(self, line: str, fields: Sequence[tuple[str, str]]) -> Clean | None:
        if self._takes == 0:
            raise AuditError("the disk is full")
        self._takes -= 1
        return Clean("The journal takes nothing.")


@dataclass
class OnAFullDisk(FakeBackend):
    takes: int = 0

    def recorder(self) -> AuditRecorder:
        return AuditRecorder(FullDisk(self.takes), self.host)


def test_what_cannot_be_recorded_is_not_done(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = given()
    full = OnAFullDisk(FakeEngine(), FakeCompose(), tmp_path, ci=FakeJenkins(), takes=0)
    status, document = answer(full, capsys, "do", "--yes")
    why = "Not done, because it cannot be recorded: the disk is full"
    assert (status, small.done) == (1, [])
    assert [(one["fate"], one["words"]) for one in document["items"]] == [("left", why)]
    full.takes = 1
    status, document = answer(full, capsys, "do", "--yes")
    assert (status, small.done, document["unrecorded"]) == (0, ["thing"], "the disk is full")
    assert call(full, "do", "--yes") == 0
    assert "mlops-console: done, but not recorded: the disk is full" in said(capsys)[1]
    full.takes = 2
    assert call(full, "do", "--yes") == 0
    assert "mlops-console: The journal takes nothing." in said(capsys)[1]


# Jenkins


def test_a_jenkins_that_cannot_be_asked(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    small = given()
    jenkins = backend.ci
    assert isinstance(jenkins, FakeJenkins)
    backend.ci = SourceStatus(SourceState.OFF, Clean("Jenkins is not configured."))
    assert call(backend, "do", "--yes") == 3
    assert said(capsys) == ([], ["mlops-console: Jenkins is not configured."])
    for words, kind in ((("do", "--yes"), "outcome"), (("do", "--dry-run"), "plan")):
        status, document = answer(backend, capsys, *words)
        assert (status, document["kind"], document["items"], document["act"]) == (3, kind, [], None)
        assert document["sources"]["jenkins"]["state"] == "off"
    assert small.done == []


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (unreachable(), 3),
        (lacks("Job/Build"), 3),
        (JenkinsError(Trouble.UNREACHABLE, "The connection broke.", unsure=True), 3),
        (JenkinsError(Trouble.REFUSED, "Jenkins does not want to."), 1),
    ],
    ids=["away", "not permitted", "unsure", "refused"],
)
def test_one_that_fails_comes_first_and_makes_the_status(
    backend: FakeBackend, capsys: pytest.CaptureFixture[str], error: SourceError, status: int
) -> None:
    small = given(names=("a", "b"), fails={"b": error})
    assert call(backend, "do", "--yes") == status
    out, err = said(capsys)
    glyph = "!" if getattr(error, "unsure", False) else "✗"
    assert out == [f"{glyph} b  {error.reason}", "✓ a  a is done"]
    assert err == ["mlops-console: doing a for 2s", "mlops-console: doing b for 2s"], "once each, however long it takes"
    assert small.done == ["a"]
    told, document = answer(backend, capsys, "do", "--yes")
    denied = "Job/Build" if "Job/Build" in str(error.reason) else None
    assert (told, document["items"][0]["denied"], document["items"][1]["fate"]) == (status, denied, "done")


# Waiting


@pytest.mark.parametrize(("end", "status"), [(End.GOOD, 0), (End.BAD, 1), (End.ABORTED, 4), (End.LOST, 3), (None, 3)], ids=str)
def test_waiting_ends_as_the_build_does(
    backend: FakeBackend, capsys: pytest.CaptureFixture[str], end: End | None, status: int
) -> None:
    given(
        after=[news("queued: quiet", StateClass.GOOD), news("started as #43", build=43), news("#43 is over", build=43, end=end)]
    )
    assert call(backend, "do", "--yes", "--wait") == status
    assert said(capsys)[0] == [
        "✓ thing  thing is done",
        "✓ thing  queued: quiet",
        "▸ thing  started as #43",
        "▸ thing  #43 is over",
    ]
    told, document = answer(backend, capsys, "do", "--yes", "--wait")
    assert told == status
    assert [one["end"] for one in document["news"]] == [None, None, end.value if end is not None else None]
    assert document["news"][1]["build"] == {"job": "train", "number": 43}


def test_with_json_the_news_go_to_stderr(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    given(after=[news("started as #43", build=43), news("#43 passed", StateClass.GOOD, build=43, end=End.GOOD)])
    assert call(backend, "do", "--yes", "--wait", "--json") == 0
    out, err = said(capsys)
    assert len(out) == 1
    assert err[-2:] == ["▸ thing  started as #43", "✓ thing  #43 passed"]


def test_what_only_counts_on_is_one_piece_of_news(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    ticks = [news(f"#43 saving checkpoint, {words} of 2m", build=43) for words in ("1s", "59s", "1m", "1m12s")]
    given(after=[news("#43 stopping, for 3s", build=43), *ticks, news("#43 aborted", StateClass.ENDED, build=43, end=End.GOOD)])
    assert call(backend, "do", "--yes", "--wait") == 0
    out = said(capsys)[0]
    assert out[1:] == ["▸ thing  #43 stopping, for 3s", "▸ thing  #43 saving checkpoint, 1s of 2m", "- thing  #43 aborted"]
    document = answer(backend, capsys, "do", "--yes", "--wait")[1]
    assert document["news"][1]["words"] == "#43 saving checkpoint, 1m12s of 2m"


def test_nothing_to_wait_for_is_good(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    given()
    status, document = answer(backend, capsys, "do", "--yes", "--wait")
    assert (status, document["news"]) == (0, [])


def test_a_failure_beside_a_build_that_is_good_counts(backend: FakeBackend) -> None:
    refused = JenkinsError(Trouble.REFUSED, "no")
    given(names=("thing", "b"), fails={"b": refused}, after=[news("#43 passed", StateClass.GOOD, build=43, end=End.GOOD)])
    assert call(backend, "do", "--yes", "--wait") == 1


def test_nothing_is_waited_for_where_nothing_was_done(backend: FakeBackend) -> None:
    given(fails={"thing": away()}, after=[], forever=True)
    assert call(backend, "do", "--yes", "--wait") == 3


def test_waiting_has_an_end(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    given(after=[news("started as #43", build=43)], forever=True)
    assert call(backend, "do", "--yes", "--wait", "--timeout", "0.05") == 5
    assert said(capsys)[1][-1].endswith("and no longer: train #43 goes on at Jenkins.")
    status, document = answer(backend, capsys, "do", "--yes", "--wait", "--timeout", "0.05")
    assert (status, len(document["news"])) == (5, 1)


@pytest.mark.parametrize("words", ["0", "-1", "x", "inf", "nan"])
def test_a_timeout_that_is_none(backend: FakeBackend, capsys: pytest.CaptureFixture[str], words: str) -> None:
    small = given()
    assert call(backend, "do", "--yes", "--wait", "--timeout", words) == 2
    assert said(capsys)[1] == [f"mlops-console: --timeout {words} is no number of seconds."]
    assert call(backend, "do", "--yes", "--timeout", "5") == 2
    assert said(capsys)[1] == ["mlops-console: --timeout says how long to wait: it wants --wait."]
    assert small.seen == 0


def test_a_jenkins_that_is_lost_while_waiting(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    given(after=[news("started as #43", build=43), lacks("Job/Read")])
    assert call(backend, "do", "--yes", "--wait") == 3
    assert said(capsys)[1][-1] == "mlops-console: Jenkins: user operator lacks Job/Read."


class Leaving(io.StringIO):
    """A reader that takes the first line and goes; what is written after it was noticed goes nowhere."""

    def __init__(self, nowhere: int) -> None:
        super().__init__()
        self._nowhere = nowhere
        self._noticed = False

    def write(self, text: str) -> int:
        if self.getvalue() and not self._noticed:
            raise BrokenPipeError
        return super().write(text)

    def fileno(self) -> int:
        self._noticed = True
        return self._nowhere


def test_a_reader_that_leaves_meanwhile_does_not_end_the_wait(
    backend: FakeBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given(after=[news("started as #43", build=43), news("#43 failed", StateClass.BROKEN, build=43, end=End.BAD)])
    with (tmp_path / "nowhere").open("w") as nowhere, monkeypatch.context() as patched:
        patched.setattr("sys.stdout", Leaving(nowhere.fileno()))
        assert call(backend, "do", "--yes", "--wait") == 1
