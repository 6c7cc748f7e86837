"""Whether what was started stays up: each service is watched until its containers are healthy, or known not to be."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from console.actions.plan import Tell
from console.model.causes import probe_cause, start_cause
from console.model.container import Container, ContainerState, Health
from console.model.probes import patience
from console.model.source import NotThereError, SourceError, SourceState
from console.model.words import counted, duration
from console.sources.protocols import ContainerEngine
from console.text import Clean, clean

_HOPELESS = frozenset({SourceState.DENIED, SourceState.OFF})
_NO_RESTARTS = ("", "no")
_REASON = 160


@dataclass(frozen=True, slots=True)
class Pace:
    """`every` are the seconds between two looks, `steady` those that a container without a probe has to run through: enough
    for it to fail and for its restart policy to begin it again. `now` are seconds that only grow."""

    every: float = 1.0
    steady: float = 5.0
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    now: Callable[[], float] = time.monotonic


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is waited for: `name` for people, and which containers belong to it."""

    name: Clean
    fits: Callable[[Container], bool]


def service(project: str, name: str) -> Wanted:
    """All replicas of a Compose service."""
    return Wanted(clean(name), lambda one: one.project == project and one.service == name)


def container(one: Container) -> Wanted:
    """Just this one, by its id."""
    return Wanted(one.name, lambda other: other.id == one.id)


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of one service `after` so many seconds. `why` says what it was last seen to be where it was not `reached`."""

    name: Clean
    reached: bool
    after: float
    why: Clean

    @property
    def words(self) -> Clean:
        """`jenkins is up after 34s`; `jenkins is not up after 3m: unhealthy, connection refused on :8080`."""
        after = duration(self.after)
        return clean(f"{self.name} is up after {after}" if self.reached else f"{self.name} is not up after {after}: {self.why}")


async def settled(engine: ContainerEngine, wanted: Sequence[Wanted], pace: Pace, tell: Tell) -> tuple[Settled, ...]:
    """What became of each, in the order of `wanted`. Call it when the act has answered.

    With a probe a container is up when it is healthy, without one when it has run for a while. One that has ended and is not
    begun again by its restart policy ends the waiting for its service; one that ended well and has no such policy was to end.
    Otherwise a service is waited for as long as its probe may take (`model.probes.patience`), also while the Engine is away.
    """
    watches = [_Watch(one, pace.now()) for one in wanted]
    while True:
        waiting = [one for one in watches if one.result is None]
        try:
            listed = await engine.containers()
            for watch in waiting:
                watch.saw(await _inspected(engine, filter(watch.wanted.fits, listed)), pace)
        except SourceError as error:
            for watch in waiting:
                watch.saw_nothing(error, pace)
        for watch in waiting:
            tell(watch.words(pace))
        if all(watch.result is not None for watch in watches):
            return tuple(watch.result for watch in watches if watch.result is not None)
        await pace.sleep(pace.every)


async def _inspected(engine: ContainerEngine, listed: Iterable[Container]) -> list[Container]:
    """With details; those that are gone by now are left out."""
    found = []
    for one in listed:
        try:
            found.append(await engine.inspect(one.id))
        except NotThereError:
            continue
    return found


@dataclass(slots=True)
class _Watch:
    """One service while it is waited for. `steady` tells since when each container runs without a break, as it was seen."""

    wanted: Wanted
    began: float
    result: Settled | None = None
    limit: float = patience(None)
    why: Clean = field(default_factory=lambda: clean("nothing is known of it"))
    steady: dict[Clean, tuple[datetime | None, float]] = field(default_factory=dict)
    gone_since: float | None = None

    def saw(self, containers: Sequence[Container], pace: Pace) -> None:
        now = pace.now()
        if not containers:
            # One may be on its way: whoever makes it anew takes the old one away first.
            self.gone_since = now if self.gone_since is None else self.gone_since
            self.why = clean("it has no container")
            if now - self.gone_since >= pace.steady:
                self._end(now, reached=False)
            return
        self.gone_since = None
        self.limit = max(patience(one.details.probe if one.details else None) for one in containers)
        ups = [self._is_up(one, now, pace) for one in containers]
        bad = [one for one, up in zip(containers, ups, strict=True) if not up]
        if not bad:
            self._end(now, reached=True)
            return
        ended = [one for one in bad if one.ended]
        self.why = _why((ended or bad)[0])
        if ended or now - self.began >= self.limit:
            self._end(now, reached=False)

    def saw_nothing(self, error: SourceError, pace: Pace) -> None:
        """The Engine may come back, and so may the container, which is then found as it is."""
        self.why = error.reason
        if error.state in _HOPELESS or pace.now() - self.began >= self.limit:
            self._end(pace.now(), reached=False)

    def words(self, pace: Pace) -> Clean:
        if self.result is not None:
            return self.result.words
        return clean(
            f"waiting for {self.wanted.name}, {duration(pace.now() - self.began)} of {duration(self.limit)}: {self.why}"
        )

    def _is_up(self, one: Container, now: float, pace: Pace) -> bool:
        if one.health is not Health.NONE:
            return one.state is ContainerState.RUNNING and one.health is Health.HEALTHY
        if one.state is not ContainerState.RUNNING:
            self.steady.pop(one.id, None)
            return _was_to_end(one)
        started = one.details.started_at if one.details else None
        known = self.steady.get(one.id)
        if known is None or known[0] != started:
            known = self.steady[one.id] = (started, now)
        return now - known[1] >= pace.steady

    def _end(self, now: float, *, reached: bool) -> None:
        self.result = Settled(self.wanted.name, reached, now - self.began, clean("") if reached else self.why)


def _was_to_end(one: Container) -> bool:
    policy = one.details.restart_policy if one.details else ""
    return one.ended and one.exit_code == 0 and policy in _NO_RESTARTS


def _why(one: Container) -> Clean:
    """What it is, and why where that is known, in one line."""
    details = one.details
    if one.ended or one.state is ContainerState.RESTARTING:
        state = "exited" if one.ended else "restarting, exited"
        cause = ""
        if details is not None:
            cause = "out of memory" if details.oom_killed else start_cause(details.error)
        told = f"{state} {one.exit_code}" if one.exit_code is not None else state
    elif one.state is ContainerState.RUNNING and one.health is Health.NONE:
        told = "running"
        cause = f"restarted {counted(details.restarts, 'time')}" if details is not None and details.restarts else ""
    elif one.state is ContainerState.RUNNING:
        told, cause = one.health.value, probe_cause(details)
    else:
        told, cause = one.state.value, start_cause(details.error) if details is not None else ""
    return clean(f"{told}, {cause}" if cause else told, limit=_REASON)
