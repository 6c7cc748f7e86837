"""How the answers about Jenkins look: hostile texts, 80 columns, a pipe, JSON."""

from __future__ import annotations

import json
import re
import sys

import pytest

from console.model.build import (
    Artifact,
    Cause,
    CauseKind,
    FailedTest,
    JUnit,
    Result,
    Stages,
    StageStatus,
)
from console.model.cells import width
from console.text import clean
from tests.console.cli.calling import FakeBackend, answer, call
from tests.console.cli.ci import COMMANDS, NASTY, RAW, given, recent, with_last
from tests.console.fake_jenkins import FakeJenkins, build, item, job, node, ref, stage
from tests.console.fakes import FakeEngine, container

# Text from outside


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("terminal", [True, False])
def test_nothing_that_jenkins_says_reaches_the_terminal_raw(
    ci: FakeBackend,
    jenkins: FakeJenkins,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    terminal: bool,
) -> None:
    nasty = recent(
        build(
            number=13,
            result=Result.FAILURE,
            description=clean(NASTY),
            causes=(Cause(CauseKind.USER, clean(NASTY), clean(NASTY)),),
            parameters=given(PROJECT=NASTY, N=NASTY),
            artifacts=(Artifact(clean(NASTY), clean(NASTY)),),
            tests=JUnit(1, 1, 0),
        ),
        20,
    )
    with_last(jenkins, "train", nasty)
    jenkins.listed = (*jenkins.listed, job(NASTY, recent(build(NASTY, 1), 5)))
    jenkins.failed[nasty.ref] = (FailedTest(clean(NASTY), clean(NASTY), clean(NASTY), 1),)
    jenkins.staged[nasty.ref] = Stages(nasty.ref, StageStatus.FAILED, (stage(NASTY, StageStatus.FAILED, error=clean(NASTY)),))
    away = node(NASTY, offline=True, reason=clean(NASTY), labels=(clean(NASTY),))
    jenkins.nodes = (node("trainer-1", ref(NASTY, 1)), away)
    jenkins.node_logs[str(away.name)] = f"ERROR: {NASTY}\n"
    jenkins.queue = (item(7, NASTY, NASTY, parameters=given(PROJECT=NASTY, COMMIT=NASTY)),)
    asks = ref("train", 14)
    jenkins.flying, jenkins.logs[asks] = frozenset({asks}), f"[Pipeline] input\n{NASTY}\nProceed or Abort\n"
    if terminal:
        monkeypatch.setenv("TERM", "xterm-256color")
        monkeypatch.delenv("NO_COLOR", raising=False)
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    call(ci, *words)
    told = capsys.readouterr()
    shown = re.sub(r"\x1b\[[\d;]*m", "", told.out) if terminal else told.out
    assert "[@click=app" in shown
    assert not RAW & set(shown + told.err)
    monkeypatch.undo()
    call(ci, *words, "--json")
    assert not RAW & set(capsys.readouterr().out)


# How it looks


@pytest.mark.parametrize(
    "words",
    [
        ("builds",),
        ("builds", "train"),
        ("build", "train", "127"),
        ("build", "promote"),
        ("stages", "mlops/main"),
        ("queue",),
        ("nodes",),
    ],
    ids=" ".join,
)
def test_everything_fits_into_eighty_columns(
    demo: FakeBackend, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    call(demo, *words)
    told = capsys.readouterr().out
    assert "\x1b[" in told, "glyphs have their colour"
    lines = re.sub(r"\x1b\[[\d;]*m", "", told).splitlines()
    assert max(map(width, lines)) <= 80
    assert len(lines) > 2


def test_the_reason_is_in_sight_at_eighty_columns(
    demo: FakeBackend, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    call(demo, "builds", "train")
    lines = capsys.readouterr().out.splitlines()
    assert any("#127" in line and "project-b: train: out of " in line for line in lines)
    assert any("#129" in line and "project-c: after train #128" in line for line in lines)
    call(demo, "builds")
    assert "project-a: train #128 " in capsys.readouterr().out
    call(demo, "nodes")
    assert "cannot connect: connection refused" in capsys.readouterr().out


@pytest.mark.parametrize("words", [*COMMANDS, ("status",)], ids=" ".join)
def test_on_a_pipe_there_are_glyph_and_word_and_no_colours(
    demo: FakeBackend, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    demo.engine = FakeEngine(container("web"))
    call(demo, *words)
    told = capsys.readouterr().out
    assert "\x1b" not in told
    assert re.search(r"[✓▸◌!✗-] \w+", told)


@pytest.mark.parametrize(
    "words",
    [("builds",), ("builds", "train"), *(("build", "train", str(number)) for number in range(120, 131)), ("queue",), ("nodes",)]
    + [
        (command, name) for command in ("build", "stages") for name in ("promote", "mlops/main", "feature/aug", "nightly tests")
    ],
    ids=" ".join,
)
def test_every_answer_about_the_demo_is_what_its_schema_says(
    demo: FakeBackend, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    status, document = answer(demo, capsys, *words)
    assert status in (0, 1)
    assert document["demo"] is True
    assert document["sources"]["jenkins"]["state"] == "ok"
    assert call(demo, *words) == status, "text and JSON end alike"


def test_every_state_a_person_should_see_is_in_the_demo(demo: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    seen = set()
    for words in (("builds",), ("builds", "train"), ("queue",), ("nodes",)):
        call(demo, *words, "--json")
        seen |= {one["state"] for one in json.loads(capsys.readouterr().out)["items"]}
    for name in ("feature/aug", "promote"):
        call(demo, "build", name, "--json")
        seen |= {one["state"] for one in json.loads(capsys.readouterr().out)["items"]}
    wanted = {
        "running",
        "blocked",
        "approval",
        "failed",
        "no compile",
        "skipped",
        "passed",
        "unstable",
        "no node",
        "off line",
        "busy",
    }
    assert wanted <= seen
