"""Files of builds over real HTTP: saved whole under their own paths, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from console.demo.controller import Archive, Say
from console.feeds.download import WRITTEN_AT_ONCE, Saved, chosen, save_artifact
from console.model.build import Artifact
from console.model.jenkins import JenkinsError, Trouble
from console.sources.jenkins.source import JenkinsServer as Source
from console.sources.newfile import SaveError
from console.text import clean
from tests.console.feeds.jenkinslive import ref
from tests.support.jenkins.faults import Fault
from tests.support.jenkins.reaching import allow, source_at
from tests.support.jenkins.server import JenkinsServer
from tests.support.jenkins.world import World
from tests.support.waiting import until

LARGE = bytes(range(256)) * (3 * WRITTEN_AT_ONCE // 256) + b"end"
BUILD = ref("train")
NAMES = ("metrics.json", "out/a b/佐藤 100%?#.txt", "out/model.bin", "out/\u202egnp.exe", "out/x\x1b]0;y\x07.txt", "../../up")


@pytest.fixture
def world() -> World:
    world = World()
    allow(world.controller)
    world.start(Say("x"), *(Archive(path, LARGE if path.endswith("bin") else f"it is {path}".encode()) for path in NAMES))
    world.tick(20)
    return world


@pytest.fixture
def server(world: World) -> Iterator[JenkinsServer]:
    with JenkinsServer(world.controller) as server:
        yield server


@pytest.fixture
async def jenkins(server: JenkinsServer) -> AsyncIterator[Source]:
    async with source_at(server) as source:
        yield source


def left(folder: Path) -> list[str]:
    return sorted(str(one.relative_to(folder)) for one in folder.rglob("*"))


def plain(path: str) -> Artifact:
    return Artifact(clean(path.rpartition("/")[2]), clean(path))


async def refused(jenkins: Source, artifact: Artifact, folder: Path) -> str:
    with pytest.raises(SaveError) as raised:
        await save_artifact(jenkins, BUILD, artifact, folder)
    return str(raised.value)


async def test_files_are_saved_as_they_are(jenkins: Source, tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    files = (await jenkins.build(BUILD)).artifacts
    for artifact in chosen(files, ["metrics.json", "out/**/*.txt", "*.bin"]):
        if artifact.exact:
            saved = await save_artifact(
                jenkins, BUILD, artifact, tmp_path, progress=lambda done, size: told.append((done, size))
            )
            assert saved == Saved(tmp_path / artifact.path, (tmp_path / artifact.path).stat().st_size)
    assert (tmp_path / "out/model.bin").read_bytes() == LARGE
    assert (tmp_path / "out/a b/佐藤 100%?#.txt").read_text() == "it is out/a b/佐藤 100%?#.txt"
    assert left(tmp_path) == ["metrics.json", "out", "out/a b", "out/a b/佐藤 100%?#.txt", "out/model.bin"]
    assert told[-1] == (len(LARGE), len(LARGE))
    assert len(told) > 3


async def test_a_path_that_is_shown_otherwise_is_never_asked_for(
    server: JenkinsServer, jenkins: Source, tmp_path: Path
) -> None:
    """By the shown path Jenkins would give another file, if somebody has put one there."""
    hostile = [one for one in (await jenkins.build(BUILD)).artifacts if not one.exact]
    assert len(hostile) == 2
    server.forget()
    for one in hostile:
        assert "cannot be shown" in await refused(jenkins, one, tmp_path)
        assert "\x1b" not in one.path
    assert server.requests == []
    assert left(tmp_path) == []


async def test_a_path_that_leads_elsewhere_is_never_asked_for(server: JenkinsServer, jenkins: Source, tmp_path: Path) -> None:
    up = next(one for one in (await jenkins.build(BUILD)).artifacts if one.path.startswith(".."))
    server.forget()
    assert "leads out of the folder" in await refused(jenkins, up, tmp_path / "a/b/c")
    assert server.requests == []
    assert left(tmp_path) == []


async def test_what_is_there_is_not_fetched(server: JenkinsServer, jenkins: Source, tmp_path: Path) -> None:
    (tmp_path / "metrics.json").write_text("mine")
    assert "is there already" in await refused(jenkins, plain("metrics.json"), tmp_path)
    assert (tmp_path / "metrics.json").read_text() == "mine"
    assert server.requests == []


async def test_a_file_that_is_gone(jenkins: Source, tmp_path: Path) -> None:
    with pytest.raises(JenkinsError) as raised:
        await save_artifact(jenkins, BUILD, plain("out/gone.txt"), tmp_path)
    assert raised.value.trouble is Trouble.NOT_FOUND
    assert left(tmp_path) == []


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.RESET, Fault.OOPS, Fault.PROXY_502, Fault.PROXY_200])
async def test_half_a_file_is_none(server: JenkinsServer, jenkins: Source, tmp_path: Path, fault: Fault) -> None:
    server.fault(fault, match="/artifact/")
    with pytest.raises(JenkinsError) as raised:
        await save_artifact(jenkins, BUILD, plain("out/model.bin"), tmp_path)
    assert "<" not in raised.value.reason
    assert left(tmp_path) == []


async def test_a_log_in_page_is_not_saved_as_a_model(server: JenkinsServer, jenkins: Source, tmp_path: Path) -> None:
    server.name = "nginx"
    server.fault(Fault.PROXY_200, match="/artifact/")
    with pytest.raises(JenkinsError) as raised:
        await save_artifact(jenkins, BUILD, plain("out/model.bin"), tmp_path)
    assert raised.value.trouble is Trouble.NOT_JENKINS
    assert left(tmp_path) == []


async def test_one_that_is_given_up_leaves_nothing(server: JenkinsServer, jenkins: Source, tmp_path: Path) -> None:
    server.fault(Fault.HANG, seconds=60, match="/artifact/")
    saving = asyncio.create_task(save_artifact(jenkins, BUILD, plain("out/model.bin"), tmp_path))
    await until(lambda: server.in_flight and left(tmp_path))
    saving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await saving
    assert left(tmp_path) == []


async def test_one_that_is_announced_longer_than_it_is(tmp_path: Path) -> None:
    """Where nothing else notices: a server that closes instead of telling where the body ends."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nServer: Jetty(10)\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\nhalf")
        await writer.drain()
        writer.close()

    short = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with short:
        port = short.sockets[0].getsockname()[1]
        async with source_at(f"http://127.0.0.1:{port}/") as source:
            with pytest.raises(JenkinsError) as raised:
                await save_artifact(source, BUILD, plain("a"), tmp_path)
    assert raised.value.trouble is Trouble.UNREACHABLE
    assert left(tmp_path) == []


