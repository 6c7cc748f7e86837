"""The back room as the screen and the commands use it."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Callable

import pytest

from console.feeds.backroom import BackRoom
from console.feeds.once import gather
from console.feeds.usage_feed import UsageFeed
from console.feeds.watch import Watch
from console.model.container import Usage
from console.model.service import ComposeProject, Declared
from console.model.source import SourceError, SourceState, SourceStatus
from console.model.world import World
from console.sources.reach import Hands, Reach
from console.text import Clean, clean
from tests.console.fake_hands import FakeHands
from tests.console.fake_jenkins import FakeJenkins, build, job, ref
from tests.console.fakes import FakeCompose, FakeEngine, container, event
from tests.console.feeds.feedroom import running
from tests.console.runs.test_join import training
from tests.support.waiting import until, until_sync

PROJECT = ComposeProject(clean("mlops"), clean("compose.yml"), (Declared(clean("web"), clean("busybox:1"), 1, clean("hash")),))


def watch(make: Callable[[], tuple[FakeEngine, FakeCompose]]) -> Watch:
    return Watch(make, host=clean("train-01"), demo=False)


def test_worlds_arrive_and_everything_is_closed_at_the_end() -> None:
    made: list[tuple[FakeEngine, FakeCompose]] = []

    def make() -> tuple[FakeEngine, FakeCompose]:
        made.append((FakeEngine(container("web", service="web")), FakeCompose(PROJECT)))
        return made[0]

    live = watch(make)
    worlds: list[World] = []
    live.start()
    live.listen(worlds.append)
    until_sync(lambda: worlds and worlds[-1].services and worlds[-1].sources["compose"].state is SourceState.OK)
    assert [service.name for service in worlds[-1].services] == ["web"]
    assert live.stop()
    assert made[0][0].closed
    assert made[0][1].closed


def test_leaving_does_not_wait_for_a_system_that_hangs() -> None:
    def make() -> tuple[FakeEngine, FakeCompose]:
        engine = FakeEngine()
        engine.hang = asyncio.Event()
        return engine, FakeCompose()

    live = watch(make)
    live.start()
    until_sync(lambda: live.world is not None)
    assert live.stop()


def test_a_thread_that_is_stuck_in_a_system_call_does_not_keep_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = threading.Event()
    waited: list[float | None] = []

    async def job() -> None:
        stuck.wait()

    room = BackRoom(job)
    room.start()
    monkeypatch.setattr(room._thread, "join", waited.append)
    assert room.stop(0.05) is False
    assert waited == [0.05]
    stuck.set()


def test_a_defect_of_ours_is_told() -> None:
    def make() -> tuple[FakeEngine, FakeCompose]:
        raise ValueError("a defect")

    live = watch(make)
    live.start()
    until_sync(lambda: live.failure is not None)
    assert isinstance(live.failure, ValueError)


def test_only_what_is_on_the_screen_is_measured() -> None:
    seen, hidden = container("seen"), container("hidden")
    engines: list[FakeEngine] = []

    def make() -> tuple[FakeEngine, FakeCompose]:
        engine = FakeEngine(seen, hidden)
        engine.usages = {one.id: Usage(12.5, 1000, None) for one in (seen, hidden)}
        engines.append(engine)
        return engine, FakeCompose()

    live = watch(make)
    live.start()
    until_sync(lambda: live.world is not None and live.world.others)
    live.show(frozenset({seen.id}), None)
    until_sync(lambda: live.world is not None and seen.id in live.world.usage)
    assert live.world is not None
    assert hidden.id not in live.world.usage
    assert live.world.usage[seen.id].now == Usage(12.5, 1000, None)
    assert "usage hidden seen" not in engines[0].asked
    live.stop()


async def test_a_gap_in_the_readings_is_a_gap_in_the_history() -> None:
    one = container("a")
    engine = FakeEngine(one)
    engine.usages = {one.id: Usage(1.0, 10, 100)}
    feed = UsageFeed(engine, lambda: (one,), lambda: None)
    await feed._read((one,))
    assert feed.histories[one.id].cpu == (1.0,)
    assert feed.histories[one.id] is feed.histories[one.id], "made once for each reading"
    engine.failure = SourceError(SourceState.UNREACHABLE, clean("gone"))
    await feed._read((one,))
    engine.failure = None
    await feed._read((one,))
    history = feed.histories[one.id]
    assert history.cpu == (1.0, None, 1.0)
    assert history.memory == (10, None, 10)
    assert history.memory_limit == 100


async def test_the_readings_of_a_container_that_is_gone_go_too() -> None:
    one, other = container("a"), container("b")
    engine = FakeEngine(one, other)
    here = [one, other]
    feed = UsageFeed(engine, lambda: here, lambda: None)
    await feed._read(here)
    here.remove(one)
    await feed._read(here)
    assert set(feed.histories) == {other.id}


async def test_a_compose_file_that_breaks_says_so_and_labels_take_over() -> None:
    engine = FakeEngine(container("web", service="web"))
    broken = FakeCompose(SourceError(SourceState.STALE, clean("compose.yml line 3: did not find expected key")))
    world = await gather(engine, broken, host=clean("h"), demo=False)
    assert [service.name for service in world.services] == ["web"]
    assert world.services[0].drift.value == "unknown"
    assert world.notes == ("Drift is unknown, services come from labels: compose.yml line 3: did not find expected key",)


async def test_a_dead_engine_is_a_state_and_never_an_exception() -> None:
    engine = FakeEngine()
    engine.failure = SourceError(SourceState.DENIED, clean("No permission."))
    world = await gather(engine, FakeCompose(PROJECT), host=clean("h"), demo=False)
    assert world.sources["docker"].state is SourceState.DENIED
    assert world.sources["compose"].state is SourceState.OK
    assert world.services == ()
    assert [problem.sentence for problem in world.problems] == ["No permission."]


async def test_the_file_is_read_again_when_it_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    from console.feeds import compose_feed

    monkeypatch.setattr(compose_feed, "LOOK_SECONDS", 0.01)
    compose = FakeCompose(PROJECT)
    feed = compose_feed.ComposeFeed(compose, lambda: None)
    async with running(feed):
        await until(lambda: compose.asked == 1)
        compose.is_changed = True
        await until(lambda: compose.asked == 2)
        compose.answer = None
        compose.is_changed = True
        await until(lambda: feed.snapshot.status.state is SourceState.OFF)


def test_many_changes_are_one_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    from console.feeds import watch as module

    monkeypatch.setattr(module, "PUBLISH_SECONDS", 3600.0)
    many = [container(f"c{n}") for n in range(30)]
    engines: list[FakeEngine] = []

    def make() -> tuple[FakeEngine, FakeCompose]:
        engines.append(FakeEngine(*many))
        return engines[0], FakeCompose()

    live = watch(make)
    worlds: list[World] = []
    live.start()
    live.listen(worlds.append)
    until_sync(lambda: engines and engines[0].connected.is_set() and live.world is not None)
    for nano in range(1, 101):
        item = event(many[nano % 30], "update", nano=nano)
        live._room.post(functools.partial(engines[0].stream.put_nowait, item))
    until_sync(lambda: live._docker is not None and len(live._docker.events) == 100)
    live.stop()
    assert len(worlds) <= 2  # the one that was there when the listener came, and the first of its own


def test_labels_are_clean_strings() -> None:
    assert all(isinstance(text, Clean) for pair in container("a", service="b").labels.items() for text in pair)


def test_docker_is_asked_while_the_rest_is_still_being_loaded() -> None:
    engine = FakeEngine(container("web", service="web"))
    asked: list[bool] = []

    def slow_to_load() -> None:
        until_sync(lambda: "containers" in engine.asked, "Docker to be asked for its containers")
        asked.append(True)

    live = Watch(lambda: (engine, FakeCompose(PROJECT)), host=clean("train-01"), demo=False, make_jenkins=slow_to_load)
    live.start()
    until_sync(lambda: live.world is not None and live.world.services, "the first world")
    assert asked == [True]
    assert live.stop()
    assert live.failure is None


def test_a_jenkins_that_cannot_be_made_ends_the_back_room_with_its_reason() -> None:
    def broken() -> None:
        raise ValueError("no such thing")

    live = Watch(lambda: (FakeEngine(), FakeCompose()), host=clean("train-01"), demo=False, make_jenkins=broken)
    live.start()
    until_sync(lambda: live.failure is not None, "the back room to end")
    assert "no such thing" in repr(live.failure)


def with_hands(make: Callable[[], Hands] | None) -> tuple[Watch, FakeEngine]:
    engine = FakeEngine(container("web", service="web"))
    live = Watch(lambda: (engine, FakeCompose(PROJECT)), host=clean("train-01"), demo=False, make_hands=make)
    live.start()
    until_sync(lambda: live.world is not None, "the first world")
    return live, engine


def reached(live: Watch) -> Reach | SourceError:
    """What somebody in the back room is given."""
    found: list[Reach | SourceError] = []

    async def ask(_: object) -> None:
        try:
            found.append(await live.reach())
        except SourceError as error:
            found.append(error)

    live.attach(ask)
    until_sync(lambda: found, "an answer")
    return found[0]


def test_hands_are_made_once_when_somebody_acts_and_let_go_at_the_end() -> None:
    made: list[FakeHands] = []

    def make() -> Hands:
        made.append(FakeHands())
        return made[-1].hands

    live, engine = with_hands(make)
    assert not made
    first, second = reached(live), reached(live)
    assert isinstance(first, Reach)
    assert isinstance(second, Reach)
    assert len(made) == 1
    assert first.acts is second.acts
    assert first.engine is engine
    assert isinstance(first.jenkins, SourceStatus)
    assert live.stop()
    assert made[0].closed > 0


def test_hands_that_cannot_be_made_say_why_and_are_tried_again() -> None:
    tries: list[int] = []

    def make() -> Hands:
        tries.append(1)
        if len(tries) == 1:
            raise SourceError(SourceState.OFF, clean("There is no address."))
        return FakeHands().hands

    live, _ = with_hands(make)
    first = reached(live)
    assert isinstance(first, SourceError)
    assert first.reason == "There is no address."
    assert isinstance(reached(live), Reach)
    assert live.stop()


def test_a_watch_without_hands_says_so() -> None:
    live, _ = with_hands(None)
    found = reached(live)
    assert isinstance(found, SourceError)
    assert found.state is SourceState.OFF
    assert live.stop()


def test_leaving_waits_for_what_is_being_loaded() -> None:
    """Python would end that thread in the middle of a library, and the process with it."""
    begun, gate, made = threading.Event(), threading.Event(), threading.Event()

    def make() -> Hands:
        begun.set()
        gate.wait(20)
        made.set()
        return FakeHands().hands

    live, _ = with_hands(make)

    async def ask(_: object) -> None:
        await live.reach()

    live.attach(ask)
    assert begun.wait(20)
    threading.Thread(target=gate.set).start()
    live.stop()
    assert made.is_set()


def test_pictures_have_the_runs_that_build_and_container_are_of() -> None:
    jenkins = FakeJenkins(job("train", build("train", 12, None)))
    jenkins.known = {ref("train", 12): build("train", 12, None)}
    live = Watch(
        lambda: (FakeEngine(training(12)), FakeCompose(PROJECT)),
        host=clean("train-01"),
        demo=False,
        make_jenkins=lambda: jenkins,
    )
    live.start()
    until_sync(lambda: live.world is not None and [one.key for one in live.world.runs if one.build] == ["train#12"])
    assert live.world is not None
    assert [one.id for one in live.world.runs[0].containers] == [training(12).id]
    assert live.stop()


def test_runs_by_hand_are_there_without_a_jenkins() -> None:
    engine = FakeEngine(training(3, job_name="local"))
    live = Watch(lambda: (engine, FakeCompose(PROJECT)), host=clean("train-01"), demo=False, trainings=True)
    live.start()
    until_sync(lambda: live.world is not None and [one.key for one in live.world.runs] == ["local#3"])
    assert live.stop()
