"""Acts that go wrong: the Engine away or gone, no rights, a wrong file, an act that is broken off, a Compose that hangs."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from console.model.source import SourceState
from console.sources.compose import program
from console.sources.docker_engine.endpoint import parse_address
from tests.console.sources.compose.room import FILE, STUBBORN, Room
from tests.support import scratch, skips
from tests.support.engine import Engine, compose_program
from tests.support.waiting import until

MAY_GO_ON = "What it had begun may go on."
NEVER = 1000


@pytest.fixture
def own_room(own_engine: Engine) -> Iterator[Room]:
    """On an Engine that may be ended."""
    if compose_program() is None:
        pytest.skip(skips.NO_COMPOSE)
    with scratch.folder("acts") as folder:
        yield Room(own_engine, folder)


def running(room: Room) -> list[str]:
    """Commands of what runs for this room's file."""
    found = []
    for one in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = one.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(room.file) in command:
            found.append(command)
    return found


async def stopping(room: Room) -> None:
    await until(lambda: "slow stopping" in room.told, "Compose to have begun")


async def test_the_engine_is_killed_in_the_middle(own_room: Room) -> None:
    room = own_room
    room.write({"slow": {"command": STUBBORN}})
    await room.act("up")
    doing = asyncio.create_task(room.refusal("stop", "slow", grace=NEVER))
    await stopping(room)
    await asyncio.to_thread(room.engine.kill)
    error = await doing
    reason = f"Docker on {room.engine.socket} went away. {MAY_GO_ON}"
    assert (error.state, error.reason, error.unsure) == (SourceState.UNREACHABLE, reason, True)


@pytest.mark.parametrize("verb", ["up", "start", "stop", "restart", "recreate", "pull", "down"])
async def test_the_engine_is_away(room: Room, tmp_path: Path, verb: str) -> None:
    room.write({"web": {"image": "busybox:none"}})
    doer = room.doer()
    doer._endpoint = parse_address(f"unix://{tmp_path}/docker.sock")
    error = await room.refusal(verb, doer=doer)
    reason = f"Docker on {tmp_path}/docker.sock cannot be reached."
    assert (error.state, error.reason, error.unsure) == (SourceState.UNREACHABLE, reason, False)


@contextmanager
def seen_by_all(folder: Path) -> Iterator[None]:
    mode = folder.stat().st_mode
    folder.chmod(0o755)
    try:
        yield
    finally:
        folder.chmod(mode)


async def test_without_rights_to_the_engine(room: Room) -> None:
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("setpriv is not installed")
    room.write({"web": {}})
    away = f"{setpriv} --reuid=65534 --regid=65534 --clear-groups"
    room.fake(f'HOME=/nonexistent DOCKER_CONFIG=/nonexistent exec {away} $REAL "$@"')
    folders = [room.engine.folder, room.engine.folder.parent, room.root.parent]
    with seen_by_all(folders[0]), seen_by_all(folders[1]), seen_by_all(folders[2]):
        for verb in ("up", "stop", "down"):
            error = await room.refusal(verb)
            reason = f"No permission for {room.engine.socket}. Join group docker, then log in again."
            assert (error.state, error.reason, error.unsure) == (SourceState.DENIED, reason, False)


async def test_a_wrong_file_is_refused_before_anything_is_done(room: Room) -> None:
    room.write({"web": {}})
    await room.act("up")
    before = room.runs()
    room.file.write_text("services: {web: {image: x, imagee: y}}")
    for verb in ("up", "stop", "down"):
        error = await room.refusal(verb)
        reason = f"{FILE}: services.web additional properties 'imagee' not allowed"
        assert (error.state, error.reason) == (SourceState.STALE, reason)
    assert (room.runs(), room.told) == (before, [])


