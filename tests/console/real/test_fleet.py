"""A real Compose project with a service in every state, as the console tells of it."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import jsonschema
import pytest

from console.feeds.once import gather
from console.model.container import Container
from console.model.service import Service
from console.model.source import SourceState
from console.model.world import World
from console.sources.compose import ComposeCli
from console.sources.docker_engine import DockerEngine, parse_address
from console.sources.machine import LocalMachine
from console.text import clean
from tests.console.real.program import ROOT, answer, environment
from tests.support.composefleet import PROBE_OUTPUT, Fleet
from tests.support.engine import Engine
from tests.support.waiting import DEADLINE, until, until_sync

SCHEMAS = ROOT / "docs" / "schemas"


async def read_world(fleet: Fleet, home: Path) -> World:
    docker = DockerEngine(parse_address(fleet.engine.host))
    env = environment(fleet.engine, home)
    compose = ComposeCli(file=fleet.file, project=None, profiles=(), engine=docker, env=env, root=home)
    try:
        return await gather(docker, compose, host=clean("h"), demo=False)
    finally:
        await docker.aclose()
        await compose.aclose()


async def test_the_engine_tells_the_folder_that_it_keeps_everything_in(engine: Engine) -> None:
    docker = DockerEngine(parse_address(engine.host))
    try:
        root = await docker.root()
        assert root is not None
        assert Path(root).is_relative_to(engine.folder)
        machine = LocalMachine({})
        (disk,) = (await machine.read({"docker": root})).disks
        await machine.aclose()
        assert (disk.what, disk.path) == ("docker", root)
    finally:
        await docker.aclose()


async def test_every_state_has_its_word(fleet: Fleet, tmp_path: Path) -> None:
    found: dict[str, str] = {}

    async def settled() -> bool:
        world = await read_world(fleet, tmp_path)
        found.clear()
        found.update({service.name: service.state.word for service in world.services})
        return all(found.get(name) == word for name, word in fleet.expected.items())

    for _ in range(100):
        if await settled():
            break
    assert {name: found.get(name) for name in fleet.expected} == dict(fleet.expected)


async def test_causes_and_drift_are_told(fleet: Fleet, tmp_path: Path) -> None:
    world = await read_world(fleet, tmp_path)
    services: dict[str, Service] = {service.name: service for service in world.services}
    assert PROBE_OUTPUT.endswith("connection refused")
    assert services["unhealthy"].why.startswith("connection refused")
    assert services["unhealthy"].since is not None
    assert services["missing"].why == "declared, but there is no container"
    assert services["drifted-config"].why == "configuration differs from the file"
    assert services["drifted-image"].why.startswith("a newer image of ")
    assert services["healthy"].drift.value == "none"
    assert world.sources["compose"].state is SourceState.OK
    if fleet.engine.limits_memory:
        assert services["killed"].why.startswith("out of memory, limit ")


@pytest.mark.parametrize("command", ["status", "services", "containers"])
def test_commands_answer_with_what_their_schema_promises(fleet: Fleet, tmp_path: Path, command: str) -> None:
    env = environment(fleet.engine, tmp_path, MLOPS_COMPOSE_FILE=str(fleet.file))
    status, document = answer(env, command)
    schema = json.loads((SCHEMAS / f"{command}.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(document)
    assert document["items"]
    assert status == (0 if command == "containers" else 1)


def test_asking_about_one_healthy_service_is_good(fleet: Fleet, tmp_path: Path) -> None:
    env = environment(fleet.engine, tmp_path, MLOPS_COMPOSE_FILE=str(fleet.file))
    assert answer(env, "services", "healthy")[0] == 0
    assert answer(env, "services", "unhealthy")[0] == 1


async def test_usage_of_a_local_engine_comes_from_cgroups(fleet: Fleet) -> None:
    docker = DockerEngine(parse_address(fleet.engine.host))
    try:
        held = [await docker.inspect(one.id) for one in await docker.containers() if one.alive]
        first = await docker.usage(held)
        assert set(first) == {one.id for one in held if one.details and one.details.pid}
        assert all(usage.memory and usage.memory > 0 for usage in first.values())
        await until_usage(docker, held, "near")
        assert not docker._streams, "nothing was asked of the Engine"
    finally:
        await docker.aclose()


async def test_usage_over_the_api(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    docker = DockerEngine(parse_address(fleet.engine.host))
    monkeypatch.setattr(docker._cgroups, "read", lambda *_: None)
    try:
        held = [await docker.inspect(one.id) for one in await docker.containers() if one.alive][:3]
        await until_usage(docker, held, "far")
        assert len(docker._streams) == len(held)
        await docker.usage(held[:1])
        assert len(docker._streams) == 1, "a row out of sight costs no stream"
    finally:
        await docker.aclose()


async def until_usage(docker: DockerEngine, held: list[Container], what: str) -> None:
    """Read until every container has told its CPU, which takes two readings."""
    found: dict[str, float | None] = {}
    async with asyncio.timeout(DEADLINE):
        while len(found) < len(held) or None in found.values():
            found.update({one: usage.cpu for one, usage in (await docker.usage(held)).items()})
            await asyncio.sleep(0)
    assert all(cpu is not None and 0 <= cpu < 6400 for cpu in found.values()), what


async def test_a_death_is_seen_through_its_event(engine: Engine) -> None:
    from console.feeds.docker_feed import DockerFeed

    name = f"mortal-{os.getpid()}"
    engine.docker("run", "-d", "--network=none", "--name", name, "busybox:test", "sleep", "1000")
    docker = DockerEngine(parse_address(engine.host))
    feed = DockerFeed(docker, lambda: None)
    task = asyncio.create_task(feed.run())

    def held() -> Container | None:
        return next((one for one in feed.snapshot.value or () if one.name == name), None)

    try:
        await until(lambda: (one := held()) is not None and one.details is not None)
        await asyncio.to_thread(engine.docker, "kill", "--signal=KILL", name)
        await until(lambda: (one := held()) is not None and one.exit_code == 137)
        await until(lambda: any(event.action == "die" for event in feed.events))
        await asyncio.to_thread(engine.docker, "rm", "-f", name)
        await until(lambda: held() is None)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await docker.aclose()


async def test_an_engine_that_dies_and_comes_back_is_picked_up(own_engine: Engine) -> None:
    from console.feeds.docker_feed import DockerFeed

    docker = DockerEngine(parse_address(own_engine.host), timeout=2.0)
    feed = DockerFeed(docker, lambda: None)
    task = asyncio.create_task(feed.run())
    try:
        await until(lambda: feed.snapshot.status.state is SourceState.OK)
        await asyncio.to_thread(own_engine.kill)
        await until(lambda: feed.snapshot.status.state is SourceState.UNREACHABLE)
        assert "no Docker Engine" not in str(feed.snapshot.status.reason)
        await asyncio.to_thread(own_engine.start)
        feed.refresh()
        await until(lambda: feed.snapshot.status.state is SourceState.OK)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await docker.aclose()


def test_an_engine_that_hangs_is_a_sentence_and_status_three(own_engine: Engine, tmp_path: Path) -> None:
    env = environment(own_engine, tmp_path)
    config = tmp_path / "config.toml"
    config.write_text("[docker]\ntimeout = 0.5\n")
    own_engine.pause()
    try:
        status, document = answer(env, "status", "--config", str(config))
    finally:
        own_engine.resume()
    assert status == 3
    assert document["sources"]["docker"]["state"] == "unreachable"
    assert "timed out after 0.5s" in document["sources"]["docker"]["reason"]


def test_no_process_of_compose_is_left(fleet: Fleet, tmp_path: Path) -> None:
    env = environment(fleet.engine, tmp_path, MLOPS_COMPOSE_FILE=str(fleet.file))
    answer(env, "services")

    def ours() -> list[str]:
        found = []
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                try:
                    words = (folder / "cmdline").read_bytes()
                except OSError:
                    continue
                if str(fleet.file).encode() in words and b"config" in words:
                    found.append(folder.name)
        return found

    until_sync(lambda: not ours(), "Compose to have ended")
