"""Locales other than UTF-8: nothing that cannot be written ends anything, and names stay readable."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.console.real.program import environment, run, screen_command
from tests.console.real.test_terminals import picture
from tests.support.engine import Engine
from tests.support.images import BUSYBOX
from tests.support.terminal import Pty

# What a container can be told to print and be labelled with: Latin letters, wide characters, an emoji, what combines.
ODD = "zzodd Größe 日本語 e\u0301 🙂 Ω"

CHARSETS = {
    "C": {"LANG": "C", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    "POSIX": {"LANG": "POSIX", "LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    # Not every machine has the locale itself: to Python its charset is what counts.
    "ISO-8859-1": {"LANG": "C.UTF-8", "PYTHONIOENCODING": "iso-8859-1"},
}


@pytest.fixture
def odd(engine: Engine) -> Iterator[str]:
    """A container with such a label, which prints such lines."""
    name = f"odd-{os.getpid()}"
    line = f"while :; do echo 'ERROR {ODD}'; sleep 1; done"
    labels = [f"--label=note={ODD}", "--label=com.docker.compose.project=p", f"--label=com.docker.compose.service={ODD}"]
    engine.docker("run", "-d", "--network=none", "--name", name, *labels, BUSYBOX, "sh", "-c", line)
    yield name
    engine.docker("rm", "-f", name)


@pytest.mark.parametrize("charset", CHARSETS)
def test_the_screen_and_every_name_on_it(engine: Engine, odd: str, tmp_path: Path, charset: str) -> None:
    env = environment(engine, tmp_path, **CHARSETS[charset])
    with Pty(screen_command(), 100, 30, env, answers=True) as terminal:
        # Other tests have containers on this Engine too, and this one may stand below what fits.
        terminal.wait_for(lambda data: any(re.search(r"\b1 Services \d", row) for row in picture(data, 100, 30)))
        terminal.write(b"/zzodd\r")
        terminal.wait_for(lambda data: any("1 of " in row for row in picture(data, 100, 30)))
        terminal.write(b"L")
        terminal.wait_for(b"ERROR")
        terminal.write(b"q?")
        whole = terminal.wait_for(b"keys that work here")
        terminal.write(b"Q")
        assert terminal.wait() == 0
        data = terminal.data
    encoding = "latin-1" if charset == "ISO-8859-1" else "ascii"
    text = data.decode(encoding)
    assert "Größe ??????" in text if encoding == "latin-1" else "Gr??e ??????" in text
    assert "defect" not in text
    assert not any(ord(char) > 0xFF for char in text)
    rows = picture(whole.replace(b"\xf6", b"o").replace(b"\xdf", b"s"), 100, 30)
    assert all(len(row) == 100 for row in rows)
    assert rows[-1].rstrip().endswith("quit") or "quit" in rows[-1] or "help" in " ".join(rows)


@pytest.mark.parametrize("charset", CHARSETS)
def test_commands_and_completion(engine: Engine, odd: str, tmp_path: Path, charset: str) -> None:
    env = environment(engine, tmp_path, **CHARSETS[charset])
    for words in (["status"], ["services"], ["containers"], ["services", "--json"], ["logs", odd, "--tail", "2"], ["--help"]):
        done = _bytes(env, *words)
        assert done[0] in (0, 1), done
        assert b"Traceback" not in done[2]
        assert b"defect" not in done[2]
    status, out, _ = _bytes(env, "services")
    assert b"?" in out
    wrong = _bytes(env, "services", ODD + "x")
    assert wrong[0] == 2
    assert b"there is no service" in wrong[2]
    completing = env | {
        "_MLOPS_CONSOLE_COMPLETE": "bash_complete",
        "COMP_WORDS": f"mlops-console logs {ODD}",
        "COMP_CWORD": "2",
    }
    status, _, err = _bytes(completing)
    assert status == 0
    assert err == b""
    done2 = run(env, "completion", "bash")
    assert done2.returncode == 0


def _bytes(env: dict[str, str], *words: str) -> tuple[int, bytes, bytes]:
    import subprocess

    done = subprocess.run(screen_command(*words), env=env, cwd=env["HOME"], capture_output=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr
