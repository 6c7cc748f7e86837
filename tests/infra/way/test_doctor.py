"""The doctor on the real way in: nginx at both ends, frps and frpc, each part broken in turn, found, and nobody else blamed."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console.demo import demo_gpus, demo_instruments, demo_machine, demo_reach
from console.doctor import gate, public, tunnel
from console.doctor.findings import Finding, HopState, good
from console.doctor.hops import hop
from console.doctor.instruments import DockerSide, Instruments
from console.doctor.visit import Visit
from console.doctor.walk import walk
from console.model.container import Container, Health, Mount, Probe, Ran, Variable
from console.model.service import ComposeProject, Declared
from console.settings import Overrides, load
from console.sources._process import Children
from console.sources.ownfiles import OwnFiles
from console.sources.web import Web
from console.text import Clean, clean
from tests.console.fakes import FakeCompose, FakeEngine, container, inspection
from tests.support.waiting import until_sync
from tests.support.way import DOMAIN, Way

HOPS = ("gate", "tunnel", "public")


class Inside:
    """Runs commands in the gate's container, which here is a machine of its own: see `sources.protocols.EngineActs`."""

    def __init__(self, way: Way) -> None:
        self._way = way

    async def run_inside(
        self, container: str, command: Sequence[str], *, user: str = "", environment: Mapping[str, str] | None = None,
        limit: float = 30.0,
    ) -> Ran:  # fmt: skip
        there = self._way.home.command(*command)
        done = await Children().run(there, env=os.environ, cwd=Path("/"), deadline=limit)
        return Ran(done.status, clean(done.out, lines=True), clean(done.err, lines=True), done.cut)

    async def aclose(self) -> None:
        """Nothing is open."""


def probe(way: Way) -> tuple[int, str]:
    """Status and sentence of the client's own probe, the product's, where the client is."""
    busybox = shutil.which("busybox")
    assert busybox is not None
    # Of /tmp it has one of its own.
    with_nc = way.client.program.folder / "nc"
    if not with_nc.exists():
        with_nc.symlink_to(busybox)
    process = way.client.program._process
    assert process is not None
    inside = ["nsenter", f"--target={process.pid}", "--mount", "--net", "--", "/bin/sh", "/run/way/etc/healthy"]
    env = {**os.environ, **way.client.program.env, "PATH": f"/run/way:{os.environ['PATH']}"}
    done = subprocess.run(inside, env=env, capture_output=True, text=True, timeout=30, check=False)
    return done.returncode, done.stdout


class Stage:
    """What Docker would tell of the two services, and of Jenkins, which has the signature's key as a secret."""

    def __init__(self, way: Way, folder: Path) -> None:
        self.way = way
        self.folder = folder
        self.key = folder / "webhook-hmac"
        self.key.write_text(f"{way.hmac}\n")

    def containers(self) -> tuple[Container, ...]:
        now = datetime.now(UTC)
        status, said = probe(self.way)
        env = [Variable(clean(name), clean(value)) for name, value in self.way.client.program.env.items()]
        asked = Probe(now - timedelta(seconds=1), now, status, clean(said, lines=True))
        told = inspection(environment=tuple(env), probes=(asked,), started_at=now - timedelta(hours=1))
        mount = Mount(Clean("bind"), clean(str(self.key)), Clean("/run/secrets/webhook-hmac"), True)
        return (
            container("frp", service="frp_client", details=told, health=Health.UNHEALTHY if status else Health.HEALTHY),
            container("gate", service="gate"),
            replace(container("jenkins", service="jenkins"), mounts=(mount,)),
        )

    def tools(self) -> Instruments:
        loaded = load(argv=Overrides(), env={"HOME": str(self.folder)}, cwd=self.folder, etc=self.folder / "etc.toml")
        whole = demo_instruments(loaded, Clean("here"), demo_reach(), demo_gpus(), demo_machine())
        assert isinstance(whole.docker, DockerSide)
        names = ("frp_client", "gate", "jenkins")
        declared = tuple(Declared(Clean(name), Clean("busybox:1"), 1, Clean("")) for name in names)
        compose = FakeCompose(ComposeProject(Clean("mlops"), Clean("/x.yaml"), declared))
        hands = Inside(self.way)
        docker = DockerSide(FakeEngine(*self.containers()), whole.docker.daemon, compose, hands, None)  # type: ignore[arg-type]  # one of its methods is used
        return replace(whole, docker=docker, files=OwnFiles(), web=Web(), demo=False)

    def examined(self) -> Mapping[str, Finding]:
        """Gate, tunnel and public way, from where a sender is."""

        async def fine(visit: Visit) -> Finding:
            return good("")

        looks = dict.fromkeys(("settings", "docker", "secrets", "jenkins"), fine)
        hops = [hop(name) for name in (*looks, *HOPS)]

        async def go() -> Mapping[str, Finding]:
            tools = self.tools()
            try:
                real = {"gate": gate.look, "tunnel": tunnel.look, "public": public.look}
                return (await walk(tools, hops=hops, looks={**looks, **real})).found
            finally:
                await tools.web.aclose()
                await tools.files.aclose()

        found: Mapping[str, Finding] = self.way.from_world(lambda: asyncio.run(go()))
        return {name: found[name] for name in HOPS}


