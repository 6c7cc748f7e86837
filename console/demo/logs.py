"""What the demo's containers print: for every moment the same lines, however often they are read."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

from console.demo.actor import Actor

HISTORY = 3600.0
"""Seconds before the demo's beginning from which on there are lines."""


class Said(NamedTuple):
    """Something printed `at` seconds after the world began."""

    at: float
    stderr: bool
    text: str


class _Voice(NamedTuple):
    """A line every `every` seconds, `offset` after whole multiples of it; `say` gets the number of the line."""

    every: float
    offset: float
    stderr: bool
    say: Callable[[int], str]


def said(actor: Actor, begin: float, until: float) -> list[Said]:
    """What it printed from `begin` on and before `until`, oldest first; it says nothing while it does not run."""
    # A log goes on through restarts.
    first = max(begin, -HISTORY, -actor.created)
    last = until if actor.ended is None else min(until, -actor.ended)
    lines = [one for voice in _voices(actor) for one in _speaks(voice, first, last)]
    if actor.ended is not None and begin <= -actor.ended < until:
        lines += _last_words(actor, -actor.ended)
    return sorted(lines, key=lambda one: one.at)


def next_said(actor: Actor, after: float) -> float:
    """When it prints something again: the first moment after `after`."""
    return min((math.floor((after - voice.offset) / voice.every) + 1) * voice.every + voice.offset for voice in _voices(actor))


def _speaks(voice: _Voice, begin: float, until: float) -> Iterator[Said]:
    number = math.ceil((begin - voice.offset) / voice.every)
    while (at := number * voice.every + voice.offset) < until:
        yield Said(at, voice.stderr, voice.say(number))
        number += 1


def _voices(actor: Actor) -> tuple[_Voice, ...]:
    labels = dict(actor.labels)
    if "mlops.project" in labels:
        return _TRAININGS.get(labels["mlops.project"], _TRAININGS[""])
    return _SERVICES.get(actor.service, _SERVICES[""])


def _last_words(actor: Actor, at: float) -> Iterator[Said]:
    if actor.oom or actor.exit_code == 0 or "mlops.project" not in dict(actor.labels):
        return
    words = (
        "Traceback (most recent call last):",
        '  File "/app/src/train.py", line 141, in <module>',
        "    main(parse())",
        '  File "/app/src/train.py", line 96, in main',
        "    for batch in loader:",
        "RuntimeError: DataLoader worker (pid 213) exited unexpectedly",
    )
    for number, text in enumerate(words):
        yield Said(at - 0.05 + number * 0.001, True, text)


def _loss(number: int) -> float:
    return 0.31 + 1.9 / (1.0 + (number % 9600) / 400) + 0.012 * math.sin(number * 1.7)


def _event(number: int) -> str:
    step = number % 1200
    values = {"event": "step", "epoch": step // 100 + 1, "step": step, "metrics": {"train_loss": round(_loss(step), 4)}}
    return json.dumps({**values, "lr": 0.001}, separators=(",", ":"))


def _plain(number: int) -> str:
    step = number % 9600
    return f"step {step}/9600  loss {_loss(step):.3f}  lr {2.4e-4 * (1 - step / 9600):.1e}  {186 + step % 5} img/s"


_TRAININGS = {
    "project-b": (_Voice(2.0, 0.4, False, _event),),
    "": (
        _Voice(3.0, 0.2, False, _plain),
        _Voice(47.0, 5.1, True, lambda number: f"WARNING:loader:shard {number % 400:04}.tar was slow: 0.8 s for a batch"),
    ),
}
_SERVICES = {
    "jenkins": (
        _Voice(31.0, 1.3, False, lambda number: f"2026-11-23 [id={40 + number % 9}]\tINFO\thudson.model.Run#execute: train"),
    ),
    "gate": (
        _Voice(
            53.0, 4.2, False, lambda number: f'{{"level":"info","msg":"refused","reason":"no signature","n":{number % 997}}}'
        ),
    ),
    "search": (
        _Voice(10.0, 2.5, True, lambda number: f'level=error msg="database is locked" by=metrics attempt={number % 24 + 1}'),
    ),
    "": (_Voice(60.0, 7.0, False, lambda number: f"heartbeat {number % 1000:03} ok"),),
}
