"""A server: a copy of what the host's programs are made of, in a folder of its own, with secrets and settings of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from infra.platform.place import Place

ROOT = Path(__file__).parents[3]
FIXTURES = Path(__file__).parent / "fixtures"

_PARTS = ("Makefile", "infra/bin", "infra/platform", "infra/jenkins/steps", "console/__init__.py", "console/text")

# Everything is loaded as root, since another user may be kept from reading this Python; then the program is that user's.
_AS = """
import os, sys
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
from infra.jenkins.steps import problem
from infra.platform import making, preflight
os.setgroups([])
os.setgid(int(sys.argv[2]))
os.setuid(int(sys.argv[2]))
sys.exit(problem.program(sys.argv[3], {"secrets": making, "preflight": preflight}[sys.argv[3]].step))
"""


class Site:
    """What people call there are the real programs. `environment` is theirs, and nothing of the caller's besides PATH."""

    def __init__(self, parent: Path, environment: Mapping[str, str] | None = None) -> None:
        self.root = parent / "a server"
        self.place = Place(self.root)
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(parent), "LANG": "C.UTF-8", **(environment or {})}
        for part in _PARTS:
            source, copy = ROOT / part, self.root / part
            copy.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(source, copy)
        shutil.copy(FIXTURES / "env.example", self.place.example)
        shutil.copy(FIXTURES / "docker-compose.yml", self.place.compose)

    def run(self, *words: str, typed: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        """Run a command there to its end, with these variables besides its own and `typed` as its input."""
        # Bytes: text would lose the carriage returns that some people paste.
        done = subprocess.run(
            words,
            cwd=self.root,
            env={**self.environment, **more},
            input=typed.encode(),
            capture_output=True,
            timeout=120,
            check=False,
        )
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())

    def run_as(self, uid: int, program: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a program as another user, who has to be able to get to this folder."""
        return self.run(sys.executable, "-c", _AS, str(self.root), str(uid), program, **more)

    def secrets(self, **more: str) -> str:
        """Call the program, which must succeed; what it prints."""
        done = self.run("infra/bin/secrets", **more)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def write_env(self, **values: str) -> None:
        """The settings of a server that is set up, and these."""
        known = {"MLOPS_REPOSITORY_URL": "https://git.test/mlops.git", "MLOPS_GPUS": "none", "MLOPS_MIN_FREE": "1m", **values}
        self.place.env.write_text("".join(f"{name}={value}\n" for name, value in known.items()), encoding="utf-8")

    def contents(self) -> dict[str, bytes]:
        """All that is in infra/secrets."""
        return {path.name: path.read_bytes() for path in sorted(self.place.secrets.iterdir())}
