"""Images built on a private Engine, by the older builder or by BuildKit, and what they take on its disk."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.engine import Engine

# One of the same age as the Engine does without a plugin, which newer ones want for both builders.
_PROGRAM = "/usr/bin/docker"


class NoBuilderError(Exception):
    """Nothing here builds that way; the message says why."""


def build(engine: Engine, tag: str, dockerfile: str, *, buildkit: bool, files: Mapping[str, bytes] | None = None) -> str:
    """The id of an image built from `dockerfile` without a network. Raises NoBuilderError. No tag makes a dangling one."""
    with tempfile.TemporaryDirectory(dir=engine.folder) as folder:
        for name, content in (files or {}).items():
            (Path(folder) / name).write_bytes(content)
        (Path(folder) / "Dockerfile").write_text(dockerfile)
        named = ["--tag", tag] if tag else []
        ids = Path(folder) / "id"
        done = subprocess.run(
            [_PROGRAM, "build", "--network=none", f"--iidfile={ids}", *named, folder],
            env={**engine.environment, "DOCKER_BUILDKIT": str(int(buildkit))},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode != 0:
            raise NoBuilderError((done.stdout + done.stderr).strip()[-500:])
        return ids.read_text().strip()


def noise(mebibytes: float) -> bytes:
    """A file that nothing makes smaller."""
    return os.urandom(int(mebibytes * (1 << 20)))


def commit(engine: Engine, container: str, repository: str, tag: str, labels: Mapping[str, str]) -> str:
    """The id of an image of what a container has written, with labels that no Dockerfile could say."""
    query = f"container={container}&repo={repository}&tag={tag}"
    made: Any = engine.api("POST", f"/commit?{query}", {"Labels": dict(labels)})
    return str(made["Id"])


def on_disk(engine: Engine) -> int:
    """Bytes that all images take, as `du` counts them."""
    done = subprocess.run(
        ["du", "--summarize", "--block-size=1", str(engine.folder / "d" / driver(engine))],
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout.split()[0])


def driver(engine: Engine) -> str:
    """How the Engine stores layers: `overlay2`, or `vfs`, which copies each whole."""
    return str(engine.api("GET", "/info")["Driver"])


def cache_ids(engine: Engine) -> list[str]:
    """All parts of the build cache."""
    return [one["ID"] for one in engine.api("GET", "/system/df")["BuildCache"] or []]
