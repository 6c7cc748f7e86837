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


def test_the_first_training_needs_no_account() -> None:
    for name in ("README.md", "README.ja.md"):
        text = (ROOT / name).read_text()
        shown = re.findall(r"^    ((?:make (?:new-project|train|dataset)|git|export) .*?) *(?:#.*)?$", text, re.MULTILINE)
        assert [one.split()[0:2] for one in shown[:3]] == [["make", "new-project"], ["git", "add"], ["make", "train"]], name
        assert shown[2].endswith("PUBLISH=no"), name
        assert shown[3].startswith("export HF_"), name


def test_no_blank_line_breaks_a_list() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    assert re.findall(r"^(?:\* | {2}\S).*\n\n\* .*$", text, re.MULTILINE) == []


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


def test_each_file_that_the_documents_name_is_there() -> None:
    """Or is what only one server has, which is not in the repository. The contract names files as a project has them."""
    folders = "console|infra|projects|scripts|bench|tests|docs|requirements"
    seen = 0
    for page in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")):
        for name in re.findall(rf"`((?:{folders})/[\w./-]*[\w/])`", page.read_text()):
            seen += 1
            places = [ROOT, *(ROOT / "projects").glob("project-*")] if page.name == "projects.md" else [ROOT]
            assert name.startswith(_OF_A_SERVER) or any((one / name).exists() for one in places), f"{page.name}: {name}"
    assert seen > 60


def test_each_module_that_the_architecture_names_is_there() -> None:
    rooms = "|".join(one.name for one in (ROOT / "console").iterdir() if one.is_dir() and not one.name.startswith("_"))
    named = re.findall(rf"(?<![\w/])((?:{rooms})(?:/[a-z_]+)+)\b", (ROOT / "docs" / "architecture.md").read_text())
    assert len(named) > 80
    for name in named:
        assert (ROOT / "console" / name).is_dir() or (ROOT / "console" / f"{name}.py").is_file(), name


_OF_A_SERVER = ("infra/.env", "infra/secrets", "infra/jenkins/casc.d/")


def _anchors(text: str) -> set[str]:
    """The names that GitHub gives to headings."""
    titles = re.findall(r"^#+ +(.+)$", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.replace("`", "").lower(), flags=re.UNICODE).replace(" ", "-") for title in titles}
