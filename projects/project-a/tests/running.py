"""Trainings: as processes, whose output goes to files so that nothing waits for a reader, and quicker ones in this process."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from src import contract, train

PROJECT = Path(__file__).parents[1]
COMMIT = "89abcdef0123456789abcdef0123456789abcdef"
REPO, REVISION = "somebody/project-a", "0123456789abcdef0123456789abcdef01234567"
DEADLINE = 60.0
# A network that learns something in a moment, on the CPU of any machine.
SMALL = ("channels=4", "blocks=1", "batch_size=32", "epochs=2", "learning_rate=0.01", "patience=0", "log_every=5", "device=cpu")


@dataclass
class Training:
    out: Path

    @property
    def stdout(self) -> str:
        return self.out.with_name(f"{self.out.name}.stdout").read_text(encoding="utf-8")

    @property
    def stderr(self) -> str:
        return self.out.with_name(f"{self.out.name}.stderr").read_text(encoding="utf-8")

    def events(self, name: str | None = None) -> list[dict[str, Any]]:
        """All whole lines of stdout so far, or those of one kind."""
        found = [json.loads(line) for line in self.stdout.split("\n")[:-1]]
        return [event for event in found if name in (None, event["event"])]

    def metrics(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.out / "metrics.json").read_text(encoding="utf-8"))
        return content

    def results(self) -> tuple[bytes, bytes]:
        """What two trainings that are the same have the same, to the bit."""
        return (self.out / "metrics.json").read_bytes(), (self.out / "model" / "model.safetensors").read_bytes()


@dataclass
class Process(Training):
    process: subprocess.Popen[bytes]

    def until(self, name: str, count: int) -> None:
        """Wait until so many events of a kind were told."""
        end = time.monotonic() + DEADLINE
        while len(self.events(name)) < count:
            assert self.process.poll() is None, self.stderr
            assert time.monotonic() < end, f"waited {DEADLINE:g}s in vain for {count} of {name}"
            time.sleep(0.005)

    def status(self) -> int:
        """Wait for the end."""
        return self.process.wait(DEADLINE)


def environment(out: Path, overrides: tuple[str, ...], resume: Path | None) -> dict[str, str]:
    ours = ("MLOPS_", "RESUME_DIR", "PYTHONUNBUFFERED")
    env = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    env |= {
        "OUT_DIR": str(out),
        "MLOPS_PROJECT": "project-a",
        "MLOPS_JOB": "train",
        "MLOPS_BUILD": "48",
        "MLOPS_COMMIT": COMMIT,
        "MLOPS_OVERRIDES": "\n".join((*SMALL, *overrides)),
    }
    if resume is not None:
        env["RESUME_DIR"] = str(resume)
    return env


@contextmanager
def training(out: Path, *overrides: str, resume: Path | None = None) -> Iterator[Process]:
    """A training as a process of its own. It has ended after the `with`."""
    stdout, stderr = out.with_name(f"{out.name}.stdout"), out.with_name(f"{out.name}.stderr")
    with stdout.open("wb") as said, stderr.open("wb") as complained:
        process = subprocess.Popen(
            [sys.executable, "-m", "src.train"],
            cwd=PROJECT,
            env=environment(out, overrides, resume),
            stdout=said,
            stderr=complained,
        )
    try:
        yield Process(out, process)
    finally:
        process.kill()
        process.wait(DEADLINE)


def inside(out: Path, *overrides: str, resume: Path | None = None) -> tuple[int, Training]:
    """A training from its beginning to its end in this process, which has loaded torch already."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    streams = io.StringIO(), io.StringIO()
    try:
        with (
            mock.patch.dict(os.environ, environment(out, overrides, resume), clear=True),
            contextlib.redirect_stdout(streams[0]),
            contextlib.redirect_stderr(streams[1]),
        ):
            status = contract.main(train.train, config=PROJECT / "config.yaml")
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    for name, stream in zip(("stdout", "stderr"), streams, strict=True):
        out.with_name(f"{out.name}.{name}").write_text(stream.getvalue(), encoding="utf-8")
    return status, Training(out)


def publish(folder: Path, repo: str = REPO) -> Path:
    """Put a model's files where the Hub's library keeps what it has fetched; returns that folder."""
    place = Path(os.environ["HF_HOME"]) / "hub" / f"models--{repo.replace('/', '--')}"
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(folder, place / "snapshots" / REVISION)
    (place / "refs").mkdir()
    (place / "refs" / "main").write_text(REVISION, encoding="utf-8")
    return place / "snapshots" / REVISION
