"""What the demo's containers print: for every moment the same lines, however often they are read."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from console.demo import training_log
from console.demo.actor import CYCLE_SECONDS, DAY, MINUTE, Actor
from console.demo.story import BY_NUMBER, Training
from console.demo.training_log import Said

HISTORY = 3600.0
"""Seconds for which there are lines of services and others: before the demo's beginning, or before the end of what ended
earlier. Trainings have all of theirs."""


class _Voice(NamedTuple):
    """A line every `every` seconds, `offset` after whole multiples of it; `say` gets the number of the line.

    With `within` it speaks only between these seconds of each cycle.
    """

    every: float
    offset: float
    stderr: bool
    say: Callable[[int], str]
    within: tuple[float, float] | None = None


def said(actor: Actor, begin: float, until: float) -> Sequence[Said]:
    """What it printed from `begin` on and before `until`, oldest first; it says nothing while it does not run."""
    if (training := training_of(actor)) is not None:
        return training_log.said(training, begin, until)
    # A log goes on through restarts.
    first = max(begin, -HISTORY - (actor.ended or 0.0), -actor.created)
    last = until if actor.ended is None else min(until, -actor.ended)
    lines = [one for voice in _voices(actor) for one in _speaks(voice, first, last)]
    lines += _crashes(actor, first, last)
    return sorted(lines, key=lambda one: one.at)


def next_said(actor: Actor, after: float) -> float:
    """When it prints something again, or ends: the first moment after `after`."""
    if (training := training_of(actor)) is None:
        return min(_next(voice, after) for voice in _voices(actor))
    moment = min(training_log.next_said(training, after), after + DAY)
    return min(moment, training.ends) if training.ends is not None and training.ends > after else moment


def training_of(actor: Actor) -> Training | None:
    """The training of the story that it is the container of."""
    number = dict(actor.labels).get("mlops.build")
    return BY_NUMBER[int(number)] if number is not None else None


def _next(voice: _Voice, after: float) -> float:
    at = (math.floor((after - voice.offset) / voice.every) + 1) * voice.every + voice.offset
    if voice.within is not None and not voice.within[0] <= at % CYCLE_SECONDS < voice.within[1]:
        cycle = at // CYCLE_SECONDS * CYCLE_SECONDS
        at = cycle + voice.within[0] + (CYCLE_SECONDS if at - cycle >= voice.within[1] else 0.0)
    return at


def _speaks(voice: _Voice, begin: float, until: float) -> Iterator[Said]:
    if voice.within is not None:
        for cycle in _cycles(begin, until):
            window = max(begin, cycle + voice.within[0]), min(until, cycle + voice.within[1])
            yield from _speaks(voice._replace(within=None), *window)
        return
    number = math.ceil((begin - voice.offset) / voice.every)
    while (at := number * voice.every + voice.offset) < until:
        yield Said(at, voice.stderr, voice.say(number))
        number += 1


def _cycles(begin: float, until: float) -> Iterator[float]:
    """When each cycle begins that some of this time lies in."""
    cycle = begin // CYCLE_SECONDS * CYCLE_SECONDS
    while cycle < until:
        yield cycle
        cycle += CYCLE_SECONDS


def _voices(actor: Actor) -> tuple[_Voice, ...]:
    return _SERVICES.get(actor.service, _SERVICES[""]) if actor.service else _OTHERS.get(actor.name, _SERVICES[""])


_LOCKED = (
    "Traceback (most recent call last):",
    '  File "/srv/search/main.py", line 52, in <module>',
    "    index = Index.open(settings.database)",
    '  File "/srv/search/index.py", line 118, in open',
    '    connection.execute("PRAGMA journal_mode=WAL")',
    "sqlite3.OperationalError: database is locked",
)


def _said_at(at: float, words: Sequence[str]) -> Iterator[Said]:
    """Lines of one traceback, a millisecond apart."""
    for number, text in enumerate(words):
        yield Said(at + number * 0.001, True, text)


def _crashes(actor: Actor, begin: float, until: float) -> Iterator[Said]:
    """What a service prints each time it dies of its own."""
    dies = [act.at for act in actor.acts if act.action == "die" and act.exit_code == 1]
    for cycle in _cycles(begin, until) if dies else ():
        for at in dies:
            yield from (one for one in _said_at(cycle + at - 0.05, _LOCKED) if begin <= one.at < until)


def _asked(number: int, status: int, size: int) -> str:
    took = 4 + number % 7
    path = "/generic-webhook-trigger/invoke"
    return f"{{time}} {status} POST {path} {size} bytes in 0.{took:03} s upstream {status}"


def _logged(number: int, words: str) -> str:
    return f"{{time}} [id={40 + number % 9}]\t{words}"


_SERVICES = {
    "jenkins": (
        _Voice(31.0, 1.3, False, lambda number: _logged(number, "INFO\thudson.model.Run#execute: train")),
        # The demo's disk is nearly full, and this log says so too.
        _Voice(
            20 * MINUTE, -412.0, False, lambda number: _logged(number, "WARNING\thudson.DiskMonitor#check: low on disk space")
        ),
    ),
    # The release that project-a #128 came of, and now and then a stranger.
    "gate": (
        _Voice(3.0 * DAY, -974.0, False, lambda number: _asked(number, 200, 612)),
        _Voice(50 * MINUTE, 3.5 * MINUTE, False, lambda number: _asked(number, 403, 204)),
    ),
    "frp_client": (
        _Voice(
            10.0,
            3.5,
            False,
            lambda number: "[W] [client/service.go:328] connect to server error: dial tcp 203.0.113.10:7000: i/o timeout",
            within=(70.0, 130.0),
        ),
    ),
    "search": (
        _Voice(10.0, 2.5, True, lambda number: f'level=error msg="database is locked" by=metrics attempt={number % 24 + 1}'),
    ),
    "": (_Voice(60.0, 7.0, False, lambda number: f"heartbeat {number % 1000:03} ok"),),
}


def _pulled(number: int) -> str:
    digest = f"{number * 2654435761 % (1 << 48):012x}"
    return f'10.4.0.{number % 200 + 2} "GET /v2/library/python/blobs/sha256:{digest} HTTP/1.1" 200 {number % 9973 * 31}'


def _installed(number: int) -> str:
    """A progress bar that ends, in colours."""
    bar = "".join(f"\r\x1b[32m{'━' * filled}\x1b[90m{'━' * (20 - filled)}\x1b[0m {filled * 5}%" for filled in range(0, 21, 5))
    return f"{bar}\x1b[1m installed package {number % 40 + 1} of 40\x1b[0m"


# What a program may print to take over a terminal, and what is left of it.
_HOSTILE = (
    "\x1b]52;c;ZWNobyBvd25lZA==\x07this line wrote to the clipboard",
    "\x1b]0;owned\x07\x1b[2J\x1b[Hthis one cleared the screen and set its title",
    "total 3 \u202egpj.exe\u202c reversed by a bidi mark",
    "\x1bP+q544e\x1b\\this one asked the terminal who it is",
    "[@click=app.quit]this is no button[/]  \x1b[31mred\x1b[0m \x1b[5mblinking\x1b[0m \x1b[8mhidden\x1b[0m",
    "zero\u200bwidth, a tag \U000e0041 and a bell \x07",
)
_OTHERS = {
    # Everybody pulls at once, now and then.
    "registry-mirror": (
        _Voice(0.005, 0.0, False, _pulled, within=(60.0, 72.0)),
        _Voice(20.0, 3.0, False, lambda number: f"level=info msg=heartbeat blobs={number % 512}"),
    ),
    "jupyter-sato": (_Voice(15.0, 2.0, False, _installed),),
    "pensive_borg": (_Voice(20.0, 1.0, False, lambda number: _HOSTILE[number % len(_HOSTILE)]),),
}
