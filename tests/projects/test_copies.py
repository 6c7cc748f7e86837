"""What every project carries a copy of, and what each of them declares."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.projects.kit import PROJECTS, TEMPLATE, settings_of

FOLDERS = sorted(path for path in PROJECTS.iterdir() if path.is_dir())
COPIES = [path for path in FOLDERS if path != TEMPLATE and (path / "src" / "contract").is_dir()]


def kit_of(folder: Path) -> dict[str, bytes]:
    kit = folder / "src" / "contract"
    return {
        path.relative_to(kit).as_posix(): path.read_bytes()
        for path in kit.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_there_are_copies() -> None:
    assert "run.py" in kit_of(TEMPLATE)
    assert COPIES


@pytest.mark.parametrize("folder", COPIES, ids=lambda path: path.name)
def test_a_copy_of_the_kit_is_equal(folder: Path) -> None:
    original, copy = kit_of(TEMPLATE), kit_of(folder)
    different = sorted(name for name in original.keys() | copy.keys() if original.get(name) != copy.get(name))
    assert different == [], f"cp projects/_template/src/contract/*.py projects/{folder.name}/src/contract/"


@pytest.mark.parametrize("folder", [TEMPLATE, *COPIES], ids=lambda path: path.name)
def test_the_settings_are_what_their_schema_says(folder: Path) -> None:
    schema = settings_of(folder)
    Draft202012Validator.check_schema(schema)
    config = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(config["train"])
    assert schema["additionalProperties"] is False