async def test_a_source_that_gives_less_than_it_said(jenkins: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last line of defence, should a source ever take a short answer for a whole one."""
    whole = jenkins.artifact

    async def short(*asked: object) -> AsyncIterator[object]:
        async for part in whole(*asked):  # type: ignore[arg-type]
            yield part
            return

    monkeypatch.setattr(jenkins, "artifact", short)
    reason = await refused(jenkins, plain("out/model.bin"), tmp_path)
    assert f"Jenkins announced {len(LARGE)} bytes of it and sent " in reason
    assert left(tmp_path) == []


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (["metrics.json"], ["metrics.json"]),
        (["*.json"], ["metrics.json", "out/b.json", "out/deep/c.json"]),
        (["out/*.json"], ["out/b.json"]),
        (["out/**/*.json"], ["out/b.json", "out/deep/c.json"]),
        (["out/**"], ["out/b.json", "out/deep/c.json", "out/[x].txt"]),
        (["./out/b.json", "out/b.json"], ["out/b.json"]),
        (["?.json"], ["out/b.json", "out/deep/c.json"]),
        (["*"], ["metrics.json", "out/b.json", "out/deep/c.json", "out/[x].txt"]),
        (["**"], ["metrics.json", "out/b.json", "out/deep/c.json", "out/[x].txt"]),
        (["[x].txt"], ["out/[x].txt"]),
        ([".*"], [".profile"]),
        ([".ssh/*"], [".ssh/authorized_keys"]),
        ([".ssh/authorized_keys"], [".ssh/authorized_keys"]),
        (["authorized_keys"], []),
        (["b"], []),
        ([".json"], []),
    ],
)
def test_patterns(patterns: list[str], expected: list[str]) -> None:
    names = ["metrics.json", "out/b.json", "out/deep/c.json", "out/[x].txt", ".profile", ".ssh/authorized_keys"]
    assert [one.path for one in chosen(map(plain, names), patterns)] == expected
