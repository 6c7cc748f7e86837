"""A Jenkins whose builds' logs a test writes, and which serves them as a real one was seen to."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import NoReturn

from console.logs.buildlog import BuildTail
from console.logs.lines import Item, Kind, Line, Notice
from console.logs.origin import BuildLog
from console.model.backoff import Backoff
from console.model.build import Build, BuildRef, FailedTest, FilePart, LogPart, Result, Stage, Stages, StageStatus
from console.model.jenkins import Controller, JenkinsError, Job, JobKind, LeftItem, Monitors, QueueItem, Trouble, Work
from console.sources.protocols import Jenkins
from console.text import Clean, clean
from tests.console.refusing import Refusing
from tests.support.waiting import DEADLINE, until

TRAIN = BuildRef(clean("train"), 12)
LOG = BuildLog(TRAIN, clean("train #12"))
STARTED = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
NOON = int(STARTED.timestamp()) * 1_000_000_000
_NOTE = re.compile(rb"\x1b\[8mha:.*?\x1b\[0m", re.DOTALL)
AWAY = JenkinsError(Trouble.UNREACHABLE, "Jenkins does not answer at http://ci: connection refused.")
RESTARTING = JenkinsError(Trouble.RESTARTING, "Jenkins is restarting (503).", status=503)
FAULT = JenkinsError(
    Trouble.FAULT, "Jenkins failed at log of train #12 (500): its log has the cause under 2f1e8c1a.", status=500
)
REVOKED = JenkinsError(Trouble.NOT_AUTHENTICATED, "Jenkins refuses the token of operator (401).", status=401)
GONE = JenkinsError(Trouble.NOT_FOUND, "Jenkins has no log of train #12, or hides it from operator.", status=404)


def note(size: int = 280) -> bytes:
    """A console note: bytes of the file that are never served."""
    return b"\x1b[8mha:////" + b"A" * size + b"\x1b[0m"


def stamped(seconds: float, text: str) -> str:
    """A line with the time that timestamps() puts before it."""
    moment = STARTED + timedelta(seconds=seconds)
    return f"[{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z] {text}"


def served(raw: bytes) -> bytes:
    """A piece of the file as progressiveText gives it."""
    return _NOTE.sub(b"", raw).decode("utf-8", "replace").replace("\r\n", "\n").replace("\n", "\r\n").encode()


class FakeJenkins(Refusing):
    """`raw` are the bytes of the log file. Answers come in parts of `piece` bytes; `faults` are what goes wrong next, one for
    each request for a log: an error, or an error after so many bytes of the answer."""

    def __init__(self, raw: bytes = b"", *, building: bool = True) -> None:
        self.raw: bytes = raw
        self.steps: dict[str, bytes] = {}
        self.stage = Stage(clean("6"), clean("Train"), StageStatus.IN_PROGRESS, STARTED, None, timedelta(0))
        self.here = Build(TRAIN, building, None if building else Result.SUCCESS, STARTED, None, None)
        if not building:
            self.end()
        self.piece = 1000
        self.faults: deque[JenkinsError | tuple[JenkinsError, int] | None] = deque()
        self.looks_finished = False
        """Whether the log says that nothing will come, whatever the build says."""
        self.lasting: JenkinsError | None = None
        """What every request says until it is taken away."""
        self.refused = 0
        """How often it said so."""
        self.asked: list[int] = []
        """Where each request for the log began."""
        self.served = 0
        """Bytes of text that were handed out."""
        self.open = 0
        """Answers that are being read."""
        self.grow: Callable[[], None] | None = None
        """Called after each answer was begun: what the build writes meanwhile."""
        self.closed = False

    # What happens

    def say(self, *lines: str) -> None:
        self.raw += "".join(f"{line}\n" for line in lines).encode()

    def write(self, raw: bytes) -> None:
        self.raw += raw

    def end(self, result: Result = Result.SUCCESS) -> None:
        self.here = replace(self.here, building=False, result=result, duration=timedelta(seconds=100))
        self.stage = replace(self.stage, status=StageStatus.SUCCESS, duration=timedelta(seconds=90))

    # What is asked

    @property
    def url(self) -> Clean:
        return clean("http://ci")

    @property
    def controller(self) -> Controller:
        return Controller(None, None)

    async def build(self, ref: BuildRef) -> Build:
        self._gate()
        if ref != TRAIN:
            raise JenkinsError(Trouble.NOT_FOUND, f"Jenkins has no build {ref.shown}, or hides it from operator.", status=404)
        return self.here

    @property
    def job(self) -> Job:
        return Job(TRAIN.job, JobKind.PIPELINE, True, self.here, TRAIN.job, TRAIN.job)

    async def jobs(self) -> tuple[Job, ...]:
        self._gate()
        return (self.job,)

    async def stages(self, ref: BuildRef) -> Stages:
        self._gate()
        return Stages(ref, self.stage.status, (self.stage,))

    async def stage_steps(self, ref: BuildRef, stage: str) -> tuple[tuple[Clean, Clean], ...]:
        self._gate()
        return tuple((clean(step), clean("sh")) for step in self.steps)

    async def log_size(self, ref: BuildRef, step: str | None = None) -> int:
        self._gate()
        return len(self._file(step))

    async def log(self, ref: BuildRef, start: int, step: str | None = None) -> AsyncGenerator[LogPart]:
        self._gate()
        fault = self.faults.popleft() if self.faults else None
        if isinstance(fault, JenkinsError):
            raise fault
        raw = self._file(step)
        size, whole = len(raw), start > len(raw)
        text = served(raw if whole else raw[start:])
        more = self.here.building if step is None else list(self.steps)[-1] == step and self.stage.duration is None
        more = more and not self.looks_finished
        self.asked.append(start)
        if self.grow is not None:
            self.grow()
        self.open += 1
        try:
            for at in range(0, len(text), self.piece):
                piece = text[at : at + self.piece]
                if fault is not None and at + len(piece) > fault[1]:
                    piece = piece[: max(0, fault[1] - at)]
                    self.served += len(piece)
                    yield LogPart(piece, size, more, whole)
                    raise fault[0]
                self.served += len(piece)
                yield LogPart(piece, size, more, whole)
            if fault is not None:
                raise fault[0]
            yield LogPart(b"", size, more, whole)
        finally:
            self.open -= 1

    def _file(self, step: str | None) -> bytes:
        return self.raw if step is None else self.steps[step]

    def _gate(self) -> None:
        if self.lasting is not None:
            self.refused += 1
            raise self.lasting

    async def who(self) -> Clean | None:
        return clean("operator")

    async def work(self) -> Work:
        return Work((), (), frozenset({TRAIN}) if self.here.building else frozenset())

    async def builds(self, job: str, count: int) -> tuple[Build, ...]:
        return (self.here,)

    async def tests(self, ref: BuildRef) -> tuple[FailedTest, ...]:
        return ()

    async def node_log(self, node: str) -> Clean:
        _not_here()

    async def monitors(self, node: str) -> Monitors | None:
        _not_here()

    async def artifact(self, ref: BuildRef, path: str) -> AsyncGenerator[FilePart]:
        _not_here()
        yield FilePart(b"", None)

    async def queue_item(self, item_id: int) -> QueueItem | LeftItem:
        _not_here()

    async def aclose(self) -> None:
        self.closed = True


def _not_here() -> NoReturn:
    raise AssertionError("no log asks this")


class Reading:
    """A tail that runs, and what it gave."""

    def __init__(self, jenkins: Jenkins, log: BuildLog = LOG, *, follow: bool = True, **options: object) -> None:
        self.items: list[Item] = []
        self.tail = BuildTail(jenkins, log, follow=follow, **options)  # type: ignore[arg-type]  # names and types are its own
        self.tail._backoff = Backoff(0.001, 0.002)
        self.task = asyncio.ensure_future(self.tail.run(self._give))

    async def _give(self, item: Item) -> None:
        self.items.append(item)

    @property
    def lines(self) -> list[Line]:
        return [line for item in self.items if not isinstance(item, Notice) for line in item]

    @property
    def texts(self) -> list[str]:
        return [text.decode() for _, _, text in self.lines]

    @property
    def notices(self) -> list[Kind]:
        return [item.kind for item in self.items if isinstance(item, Notice) and item.kind is not Kind.NOW]

    @property
    def said(self) -> list[str]:
        return [str(item.text) for item in self.items if isinstance(item, Notice) and item.kind is not Kind.NOW]

    async def shows(self, *texts: str) -> None:
        """Until it has given these, and nothing else."""
        with suppress(AssertionError):
            await until(lambda: self.texts == list(texts) or self.task.done(), deadline=8.0)
        assert self.texts == list(texts), self.said

    async def ended(self) -> None:
        async with asyncio.timeout(DEADLINE):
            await self.task

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
