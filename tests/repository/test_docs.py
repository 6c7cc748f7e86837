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
    for name in ("settings.md", "keys.md", "cli.md", "operations.md", "troubleshooting.md"):
        assert (copy / name).read_text() == (ROOT / "docs" / name).read_text(), f"docs/{name} is old. Run: make docs"
    variables = "infra/ansible/group_vars/all/main.yml"
    assert (tmp_path / variables).read_text() == (ROOT / variables).read_text(), f"{variables} is old. Run: make docs"


def test_each_threat_names_tests_that_there_are() -> None:
    page = (ROOT / "docs" / "security.md").read_text()
    named = re.findall(r"`(tests/[^`]+)`", page)
    assert len(named) > 50
    for name in named:
        file, _, test = name.partition("::")
        assert (ROOT / file).is_file() or (ROOT / file).is_dir(), name
        assert not test or re.search(rf"def {test}\(", (ROOT / file).read_text()), name


def test_each_link_of_the_documents_leads_somewhere() -> None:
    for page in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")):
        for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
            if re.match(r"https?://|mailto:", link):
                continue
            file, _, anchor = link.partition("#")
            target = page.parent / file if file else page
            assert target.exists(), f"{page.name}: {link}"
            if anchor and target.suffix == ".md":
                assert anchor in _anchors(target.read_text()), f"{page.name}: {link}"


def _anchors(text: str) -> set[str]:
    """The names that GitHub gives to headings."""
    titles = re.findall(r"^#+ +(.+)$", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.replace("`", "").lower(), flags=re.UNICODE).replace(" ", "-") for title in titles}