@pytest.fixture
def stage(way: Way, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setenv("SSL_CERT_FILE", str(way.folder / "front.pem"))
    for name in [*os.environ]:
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    return Stage(way, tmp_path)


def broken(found: Mapping[str, Finding]) -> list[str]:
    return [name for name, one in found.items() if one.state in (HopState.BROKEN, HopState.WARNING)]


def test_a_way_that_is_open(stage: Stage) -> None:
    found = stage.examined()
    assert broken(found) == [], found
    assert found["gate"].seen == "refuses an unsigned request on its one path, 404 elsewhere"
    assert found["tunnel"].seen.startswith(f"{stage.way.client.program.env['FRP_SERVER_ADDR']}: logged in for ")
    assert found["public"].seen.startswith(f"{DOMAIN} refuses an unsigned request in ")
    assert found["public"].seen.endswith("and takes a signed one, which starts nothing")
    assert stage.way.jenkins.trigger.leave_queue() == []
    assert stage.way.hmac not in str(found)


@contextmanager
def stopped(way: Way, stop: Callable[[], None], start: Callable[[], None]) -> Iterator[None]:
    stop()
    try:
        yield
    finally:
        start()
        way.until_open()


def test_frps_that_is_gone(stage: Stage) -> None:
    way = stage.way
    with stopped(way, way.frps.stop, way.frps.start):
        until_sync(lambda: way.client.word == "{}", "frpc to have noticed")
        found = stage.examined()
    assert broken(found) == ["tunnel"], found
    assert "no connection to frps" in found["tunnel"].seen
    assert found["public"].because == "tunnel"


def test_a_gate_that_is_gone(stage: Stage) -> None:
    way = stage.way
    with stopped(way, way.gate.stop, way.gate.start):
        found = stage.examined()
    assert broken(found) == ["gate"], found
    assert found["gate"].seen == "nginx does not answer in its container"
    assert found["public"].because == "gate"


def test_a_front_that_is_gone(stage: Stage) -> None:
    way = stage.way
    with stopped(way, way.front.stop, way.front.start):
        found = stage.examined()
    assert broken(found) == ["public"], found
    assert found["public"].seen == f"{DOMAIN}: connection refused"


def test_jenkins_that_is_gone(stage: Stage) -> None:
    """From here it is there: then the gate's network is what differs."""
    way = stage.way
    with stopped(way, way.jenkins.stop, way.jenkins.start):
        found = stage.examined()
    assert broken(found) == ["gate"], found
    assert "it answers, and does not reach Jenkins (50" in found["gate"].seen


def test_a_key_that_is_not_jenkins(stage: Stage) -> None:
    stage.key.write_text("0" * 64)
    found = stage.examined()
    assert broken(found) == ["public"], found
    assert "refuses a request that is signed" in found["public"].seen


def test_a_token_that_is_not_jenkins(stage: Stage) -> None:
    """Without a signature nobody gets as far as the token: only the signed request tells."""
    trigger = stage.way.jenkins.trigger
    was, trigger._token = trigger._token, "0" * 64
    try:
        found = stage.examined()
    finally:
        trigger._token = was
    assert broken(found) == ["public"], found
    assert "Jenkins knows no job" in found["public"].seen


def test_a_certificate_that_nobody_trusts(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    found = stage.examined()
    assert broken(found) == ["public"], found
    assert found["public"].seen == f"{DOMAIN}: its certificate is not trusted here"
