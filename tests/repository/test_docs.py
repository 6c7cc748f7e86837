"""The documents: in step with each other and with the code."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.repository.clone import ROOT


def test_the_readmes_are_in_step() -> None:
    english, japanese = (ROOT / "README.md").read_text(), (ROOT / "README.ja.md").read_text()

    def commands(text: str) -> list[str]:
        return [line.split("#")[0].strip() for line in re.findall(r"^    (.+)$", text, re.MULTILINE)]

    def links(text: str) -> set[str]:
        return set(re.findall(r"\]\((docs/[^)]+)\)", text))

    assert commands(english) == commands(japanese)
    assert links(english) == links(japanese)
    assert english.count("\n## ") == japanese.count("\n## ")
    for link in links(english):
        assert (ROOT / link).exists(), link


def test_tables_made_from_the_code_are_up_to_date(tmp_path: Path) -> None:
    copy = tmp_path / "docs"
    shutil.copytree(ROOT / "docs", copy)
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "docs.py", tmp_path / "scripts")
    shutil.copytree(ROOT / "infra" / "ansible", tmp_path / "infra" / "ansible")
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, str(tmp_path / "scripts" / "docs.py")], env=env, check=True, timeout=60)
    for name in ("settings.md", "keys.md", "cli.md", "troubleshooting.md"):
        assert (copy / name).read_text() == (ROOT / "docs" / name).read_text(), f"docs/{name} is old. Run: make docs"
    variables = "infra/ansible/group_vars/all/main.yml"
    assert (tmp_path / variables).read_text() == (ROOT / variables).read_text(), f"{variables} is old. Run: make docs"
