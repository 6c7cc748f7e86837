"""What has become of an actor at a moment. Pure functions; every time is in seconds after the world began."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from console.demo.actor import CYCLE_SECONDS, RETRIES, Act, Actor, ProbeScript
from console.model.container import ContainerState, Health

KEPT_PROBES = 5


@dataclass(frozen=True, slots=True)
class Life:
    """One container at one moment."""

    state: ContainerState
    started: float
    finished: float | None
    exit_code: int | None
    oom: bool
    restarts: int
    health: Health
    health_since: float


class Happening(NamedTuple):
    at: float
    actor: Actor
    act: Act


class ProbeResult(NamedTuple):
    at: float
    good: bool


def life(actor: Actor, now: float) -> Life:
    """The actor at `now`; before the beginning it is as the beginning found it."""
    # The acts of one cycle leave an actor as they found it, so those of the newest two tell everything but the count.
    cycle = max(0, int(now // CYCLE_SECONDS) - 1)
    told = _beginning(actor, now)
    starts = sum(act.action == "start" for act in actor.acts)
    told = replace(told, restarts=told.restarts + cycle * starts)
    for at, act in _acts(actor, cycle, cycle + 1):
        if at > now:
            break
        told = _after(told, actor, act, at)
    return told


def happenings(cast: Sequence[Actor], after: float, until: float) -> list[Happening]:
    """What happens after `after` and not later than `until`, oldest first."""
    first, last = (max(0, int(moment // CYCLE_SECONDS)) for moment in (after, until))
    found = [Happening(at, actor, act) for actor in cast for at, act in _acts(actor, first, last) if after < at <= until]
    found += [Happening(act.at, actor, act) for actor in cast for act in once(actor) if after < act.at <= until]
    return sorted(found, key=lambda one: one.at)


def next_moment(cast: Sequence[Actor], after: float) -> float:
    """When something happens next."""
    first = max(0, int(after // CYCLE_SECONDS))
    again = min(at for actor in cast for at, _ in _acts(actor, first, first + 1) if at > after)
    return min([again, *(act.at for actor in cast for act in once(actor) if act.at > after)])


def once(actor: Actor) -> Iterator[Act]:
    """What happens to it once, after the world began: it starts, or ends."""
    up = actor.created if actor.up is None else actor.up
    if up < 0:
        yield Act(-up, "start")
    if actor.ended is not None and actor.ended < 0:
        yield Act(-actor.ended, "die", actor.exit_code)


def probe_results(actor: Actor, now: float) -> tuple[ProbeResult, ...]:
    """The newest results since it last started, oldest first, as many as an Engine keeps."""
    found = life(actor, now)
    if actor.probe is None or found.state is not ContainerState.RUNNING:
        return ()
    newest = int((now - found.started) // actor.probe.interval)
    moments = (found.started + count * actor.probe.interval for count in range(max(1, newest - KEPT_PROBES + 1), newest + 1))
    return tuple(ProbeResult(at, _succeeds(actor, actor.probe, at)) for at in moments)


def failing_streak(actor: Actor, now: float) -> int:
    """Failed probes in a row, as an Engine counts them: not those of the start period."""
    found, results = life(actor, now), probe_results(actor, now)
    if actor.probe is None or not results:
        return 0
    if found.health is Health.UNHEALTHY:
        return RETRIES + int((results[-1].at - found.health_since) // actor.probe.interval)
    streak = 0
    for result in reversed(results):
        if result.good or result.at - found.started <= actor.probe.start_period:
            break
        streak += 1
    return streak


def _succeeds(actor: Actor, probe: ProbeScript, at: float) -> bool:
    if life(actor, at).health is not Health.HEALTHY:
        return False
    # The failures that lead up to being unhealthy come while it still counts as healthy.
    ahead = (life(actor, at + count * probe.interval).health for count in range(1, RETRIES))
    return Health.UNHEALTHY not in ahead


def _acts(actor: Actor, first: int, last: int) -> Iterator[tuple[float, Act]]:
    """The acts of the cycles from `first` to `last`, both included, in order, each with its moment."""
    for cycle in range(first, last + 1):
        for act in actor.acts:
            yield cycle * CYCLE_SECONDS + act.at, act


def _beginning(actor: Actor, now: float) -> Life:
    up = actor.created if actor.up is None else actor.up
    # Most have ended before the world began; of some that is still to come.
    ended = actor.ended if actor.ended is not None and -actor.ended <= now else None
    runs = ended is None or ended > up
    return Life(
        state=ContainerState.RUNNING if runs else ContainerState.EXITED,
        started=-up,
        finished=None if ended is None else -ended,
        exit_code=None if ended is None else actor.exit_code,
        oom=actor.oom and ended is not None,
        restarts=actor.restarts,
        health=actor.health,
        health_since=-actor.health_for,
    )


def _after(before: Life, actor: Actor, act: Act, at: float) -> Life:
    match act.action:
        case "oom":
            return replace(before, oom=True)
        case "die":
            return replace(
                before,
                state=ContainerState.RESTARTING if actor.restarted_by_engine else ContainerState.EXITED,
                finished=at,
                exit_code=act.exit_code,
                health=Health.NONE,
                health_since=at,
            )
        case "start":
            return replace(
                before,
                state=ContainerState.RUNNING,
                started=at,
                exit_code=None,
                oom=False,
                restarts=before.restarts + 1,
                health=Health.STARTING if actor.probe else Health.NONE,
                health_since=at,
            )
        case "health_status" if act.health is not None:
            return replace(before, health=act.health, health_since=at)
        case _:
            return before
