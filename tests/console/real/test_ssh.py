"""An Engine behind a real sshd, through the person's own ssh."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.model.source import SourceError
from console.sources.docker_engine import DockerEngine, parse_address
from tests.support import scratch
from tests.support.engine import Engine
from tests.support.waiting import until_sync

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/sbin") or ""


@pytest.fixture
def ssh_port(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A sshd of our own on the loopback, whose other side sees the private Engine; ssh on PATH knows its key."""
    if not SSHD or os.geteuid() != 0:
        pytest.skip("no sshd can be started here")
    with scratch.folder("ssh") as folder:
        for name in ("host", "user"):
            key = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
            subprocess.run(key, check=True, timeout=60)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        # sshd wants this folder whatever its configuration says.
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        (folder / "config").write_text(
            f"ListenAddress 127.0.0.1\nPort {port}\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/user.pub\n"
            f"StrictModes no\nPasswordAuthentication no\nUsePAM no\nPermitRootLogin yes\nPidFile none\n"
            f"SetEnv DOCKER_HOST={engine.host} PATH={os.environ['PATH']}\n"
        )
        (folder / "ssh").write_text(
            f"#!/bin/sh\nexec {shutil.which('ssh')} -F /dev/null -i {folder}/user -o IdentitiesOnly=yes "
            f'-o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no -o LogLevel=ERROR "$@"\n'
        )
        (folder / "ssh").chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
        server = subprocess.Popen([SSHD, "-D", "-e", "-f", str(folder / "config")], stderr=subprocess.DEVNULL)
        try:
            until_sync(lambda: _answers(port), "sshd to listen")
            yield port
        finally:
            server.terminate()
            server.wait(timeout=20)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


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
