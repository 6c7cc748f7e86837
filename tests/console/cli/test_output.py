"""Printing: never wider than the terminal, nothing lost on a pipe, and no traceback when writing fails."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from console.cli.output import Cell, Column, Printer
from console.model.cells import width
from console.model.state import StateClass, state
from tests.console.real.program import PROGRAM, environment
from tests.support.terminal import Pty

COLUMNS = (
    Column("NAME", least=6, middle=True),
    Column("STATE"),
    Column("IMAGE", least=6, drop=2),
    Column("WHY", least=8, drop=1),
)
ROWS = [
    [
        Cell("customer-churn-forecast"),
        Cell("unhealthy", state(StateClass.BROKEN, "unhealthy")),
        Cell("a/b:1"),
        Cell("refused on :9000"),
    ],
    [Cell("学習用コンテナ"), Cell("done", state(StateClass.GOOD, "done")), Cell("busybox:1.36.1"), Cell("")],
]


def shown(capsys: pytest.CaptureFixture[str], columns: int | None) -> list[str]:
    printer = Printer(color=False, glyphs="unicode", env={})
    printer.columns = columns
    printer.table(COLUMNS, ROWS)
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("columns", range(1, 90))
def test_a_table_is_never_wider_than_the_terminal(capsys: pytest.CaptureFixture[str], columns: int) -> None:
    for line in shown(capsys, columns):
        # Two columns that stay and the blanks between them take four cells, however small the terminal.
        assert width(line) <= max(columns, 4), line


def test_what_decides_stays_longest(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, None)[1] == "customer-churn-forecast  ✗ unhealthy  a/b:1           refused on :9000"
    assert "IMAGE" in shown(capsys, 39)[0]
    assert shown(capsys, 30)[0].split() == ["NAME", "STATE", "WHY"]
    assert shown(capsys, 20)[0].split() == ["NAME", "STATE"]
    assert all("unhealthy" in shown(capsys, columns)[1] for columns in (39, 30, 20))


def test_sentences_go_on_in_the_next_line(capsys: pytest.CaptureFixture[str]) -> None:
    printer = Printer(color=False, glyphs="unicode", env={})
    text = "  Drift is unknown: no compose file at infra/docker-compose.yml. Set compose.file."
    printer.columns = 30
    printer.line(text)
    lines = capsys.readouterr().out.splitlines()
    assert all(width(line) <= 30 and line.startswith("  ") for line in lines)
    assert " ".join(" ".join(lines).split()) == text.strip()
    printer.columns = None
    printer.line(text)
    assert capsys.readouterr().out == text + "\n"


@pytest.mark.parametrize("text", ["x" * 50, "学" * 20, " " * 40, "a " * 30, "", " x" * 9])
@pytest.mark.parametrize("columns", [1, 2, 3, 10])
def test_any_sentence_ends(capsys: pytest.CaptureFixture[str], text: str, columns: int) -> None:
    printer = Printer(color=False, glyphs="unicode", env={})
    printer.columns = columns
    printer.line(text)
    out = capsys.readouterr().out
    assert out.replace("\n", "").replace(" ", "") == text.replace(" ", "")
    assert all(width(line) <= max(columns, 2) for line in out.splitlines())


@pytest.mark.parametrize("command", ["status", "services", "containers", "config show", "config path"])
@pytest.mark.parametrize("columns", [100, 60, 40])
def test_commands_fit_into_a_real_terminal(tmp_path: Path, command: str, columns: int) -> None:
    env = environment(None, tmp_path, TERM="xterm-256color")
    with Pty([*PROGRAM, "--demo", *command.split()], columns, 24, env) as terminal:
        terminal.wait()
        text = re.sub(r"\x1b\[[\d;]*m", "", terminal.data.decode())
    assert "Traceback" not in text
    assert text.strip()
    assert all(width(line) <= columns for line in text.splitlines())


def redirected(tmp_path: Path, redirection: str, *words: str) -> subprocess.CompletedProcess[str]:
    program = " ".join([*PROGRAM, *words, redirection])
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {program}"],
        env=environment(None, tmp_path),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
@pytest.mark.parametrize("more", [(), ("--json",)])
def test_a_full_disk_is_a_sentence(tmp_path: Path, more: tuple[str, ...]) -> None:
    done = redirected(tmp_path, ">/dev/full", "status", "--demo", *more)
    assert done.returncode == 3
    assert done.stderr == "mlops-console: the answer cannot be written: No space left on device\n"


@pytest.mark.parametrize("words", [("status", "--demo"), ("status", "--demo", "--json")])
def test_without_stdout_the_exit_status_is_still_the_answer(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = redirected(tmp_path, ">&-", *words)
    assert (done.returncode, done.stderr) == (1, "")


def test_without_stderr_wrong_use_is_still_two(tmp_path: Path) -> None:
    assert redirected(tmp_path, "2>&-", "servces").returncode == 2


@pytest.mark.parametrize("words", [("--version",), ("status", "--demo"), ("containers", "--demo", "--json")])
def test_a_reader_that_has_gone_hears_nothing(tmp_path: Path, words: tuple[str, ...]) -> None:
    code = (
        "import subprocess, sys; p = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True);"
        "p.stdout.close(); said = p.stderr.read(); print(p.wait(), repr(said))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *PROGRAM, *words],
        env=environment(None, tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == "0 ''\n"
