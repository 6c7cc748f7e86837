"""An Engine behind a real sshd, through the person's own ssh."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.model.source import SourceError
from console.sources.docker_engine import DockerEngine, parse_address
from tests.support import sshd
from tests.support.engine import Engine


@pytest.fixture
def ssh_port(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The port of a sshd whose other side sees the private Engine; ssh on PATH knows its key."""
    if not sshd.can_run():
        pytest.skip(sshd.NO_SSHD)
    with sshd.running({"DOCKER_HOST": engine.host, "PATH": os.environ["PATH"]}) as server:
        sshd.ssh_program(tmp_path, server)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        yield server.port


async def test_reads_and_streams_go_through_ssh(engine: Engine, ssh_port: int) -> None:
    docker = DockerEngine(parse_address(f"ssh://{getpass.getuser()}@127.0.0.1:{ssh_port}"), timeout=20.0)
    try:
        assert (await docker.engine()).version
        held = await docker.containers()
        assert {one.id for one in held} == set(engine.docker("ps", "-aq", "--no-trunc").split())
        name = f"far-{os.getpid()}"
        engine.docker("create", "--network=none", "--name", name, "busybox:test")
        engine.docker("rm", name)
        async for event in docker.events(since_nano=0):
            if event.name == name and event.action == "destroy":
                break
    finally:
        await docker.aclose()


async def test_a_stranger_is_told_what_ssh_said(ssh_port: int) -> None:
    docker = DockerEngine(parse_address(f"ssh://nobody@127.0.0.1:{ssh_port}"), timeout=20.0)
    try:
        with pytest.raises(SourceError, match="Permission denied"):
            await docker.engine()
    finally:
        await docker.aclose()
