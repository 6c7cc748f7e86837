"""`audit`: what was written down, for people and for programs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from console.actions.plan import Fate
from console.sources.auditfile import AuditFile
from console.text import clean
from tests.console.actions.planning import outcome, plan, target
from tests.console.actions.test_audit import AT, lines
from tests.console.cli.calling import FakeBackend, answer, call
from tests.console.fakes import FakeCompose, FakeEngine


@pytest.fixture(autouse=True)
def viewer_in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def backend(tmp_path: Path) -> FakeBackend:
    return FakeBackend(FakeEngine(), FakeCompose(), tmp_path)


def write(backend: FakeBackend, *wanted: bytes, most: int = 2_000_000) -> None:
    file = AuditFile(backend.folder / "state", most=most)
    for line in wanted:
        file.append(line.decode())


THREE = (
    outcome(plan(target(41)), Fate.DONE),
    outcome(plan(target(42), target(43), target(44, "It has ended.")), Fate.DONE, Fate.FAILED, words="Jenkins is away."),
    outcome(plan(target(45)), Fate.DONE),
)


def test_one_line_for_each_act_newest_last(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    write(backend, *lines(*THREE, broken_off=True))
    assert call(backend, "audit") == 0
    rows = [line.split(maxsplit=4) for line in capsys.readouterr().out.splitlines()]
    assert rows[0][:4] == ["TIME", "WHO", "ACT", "ON"]
    assert rows[1][:4] == ["2026-11-23", "14:03:46", "anna@192.0.2.7", "retrigger"]
    assert rows[1][4].split("  ")[0] == "train #41"
    assert rows[1][4].endswith("done    queued as item 12")
    assert rows[2][4].startswith("train #42 and train #43  ")
    assert rows[2][4].endswith("1 of 2  Jenkins is away.")
    assert "no end" in rows[3][4]
    assert "or was broken off." in rows[3][4]
    assert len(rows) == 4


def test_programs_get_all_of_it(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    write(backend, *lines(*THREE, broken_off=True))
    status, document = answer(backend, capsys, "audit")
    assert (status, document["kind"], document["damaged"]) == (0, "audit", 0)
    assert document["sources"]["audit"]["state"] == "ok"
    first, second, third = document["items"]
    assert (first["begun"], first["ended"]) == ("2026-11-23T14:03:46Z", "2026-11-23T14:03:48Z")
    assert first["person"] == {"user": "anna", "uid": 1000, "sudo": None, "ssh": "192.0.2.7", "jenkins": "anna-at-ci"}
    assert (second["state"], second["class"], second["left_out"][0]["why"]) == ("1 of 2", "broken", "It has ended.")
    assert (third["state"], third["ended"], third["results"]) == ("no end", None, [])


def test_since_is_what_logs_take(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    write(backend, *lines(*THREE))
    moment = (AT + timedelta(seconds=30)).isoformat()
    assert len(answer(backend, capsys, "audit", "--since", moment)[1]["items"]) == 2
    assert call(backend, "audit", "--since", "2026-11-24") == 0
    assert capsys.readouterr().out == "Nothing has been done with this console since then.\n"
    assert call(backend, "audit", "--since", "soon") == 2
    assert "soon is no time. A time is 10m" in capsys.readouterr().err


def test_nothing_yet(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(backend, "audit") == 0
    assert capsys.readouterr().out == "Nothing has been done with this console yet.\n"
    assert answer(backend, capsys, "audit")[1]["items"] == []


def test_older_files_are_read_too(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    write(backend, *lines(*THREE), most=1500)
    assert (backend.folder / "state" / "audit.jsonl.2").exists()
    items = answer(backend, capsys, "audit")[1]["items"]
    assert [one["objects"][0]["name"] for one in items] == ["train #41", "train #42", "train #45"]


def test_damaged_lines_are_told_beside_the_others(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    write(backend, b"{", *lines(THREE[0]), b"no JSON")
    assert call(backend, "audit") == 0
    told = capsys.readouterr()
    assert told.err == "mlops-console: 2 lines of the audit file are damaged and left out.\n"
    assert "train #41" in told.out
    assert answer(backend, capsys, "audit")[1]["damaged"] == 2


def test_a_file_that_cannot_be_read_is_told(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    place = backend.folder / "state" / "audit.jsonl"
    place.mkdir(parents=True)
    assert call(backend, "audit") == 3
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", f"mlops-console: {place} is no plain file. Move it away.\n")
    status, document = answer(backend, capsys, "audit")
    assert (status, document["items"]) == (3, [])
    assert document["sources"]["audit"] == {
        "state": "unreachable",
        "reason": f"{place} is no plain file. Move it away.",
        "taken_at": None,
    }


def test_what_stands_in_the_file_reaches_no_terminal_unclean(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    of = outcome(replace(plan(target(41)), title=clean("x")), Fate.DONE)
    write(backend, *(line.replace(b"queued as", rb"\u001b[31mqueued\u202eas") for line in lines(of)))
    assert call(backend, "audit") == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "queued<U+202E>as item 12" in out


def test_the_program_reads_where_xdg_has_it_and_the_demo_reads_nothing(tmp_path: Path) -> None:
    AuditFile(tmp_path / "mlops-console").append(lines(THREE[0])[0].decode())
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path)}

    def run(*words: str) -> str:
        command = [sys.executable, "-m", "console.main", *words]
        done = subprocess.run(command, env=env, cwd=Path(__file__).parents[3], capture_output=True, text=True, check=True)
        return done.stdout

    assert "train #41" in run("audit")
    assert run("--demo", "audit") == "Nothing has been done with this console yet.\n"
