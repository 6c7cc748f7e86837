"""What one line of a training's log says about the training."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from console.text import Clean


class Form(IntEnum):
    """Where a reading is from; the lower, the more it is trusted."""

    EVENT = 0
    """An event of the platform's own contract."""
    RECORD = 1
    """Another JSON object a line."""
    PAIRS = 2
    """`epoch=3 loss=0.2`."""
    SENTENCE = 3
    """`Epoch 3/10 - loss: 0.2`, `step 5, loss 0.2`, and their like."""
    BAR = 4
    """A progress bar of tqdm; Lightning and ignite draw with it."""
    DICT = 5
    """A printed dict, as of the Trainer of transformers."""
    KERAS = 6
    TREES = 7
    """`[10] train-logloss:0.2`: xgboost and LightGBM."""
    TABLE = 8


class Phase(StrEnum):
    """What the numbers were measured on."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Metric:
    """A number as it was written; with `percent` a percent sign stood behind it. `value` may be nan or infinite."""

    name: Clean
    value: float
    percent: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """`time` is nanoseconds since 1970. All that the line did not say is None.

    `epoch` counts as the program counts, from 0 or 1, and may have a fraction; with `counted` it is how many epochs are
    done, as an outer bar tells. `step` of `steps` may start again in each epoch. Where `exact` is not set, `step` is only
    near the one that the metrics belong to: a bar moves its counter and its numbers at different times. `rate` is in `unit`
    a second; `rank` is which of several processes spoke. `event` is the name of an event of the contract, `note` what else
    it told: a path, a reason, a message.
    """

    time: int
    form: Form
    phase: Phase | None = None
    epoch: float | None = None
    epochs: int | None = None
    step: int | None = None
    steps: int | None = None
    metrics: tuple[Metric, ...] = ()
    lr: float | None = None
    rate: float | None = None
    unit: Clean | None = None
    exact: bool = True
    event: Clean | None = None
    note: Clean | None = None
    rank: int | None = None
    counted: bool = False
    stderr: bool = False
