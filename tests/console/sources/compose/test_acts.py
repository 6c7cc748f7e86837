"""Each verb on one service, several and all of them, by the real Compose on a real Engine; and what it leaves alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from console.model.source import NotThereError, SourceState
from tests.console.sources.compose.room import FILE, Room
from tests.support.registry import Registry

# `web` needs `db`, and wants to be restarted with it.
PLATFORM = {"db": {}, "web": {"depends_on": {"db": {"condition": "service_started", "restart": True}}}, "third": {}}


@pytest.fixture
def registry() -> Iterator[Registry]:
    with Registry() as opened:
        yield opened


async def test_up_begins_what_is_named_and_nothing_else(room: Room) -> None:
    room.write(PLATFORM)
    assert await room.act("up", "web") == ["web creating", "web created", "web starting", "web started"]
    assert room.states() == {"web": "running"}
    await room.act("up", "third", "web")
    assert room.states() == {"web": "running", "third": "running"}
    before = room.runs()
    told = await room.act("up")
    assert {"web running", "third running", "db started"} <= set(told)
    assert room.states() == dict.fromkeys(PLATFORM, "running")
    assert {name: run for name, run in room.runs().items() if name != "db"} == before


async def test_up_makes_anew_what_differs_from_the_file_and_leaves_the_rest(room: Room) -> None:
    room.write(PLATFORM)
    await room.act("up")
    before = room.runs()
    room.write({**PLATFORM, "db": {"environment": {"A": "1"}}, "web": {"environment": {"A": "1"}}})
    assert await room.act("up", "db") == ["db recreating", "db recreated", "db starting", "db started"]
    after = room.runs()
    assert (after["web"], after["third"]) == (before["web"], before["third"])
    assert after["db"][0] != before["db"][0]


async def test_stop_and_start(room: Room) -> None:
    room.write(PLATFORM)
    await room.act("up")
    assert await room.act("stop", "web") == ["web stopping", "web stopped"]
    assert room.states() == {"db": "running", "web": "exited", "third": "running"}
    assert await room.act("start", "web") == ["web starting", "web started"]
    await room.act("stop", "db", "third")
    assert room.states() == {"db": "exited", "web": "running", "third": "exited"}
    await room.act("start", "third", "db")
    assert room.states() == dict.fromkeys(PLATFORM, "running")
    await room.act("stop")
    assert room.states() == dict.fromkeys(PLATFORM, "exited")
    await room.act("start")
    assert room.states() == dict.fromkeys(PLATFORM, "running")


async def test_start_begins_what_a_service_depends_on_first(room: Room) -> None:
    """Compose 2.40 cannot do without."""
    room.write(PLATFORM)
    await room.act("up")
    await room.act("stop")
    assert await room.act("start", "web") == ["db starting", "db started", "web starting", "web started"]
    assert room.states() == {"db": "running", "web": "running", "third": "exited"}


@pytest.mark.parametrize("verb", ["restart", "recreate"])
async def test_what_is_named_begins_again_and_neither_what_needs_it_nor_what_it_needs(room: Room, verb: str) -> None:
    room.write(PLATFORM)
    await room.act("up")
    for named in (["db"], ["web"], ["db", "third"]):
        before = room.runs()
        told = await room.act(verb, *named, grace=3)
        assert {one.partition(" ")[0] for one in told} == set(named)
        after = room.runs()
        assert {name for name in PLATFORM if before[name] != after[name]} == set(named)
        same = {name for name in PLATFORM if before[name][0] == after[name][0]}
        assert same == (set(PLATFORM) if verb == "restart" else set(PLATFORM) - set(named))
    before = room.runs()
    await room.act(verb)
    assert not set(before.items()) & set(room.runs().items())
    assert room.states() == dict.fromkeys(PLATFORM, "running")


async def test_down_takes_all_of_it_and_no_volume(room: Room) -> None:
    volumes: dict[str, object] = {"data": {}}
    writes = ["sh", "-c", "echo kept > /data/a; trap 'exit 0' TERM; while :; do sleep 1000 & wait; done"]
    room.write({**PLATFORM, "db": {"volumes": ["data:/data", "/unnamed"], "command": writes}}, volumes=volumes)
    await room.act("up")
    told = await room.act("down", grace=3)
    assert {"web removed", "db removed", "third removed"} <= set(told)
    assert room.states() == {}
    assert room.volumes() == [f"{room.project}_data"]
    reads = room.engine.docker(
        "run", "--rm", "--network=none", f"--volume={room.project}_data:/data", "busybox:test", "cat", "/data/a"
    )
    assert reads == "kept\n"
    assert room.engine.docker("image", "inspect", "--format=ok", "busybox:test") == "ok\n"
    assert await room.act("down") == ["there was nothing to do"]


async def test_the_replicas_of_a_service_are_told_apart(room: Room) -> None:
    room.write({"two": {"scale": 2}, "named": {"container_name": f"{room.project}-own-name-7"}})
    told = await room.act("up")
    assert {"two started", "two-2 started", "named started"} <= set(told)


async def test_pull_loads_images_and_leaves_containers(room: Room, registry: Registry) -> None:
    image, other = f"{registry.host}/{room.project}:1", f"{registry.host}/{room.project}-other:1"
    registry.push(f"{room.project}:1", {"a": b"1" * 100_000})
    registry.push(f"{room.project}-other:1", {"b": b"1"})
    room.write({"web": {}, "one": {"image": image}, "other": {"image": other}})
    await room.act("up", "web")
    before = room.runs()
    try:
        told = await room.act("pull", "one")
        assert (told[0], told[-1]) == ("pulling one", "one pulled")
        assert {"pulling one 100%", "unpacking one 100%"} & set(told)
        assert {"other pulled", "one pulled"} <= set(await room.act("pull", "one", "other"))
    finally:
        room.engine.docker("image", "rm", image)
        room.engine.docker("image", "rm", "--force", other)
    assert room.runs() == before


async def test_all_of_pull_is_refused_where_one_is_not_to_be_had(room: Room, registry: Registry) -> None:
    room.write({"one": {"image": f"{registry.host}/none:1"}})
    error = await room.refusal("pull")
    assert (error.state, error.reason, error.unsure) == (SourceState.OK, "one: manifest unknown", False)
    assert room.told == ["pulling one"]


async def test_what_is_built_here_is_asked_of_no_registry(room: Room, registry: Registry) -> None:
    """A name that is ours on this machine may be somebody else's in a registry, and what they made would get our secrets."""
    image = f"{registry.host}/built:1"
    registry.push("built:1", {"theirs": b"1"})
    room.write({"built": {"image": image, "build": "."}})
    (room.file.parent / "Dockerfile").write_text("FROM busybox:test\n")
    assert await room.act("pull") == ["built skipped: image can be built"]
    for verb in ("up", "recreate"):
        error = await room.refusal(verb, "built")
        assert (error.state, error.reason) == (SourceState.OK, f"{image} is not on this Engine: pull or build it first.")
    assert room.states() == {}
    assert room.engine.request("GET", f"/images/{image}/json", b"", "text/plain")[0] == 404


