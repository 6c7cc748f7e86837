"""The installed program as a person starts it: its own process, a real terminal, a real Engine."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.support.engine import Engine, compose_program

PROGRAM = (sys.executable, "-m", "console.main")
ROOT = Path(__file__).parents[3]


def environment(engine: Engine | None, home: Path, **more: str) -> dict[str, str]:
    """Variables for the program: this Engine, Compose, an empty home, and no tour of the demo."""
    plugins = home / ".docker" / "cli-plugins"
    plugins.mkdir(parents=True, exist_ok=True)
    program = compose_program()
    if program is not None and not (plugins / "docker-compose").exists():
        (plugins / "docker-compose").symlink_to(program)
    found = {
        "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONPATH": str(ROOT),
        "MLOPS_TOUR": "false",
    }
    if engine is not None:
        found["DOCKER_HOST"] = engine.host
    return found | more


def run(
    env: Mapping[str, str], *words: str, limit: float = 60.0, stdin: Any = subprocess.DEVNULL
) -> subprocess.CompletedProcess[str]:
    """The finished program, without a terminal."""
    return subprocess.run(
        [*PROGRAM, *words], env=env, cwd=env["HOME"], stdin=stdin, capture_output=True, text=True, timeout=limit, check=False
    )


def answer(env: Mapping[str, str], *words: str) -> tuple[int, dict[str, Any]]:
    """Exit status and JSON of a command."""
    done = run(env, *words, "--json")
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def screen_command(*words: str) -> Sequence[str]:
    """What a terminal is to run."""
    return [*PROGRAM, *words]
