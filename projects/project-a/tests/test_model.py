"""The network, its files, what it is compared with, and the project's own files."""

from __future__ import annotations

import dataclasses
import json
import re
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import save_file
from sklearn.metrics import accuracy_score, log_loss
from src import data, model
from src.contract import TrainingError, settings
from src.data import CLASSES, Data, Split
from src.learner import Settings
from src.model import ABOUT, FILE, Network

from tests.running import PROJECT

SIZE: dict[str, Any] = {"channels": 4, "blocks": 1, "dropout": 0.1, "classes": 10}


@pytest.fixture(scope="module")
def splits() -> Data:
    return data.load()


def network(**changes: int) -> Network:
    torch.manual_seed(3)
    return Network(**{**SIZE, **changes})


def published(folder: Path, **changes: int) -> Path:
    made = network(**changes)
    model.save(made, folder / FILE)
    model.describe(made, {**SIZE, **changes}, folder / ABOUT)
    return folder


@pytest.mark.parametrize("channels", [1, 4, 48])
@pytest.mark.parametrize("blocks", [1, 3])
@pytest.mark.parametrize("count", [1, 5])
def test_an_answer_for_each_image_and_class(channels: int, blocks: int, count: int) -> None:
    made = network(channels=channels, blocks=blocks)
    for asked in (made.train(), made.eval()):
        found = asked(torch.rand(count, 1, 8, 8) * 16)
        assert found.shape == (count, 10)
        assert bool(found.isfinite().all())


def test_more_channels_and_blocks_are_more_weights() -> None:
    def size(**changes: int) -> int:
        return sum(weights.numel() for weights in network(**changes).parameters())

    assert size() < size(channels=8)
    assert size() < size(blocks=2)


def test_it_normalises_by_the_training_images(splits: Data) -> None:
    made = network()
    model.normalise(made, splits.train)
    found = (splits.train.images - made.mean) / made.std
    assert (float(found.mean()), float(found.std())) == pytest.approx((0, 1), abs=1e-5)
    assert not torch.equal(made.mean, splits.test.images.mean())


def test_what_is_loaded_answers_the_same(tmp_path: Path, splits: Data) -> None:
    first = network()
    model.normalise(first, splits.train)
    model.save(first, tmp_path / FILE)
    torch.manual_seed(99)
    second = Network(**SIZE)
    model.load(second, tmp_path / FILE, FILE)
    answers = [made.eval()(splits.test.images) for made in (first, second)]
    assert torch.equal(*answers)


def test_config_json_says_how_to_make_it(tmp_path: Path, splits: Data) -> None:
    made = network()
    model.normalise(made, splits.train)
    model.describe(made, SIZE, tmp_path / ABOUT)
    about = json.loads((tmp_path / ABOUT).read_text(encoding="utf-8"))
    assert Network(**about["architecture"]).state_dict().keys() == made.state_dict().keys()
    assert about["classes"] == list(CLASSES)
    assert about["normalisation"] == {"mean": made.mean.item(), "std": made.std.item()}


def refused(made: Network, file: Path) -> str:
    before = {key: value.clone() for key, value in made.state_dict().items()}
    with pytest.raises(TrainingError) as caught:
        model.load(made, file, "this one")
    assert all(torch.equal(value, before[key]) for key, value in made.state_dict().items())
    return str(caught.value)


def test_weights_of_another_size_are_named(tmp_path: Path) -> None:
    model.save(network(channels=6), tmp_path / FILE)
    message = refused(network(), tmp_path / FILE)
    assert message.startswith("this one is no network of these channels and blocks: ")
    assert "body.0.weight has the shape [6, 1, 3, 3] there and [4, 1, 3, 3] here" in message
    assert re.search(r" and \d+ more$", message)


def test_weights_that_are_missing_or_too_many_are_named(tmp_path: Path) -> None:
    weights = network().state_dict()
    del weights["head.bias"]
    save_file({**weights, "tail": torch.zeros(1)}, tmp_path / FILE)
    assert refused(network(), tmp_path / FILE).endswith(": it has no head.bias; tail has no place here")


@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "text"])
def test_a_damaged_file_is_one_sentence(tmp_path: Path, damage: str) -> None:
    file = tmp_path / FILE
    model.save(network(), file)
    content = {"empty": b"", "cut": file.read_bytes()[:-9], "text": b"no tensors here"}
    if damage == "missing":
        file.unlink()
    else:
        file.write_bytes(content[damage])
    assert "cannot be read" in refused(network(), file)


def test_a_base_model_is_taken_over(tmp_path: Path) -> None:
    published(tmp_path)
    torch.manual_seed(99)
    made = Network(**SIZE)
    model.load_base(made, tmp_path, "a/b")
    assert all(torch.equal(value, made.state_dict()[key]) for key, value in network().state_dict().items())


def test_a_base_model_of_another_size_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(TrainingError) as caught:
        model.load_base(network(), published(tmp_path, channels=6, blocks=2), "a/b")
    assert str(caught.value).startswith(
        "the base model a/b (channels 6, blocks 2) is no network of these channels and blocks: "
    )
    assert "\n" not in str(caught.value)


