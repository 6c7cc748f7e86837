"""Files copied out of containers of a real Engine, as they come."""

from __future__ import annotations

import io
import tarfile
import threading
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from console.model.source import NotThereError, SourceError
from console.sources.docker_acts import DockerActs
from console.sources.docker_engine import Endpoint
from tests.console.sources.docker_acts.conftest import Run
from tests.support.engine import Engine
from tests.support.images import BUSYBOX
from tests.support.waiting import until

BIG = "dd if=/dev/zero of=/big bs=1M count=96 2>/dev/null; touch /ready; exec sleep 1000"


async def contents(acts: DockerActs, container: str, path: str) -> dict[str, bytes | None]:
    """What is in the archive: files, and None for folders."""
    data = b"".join([piece async for piece in acts.copy_out(container, path)])
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        files = {one.name: archive.extractfile(one) for one in archive}
        return {name: file.read() if file else None for name, file in files.items()}


def readers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("docker-acts")]


async def rest(pieces: AsyncGenerator[bytes]) -> None:
    async for piece in pieces:
        assert piece


async def filled(engine: Engine, run: Run) -> str:
    container = run(BIG)
    path = f"/containers/{container}/archive?path=/ready"
    await until(lambda: engine.request("GET", path, b"", "text/plain")[0] == 200, "the file to be there")
    return container


async def test_files_and_folders_of_running_and_stopped_ones(acted_on: Engine, acts: DockerActs, run: Run) -> None:
    container = run("mkdir -p /a/b; printf hello > '/a/b/with space é'; touch /a/done; exec sleep 1000")
    path = f"/containers/{container}/archive?path=/a/done"
    await until(lambda: acted_on.request("GET", path, b"", "text/plain")[0] == 200, "the files to be there")
    for running in (True, False):
        assert acted_on.inspect(container)["State"]["Running"] is running
        assert await contents(acts, container, "/a/b/with space é") == {"with space é": b"hello"}
        assert await contents(acts, container, "/a") == {"a": None, "a/b": None, "a/b/with space é": b"hello", "a/done": b""}
        if running:
            acted_on.docker("kill", container)
            acted_on.docker("wait", container)


async def test_what_is_not_there(acts: DockerActs, run: Run) -> None:
    container = run()
    with pytest.raises(NotThereError, match="Could not find the file /no/such in container"):
        await contents(acts, container, "/no/such")
    with pytest.raises(NotThereError, match="No such container"):
        await contents(acts, "f" * 64, "/etc")
    with pytest.raises(SourceError, match="No container is called"):
        await contents(acts, "..", "/etc")


async def test_a_large_file_waits_for_whoever_reads_it(acted_on: Engine, acts: DockerActs, run: Run) -> None:
    container = await filled(acted_on, run)
    size = 0
    async for piece in acts.copy_out(container, "/big"):
        size += len(piece)
        assert len(piece) <= 2 << 20
    assert size >= 96 << 20


async def test_closing_it_ends_the_reading(acted_on: Engine, run: Run) -> None:
    container = await filled(acted_on, run)
    own = DockerActs(Endpoint("unix", path=acted_on.socket))
    async with aclosing(own.copy_out(container, "/big")) as pieces:
        async for piece in pieces:
            assert piece
            break
    assert not own._calls
    await own.aclose()
    await until(lambda: not readers(), "the reading thread to end")


async def test_an_engine_that_goes_away_breaks_it_off(own_engine: Engine) -> None:
    container = own_engine.docker("run", "-d", "--network=none", BUSYBOX, "sh", "-c", BIG).strip()
    path = f"/containers/{container}/archive?path=/ready"
    await until(lambda: own_engine.request("GET", path, b"", "text/plain")[0] == 200, "the file to be there")
    acts = DockerActs(Endpoint("unix", path=own_engine.socket))
    try:
        pieces = acts.copy_out(container, "/big")
        assert await anext(pieces)
        own_engine.kill()
        with pytest.raises(SourceError) as caught:
            await rest(pieces)
        assert caught.value.reason.endswith("has closed the connection: it was stopped or is being restarted.")
        assert not caught.value.unsure
    finally:
        await acts.aclose()
