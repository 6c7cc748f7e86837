"""The environment: made from the lock, once, and made again when it is no longer what the lock says."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress

import psutil
import pyte
import pytest

from tests.repository.clone import Clone
from tests.support.waiting import until_sync

# Writes down what it was asked for. INTERRUPT: a signal that ends the set-up meanwhile; GATE: a pipe to wait for.
UV = """
echo "uv $*" >>"$CALLS"
[ -z "${INTERRUPT:-}" ] || [ "$1" = venv ] || kill -s "$INTERRUPT" "$PPID"
[ -z "${GATE:-}" ] || [ "$2" != sync ] || read -r _ <"$GATE"
[ -z "${BREAK:-}" ] || [ "$1" = venv ] || { echo 'no route to host' >&2; exit 1; }
if [ "$1" = venv ]; then
    mkdir -p .venv/bin
    printf '#!/bin/sh\\nexec "%s" "$@"\\n' "$REAL" >.venv/bin/python
    printf '#!/bin/sh\\necho "console: $*"\\n' >.venv/bin/mlops-console
    "$REAL" -c 'import os; [os.chmod(".venv/bin/" + name, 0o755) for name in ("python", "mlops-console")]'
fi
"""

# A Python that makes environments without asking the network: the pip in them writes down what it was asked for.
PYTHON = """
if [ "$1 $2" = '-m venv' ]; then
    echo "NAME $*" >>"$CALLS"
    mkdir -p "$3/bin"
    printf '#!/bin/sh\\ncase $1$2 in -mpip) echo "pip $*" >>"$CALLS" ;; *) exec "%s" "$@" ;; esac\\n' "$REAL" >"$3/bin/python"
    "$REAL" -c 'import os, sys; os.chmod(sys.argv[1], 0o755)' "$3/bin/python"
    exit
