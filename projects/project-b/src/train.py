"""Learn to tell a diamond's cut from its price and measures: `python -m src.train`."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from src import contract, data, model
from src.contract import Comparison, ModelCard, Run, State, TrainingError
from src.data import CLASSES, FEATURES, Data
from src.model import FILE, Booster, Settings

# The best model so far is in each checkpoint too: what comes after a resume may never be as good again.
BEST = "best.skops"
USAGE = """
```python
import numpy as np
import skops.io

model = skops.io.load("model.skops", trusted=skops.io.get_untrusted_types(file="model.skops"))
row = [0.23, 61.5, 55.0, 326.0, 3.95, 3.98, 2.43, 1, 1]  # {features}
print({classes}[int(model.predict(np.array([row]))[0])])
```

Colours are counted from D = 0 (the best) to J = 6, clarities from I1 = 0 (the worst) to IF = 7.
"""


def train(run: Run) -> None:
    settings = contract.settings(Settings, run.config)
    source = run.config.get("data") or {}
    splits = data.load(contract.snapshot("dataset", source.get("repo"), source.get("revision")))
    sizes = {"train": len(splits.train), "validation": len(splits.validation), "test": len(splits.test)}
    booster, state = Booster(settings), State(seed=settings.seed)
    best = run.out / "model"
    best.mkdir(exist_ok=True)
    resumed = run.resumed()
    if resumed is not None:
        folder, state = resumed
        booster.load(folder)
        if state.best is not None:
            shutil.copyfile(folder / BEST, best / FILE)
    run.start(epochs=settings.epochs, steps=settings.epochs, device="cpu", resumed=resumed and state, rows=sizes)

    def write(folder: Path) -> None:
        booster.save(folder)
        if state.best is not None:
            shutil.copyfile(best / FILE, folder / BEST)

    while state.epoch < settings.epochs and not is_stale(state, settings.patience):
        began = time.monotonic()
        booster.grow(splits.train)
        state.epoch += 1
        state.step += 1
        metrics = {"train_loss": booster.measure(splits.train)["loss"]}
        metrics |= {f"val_{name}": value for name, value in booster.measure(splits.validation).items()}
        run.epoch(state, settings.epochs, metrics, time.monotonic() - began, settings.learning_rate)
        if state.is_best("val_loss", metrics["val_loss"]):
            booster.save(best)
        run.save(state, write)
        if state.epoch < settings.epochs:
            run.stop_if_asked(state, write)
    if state.best is None:
        raise TrainingError("no epoch reached a loss that is a number: try a smaller learning_rate")
    # The one look at the test split, after the last choice.
    test = model.measure(model.load(best / FILE), splits.test)
    run.finish(state, card(settings, source, splits, sizes, test))


def is_stale(state: State, patience: int) -> bool:
    """Whether the validation loss has not become better for `patience` epochs; never when that is 0."""
    return bool(patience and state.best and state.epoch - state.best["epoch"] >= patience)


def card(
    settings: Settings, source: Mapping[str, Any], splits: Data, sizes: Mapping[str, int], test: Mapping[str, float]
) -> ModelCard:
    others = [Comparison(name, figures) for name, figures in model.baselines(splits.train, splits.test).items()]
    return ModelCard(
        title="The cut of a diamond",
        summary="Tells the grade of a diamond's cut from its price, weight, colour, clarity and sides, with boosted trees.",
        usage=USAGE.format(features=", ".join(FEATURES), classes=list(CLASSES)),
        comparisons=[Comparison("boosted trees", test), *others],
        data={
            "data set": f"{source['repo']} at revision {source['revision']}",
            "rows": ", ".join(f"{name} {rows:,}" for name, rows in sizes.items()),
            "split": "by a hash of weight, colour, clarity and price, so that a stone entered twice is on one side",
        },
        settings=asdict(settings),
        tags=["tabular-classification", "sklearn", "skops"],
        library="sklearn",
        datasets=[source["repo"]],
        limits=[
            "Prices are of the years when the data were collected: a model that leans on them ages.",
            "Round-cut diamonds only.",
        ],
    )


if __name__ == "__main__":
    sys.exit(contract.main(train))
