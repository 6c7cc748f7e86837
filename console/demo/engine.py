"""The demo's Engine: what each container does is a function of the time since the demo began, nothing is remembered."""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from console.demo.cast import CAST, CYCLE_SECONDS, PROJECT, Act, Actor
from console.demo.clock import Clock
from console.model.container import (
    Container,
    ContainerEvent,
    ContainerState,
    Engine,
    Health,
    Inspection,
    Probe,
    ProbePlan,
    Usage,
    Variable,
)
from console.model.source import NotThereError, SourceState
from console.text import Clean, clean

PROBE_SECONDS = 30.0
_NANO = 1_000_000_000


class DemoEngine:
    """See `sources.protocols.ContainerEngine`. Begins when it is made."""

    def __init__(self, seed: int, clock: Clock) -> None:
        self._seed = seed
        self._clock = clock
        self._begin = clock.now()

    async def engine(self) -> Engine:
        return Engine(clean("Docker Engine"), clean("29.7.2"), clean("1.51"), clean("linux/amd64"), local=False)

    async def containers(self) -> tuple[Container, ...]:
        return tuple(replace(self._container(actor), details=None) for actor in CAST)

    async def inspect(self, container_id: str) -> Container:
        for actor in CAST:
            if identity(actor) == container_id:
                return self._container(actor)
        raise NotThereError(SourceState.OK, clean("There is no such container in the demo."))

    async def events(
        self, since_nano: int | None = None, connected: Callable[[], None] | None = None
    ) -> AsyncIterator[ContainerEvent]:
        if connected is not None:
            connected()
        told = self._clock.now() if since_nano is None else _from_nano(since_nano)
        while True:
            now = self._clock.now()
            for moment, actor, act in self._acts_between(told, now):
                yield _event(moment, actor, act)
            told = now
            await self._clock.sleep(self._until_next(now))

    async def usage(self, containers: Sequence[Container]) -> Mapping[Clean, Usage]:
        actors = {identity(actor): actor for actor in CAST}
        return {one.id: self._usage(actors[one.id]) for one in containers if one.id in actors and one.alive}

    async def image_ids(self, names: Collection[str]) -> Mapping[Clean, Clean]:
        return {clean(name): _image_id(name) for name in names}

    async def aclose(self) -> None:
        """Nothing is open."""

    # Time

    def _elapsed(self, moment: datetime) -> float:
        return max(0.0, (moment - self._begin).total_seconds())

    def _acts_between(self, after: datetime, until: datetime) -> list[tuple[datetime, Actor, Act]]:
        """What happens after `after` and not later than `until`, in order."""
        first, last = self._elapsed(after), self._elapsed(until)
        found = []
        for cycle in range(int(first // CYCLE_SECONDS), int(last // CYCLE_SECONDS) + 1):
            for actor in CAST:
                for act in actor.acts:
                    at = cycle * CYCLE_SECONDS + act.at
                    if first < at <= last:
                        found.append((self._begin + timedelta(seconds=at), actor, act))
        return sorted(found, key=lambda item: item[0])

    def _until_next(self, now: datetime) -> float:
        place = self._elapsed(now) % CYCLE_SECONDS
        ahead = [act.at - place for actor in CAST for act in actor.acts if act.at > place]
        return min(ahead, default=CYCLE_SECONDS - place + min(act.at for actor in CAST for act in actor.acts)) + 0.001

    # Containers

    def _container(self, actor: Actor) -> Container:
        now = self._clock.now()
        elapsed = self._elapsed(now)
        cycle, place = divmod(elapsed, CYCLE_SECONDS)
        done = [act for act in actor.acts if act.at <= place]
        started, finished = self._life(actor, cycle, done)
        dead = finished is not None and (started is None or finished > started)
        waits = dead and actor.policy in ("always", "unless-stopped") and bool(done)
        state = ContainerState.RESTARTING if waits else ContainerState.EXITED if dead else ContainerState.RUNNING
        last_death = next((act for act in reversed(done) if act.action == "die"), None)
        exit_code = last_death.exit_code if last_death else actor.exit_code
        health = Health.NONE if dead else self._health(actor, done)
        restarts = actor.restarts + sum(act.action == "start" for act in done)
        restarts += int(cycle) * sum(act.action == "start" for act in actor.acts)
        oom = last_death.oom if last_death and dead else actor.oom
        return Container(
            id=identity(actor),
            name=clean(actor.name),
            image=clean(actor.image),
            image_id=_image_id(actor.image),
            state=state,
            health=health,
            exit_code=exit_code if dead else None,
            created=self._begin - timedelta(seconds=actor.up),
            labels=_labels(actor),
            ports=actor.ports,
            mounts=actor.mounts,
            details=Inspection(
                started_at=started,
                finished_at=finished,
                restarts=restarts,
                oom_killed=oom,
                error=clean(""),
                pid=None,
                command=clean(actor.command),
                user=clean(actor.user),
                restart_policy=clean(actor.policy),
                stop_signal=clean("SIGTERM"),
                memory_limit=actor.limit,
                log_driver=clean("json-file"),
                probe=ProbePlan(clean(actor.probe), PROBE_SECONDS, 5.0, 3, 0.0) if actor.probe else None,
                probes=self._probes(actor, health, now) if actor.probe and not dead else (),
                failing_streak=self._streak(actor, health, now),
                environment=tuple(Variable(clean(name), clean(value)) for name, value in actor.environment),
            ),
        )

    def _life(self, actor: Actor, cycle: float, done: Sequence[Act]) -> tuple[datetime | None, datetime | None]:
        """When it last started and, if it ever did, when it last ended."""
        started: datetime | None = self._begin - timedelta(seconds=actor.up)
        finished = self._begin - timedelta(seconds=actor.ended) if actor.ended is not None else None
        if cycle >= 1:
            deaths = [act.at for act in actor.acts if act.action == "die"]
            starts = [act.at for act in actor.acts if act.action == "start"]
            before = (cycle - 1) * CYCLE_SECONDS
            finished = self._begin + timedelta(seconds=before + max(deaths)) if deaths else finished
            started = self._begin + timedelta(seconds=before + max(starts)) if starts else started
        for act in done:
            moment = self._begin + timedelta(seconds=cycle * CYCLE_SECONDS + act.at)
            if act.action == "start":
                started = moment
            elif act.action == "die":
                finished = moment
        return started, finished

    @staticmethod
    def _health(actor: Actor, done: Sequence[Act]) -> Health:
        health = actor.health
        for act in done:
            if act.action == "health_status" and act.health is not None:
                health = act.health
            elif act.action == "start" and actor.probe:
                health = Health.STARTING
        return health

    def _probes(self, actor: Actor, health: Health, now: datetime) -> tuple[Probe, ...]:
        """The last five results, half a minute apart."""
        newest = self._begin + timedelta(seconds=self._elapsed(now) // PROBE_SECONDS * PROBE_SECONDS - 5.0)
        good = health is Health.HEALTHY
        failing = actor.output if actor.health is not Health.HEALTHY else "wget: server returned error: HTTP/1.1 502"
        text = clean(actor.output if good or not failing else failing, lines=True)
        ends = [newest - timedelta(seconds=PROBE_SECONDS * back) for back in reversed(range(5))]
        return tuple(Probe(end - timedelta(milliseconds=12), end, 0 if good else 1, text) for end in ends)

    def _streak(self, actor: Actor, health: Health, now: datetime) -> int:
        if not actor.probe or health in (Health.HEALTHY, Health.NONE):
            return 0
        return int((actor.failing_for + self._elapsed(now)) // PROBE_SECONDS) + 3

    def _usage(self, actor: Actor) -> Usage:
        """A slow wave with a little noise on it, the same for the same seed and second."""
        step = int(self._elapsed(self._clock.now()) // 2)
        noise = random.Random(f"{self._seed}/{actor.name}/{step}")  # noqa: S311 - a picture of load, guards nothing
        phase = sum(actor.name.encode())
        wave = math.sin(step / 9 + phase)
        cpu = max(0.0, actor.cpu * (1 + 0.12 * wave + noise.uniform(-0.05, 0.05)))
        memory = int(actor.memory * (1 + 0.03 * math.sin(step / 40 + phase)))
        if actor.limit is not None:
            memory = min(memory, actor.limit)
        return Usage(cpu, memory, actor.limit)


def identity(actor: Actor) -> Clean:
    return clean(hashlib.sha256(actor.name.encode()).hexdigest())


def _image_id(image: str) -> Clean:
    return clean("sha256:" + hashlib.sha256(f"image {image}".encode()).hexdigest())


def config_hash(service: str) -> str:
    return hashlib.sha256(f"config {service}".encode()).hexdigest()


def _labels(actor: Actor) -> Mapping[Clean, Clean]:
    labels = dict(actor.labels)
    if actor.service:
        labels |= {
            "com.docker.compose.project": PROJECT,
            "com.docker.compose.service": actor.service,
            "com.docker.compose.container-number": str(actor.number),
            "com.docker.compose.config-hash": config_hash(actor.service),
        }
    return {clean(name): clean(value) for name, value in labels.items()}


def _event(moment: datetime, actor: Actor, act: Act) -> ContainerEvent:
    return ContainerEvent(
        id=identity(actor),
        name=clean(actor.name),
        action=clean(act.action),
        detail=clean(act.health.value if act.health else ""),
        exit_code=act.exit_code if act.action == "die" else None,
        time=moment,
        time_nano=int(moment.timestamp() * 1_000_000) * 1000,
    )


def _from_nano(nano: int) -> datetime:
    from datetime import UTC

    return datetime.fromtimestamp(nano / _NANO, UTC)
