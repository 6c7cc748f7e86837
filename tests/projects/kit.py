"""The kit as a module, trainings as processes, and events that are held against their schema."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from tests.support.waiting import DEADLINE, until_sync

ROOT = Path(__file__).parents[2]
PROJECTS = ROOT / "projects"
TEMPLATE = PROJECTS / "_template"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
REVISION = "89abcdef0123456789abcdef0123456789abcdef"

_SCHEMA = json.loads((ROOT / "docs" / "schemas" / "events.schema.json").read_text(encoding="utf-8"))
Draft202012Validator.check_schema(_SCHEMA)
SCHEMA = Draft202012Validator(_SCHEMA)

# A marker that a test waits for, and a wait for one that the test makes. Put before a program of a test's own.
PRELUDE = """
import os, signal, sys, time
from pathlib import Path
from src import contract
from src.contract import Comparison, ModelCard, Run, State, TrainingError

OUT = Path(os.environ["OUT_DIR"])

def tell(name):
    (OUT / name).touch()

def wait_for(name):
    while not (OUT / name).exists():
        time.sleep(0.002)

"""


def environment(out: Path, **more: str) -> dict[str, str]:
    """What a training container is given, and nothing of that from the environment of the tests."""
    # Unbuffered output would hide a missing flush.
    ours = ("MLOPS_", "HF_", "OUT_DIR", "RESUME_DIR", "PYTHONUNBUFFERED", "PYTHONPATH")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    given = {
        "OUT_DIR": str(out),
        "MLOPS_PROJECT": "project-t",
        "MLOPS_JOB": "train",
        "MLOPS_BUILD": "48",
        "MLOPS_COMMIT": COMMIT,
        "HF_HOME": str(out.parent / "hub"),
        "HF_ENDPOINT": "http://127.0.0.1:9",
    }
    return {**kept, **given, **more}


class Training:
    """A training that runs. Its output goes to files, so that nothing waits for a reader."""

    def __init__(self, process: subprocess.Popen[bytes], out: Path, stdout: Path, stderr: Path) -> None:
        self.process = process
        self.out = out
        self._stdout = stdout
        self._stderr = stderr

    @property
    def stdout(self) -> str:
        return self._stdout.read_text(encoding="utf-8")

    @property
    def stderr(self) -> str:
        return self._stderr.read_text(encoding="utf-8")

    def events(self, name: str | None = None) -> list[dict[str, Any]]:
        """Those on stdout so far, or those of one kind; each is held against the schema."""
        return [event for event in events(self.stdout) if name in (None, event["event"])]

    def until_marked(self, name: str) -> None:
        until_sync(lambda: self._ended() or (self.out / name).exists(), name)
        assert (self.out / name).exists(), self.stderr

    def until_event(self, name: str) -> None:
        until_sync(lambda: self._ended() or f'"event":"{name}"' in self.stdout, name)
        assert f'"event":"{name}"' in self.stdout, self.stderr

    def send(self, number: signal.Signals = signal.SIGTERM) -> None:
        self.process.send_signal(number)

    def status(self) -> int:
        """Wait for the end."""
        return self.process.wait(DEADLINE)

    def _ended(self) -> bool:
        return self.process.poll() is not None


@contextmanager
def training(out: Path, program: str | None = None, **env: str) -> Iterator[Training]:
    """The template's training, or `program` in its place. It has ended after the `with`."""
    out.mkdir(parents=True, exist_ok=True)
    stdout, stderr = out.with_name(f"{out.name}.stdout"), out.with_name(f"{out.name}.stderr")
    command = [sys.executable, "-m", "src.train"] if program is None else [sys.executable, "-c", PRELUDE + program]
    with stdout.open("wb") as written, stderr.open("wb") as told:
        process = subprocess.Popen(command, cwd=TEMPLATE, env=environment(out, **env), stdout=written, stderr=told)
    try:
        yield Training(process, out, stdout, stderr)
    finally:
        process.kill()
        process.wait(DEADLINE)


def ran(out: Path, program: str | None = None, **env: str) -> tuple[int, Training]:
    """A training from its beginning to its end: its status and what it left."""
    with training(out, program, **env) as done:
        return done.status(), done


def events(text: str) -> list[dict[str, Any]]:
    """Each line is whole, valid JSON without words of Python's own, and one of the schema's events."""
    assert not text or text.endswith("\n"), text
    found = [json.loads(line, parse_constant=_no_number) for line in text.split("\n")[:-1]]
    for event in found:
        SCHEMA.validate(event)
    return found


def _no_number(word: str) -> float:
    raise AssertionError(f"{word} is no JSON")


def settings_of(folder: Path) -> Mapping[str, Any]:
    """config.schema.json of a project."""
    content: Mapping[str, Any] = json.loads((folder / "config.schema.json").read_text(encoding="utf-8"))
    return content
