"""A repository with small projects of its own, a private Engine, and the steps as Jenkins and `make train` call them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.engine import Engine
from tests.support.waiting import until_sync

ROOT = Path(__file__).parents[2]
BIN = ROOT / "infra" / "jenkins" / "bin"

CONFIG = """resources:
  gpus: 0
  memory: 256m
  shm: 16m
  cpus: 1
  timeout: 5m
train:
  epochs: 3
"""

DOCKERFILE = """ARG BASE_IMAGE=busybox:test
FROM ${BASE_IMAGE}
WORKDIR /app
COPY . .
USER 1000:1000
CMD ["./run.sh"]
"""


class Repository:
    """Projects of its own, and the steps that need no Engine. Projects are shell scripts unless they come with files."""

    bin = BIN

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.repository = folder / "repository"
        self.runs = folder / "runs"
        self.repository.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")
        self.environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "MLOPS_REPOSITORY": str(self.repository),
            "RUNS_DIR": str(self.runs),
            "JOB_NAME": "train",
            "BUILD_URL": "http://jenkins.test/job/train/1/",
        }

    def project(self, name: str, script: str = "", **files: str) -> str:
        """Write and commit a project whose run.sh is `exec sh src/main.sh` with this script; the commit.

        Files are named with __ for a slash and _dot_ for a point; an empty text leaves one out.
        """
        whole = {
            "Dockerfile": DOCKERFILE,
            "config.yaml": CONFIG,
            "requirements.txt": "",
            "run.sh": "#!/bin/sh\nexec sh src/main.sh\n",
            "src/main.sh": script or "echo trained\n",
            **{key.replace("__", "/").replace("_dot_", "."): text for key, text in files.items()},
        }
        for path, text in whole.items():
            place = self.repository / "projects" / name / path
            place.parent.mkdir(parents=True, exist_ok=True)
            if text or path == "requirements.txt":
                place.write_text(text, encoding="utf-8")
        run = self.repository / "projects" / name / "run.sh"
        if run.exists():
            run.chmod(0o755)
        return self.commit(name)

    def copy(self, name: str) -> str:
        """Commit a copy of one of the repository's real projects; the commit."""
        ignored = shutil.ignore_patterns("__pycache__", ".venv", "out", ".mypy_cache", ".pytest_cache")
        shutil.copytree(ROOT / "projects" / name, self.repository / "projects" / name, ignore=ignored)
        return self.commit(name)

    def commit(self, message: str) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", f"--message={message}")
        return self.git("rev-parse", "HEAD").strip()

    def secret(self, name: str, content: str) -> Path:
        """A file that only we may read."""
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(content + "\n", encoding="utf-8")
        return path

    def step(self, name: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a step to its end; `arguments` are the words of its command line."""
        return subprocess.run(
            [str(BIN / name), *arguments],
            cwd=self.folder,
            env={**self.environment, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def good(self, name: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """The same, and it has to end with 0."""
        done = self.step(name, *arguments, **variables)
        assert done.returncode == 0, f"{name}: exit {done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
        return done

    def file(self, build: str, name: str, job: str = "train") -> Path:
        return self.runs / f"{job}-{build}" / name

    def git(self, *arguments: str) -> str:
        identity = {f"GIT_{who}_{what}": "tests@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.repository,
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder), **identity},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout


class Workplace(Repository):
    """The same with an Engine."""

    def __init__(self, folder: Path, engine: Engine) -> None:
        super().__init__(folder)
        self.engine = engine
        self._processes: list[subprocess.Popen[bytes]] = []
        self.environment |= {
            **engine.environment,
            "PATH": f"{Path(sys.executable).parent}:{engine.environment['PATH']}",
            # The private Engine has no bridge.
            "MLOPS_NETWORK": "host",
            "MLOPS_BUILD_NETWORK": "host",
            "MLOPS_MIN_FREE": "1m",
            "MLOPS_STOP_GRACE": "60",
            "MLOPS_GPUS": "none",
        }

    def begin(self, name: str, **variables: str) -> subprocess.Popen[bytes]:
        """Start a step; its output is in `output(process)`. `close` ends it at the latest."""
        number = len(self._processes)
        with (self.folder / f"step-{number}.out").open("wb") as out:
            process = subprocess.Popen(
                [str(BIN / name)],
                cwd=self.folder,
                env={**self.environment, **variables},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._processes.append(process)
        return process

    def output(self, process: subprocess.Popen[bytes]) -> str:
        number = self._processes.index(process)
        return (self.folder / f"step-{number}.out").read_text(encoding="utf-8", errors="replace")

    def started(self, project: str, commit: str, build: str, **variables: str) -> str:
        """check, build and start; the container's id."""
        named = {"PROJECT": project, "COMMIT": commit, "BUILD_NUMBER": build, **variables}
        self.good("check", **named)
        self.good("build", **named)
        self.good("start", **named)
        return str(self.run(build)["container"])

    def run(self, build: str, job: str = "train") -> dict[str, Any]:
        return self._json(f"{job}-{build}", "run.json")

    def result(self, build: str, job: str = "train") -> dict[str, Any]:
        return self._json(f"{job}-{build}", "result.json")

    def containers(self) -> list[str]:
        """Names of all containers of the platform in the Engine."""
        return self.engine.docker("ps", "--all", "--filter", "label=mlops.managed=true", "--format", "{{.Names}}").split()

    def volumes(self) -> list[str]:
        """Names of all volumes in the Engine."""
        return self.engine.docker("volume", "ls", "--quiet").split()

    def says(self, container: str, text: str) -> None:
        """Wait until the container's log has this."""
        until_sync(lambda: text in self.engine.docker("logs", container), f"{text!r} in the log")

    def close(self) -> None:
        """End what was begun, and remove the containers."""
        for process in self._processes:
            if process.poll() is None:
                process.kill()
            process.wait()
        for name in self.containers():
            self.engine.docker("rm", "--force", "--volumes", name)
        for volume in self.engine.docker("volume", "ls", "--quiet", "--filter", "label=mlops.managed=true").split():
            self.engine.docker("volume", "rm", "--force", volume)
        listing = self.engine.docker("images", "--filter", "label=mlops.managed=true", "--format", "{{.Repository}} {{.ID}}")
        # The publisher's takes seconds to make and is the same for every test.
        images = {line.split()[1] for line in listing.splitlines() if not line.startswith("mlops/publisher ")}
        if images:
            self.engine.docker("rmi", "--force", *images)

    def _json(self, run: str, name: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.runs / run / name).read_text(encoding="utf-8"))
        return content
