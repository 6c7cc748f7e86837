"""The look at the way in: what is read of an Engine, how often, and what is left out when it cannot be read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from console.feeds.once import gather
from console.feeds.tunnel_feed import LINES, LOOK_SECONDS, TunnelFeed, TunnelReader
from console.feeds.watch import Watch
from console.model.container import Container, ContainerState, Health
from console.model.log import Entry
from console.model.source import NotThereError, SourceError, SourceState
from console.model.times import nanoseconds
from console.model.tunnel import TunnelLook
from console.model.tunnel_log import Why
from console.text import clean
from tests.console.fakes import NOW, FakeCompose, FakeEngine, container
from tests.console.feeds.feedroom import Pauses, running, settle
from tests.console.model.test_tunnel import LOST, UP, log, probed
from tests.support.waiting import DEADLINE, until_sync

GONE = SourceError(SourceState.UNREACHABLE, clean("Docker does not answer."))


def entries(name: str) -> list[Entry]:
    return [(time, False, line + b"\n") for time, _, line in log(name)]


def client(said: str = UP, code: int = 0) -> Container:
    health = Health.UNHEALTHY if code else Health.HEALTHY
    return container("mlops-frp_client-1", service="frp_client", health=health, details=probed(said, code))


GATE = container("mlops-gate-1", service="gate", health=Health.HEALTHY)
ACCESS = b"2026-11-29T08:45:27+00:00 %d POST /generic-webhook-trigger/invoke 216 bytes in 0.001 s upstream %d\n"


def asked(status: int, seconds: float, parts: int = 1) -> list[Entry]:
    line = ACCESS % (status, status)
    time = nanoseconds(NOW + timedelta(seconds=seconds))
    size = -(-len(line) // parts)
    return [(time, False, line[at : at + size]) for at in range(0, len(line), size)]


def engine(held: Container | None = None, gate: list[Entry] | None = None) -> FakeEngine:
    made = FakeEngine(held or client(), GATE)
    made.logs = {GATE.id: entries("gate") if gate is None else gate}
    return made


async def look(made: FakeEngine, reader: TunnelReader | None = None) -> TunnelLook:
    return await (reader or TunnelReader(made)).read(tuple(made.held.values()))


async def test_a_good_tunnel_costs_two_requests() -> None:
    made = engine()
    found = await look(made)
    assert made.asked == [f"inspect {client().id[:12]}", f"log mlops-gate-1 {LINES}"]
    assert found.newest is not None
    assert found.release is not None
    assert (found.newest.status, found.release.status) == (502, 200)
    assert found.refusals == {}


async def test_a_bad_one_is_asked_why() -> None:
    made = engine(client(LOST, 1))
    made.logs[client().id] = entries("wrong-token")
    found = await look(made)
    assert f"log mlops-frp_client-1 {LINES}" in made.asked
    assert list(found.refusals) == [Why.LOGIN]


async def test_one_that_was_started_anew_is_not_asked_for_what_a_probe_from_before_said() -> None:
    one = client(LOST, 1)
    assert one.details is not None
    made = engine(replace(one, details=replace(one.details, started_at=NOW - timedelta(seconds=1))))
    made.logs[one.id] = entries("wrong-token")
    assert (await look(made)).refusals == {}
    assert f"log mlops-frp_client-1 {LINES}" not in made.asked


async def test_nothing_is_read_where_there_is_no_tunnel() -> None:
    made = FakeEngine(GATE, container("web", service="web"))
    assert await look(made) == TunnelLook()
    assert made.asked == []


async def test_of_two_projects_the_gate_is_the_clients_own() -> None:
    other = container("other-gate-1", service="gate", project="other")
    made = engine()
    made.held = {other.id: other, **made.held}
    made.logs[other.id] = asked(200, 0)
    assert (await look(made)).newest == (await look(engine())).newest


async def test_a_container_that_runs_is_looked_at_before_one_that_does_not() -> None:
    old = container("old", service="frp_client", state=ContainerState.EXITED, exit_code=1)
    made = engine()
    made.held = {old.id: old, **made.held}
    found = await look(made)
    assert found.client is not None
    assert found.client.name == "mlops-frp_client-1"


async def test_what_was_read_is_not_read_again_and_is_remembered() -> None:
    made = engine(gate=[*asked(200, -60), *asked(403, -30)])
    reader = TunnelReader(made)
    await look(made, reader)
    made.logs[GATE.id] = [*made.logs[GATE.id][1:], *asked(404, -10)]
    found = await look(made, reader)
    assert found.newest is not None
    assert found.release is not None
    assert (found.newest.status, found.release.at) == (404, NOW - timedelta(seconds=60))
    made.logs[GATE.id] = asked(200, -20)
    assert await look(made, reader) == found, "older than what was read"


async def test_a_container_made_anew_begins_anew() -> None:
    made = engine(client(LOST, 1), gate=asked(200, -60))
    made.logs[client().id] = entries("wrong-token")
    reader = TunnelReader(made)
    assert (await look(made, reader)).refusals
    anew = replace(client(LOST, 1), id=clean("c" * 64)), replace(GATE, id=clean("d" * 64))
    made.held = {one.id: one for one in anew}
    found = await look(made, reader)
    assert (found.refusals, found.newest, found.release) == ({}, None, None)


async def test_a_line_in_parts_is_one_line() -> None:
    """What a sender chose may come to stand where a part begins."""
    found = await look(engine(gate=[*asked(403, -60), *asked(200, -30, parts=4)]))
    assert found.newest is not None
    assert found.newest.status == 200
    pretends = b"a" * 16384, ACCESS % (200, 200)
    time = nanoseconds(NOW)
    made = engine(gate=[*asked(403, -60), *((time, False, part) for part in pretends)])
    found = await look(made)
    assert found.newest is not None
    assert (found.newest.status, found.release) == (403, None)


async def test_a_line_whose_beginning_may_be_missing_is_none() -> None:
    flood = [one for at in range(LINES + 5) for one in asked(403, at - LINES)]
    flood[5] = (flood[5][0], False, ACCESS % (200, 200))
    found = await look(engine(gate=flood))
    assert found.release is None


@pytest.mark.parametrize("word", ["inspect", "log"])
async def test_what_cannot_be_read_is_left_out(word: str) -> None:
    class Half(FakeEngine):
        async def _gate(self, request: str) -> None:
            if request.startswith(word):
                raise GONE

    made = Half(client(LOST, 1), GATE)
    found = await look(made)
    assert found.client is not None
    assert (found.refusals, found.newest) == ({}, None)


async def test_a_container_that_is_gone_by_now_is_none() -> None:
    class Gone(FakeEngine):
        async def inspect(self, container_id: str) -> Container:
            raise NotThereError(SourceState.OK, clean("no such container"))

    assert (await look(Gone(client(), GATE))).client is None


async def test_a_log_that_hangs_keeps_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.feeds.tunnel_feed.LOG_SECONDS", 0.01)

    class Hangs(FakeEngine):
        async def _gate(self, request: str) -> None:
            if request.startswith("log"):
                await asyncio.Event().wait()

    async with asyncio.timeout(DEADLINE):
        assert (await look(Hangs(client(), GATE))).newest is None


class Room:
    def __init__(self) -> None:
        self.engine = engine()
        self.pauses = Pauses()
        self.changes = 0
        self.known: tuple[Container, ...] | None = None
        self.feed = TunnelFeed(self.engine, lambda: self.known, self._changed, rest=self.pauses.rest)

    def _changed(self) -> None:
        self.changes += 1

    async def tell(self, *held: Container) -> None:
        """The containers are these now, and a picture of them is made."""
        self.known = held
        self.feed.notice()
        await settle()


@asynccontextmanager
async def watching() -> AsyncIterator[Room]:
    room = Room()
    async with running(room.feed) as task:
        await settle()
        yield room
        assert not task.done(), "a feed goes on whatever happens"


async def test_it_looks_as_soon_as_there_is_something_and_then_now_and_then() -> None:
    async with watching() as room:
        assert (room.feed.look.read, room.engine.asked, room.changes) == (False, [], 0)
        await room.tell(client(), GATE)
        assert (room.feed.look.read, room.changes) == (True, 1)
        asked = len(room.engine.asked)
        await room.tell(client(), GATE)
        assert len(room.engine.asked) == asked, "the same containers, doing the same"
        await room.pauses.pass_by(LOOK_SECONDS)
        assert len(room.engine.asked) == 2 * asked
        assert room.changes == 1, "nothing new, nothing to show"


async def test_it_looks_at_once_when_a_container_is_another_or_does_otherwise() -> None:
    async with watching() as room:
        await room.tell(client(), GATE)
        asked = len(room.engine.asked)
        await room.tell(client(LOST, 1), GATE)
        assert len(room.engine.asked) > asked
        asked = len(room.engine.asked)
        await room.tell(client(LOST, 1), replace(GATE, id=clean("d" * 64)))
        assert len(room.engine.asked) > asked
        asked = len(room.engine.asked)
        room.feed.refresh()
        await settle()
        assert len(room.engine.asked) > asked


async def test_an_engine_that_fails_and_comes_back() -> None:
    async with watching() as room:
        await room.tell(client(), GATE)
        before = room.feed.look
        room.engine.failure = GONE
        await room.pauses.pass_by(LOOK_SECONDS)
        room.engine.failure = None
        room.engine.logs[GATE.id] = [*room.engine.logs[GATE.id], *asked(200, 9)]
        await room.pauses.pass_by(LOOK_SECONDS)
        assert room.feed.look.newest != before.newest


async def test_the_world_has_it_for_those_who_ask() -> None:
    made = engine()
    seen = await gather(made, FakeCompose(), host=clean("h"), demo=False, tunnel=True)
    assert seen.sources["tunnel"].state is SourceState.OK
    assert seen.tunnel is not None
    assert seen.tunnel.newest is not None
    seen = await gather(made, FakeCompose(), host=clean("h"), demo=False)
    assert (seen.tunnel, "tunnel" in seen.sources) == (None, False)
    made.failure = GONE
    seen = await gather(made, FakeCompose(), host=clean("h"), demo=False, tunnel=True)
    assert seen.sources["tunnel"].shown == "unknown"
    assert [one.target for one in seen.problems] == ["docker"]


def test_a_watch_shows_what_became_of_it() -> None:
    made = engine()
    live = Watch(lambda: (made, FakeCompose()), host=clean("h"), demo=False, tunnel=True)
    live.start()

    def state() -> SourceState | None:
        return live.world.sources["tunnel"].state if live.world is not None else None

    until_sync(lambda: state() is SourceState.OK, "the tunnel to be up")
    until_sync(lambda: live.world is not None and live.world.tunnel is not None and live.world.tunnel.newest is not None)
    made.held[client().id] = client(LOST, 1)
    made.logs[client().id] = entries("wrong-token")
    live.refresh()
    until_sync(lambda: state() is SourceState.DENIED, "the tunnel to be refused")
    assert live.stop()