async def test_no_file_and_no_compose(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    error = await room.refusal("up")
    assert (error.state, error.reason) == (SourceState.OFF, f"No compose file at {FILE}.")
    room.write({"web": {}})
    monkeypatch.setattr(program, "_PLUGIN_FOLDERS", ())
    room.env |= {"DOCKER_CONFIG": "/nonexistent", "PATH": "/nonexistent"}
    error = await room.refusal("up")
    reason = "Compose v2 is not installed, so nothing can be done to its services. Install docker-compose-plugin."
    assert (error.state, error.reason) == (SourceState.OFF, reason)


async def test_what_cannot_start_tells_why(room: Room) -> None:
    room.write({"web": {"command": ["/nope"]}})
    error = await room.refusal("up")
    assert (error.state, error.reason, error.unsure) == (SourceState.OK, "/nope is not in the image", False)
    assert room.told == ["web creating", "web created", "web starting"]


async def test_what_needs_something_that_is_not_well(room: Room) -> None:
    never = {"test": ["CMD", "false"], "interval": "1s", "retries": 1}
    room.write({"db": {"healthcheck": never}, "web": {"depends_on": {"db": {"condition": "service_healthy"}}}})
    error = await room.refusal("up")
    name = f"{room.project}-db-1"
    assert (error.state, error.reason) == (SourceState.OK, f"dependency failed to start: container {name} is unhealthy")
    assert room.told[-2:] == ["waiting for db", "db failed"]


async def test_cancelling_has_compose_end(room: Room) -> None:
    room.write({"slow": {"command": STUBBORN}})
    await room.act("up")
    doing = room.begin("stop", "slow", grace=NEVER)
    await stopping(room)
    assert running(room)
    doing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await doing
    assert running(room) == []


FAKE_TELLS = """echo '{"id":"Container x-slow-1","status":"Stopping"}' >&2"""


async def test_cancelling_is_told_to_compose_first(room: Room) -> None:
    room.write({"slow": {}})
    room.fake(f"trap 'echo ended >&2; touch in-order; exit 130' INT; {FAKE_TELLS}; while :; do sleep 1000; done")
    doing = room.begin("stop")
    await until(lambda: room.told, "it to have begun")
    doing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await doing
    assert (room.root / "in-order").exists()


async def test_a_compose_that_does_not_end_is_killed(room: Room) -> None:
    room.write({"slow": {}})
    room.fake(f"trap '' INT TERM; {FAKE_TELLS}; while :; do sleep 1000; done")
    doing = room.begin("stop", doer=room.doer(last_words=0.2))
    await until(lambda: room.told, "it to have begun")
    doing.cancel()
    await until(doing.done, "it to be killed")
    with pytest.raises(asyncio.CancelledError):
        await doing
    assert running(room) == []


async def test_leaving_in_the_middle(room: Room) -> None:
    room.write({"slow": {"command": STUBBORN}})
    await room.act("up")
    doer = room.doer()
    doing = asyncio.create_task(room.refusal("stop", "slow", grace=NEVER, doer=doer))
    await stopping(room)
    await doer.aclose()
    await until(doing.done, "it to be killed")
    error = await doing
    reason = f"Compose was ended by signal 9. {MAY_GO_ON}"
    assert (error.state, error.reason, error.unsure) == (SourceState.UNREACHABLE, reason, True)


async def test_a_compose_that_says_nothing_is_ended_once_the_grace_is_over(room: Room) -> None:
    room.write({"slow": {"stop_grace_period": "1s"}})
    room.fake(f"trap 'touch in-order; exit 130' INT; {FAKE_TELLS}; while :; do sleep 1000; done")
    error = await room.refusal("stop", doer=room.doer(margin=0.6))
    reason = f"Compose has said nothing for 2s and was ended. {MAY_GO_ON}"
    assert (error.state, error.reason, error.unsure) == (SourceState.UNREACHABLE, reason, True)
    assert (room.root / "in-order").exists()
    error = await room.refusal("stop", grace=2, doer=room.doer(margin=0.6))
    assert error.reason == f"Compose has said nothing for 3s and was ended. {MAY_GO_ON}"


async def test_a_compose_that_talks_may_take_as_long_as_it_likes(room: Room) -> None:
    room.write({"slow": {"stop_grace_period": "1s"}})
    room.fake("for n in 1 2 3 4 5 6; do sleep 0.5; printf . >&2; done")
    await room.act("stop", doer=room.doer(margin=0.5))


async def test_what_a_probe_may_take_is_waited_for(room: Room) -> None:
    """While Compose waits for what a service depends on it says nothing."""
    slow = {"test": ["CMD", "test", "-e", "/never"], "interval": "2s", "retries": 1, "start_period": "2s"}
    room.write({"db": {"healthcheck": slow}, "web": {"depends_on": {"db": {"condition": "service_healthy"}}}})
    error = await room.refusal("up", doer=room.doer(margin=0.2))
    assert "is unhealthy" in error.reason


async def test_a_compose_that_ends_and_says_nothing(room: Room) -> None:
    room.write({"web": {}})
    room.fake("exit 7")
    error = await room.refusal("stop")
    assert (error.state, error.reason) == (SourceState.OK, "Compose ended with 7 and gives no reason.")


@pytest.mark.parametrize(
    "refuses",
    [
        "echo 'unknown flag: --progress' >&2; exit 1",
        "echo 'unknown flag: --progress\n\nUsage:  docker compose [OPTIONS] COMMAND' >&2; exit 16",
        "echo 'unsupported --progress value \"json\"' >&2; exit 1",
    ],
)
async def test_an_older_compose_is_understood_too(room: Room, refuses: str) -> None:
    room.write({"web": {}, "bad": {"image": "127.0.0.1:1/none:1"}})
    (room.file.parent / ".env").write_text("COMPOSE_ANSI=always\n")
    room.fake(f'case "$*" in *--progress*) {refuses};; esac; exec $REAL "$@"')
    assert await room.act("up", "web") == ["web creating", "web created", "web starting", "web started"]
    assert await room.act("stop") == ["web stopping", "web stopped"]
    error = await room.refusal("pull", "bad")
    assert "connection refused" in error.reason
    assert error.reason.startswith("bad: ")


async def test_what_compose_says_passes_the_gate(room: Room) -> None:
    room.write({"web": {}})
    said = room.root / "said"
    said.write_bytes(
        b'{"id":"Container \\u001b]52;c;eA==\\u0007x","status":"\\u001b[31mStarting\\u202e"}\n'
        b' Container \x1b[2Jy  Started\x07\n{"id":7,"status":[],"text":{}}\n{"a":\n' + b"[" * 70_000 + b"\n"
        b'{"parent_id":"web","id":"l","text":"Downloading","current":"many","total":-1}\n\xff\xfe\x00\n'
        b'{"error":true,"message":"no\\u001b[1mpe ' + b"x" * 5_000 + b'"}\nlast words'
    )
    room.fake("cat said >&2; cat said; exit 1")
    error = await room.refusal("up")
    assert error.state is SourceState.OK
    for one in (error.reason, *room.told):
        assert one.isprintable()
        assert len(one) < 500
    assert "last words" in error.reason or len(error.reason) > 300
    assert any("starting" in one for one in room.told)
