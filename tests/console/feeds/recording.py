"""A recorder of a test's own: real history, sources in the test's hands, looks whenever the test wants one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from console.feeds.record_fill import Allowance
from console.feeds.record_notices import Notices, Wanted
from console.feeds.record_store import Store
from console.feeds.recorder import Around, Pace, Recorder
from console.history import Bounds, HistoryError, Reader, Writer
from console.model.build import Artifact, BuildRef, FilePart
from console.model.container import Container
from console.model.history import PastRun, Point
from console.model.log import Entry
from console.model.source import SourceState, SourceStatus
from console.sources.messenger import MessageError
from console.sources.protocols import Gpus, Machine
from console.text import Clean, clean
from tests.console.fake_jenkins import FakeJenkins, gone, job
from tests.console.fakes import FakeEngine
from tests.console.feeds import feedroom

BEGUN = 1_795_000_000.0
OFF = SourceStatus(SourceState.OFF, Clean("not here"))


def event(at: float, kind: str, **more: object) -> bytes:
    return json.dumps({"event": kind, "ts": BEGUN + at, **more}).encode()


def told(epochs: int, *, first: int = 1) -> list[bytes]:
    """Events of a training of ten epochs, as far as it has come."""
    config = {"epochs": 10, "optimizer": {"lr": 0.1, "name": "sgd"}, "api_token": "hush"}
    start = event(0, "start", project="project-a", commit="", epochs=10, steps=1000, device="cpu", config=config)
    lines = [
        event(10 * n, "epoch", epoch=n, epochs=10, step=100 * n, metrics={"train_loss": 1 / n, "val_acc": n / 10})
        for n in range(first, epochs + 1)
    ]
    return [start, *lines]


def entries(lines: Sequence[bytes], first: int = 0) -> list[Entry]:
    """A second apart, from so many seconds on."""
    return [(int((BEGUN + at) * 1e9), False, line + b"\n") for at, line in enumerate(lines, first)]


class KeepingJenkins(FakeJenkins):
    """Its builds keep files."""

    def __init__(self) -> None:
        super().__init__(job("train"))
        self.files: dict[tuple[BuildRef, str], bytes] = {}

    def keep(self, ref: BuildRef, **files: bytes) -> tuple[Artifact, ...]:
        """Under `run_json` for run.json."""
        for name, content in files.items():
            self.files[ref, name.replace("_", ".")] = content
        return tuple(Artifact(clean(name), clean(name)) for one, name in self.files if one == ref)

    async def artifact(self, ref: BuildRef, path: str) -> AsyncGenerator[FilePart]:
        await self._gate(f"artifact {ref} {path}")
        content = self.files.get((ref, path))
        if content is None:
            raise gone(f"file {path} of {ref}")
        for at in range(0, len(content), 1000):
            yield FilePart(content[at : at + 1000], len(content))


class EndingEngine(FakeEngine):
    """Its logs go on while their containers run, and end with them."""

    async def log(
        self, container: Container, *, tail: int | None, since: int | None = None, follow: bool = False
    ) -> AsyncGenerator[list[Entry]]:
        await self._gate(f"log {container.name} {tail}")
        told = 0
        while True:
            # A test adds to the list while a reader is still busy with what it was given.
            entries = list(self.logs.get(container.id, ()))
            yield [one for one in entries[told:] if since is None or one[0] >= since]
            told = len(entries)
            held = self.held.get(container.id)
            if not follow or held is None or not held.alive:
                return
            await asyncio.sleep(0.01)


class Way:
    """A way out that remembers what came, or refuses it."""

    def __init__(self, *, repeats: bool = True) -> None:
        self.repeats = repeats
        self.came: list[dict[str, Any]] = []
        self.refuses: MessageError | None = None
        self.hang: asyncio.Event | None = None
        self.begun = False

    @property
    def name(self) -> Clean:
        return Clean("way")

    async def send(self, message: Mapping[str, object], variables: Mapping[str, str]) -> None:
        self.begun = True
        if self.hang is not None:
            await self.hang.wait()
        if self.refuses is not None:
            raise self.refuses
        self.came.append(dict(message))

    async def aclose(self) -> None:
        return


@dataclass
class Room:
    """Everything around a recorder, which may be begun again and again. `seconds` are those of its clock that only grows."""

    path: Path
    engine: FakeEngine = field(default_factory=FakeEngine)
    jenkins: KeepingJenkins | SourceStatus = OFF
    gpus: Gpus | SourceStatus = OFF
    machine: Machine | SourceStatus = OFF
    folders: tuple[Path, ...] = ()
    wanted: Wanted = field(default_factory=Wanted)
    ways: list[Way] = field(default_factory=list)
    bounds: Bounds = field(default_factory=Bounds)
    said: list[str] = field(default_factory=list)
    seconds: float = 1000.0
    moment: datetime = field(default_factory=lambda: datetime.fromtimestamp(BEGUN + 60, UTC))

    def made(self) -> Recorder:
        store = Store(self.path, self.bounds, make=Writer)
        notices = Notices(
            self.wanted,
            self.ways,
            host=Clean("train-01"),
            note=store.note,
            noted=store.noted,
            tell=self.said.append,
            now=lambda: self.seconds,
            clock=lambda: self.moment,
        )
        return Recorder(
            Around(self.engine, self.jenkins, self.gpus, self.machine, self.folders),
            store,
            notices,
            tell=self.said.append,
            pace=Pace(0.01, 0.01, runs=6000, lines=Allowance(10**9)),
            now=lambda: self.seconds,
            clock=lambda: self.moment,
            rest=_soon,
        )

    async def once(self) -> bool:
        return await self.made().once()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.Task[None]]:
        """A recorder that looks all the time; ended in order."""
        async with feedroom.running(self.made()) as task:
            yield task

    def run(self, key: str) -> PastRun | None:
        reader = Reader(self.path)
        try:
            return reader.run(key)
        except HistoryError:
            return None
        finally:
            reader.close()

    def points(self, key: str) -> Mapping[Clean, tuple[Point, ...]]:
        reader = Reader(self.path)
        try:
            return reader.points(key)
        except HistoryError:
            return {}
        finally:
            reader.close()

    def heard(self, words: str) -> bool:
        return any(words in one for one in self.said)


async def _soon(_event: asyncio.Event, _seconds: float) -> None:
    await asyncio.sleep(0.01)
