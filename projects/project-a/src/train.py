"""Learn to read handwritten digits: `python -m src.train`."""

from __future__ import annotations

import inspect
import math
import shutil
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import sklearn
import torch

from src import contract, data, learner, model
from src.contract import Comparison, ModelCard, Run, State, TrainingError
from src.data import CLASSES, Data, Order, Split
from src.learner import Learner, Settings
from src.model import ABOUT, FILE, Block, Network

# The best weights so far are in each checkpoint too: what comes after a resume may never be as good again.
BEST = "best.safetensors"
USAGE = """
```python
import json
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn


{block}

{network}

about = json.loads(Path("config.json").read_text())
network = Network(**about["architecture"])
network.load_state_dict(load_file("model.safetensors"))
network.eval()
image = [
    [0, 0, 5, 13, 9, 1, 0, 0],
    [0, 0, 13, 15, 10, 15, 5, 0],
    [0, 3, 15, 2, 0, 11, 8, 0],
    [0, 4, 12, 0, 0, 8, 8, 0],
    [0, 5, 8, 0, 0, 9, 8, 0],
    [0, 4, 11, 0, 1, 12, 7, 0],
    [0, 2, 14, 5, 10, 12, 0, 0],
    [0, 0, 6, 13, 10, 0, 0, 0],
]
with torch.no_grad():
    found = network(torch.tensor([[image]], dtype=torch.float32))
print(about["classes"][int(found.argmax())])
```

An image is 8 pixels high and wide, from 0 (paper) to 16 (ink). The network normalises it itself.
"""


@dataclass(frozen=True)
class Base:
    """A model on the Hub to go on from."""

    repo: str
    revision: str

    @staticmethod
    def of(config: Mapping[str, Any]) -> Base | None:
        """Raises TrainingError when only one of the two is given."""
        given = config.get("base_model") or {}
        repo, revision = given.get("repo"), given.get("revision")
        if bool(repo) != bool(revision):
            raise TrainingError("config.yaml: base_model needs repo and revision, or neither of them")
        return Base(repo, revision) if repo and revision else None

    def load(self, network: Network) -> None:
        model.load_base(network, contract.snapshot("model", self.repo, self.revision), self.repo)


class Training:
    def __init__(self, run: Run) -> None:
        self.run = run
        self.settings = settings = contract.settings(Settings, run.config)
        self.base = Base.of(run.config)
        self.device = learner.prepare(settings.device)
        self.splits = data.load()
        self.known, self.kept_back = self.splits.train.to(self.device), self.splits.validation.to(self.device)
        self.steps = math.ceil(len(self.known) / settings.batch_size)  # of one epoch
        self.architecture: dict[str, Any] = {
            "channels": settings.channels,
            "blocks": settings.blocks,
            "dropout": settings.dropout,
            "classes": len(CLASSES),
        }
        torch.manual_seed(settings.seed)
        self.learner = Learner(settings, Network(**self.architecture), self.device, self.steps)
        self.state = State(seed=settings.seed, more={"batch_size": settings.batch_size, "loss": 0.0})
        self.best = run.out / "model"

    def begin(self) -> None:
        """From nothing, from a base model or from a checkpoint."""
        self.best.mkdir(exist_ok=True)
        resumed = self.run.resumed()
        if resumed is not None:
            folder, self.state = resumed
            check_same(self.state, self.settings)
            self.learner.load(folder)
            if self.state.best is not None:
                shutil.copyfile(folder / BEST, self.best / FILE)
        elif self.base is not None:
            self.base.load(self.learner.network)
        else:
            model.normalise(self.learner.network, self.splits.train)
        model.describe(self.learner.network, self.architecture, self.best / ABOUT)
        self.run.start(
            epochs=self.settings.epochs,
            steps=self.settings.epochs * self.steps,
            device=self.device.type,
            resumed=resumed and self.state,
            precision=self.learner.precision,
            images={"train": len(self.known), "validation": len(self.kept_back), "test": len(self.splits.test)},
        )

    def goes_on(self) -> bool:
        return self.state.epoch < self.settings.epochs and not is_stale(self.state, self.settings.patience)

    def epoch(self) -> None:
        """What is left of the epoch that is under way, and what came of it."""
        run, state = self.run, self.state
        began = time.monotonic()
        order = Order.draw(len(self.known), self.settings.shift, self.settings.seed, state.epoch)
        while state.step_in_epoch < self.steps:
            self.step(order.batch(self.known, state.step_in_epoch, self.settings.batch_size))
            if state.step_in_epoch < self.steps:
                run.stop_if_asked(state, self.write)
        found = model.measure(self.learner.network, self.kept_back)
        train_loss = state.more["loss"] / len(self.known)
        state.epoch, state.step_in_epoch, state.more["loss"] = state.epoch + 1, 0, 0.0
        metrics = {"train_loss": train_loss, "val_loss": found["loss"], "val_accuracy": found["accuracy"]}
        run.epoch(state, self.settings.epochs, metrics, time.monotonic() - began, self.learner.lr)
        if not math.isfinite(found["loss"]):
            raise TrainingError(f"val_loss after step {state.step} is {found['loss']}: try a smaller learning_rate")
        if state.is_best("val_loss", found["loss"]):
            model.save(self.learner.network, self.best / FILE)
        run.save(state, self.write)
        if self.goes_on():
            run.stop_if_asked(state, self.write)

    def step(self, batch: Split) -> None:
        state = self.state
        loss = self.learner.step(batch)
        state.step += 1
        state.step_in_epoch += 1
        if not math.isfinite(loss):
            raise TrainingError(f"the loss of step {state.step} is {loss}: try a smaller learning_rate")
        state.more["loss"] += loss * len(batch)
        if state.step % self.settings.log_every == 0:
            self.run.step(state, {"train_loss": loss}, self.learner.lr)

    def write(self, folder: Path) -> None:
        self.learner.save(folder)
        if self.state.best is not None:
            shutil.copyfile(self.best / FILE, folder / BEST)

    def finish(self) -> None:
        model.load(self.learner.network, self.best / FILE, FILE)
        # The one look at the test split, after the last choice.
        test = model.measure(self.learner.network, self.splits.test.to(self.device))
        self.run.finish(self.state, card(self.settings, self.base, self.splits, test))


