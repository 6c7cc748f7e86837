"""What nobody saw of a run, read from what it left: the files that its build keeps, or its run folder.

The same twice changes nothing in the history (docs/history.md). So much is read a minute and no more: whoever begins on a
server with a hundred old builds must not feel it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from console.feeds.record_facts import of_folder
from console.feeds.record_logs import Log
from console.model.build import Artifact, Build
from console.model.history import NANO, PastRun, Point
from console.model.jenkins import JenkinsError, Trouble
from console.model.times import nanoseconds
from console.runs.facts import Said
from console.sources import runfolders
from console.sources._blocking import Pool
from console.sources.protocols import Jenkins
from console.sources.runfolders import Left
from console.text import Clean

LINES_A_MINUTE = 30_000
MOST_BYTES = 64 * 1024 * 1024
"""Of one file; what lies beyond is left out."""

_LONGEST_LINE = 256 * 1024
_JSON_BYTES = 256 * 1024
_AT_ONCE = 400
_GIVEN = 2000
_DISK_SECONDS = 30.0

Give = Callable[[PastRun | None, Mapping[Clean, tuple[Point, ...]]], Awaitable[None]]
"""Takes points of a run, some thousands at a time, with what is known of the run by then."""

KEPT = frozenset({"run.json", "events.jsonl", "train.log", "published.json"})
"""Files of a build that are read."""

Steps = Callable[[str], Awaitable[Mapping[Clean, frozenset[int]]]]


@dataclass(slots=True)
class Found:
    """What a run left. `run` is None where it does not say which run it is; `cut` that a file was longer than is read, `count`
    how many points were given away."""

    give: Give
    run: PastRun | None = None
    log: Log = field(default_factory=Log)
    cut: bool = False
    count: int = 0

    async def flush(self, least: int = 1) -> None:
        """Give away what came, if it is so much."""
        if self.log.points.count >= least:
            self.count += self.log.points.count
            await self.give(self.run, self.log.points.drain())


@dataclass(frozen=True, slots=True)
class _Text:
    """The bytes of a file as they come, and how many there are (None: not told)."""

    pieces: AsyncGenerator[bytes]
    size: int | None


class Allowance:
    """So many a minute: `spend` waits until there are enough. `now` are seconds that only grow."""

    def __init__(
        self,
        a_minute: int,
        now: Callable[[], float] = time.monotonic,
        rest: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._rate = a_minute / 60
        self._most = a_minute / 6
        self._left = self._most
        self._time = now
        self._rest = rest
        self._at = now()

    async def spend(self, count: int) -> None:
        now = self._time()
        self._left = min(self._most, self._left + (now - self._at) * self._rate) - count
        self._at = now
        if self._left < 0:
            await self._rest(-self._left / self._rate)


class Filler:
    """Reads what runs left. `steps` tells which steps of a run the history has."""

    def __init__(self, jenkins: Jenkins | None, steps: Steps, *, allowance: Allowance | None = None) -> None:
        self._jenkins = jenkins
        self._steps = steps
        self._allowance = allowance or Allowance(LINES_A_MINUTE)
        self._disk = Pool("runfolders", 1)

    async def build(self, build: Build, give: Give, *, curves: bool) -> Found:
        """What a build keeps; without `curves` only what it is.

        Raises JenkinsError where it may be had another time, and what `give` raises.
        """
        assert self._jenkins is not None  # noqa: S101 - it told of the build
        names = {one.name: one for one in build.artifacts if one.exact}
        record = await self._object(build, names.get(Clean("run.json")))
        told = await self._object(build, names.get(Clean("published.json")))
        found = Found(give)
        found.run = of_folder(record or {}, None, told, Said(), ends=False)
        events, text = names.get(Clean("events.jsonl")), names.get(Clean("train.log"))
        if events is not None and curves:
            await self._events(self._pieces(build, events), found)
        if text is not None and curves and not found.count:
            await self._log(await self._sized(build, text), found, str(build.ref), build.started, build.ended)
        found.run = of_folder(record or {}, None, told, found.log.said, ends=False)
        return found

    async def named(self, left: Left) -> PastRun | None:
        """Which run a folder is of; None where it is of none."""
        return of_folder(await self._read(left.path / "run.json") or {}, None, None, Said(), ends=False)

    async def folder(self, left: Left, give: Give, *, ends: bool) -> Found:
        """What a run folder holds; with `ends` also how the run ended. What cannot be read of it is left out.

        Raises what `give` raises.
        """
        record = await self._read(left.path / "run.json")
        result = await self._read(left.path / "result.json")
        told = await self._read(left.path / "published.json")
        found = Found(give)
        at = datetime.fromtimestamp(int(left.mark) / 1e9, UTC)
        found.run = of_folder(record or {}, None, told, Said(), ends=False)
        file = await self._open(left.path / "out" / "events.jsonl")
        if file is not None:
            await self._events(self._of_file(file), found)
        first = of_folder(record or {}, result, told, found.log.said, ends=ends, at=at)
        if first is not None and not found.count:
            log = await self._open(left.path / "train.log")
            if log is not None:
                await self._log(_Text(self._of_file(log), log.size), found, first.key, None, None)
        found.run = of_folder(record or {}, result, told, found.log.said, ends=ends, at=at)
        return found

    async def left(self, places: tuple[Path, ...]) -> list[Left]:
        """Run folders of trainings that have ended, the newest first."""
        try:
            return await self._disk.run(lambda: runfolders.finished(places), _DISK_SECONDS)
        except TimeoutError:
            return []

    def close(self) -> None:
        self._disk.close()

    # Lines

    async def _events(self, pieces: AsyncGenerator[bytes], found: Found) -> None:
        """Events bear their times; the one that is given here only spreads them, so that none is taken for a flood."""
        begin = time.time_ns()
        number = 0
        async with aclosing(self._parts(pieces, found)) as parts:
            async for part in parts:
                entries = []
                for raw in part:
                    number += 1
                    found.log.said.line(raw)
                    if raw[:1] == b"{":
                        entries.append((begin + number * NANO // 1000, False, raw + b"\n"))
                found.log.read(found.log.reader.entries(entries))
                await found.flush(_GIVEN)
        await found.flush()

    async def _log(self, text: _Text, found: Found, key: str, begin: datetime | None, end: datetime | None) -> None:
        """A log without times: its lines are spread evenly over the run. Steps that are known already are left out, for their
        times would be others."""
        said = found.log.said
        first = nanoseconds(begin) if begin is not None else said.begun or 0
        last = max(first, nanoseconds(end) if end is not None else said.over or first)
        if not first:
            async with aclosing(text.pieces):
                return  # nobody knows when that was
        known = await self._steps(key)
        log = Log()
        done = 0
        async with aclosing(self._parts(text.pieces, found)) as parts:
            async for part in parts:
                entries = []
                for raw in part:
                    part_done = min(1.0, done / text.size) if text.size else 0.0
                    entries.append((first + int((last - first) * part_done), False, raw + b"\n"))
                    done += len(raw) + 1
                    log.said.line(raw)
                log.read(log.reader.entries(entries))
                await _pass_on(log, known, found, _GIVEN)
        log.read(log.reader.end(last))
        await _pass_on(log, known, found, 1)
        if said.begun is None:
            found.log.said = log.said

    async def _parts(self, pieces: AsyncGenerator[bytes], found: Found) -> AsyncGenerator[list[bytes]]:
        """Some lines at a time, as many as may be read now; the others get their turn in between."""
        async with aclosing(pieces), aclosing(_lines(pieces, found)) as several:
            async for lines in several:
                for at in range(0, len(lines), _AT_ONCE):
                    part = lines[at : at + _AT_ONCE]
                    await self._allowance.spend(len(part))
                    yield part
                    await asyncio.sleep(0)

    # Files

    async def _object(self, build: Build, artifact: Artifact | None) -> dict[str, Any] | None:
        if artifact is None:
            return None
        raw = bytearray()
        async with aclosing(self._pieces(build, artifact)) as pieces:
            async for piece in pieces:
                raw += piece
                if len(raw) > _JSON_BYTES:
                    return None
        return runfolders.as_object(bytes(raw))

    async def _pieces(self, build: Build, artifact: Artifact) -> AsyncGenerator[bytes]:
        """A file that is gone meanwhile is an empty one."""
        assert self._jenkins is not None  # noqa: S101 - as in `build`
        try:
            async with aclosing(self._jenkins.artifact(build.ref, artifact.path)) as parts:
                async for part in parts:
                    yield part.data
        except JenkinsError as error:
            if error.trouble is not Trouble.NOT_FOUND:
                raise

    async def _sized(self, build: Build, artifact: Artifact) -> _Text:
        """How long it is comes with its first part."""
        assert self._jenkins is not None  # noqa: S101 - as in `build`
        parts = self._jenkins.artifact(build.ref, artifact.path)
        first = b""
        size: int | None = None
        try:
            async for part in parts:
                first, size = part.data, part.size
                break
        except JenkinsError as error:
            await parts.aclose()
            if error.trouble is not Trouble.NOT_FOUND:
                raise

        async def pieces() -> AsyncGenerator[bytes]:
            async with aclosing(parts):
                yield first
                async for part in parts:
                    yield part.data

        return _Text(pieces(), size)

    async def _read(self, path: Path) -> dict[str, Any] | None:
        try:
            return await self._disk.run(lambda: runfolders.read_json(path), _DISK_SECONDS)
        except TimeoutError:
            return None

    async def _open(self, path: Path) -> runfolders.File | None:
        try:
            return await self._disk.run(lambda: runfolders.open_file(path), _DISK_SECONDS)
        except TimeoutError:
            return None

    async def _of_file(self, file: runfolders.File) -> AsyncGenerator[bytes]:
        try:
            while piece := await self._disk.run(file.piece, _DISK_SECONDS):
                yield piece
        except (OSError, TimeoutError):
            return
        finally:
            file.close()


async def _pass_on(log: Log, known: Mapping[Clean, frozenset[int]], found: Found, least: int) -> None:
    """What is new of a log without times."""
    if log.points.count < least:
        return
    for name, points in log.points.drain().items():
        for point in points:
            if not known or (point.step is not None and point.step not in known.get(name, frozenset())):
                found.log.points.put(name, point)
    await found.flush()


async def _lines(pieces: AsyncGenerator[bytes], found: Found) -> AsyncGenerator[list[bytes]]:
    """Whole lines; what is longer than any line that says something is left out."""
    rest, done = b"", 0
    async for piece in pieces:
        done += len(piece)
        *lines, rest = (rest + piece).split(b"\n")
        yield [line for line in lines if len(line) <= _LONGEST_LINE]
        if len(rest) > _LONGEST_LINE:
            rest = rest[: _LONGEST_LINE + 1]
        if done > MOST_BYTES:
            found.cut = True
            return
    if rest:
        yield [rest]
