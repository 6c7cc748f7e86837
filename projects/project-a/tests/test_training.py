"""Whole trainings: most in this process, and the three that are about processes as processes."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import math
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import yaml
from sklearn.datasets import load_digits
from src import data, model, train
from src.contract import State
from src.contract.checkpoints import newest
from src.data import CLASSES, Split
from src.learner import Learner
from src.model import ABOUT, FILE, Network

from tests.running import COMMIT, REPO, REVISION, Process, Training, inside, publish, training

# Epochs that are long enough to be stopped in the middle of one.
LONG = ("channels=8", "batch_size=4", "epochs=3", "log_every=10", "dropout=0.2")
LONG_STEPS = math.ceil(1077 / 4)


def kept(done: Training, name: str = FILE) -> Network:
    about = json.loads((done.out / "model" / ABOUT).read_text(encoding="utf-8"))
    network = Network(**about["architecture"])
    model.load(network, done.out / "model" / name, name)
    return network


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """A process that nobody stops. It runs beside the others."""
    with training(tmp_path_factory.mktemp("whole") / "out", *LONG) as running:
        yield running


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Training:
    """One that went to its end."""
    status, training = inside(tmp_path_factory.mktemp("done") / "out")
    assert status == 0, training.stderr
    return training


def test_stopped_in_the_middle_of_an_epoch_and_resumed_is_the_same_to_the_bit(tmp_path: Path, whole: Process) -> None:
    with training(tmp_path / "stopped", *LONG) as stopped:
        stopped.until("epoch", 1)
        stopped.until("step", LONG_STEPS // 10 + 1)
        while len(stopped.events("checkpoint")) < 2:  # more than one asks, and that changes nothing
            assert stopped.process.poll() is None, stopped.stderr
            stopped.process.terminate()
            time.sleep(0.005)
        assert stopped.status() == 143
    assert stopped.stderr == ""
    checkpoint = stopped.out / "checkpoint"
    place, state = newest(checkpoint)
    assert 0 < state.step_in_epoch < LONG_STEPS
    assert [event["event"] for event in stopped.events()[-2:]] == ["checkpoint", "stopped"]
    (told,) = stopped.events("stopped")
    assert (told["reason"], told["epoch"]) == ("sigterm", state.epoch)
    assert stopped.events("checkpoint")[-1]["path"] == f"checkpoint/{place.name}"
    assert not list(checkpoint.glob(".*"))
    assert not (stopped.out / "metrics.json").exists()

    with training(tmp_path / "resumed", *LONG, resume=checkpoint) as resumed:
        assert resumed.status() == 0, resumed.stderr
    start = resumed.events()[0]
    assert (start["resumed_epoch"], start["resumed_step"]) == (state.epoch, state.step)
    assert [event["epoch"] for event in resumed.events("epoch")] == list(range(state.epoch + 1, 4))
    assert resumed.events("step")[0]["step"] == state.step // 10 * 10 + 10
    assert whole.status() == 0, whole.stderr
    assert resumed.results() == whole.results()


def asked_in(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Let SIGTERM come in the middle of a step."""
    learn, calls = Learner.step, itertools.count(1)

    def asked(learning: Learner, batch: Split) -> float:
        if next(calls) == step:
            signal.raise_signal(signal.SIGTERM)
        return learn(learning, batch)

    monkeypatch.setattr(Learner, "step", asked)


