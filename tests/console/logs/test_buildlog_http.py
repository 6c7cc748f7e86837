"""A build's log over real HTTP, from the model controller: restarts, faults, a revoked token, a deleted build."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from console.demo.controller import ADMIN, Build, Phase, Sh, Stage
from console.logs.lines import Kind, Line
from console.logs.origin import BuildLog
from console.logs.stagelog import StageTail
from console.model.backoff import Backoff
from console.model.build import BuildRef
from console.settings.secret import Secret
from console.sources.jenkins.address import parse
from console.sources.jenkins.client import Access
from console.sources.jenkins.source import JenkinsServer
from console.text import clean
from tests.console.logs.builds import Reading
from tests.support.jenkins.faults import Fault
from tests.support.jenkins.server import JenkinsServer as Front
from tests.support.jenkins.world import World
from tests.support.waiting import DEADLINE, until

TOKEN = "11" + "a" * 32
LOG = BuildLog(BuildRef(clean("train"), 1), clean("train #1"))
EPOCHS: tuple[str | float, ...] = tuple(part for epoch in range(1, 61) for part in (f"epoch {epoch} モデル", 1.0))
PATH = "logText/progressiveText"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.logs.buildlog.QUICK_SECONDS", 0.005)
    monkeypatch.setattr("console.logs.buildlog.SLOW_SECONDS", 0.01)
    monkeypatch.setattr("console.logs.stagelog.LOOK_SECONDS", 0.01)


class Place:
    """A controller with one running build, behind HTTP."""

    def __init__(self, world: World, front: Front, source: JenkinsServer) -> None:
        self.world = world
        self.front = front
        self.source = source

    @property
    def build(self) -> Build:
        return self.world.build()

    def tick(self, seconds: float) -> None:
        with self.front.lock:
            self.world.tick(seconds)

    @property
    def written(self) -> list[str]:
        with self.front.lock:
            return self.build.log.read()[0].splitlines()

    @asynccontextmanager
    async def following(self, **options: object) -> AsyncIterator[Reading]:
        reading = Reading(self.source, LOG, **options)  # type: ignore[arg-type]  # names and types are its own
        reading.tail._backoff = Backoff(0.005, 0.02)
        try:
            yield reading
        finally:
            await reading.stop()


@pytest.fixture
def front() -> Iterator[tuple[World, Front]]:
    world = World()
    world.controller.add_user("console", ADMIN, tokens={"t": TOKEN})
    world.start(Stage("Train", (Sh("train", EPOCHS),)))
    world.tick(2)
    with Front(world.controller, prefix="/ci") as served:
        yield world, served


@pytest.fixture
async def place(front: tuple[World, Front]) -> AsyncIterator[Place]:
    world, served = front
    source = JenkinsServer(Access(parse(served.url), "console", Secret(TOKEN), 5.0))
    yield Place(world, served, source)
    await source.aclose()


async def test_a_running_build_is_followed_to_its_end(place: Place) -> None:
    async with place.following() as reading:
        for _ in range(70):
            place.tick(1)
            await asyncio.sleep(0.001)
        await reading.ended()
        assert reading.texts == place.written
        assert "epoch 60 モデル" in reading.texts
        assert reading.said == ["train #1 has ended: passed."]


async def test_a_restart_of_the_controller_loses_no_line_and_repeats_none(place: Place) -> None:
    async with place.following() as reading:
        await until(lambda: reading.texts == place.written)
        with place.front.lock:
            place.world.controller.restart(stopping=2, down=3, starting=4)
        for phase in (Phase.RESTARTING, Phase.DOWN, Phase.STARTING):
            await until(lambda phase=phase: place.world.controller.phase is phase, str(phase))  # type: ignore[misc]
            asked = len(place.front.requests)
            if phase is not Phase.DOWN:
                await until(lambda asked=asked: len(place.front.requests) > asked)  # type: ignore[misc]
            else:
                await until(lambda: place.front._listener is None, "nothing to listen")
                await asyncio.sleep(0.03)
            place.tick(4)
        await until(lambda: place.world.controller.phase is Phase.UP)
        for _ in range(70):
            place.tick(1)
            await asyncio.sleep(0.001)
        await reading.ended()
        assert reading.texts == place.written
        assert [text for text in reading.texts if text.startswith("epoch")] == [f"epoch {n} モデル" for n in range(1, 61)]
        assert reading.notices == [Kind.UNREACHABLE, Kind.BACK, Kind.ENDED], "it is told once, whatever it looks like meanwhile"


async def test_a_fault_with_only_a_logging_id_is_waited_for(place: Place) -> None:
    async with place.following() as reading:
        await until(lambda: reading.texts == place.written)
        place.front.fault(Fault.OOPS, count=3, match=PATH)
        place.tick(5)
        await until(lambda: reading.texts == place.written and Kind.BACK in reading.notices)
        assert reading.notices == [Kind.UNREACHABLE, Kind.BACK]
        assert "its log has the cause under" in reading.said[0]


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.RESET, Fault.PROXY_502])
async def test_what_goes_wrong_on_the_way_costs_no_line(place: Place, fault: Fault) -> None:
    async with place.following() as reading:
        await until(lambda: reading.texts == place.written)
        with place.front.lock:
            for number in range(3000):
                place.build.log.add(f"flood {number} モデル")
        place.front.fault(fault, count=2, match=PATH)
        await until(lambda: len(reading.texts) >= len(place.written))
        assert reading.texts == place.written


async def test_a_lost_token_is_waited_for(place: Place) -> None:
    async with place.following() as reading:
        await until(lambda: reading.texts == place.written)
        with place.front.lock:
            tokens = place.world.controller.people.users["console"].tokens
            kept = dict(tokens)
            tokens.clear()
        await until(lambda: reading.notices == [Kind.UNREACHABLE])
        assert "refuses the token of console (401)" in reading.said[-1]
        with place.front.lock:
            tokens.update(kept)
        await until(lambda: reading.notices == [Kind.UNREACHABLE, Kind.BACK])


async def test_a_build_that_is_deleted_is_told(place: Place) -> None:
    async with place.following() as reading:
        await until(lambda: reading.texts == place.written)
        with place.front.lock:
            del place.build.job.builds[1]
        await reading.ended()
        assert reading.notices == [Kind.REMOVED]


async def test_a_log_that_was_cut_off_gives_what_is_new(place: Place) -> None:
    async with place.following() as reading:
        await until(lambda: reading.texts == place.written)
        before = list(reading.texts)
        with place.front.lock:
            raw = place.build.log._raw
            del raw[raw.index(b"epoch 2") :]
        await until(lambda: reading.notices == [Kind.LOST])
        with place.front.lock:
            place.build.log.add("after the crash")
        await until(lambda: reading.texts[-1] == "after the crash")
        assert reading.texts == [*before, "after the crash"]


async def test_it_is_opened_at_its_end_and_read_backwards(place: Place) -> None:
    with place.front.lock:
        for number in range(40_000):
            place.build.log.add(f"line {number} of a log that is longer than a page モデル")
    place.front.forget()
    async with place.following(lines=50) as reading:
        await until(lambda: len(reading.texts) == 50)
        assert place.front.bytes_out < 300_000
        assert reading.texts == place.written[-50:]
        older = [text.decode() for _, _, text in await reading.tail.history.older(9000)]
        assert older == place.written[-9050:-50]
        rest: list[str] = []

        async def give(lines: list[Line]) -> None:
            rest.extend(text.decode() for _, _, text in lines)

        assert await reading.tail.history.rest(give)  # type: ignore[arg-type]  # it gives lists
        assert rest == place.written[:-9050]


async def test_a_start_in_the_middle_of_a_letter_shows_none_that_is_broken(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    with place.front.lock:
        for _ in range(3000):
            place.build.log.add("模" * 20)
    for page in range(20_000, 20_004):
        monkeypatch.setattr("console.logs.buildlog.PAGE", page)
        async with place.following(lines=100) as reading:
            await until(lambda reading=reading: len(reading.texts) == 100)  # type: ignore[misc]
            older = [text.decode() for _, _, text in await reading.tail.history.older(400)]
            assert {*older, *reading.texts} == {"模" * 20}


async def test_the_log_of_a_stage_is_that_of_its_steps(place: Place) -> None:
    stage = place.build.stages[-1]
    log = BuildLog(LOG.ref, clean("train #1 Train"), stage=clean(stage.id))
    items: list[object] = []

    async def give(item: object) -> None:
        items.append(item)

    task = asyncio.ensure_future(StageTail(place.source, log, follow=True).run(give))

    def texts() -> list[str]:
        return [text.decode() for item in items if isinstance(item, list) for _, _, text in item]

    await until(lambda: "epoch 1 モデル" in texts())
    for _ in range(70):
        place.tick(1)
        await asyncio.sleep(0.001)
    async with asyncio.timeout(DEADLINE):
        await task
    assert [text for text in texts() if text.startswith("epoch")] == [f"epoch {n} モデル" for n in range(1, 61)]
    assert not any(text.startswith("[Pipeline]") for text in texts())
    notices = [item.kind for item in items if not isinstance(item, list)]  # type: ignore[attr-defined]
    assert notices == [Kind.NOW, Kind.ENDED]
