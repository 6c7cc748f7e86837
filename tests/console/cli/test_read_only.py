"""Read-only: commands that act are gone, and say why when somebody types one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from console.cli.group import ACTING, COMMANDS
from tests.console.cli.calling import FakeBackend, answer, call

OFF = "Read-only: acts are off (MLOPS_READ_ONLY)."


@pytest.fixture(autouse=True)
def acting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that acts by its name; what it does is looked at elsewhere."""
    monkeypatch.setitem(COMMANDS, "retrigger", ("console.cli.queue:queue", "Build it again."))


def test_a_command_that_acts_says_why_it_is_gone(ci: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(ci, "retrigger") == 0
    capsys.readouterr()
    ci.env["MLOPS_READ_ONLY"] = "1"
    assert call(ci, "retrigger") == 2
    assert capsys.readouterr() == ("", f"mlops-console: {OFF}\n")
    assert call(ci, "retrigger", "--help") == 2
    capsys.readouterr()
    status, document = answer(ci, capsys, "retrigger")
    assert (status, document["kind"], document["items"]) == (2, "error", [{"message": OFF}])


def test_everything_else_goes_on(ci: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    ci.env["MLOPS_READ_ONLY"] = "1"
    assert call(ci, "queue") == 0
    assert call(ci, "config", "show") == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("read_only")]
    assert line.split() == ["read_only", "true", "MLOPS_READ_ONLY", "(environment)"]


def test_help_and_hints_do_not_name_what_is_gone(ci: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(ci, "--help") == 0
    assert "Build it again." in capsys.readouterr().out
    assert call(ci, "retriger") == 2
    assert "Did you mean retrigger?" in capsys.readouterr().err
    ci.env["MLOPS_READ_ONLY"] = "1"
    assert call(ci, "--help") == 0
    out = capsys.readouterr().out
    assert "Build it again." not in out
    assert "builds" in out
    assert call(ci, "retriger") == 2
    assert "Did you mean retrigger?" not in capsys.readouterr().err


def test_help_is_there_with_broken_settings_too(ci: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    ci.env["MLOPS_READ_ONLY"] = "maybe"
    assert call(ci, "--help") == 0
    assert "Build it again." in capsys.readouterr().out
    assert call(ci, "retrigger") == 2
    assert "MLOPS_READ_ONLY wants 1 or 0" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("typed", "env", "offered"),
    [
        ("mlops-console retr", {}, ["plain,retrigger"]),
        ("mlops-console retr", {"MLOPS_READ_ONLY": "1"}, []),
        ("mlops-console --read-only retr", {}, []),
    ],
)
def test_completion_offers_only_what_is_there(tmp_path: Path, typed: str, env: dict[str, str], offered: list[str]) -> None:
    code = (
        "import sys; from console.cli.group import COMMANDS; COMMANDS['retrigger'] = ('console.cli.queue:queue', '');"
        "from console.main import main; sys.exit(main([]))"
    )
    words = typed.split()
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "_MLOPS_CONSOLE_COMPLETE": "bash_complete",
            "COMP_WORDS": typed,
            "COMP_CWORD": str(len(words) - 1),
            **env,
        },
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == offered, done.stderr


def test_the_names_are_those_of_the_commands_that_act() -> None:
    of_jenkins = {"retrigger", "abort", "approve", "reject", "cancel", "job", "keep", "node"}
    assert of_jenkins | {"service", "prune"} == ACTING