def test_a_base_model_of_other_classes_is_one_sentence(tmp_path: Path) -> None:
    about = json.loads((published(tmp_path) / ABOUT).read_text(encoding="utf-8"))
    (tmp_path / ABOUT).write_text(json.dumps({**about, "classes": ["cat", "dog"]}), encoding="utf-8")
    with pytest.raises(TrainingError, match="the base model a/b tells cat, dog apart, and not 0, 1, "):
        model.load_base(network(), tmp_path, "a/b")


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"classes": 3, "architecture": {}}', "\0"])
def test_a_base_model_of_another_kind_is_one_sentence(tmp_path: Path, content: str | None) -> None:
    published(tmp_path)
    (tmp_path / ABOUT).unlink()
    if content is not None:
        (tmp_path / ABOUT).write_text(content, encoding="utf-8")
    with pytest.raises(TrainingError, match=r"the base model a/b has no config\.json as this project writes it"):
        model.load_base(network(), tmp_path, "a/b")


def test_measures_are_what_they_are_called(splits: Data) -> None:
    made = network().train()
    found = model.measure(made, splits.test)
    with torch.no_grad():
        chances = made.eval()(splits.test.images).softmax(1).double().numpy()
    assert found["accuracy"] == accuracy_score(splits.test.labels, chances.argmax(axis=1))
    chances /= chances.sum(axis=1, keepdims=True)
    assert found["loss"] == pytest.approx(log_loss(splits.test.labels, chances), rel=1e-4)
    assert {name: type(value) for name, value in found.items()} == {"loss": float, "accuracy": float, "macro_f1": float}


def test_many_images_are_measured_as_few_are(splits: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = model.measure(network(), splits.test)
    monkeypatch.setattr(model, "_AT_ONCE", 7)
    assert model.measure(network(), splits.test) == pytest.approx(whole, rel=1e-5)


def test_baselines_are_honest(splits: Data) -> None:
    found = model.baselines(splits.train, splits.test)
    assert list(found) == ["majority class", "logistic regression"]
    most = int(splits.train.labels.bincount().argmax())
    assert found["majority class"]["accuracy"] == int((splits.test.labels == most).sum()) / 360
    # A linear model is a good one here, and nothing is gained by making it look bad.
    assert found["logistic regression"]["accuracy"] > 0.93


def test_no_baseline_learns_from_the_test_split(splits: Data) -> None:
    """Turned labels turn every right answer into a wrong one."""
    turned = Split(splits.test.images, (splits.test.labels + 1) % 10)
    honest, other = (model.baselines(splits.train, test) for test in (splits.test, turned))
    assert honest["logistic regression"]["accuracy"] + other["logistic regression"]["accuracy"] <= 1
    assert other["logistic regression"]["accuracy"] < 0.05


def test_the_majority_is_that_of_the_training_split() -> None:
    images = torch.rand(40, 1, 8, 8) * 16
    known = Split(images, torch.tensor([0, 1, 2, 3] * 5 + [4] * 20))
    test = Split(images[:10], torch.tensor([0] * 9 + [4]))
    assert model.baselines(known, test)["majority class"]["accuracy"] == 0.1


def test_the_settings_are_those_of_their_schema() -> None:
    schema = json.loads((PROJECT / "config.schema.json").read_text(encoding="utf-8"))
    fields = dataclasses.fields(Settings)
    assert sorted(schema["properties"]) == sorted(field.name for field in fields)
    assert sorted(schema["required"]) == sorted(field.name for field in fields if field.default is dataclasses.MISSING)
    words = {"int": "integer", "float": "number", "str": None}
    assert {field.name: words[str(field.type)] for field in fields} == {
        name: entry.get("type") for name, entry in schema["properties"].items()
    }


def test_config_yaml_holds_every_setting() -> None:
    config = yaml.safe_load((PROJECT / "config.yaml").read_text(encoding="utf-8"))
    assert set(config["train"]) == {field.name for field in dataclasses.fields(Settings)}
    assert settings(Settings, config).epochs == config["train"]["epochs"]


def pins(file: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([a-z0-9-]+)==([^ ]+)", (PROJECT / file).read_text(encoding="utf-8"), re.MULTILINE):
        found.setdefault(name, set()).add(version)
    return found


def test_the_lock_for_the_cpu_is_the_other_without_torch_and_cuda() -> None:
    whole, cpu = pins("requirements.txt"), pins("requirements-cpu.txt")
    left_out = whole.keys() - cpu.keys()
    assert {name: whole[name] for name in cpu} == cpu
    assert all(re.fullmatch("torch|triton|nvidia-.*|cuda-.*", name) for name in left_out)
    needed = [re.match(r"[\w-]+", line) for line in metadata.requires("torch") or [] if ";" not in line]
    assert {found[0].lower() for found in needed if found} <= cpu.keys()