@pytest.mark.parametrize("verb", ["up", "start", "stop", "restart", "recreate", "pull"])
async def test_a_service_that_is_not_there(room: Room, verb: str) -> None:
    room.write({"web": {}, "off": {"profiles": ["ops"]}})
    for name in ("nope", "", "off", "--all"):
        error = await room.refusal(verb, "web", name)
        assert type(error) is NotThereError
        assert (error.state, error.reason) == (SourceState.OK, f"{FILE}: no such service: {name}")
    assert (room.states(), room.told) == ({}, [])


async def test_a_profile_that_is_on_brings_its_services(room: Room) -> None:
    room.write({"web": {}, "ops": {"profiles": ["ops"]}})
    await room.act("up", "ops", doer=room.doer(profiles=["ops"]))
    assert room.states() == {"ops": "running"}


async def test_a_service_that_is_called_like_an_option(room: Room) -> None:
    room.write({"web": {}, "-t": {}, "--volumes": {}})
    assert "-t started" in await room.act("up", "-t", "--volumes")
    await room.act("restart", "-t", grace=3)
    await room.act("stop", "--volumes")
    assert room.states() == {"-t": "running", "--volumes": "exited"}


async def test_what_cannot_be_meant(room: Room) -> None:
    room.write({"web": {}})
    for verb, services, grace in (("rm", [], None), ("down", ["--volumes"], None), ("down", ["web"], None), ("stop", [], -1)):
        with pytest.raises(ValueError, match=r"verb|whole project|grace"):
            await room.act(verb, *services, grace=grace)
        with pytest.raises(ValueError, match=r"verb|whole project|grace"):
            room.doer().command(verb, services, grace)


async def test_whoever_is_given_time_ends_in_order(room: Room) -> None:
    """It takes longer than nothing to end: without a word the file's own time counts, and not Docker's ten seconds."""
    ends = ["sh", "-c", "trap 'sleep 2; exit 5' TERM; touch /ready; while :; do sleep 0.1; done"]
    ready = {"test": ["CMD", "test", "-e", "/ready"], "interval": "1s"}
    service = {"command": ends, "healthcheck": ready}
    room.write({"long": service | {"stop_grace_period": "30s"}, "short": service | {"stop_grace_period": "0s"}})

    async def codes(grace: int | None) -> dict[str, int]:
        await room.act("up")
        await room.act("stop", grace=grace)
        return {name: int(facts["State"]["ExitCode"]) for name, facts in room.containers().items()}

    assert await codes(None) == {"long": 5, "short": 137}
    assert await codes(30) == {"long": 5, "short": 5}
    assert await codes(0) == {"long": 137, "short": 137}


async def test_what_the_file_no_longer_names_stays(room: Room) -> None:
    room.write({"web": {}, "old": {}})
    await room.act("up")
    room.write({"web": {}})
    (room.file.parent / ".env").write_text(
        "COMPOSE_REMOVE_ORPHANS=true\nCOMPOSE_STATUS_STDOUT=true\nCOMPOSE_ANSI=always\nDOCKER_HOST=unix:///x\n"
    )
    told = [*await room.act("up"), *await room.act("recreate"), *await room.act("down")]
    assert not [one for one in told if "old" in one or "orphan" in one]
    assert room.states() == {"old": "running"}


async def test_a_volume_that_differs_from_the_file_is_kept(room: Room) -> None:
    """Compose asks whether to make it anew, and lose what is in it."""
    service = {"db": {"volumes": ["data:/data"]}}
    room.write(service, volumes={"data": {"labels": {"of": "first"}}})
    await room.act("up")
    created = room.engine.api("GET", f"/volumes/{room.project}_data")
    room.write(service, volumes={"data": {"labels": {"of": "second"}}})
    for verb, services in (("up", ["db"]), ("up", []), ("recreate", ["db"])):
        told = await room.act(verb, *services)
        asked = f'Volume "{room.project}_data" exists but doesn\'t match configuration in compose file.'
        assert asked in told
        assert "db running" in told or "db started" in told
    assert room.engine.api("GET", f"/volumes/{room.project}_data") == created
