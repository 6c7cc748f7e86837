"""The contracts between the rooms: import-linter keeps them, and notices each way of breaking them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.repository.clone import ROOT


def broken_contracts(folder: Path) -> list[str]:
    """The names of the contracts that the code in a folder does not keep."""
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([program, "--no-logo"], cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    verdicts = re.findall(r"^(\S.*) (KEPT|BROKEN)\b", done.stdout, re.MULTILINE)
    assert verdicts, done.stdout + done.stderr
    broken = [name for name, verdict in verdicts if verdict == "BROKEN"]
    assert done.returncode == (1 if broken else 0)
    return broken


@pytest.fixture
def code(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "console", tmp_path / "console", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_code_keeps_them(code: Path) -> None:
    assert broken_contracts(code) == []


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("text/added.py", "import console.model", "facts flow one way"),
        ("model/added.py", "import console.sources", "facts flow one way"),
        ("logs/added.py", "import console.runs", "facts flow one way"),
        ("runs/added.py", "import console.feeds", "facts flow one way"),
        ("feeds/added.py", "import console.ui", "facts flow one way"),
        ("actions/added.py", "import console.doctor", "facts flow one way"),
        ("doctor/added.py", "import console.cli", "facts flow one way"),
        ("doctor/added.py", "import httpx", "only sources talk to systems"),
        ("ui/added.py", "import console.cli", "facts flow one way"),
        ("cli/added.py", "import console.demo", "facts flow one way"),
        ("demo/added.py", "import console.main", "facts flow one way"),
        ("attic/__init__.py", "", "facts flow one way"),
        ("ui/added.py", "import subprocess", "only sources talk to systems"),
        ("cli/added.py", "import http.client", "only sources talk to systems"),
        ("feeds/added.py", "import docker", "only sources talk to systems"),
        ("attic/__init__.py", "import socket", "only sources talk to systems"),
        ("feeds/added.py", "import textual", "the core knows no screen and no command line"),
        ("runs/added.py", "import textual", "the core knows no screen and no command line"),
        ("demo/added.py", "import click", "the core knows no screen and no command line"),
        ("cli/added.py", "import textual", "commands do not load the screen"),
        ("ui/added.py", "import click", "the screen does not load the commands"),
    ],
)
def test_a_wrong_import_is_noticed(code: Path, module: str, line: str, contract: str) -> None:
    added = code / "console" / module
    added.parent.mkdir(exist_ok=True)
    added.write_text(f"{line}\n", encoding="utf-8")
    assert contract in broken_contracts(code)
