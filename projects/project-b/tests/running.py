"""Trainings as processes. Their output goes to files, so that nothing waits for a reader."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.diamonds import REPO, REVISION

PROJECT = Path(__file__).parents[1]
COMMIT = "89abcdef0123456789abcdef0123456789abcdef"
DEADLINE = 60.0


class Training:
    def __init__(self, process: subprocess.Popen[bytes], out: Path) -> None:
        self.process = process
        self.out = out

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

    def metrics(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.out / "metrics.json").read_text(encoding="utf-8"))
        return content


@contextmanager
def training(out: Path, home: Path, *overrides: str, resume: Path | None = None) -> Iterator[Training]:
    """A training on the data in the cache at `home`, without a network. It has ended after the `with`."""
    ours = ("MLOPS_", "HF_", "RESUME_DIR", "PYTHONUNBUFFERED")
    env = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    env |= {
        "OUT_DIR": str(out),
        "MLOPS_PROJECT": "project-b",
        "MLOPS_JOB": "train",
        "MLOPS_BUILD": "48",
        "MLOPS_COMMIT": COMMIT,
        "MLOPS_OVERRIDES": "\n".join((f"data.repo={REPO}", f"data.revision={REVISION}", *overrides)),
        "HF_HOME": str(home),
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
    }
    if resume is not None:
        env["RESUME_DIR"] = str(resume)
    stdout, stderr = out.with_name(f"{out.name}.stdout"), out.with_name(f"{out.name}.stderr")
    with stdout.open("wb") as said, stderr.open("wb") as complained:
        command = [sys.executable, "-m", "src.train"]
        process = subprocess.Popen(command, cwd=PROJECT, env=env, stdout=said, stderr=complained)
    try:
        yield Training(process, out)
    finally:
        process.kill()
        process.wait(DEADLINE)


def ran(out: Path, home: Path, *overrides: str, resume: Path | None = None) -> tuple[int, Training]:
    """A training from its beginning to its end: its status and what it left."""
    with training(out, home, *overrides, resume=resume) as done:
        return done.status(), done
