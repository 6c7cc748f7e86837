"""Where a run is: which epoch, which step, of how many, and what its steps count."""

from __future__ import annotations

import math

from console.runs.epochs import Counting, Epochs
from console.runs.numbers import MOST_COUNTED
from console.runs.pace import Pace
from console.runs.reading import Form, Phase, Reading


class Place:
    """Epoch and step as the run's best source tells them.

    A log has several: a bar, a line an epoch, an evaluation's own bar. For each of epoch and step the one counts that knows the
    total, and of those the most trusted. `within` tells whether steps start again in each epoch; None while that is open.
    """

    def __init__(self) -> None:
        self.epoch: float | None = None
        self.epochs: int | None = None
        self.step: int | None = None
        self.steps: int | None = None
        self.within: bool | None = None
        self.first = 1
        """What the run's first epoch is called."""
        self.attempts = 1
        """How often it began: a search trains again and again."""
        self.step_at: int | None = None
        self.epoch_at: int | None = None
        self.step_form: Form | None = None
        self.step_pace = Pace("step")
        self.epoch_pace = Pace("epoch")
        self._epochs = Epochs()
        self._step_rank = self._epoch_rank = (False, False, -99)
        self._counted = False
        self._named = False
        self._peak = 0
        self._each = 0
        self._step_epoch: float | None = None
        self._placed: float | None = None
        self._trained_by: Form | None = None

    def add(self, reading: Reading) -> None:
        """The next reading, in the order of the log."""
        trains = reading.phase not in (Phase.VAL, Phase.TEST)
        if reading.form is Form.EVENT and reading.event == "start":
            self.epochs, self.steps = reading.epochs, reading.steps
            self._step_rank = self._epoch_rank = (True, True, 0)
            return
        if reading.epoch is not None:
            self._take_epoch(reading, trains=trains)
        elif reading.epochs is not None and self.epochs is None:
            self.epochs = reading.epochs  # what the program was told to do
        if reading.step is not None and trains:
            self._take_step(reading)

    @property
    def epoch_now(self) -> float | None:
        """The epoch that the run is in: after the line of one that is over, the next; None where that is not sure."""
        return self._epochs.now

    @property
    def done(self) -> int | None:
        """Steps over the whole run; None while it is not known what they count."""
        return None if self.step is None else self._overall(self.step, self._placed)

    @property
    def total(self) -> int | None:
        """Steps of the whole run."""
        if self.steps is None:
            return None
        if self.within is False or self.epochs == 1 or (self.within is None and self.epochs is None and not self._named):
            return self.steps
        return _counted(self.steps * self.epochs) if self.within and self.epochs else None

    @property
    def fraction(self) -> float | None:
        """How much of the run is done, from 0 to 1."""
        done, total = self.done, self.total
        if done is not None and total:
            return min(1.0, done / total)
        if self.epoch is None or not self.epochs:
            return None
        return min(1.0, self._epochs_done / self.epochs)

    @property
    def steps_left(self) -> int | None:
        done, total = self.done, self.total
        return None if done is None or total is None else max(0, total - done)

    @property
    def epochs_left(self) -> float | None:
        """Epochs after the one that was told of last."""
        if self.epoch is None or not self.epochs:
            return None
        return max(0.0, self.epochs - self._epochs_done)

    @property
    def _epochs_done(self) -> float:
        """A line about an epoch most often comes at its end."""
        if self.epoch is None:
            return 0.0
        return self.epoch if self._counted else max(0.0, self.epoch - self.first + 1)

    def overall(self, reading: Reading) -> int | None:
        """The step of a reading over the whole run; the present one for a reading that names none."""
        if reading.step is not None and reading.phase not in (Phase.VAL, Phase.TEST):
            step, epoch = reading.step, self._in(reading)
        elif self.step is not None:
            step, epoch = self.step, self._placed
        else:
            return None
        if self.within is None and (epoch is None or int(epoch) == self.first):
            return step  # in the first epoch both ways to count say the same
        return self._overall(step, epoch)

    def _in(self, reading: Reading) -> float | None:
        """The epoch of a reading; the one told of last where it is not sure."""
        if reading.epoch is not None:
            return reading.epoch
        return self.epoch_now if self.epoch_now is not None else self.epoch

    def _overall(self, step: int, epoch: float | None) -> int | None:
        if not self.within:
            return step if self.within is False or self.epochs in (None, 1) or self.steps is None else None
        # `[2,  2000] loss: 1.7` tells of no total; then an epoch has what those had that are over, as far as they told.
        each = self.steps or (self._each if self._named else 0)
        if epoch is None or not each:
            return None
        return _counted(step + each * max(0, int(epoch - self.first)))

    def _take_epoch(self, reading: Reading, *, trains: bool) -> None:
        epoch = reading.epoch
        if epoch is None:
            return
        rank = (reading.form is Form.EVENT, reading.epochs is not None, -reading.form)
        if self._epoch_rank[0] and not rank[0]:
            return  # what the events of the contract tell needs no other source
        if self.epoch is not None and epoch < self.epoch:
            # Going back is a new beginning only for the source that led here; an evaluation, or prints that were held back
            # while the bar went on, tell of the past.
            if not trains or rank < self._epoch_rank or reading.form is not self._trained_by or int(epoch) == int(self.epoch):
                return
            self.attempts += 1
            self.epoch_pace.clear()
            self.step_pace.clear()
        elif rank < self._epoch_rank and reading.form is not Form.DICT and not trains:
            return
        self._epoch_rank = max(rank, self._epoch_rank)
        if trains:
            self._trained_by = reading.form
        if epoch == 0:
            self.first = 0
        if reading.epochs is not None:
            # `Epoch 24/24` after `Epoch 0/24`: the total is the name of the last one.
            last = self.first == 0 and not reading.counted and epoch == reading.epochs
            self.epochs = reading.epochs + 1 if last else reading.epochs
        self._counted = reading.counted
        if reading.counted or not epoch.is_integer():
            self._epochs.named(epoch, None)
        elif reading.step is None:
            self._epochs.told(epoch, measured=bool(reading.metrics))
        if epoch != self.epoch:
            self.epoch, self.epoch_at = epoch, reading.time
            self.epoch_pace.add(reading.time, epoch)

    def _take_step(self, reading: Reading) -> None:
        step = reading.step
        if step is None:
            return
        rank = (reading.form is Form.EVENT, reading.steps is not None or (reading.form is Form.EVENT), -reading.form)
        if rank < self._step_rank:
            return
        if rank > self._step_rank and reading.form is not self.step_form:
            self.step, self.within, self._step_epoch, self._placed = None, None, None, None
            self.step_pace.clear()
            self._epochs.switched()
        if reading.form is Form.TREES and self.step is not None and 1 < step < self.step:
            return  # LightGBM ends with the line of its best round
        self._step_rank, self.step_form = rank, reading.form
        if reading.steps is not None:
            self.steps = reading.steps
        self._learn(reading, step)
        if reading.epoch is not None:
            self._epochs.named(reading.epoch, step)
        else:
            self._epochs.went(step, Counting(self.steps, self.epochs, self.within, self.first))
        moved = reading.epoch is not None and reading.epoch != self._step_epoch
        if moved:
            self._each = max(self._each, self._peak)
        self._peak = step if moved else max(self._peak, step)
        self.step, self.step_at = step, reading.time
        self._named = reading.epoch is not None
        self._step_epoch = reading.epoch if reading.epoch is not None else self.epoch
        self._placed = self._in(reading)
        done = self.done
        self.step_pace.add(reading.time, step if done is None else done)

    def _learn(self, reading: Reading, step: int) -> None:
        """Find out whether steps count within an epoch or over the whole run."""
        if reading.form is Form.EVENT:
            self.within = False
        elif reading.epoch is None:
            if self.step is None or reading.form is Form.TREES:
                return
            passed = self._step_epoch is not None and self.epoch is not None and int(self.epoch) > int(self._step_epoch)
            if step < self.step and (passed or self.epochs is not None):
                self.within = True
            elif step > self.step and self.within is None and (passed or self._first_epoch_over()):
                self.within = False
        elif self._step_epoch is not None and int(reading.epoch) > int(self._step_epoch) and self.step is not None:
            # One that goes on counting has passed what an epoch has. The highest counts: Lightning sets its bar to 0 before.
            self.within = step < self._peak or (step == self._peak and step == self.steps)
        elif reading.form in (Form.BAR, Form.KERAS):
            self.within = True if self.within is None else self.within
        elif self.within is None and self.steps and self.epochs and math.floor(reading.epoch) == self.first:
            share = self.steps / self.epochs
            if self.epochs > 1 and step > 1.25 * share + 1:
                self.within = True

    def _first_epoch_over(self) -> bool:
        """Whether the first line about an epoch came after as many steps as one has, if all of them are counted."""
        if self._step_epoch is not None or self.epoch is None or self.step is None or not self.steps or not self.epochs:
            return False
        share = self.steps / self.epochs
        return self.epochs > 1 and int(self.epoch) == self.first and 0.8 * share <= self.step <= 1.2 * share + 1


def _counted(steps: int) -> int | None:
    """None where the epochs or the steps of each were no true ones: a history holds only integers of 64 bits."""
    return steps if steps <= MOST_COUNTED else None
