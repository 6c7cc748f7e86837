"""Sources that a test holds in its hands: it decides what they answer, and when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

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
from console.model.log import Entry
from console.model.service import ComposeProject
from console.model.source import NotThereError, SourceError, SourceState
from console.text import Clean, clean

NOW = datetime(2026, 11, 23, 14, 3, 46, tzinfo=UTC)


def inspection(**changes: object) -> Inspection:
    """Details of a container that started five minutes before NOW and is fine."""
    base = Inspection(
        started_at=NOW - timedelta(minutes=5),
        finished_at=None,
        restarts=0,
        oom_killed=False,
        error=clean(""),
        pid=None,
        command=clean("sleep 1000"),
        user=clean(""),
        restart_policy=clean("no"),
        memory_limit=None,
        log_driver=clean("json-file"),
        log_rotates=None,
        tty=False,
        probe=None,
        probes=(),
        failing_streak=0,
        environment=(Variable(clean("TOKEN"), clean("s3cret-value")),),
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # names and types are the field's own, checked at the call


def container(
    name: str,
    *,
    state: ContainerState = ContainerState.RUNNING,
    health: Health = Health.NONE,
    exit_code: int | None = None,
    service: str | None = None,
    project: str = "mlops",
    image: str = "busybox:1",
    labels: Mapping[str, str] | None = None,
    details: Inspection | None = None,
    number: int = 1,
) -> Container:
    """A container whose id is made of its name."""
    marks = dict(labels or {})
    if service is not None:
        marks |= {
            "com.docker.compose.project": project,
            "com.docker.compose.service": service,
            "com.docker.compose.container-number": str(number),
        }
    return Container(
        id=clean(name.encode().hex().ljust(64, "0")[:64]),
        name=clean(name),
        image=clean(image),
        image_id=clean("sha256:" + "ab" * 32),
        state=state,
        health=health,
        exit_code=exit_code,
        created=NOW - timedelta(minutes=6),
        labels={clean(key): clean(value) for key, value in marks.items()},
        details=details if details is not None else inspection(),
    )


def failing(output: str, *, streak: int = 24, retries: int = 3) -> Inspection:
    """Details of a container whose last five probes failed alike, thirty seconds apart."""
    ends = [NOW - timedelta(seconds=35 + 30 * back) for back in reversed(range(5))]
    return inspection(
        probe=ProbePlan(clean("wget -q -O- http://127.0.0.1:9000"), 30.0, 5.0, retries, 0.0),
        probes=tuple(Probe(end - timedelta(seconds=1), end, 1, clean(output, lines=True)) for end in ends),
        failing_streak=streak,
    )


def event(one: Container, action: str, *, detail: str = "", code: int | None = None, nano: int = 1) -> ContainerEvent:
    return ContainerEvent(one.id, one.name, clean(action), clean(detail), code, NOW, nano)


class FakeEngine:
    """An Engine whose containers are `held`. `failure` makes every request fail, `hang` makes them wait for it."""

    def __init__(self, *held: Container) -> None:
        self.held = {one.id: one for one in held}
        self.failure: SourceError | None = None
        self.hang: asyncio.Event | None = None
        self.asked: list[str] = []
        self.stream: asyncio.Queue[ContainerEvent | SourceError] = asyncio.Queue()
        self.logs: dict[Clean, list[Entry]] = {}
        self.usages: dict[Clean, Usage] = {}
        self.closed = False
        self.connected = asyncio.Event()

    async def _gate(self, request: str) -> None:
        self.asked.append(request)
        if self.hang is not None:
            await self.hang.wait()
        if self.failure is not None:
            raise self.failure

    async def engine(self) -> Engine:
        await self._gate("engine")
        return Engine(clean("Docker Engine"), clean("29.7.2"), clean("1.51"), clean("linux/amd64"), local=True)

    async def root(self) -> Clean | None:
        await self._gate("root")
        return clean("/var/lib/docker")

    async def containers(self) -> tuple[Container, ...]:
        await self._gate("containers")
        return tuple(replace(one, details=None) for one in self.held.values())

    async def inspect(self, container_id: str) -> Container:
        await self._gate(f"inspect {container_id[:12]}")
        found = self.held.get(clean(container_id))
        if found is None:
            raise NotThereError(SourceState.OK, clean("no such container"))
        return found

    async def events(
        self, since_nano: int | None = None, connected: Callable[[], None] | None = None
    ) -> AsyncIterator[ContainerEvent]:
        await self._gate(f"events {since_nano}")
        if connected is not None:
            connected()
        self.connected.set()
        while True:
            item = await self.stream.get()
            if isinstance(item, SourceError):
                raise item
            yield item

    async def usage(self, containers: Sequence[Container]) -> Mapping[Clean, Usage]:
        await self._gate("usage " + " ".join(sorted(one.name for one in containers)))
        return {one.id: self.usages[one.id] for one in containers if one.id in self.usages}

    async def image_ids(self, names: Collection[str]) -> Mapping[Clean, Clean]:
        return {}

    async def log(
        self, container: Container, *, tail: int | None, since: int | None = None, follow: bool = False
    ) -> AsyncGenerator[list[Entry]]:
        await self._gate(f"log {container.name} {tail}")
        entries = self.logs.get(container.id, [])
        newest = entries if tail is None else entries[max(0, len(entries) - tail) :]
        yield [one for one in newest if since is None or one[0] >= since]
        # As with an Engine: what is followed ends when its container is removed, and nothing is followed of one that was.
        while follow and container.alive and container.id in self.held:  # noqa: ASYNC110 - tests take it out of a dict
            await asyncio.sleep(0.005)

    async def aclose(self) -> None:
        self.closed = True


class FakeCompose:
    """A Compose file that says `answer`, or fails with it."""

    def __init__(self, answer: ComposeProject | SourceError | None = None) -> None:
        self.answer = answer
        self.is_changed = False
        self.asked = 0
        self.closed = False

    async def project(self) -> ComposeProject | None:
        self.asked += 1
        self.is_changed = False
        if isinstance(self.answer, SourceError):
            raise self.answer
        return self.answer

    def changed(self) -> bool:
        return self.is_changed

    async def aclose(self) -> None:
        self.closed = True
