"""Agreeing to a plan at a real terminal, and ctrl+c at each moment."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.console.cli.small_program import SMALL
from tests.console.real.program import ROOT
from tests.support.terminal import Pty

WORD = {"weight": 2, "word": "project-b"}


def program(spec: dict[str, Any], *words: str) -> Pty:
    return Pty([*SMALL, json.dumps(spec), "do", *words], environment={"PYTHONPATH": str(ROOT), "NO_COLOR": "1"})


def asked(spec: dict[str, Any], question: str, typed: str, *words: str) -> tuple[int, str]:
    """Exit status and screen after `typed` at the question."""
    with program(spec, *words) as terminal:
        terminal.wait_for(question.encode())
        terminal.write(typed.encode())
        status = terminal.wait()
        return status, terminal.data.decode()


@pytest.mark.parametrize(
    ("spec", "question", "typed", "agreed"),
    [
        ({"weight": 0}, "do it? [Y/n] ", "\n", True),
        ({"weight": 0}, "do it? [Y/n] ", "Y\n", True),
        ({"weight": 0}, "do it? [Y/n] ", "n\n", False),
        ({"weight": 0}, "do it? [Y/n] ", "what\n", False),
        ({"weight": 0}, "do it? [Y/n] ", "\x04", False),
        ({"weight": 1}, "do it? [y/N] ", "\n", False),
        ({"weight": 1}, "do it? [y/N] ", "yes\n", True),
        ({"weight": 1}, "do it? [y/N] ", "y\x04\x04", False),
        (WORD, "Type project-b to do it: ", "project-b\n", True),
        (WORD, "Type project-b to do it: ", "y\n", False),
        (WORD, "Type project-b to do it: ", "\n", False),
    ],
)
def test_a_plan_is_asked_for_as_its_weight_wants(spec: dict[str, Any], question: str, typed: str, agreed: bool) -> None:
    status, screen = asked(spec, question, typed)
    assert screen.startswith("Do  thing\r\n  does   makes a thing")
    assert ("DID thing" in screen, status) == ((True, 0) if agreed else (False, 1))
    assert ("mlops-console: nothing was done." in screen) is not agreed


def test_yes_is_not_asked_and_a_word_is_all_the_same() -> None:
    with program({"weight": 1}, "--yes") as terminal:
        assert terminal.wait() == 0
        assert "Do  thing" not in terminal.data.decode()
    assert asked(dict(WORD), "Type project-b to do it: ", "\n", "--yes")[0] == 1


def test_what_was_typed_before_the_question_is_no_answer() -> None:
    """It still starts: somebody presses enter once more because nothing happens."""
    with program({"weight": 0}) as terminal:
        terminal.write(b"y\n\n\n")
        terminal.wait_for(b"do it? [Y/n] ")
        terminal.write(b"n\n")
        assert terminal.wait() == 1


@pytest.mark.parametrize("words", [(), ("--yes",)])
def test_a_plan_that_moved_is_asked_for_again(words: tuple[str, ...]) -> None:
    with program({"weight": 0, "moves": 2}, *words) as terminal:
        if not words:
            terminal.wait_for(b"do it? [Y/n] ")
            terminal.write(b"\n")
        terminal.wait_for(lambda data: b"The world has moved. This is the new plan." in data and data.endswith(b"[Y/n] "))
        assert b"DID" not in terminal.data
        terminal.write(b"\n")
        assert terminal.wait() == 0
        assert b"Do  thing once more" in terminal.data


def test_with_json_only_the_answer_is_on_stdout() -> None:
    """stdout is a pipe, stdin and stderr are the terminal: the question is still seen, and still answered."""
    command = f"{' '.join(SMALL)} '{json.dumps({'weight': 0})}' do --json | tr a-z A-Z"
    with Pty(["sh", "-c", command], environment={"PYTHONPATH": str(ROOT), "NO_COLOR": "1"}) as terminal:
        terminal.wait_for(b"do it? [Y/n] ")
        terminal.write(b"\n")
        assert terminal.wait() == 0
        assert b'"FATE": "DONE"' in terminal.data


def test_ctrl_c_at_the_question() -> None:
    status, screen = asked({"weight": 0}, "do it? [Y/n] ", "\x03")
    assert status == 130
    assert screen.endswith("mlops-console: nothing was done.\r\n")
    assert "DID" not in screen


def test_ctrl_c_while_it_is_done() -> None:
    with program({"weight": 0, "slow": True}, "--yes") as terminal:
        terminal.wait_for(b"doing thing for 2s")
        terminal.write(b"\x03")
        assert terminal.wait() == 130
        assert b"broken off: what was under way may have been done, the rest was not begun." in terminal.data


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_ctrl_c_while_it_is_waited_for(more: tuple[str, ...]) -> None:
    with program({"ends": ""}, "--yes", "--wait", *more) as terminal:
        terminal.wait_for(b"started as #43")
        terminal.write(b"\x03")
        assert terminal.wait() == 130
        screen = terminal.data.decode()
        assert "no longer waited for: train #43 goes on at Jenkins." in screen
        assert ('"fate": "done"' in screen) is bool(more)


@pytest.mark.parametrize(("ends", "status"), [("good", 0), ("bad", 1), ("aborted", 4)])
def test_a_reader_that_has_gone_does_not_end_the_wait(tmp_path: Path, ends: str, status: int) -> None:
    started = subprocess.Popen(
        [*SMALL, json.dumps({"ends": ends}), "do", "--yes", "--wait"],
        cwd=ROOT,
        env={**os.environ, "HOME": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert started.stdout is not None
    assert started.stderr is not None
    started.stdout.close()
    with started.stderr as said:
        assert "Traceback" not in said.read()
    assert started.wait(60) == status
