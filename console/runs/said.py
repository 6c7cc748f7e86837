"""What a line has said so far, and whether that is a reading."""

from __future__ import annotations

from dataclasses import dataclass, field

from console.runs.names import phase_of
from console.runs.reading import Form, Metric, Phase, Reading
from console.text import Clean


@dataclass(slots=True)
class Said:
    """Filled word by word by `sentence`. `metrics` are measurements by their names, `others` have names that do not tell.

    `bare`: the step stood alone as `10/88`; `indexed`: as `[10]` at the beginning; `per_step`: a time for a step was told,
    and `drawn`: a bar was drawn, as Keras does; `bars`: its parts stand between bars; `odd`: names with a number that nothing
    is known of; `configs`: names of how a training is set up.
    """

    phase: Phase | None = None
    epoch: float | None = None
    epochs: int | None = None
    step: int | None = None
    steps: int | None = None
    lr: float | None = None
    rate: float | None = None
    unit: Clean | None = None
    metrics: list[Metric] = field(default_factory=list)
    others: list[Metric] = field(default_factory=list)
    inherits: Phase | None = None
    bare: bool = False
    indexed: bool = False
    per_step: bool = False
    drawn: bool = False
    bars: bool = False
    equals: int = 0
    colons: int = 0
    settings: int = 0
    configs: int = 0
    odd: int = 0
    understood: bool = True

    @property
    def nothing(self) -> bool:
        """Whether it has only begun: a rule of equals signs may open a line."""
        return self.epoch is None and self.step is None and not self.metrics

    def reading(self, time: int, rank: int | None, *, indented: bool, wrapped: bool) -> Reading | None:
        """All of it, if the line is one about progress or measurements and nothing else."""
        if not self.understood or not self._counts(indented=indented, wrapped=wrapped):
            return None
        metrics = (*self.metrics, *self.others)
        if self._evaluates and self.bare and (self.step or 0) + 1 < (self.steps or 0):
            metrics = ()  # an evaluation that goes on has measured nothing yet
        form = Form.PAIRS if self.equals and not self.colons else Form.SENTENCE
        if self._of_keras:
            form = Form.KERAS
        return Reading(
            time,
            form,
            self.phase or self.inherits,
            self.epoch,
            self.epochs or None,  # `Epoch 0/0` of a smoke test
            self.step,
            self.steps or None,
            metrics,
            self.lr,
            self.rate,
            self.unit,
            rank=rank,
        )

    @property
    def _of_keras(self) -> bool:
        return self.bare and self.epoch is None and (self.per_step or self.drawn)

    @property
    def _evaluates(self) -> bool:
        return self.phase in (Phase.VAL, Phase.TEST)

    def _counts(self, *, indented: bool, wrapped: bool) -> bool:
        if self.odd and not self.bars:
            return False
        if self.configs and not self._reminds:
            return False
        if self.epoch is None and (self.step is None or (self.bare and not self._of_keras and not self.metrics)):
            return bool(self.metrics) if wrapped else self._stands_alone(indented=indented)
        if self.metrics or (self.others and self.equals):
            return True
        if self.others or self.settings or indented:
            return False
        # Only where the training is. `EPOCH = 1970` is no such place.
        told = self.epochs is not None or not (self.equals or self.colons)
        if self.epoch is not None and told:
            return True
        return self._of_keras if self.bare else self.steps is not None

    @property
    def _reminds(self) -> bool:
        """Whether one setting stands in a line of progress: `epoch=3 loss=0.2 seed=42`. Several are how it is set up."""
        placed = self.epoch is not None or self.step is not None
        return self.configs == 1 and placed and any(not metric.value.is_integer() for metric in self.metrics)

    def _stands_alone(self, *, indented: bool) -> bool:
        """Whether measurements without epoch and step are some: `val_loss=0.2 val_acc=0.9`."""
        if not self.metrics or self.others or self.settings or indented:
            return False
        if all(metric.value.is_integer() for metric in self.metrics):
            return False
        told = self.phase or self.inherits
        return told is not None or len(self.metrics) > 1 or phase_of(self.metrics[0].name) is not None
