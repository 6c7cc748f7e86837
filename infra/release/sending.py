"""All requests of a release: one after the other, and those that did not get through again, until patience ends."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from .address import Target
from .release import Problem, Release
from .request import Answer, Means, body, delivery, send

PATIENCE = 900.0
"""Seconds. A server that is restarted, or a tunnel that is, is back long before."""

FRESH = 240
"""Seconds after which a request gets a new time stamp: Jenkins refuses one that is older than ten minutes when it leaves the
queue. Until then it stays the same, so that two of them in the quiet period are one."""

FIRST_PAUSE, LONGEST_PAUSE = 2.0, 60.0
_NUMBER = re.compile(r"[0-9]{1,20}")


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
    """The workflow's run: its id, and which attempt of it this is. Raises Problem: both are in the id of each delivery."""

    id: str
    attempt: str

    def __post_init__(self) -> None:
        if not (_NUMBER.fullmatch(self.id) and _NUMBER.fullmatch(self.attempt)):
            raise Problem("GITHUB_RUN_ID or GITHUB_RUN_ATTEMPT is no number: this is run by GitHub Actions.")


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
    """Every project's request, in the order of their names. Raises nothing: what could not be sent says why.

    One that did not get through goes behind the others, after a pause that grows as long as none gets through: a server that is
    away is asked with one request at a time, and one project that fails does not keep the others waiting.
    """
    began, pause = now(), FIRST_PAUSE
    every = [_Pending(name, delivery(run.id, run.attempt, release, name), int(began)) for name in release.projects]
    waiting = deque(every)
    while waiting:
        one = waiting.popleft()
        _try(one, release, target, now)
        say(f"{one.project}: {one.answer.words}")
        if one.answer.means is not Means.AGAIN:
            pause = FIRST_PAUSE
            continue
        waiting.append(one)
        left = patience - (now() - began)
        if left <= 0:
            _give_up(waiting, one.answer)
            break
        say(f"{len(waiting)} still to be sent: going on in {min(pause, left):.0f} s, for {left:.0f} s at most")
        sleep(min(pause, left))
        pause = min(pause * 2, LONGEST_PAUSE)
    return [Sent(one.project, one.delivery, one.answer, one.tries) for one in every]


def _try(one: _Pending, release: Release, target: Target, now: Callable[[], float]) -> None:
    if now() - one.stamp > FRESH:
        one.stamp = int(now())
    one.tries += 1
    one.answer = send(target, body(release, one.project, one.delivery, one.stamp))


def _give_up(waiting: Sequence[_Pending] | deque[_Pending], last: Answer) -> None:
    for one in waiting:
        if one.tries == 0:
            one.answer = Answer(Means.AGAIN, f"its turn never came: {last.words}")
