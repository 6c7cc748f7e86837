"""The demo's Engine: what it tells is a function of the seed, of the time since the world began, and of what was done to it."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from console.demo.actor import RETRIES, Actor
from console.demo.cast import CAST, FILE, PROJECT
from console.demo.clock import Clock
from console.demo.deeds import Deeds
from console.demo.identity import config_hash, container_id, image_id, images_here, pid
from console.demo.load import usage
from console.demo.logs import next_said, said
from console.demo.timeline import Happening, Life, failing_streak, happenings, life, next_moment, probe_results
from console.demo.training_log import Said
from console.model.container import (
    Container,
    ContainerEvent,
    ContainerState,
    Engine,
    Inspection,
    Probe,
    ProbePlan,
    Usage,
    Variable,
)
from console.model.log import Entry
from console.model.source import NotThereError, SourceState
from console.text import Clean, clean

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_PROBE_TOOK = timedelta(milliseconds=12)


class DemoEngine:
    """See `sources.protocols.ContainerEngine`. Nothing here fails, except for asking about a container that is not there."""

    def __init__(self, seed: int, clock: Clock, deeds: Deeds | None = None) -> None:
        self._seed = seed
        self._clock = clock
        self._deeds = deeds or Deeds()
        self._actors = {container_id(actor): actor for actor in CAST}

    async def engine(self) -> Engine:
        return Engine(clean("Docker Engine"), clean("29.7.2"), clean("1.51"), clean("linux/amd64"), local=False)

    async def root(self) -> Clean | None:
        return clean("/var/lib/docker")

    async def containers(self) -> tuple[Container, ...]:
        now = self._elapsed()
        found = (self._deeds.seen(self._listed(actor, life(actor, now))) for actor in CAST if -actor.created <= now)
        return tuple(one for one in found if one is not None)

    async def inspect(self, container_id: str) -> Container:
        now = self._elapsed()
        actor = self._there(container_id, now)
        told = life(actor, now)
        found = self._deeds.seen(replace(self._listed(actor, told), details=self._inspection(actor, told, now)))
        if found is None:
            raise NotThereError(SourceState.OK, clean("There is no such container in the demo."))
        return found

    async def events(
        self, since_nano: int | None = None, connected: Callable[[], None] | None = None
    ) -> AsyncIterator[ContainerEvent]:
        told = self._elapsed() if since_nano is None else self._just_before(since_nano)
        if connected is not None:
            connected()
        while True:
            now = self._elapsed()
            for happening in happenings(CAST, told, now):
                yield self._event(happening)
            told = max(told, now)
            await self._clock.sleep_until(self._moment(next_moment(CAST, told)))

    async def usage(self, containers: Sequence[Container]) -> Mapping[Clean, Usage]:
        now = self._elapsed()
        found = {}
        for one in containers:
            actor = self._actors.get(one.id)
            told = life(actor, now) if actor else None
            if actor and told and told.state is ContainerState.RUNNING and one.state is ContainerState.RUNNING:
                found[one.id] = usage(self._seed, actor, now, now - told.started)
        return found

    async def image_ids(self, names: Collection[str]) -> Mapping[Clean, Clean]:
        return {clean(name): image_id(name) for name in images_here().intersection(names)}

    async def log(
        self, container: Container, *, tail: int | None, since: int | None = None, follow: bool = False
    ) -> AsyncGenerator[list[Entry]]:
        now = self._elapsed()
        actor = self._there(container.id, now)
        entries = self._entries(actor, -math.inf, now)
        yield [
            one for one in (entries if tail is None else entries[-tail:] if tail else []) if since is None or one[0] >= since
        ]
        while follow and life(actor, now).state in (ContainerState.RUNNING, ContainerState.PAUSED):
            await self._clock.sleep_until(self._moment(next_said(actor, now)))
            told, now = now, self._elapsed()
            yield self._entries(actor, told, now)

    async def aclose(self) -> None:
        """Nothing is open."""

    # Time

    def _elapsed(self) -> float:
        return (self._clock.now() - self._clock.began).total_seconds()

    def _moment(self, seconds: float) -> datetime:
        return self._clock.began + timedelta(seconds=seconds)

    def _just_before(self, nano: int) -> float:
        """The end of the time before `nano`: what happens at that very moment still has to be told."""
        microseconds = -(-nano // 1000) - 1
        return max(-1.0, (_EPOCH + microseconds * _MICROSECOND - self._clock.began).total_seconds())

    # Containers

    def _there(self, container_id: str, now: float) -> Actor:
        actor = self._actors.get(clean(container_id))
        if actor is None or -actor.created > now:
            raise NotThereError(SourceState.OK, clean("There is no such container in the demo."))
        return actor

    def _listed(self, actor: Actor, told: Life) -> Container:
        return Container(
            id=container_id(actor),
            name=clean(actor.name),
            image=clean(actor.image),
            image_id=image_id(actor.image),
            state=told.state,
            health=told.health,
            exit_code=told.exit_code,
            created=self._moment(-actor.created),
            labels=_labels(actor),
            ports=actor.ports,
            mounts=actor.mounts,
        )

    def _inspection(self, actor: Actor, told: Life, now: float) -> Inspection:
        running = told.state is ContainerState.RUNNING
        return Inspection(
            started_at=self._moment(told.started),
            finished_at=None if told.finished is None else self._moment(told.finished),
            restarts=told.restarts,
            oom_killed=told.oom,
            error=clean(""),
            pid=pid(actor, told.restarts) if running else None,
            command=clean(actor.command),
            user=clean(actor.user),
            restart_policy=clean(actor.policy),
            memory_limit=actor.limit,
            log_driver=clean("json-file"),
            log_rotates=None,
            tty=False,
            probe=_probe_plan(actor),
            probes=self._probes(actor, now),
            failing_streak=failing_streak(actor, now),
            environment=tuple(Variable(clean(name), clean(value)) for name, value in actor.environment),
        )

    def _probes(self, actor: Actor, now: float) -> tuple[Probe, ...]:
        script = actor.probe
        if script is None:
            return ()
        return tuple(
            Probe(
                start=self._moment(result.at) - _PROBE_TOOK,
                end=self._moment(result.at),
                exit_code=0 if result.good else 1,
                output=clean(self._told(script.good if result.good else script.bad, actor, result.at), lines=True),
            )
            for result in probe_results(actor, now)
        )

    def _told(self, words: str, actor: Actor, at: float) -> str:
        since = self._moment(life(actor, at).health_since)
        return words.replace("{since}", since.strftime("%Y-%m-%dT%H:%M:%SZ"))

    def _entries(self, actor: Actor, begin: float, until: float) -> list[Entry]:
        began = (self._clock.began - _EPOCH) // _MICROSECOND * 1000
        return [
            (began + round(one.at * 1_000_000) * 1000, one.stderr, self._written(one).encode() + b"\n")
            for one in said(actor, begin, until)
        ]

    def _written(self, one: Said) -> str:
        if "{time}" not in one.text:
            return one.text
        return one.text.replace("{time}", self._moment(one.at).isoformat(timespec="seconds"))

    def _event(self, happening: Happening) -> ContainerEvent:
        moment = self._moment(happening.at)
        act = happening.act
        return ContainerEvent(
            id=container_id(happening.actor),
            name=clean(happening.actor.name),
            action=clean(act.action),
            detail=clean(act.health.value if act.health else ""),
            exit_code=act.exit_code,
            time=moment,
            time_nano=(moment - _EPOCH) // _MICROSECOND * 1000,
        )


def _probe_plan(actor: Actor) -> ProbePlan | None:
    script = actor.probe
    if script is None:
        return None
    return ProbePlan(clean(script.command), script.interval, 5.0, RETRIES, script.start_period)


def _labels(actor: Actor) -> Mapping[Clean, Clean]:
    labels = dict(actor.labels)
    if actor.service:
        labels |= {
            "com.docker.compose.config-hash": config_hash(actor.service, actor.image),
            "com.docker.compose.container-number": str(actor.number),
            "com.docker.compose.image": image_id(actor.image),
            "com.docker.compose.oneoff": "False",
            "com.docker.compose.project": PROJECT,
            "com.docker.compose.project.config_files": FILE,
            "com.docker.compose.project.working_dir": FILE.rpartition("/")[0],
            "com.docker.compose.service": actor.service,
            "com.docker.compose.version": "2.40.3",
        }
    return {clean(name): clean(value) for name, value in labels.items()}
