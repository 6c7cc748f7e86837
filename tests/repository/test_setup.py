"""The two commands of the README, and what stands around the code."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = (
    "sh",
    "bash",
    "sed",
    "awk",
    "cat",
    "cksum",
    "dirname",
    "mktemp",
    "rm",
    "pwd",
    "env",
    "make",
    "ls",
    "head",
    "tr",
    "mkdir",
    "touch",
    "ln",
)


def tracked() -> list[Path]:
    """Files that git has, or would take."""
    done = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [path for name in done.stdout.splitlines() if (path := ROOT / name).is_file()]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A copy of what a clone would hold, in a folder with a blank in its name."""
    target = tmp_path / "a clone"
    for path in tracked():
        copy = target / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, copy)
    return target


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A PATH with the usual tools and no Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in TOOLS:
        found = shutil.which(name)
        if found is not None:
            (folder / name).symlink_to(found)
    return folder


def script(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


def run(clone: Path, programs: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    env: Mapping[str, str] = {"PATH": str(programs), "HOME": str(clone.parent), "TMPDIR": str(clone.parent), **more}
    return subprocess.run(words, cwd=clone, env=env, capture_output=True, text=True, timeout=120, check=False)


def test_help_names_every_target(clone: Path, programs: Path) -> None:
    done = run(clone, programs, "make")
    targets = re.findall(r"^\.PHONY: ([a-z-]+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert done.returncode == 0, done.stderr
    assert {"console", "test", "lint", "lint-infra", "demo", "bench"} <= set(targets)
    for target in targets:
        assert f"make {target} " in done.stdout, target


@pytest.mark.parametrize("which", ["none", "old", "no ensurepip"])
def test_without_a_usable_python_one_sentence_says_what_to_run(clone: Path, programs: Path, which: str) -> None:
    if which == "old":
        script(programs, "python3", "exit 1")
    elif which == "no ensurepip":
        script(programs, "python3", "echo 'No module named ensurepip' >&2; exit 1")
    done = run(clone, programs, "scripts/setup-env", "runtime")
    assert done.returncode == 2
    assert "On Debian or Ubuntu run: sudo apt install python3-venv; or install uv" in done.stderr
    assert not (clone / ".venv").exists()


FAKE_UV = """
echo "$@" >> "$CALLS"
case "$1" in
  venv) mkdir -p .venv/bin; ln -sf "$REAL_PYTHON" .venv/bin/python ;;
  pip) [ -z "$BREAK" ] || { echo "no network" >&2; exit 1; } ;;
esac
"""


def test_the_environment_is_made_once_and_again_after_a_change(clone: Path, programs: Path) -> None:
    script(programs, "uv", FAKE_UV)
    calls = clone.parent / "calls"
    variables = {"CALLS": str(calls), "REAL_PYTHON": sys.executable, "BREAK": "", "PYTHONPATH": str(clone)}
    assert run(clone, programs, "scripts/setup-env", "runtime", **variables).returncode == 0
    made = calls.read_text().splitlines()
    assert any("--require-hashes" in call and "requirements/runtime.txt" in call for call in made)
    assert run(clone, programs, "scripts/setup-env", "runtime", **variables).returncode == 0
    assert calls.read_text().splitlines() == made, "the second time there is nothing to do"
    (clone / "requirements" / "runtime.txt").open("a").write("# changed\n")
    assert run(clone, programs, "scripts/setup-env", "runtime", **variables).returncode == 0
    assert len(calls.read_text().splitlines()) > len(made)


def test_a_set_up_that_was_interrupted_is_done_again(clone: Path, programs: Path) -> None:
    script(programs, "uv", FAKE_UV)
    calls = clone.parent / "calls"
    variables = {"CALLS": str(calls), "REAL_PYTHON": sys.executable, "PYTHONPATH": str(clone)}
    broken = run(clone, programs, "scripts/setup-env", "runtime", **variables, BREAK="1")
    assert broken.returncode == 1
    assert "no network" in broken.stderr
    assert "Set-up failed at: uv pip sync" in broken.stderr
    before = len(calls.read_text().splitlines())
    assert run(clone, programs, "scripts/setup-env", "runtime", **variables, BREAK="").returncode == 0
    assert len(calls.read_text().splitlines()) > before


@pytest.mark.parametrize("lock", sorted((ROOT / "requirements").glob("*.txt")), ids=lambda path: path.name)
def test_locks_carry_hashes_and_no_addresses(lock: Path) -> None:
    text = lock.read_text()
    entries = [line for line in text.splitlines() if re.match(r"[A-Za-z0-9]", line)]
    assert len(entries) > 5
    for entry in entries:
        assert "==" in entry, entry
        assert entry.endswith("\\"), entry
    assert text.count("--hash=sha256:") >= len(entries)
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text


def test_the_runtime_lock_is_part_of_the_development_lock() -> None:
    def pins(name: str) -> set[str]:
        text = (ROOT / "requirements" / f"{name}.txt").read_text()
        return set(re.findall(r"^([a-z0-9.-]+==[^ ;\\]+)", text, re.MULTILINE))

    assert pins("runtime") <= pins("dev")


def test_no_file_names_a_folder_of_one_machine() -> None:
    words = re.compile("/wo" + "rk/|/ro" + "ot/")
    for path in tracked():
        if path.suffix in {".svg", ".png"}:
            continue
        found = words.search(path.read_text(encoding="utf-8", errors="replace"))
        assert found is None, f"{path.relative_to(ROOT)}: {found and found.group()}"


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
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, str(tmp_path / "scripts" / "docs.py")], env=env, check=True, timeout=60)
    for name in ("settings.md", "keys.md", "cli.md"):
        assert (copy / name).read_text() == (ROOT / "docs" / name).read_text(), f"docs/{name} is old. Run: make docs"
