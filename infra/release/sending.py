"""All requests of a release: one after the other, again and again for those that did not get through, until patience ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from .address import Target
from .release import Release
from .request import Answer, Means, body, delivery, send

PATIENCE = 900.0
"""Seconds. A server that is restarted, or a tunnel that is, is back long before."""

FRESH = 240
"""Seconds after which a request gets a new time stamp: Jenkins refuses one that is older than ten minutes when it leaves the
queue. Until then it stays the same, so that two of them in the quiet period are one."""

FIRST_PAUSE, LONGEST_PAUSE = 2.0, 60.0


@dataclass(frozen=True)
class Sent:
    """What became of one project's request after so many tries."""

    project: str
    delivery: str
    answer: Answer
    tries: int

    @property
    def queued(self) -> bool:
        return self.answer.means is Means.QUEUED


@dataclass
class _Pending:
    project: str
    delivery: str
    stamp: int
    tries: int = 0
    answer: Answer = field(default_factory=lambda: Answer(Means.AGAIN, "not tried"))


@dataclass(frozen=True)
class Run:
    """The workflow's run: its id and the how manieth attempt it is."""

    id: str
    attempt: str


def send_all(
    release: Release,
    target: Target,
    run: Run,
    say: Callable[[str], None],
    *,
    patience: float = PATIENCE,
    now: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> Sequence[Sent]:
    """Every project's request, in the order of their names. Raises nothing: what could not be sent says why."""
    began, pause = now(), FIRST_PAUSE
    every = [_Pending(name, delivery(run.id, run.attempt, release, name), int(began)) for name in release.projects]
    waiting = list(every)
    while waiting:
        for one in waiting:
            _try(one, release, target, now)
            say(f"{one.project}: {one.answer.words}")
        waiting = [one for one in waiting if one.answer.means is Means.AGAIN]
        left = patience - (now() - began)
        if not waiting or left <= 0:
            break
        say(f"{len(waiting)} to be sent again in {min(pause, left):.0f} s, for {left:.0f} s more at most")
        sleep(min(pause, left))
        pause = min(pause * 2, LONGEST_PAUSE)
    return [Sent(one.project, one.delivery, one.answer, one.tries) for one in every]


def _try(one: _Pending, release: Release, target: Target, now: Callable[[], float]) -> None:
    if now() - one.stamp > FRESH:
        one.stamp = int(now())
    one.tries += 1
    one.answer = send(target, body(release, one.project, one.delivery, one.stamp))
