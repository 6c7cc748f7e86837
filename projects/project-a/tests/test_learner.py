"""What learns, and what of it is in a checkpoint."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from src import data, learner, model
from src.contract import TrainingError
from src.data import Order, Split
from src.learner import Learner, Settings
from src.model import Network

CPU = torch.device("cpu")
STEPS = 4
SETTINGS = Settings(
    epochs=3,
    batch_size=32,
    learning_rate=0.01,
    channels=4,
    blocks=1,
    seed=7,
    weight_decay=0.01,
    label_smoothing=0.1,
    dropout=0.3,
)
gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no GPU here")


@pytest.fixture(scope="module")
def batches() -> list[Split]:
    train = data.load().train
    order = Order.draw(len(train), 1, 7, 0)
    return [order.batch(train, number, 32) for number in range(STEPS * 3)]


def begun(settings: Settings = SETTINGS, device: torch.device = CPU) -> Learner:
    learner.prepare(device.type)
    torch.manual_seed(settings.seed)
    network = Network(settings.channels, settings.blocks, settings.dropout, 10)
    model.normalise(network, data.load().train)
    return Learner(settings, network, device, STEPS)


def weights(learning: Learner) -> dict[str, torch.Tensor]:
    return {key: value.clone() for key, value in learning.network.state_dict().items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def on(device: torch.device, batches: list[Split]) -> list[Split]:
    return [batch.to(device) for batch in batches]


def test_it_learns(batches: list[Split]) -> None:
    learning = begun()
    losses = [learning.step(batch) for batch in batches]
    assert sum(losses[-3:]) < sum(losses[:3])


def test_the_learning_rate_rises_for_an_epoch_and_falls_for_the_rest(batches: list[Split]) -> None:
    learning = begun()
    rates = []
    for batch in batches:
        learning.step(batch)
        rates.append(learning.lr)
    assert rates[:STEPS] == pytest.approx([0.0025, 0.005, 0.0075, 0.01])
    assert rates[STEPS] == 0.01
    assert rates[STEPS:] == sorted(rates[STEPS:], reverse=True)
    assert 0 < rates[-1] < 0.001


def test_one_epoch_has_a_schedule_too(batches: list[Split]) -> None:
    learning = begun(dataclasses.replace(SETTINGS, epochs=1))
    for batch in batches[:STEPS]:
        learning.step(batch)
    assert learning.lr == 0.01


@pytest.mark.parametrize("done", [1, 3, 7])
def test_saved_loaded_and_gone_on_is_gone_on(tmp_path: Path, batches: list[Split], done: int) -> None:
    whole = begun()
    losses = [whole.step(batch) for batch in batches]

    first = begun()
    for batch in batches[:done]:
        first.step(batch)
    first.save(tmp_path)
    torch.rand(5)
    second = begun()
    second.load(tmp_path)
    assert [second.step(batch) for batch in batches[done:]] == losses[done:]
    assert same(weights(second), weights(whole))
    assert second.lr == whole.lr


def test_a_checkpoint_is_tensors_and_text_and_no_pickle(tmp_path: Path, batches: list[Split]) -> None:
    learning = begun()
    learning.step(batches[0])
    learning.save(tmp_path)
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["learner.json", "model.safetensors", "optimiser.safetensors", "random.safetensors"]
    count = len(list(learning.network.parameters()))
    assert len(load_file(tmp_path / "optimiser.safetensors")) == 3 * count
    assert torch.equal(load_file(tmp_path / "random.safetensors")["cpu"], torch.get_rng_state())
    assert json.loads((tmp_path / "learner.json").read_text(encoding="utf-8"))["schedule"]["last_epoch"] == 1


def test_how_it_goes_on_is_said_by_the_settings_of_today(tmp_path: Path, batches: list[Split]) -> None:
    first = begun()
    for batch in batches[:STEPS]:
        first.step(batch)
    first.save(tmp_path)
    second = begun(dataclasses.replace(SETTINGS, learning_rate=0.002, epochs=50))
    second.load(tmp_path)
    assert same(weights(first), weights(second))
    second.step(batches[STEPS])
    assert second.lr == 0.002


@pytest.mark.parametrize(
    "file", ["learner.json", "model.safetensors", "optimiser.safetensors", "random.safetensors"], ids=lambda file: file[:5]
)
@pytest.mark.parametrize("damage", ["missing", "cut"])
def test_a_damaged_checkpoint_is_one_sentence(tmp_path: Path, batches: list[Split], file: str, damage: str) -> None:
    learning = begun()
    learning.step(batches[0])
    learning.save(tmp_path)
    content = (tmp_path / file).read_bytes()
    (tmp_path / file).unlink()
    if damage == "cut":
        (tmp_path / file).write_bytes(content[: len(content) // 2])
    with pytest.raises(TrainingError, match="cannot be read"):
        begun().load(tmp_path)


def test_a_checkpoint_of_another_size_is_one_sentence(tmp_path: Path, batches: list[Split]) -> None:
    learning = begun(dataclasses.replace(SETTINGS, channels=6))
    learning.step(batches[0])
    learning.save(tmp_path)
    with pytest.raises(TrainingError, match=r"is no network of these channels and blocks: .* has the shape"):
        begun().load(tmp_path)


@pytest.mark.parametrize("pixel", [float("nan"), float("inf")])
def test_nothing_is_learned_from_a_loss_that_is_no_number(batches: list[Split], pixel: float) -> None:
    learning = begun()
    learning.step(batches[0])
    before = {key: value.clone() for key, value in learning.network.named_parameters()}
    loss = learning.step(Split(torch.full_like(batches[1].images, pixel), batches[1].labels))
    assert math.isnan(loss)
    assert all(torch.equal(value, before[key]) for key, value in learning.network.named_parameters())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_mixed_precision_goes_on_from_a_checkpoint(
    tmp_path: Path, batches: list[Split], monkeypatch: pytest.MonkeyPatch, dtype: torch.dtype
) -> None:
    """The CPU computes it too, if slowly; trainings ask for it only with a GPU."""
    monkeypatch.setattr(learner, "precision", lambda asked, device: dtype)
    whole = begun()
    losses = [whole.step(batch) for batch in batches]
    assert sum(losses[-3:]) < sum(losses[:3])

    first = begun()
    for batch in batches[:6]:
        first.step(batch)
    first.save(tmp_path)
    scaler = json.loads((tmp_path / "learner.json").read_text(encoding="utf-8"))["scaler"]
    assert bool(scaler) == (dtype is torch.float16)
    second = begun()
    second.load(tmp_path)
    assert [second.step(batch) for batch in batches[6:]] == losses[6:]
    assert same(weights(second), weights(whole))


def test_steps_that_the_scaler_leaves_out_do_not_count(batches: list[Split], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learner, "precision", lambda asked, device: torch.float16)
    learning = begun()
    learning._scaler = torch.amp.GradScaler("cpu", init_scale=2.0**40)
    learning.step(batches[0])
    assert learning.lr == 0.0025
    assert learning._scaler.get_scale() == 2.0**39
    learning.step(batches[1])
    assert learning.lr == 0.0025


@pytest.mark.parametrize("asked", ["gpu", "CPU", ""])
def test_a_device_that_is_none_is_one_sentence(asked: str) -> None:
    with pytest.raises(TrainingError, match="expected auto, cpu or cuda"):
        learner.prepare(asked)


def test_without_a_gpu_cuda_is_one_sentence_and_auto_is_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(TrainingError, match=r"train\.device is cuda, and torch finds no GPU"):
        learner.prepare("cuda")
    assert learner.prepare("auto") == learner.prepare("cpu") == CPU


@pytest.mark.parametrize("asked", ["auto", "fp32", "bf16", "fp16"])
def test_a_cpu_computes_in_full_precision(asked: str) -> None:
    assert learner.precision(asked, CPU) is torch.float32


def test_a_precision_that_is_none_is_one_sentence() -> None:
    with pytest.raises(TrainingError, match=r"train\.precision is 'half'; expected one of auto, fp32, bf16, fp16"):
        learner.precision("half", CPU)


@pytest.mark.parametrize(
    ("asked", "has_bf16", "expected"),
    [
        ("auto", True, torch.bfloat16),
        ("auto", False, torch.float16),
        ("fp16", True, torch.float16),
        ("fp32", True, torch.float32),
        ("bf16", True, torch.bfloat16),
    ],
)
def test_a_gpu_computes_in_what_it_has(
    monkeypatch: pytest.MonkeyPatch, asked: str, has_bf16: bool, expected: torch.dtype
) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: has_bf16)
    assert learner.precision(asked, torch.device("cuda")) is expected


def test_a_gpu_without_bf16_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: False)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "An Old Card")
    with pytest.raises(TrainingError, match="bf16, which An Old Card has not: set fp16"):
        learner.precision("bf16", torch.device("cuda"))


@pytest.mark.parametrize(("given", "threads"), [("3", 3), ("0", 2), ("many", 2), ("", 2)])
def test_the_number_of_threads_is_what_was_given(monkeypatch: pytest.MonkeyPatch, given: str, threads: int) -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        monkeypatch.setenv("OMP_NUM_THREADS", given)
        learner.prepare("cpu")
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)


@gpu
@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["fp32", "fp16", "auto"])
def test_on_a_gpu(tmp_path: Path, batches: list[Split], precision: str) -> None:
    """It learns there, and goes on from a checkpoint there and on the CPU."""
    cuda = learner.prepare("cuda")
    settings = dataclasses.replace(SETTINGS, precision=precision)
    learning = begun(settings, cuda)
    losses = [learning.step(batch) for batch in on(cuda, batches)]
    assert sum(losses[-3:]) < sum(losses[:3])
    learning.save(tmp_path)
    for device in (cuda, CPU):
        resumed = begun(dataclasses.replace(settings, epochs=50), device)
        resumed.load(tmp_path)
        for key, value in weights(resumed).items():
            assert torch.equal(value.cpu(), weights(learning)[key].cpu())
        assert resumed.step(batches[0].to(device)) < losses[0]
