"""A Jenkins that a test holds in its hands: it decides what is answered, and sees what was asked."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from console.model.asking import Definition, Question
from console.model.build import (
    Build,
    BuildRef,
    FailedTest,
    FilePart,
    LogPart,
    Result,
    Stage,
    Stages,
    StageStatus,
    as_people_write,
)
from console.model.jenkins import (
    Controller,
    Held,
    JenkinsError,
    JenkinsWorld,
    Job,
    JobKind,
    LeftItem,
    Monitors,
    Node,
    QueueItem,
    Trouble,
    Waits,
    Work,
)
from console.text import Clean, clean
from tests.console.refusing import Refusing

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def ref(job: str, number: int) -> BuildRef:
    return BuildRef(clean(job), number)


def build(
    job: str = "train",
    number: int = 12,
    result: Result | None = Result.SUCCESS,
    *,
    minutes: float = 40,
    took: float | None = 10,
    **more: object,
) -> Build:
    """A build that began `minutes` before NOW and took `took` of them. Without `result` it runs."""
    running = result is None and took is not None
    base = Build(
        ref=ref(job, number),
        building=running,
        result=result,
        started=NOW - timedelta(minutes=minutes),
        duration=None if running or took is None else timedelta(minutes=took),
        estimated=timedelta(minutes=8),
    )
    return replace(base, **more)  # type: ignore[arg-type]  # names and types are the field's own, checked at the call


def job(name: str, last: Build | None = None, *, shown: str | None = None, buildable: bool = True) -> Job:
    own = as_people_write(name.rpartition("/")[2])
    return Job(clean(name), JobKind.PIPELINE, buildable, last, clean(shown or name), own)


def node(name: str, *running: BuildRef, executors: int = 2, **more: object) -> Node:
    base = Node(clean(name), False, False, False, clean(""), executors, (clean("gpu"),), running)
    return replace(base, **more)  # type: ignore[arg-type]  # as above


def item(
    number: int, name: str | None = "train", why: str = "Waiting for next available executor", **more: object
) -> QueueItem:
    told = clean(name) if name is not None else None
    base = QueueItem(number, told, clean(name or ""), Waits.BUILDABLE, clean(why), NOW - timedelta(minutes=3), stuck=False)
    return replace(base, **more)  # type: ignore[arg-type]  # as above


def stage(
    name: str, status: StageStatus = StageStatus.SUCCESS, *, at: float = 0, took: float | None = 5, **more: object
) -> Stage:
    """A stage that begins `at` seconds after NOW."""
    duration = timedelta(seconds=took) if took is not None else None
    base = Stage(clean(name), clean(name), status, NOW + timedelta(seconds=at), duration, timedelta(0))
    return replace(base, **more)  # type: ignore[arg-type]  # as above


def in_stages(ref: BuildRef, *found: Stage) -> Stages:
    """A build that has come so far."""
    return Stages(ref, StageStatus.IN_PROGRESS, found)


def world(*jobs: Job, work: Work | None = None, **more: object) -> JenkinsWorld:
    base = JenkinsWorld(
        url=clean("https://ci.example.org"),
        controller=Controller(clean("2.568.2"), clean("s1"), user=clean("operator")),
        work=work or Work((node("trainer-1"),), (), frozenset()),
        jobs={one.full_name: one for one in jobs},
    )
    return replace(base, **more)  # type: ignore[arg-type]  # as above


class FakeJenkins(Refusing):
    """Answers from its fields, counts, and refuses acts. `failure` fails everything, `failures` single questions; `hang` makes
    all wait."""

    def __init__(self, *jobs: Job) -> None:
        self.listed = jobs
        self.nodes: tuple[Node, ...] = (node("trainer-1"),)
        self.queue: tuple[QueueItem, ...] = ()
        self.flying: frozenset[BuildRef] = frozenset()
        self.known: dict[BuildRef, Build] = {}
        self.staged: dict[BuildRef, Stages] = {}
        self.logs: dict[BuildRef, str] = {}
        self.failed: dict[BuildRef, tuple[FailedTest, ...]] = {}
        self.node_logs: dict[str, str] = {}
        self.measured: dict[str, Monitors] = {}
        self.declared: dict[str, tuple[Definition, ...]] = {}
        self.pending: dict[BuildRef, tuple[Question, ...]] = {}
        self.user: str | None = "operator"
        self.told = Controller(clean("2.568.2"), clean("s1"), user=clean("operator"))
        self.failure: JenkinsError | None = None
        self.failures: dict[str, JenkinsError] = {}
        self.hang: asyncio.Event | None = None
        self.asked: Counter[str] = Counter()
        self.at_once = 0
        self.most_at_once = 0
        self.closed = False

    @property
    def url(self) -> Clean:
        return clean("https://ci.example.org")

    @property
    def controller(self) -> Controller:
        return self.told

    async def _gate(self, what: str) -> None:
        self.asked[what] += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if self.hang is not None:
                await self.hang.wait()
            else:
                await asyncio.sleep(0)
        finally:
            self.at_once -= 1
        if self.failure is not None:
            raise self.failure
        if what in self.failures:
            raise self.failures[what]

    async def heard(self, what: str) -> None:
        await self._gate(what)

    async def parameters(self, job: str) -> tuple[Definition, ...]:
        await self.heard(f"parameters {job}")
        return self.declared.get(job, ())

    async def questions(self, ref: BuildRef) -> tuple[Question, ...]:
        await self.heard(f"questions {ref}")
        return self.pending.get(ref, ())

    async def who(self) -> Clean | None:
        await self._gate("who")
        return clean(self.user) if self.user is not None else None

    async def work(self) -> Work:
        await self._gate("work")
        return Work(self.nodes, self.queue, self.flying)

    async def jobs(self) -> tuple[Job, ...]:
        await self._gate("jobs")
        return self.listed

    async def builds(self, job: str, count: int) -> tuple[Build, ...]:
        await self._gate(f"builds {job}")
        found = sorted((one for one in self.known.values() if one.job == job), key=lambda one: -one.number)
        return tuple(found[:count])

    async def build(self, ref: BuildRef) -> Build:
        await self._gate(f"build {ref}")
        if ref not in self.known:
            raise gone(f"build {ref}")
        return replace(self.known[ref], detailed=True)

    async def stages(self, ref: BuildRef) -> Stages:
        await self._gate(f"stages {ref}")
        if ref not in self.staged:
            raise gone(f"list of stages of {ref}")
        return self.staged[ref]

    async def stage_steps(self, ref: BuildRef, stage: str) -> tuple[tuple[Clean, Clean], ...]:
        await self._gate(f"steps {ref} {stage}")
        return ()

    async def tests(self, ref: BuildRef) -> tuple[FailedTest, ...]:
        await self._gate(f"tests {ref}")
        return self.failed.get(ref, ())

    async def log_size(self, ref: BuildRef, step: str | None = None) -> int:
        await self._gate(f"size {ref}")
        return len(self.logs.get(ref, "").encode())

    async def log(self, ref: BuildRef, start: int, step: str | None = None) -> AsyncGenerator[LogPart]:
        await self._gate(f"log {ref}")
        raw = self.logs.get(ref, "").encode()
        whole = start > len(raw)
        yield LogPart((raw if whole else raw[start:]).replace(b"\n", b"\r\n"), len(raw), more=True, whole=whole)
        yield LogPart(b"", len(raw), more=True, whole=whole)

    async def node_log(self, node: str) -> Clean:
        await self._gate(f"node log {node}")
        return clean(self.node_logs.get(node, ""), lines=True)

    async def monitors(self, node: str) -> Monitors | None:
        await self._gate(f"monitors {node}")
        return self.measured.get(node)

    async def artifact(self, ref: BuildRef, path: str) -> AsyncGenerator[FilePart]:
        await self._gate(f"artifact {ref} {path}")
        raise gone(f"file {path} of {ref}")
        yield FilePart(b"", None)  # what makes it a generator

    async def queue_item(self, item_id: int) -> QueueItem | LeftItem:
        await self._gate(f"queue item {item_id}")
        raise gone(f"item {item_id} in its queue")

    async def aclose(self) -> None:
        self.closed = True


def gone(what: str) -> JenkinsError:
    return JenkinsError(Trouble.NOT_FOUND, f"Jenkins has no {what}, or hides it from operator.", status=404)


def unreachable() -> JenkinsError:
    return JenkinsError(Trouble.UNREACHABLE, "Jenkins does not answer at https://ci.example.org: connection refused.")


def lacks(permission: str) -> JenkinsError:
    told = f"Jenkins: user operator lacks {permission}."
    return JenkinsError(Trouble.NOT_PERMITTED, told, permission=clean(permission), status=403)


def locked(name: str = "gpu-0", *, by: Mapping[str, int] | None = None) -> Held:
    who = next(iter(by.items())) if by else None
    return Held("lock", clean(name), ref(*who) if who else None)