def train(run: Run) -> None:
    training = Training(run)
    training.begin()
    while training.goes_on():
        training.epoch()
    training.finish()


def check_same(state: State, settings: Settings) -> None:
    """Raises TrainingError when a checkpoint counted its steps, or drew its images, in another way than today's settings."""
    for name, before in (("seed", state.seed), ("batch_size", state.more.get("batch_size"))):
        today = getattr(settings, name)
        if before != today:
            raise TrainingError(
                f"the checkpoint was made with {name} {before}, and config.yaml says {today}: resume with {before}"
            )


def is_stale(state: State, patience: int) -> bool:
    """Whether the validation loss has not become better for `patience` epochs; never when that is 0."""
    return bool(patience and state.best and state.epoch - state.best["epoch"] >= patience)


def card(settings: Settings, base: Base | None, splits: Data, test: Mapping[str, float]) -> ModelCard:
    others = [Comparison(name, figures) for name, figures in model.baselines(splits.train, splits.test).items()]
    sizes = f"train {len(splits.train):,}, validation {len(splits.validation):,}, test {len(splits.test):,}"
    limits = [
        "The data do not say who wrote what, so the same hands wrote training and test images: "
        "expect less of a hand that the network has never seen.",
        f"One image of the test split is {1 / len(splits.test):.4f} of its accuracy: smaller differences say nothing.",
        "Only images prepared as these were: one digit, centred, counted down from 32 by 32 bits.",
    ]
    begun = {}
    if base is not None:
        begun["begun from"] = f"{base.repo} at revision {base.revision}"
        limits.append(f"The test split is new to it only if it was to {base.repo}, as it is to what this project trained.")
    return ModelCard(
        title="Handwritten digits",
        summary="Tells handwritten digits apart on images of 8 by 8 pixels, with a small convolutional network.",
        usage=USAGE.format(block=inspect.getsource(Block), network=inspect.getsource(Network)),
        comparisons=[Comparison("convolutional network", test), *others],
        data={
            "data set": f"digits as scikit-learn {sklearn.__version__} ships them (test part of UCI's Optical Recognition "
            "of Handwritten Digits)",
            "images": sizes,
            "split": "drawn by a fixed seed, with the same share of each class everywhere",
            **begun,
        },
        settings=asdict(settings),
        tags=["image-classification", "pytorch", "safetensors"],
        library="pytorch",
        base_model=None if base is None else base.repo,
        limits=limits,
    )


if __name__ == "__main__":
    sys.exit(contract.main(train))
