"""Real trainings on a small table, which the Hub's cache holds."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import pytest
import yaml
from src import data, model
from src.contract.checkpoints import newest
from src.data import CLASSES

from tests import diamonds
from tests.diamonds import REPO, REVISION
from tests.running import COMMIT, Training, ran, training

SMALL = ("trees_per_epoch=1", "max_leaf_nodes=4", "learning_rate=0.3", "patience=0")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return diamonds.cache(tmp_path_factory.mktemp("home"), diamonds.rows(500))


def table(home: Path) -> Path:
    (found,) = home.glob("hub/*/snapshots/*")
    return found


@pytest.fixture(scope="module")
def done(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Training:
    """One that went to its end."""
    status, training = ran(tmp_path_factory.mktemp("done") / "out", home, *SMALL, "epochs=3")
    assert status == 0, training.stderr
    return training


def test_to_the_end(done: Training, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Traceback" not in done.stderr
    assert [event["event"] for event in done.events()] == ["start", *["epoch", "checkpoint"] * 3, "end"]
    assert (done.out / "events.jsonl").read_text(encoding="utf-8") == done.stdout

    splits = data.load(table(home))
    start, end = done.events()[0], done.events()[-1]
    assert (start["project"], start["commit"], start["epochs"], start["steps"]) == ("project-b", COMMIT, 3, 3)
    assert start["rows"] == {
        "train": len(splits.train),
        "validation": len(splits.validation),
        "test": len(splits.test),
    }
    metrics = done.metrics()
    assert list(metrics["test"]) == ["boosted trees", "majority class", "logistic regression"]
    assert metrics["test"]["boosted trees"] == model.measure(model.load(done.out / "model" / model.FILE), splits.test)
    assert metrics["test"]["boosted trees"]["accuracy"] > metrics["test"]["majority class"]["accuracy"]
    assert [entry["epoch"] for entry in metrics["history"]] == [1, 2, 3]
    assert metrics["best"] == end["best"]
    assert metrics["best"]["value"] == min(entry["val_loss"] for entry in metrics["history"])

    readme = (done.out / "README.md").read_text(encoding="utf-8")
    front = yaml.safe_load(readme.split("---\n")[1])
    assert front == {
        "tags": ["tabular-classification", "sklearn", "skops", "project-b"],
        "library_name": "sklearn",
        "datasets": [REPO],
    }
    assert f"| boosted trees | {metrics['test']['boosted trees']['loss']:.4f} |" in readme
    assert f"{REPO} at revision {REVISION}" in readme
    assert COMMIT in readme

    # What the card says of its use is what works.
    code = readme.split("```python\n")[1].split("```")[0]
    monkeypatch.chdir(done.out / "model")
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(code, {})  # noqa: S102  # it is ours
    assert printed.getvalue().strip() in CLASSES


def test_stopped_and_resumed_is_the_same_to_the_bit(tmp_path: Path, home: Path) -> None:
    with training(tmp_path / "stopped", home, *SMALL, "epochs=100000") as stopped:
        stopped.until("epoch", 2)
        stopped.process.terminate()
        assert stopped.status() == 143
    assert stopped.stderr == ""
    last = stopped.events()[-1]
    checkpoint = stopped.out / "checkpoint"
    state = newest(checkpoint)[1]
    assert (last["event"], last["reason"], last["epoch"]) == ("stopped", "sigterm", state.epoch)
    assert not (stopped.out / "metrics.json").exists()

    epochs = f"epochs={state.epoch + 2}"
    status, resumed = ran(tmp_path / "resumed", home, *SMALL, epochs, resume=checkpoint)
    assert status == 0, resumed.stderr
    assert resumed.events()[0]["resumed_epoch"] == state.epoch
    assert [event["epoch"] for event in resumed.events("epoch")] == [state.epoch + 1, state.epoch + 2]
    status, whole = ran(tmp_path / "whole", home, *SMALL, epochs)
    assert status == 0, whole.stderr
    assert (resumed.out / "metrics.json").read_bytes() == (whole.out / "metrics.json").read_bytes()
    test = data.load(table(home)).test
    first, second = (model.load(run.out / "model" / model.FILE).predict_proba(test.x) for run in (resumed, whole))
    assert first.tobytes() == second.tobytes()


def test_it_stops_early_and_keeps_the_best_not_the_last(tmp_path: Path) -> None:
    home = diamonds.cache(tmp_path / "home", diamonds.rows(300, noise=9))
    overrides = ("trees_per_epoch=3", "max_leaf_nodes=8", "learning_rate=1", "epochs=90", "patience=2")
    status, done = ran(tmp_path / "out", home, *overrides)
    assert status == 0, done.stderr
    metrics = done.metrics()
    losses = [entry["val_loss"] for entry in metrics["history"]]
    best = metrics["best"]["epoch"]
    assert len(losses) == best + 2 < 90
    assert losses[best - 1] == metrics["best"]["value"] == min(losses) < losses[-1]
    kept = model.load(done.out / "model" / model.FILE)
    assert kept.max_iter == 3 * best
    assert model.measure(kept, data.load(table(home)).validation)["loss"] == metrics["best"]["value"]

    # A checkpoint that its patience had run out for goes no further.
    status, again = ran(tmp_path / "again", home, *overrides, resume=done.out / "checkpoint")
    assert (status, again.events("epoch")) == (0, [])
    assert again.metrics() == metrics


def test_the_test_split_decides_nothing(tmp_path: Path, done: Training) -> None:
    """Other labels of its rows change what is said of it, and no other number."""
    made = diamonds.rows(500)
    for row in made:
        if data._side(row) == 2:
            row["cut"] = CLASSES[(CLASSES.index(row["cut"]) + 2) % 5]
    status, changed = ran(tmp_path / "out", diamonds.cache(tmp_path / "home", made), *SMALL, "epochs=3")
    assert status == 0, changed.stderr
    one, two = done.metrics(), changed.metrics()
    assert (one["history"], one["best"]) == (two["history"], two["best"])
    assert one["test"]["boosted trees"]["accuracy"] > two["test"]["boosted trees"]["accuracy"]


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (["data.repo=", "data.revision="], "config.yaml names no dataset repository and revision; `make dataset` "),
        ([f"data.revision={'f' * 40}"], f"revision {'f' * 40} of {REPO} is not in the cache"),
    ],
)
def test_what_somebody_can_mend_is_one_sentence(tmp_path: Path, home: Path, overrides: list[str], sentence: str) -> None:
    status, failed = ran(tmp_path / "out", home, *overrides)
    assert (status, failed.stderr) == (1, "")
    (event,) = failed.events()
    assert (event["event"], event["error"]) == ("error", "TrainingError")
    assert sentence in event["message"]
    assert "\n" not in event["message"]
