"""What the demo's trainings print, from their first line to their last. The same training always prints the same."""

from __future__ import annotations

import json
import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from console.demo.story import CHECKING, LOADING, End, Training

_GOES_DOWN_FOR = 180.0
_NAN_SINCE, _NAN_ENDS = 812, 860
_SLOW_SHARDS = 47.0


class Said(NamedTuple):
    """Something printed `at` seconds after the world began. `{time}` in it becomes that moment."""

    at: float
    stderr: bool
    text: str


def said(training: Training, begin: float, until: float) -> Sequence[Said]:
    """What it printed from `begin` on and before `until`, oldest first."""
    lines, times = _all(training.number, training)
    return lines[bisect_left(times, begin) : bisect_left(times, until)]


def next_said(training: Training, after: float) -> float:
    """When it prints something again: the first moment after `after`, infinitely late when there is none."""
    _, times = _all(training.number, training)
    at = bisect_right(times, after)
    return times[at] if at < len(times) else math.inf


WORKER_KILLED = (
    "Traceback (most recent call last):",
    '  File "/app/src/train.py", line 141, in <module>',
    "    main(parse())",
    '  File "/app/src/train.py", line 96, in main',
    "    for batch in loader:",
    '  File "/opt/venv/lib/python3.11/site-packages/torch/utils/data/dataloader.py", line 1448, in _next_data',
    "RuntimeError: DataLoader worker (pid 213) is killed by signal: Killed.",
)
NOT_A_NUMBER = (
    "Traceback (most recent call last):",
    '  File "/app/src/train.py", line 203, in <module>',
    "    main(parse())",
    '  File "/app/src/train.py", line 171, in main',
    "    raise TrainingError(f'loss is {loss} since step {since}')",
    f"src.contract.TrainingError: loss is nan since step {_NAN_SINCE}",
)


def last_words(training: Training) -> tuple[str, ...]:
    """The traceback that it ends with; nothing where it ends well."""
    return {End.MEMORY: WORKER_KILLED, End.NAN: NOT_A_NUMBER}.get(training.end, ())


def ending(training: Training) -> str:
    """How it has ended, or will, in the platform's words for the description of a build."""
    epoch = training.done_by(training.ends or 0.0)
    kept = f"its newest checkpoint is epoch-{epoch}" if epoch else "it left no checkpoint"
    match training.end:
        case End.MEMORY:
            return f"out of memory: killed at its limit of {training.memory} GiB (resources.memory); {kept}"
        case End.NAN:
            return "failed: exit 1: loss is nan since step 812"
        case End.STOPPED:
            return f"stopped as asked; {kept}"
        case _:
            value, reached = best(training, training.epochs) or (0.0, 0)
            minutes, seconds = divmod(round(training.epochs * training.epoch), 60)
            spent = f"{training.epochs} epochs in {minutes}m {seconds}s"
            return f"best {training.manner.score} {value:.4g} in epoch {reached}, {spent}"


def described(training: Training) -> str:
    """The same, and where the model went."""
    went = f", published to acme/{training.project} as build-{training.number}" if training.end is End.DONE else ""
    return f"{ending(training)}{went}"


@lru_cache(maxsize=64)
def _all(number: int, training: Training) -> tuple[tuple[Said, ...], tuple[float, ...]]:
    lines = list(_events(training) if training.manner.events else _plain(training))
    until = min(one for one in (training.ends, training.silent, math.inf) if one is not None)
    lines = [one for one in lines if one.at < until]
    lines += _ends(training)
    # Whole milliseconds: a clock that counts microseconds would stop just before any other moment.
    lines = sorted((one._replace(at=round(one.at, 3)) for one in lines), key=lambda one: one.at)
    return tuple(lines), tuple(one.at for one in lines)


# Curves


def loss(training: Training, step: int) -> float:
    """The loss of the training at a step of the whole run; nan from where it is none."""
    if training.end is End.NAN and step >= _NAN_SINCE:
        return math.nan
    floor, height, half = training.manner.loss
    noise = 0.012 * math.sin(step * 1.7 + training.number)
    return floor + height / (1.0 + step / half) + noise * (1.0 + 2.0 / (1.0 + step / half))


def score(training: Training, epoch: int) -> float:
    """What it reaches on held-back data after so many epochs: the later run of a project is a little better."""
    top = training.manner.top - 0.0006 * math.pow(max(0, 128 - training.number), 0.8)
    return top - 0.9 * top / (1.0 + 0.9 * epoch) + 0.003 * math.sin(epoch * 2.3 + training.number)


def best(training: Training, epochs: int) -> tuple[float, int] | None:
    """The best score of so many epochs, and the epoch it was reached in."""
    return max(((score(training, epoch), epoch) for epoch in range(1, epochs + 1)), default=None)


def _moment(training: Training, step: int) -> float:
    """When a step of the whole run is done."""
    manner = training.manner
    epoch, inner = divmod(step - 1, manner.steps)
    inner += 1
    return training.begins + LOADING + epoch * training.epoch + inner / manner.steps * (training.epoch - CHECKING)


