"""The training. This one finds a straight line through noisy points, to show what the platform asks of a training:

`run.start`, after each step `run.stop_if_asked`, after each epoch `run.epoch` and `run.save`, at the end `run.finish`.
Put your own in its place; docs/projects.md says what each call writes.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from src import contract
from src.contract import Comparison, ModelCard, Run, State, TrainingError

FILE = "line.json"
Points = list[tuple[float, float]]


@dataclass(frozen=True)
class Settings:
    """The section `train` of config.yaml; config.schema.json says what the values may be."""

    epochs: int
    learning_rate: float
    seed: int


@dataclass
class Line:
    slope: float = 0.0
    offset: float = 0.0

    def step(self, x: float, y: float, rate: float) -> None:
        wrong = self.slope * x + self.offset - y
        self.slope -= rate * wrong * x
        self.offset -= rate * wrong

    def error(self, points: Points) -> float:
        """Mean squared error."""
        return sum((self.slope * x + self.offset - y) ** 2 for x, y in points) / len(points)

    def save(self, folder: Path) -> None:
        (folder / FILE).write_text(json.dumps(asdict(self)), encoding="utf-8")


def load(folder: Path) -> Line:
    return Line(**json.loads((folder / FILE).read_text(encoding="utf-8")))


def points(seed: int, count: int) -> Points:
    draw = random.Random(seed)
    return [(x, 3 * x - 1 + draw.gauss(0, 0.1)) for x in (draw.uniform(-1, 1) for _ in range(count))]


def train(run: Run) -> None:
    settings = contract.settings(Settings, run.config)
    known, kept_back, test = points(1, 200), points(2, 50), points(3, 50)
    line, state = Line(), State(seed=settings.seed)
    model = run.out / "model"
    model.mkdir(exist_ok=True)
    resumed = run.resumed()
    if resumed is not None:
        folder, state = resumed
        line = load(folder)
        if state.best is not None:
            shutil.copyfile(folder / f"best-{FILE}", model / FILE)
    run.start(epochs=settings.epochs, steps=settings.epochs * len(known), device="cpu", resumed=resumed and state)

    def write(place: Path) -> None:
        line.save(place)
        if state.best is not None:
            shutil.copyfile(model / FILE, place / f"best-{FILE}")

    while state.epoch < settings.epochs:
        began = time.monotonic()
        # The order depends on seed and epoch alone, so that a resumed training goes on with the same one.
        order = random.Random(settings.seed * 1_000_003 + state.epoch).sample(known, len(known))
        for x, y in order[state.step_in_epoch :]:
            line.step(x, y, settings.learning_rate)
            state.step += 1
            state.step_in_epoch += 1
            if state.step_in_epoch < len(order):
                run.stop_if_asked(state, write)
        state.epoch, state.step_in_epoch = state.epoch + 1, 0
        metrics = {"train_loss": line.error(known), "val_loss": line.error(kept_back)}
        run.epoch(state, settings.epochs, metrics, time.monotonic() - began, settings.learning_rate)
        if state.is_best("val_loss", metrics["val_loss"]):
            line.save(model)
        run.save(state, write)
        if state.epoch < settings.epochs:
            run.stop_if_asked(state, write)
    if state.best is None:
        raise TrainingError("no epoch reached a loss that is a number: try a smaller learning_rate")
    mean = Line(offset=sum(y for _, y in known) / len(known))
    run.finish(
        state,
        ModelCard(
            title="A straight line",
            summary="A line through noisy points: what a new project starts with.",
            usage=f"Read `{FILE}`: y = slope * x + offset.",
            comparisons=[
                Comparison("line", {"mse": load(model).error(test)}),
                Comparison("mean of the training points", {"mse": mean.error(test)}),
            ],
            data={"points": f"made up: {len(known)} to train on, {len(kept_back)} to choose by, {len(test)} to test with"},
            settings=asdict(settings),
        ),
    )


if __name__ == "__main__":
    sys.exit(contract.main(train))
