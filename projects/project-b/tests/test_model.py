"""Trees that grow by the epoch, what they are compared with, and what is read back."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from src import data, model, train
from src.contract import State, TrainingError, settings
from src.data import Data, Split
from src.model import FILE, Booster, Settings

from tests import diamonds
from tests.running import PROJECT

SETTINGS = Settings(epochs=4, trees_per_epoch=2, learning_rate=0.3, max_leaf_nodes=4, seed=7)


@pytest.fixture(scope="module")
def splits(tmp_path_factory: pytest.TempPathFactory) -> Data:
    return data.load(diamonds.write(tmp_path_factory.mktemp("data"), diamonds.rows(500)))


def grown(split: Split, epochs: int, settings: Settings = SETTINGS) -> Booster:
    booster = Booster(settings)
    for _ in range(epochs):
        booster.grow(split)
    return booster


def chances(booster: Booster, split: Split) -> NDArray[np.float64]:
    found: NDArray[np.float64] = booster.model.predict_proba(split.x)
    return found


def test_it_learns(splits: Data) -> None:
    before, after = grown(splits.train, 1), grown(splits.train, 4)
    assert after.measure(splits.validation)["loss"] < before.measure(splits.validation)["loss"]
    assert after.measure(splits.validation)["accuracy"] > 0.5
    assert len(after.model._predictors) == 8


def test_it_grows_the_same_to_the_bit(splits: Data) -> None:
    first, second = grown(splits.train, 3), grown(splits.train, 3)
    assert chances(first, splits.test).tobytes() == chances(second, splits.test).tobytes()


@pytest.mark.parametrize("epochs", [1, 2, 3])
def test_saved_loaded_and_grown_is_grown(tmp_path: Path, splits: Data, epochs: int) -> None:
    grown(splits.train, epochs).save(tmp_path)
    resumed = Booster(SETTINGS)
    resumed.load(tmp_path)
    for _ in range(4 - epochs):
        resumed.grow(splits.train)
    for split in (splits.train, splits.validation, splits.test):
        assert chances(resumed, split).tobytes() == chances(grown(splits.train, 4), split).tobytes()


def test_the_settings_of_today_say_how_it_goes_on(tmp_path: Path, splits: Data) -> None:
    grown(splits.train, 2).save(tmp_path)
    today = dataclasses.replace(SETTINGS, trees_per_epoch=3, learning_rate=0.05)
    resumed = Booster(today)
    resumed.load(tmp_path)
    assert chances(resumed, splits.test).tobytes() == chances(grown(splits.train, 2), splits.test).tobytes()
    resumed.grow(splits.train)
    assert (resumed.model.learning_rate, len(resumed.model._predictors)) == (0.05, 4 + 3)


def test_a_model_of_another_kind_is_refused(tmp_path: Path) -> None:
    skops.io.dump(LogisticRegression(), tmp_path / FILE)
    with pytest.raises(TrainingError, match="holds a LogisticRegression"):
        Booster(SETTINGS).load(tmp_path)


class Foreign:
    """What a model file must not bring in."""

    def __setstate__(self, state: object) -> None:
        raise AssertionError("code of a file was run")


def test_a_model_file_that_holds_anything_else_is_refused_before_it_is_read(tmp_path: Path) -> None:
    skops.io.dump({"model": Foreign()}, tmp_path / FILE)
    with pytest.raises(TrainingError, match="Foreign, which no model of this project does"):
        model.load(tmp_path / FILE)


@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "changed", "text"])
def test_a_damaged_model_file_is_one_sentence(tmp_path: Path, splits: Data, damage: str) -> None:
    grown(splits.train, 1).save(tmp_path)
    file = tmp_path / FILE
    content = file.read_bytes()
    half = len(content) // 2
    if damage == "missing":
        file.unlink()
    else:
        damaged = {
            "empty": b"",
            "cut": content[:half],
            "changed": content[:half] + bytes(byte ^ 255 for byte in content[half : half + 64]) + content[half + 64 :],
            "text": b"no archive",
        }
        file.write_bytes(damaged[damage])
    with pytest.raises(TrainingError, match="cannot be read"):
        model.load(file)


def test_measures_are_what_they_are_called(splits: Data) -> None:
    booster = grown(splits.train, 4)
    found = booster.measure(splits.test)
    guesses = chances(booster, splits.test).argmax(axis=1)
    right = chances(booster, splits.test)[np.arange(len(splits.test)), splits.test.y]
    assert found["accuracy"] == accuracy_score(splits.test.y, guesses)
    assert found["loss"] == pytest.approx(float(-np.log(right).mean()))
    assert {name: type(value) for name, value in found.items()} == {"loss": float, "accuracy": float, "macro_f1": float}


def fitted(monkeypatch: pytest.MonkeyPatch, train_split: Split, test: Split) -> tuple[Any, dict[str, dict[str, float]]]:
    """The linear model that `baselines` fits, and what it says of all."""
    seen: list[Any] = []
    measure = model.measure

    def noted(fit: Any, split: Split) -> dict[str, float]:
        seen.append(fit)
        return measure(fit, split)

    monkeypatch.setattr(model, "measure", noted)
    found = {name: dict(figures) for name, figures in model.baselines(train_split, test).items()}
    monkeypatch.setattr(model, "measure", measure)
    (linear,) = seen
    return linear, found


def test_no_baseline_learns_from_the_test_split(monkeypatch: pytest.MonkeyPatch, splits: Data) -> None:
    shuffled = Split(splits.test.x, np.random.default_rng(1).permutation(splits.test.y))
    honest, figures = fitted(monkeypatch, splits.train, splits.test)
    other, other_figures = fitted(monkeypatch, splits.train, shuffled)
    assert honest[-1].coef_.tobytes() == other[-1].coef_.tobytes()
    assert honest[0].mean_.tobytes() == other[0].mean_.tobytes() == splits.train.x.mean(axis=0).tobytes()
    assert figures["majority class"] == other_figures["majority class"]
    assert figures["logistic regression"]["accuracy"] > other_figures["logistic regression"]["accuracy"]


def test_the_majority_is_that_of_the_training_split() -> None:
    x = np.random.default_rng(1).normal(size=(40, 9))
    known = Split(x, np.array([0, 1, 2, 3] * 5 + [4] * 20, dtype=np.int64))
    test = Split(x[:10], np.array([0] * 9 + [4], dtype=np.int64))
    assert model.baselines(known, test)["majority class"]["accuracy"] == 0.1


def test_the_linear_model_is_measured_on_the_test_split(monkeypatch: pytest.MonkeyPatch, splits: Data) -> None:
    linear, figures = fitted(monkeypatch, splits.train, splits.test)
    assert figures["logistic regression"]["accuracy"] == accuracy_score(splits.test.y, linear.predict(splits.test.x))
    assert figures["logistic regression"]["accuracy"] > figures["majority class"]["accuracy"]


@pytest.mark.parametrize(
    ("epoch", "best", "patience", "stale"),
    [(9, 3, 6, True), (8, 3, 6, False), (9, 9, 1, False), (10, 9, 1, True), (99, 1, 0, False), (0, None, 6, False)],
)
def test_it_is_stale_after_its_patience(epoch: int, best: int | None, patience: int, stale: bool) -> None:
    state = State(seed=1, epoch=epoch, best=best and {"metric": "val_loss", "value": 0.5, "epoch": best})  # type: ignore[arg-type]
    assert train.is_stale(state, patience) is stale


def test_the_settings_are_those_of_their_schema() -> None:
    schema = json.loads((PROJECT / "config.schema.json").read_text(encoding="utf-8"))
    fields = dataclasses.fields(Settings)
    assert sorted(schema["properties"]) == sorted(field.name for field in fields)
    assert sorted(schema["required"]) == sorted(field.name for field in fields if field.default is dataclasses.MISSING)
    words = {"int": "integer", "float": "number"}
    assert {field.name: words[str(field.type)] for field in fields} == {
        name: entry["type"] for name, entry in schema["properties"].items()
    }


def test_config_yaml_holds_every_setting() -> None:
    import yaml

    config = yaml.safe_load((PROJECT / "config.yaml").read_text(encoding="utf-8"))
    assert set(config["train"]) == {field.name for field in dataclasses.fields(Settings)}
    assert settings(Settings, config).epochs == config["train"]["epochs"]