fi
[ "$1 $2" != '-I -c' ] || exec "$REAL" -I -c "import sys; FACT; $3"
exec "$REAL" "$@"
"""
TOO_OLD = "sys.version_info = (3, 9, 2, 'final', 0)"
NEW_ENOUGH = "sys.version_info = (3, 12, 4, 'final', 0)"
NO_ENSUREPIP = NEW_ENOUGH + "; sys.modules['ensurepip'] = None"
NO_VENV = NEW_ENOUGH + "; sys.modules['venv'] = None"
LACKS_PYTHON = (
    'No Python 3.11 or newer is on PATH: install one, on Debian 12 or Ubuntu 24.04 with "sudo apt install python3-venv".\n'
)
LACKS_VENV = 'Python 3.12 is here without its venv module: run "sudo apt install python3.12-venv" (Debian, Ubuntu).\n'


def python(fact: str, name: str = "python3") -> str:
    return PYTHON.replace("FACT", fact).replace("NAME", name)


def set_up(clone: Clone, kind: str = "runtime", **env: str) -> list[str]:
    """Run the set-up, which must succeed without a word, and return the calls that it made."""
    done = clone.run("scripts/setup-env", kind, **env)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return clone.calls()


def kinds(calls: list[str]) -> list[str]:
    return [" ".join(call.split()[:3]) if "pip" in call else " ".join(call.split()[:2]) for call in calls]


WHOLE = ["uv venv", "uv pip sync", "uv pip install"]
UPDATE = ["uv pip sync", "uv pip install"]


@pytest.fixture
def with_uv(clone: Clone) -> Clone:
    clone.program("uv", UV)
    return clone


def test_uv_makes_it_from_the_hashed_lock_and_then_there_is_nothing_to_do(with_uv: Clone) -> None:
    calls = set_up(with_uv)
    assert kinds(calls) == WHOLE
    assert "--require-hashes" in calls[1]
    assert calls[1].endswith("requirements/runtime.txt")
    assert "--no-deps --no-build-isolation --editable ." in calls[2]
    assert set_up(with_uv) == []


def test_without_uv_the_newest_python_makes_it_with_pip(clone: Clone) -> None:
    clone.program("python3", python(NEW_ENOUGH, "python3"))
    clone.program("python3.11", python(NEW_ENOUGH, "python3.11"))
    clone.program("python3.12", python(NEW_ENOUGH, "python3.12"))
    clone.program("python3.13", python(NO_ENSUREPIP, "python3.13"))
    clone.program("python3.14", "echo 'version 3.14 is not installed' >&2; exit 127")
    venv, lock, project = set_up(clone)
    assert venv == "python3.12 -m venv .venv"
    assert "--require-hashes --requirement requirements/runtime.txt" in lock
    assert "--no-deps --no-build-isolation --editable ." in project
    assert set_up(clone) == []


@pytest.mark.parametrize(
    ("pythons", "sentence"),
    [
        ({}, LACKS_PYTHON),
        ({"python3": TOO_OLD}, LACKS_PYTHON),
        ({"python3": NO_ENSUREPIP}, LACKS_VENV),
        ({"python3": TOO_OLD, "python3.12": NO_VENV}, LACKS_VENV),
    ],
    ids=["none", "old", "no-ensurepip", "no-venv"],
)
def test_without_a_usable_python_one_sentence_says_what_to_run(clone: Clone, pythons: dict[str, str], sentence: str) -> None:
    for name, fact in pythons.items():
        clone.program(name, python(fact))
    done = clone.run("scripts/setup-env", "runtime")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", sentence)
    assert not clone.venv.exists()
    assert clone.calls() == []


def test_an_unknown_kind_is_refused(clone: Clone) -> None:
    done = clone.run("scripts/setup-env", "everything")
    assert (done.returncode, done.stderr) == (2, "usage: scripts/setup-env runtime|platform|dev|ansible|infra\n")


@pytest.mark.parametrize("changed", ["requirements/runtime.txt", "pyproject.toml"])
def test_a_change_of_what_it_is_made_from_updates_it(with_uv: Clone, changed: str) -> None:
    set_up(with_uv)
    with (with_uv.folder / changed).open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    assert kinds(set_up(with_uv)) == UPDATE
    assert set_up(with_uv) == []


def test_a_larger_one_serves_for_a_smaller(with_uv: Clone) -> None:
    assert set_up(with_uv, "dev")[1].endswith("requirements/dev.txt")
    assert set_up(with_uv, "runtime") == []
    update = set_up(with_uv, "infra")
    assert kinds(update) == UPDATE
    assert update[0].endswith("requirements/infra.txt")
    assert set_up(with_uv, "dev") == []


def test_it_stays_the_larger_one_when_the_smaller_is_asked_for_after_a_change(with_uv: Clone) -> None:
    set_up(with_uv, "dev")
    (with_uv.folder / "requirements/dev.txt").write_text("# changed\n", encoding="utf-8")
    assert set_up(with_uv, "runtime")[0].endswith("requirements/dev.txt")


@pytest.mark.parametrize("signal", ["KILL", "TERM", "INT"])
def test_an_interrupted_one_does_not_count_and_is_begun_anew(with_uv: Clone, signal: str) -> None:
    assert with_uv.run("scripts/setup-env", "runtime", INTERRUPT=signal).returncode != 0
    assert "uv pip install" not in kinds(with_uv.calls())
    assert kinds(set_up(with_uv)) == WHOLE


def test_an_interrupted_update_leaves_nothing_that_counts(with_uv: Clone) -> None:
    set_up(with_uv, "runtime")
    assert with_uv.run("scripts/setup-env", "dev", INTERRUPT="KILL").returncode != 0
    with_uv.calls()
    assert kinds(set_up(with_uv, "runtime")) == WHOLE


def test_a_half_written_stamp_does_not_count(with_uv: Clone) -> None:
    set_up(with_uv)
    stamp = with_uv.venv / ".made-from"
    stamp.write_text(stamp.read_text(encoding="utf-8")[:20], encoding="utf-8")
    assert kinds(set_up(with_uv)) == WHOLE


def test_a_failure_shows_the_log_and_the_step(with_uv: Clone) -> None:
    done = with_uv.run("scripts/setup-env", "runtime", BREAK="yes")
    assert done.returncode == 1
    assert done.stdout == ""
    log, verdict = done.stderr.splitlines()
    assert log == "no route to host"
    assert verdict.startswith("The set-up of .venv failed at: uv pip sync ")
    with_uv.calls()
    assert kinds(set_up(with_uv)) == WHOLE


def python_gone(clone: Clone) -> None:
    (clone.venv / "bin/python").unlink()
    (clone.venv / "bin/python").symlink_to("/nowhere/python3")


def another_version(clone: Clone) -> None:
    clone.program("python", "echo cpython-399", folder=clone.venv / "bin")


def moved(clone: Clone) -> None:
    clone.folder = clone.folder.rename(clone.folder.with_name("it was moved"))


@pytest.mark.parametrize("ruin", [python_gone, another_version, moved])
def test_one_that_no_longer_works_is_made_anew(with_uv: Clone, ruin: Callable[[Clone], None]) -> None:
    set_up(with_uv)
    ruin(with_uv)
    assert kinds(set_up(with_uv)) == WHOLE
    assert set_up(with_uv) == []


def test_one_that_uv_made_is_made_anew_where_only_pip_is_left(with_uv: Clone) -> None:
    set_up(with_uv)
    (with_uv.programs / "uv").unlink()
    with_uv.program("python3", python(NEW_ENOUGH))
    assert set_up(with_uv, "runtime") == [], "it works without the program that made it"
    assert set_up(with_uv, "dev")[0] == "python3 -m venv .venv"


def test_two_at_once_make_it_once(with_uv: Clone) -> None:
    if not (with_uv.programs / "flock").exists():
        pytest.skip("flock is not installed")
    path = with_uv.folder.parent / "gate"
    os.mkfifo(path)
    gate = os.open(path, os.O_RDWR)
    command = ["scripts/setup-env", "runtime"]
    with subprocess.Popen(command, cwd=with_uv.folder, env=with_uv.env(GATE=str(path))) as first:
        until_sync(lambda: "uv pip sync" in with_uv.calls_file.read_text(encoding="utf-8"), "the first set-up at work")
        with subprocess.Popen(command, cwd=with_uv.folder, env=with_uv.env()) as second:
            until_sync(lambda: waits_for_the_lock(second) or second.poll() is not None, "the second set-up waiting")
            os.write(gate, b"go\n")
            assert (first.wait(), second.wait()) == (0, 0)
    os.close(gate)
    assert kinds(with_uv.calls()) == WHOLE


def waits_for_the_lock(process: subprocess.Popen[bytes]) -> bool:
    try:
        return any(child.name() == "flock" for child in psutil.Process(process.pid).children())
    except psutil.NoSuchProcess:
        return False


def test_a_terminal_sees_that_it_works_and_is_clean_afterwards(with_uv: Clone) -> None:
    ours, theirs = os.openpty()
    command = ["scripts/setup-env", "runtime"]
    subprocess.run(command, cwd=with_uv.folder, env=with_uv.env(), stderr=theirs, check=True, timeout=120)
    os.close(theirs)
    shown = b"".join(until_hung_up(ours))
    os.close(ours)
    assert b"Setting up .venv" in shown
    screen = pyte.Screen(80, 24)
    pyte.ByteStream(screen).feed(shown)
    assert "".join(screen.display).strip() == ""
    assert (screen.cursor.x, screen.cursor.y) == (0, 0)


def until_hung_up(terminal: int) -> Iterator[bytes]:
    """What was written to a terminal whose other end is closed."""
    with suppress(OSError):
        while data := os.read(terminal, 4096):
            yield data


def test_make_console_sets_up_and_becomes_the_console(with_uv: Clone) -> None:
    for _ in range(2):
        done = with_uv.run("make", "console", 'ARGS=status --grep "two words"')
        assert (done.returncode, done.stdout, done.stderr) == (0, "console: status --grep two words\n", "")
    assert kinds(with_uv.calls()) == WHOLE
    demo = with_uv.run("make", "demo")
    assert (demo.returncode, demo.stdout, demo.stderr) == (0, "console: --demo\n", "")