@pytest.mark.parametrize("step", [1, 20, 34, 35, 67])
def test_wherever_it_is_stopped_it_goes_on_the_same(
    tmp_path: Path, done: Training, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """Before there is a best model, and at the end of an epoch, too."""
    asked_in(monkeypatch, step)
    status, stopped = inside(tmp_path / "stopped")
    assert (status, stopped.events()[-1]["event"]) == (143, "stopped")
    assert newest(stopped.out / "checkpoint")[1].step == step
    status, resumed = inside(tmp_path / "resumed", resume=stopped.out / "checkpoint")
    assert status == 0, resumed.stderr
    assert resumed.results() == done.results()


def test_asked_in_its_last_step_it_ends(tmp_path: Path, done: Training, monkeypatch: pytest.MonkeyPatch) -> None:
    asked_in(monkeypatch, 68)
    status, ended = inside(tmp_path / "out")
    assert (status, ended.results()) == (0, done.results())


def test_a_process_to_its_end(whole: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    assert whole.status() == 0, whole.stderr
    assert whole.stderr == ""
    assert (whole.out / "events.jsonl").read_text(encoding="utf-8") == whole.stdout
    names = [event["event"] for event in whole.events()]
    assert [name for name in names if name != "step"] == ["start", *["epoch", "checkpoint"] * 3, "end"]
    assert [event["step"] for event in whole.events("step")] == list(range(10, 3 * LONG_STEPS + 1, 10))
    assert all(math.isfinite(event["metrics"]["train_loss"]) and event["lr"] > 0 for event in whole.events("step"))
    start, end = whole.events()[0], whole.events()[-1]
    assert (start["project"], start["commit"], start["device"], start["precision"]) == ("project-a", COMMIT, "cpu", "fp32")
    assert (start["epochs"], start["steps"]) == (3, 3 * LONG_STEPS)
    assert start["images"] == {"train": 1077, "validation": 360, "test": 360}
    for event in whole.events("epoch"):
        assert list(event["metrics"]) == ["train_loss", "val_loss", "val_accuracy"]
        assert event["lr"] > 0
    assert sorted(path.name for path in (whole.out / "model").iterdir()) == [ABOUT, FILE]
    assert not [path for path in whole.out.rglob("*") if path.suffix in {".pt", ".pth", ".pkl", ".bin"}]

    metrics = whole.metrics()
    assert list(metrics["test"]) == ["convolutional network", "majority class", "logistic regression"]
    assert [entry["epoch"] for entry in metrics["history"]] == [1, 2, 3]
    assert metrics["best"] == end["best"]
    assert metrics["best"]["value"] == min(entry["val_loss"] for entry in metrics["history"])
    assert metrics["test"]["convolutional network"]["accuracy"] > 0.7

    # What the card says of its use is what works.
    readme = (whole.out / "README.md").read_text(encoding="utf-8")
    code = readme.split("```python\n")[1].split("```")[0]
    zero = torch.from_numpy(load_digits().images[:1]).float().unsqueeze(1)
    answer = CLASSES[int(kept(whole).eval()(zero).argmax())]
    monkeypatch.chdir(whole.out / "model")
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(code, {"__name__": "card"})  # noqa: S102  # it is ours
    assert printed.getvalue().strip() == answer == "0"


def test_the_card(done: Training) -> None:
    readme = (done.out / "README.md").read_text(encoding="utf-8")
    assert yaml.safe_load(readme.split("---\n")[1]) == {
        "tags": ["image-classification", "pytorch", "safetensors", "project-a"],
        "library_name": "pytorch",
    }
    found = done.metrics()["test"]["convolutional network"]
    assert f"| convolutional network | {found['loss']:.4f} | {found['accuracy']:.4f} |" in readme
    assert found == model.measure(kept(done), data.load().test)
    assert COMMIT in readme
    assert "begun from" not in readme


def test_the_test_split_decides_nothing(tmp_path: Path, done: Training, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other labels of its images change what is said of it, and no other number."""
    splits = data.load()
    turned = data.Data(splits.train, splits.validation, Split(splits.test.images, (splits.test.labels + 1) % 10))
    monkeypatch.setattr(data, "load", lambda: turned)
    status, changed = inside(tmp_path / "out")
    assert status == 0, changed.stderr
    assert changed.results()[1] == done.results()[1]
    one, two = done.metrics(), changed.metrics()
    assert (one["history"], one["best"]) == (two["history"], two["best"])
    assert one["test"]["convolutional network"]["accuracy"] > two["test"]["convolutional network"]["accuracy"]


def test_the_seed_decides(tmp_path: Path, done: Training) -> None:
    assert inside(tmp_path / "same")[1].results() == done.results()
    assert inside(tmp_path / "other", "seed=8")[1].results()[1] != done.results()[1]


def test_it_stops_early_and_keeps_the_best_not_the_last(tmp_path: Path) -> None:
    overrides = ("learning_rate=0.3", "epochs=40", "patience=2")
    status, done = inside(tmp_path / "out", *overrides)
    assert status == 0, done.stderr
    metrics = done.metrics()
    losses = [entry["val_loss"] for entry in metrics["history"]]
    best = metrics["best"]["epoch"]
    assert len(losses) == best + 2 < 40
    assert losses[best - 1] == metrics["best"]["value"] == min(losses) < losses[-1]
    assert model.measure(kept(done), data.load().validation)["loss"] == metrics["best"]["value"]

    # A checkpoint that its patience had run out for goes no further.
    status, again = inside(tmp_path / "again", *overrides, resume=done.out / "checkpoint")
    assert (status, again.events("epoch")) == (0, [])
    assert again.results() == done.results()


@pytest.mark.parametrize(
    ("epoch", "best", "patience", "stale"),
    [(9, 3, 6, True), (8, 3, 6, False), (9, 9, 1, False), (10, 9, 1, True), (99, 1, 0, False), (0, None, 6, False)],
)
def test_it_is_stale_after_its_patience(epoch: int, best: int | None, patience: int, stale: bool) -> None:
    state = State(seed=1, epoch=epoch, best=best and {"metric": "val_loss", "value": 0.5, "epoch": best})  # type: ignore[arg-type]
    assert train.is_stale(state, patience) is stale


def failed(out: Path, *overrides: str, resume: Path | None = None) -> str:
    """What a training says that ends at once for a reason that somebody can mend."""
    status, ended = inside(out, *overrides, resume=resume)
    assert (status, ended.stderr) == (1, "")
    assert not (out / "metrics.json").exists()
    event = ended.events()[-1]
    assert (event["event"], event["error"]) == ("error", "TrainingError")
    assert "\n" not in event["message"]
    return str(event["message"])


def test_a_loss_that_is_no_number_ends_it_at_its_step(tmp_path: Path) -> None:
    assert failed(tmp_path / "out", "learning_rate=1.0e+38") == "the loss of step 2 is nan: try a smaller learning_rate"
    names = [json.loads(line)["event"] for line in (tmp_path / "out" / "events.jsonl").read_text().splitlines()]
    assert names == ["start", "error"]


def test_a_val_loss_that_is_no_number_ends_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "measure", lambda network, split: {"loss": math.inf, "accuracy": 0.1})
    assert failed(tmp_path / "out") == "val_loss after step 34 is inf: try a smaller learning_rate"


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (["chanels=8"], "train has no chanels; did you mean channels?"),
        (["epochs=many"], "train.epochs is 'many'; expected int"),
        (["learning_rate=1e-3"], "train.learning_rate is '1e-3'; expected float"),
        (["device=gpu"], "train.device is 'gpu'; expected auto, cpu or cuda"),
        (["precision=half"], "train.precision is 'half'; expected one of auto, fp32, bf16, fp16"),
        ([f"base_model.repo={REPO}"], "base_model needs repo and revision, or neither of them"),
        ([f"base_model.revision={REVISION}"], "base_model needs repo and revision, or neither of them"),
        ([f"base_model.repo={REPO}", "base_model.revision=main"], "'main' is no pinned revision"),
        (["base_model.repo=a/b", f"base_model.revision={REVISION}"], f"revision {REVISION} of a/b is not in the cache"),
    ],
)
def test_what_somebody_can_mend_is_one_sentence(tmp_path: Path, overrides: list[str], sentence: str) -> None:
    assert sentence in failed(tmp_path / "out", *overrides)


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("batch_size=64", "the checkpoint was made with batch_size 32, and config.yaml says 64: resume with 32"),
        ("seed=8", "the checkpoint was made with seed 7, and config.yaml says 8: resume with 7"),
        ("channels=6", "is no network of these channels and blocks"),
    ],
)
def test_a_checkpoint_of_another_training_is_one_sentence(tmp_path: Path, done: Training, override: str, sentence: str) -> None:
    assert sentence in failed(tmp_path / "out", override, resume=done.out / "checkpoint")


def test_more_epochs_go_on_where_fewer_ended(tmp_path: Path, done: Training) -> None:
    status, longer = inside(tmp_path / "out", "epochs=4", resume=done.out / "checkpoint")
    assert status == 0, longer.stderr
    assert [event["epoch"] for event in longer.events("epoch")] == [3, 4]
    assert longer.metrics()["history"][:2] == done.metrics()["history"]


def test_it_goes_on_from_a_model_that_it_has_published(tmp_path: Path, done: Training) -> None:
    publish(done.out / "model")
    base = (f"base_model.repo={REPO}", f"base_model.revision={REVISION}")
    status, tuned = inside(tmp_path / "out", *base, "learning_rate=1.0e-9")
    assert status == 0, tuned.stderr
    # So small a step changes no answer: what it knows at the end is what it was given.
    validation = data.load().validation
    assert model.measure(kept(tuned), validation)["accuracy"] > 0.9 * model.measure(kept(done), validation)["accuracy"] > 0.2
    assert tuned.metrics()["history"][0]["val_loss"] < done.metrics()["history"][0]["val_loss"]
    readme = (tuned.out / "README.md").read_text(encoding="utf-8")
    assert yaml.safe_load(readme.split("---\n")[1])["base_model"] == REPO
    assert f"* begun from: {REPO} at revision {REVISION}" in readme

    # A resumed training has all that in its checkpoint, and asks nobody for the base model again.
    (tmp_path / "nothing").mkdir()
    publish(tmp_path / "nothing")
    status, longer = inside(tmp_path / "longer", *base, "epochs=3", resume=tuned.out / "checkpoint")
    assert status == 0, longer.stderr


def test_a_base_model_that_does_not_fit_is_one_sentence(tmp_path: Path, done: Training) -> None:
    publish(done.out / "model")
    base = (f"base_model.repo={REPO}", f"base_model.revision={REVISION}")
    message = failed(tmp_path / "out", *base, "channels=6")
    assert message.startswith(f"the base model {REPO} (channels 4, blocks 1) is no network of these channels and blocks: ")
    assert "body.0.weight has the shape [4, 1, 3, 3] there and [6, 1, 3, 3] here" in message


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no GPU here")
def test_a_training_on_a_gpu(tmp_path: Path) -> None:
    status, done = inside(tmp_path / "out", "device=cuda", "epochs=5")
    assert status == 0, done.stderr
    assert done.events()[0]["device"] == "cuda"
    assert done.metrics()["test"]["convolutional network"]["accuracy"] > 0.5
    status, resumed = inside(tmp_path / "cpu", "epochs=6", resume=done.out / "checkpoint")
    assert status == 0, resumed.stderr
    assert resumed.events()[0]["device"] == "cpu"
