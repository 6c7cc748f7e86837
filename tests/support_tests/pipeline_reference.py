"""The Jenkinsfile that the recordings of a real Jenkins were made with, and what stands in for the programs it calls."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from tests.support.pipeline.runner import Node
from tests.support.recorded import RECORDINGS, recorded

# Keeps its "container" as a file, follows until there are EPOCHS lines, ends with FAIL.
TRAINING = """#!/bin/sh
case $1 in
    setting) echo "" ;;
    start) touch running; echo started ;;
    follow)
        i=0
        while [ "$i" -lt "$EPOCHS" ]; do i=$((i + 1)); echo "epoch $i"; sleep 0.05; done
        exit "${FAIL:-0}" ;;
    finish)
        [ -e running ] || { echo "[training] no container left"; exit 0; }
        if [ -n "${SLOW:-}" ] && [ ! -e stopping ]; then
            touch stopping
            echo "[training] stopping"
            sleep 60 || exit 143
        fi
        mkdir -p out
        echo saved >out/checkpoint.json
        echo "epochs" >train.log
        rm running ;;
    metric) echo 0.9 ;;
esac
"""
PARTS = re.compile(
    r"^(\[Pipeline\] .*|Stage \".*|Post stage|Aborted by .*|Error when executing .* post condition:|Terminated|"
    r"script returned exit code .*|\+ ci/training.sh .*|Lock acquired on .*|Lock released on .*|Trying to acquire .*|"
    r"Resource .* did not exist. Created.|Input requested|Approved by .*|Archiving artifacts|Recording fingerprints|"
    r"Finished: .*|ERROR: .*|Timeout set to expire .*)$"
)


def body(name: str) -> Any:
    """The body of a recorded answer, as it is or as what its JSON holds."""
    found = recorded(name).body
    return json.loads(found) if found.startswith("{") else found


def sent(name: str) -> str:
    """The Jenkinsfile that was given to the linter."""
    request = json.loads((RECORDINGS / f"{name}.json").read_text(encoding="utf-8"))["request"]
    return str(parse_qs(request["body"], keep_blank_values=True)["jenkinsfile"][0])


def shape(console: str) -> list[str]:
    """The order of steps, stages and interruptions in a console, without its times and names of users."""
    lines = (re.sub(r"^\[\d{4}-[^\]]+Z\] ", "", line) for line in console.splitlines())
    found = [re.sub(r"^((?:Aborted|Approved) by).*", r"\1", line) for line in lines if PARTS.match(line)]
    # A shell may say it of its child, and then of itself.
    return [line for at, line in enumerate(found) if line != "Terminated" or found[at - 1] != line]


def stages(name: str) -> dict[str, str]:
    """The recorded status of each stage by its name."""
    return {one["name"]: one["status"] for one in body(name)["stages"]}


class Reference:
    """A repository with two commits' worth of what the Jenkinsfile wants, and a `docker` that only says yes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "run"
        self.repository = folder / "repository"
        files = {
            "ci/training.sh": TRAINING,
            "projects/project-a/Dockerfile": "FROM busybox\n",
            "projects/project-a/run.sh": ":\n",
        }
        for name, text in files.items():
            path = self.repository / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(0o755)
        docker = folder / "bin" / "docker"
        docker.parent.mkdir()
        docker.write_text("#!/bin/sh\ncat >/dev/null\necho sha256:0\n")
        docker.chmod(0o755)
        self.node = Node("built-in", frozenset(), {"PATH": f"{docker.parent}:{os.environ['PATH']}"})
        self._git("init", "--quiet", "--initial-branch=main")
        self._git("add", ".")
        self._git("-c", "user.name=a", "-c", "user.email=a@example.invalid", "commit", "--quiet", "-m", "archive the whole log")
        self.commit = self._git("rev-parse", "HEAD")
        self.text = sent("pipeline/lint-train-jenkinsfile")

    def arguments(self, **params: str | bool) -> dict[str, Any]:
        """What `run` takes besides the text."""
        given = {"PROJECT": "project-a", "COMMIT": "", "EPOCHS": "3", "FORCE": False, "ASK_PUBLISH": False, **params}
        return {"folder": self.folder, "scm": self.repository, "nodes": [self.node], "params": given}

    def _git(self, *args: str) -> str:
        command = ["git", "-C", str(self.repository), *args]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
