"""Boosted trees that grow by the epoch, what they are compared with, and how they are measured and kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import skops.io
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from src.contract import TrainingError
from src.data import CLASSES, Split, majority

FILE = "model.skops"
# What skops does not know by itself; a model file that holds anything else is not loaded.
_TRUSTED = ["sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"]


@dataclass(frozen=True)
class Settings:
    """The section `train` of config.yaml; config.schema.json says what the values may be."""

    epochs: int
    trees_per_epoch: int
    learning_rate: float
    max_leaf_nodes: int
    seed: int
    l2: float = 0.0
    patience: int = 0


class Booster:
    """Grows by `trees_per_epoch` boosting rounds at a time. The same settings and data give the same trees, bit for bit."""

    def __init__(self, settings: Settings) -> None:
        self._rounds = settings.trees_per_epoch
        self.model = HistGradientBoostingClassifier(
            learning_rate=settings.learning_rate,
            max_leaf_nodes=settings.max_leaf_nodes,
            l2_regularization=settings.l2,
            max_iter=0,
            warm_start=True,
            early_stopping=False,
            random_state=settings.seed,
        )

    def grow(self, train: Split) -> None:
        """One epoch."""
        self.model.max_iter += self._rounds
        self.model.fit(train.x, train.y)

    def measure(self, split: Split) -> dict[str, float]:
        """Log loss, accuracy and macro F1 on a split."""
        return measure(self.model, split)

    def save(self, folder: Path) -> None:
        skops.io.dump(self.model, folder / FILE)

    def load(self, folder: Path) -> None:
        """Go on from what `save` has written. Raises TrainingError."""
        model = load(folder / FILE)
        # How it goes on is said by today's settings, what it has learned by the file.
        model.set_params(**{name: value for name, value in self.model.get_params().items() if name != "max_iter"})
        self.model = model


def load(file: Path) -> HistGradientBoostingClassifier:
    """Read a model file. Raises TrainingError when it is damaged or holds something else."""
    try:
        unknown = set(skops.io.get_untrusted_types(file=file)) - set(_TRUSTED)
        if unknown:
            raise TrainingError(f"{file.name} holds {', '.join(sorted(unknown))}, which no model of this project does")
        model = skops.io.load(file, trusted=_TRUSTED)
    except (BadZipFile, NotImplementedError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise TrainingError(f"{file} cannot be read: {error}") from error
    if not isinstance(model, HistGradientBoostingClassifier):
        raise TrainingError(f"{file.name} holds a {type(model).__name__}, which no model of this project is")
    return model


def measure(model: Any, split: Split) -> dict[str, float]:
    chances = model.predict_proba(split.x)
    guesses = np.asarray(model.classes_)[chances.argmax(axis=1)]
    return {
        "loss": float(log_loss(split.y, chances, labels=list(range(len(CLASSES))))),
        "accuracy": float(accuracy_score(split.y, guesses)),
        "macro_f1": float(f1_score(split.y, guesses, average="macro")),
    }


def baselines(train: Split, test: Split) -> Mapping[str, Mapping[str, float]]:
    """The test split by what needs no training, and by a linear model of the same columns."""
    most = np.full(len(test), majority(train))
    linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)).fit(train.x, train.y)
    return {
        "majority class": {
            "accuracy": float(accuracy_score(test.y, most)),
            "macro_f1": float(f1_score(test.y, most, average="macro", zero_division=0)),
        },
        "logistic regression": measure(linear, test),
    }
