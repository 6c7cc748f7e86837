"""Copies whose stream is slow, breaks, or is given up: what is left on the disk, and who waits for whom."""

from __future__ import annotations

import asyncio
import io
import tarfile
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest

from console.actions.docker import copying
from console.actions.docker.copying import copy_to, pour_to
from console.model.source import SourceError, SourceState
from console.sources import unpacking
from console.sources._blocking import Pool
from console.sources.protocols import EngineActs
from console.sources.reach import Reach
from console.text import Clean
from tests.support.waiting import DEADLINE, until, until_sync

T = TypeVar("T")
Progress = Callable[[int, int | None], None]
BIG = 1 << 30


class Streams:
    """An Engine that sends these pieces, and then nothing more until `goes_on`; that is the end, or breaks off."""

    def __init__(self, *pieces: bytes, error: Exception | None = None) -> None:
        self.pieces = pieces
        self.error = error
        self.sent = 0
        self.goes_on = asyncio.Event()

    async def copy_out(self, _container: str, _path: str) -> AsyncGenerator[bytes]:
        for piece in self.pieces:
            self.sent += 1
            yield piece
        await self.goes_on.wait()
        if self.error is not None:
            raise self.error


def reach(acts: Streams) -> Reach:
    nobody: Any = None
    return Reach(nobody, nobody, cast("EngineActs", acts), nobody, nobody, nobody)


def header(name: str, size: int = 0, *, folder: bool = False) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o755
    info.type = tarfile.DIRTYPE if folder else tarfile.REGTYPE
    return info.tobuf(tarfile.USTAR_FORMAT)


def copy(acts: Streams, place: Path, progress: Progress) -> asyncio.Task[object]:
    return asyncio.create_task(copy_to(reach(acts), Clean("c"), "/x", place, overwrite=False, progress=progress))


def here(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def copiers() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name.startswith("copy-")]


class Held:
    """A disk that stands still at the first piece until it is let go."""

    def __init__(self) -> None:
        self.calls = 0
        self.reached, self.let_go = threading.Event(), threading.Event()

    def __call__(self, _done: int, _size: int | None) -> None:
        self.calls += 1
        self.reached.set()
        self.let_go.wait(DEADLINE)


async def test_called_off_while_nothing_comes(tmp_path: Path) -> None:
    some = threading.Event()
    made = copy(Streams(header("x", BIG) + bytes(5 << 20)), tmp_path / "x", lambda *_: some.set())
    await until(some.is_set, "the first piece")
    assert len(here(tmp_path)) == 1
    made.cancel()
    with pytest.raises(asyncio.CancelledError):
        await made
    assert here(tmp_path) == []
    await until(lambda: not copiers(), "the thread to end")


async def test_called_off_before_the_thread_has_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = asyncio.Event()

    class Late(Pool):
        async def run(self, call: Callable[[], T], deadline: float) -> T:
            await gate.wait()
            return await super().run(call, deadline)

    monkeypatch.setattr(copying, "Pool", Late)
    monkeypatch.setattr(copying, "_PATIENCE", 10 * DEADLINE)
    acts = Streams(header("x", BIG))
    made = copy(acts, tmp_path / "x", lambda *_: None)
    await until(lambda: acts.sent, "the stream")
    made.cancel()
    await asyncio.sleep(0)
    gate.set()
    await until(made.done, "the end")
    assert made.cancelled()
    assert here(tmp_path) == []


async def test_what_waits_already_is_not_written_any_more(tmp_path: Path) -> None:
    held = Held()
    acts = Streams(header("x", BIG), *[bytes(2 << 20)] * 20)
    made = copy(acts, tmp_path / "x", held)
    try:
        await until(held.reached.is_set, "the first piece")
        await until(lambda: acts.sent > 8, "pieces that wait")
        made.cancel()
        await asyncio.sleep(0)
        assert not made.done(), "it waits until the rest is removed"
    finally:
        held.let_go.set()
    with pytest.raises(asyncio.CancelledError):
        await made
    assert here(tmp_path) == []
    assert held.calls <= 2


async def test_called_off_twice_it_still_waits(tmp_path: Path) -> None:
    held = Held()
    made = copy(Streams(header("x", BIG) + bytes(5 << 20)), tmp_path / "x", held)
    try:
        await until(held.reached.is_set, "the first piece")
        for _ in range(3):
            made.cancel()
            for _ in range(20):
                await asyncio.sleep(0)
            assert not made.done()
    finally:
        held.let_go.set()
    with pytest.raises(asyncio.CancelledError):
        await made
    assert here(tmp_path) == []


async def test_a_disk_that_hangs_keeps_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "_PATIENCE", 0.02)
    held = Held()
    made = copy(Streams(header("x", BIG) + bytes(5 << 20)), tmp_path / "x", held)
    try:
        await until(held.reached.is_set, "the first piece")
        made.cancel()
        with pytest.raises(asyncio.CancelledError):
            await made
        assert len(here(tmp_path)) == 1, "the thread has not come back yet"
    finally:
        held.let_go.set()
    await until(lambda: not here(tmp_path), "the thread to remove it all the same")


def test_the_end_of_the_program_waits_for_it_too(tmp_path: Path) -> None:
    """The loop cancels all tasks when it ends, also the one that stands for the thread."""
    files = b"".join(header(f"x/f{number}") for number in range(3000))
    held = Held()

    async def main() -> None:
        made = copy(Streams(header("x", folder=True) + files + header("x/big", BIG) + bytes(5 << 20)), tmp_path / "x", held)
        await until(held.reached.is_set, "the first piece")
        asyncio.get_running_loop().call_soon(held.let_go.set)
        assert not made.done()

    asyncio.run(main())
    assert here(tmp_path) == []
    until_sync(lambda: not copiers(), "the thread to end")


async def test_what_the_thread_found_goes_before_what_broke_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()

    def unpack(*of: Any, **more: Any) -> Any:
        try:
            return unpacking.unpack(*of, **more)
        finally:
            ended.set()

    monkeypatch.setattr(copying, "unpack", unpack)
    acts = Streams(b"garbage" * 10_000, error=SourceError(SourceState.UNREACHABLE, Clean("cut")))
    made = copy(acts, tmp_path / "x", lambda *_: None)
    await until(ended.is_set, "the thread to give up")
    acts.goes_on.set()
    with pytest.raises(SourceError) as told:
        await made
    assert "no whole archive" in told.value.reason
    assert here(tmp_path) == []


async def test_what_broke_is_told_where_the_thread_found_nothing(tmp_path: Path) -> None:
    acts = Streams(header("x", BIG), error=SourceError(SourceState.UNREACHABLE, Clean("cut")))
    acts.goes_on.set()
    with pytest.raises(SourceError) as told:
        await copy(acts, tmp_path / "x", lambda *_: None)
    assert told.value.reason == "cut"
    assert here(tmp_path) == []


@pytest.mark.parametrize("poured", [False, True])
async def test_a_first_header_that_makes_no_sense(tmp_path: Path, poured: bool) -> None:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("a")
        info.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "z"}
        archive.addfile(info)
    acts = Streams(data.getvalue())
    acts.goes_on.set()
    copied: Awaitable[object]
    if poured:
        copied = pour_to(reach(acts), Clean("c"), "/x", bytearray().extend)
    else:
        copied = copy(acts, tmp_path / "x", lambda *_: None)
    with pytest.raises(SourceError) as told:
        await copied
    assert "no whole archive: a header in it makes no sense" in told.value.reason
    assert here(tmp_path) == []
