"""Three hundred containers, thirty services: all are there, few are asked at once, and no loop is held."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from console.feeds.watch import Watch
from console.model.source import SourceState
from console.model.world import World
from console.sources.docker_engine import DockerEngine, Endpoint
from console.text import clean
from tests.console.fakes import FakeCompose
from tests.console.ui.screenapp import ENV, screen_text
from tests.support.standin_engine import StandinEngine
from tests.support.waiting import until, until_sync


@pytest.fixture
def crowd() -> Iterator[StandinEngine]:
    with StandinEngine() as engine:
        yield engine


def watch_of(crowd: StandinEngine) -> Watch:
    """What does not come in time is asked again, and what is asked is counted here: a busy machine may take its time."""
    return Watch(
        lambda: (DockerEngine(Endpoint("unix", path=crowd.socket), 60.0), FakeCompose()),
        host=clean("full"),
        demo=False,
        tunnel=True,
    )


def known(world: World | None) -> bool:
    """Whether every container's details are there."""
    return world is not None and len(world.containers) == 300 and all(one.details for one in world.containers)


def test_all_are_there_with_their_details(crowd: StandinEngine) -> None:
    watch = watch_of(crowd)
    watch.start()
    try:
        until_sync(lambda: known(watch.world), "the details of three hundred containers")
        world = watch.world
        assert world is not None
        assert world.sources["docker"].state is SourceState.OK
        assert len(world.services) == 30
        assert {len(one.containers) for one in world.services} == {4}
        assert len(world.others) == 180
        once = [target for target in crowd.asked if target.endswith("/json") and "/containers/" in target]
        assert len(once) == len(set(once)) == 300
    finally:
        watch.stop()
    assert watch.failure is None


def test_a_storm_of_events_asks_for_each_container_a_few_times_only(crowd: StandinEngine) -> None:
    watch = watch_of(crowd)
    watch.start()
    try:
        until_sync(lambda: known(watch.world), "the details of three hundred containers")
        until_sync(lambda: any("/events" in target for target in crowd.asked), "somebody to follow the events")
        before = len(crowd.asked)
        for _ in range(5):
            for number in range(300):
                crowd.tell(number, "pause")
        until_sync(lambda: watch.world is not None and len(watch.world.events) == 200, "the newest events")
        until_sync(lambda: len(crowd.asked) >= before + 300, "all to be asked about again")
        assert len(crowd.asked) - before < 2 * 5 * 300
    finally:
        watch.stop()
    assert watch.failure is None


async def test_the_screen_shows_them_and_attends_to_what_it_shows(crowd: StandinEngine) -> None:
    from console.ui.app import ConsoleApp, Wishes

    watch = watch_of(crowd)
    watch.start()
    app = ConsoleApp(watch, host=clean("full"), demo=False, wishes=Wishes(glyphs="unicode"), env=ENV)
    try:
        async with app.run_test(size=(120, 36)) as pilot:
            await until(lambda: known(app.world), "the details of three hundred containers")
            await until(lambda: "svc-00" in screen_text(app), "the first service on the screen")
            await pilot.press("G")
            await until(lambda: "other-299" in screen_text(app), "the last container on the screen")
            streams = {target for target in crowd.asked if "/stats" in target}
            assert 0 < len(streams) < 100
    finally:
        watch.stop()
    assert watch.failure is None
