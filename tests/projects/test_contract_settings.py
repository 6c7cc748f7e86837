"""config.yaml with overrides over it, as a dataclass: what is wrong is said in one sentence."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from projects._template.src.contract import TrainingError
from projects._template.src.contract.settings import read, settings

CONFIG = """
resources:
  memory: 512m
data:
  repo: null
train:
  epochs: 20
  rate: 0.05
"""


@dataclass(frozen=True)
class Settings:
    epochs: int
    rate: float
    name: str = "line"
    fast: bool = False
    limit: float | None = None
    workers: int | None = None


def given(tmp_path: Path, overrides: str = "", config: str = CONFIG) -> dict[str, Any]:
    file = tmp_path / "config.yaml"
    file.write_text(config, encoding="utf-8")
    return read(file, overrides)


def wrong(tmp_path: Path, overrides: str = "", config: str = CONFIG) -> str:
    """The sentence."""
    with pytest.raises(TrainingError) as caught:
        settings(Settings, given(tmp_path, overrides, config))
    return str(caught.value)


def test_the_section_as_it_stands(tmp_path: Path) -> None:
    assert settings(Settings, given(tmp_path)) == Settings(epochs=20, rate=0.05)


@pytest.mark.parametrize(
    ("line", "section", "key", "value"),
    [
        ("epochs=2", "train", "epochs", 2),
        ("train.epochs=2", "train", "epochs", 2),
        ("  epochs  =  2  ", "train", "epochs", 2),
        ("resources.memory=2g", "resources", "memory", "2g"),
        ("resources.gpus=1", "resources", "gpus", 1),
        ("publish.private=false", "publish", "private", False),
        ("data.repo=org/data", "data", "repo", "org/data"),
        ("rate=0.5", "train", "rate", 0.5),
        ("rate=1.0e-3", "train", "rate", 0.001),
        ("rate=1e-3", "train", "rate", "1e-3"),  # a trap of YAML 1.1
        ("name=a=b", "train", "name", "a=b"),
        ("name='2'", "train", "name", "2"),
        ("name=", "train", "name", None),
        ("fast=yes", "train", "fast", True),
        ("layers=[1, 2]", "train", "layers", [1, 2]),
    ],
)
def test_an_override(tmp_path: Path, line: str, section: str, key: str, value: object) -> None:
    config = given(tmp_path, line)
    assert config[section][key] == value
    assert type(config[section][key]) is type(value)


def test_several_overrides_with_empty_lines_and_the_last_one_counts(tmp_path: Path) -> None:
    config = given(tmp_path, "\nepochs=2\n  \r\nresources.memory=1g\nepochs=3\n")
    assert config["train"] == {"epochs": 3, "rate": 0.05}
    assert config["resources"] == {"memory": "1g"}


@pytest.mark.parametrize("line", ["epochs", "=2", "train.=2", "resources.memory"])
def test_a_line_that_is_no_override_is_quoted(tmp_path: Path, line: str) -> None:
    assert repr(line) in wrong(tmp_path, f"rate=0.5\n{line}")


@pytest.mark.parametrize("line", ["epochs=[1", "name=a: b: c", "name=@x", "name='"])
def test_a_value_that_is_no_yaml_is_quoted(tmp_path: Path, line: str) -> None:
    assert repr(line) in wrong(tmp_path, line)


@pytest.mark.parametrize(
    "config",
    [
        "train: [1",
        "\0",
        *(pytest.param(config) for config in ("- train", "5", "train: 5", "train: [1]", "train: {1: 2, epochs: 1, rate: 1.0}")),
    ],
)
def test_a_file_that_is_no_mapping_of_sections(tmp_path: Path, config: str) -> None:
    assert "config.yaml" in wrong(tmp_path, config=config)


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_bytes(b"train: \xff")
    with pytest.raises(TrainingError, match="cannot be read"):
        read(tmp_path / "config.yaml", "")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"config\.yaml cannot be read"):
        read(tmp_path / "config.yaml", "")


def test_an_override_of_a_section_that_is_empty(tmp_path: Path) -> None:
    assert given(tmp_path, "epochs=2\nrate=0.5", config="train:\n")["train"] == {"epochs": 2, "rate": 0.5}


def test_an_unknown_key_with_the_nearest_name(tmp_path: Path) -> None:
    assert wrong(tmp_path, "epoch=2") == "config.yaml: train has no epoch; did you mean epochs?"
    assert wrong(tmp_path, "zzz=2") == "config.yaml: train has no zzz"


def test_a_missing_key(tmp_path: Path) -> None:
    assert wrong(tmp_path, config="train: {rate: 0.5}") == "config.yaml: train.epochs is missing"
    assert wrong(tmp_path, config="") == "config.yaml: train.epochs is missing"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("epochs=true", "train.epochs is True; expected int"),
        ("rate=true", "train.rate is True; expected float"),
        ("workers=false", "train.workers is False; expected int or nothing"),
        ("epochs=2.0", "train.epochs is 2.0; expected int"),
        ("epochs=two", "train.epochs is 'two'; expected int"),
        ("epochs=", "train.epochs is None; expected int"),
        ("epochs=[2]", "train.epochs is [2]; expected int"),
        ("fast=1", "train.fast is 1; expected bool"),
        ("name=5", "train.name is 5; expected str"),
        ("limit=much", "train.limit is 'much'; expected float or nothing"),
        ("rate=1e-3", "train.rate is '1e-3'; expected float"),
    ],
)
def test_a_wrong_type(tmp_path: Path, line: str, sentence: str) -> None:
    assert wrong(tmp_path, line).startswith(f"config.yaml: {sentence}")


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("rate=1", "rate", 1.0),
        ("limit=3", "limit", 3.0),
        ("limit=", "limit", None),
        ("limit=0.5", "limit", 0.5),
        ("workers=3", "workers", 3),
        ("workers=null", "workers", None),
        ("fast=true", "fast", True),
        ("name='5'", "name", "5"),
        ("rate=.inf", "rate", math.inf),
    ],
)
def test_a_right_type(tmp_path: Path, line: str, name: str, value: object) -> None:
    found = getattr(settings(Settings, given(tmp_path, line)), name)
    assert found == value
    assert type(found) is type(value)


def test_another_section(tmp_path: Path) -> None:
    @dataclass
    class Data:
        repo: str | None

    assert settings(Data, given(tmp_path), "data") == Data(None)


@dataclass(frozen=True)
class Layers:
    sizes: list[int] = field(default_factory=list)


def test_a_default_that_is_made_is_a_default(tmp_path: Path) -> None:
    assert settings(Layers, given(tmp_path, config="")) == Layers()


def test_a_list_of_numbers(tmp_path: Path) -> None:
    assert settings(Layers, given(tmp_path, "sizes=[1, 2]", config="")) == Layers([1, 2])