def _checked(training: Training, epoch: int) -> float:
    return training.begins + LOADING + epoch * training.epoch - 0.5


def _rate_of(training: Training, step: int) -> float:
    total = training.epochs * training.manner.steps
    return training.manner.lr * (1.0 - step / total)


# Lines for people


def _plain(training: Training) -> Iterator[Said]:
    manner = training.manner
    total = training.epochs * manner.steps
    yield Said(training.begins + 0.5, False, f"training {training.project} at {training.commit[:12]} on {_device(training)}")
    for step in (*range(manner.every, total, manner.every), total):
        if training.end is End.NAN and step >= _NAN_SINCE:
            break
        yield Said(_moment(training, step), False, _step_line(training, step))
    if training.end is End.NAN:
        for step in range(_NAN_SINCE, _NAN_ENDS, 6):
            yield Said(_moment(training, step), False, _step_line(training, step))
    for epoch in range(1, training.epochs + 1):
        at = _checked(training, epoch)
        now, values = loss(training, epoch * manner.steps), f"{manner.score} {score(training, epoch):.4f}"
        if math.isnan(now):
            break
        words = (
            f"epoch {epoch}/{training.epochs}  loss {now:.3f}  val_loss {now + 0.024 + 0.0006 * min(epoch, 30):.3f}  {values}"
        )
        yield Said(at, False, f"{words}  {manner.rate} {manner.unit}")
        yield Said(
            at + 0.2, False, f"saved /out/{manner.checkpoint} (epoch {epoch}, {manner.checkpoint_bytes // 1_000_000} MB)"
        )
    if manner.gpu == 0:
        count = int(training.epochs * training.epoch / _SLOW_SHARDS)
        for number in range(1, count):
            at = training.begins + LOADING + number * _SLOW_SHARDS
            yield Said(at, True, f"WARNING:loader:shard {number % 400:04}.tar was slow: 0.8 s for a batch")


def _step_line(training: Training, step: int) -> str:
    manner = training.manner
    rate = manner.rate - 2 + step // manner.every % 5
    total = training.epochs * manner.steps
    return f"step {step}/{total}  loss {loss(training, step):.3f}  lr {_rate_of(training, step):.1e}  {rate} {manner.unit}"


def _device(training: Training) -> str:
    return "cpu" if training.manner.gpu is None else "cuda:0"


# Events of the contract


def _events(training: Training) -> Iterator[Said]:
    manner = training.manner
    total = training.epochs * manner.steps
    start = {"project": training.project, "commit": training.commit, "epochs": training.epochs, "steps": total}
    config = dict(line.split("=", 1) for line in dict(training.given).get("OVERRIDES", "").splitlines())
    yield _event(training.begins + 0.5, "start", **start, device="cpu", config=config)
    for step in range(manner.every, total + 1, manner.every):
        values = {"train_loss": round(loss(training, step), 4)}
        epoch = (step - 1) // manner.steps + 1
        yield _event(_moment(training, step), "step", epoch=epoch, step=step, metrics=values, lr=manner.lr)
    for epoch in range(1, training.epochs + 1):
        at, now = _checked(training, epoch), loss(training, epoch * manner.steps)
        values = {"train_loss": now, "val_loss": now + 0.02, manner.score: score(training, epoch)}
        rounded = {name: round(value, 4) for name, value in values.items()}
        told = {"epoch": epoch, "epochs": training.epochs, "step": epoch * manner.steps}
        yield _event(at, "epoch", **told, metrics=rounded, lr=manner.lr, seconds=training.epoch)
        path = f"{manner.checkpoint}{epoch}"
        yield _event(at + 0.2, "checkpoint", epoch=epoch, path=path, bytes=manner.checkpoint_bytes)


def _event(at: float, kind: str, **values: object) -> Said:
    return Said(at, False, json.dumps({"event": kind, **values}, separators=(",", ":")))


# How it ends


def _ends(training: Training) -> Iterator[Said]:
    at = training.ends
    if at is None:
        return
    if training.end is End.MEMORY:
        for number in range(6):
            used = 11.2 + 0.8 * number
            before = _GOES_DOWN_FOR * (1.0 - number / 6)
            yield Said(at - before, True, f"WARNING:train:host memory {used:.1f} of {training.memory} GiB, growing")
    epoch = training.done_by(at)
    if training.end is End.STOPPED:
        words = f"asked to stop (SIGTERM): epoch {epoch} is kept in /out/{training.manner.checkpoint}"
        yield Said(at - 2.0, False, words)
    if training.end is End.DONE and (found := best(training, training.epochs)) is not None:
        value, reached = found
        if training.manner.events:
            told = {"metric": training.manner.score, "value": round(value, 4), "epoch": reached}
            yield _event(at - 0.05, "end", status="ok", best=told, seconds=round(training.epochs * training.epoch, 1))
        else:
            yield Said(at - 0.05, False, f"done after {at - training.begins:.0f}s, the model is in /out/model")
    for number, text in enumerate(last_words(training)):
        yield Said(at - 0.05 + number * 0.001, True, text)
