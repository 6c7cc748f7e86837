"""What is free where a real Engine keeps everything, and what its runs keep in its volumes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.model.kept import KeptKind
from console.model.source import SourceError, SourceState
from console.sources.docker_engine import Endpoint, parse_address
from console.sources.docker_engine.source import DockerEngine
from console.sources.docker_engine.space import SpaceReader
from console.sources.keptfolders import KeptFolders
from console.text import Clean, clean
from tests.support import relay
from tests.support.engine import Engine
from tests.support.images import BUSYBOX

FILL = (
    "mkdir -p /w/runs/train-7/out/checkpoint /w/workspace/train; cd /w/runs/train-7;"
    """echo '{"project": "project-a", "job": "train", "build": 7}' > run.json; echo '{"status": "failed"}' > result.json;"""
    "echo epoch-1 > out/checkpoint/latest; dd if=/dev/zero of=out/checkpoint/w bs=1000 count=9 2>/dev/null"
)


@pytest.fixture
def work(engine: Engine) -> Iterator[str]:
    name = f"p{os.getpid()}_agent-work"
    engine.docker("volume", "create", "--label", "com.docker.compose.volume=agent-work", name)
    engine.docker("run", "--rm", "--network=none", "-v", f"{name}:/w", BUSYBOX, "sh", "-c", FILL)
    yield name
    engine.docker("volume", "rm", name)


async def test_a_local_engine(engine: Engine, work: str) -> None:
    docker = DockerEngine(Endpoint("unix", path=engine.socket))
    folders = KeptFolders(local=True, own=None)
    try:
        use = await docker.disk()
        told = os.statvfs(engine.folder / "d")
        assert use.space is not None
        assert (use.space.path, use.space.total) == (str(engine.folder / "d"), told.f_blocks * told.f_frsize)
        assert (use.space.inodes, use.no_space) == (told.f_files or None, None)
        volume = next(one for one in use.volumes if one.name == work)
        assert volume.path == str(engine.folder / "d" / "volumes" / work / "_data")
        found = {one.kind: one for one in await folders.kept(use, await docker.containers()) if one.place == work}
        checkpoints = found[KeptKind.CHECKPOINTS]
        assert (checkpoints.name, checkpoints.project, checkpoints.bytes) == ("train #7", "project-a", 9000 + 8)
        assert checkpoints.resumable
        assert found[KeptKind.WORKSPACE].bytes == 0
    finally:
        await docker.aclose()
        await folders.aclose()


async def test_an_engine_elsewhere(engine: Engine, work: str) -> None:
    with relay.tcp_to_unix(engine.socket) as port:
        docker = DockerEngine(parse_address(f"tcp://127.0.0.1:{port}"))
        folders = KeptFolders(local=False, own=None)
        try:
            use = await docker.disk()
            assert use.space is None
            assert str(use.no_space).startswith("not available from here. Use --host")
            (found,) = [one for one in await folders.kept(use, ()) if one.place == work]
            assert (found.kind, found.note) == (KeptKind.ALL, "not readable from here")
            assert found.bytes is not None
        finally:
            await docker.aclose()
            await folders.aclose()


@pytest.mark.parametrize(
    ("root", "why"),
    [
        ("/no/such/folder", "not available: /no/such/folder is not on this machine"),
        ("/proc", "not available: /proc is not on this machine"),
        (None, "not available: Docker does not tell its folder."),
        (SourceError(SourceState.UNREACHABLE, clean("Gone.")), "Gone."),
    ],
)
async def test_a_folder_that_cannot_be_looked_at(root: str | SourceError | None, why: str) -> None:
    async def tell() -> Clean | None:
        if isinstance(root, SourceError):
            raise root
        return clean(root) if root is not None else None

    reader = SpaceReader(Endpoint("unix", path=Path("/nowhere")), tell)
    space, told = await reader.read()
    reader.close()
    assert space is None
    assert str(told).startswith(why)
