"""Every file of the repository: written one way, at home on every machine."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.repository.clone import ROOT, files

PICTURES = {".svg", ".png"}
# At the beginning of a path. Put together here, so that this file is no find of its own.
ONE_MACHINE = re.compile(r"(?<![\w.)}\]-])(?:/wo" + "rk/|/ro" + "ot/)")


def texts() -> list[tuple[Path, str]]:
    """The name and the text of each file that is text."""
    found = [(path.relative_to(ROOT), path.read_bytes()) for path in files()]
    return [(name, data.decode("utf-8")) for name, data in found if b"\0" not in data]


@pytest.mark.parametrize("name", [".editorconfig", ".gitignore", ".yamllint", "Makefile", "pyproject.toml", ".ci/run"])
def test_it_is_there(name: str) -> None:
    assert ROOT / name in files()


def test_no_file_that_tests_read_is_left_out_by_gitignore() -> None:
    """It would be there for whoever made it, and for nobody else."""
    known = set(files())
    here = [path for path in (ROOT / "tests").rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert [str(path.relative_to(ROOT)) for path in here if path not in known] == []


def test_no_file_names_a_folder_of_one_machine() -> None:
    finds = [f"{name}: {find.group()}" for name, text in texts() for find in ONE_MACHINE.finditer(text)]
    assert finds == []


def test_text_is_written_as_editorconfig_says() -> None:
    wrong = []
    for name, text in texts():
        if name.suffix in PICTURES or not text:
            continue
        if "\r" in text:
            wrong.append(f"{name}: carriage return")
        if not text.endswith("\n"):
            wrong.append(f"{name}: no line end at its end")
        if name.name not in {"Makefile", "go.mod"} and name.suffix != ".go" and re.search(r"^ *\t", text, re.MULTILINE):
            wrong.append(f"{name}: tab as indent")
        if re.search(r"[ \t]$", text, re.MULTILINE):
            wrong.append(f"{name}: blanks at the end of a line")
    assert wrong == []


def test_scripts_can_be_run() -> None:
    for path in files():
        if path.suffix not in PICTURES and path.read_bytes().startswith(b"#!"):
            assert path.stat().st_mode & 0o111, path
