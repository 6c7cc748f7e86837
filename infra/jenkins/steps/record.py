"""The run folder: what one training was asked for, what became of it, and what it left.

runs/train-41/
    run.json        what was asked for and what is known (this module)
    position.json   how far `follow` has come
    stop.json       who asked the training to stop, and why
    adopted.json    that it goes on although its build has ended, since when, and who wanted it
    train.log       what the training printed
    out/            what it wrote into /out: model/, checkpoint/, metrics.json, README.md, events.jsonl
    result.json     how it ended
    published.json  where its model is on the Hub
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import subprocess
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import quote

from . import docker
from .problem import Exit, Problem, parameter

LOCAL = "local"
RUN = "mlops.run"
TIMEOUT = "mlops.timeout"
PUBLISHED, ADOPTED = "published.json", "adopted.json"


@dataclass
class Record:
    """run.json. Sizes in bytes, times in seconds."""

    project: str
    commit: str
    job: str
    build: int
    build_url: str = ""
    purpose: str = "train"
    overrides: str = ""
    resume_from: str = ""
    resources: dict[str, Any] = field(default_factory=dict)
    build_args: dict[str, str] = field(default_factory=dict)
    publish: dict[str, Any] | None = None
    image: str = ""
    gpus: str = "none"
    container: str = ""
    could_not_start: str = ""
    run: str = ""
    """A random name of this training. Numbers come again: in another clone, in a job that was made anew."""

    @property
    def labels(self) -> dict[str, str]:
        """What the console joins builds and containers by."""
        known = {
            "mlops.managed": "true",
            "mlops.project": self.project,
            "mlops.commit": self.commit,
            "mlops.job": self.job,
            "mlops.build": str(self.build),
            "mlops.build-url": self.build_url,
            "mlops.gpu": self.gpus,
            "mlops.purpose": self.purpose,
        }
        return {**known, RUN: self.run} if self.run else known

    @property
    def identity(self) -> dict[str, str]:
        """The labels that find this run's containers, and nobody else's."""
        names = ("mlops.managed", "mlops.job", "mlops.build", "mlops.purpose", RUN)
        return {name: value for name, value in self.labels.items() if name in names}

    @property
    def name(self) -> str:
        return f"mlops-{self.project}-{self.build}"

    @property
    def tag(self) -> str:
        """Of the model on the Hub. A run by hand has numbers of its own, so its tags have a word of their own."""
        return f"build-{self.build}" if self.job != LOCAL else f"local-{self.build}"

    @property
    def title(self) -> str:
        return f"{self.project} #{self.build}" if self.job != LOCAL else f"{self.project} {LOCAL}-{self.build}"


class Folder:
    """One run's folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.out = path / "out"
        self.log = path / "train.log"

    def read(self, name: str) -> dict[str, Any] | None:
        """A JSON file of the folder; None when there is none or it was cut off."""
        try:
            content = json.loads((self.path / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return content if isinstance(content, dict) else None

    def write(self, name: str, content: dict[str, Any]) -> None:
        """Whole or not at all."""
        beside = self.path / f".{name}.{os.getpid()}"
        # Escaped: what a training prints or calls its files may hold halves of characters, which UTF-8 cannot write.
        beside.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        beside.replace(self.path / name)

    def record(self) -> Record:
        """Raises Problem when `check` has not been here."""
        content = self.read("run.json")
        if content is None:
            raise Problem(f"{self.path} holds no run.json: check comes first.", Exit.USAGE)
        known = {entry.name for entry in fields(Record)}
        return Record(**{name: value for name, value in content.items() if name in known})

    def keep(self, record: Record) -> None:
        self.write("run.json", asdict(record))

    def forget(self) -> None:
        """What was noted of an earlier training: a folder, like a number, can come again."""
        for name in ("result.json", "position.json", "stop.json", ADOPTED, PUBLISHED):
            (self.path / name).unlink(missing_ok=True)

    def lock(self) -> int | None:
        """Hold the folder while a run by hand is at work; None when somebody holds it. The kernel lets go when we end."""
        number = os.open(self.path / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(number)
            return None
        return number


def runs() -> Path:
    """Where run folders are: RUNS_DIR, or runs/ in the working directory."""
    return Path(os.environ.get("RUNS_DIR") or "runs").absolute()


def folder_name(job: str, build: int | str) -> str:
    return f"{quote(job, safe='')}-{build}"


def job_and_build() -> tuple[str, int]:
    """JOB_NAME and BUILD_NUMBER, as Jenkins sets them. Raises Problem."""
    job, build = parameter("JOB_NAME", default=LOCAL), parameter("BUILD_NUMBER")
    if not build.isdigit():
        raise Problem(f"BUILD_NUMBER is {build!r}; expected a number.", Exit.USAGE)
    return job, int(build)


def current() -> Folder:
    """The folder of the run that the environment names: RUN=local-3, or JOB_NAME and BUILD_NUMBER. Raises Problem."""
    named = os.environ.get("RUN")
    if not named:
        return Folder(runs() / folder_name(*job_and_build()))
    if "/" in named or named.startswith(".") or not (runs() / named).is_dir():
        raise Problem(f"There is no run {named} in {runs()}; {known()}.", Exit.USAGE)
    return Folder(runs() / named)


def known() -> str:
    """`there are local-1, local-2`: the runs that have a folder."""
    there = sorted(path.name for path in runs().glob("*-*") if (path / "run.json").exists())
    return f"there are {', '.join(there[-8:])}" if there else "there are none yet"


def new_local() -> int:
    """A number for a run by hand, and its folder: one more than any that left a folder or a container. Safe for two at once."""
    runs().mkdir(parents=True, exist_ok=True)
    taken = [int(found[1]) for path in runs().iterdir() if (found := re.fullmatch(rf"{LOCAL}-(\d+)", path.name))]
    for container in docker.containers({"mlops.managed": "true", "mlops.job": LOCAL}):
        known = docker.inspect("container", container) or {}
        build = known.get("Config", {}).get("Labels", {}).get("mlops.build", "")
        taken += [int(build)] if build.isdigit() else []
    number = max(taken, default=0) + 1
    while True:
        try:
            (runs() / folder_name(LOCAL, number)).mkdir()
        except FileExistsError:
            number += 1
        else:
            return number


def root() -> Path:
    """The repository that trainings come from: MLOPS_REPOSITORY, or the clone that the working directory is in."""
    named = os.environ.get("MLOPS_REPOSITORY")
    if named:
        return Path(named)
    done = subprocess.run(["git", "rev-parse", "--show-toplevel"], capture_output=True, text=True, check=False)
    return Path(done.stdout.strip() or ".")
