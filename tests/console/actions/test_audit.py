"""What is written down of an act, by whom it is read again, and what is never in it."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console.actions.audit import AuditRecorder, InMemory, begun, ended, journal_fields, line_of
from console.actions.audited import NO_END, read
from console.actions.doer import Doer, RefusedError
from console.actions.plan import Fate, Outcome, Plan, Result, Say, Target, Tell
from console.model.secretnames import masked
from console.model.state import StateClass
from console.sources.auditfile import AuditFile
from console.sources.journal import Journal
from console.sources.trail import Trail
from console.text import Clean, clean
from tests.console.actions.planning import ANNA, Nothing, outcome, plan, target
from tests.support.journald import StandIn

AT = datetime(2026, 11, 23, 14, 3, 46, 120_000, tzinfo=UTC)
HOST = Clean("train-01")


def lines(*of: Outcome, broken_off: bool = False) -> list[bytes]:
    """Both lines of each act, a minute apart; of the last one only the first, if it was broken off."""
    found = []
    for number, one in enumerate(of):
        at = AT + timedelta(minutes=number)
        found.append(line_of(begun(one.plan, ANNA, HOST, at)).encode())
        found.append(line_of(ended(one, ANNA, HOST, at + timedelta(seconds=2))).encode())
    return found[:-1] if broken_off else found


# What is written


def test_the_record_before_an_act() -> None:
    made = plan(target(41), target(40, "It is running."), same_as=("POST /job/train/build",))
    assert begun(made, ANNA, HOST, AT) == {
        "version": 1,
        "id": made.id,
        "phase": "begun",
        "time": "2026-11-23T14:03:46.120Z",
        "person": {"user": "anna", "uid": 1000, "sudo": None, "ssh": "192.0.2.7", "jenkins": "anna-at-ci"},
        "host": "train-01",
        "act": "retrigger",
        "title": "Retrigger train #41",
        "objects": [{"id": "build/train#41", "name": "train #41"}],
        "left_out": [{"id": "build/train#40", "name": "train #40", "why": "It is running."}],
        "effects": [{"label": "does", "text": "train gets a new build"}],
        "requests": ["POST /job/train/build"],
        "results": [],
    }


def test_the_record_after_it_says_what_became_of_each() -> None:
    of = outcome(plan(target(41)), Fate.FAILED, words="Jenkins does not permit it.", denied="Job/Build")
    record = ended(of, ANNA, HOST, AT)
    assert (record["phase"], record["id"]) == ("ended", of.plan.id)
    assert record["results"] == [
        {"id": "build/train#41", "fate": "failed", "words": "Jenkins does not permit it.", "denied": "Job/Build"}
    ]


def test_a_line_is_one_line_of_plain_ascii() -> None:
    made = plan(Target(clean("job/é\u2028x"), clean("訓練\n")))
    line = line_of(begun(made, ANNA, HOST, AT))
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["objects"][0]["name"] == "訓練"


def test_the_journal_gets_a_sentence_and_fields_to_search_by() -> None:
    of = outcome(plan(target(41), target(42)), Fate.DONE, Fate.FAILED)
    record = ended(of, ANNA, HOST, AT)
    fields = dict(journal_fields(record, ANNA))
    assert fields["MESSAGE"] == "anna@192.0.2.7: retrigger train #41 and train #42: done, failed"
    assert (fields["PRIORITY"], fields["SYSLOG_IDENTIFIER"]) == ("4", "mlops-console")
    assert len(fields["MESSAGE_ID"]) == 32
    assert fields["MLOPS_OBJECTS"] == "build/train#41\nbuild/train#42"
    assert fields["MLOPS_RESULT"] == "build/train#41 done\nbuild/train#42 failed"
    assert json.loads(fields["MLOPS_RECORD"]) == record
    before = dict(journal_fields(begun(of.plan, ANNA, HOST, AT), ANNA))
    assert (before["PRIORITY"], before["MLOPS_PHASE"]) == ("5", "begun")
    assert before["MESSAGE"].endswith(": begun")


# Secrets


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("-p HF_TOKEN=abc -p X=1", "-p HF_TOKEN=******** -p X=1"),
        ("-p 'HF_TOKEN=a b' -p X=1", "-p 'HF_TOKEN=********' -p X=1"),
        ("-p HF_TOKEN='a b'c -p X=1", "-p HF_TOKEN=******** -p X=1"),
        ("'DB_PASSWORD=it'\"'\"'s secret' z", "'DB_PASSWORD=********' z"),
        ('"apikey=a \\" b" z', '"apikey=********" z'),
        ("PROJECT=a&api.key=b&c=d", "PROJECT=a&api.key=********&c=d"),
        ("--credentials=/x", "--credentials=********"),
        ("MY_SECRET='never ends", "MY_SECRET=********"),
        ("PASSPHRASE= empty", "PASSPHRASE=******** empty"),
        ("PROJECT=a KEEP=1", "PROJECT=a KEEP=1"),
        ("a=1 token b=2", "a=1 token b=2"),
    ],
)
def test_what_looks_like_a_secret_by_its_name_is_masked(text: str, shown: str) -> None:
    assert masked(text) == shown


def test_no_secret_gets_into_a_record() -> None:
    made = plan(
        replace(target(41), name=clean("TOKEN=s3cret")),
        target(40, "its PASSWORD=s3cret is wrong"),
        says=(Say("does", clean("train gets API_KEY=s3cret")),),
        same_as=("curl -d 'TOKEN=s3cret' x",),
    )
    made = replace(made, title=clean("Start train with SECRET=s3cret"))
    of = outcome(made, Fate.FAILED, words="Jenkins refuses CREDENTIAL=s3cret")
    text = json.dumps([begun(made, ANNA, HOST, AT), ended(of, ANNA, HOST, AT), journal_fields(ended(of, ANNA, HOST, AT), ANNA)])
    assert "s3cret" not in text
    assert text.count("********") >= 6


# Reading


def test_two_lines_are_one_act() -> None:
    of = outcome(plan(target(41), target(40, "It is running.")), Fate.DONE)
    found = read(lines(of))
    (one,) = found.acts
    assert (one.begun, one.ended) == (AT, AT + timedelta(seconds=2))
    assert one.person == ANNA
    assert (one.state.kind, one.state.word, one.told) == (StateClass.GOOD, "done", "queued as item 12")
    assert [left.why for left in one.left_out] == ["It is running."]
    assert found.damage is None


def test_the_end_of_an_act_whose_beginning_is_no_longer_kept() -> None:
    (one,) = read(lines(outcome(plan(), Fate.DONE))[1:]).acts
    assert (one.begun, one.at) == (None, AT + timedelta(seconds=2))
    assert one.state.word == "done"


def test_an_act_that_was_broken_off_is_told_as_such() -> None:
    first, second = read(lines(outcome(plan(), Fate.DONE), outcome(plan(), Fate.DONE), broken_off=True)).acts
    assert first.ended is not None
    assert (second.ended, second.state.kind, second.state.word) == (None, StateClass.ATTENTION, "no end")
    assert second.told == NO_END


@pytest.mark.parametrize(
    ("fates", "kind", "word"),
    [
        ((Fate.DONE, Fate.DONE), StateClass.GOOD, "done"),
        ((Fate.FAILED, Fate.FAILED), StateClass.BROKEN, "failed"),
        ((Fate.DONE, Fate.FAILED, Fate.LEFT), StateClass.BROKEN, "1 of 3"),
        ((Fate.UNSURE,), StateClass.ATTENTION, "unsure"),
        ((Fate.DONE, Fate.LEFT), StateClass.ENDED, "1 of 2"),
        ((Fate.LEFT,), StateClass.ENDED, "left"),
    ],
)
def test_the_state_is_that_of_the_worst(fates: tuple[Fate, ...], kind: StateClass, word: str) -> None:
    (one,) = read(lines(outcome(plan(*(target(41 + at) for at in range(len(fates)))), *fates))).acts
    assert (one.state.kind, one.state.word) == (kind, word)


def _with(**changes: object) -> bytes:
    return json.dumps({**json.loads(lines(outcome(plan(), Fate.DONE))[1]), **changes}).encode()


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"\xff\xfe",
        b"null",
        b"[]",
        b"[" * 100_000,
        b'{"version": 1}',
        _with(version=2),
        _with(phase="else"),
        _with(time="yesterday"),
        _with(time=12),
        _with(id=""),
        _with(person=None),
        _with(person={"user": "a", "uid": "0", "sudo": None, "ssh": None, "jenkins": None}),
        _with(objects=[1]),
        _with(results=[{"id": "a", "fate": "eaten", "words": "", "denied": None}]),
        _with(requests="x"),
        _with(host="x" * 5_000_000),
    ],
    ids=range(17),
)
def test_a_damaged_line_is_counted_and_told(line: bytes) -> None:
    good = lines(outcome(plan(), Fate.DONE))
    found = read([good[0], line, good[1]])
    assert [one.state.word for one in found.acts] == ["done"]
    assert found.damage == "1 line of the audit file is damaged and left out."
    assert read([line, line]).damage == "2 lines of the audit file are damaged and left out."


def test_what_was_written_into_the_file_by_others_passes_the_gate() -> None:
    (one,) = read([_with(title="\x1b[2Jowned\u202e", host="a\nb")]).acts
    assert one.title == "owned<U+202E>"
    assert "\n" not in one.host


def test_since_keeps_what_ended_after_it() -> None:
    found = read(lines(*(outcome(plan(), Fate.DONE) for _ in range(3))))
    assert len(found.since(AT + timedelta(minutes=1, seconds=1)).acts) == 2
    assert len(found.since(AT + timedelta(minutes=5)).acts) == 0


# The recorder, with real places


@dataclass(frozen=True)
class Counted(Nothing):
    """Knows what it did. With `ends` it may go on unrecorded."""

    ends: bool = False
    done: list[Target] = field(default_factory=list)

    async def plan(self) -> Plan:
        return replace(plan(act=self), even_unrecorded=self.ends)

    async def perform(self, plan: Plan, target: Target, tell: Tell) -> Result:
        self.done.append(target)
        return Result(target, Fate.DONE, Clean("queued as item 12"))


def places(tmp_path: Path) -> Trail:
    return Trail(
        {"SSH_CONNECTION": "192.0.2.7 1 192.0.2.1 22"}, file=AuditFile(tmp_path / "state"), journal=Journal(tmp_path / "s")
    )


def silent(_words: Clean) -> None:
    """Nobody listens."""


async def test_an_act_leaves_two_lines_and_two_entries(tmp_path: Path) -> None:
    with StandIn(tmp_path / "s") as journald:
        where = places(tmp_path)
        recorder = AuditRecorder(where, HOST)
        seen: list[int] = []
        recorder.listeners.append(lambda: seen.append(1))
        act = Counted()
        made = await act.plan()
        await Doer(recorder).carry_out(made, silent)
        phases = [dict(journald.taken())["MLOPS_PHASE"] for _ in range(2)]
    assert phases == [b"begun", b"ended"]
    found = await where.lines()
    assert [json.loads(line)["phase"] for line in found] == ["begun", "ended"]
    (one,) = read(found).acts
    assert (one.id, one.state.word, one.person.ssh, one.host) == (made.id, "done", "192.0.2.7", "train-01")
    assert (len(seen), recorder.warning) == (2, None)
    where.close()


async def test_what_cannot_be_recorded_is_not_done_unless_it_ends_something(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    recorder = AuditRecorder(places(tmp_path), HOST)
    act = Counted()
    with pytest.raises(RefusedError, match=r"Not done, because it cannot be recorded: .*state is no folder"):
        await Doer(recorder).carry_out(await act.plan(), silent)
    assert act.done == []
    ends = Counted(ends=True)
    result = await Doer(recorder).carry_out(await ends.plan(), silent)
    assert isinstance(result, Outcome)
    assert len(ends.done) == 1
    assert "is no folder" in str(result.unrecorded)


async def test_the_journal_alone_is_enough_and_the_files_reason_is_kept(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    recorder = AuditRecorder(places(tmp_path), HOST)
    with StandIn(tmp_path / "s") as journald:
        result = await Doer(recorder).carry_out(await Counted().plan(), silent)
        assert [dict(journald.taken())["MLOPS_PHASE"] for _ in range(2)] == [b"begun", b"ended"]
        assert isinstance(result, Outcome)
        assert result.unrecorded is None
        assert "is no folder" in str(recorder.warning)
        (tmp_path / "state").unlink()
        await recorder.begin(plan())
        assert recorder.warning is None


async def test_an_act_whose_console_was_ended_says_that_it_was_broken_off(tmp_path: Path) -> None:
    class Stuck(Counted):
        async def perform(self, plan: Plan, target: Target, tell: Tell) -> Result:
            begins.set()
            await asyncio.Event().wait()
            raise AssertionError

    begins = asyncio.Event()
    where = places(tmp_path)
    doing = asyncio.ensure_future(Doer(AuditRecorder(where, HOST)).carry_out(await Stuck().plan(), silent))
    await begins.wait()
    assert read(await where.lines()).acts[0].state.word == "no end"
    doing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await doing
    (one,) = read(await where.lines()).acts
    assert (one.state.word, one.told) == ("unsure", "broken off")
    where.close()


async def test_the_demos_acts_are_written_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    where = InMemory(ANNA)
    await Doer(AuditRecorder(where, HOST)).carry_out(await Counted().plan(), silent)
    assert [one.state.word for one in read(await where.lines()).acts] == ["done"]
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - nothing else is asked of it


async def test_a_read_only_console_does_nothing_whoever_asks() -> None:
    where = InMemory(ANNA)
    act = Counted()
    with pytest.raises(RefusedError, match=r"^Read-only: acts are off \(MLOPS_READ_ONLY\)\.$"):
        await Doer(AuditRecorder(where, HOST), read_only=Clean("MLOPS_READ_ONLY")).carry_out(await act.plan(), silent)
    assert (act.done, await where.lines()) == ([], [])
