"""The live feeds on the demo's world."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from console.demo import demo_sources
from console.feeds.once import gather
from console.feeds.watch import Watch
from console.model.source import SourceState
from console.text import clean
from tests.console.demo.stepping import SteppingClock, sources_at
from tests.support.waiting import until_sync


@pytest.fixture
def clock() -> SteppingClock:
    # The watch looks at the wall clock: for it, all of the demo's story lies in the past.
    return SteppingClock(datetime.now(UTC) - timedelta(hours=1))


@pytest.fixture
def live(clock: SteppingClock) -> Iterator[Watch]:
    watch = Watch(lambda: demo_sources(clock=clock), host=clean("demo-01"), demo=True, tunnel=True)
    watch.start()
    yield watch
    assert watch.stop()
    assert watch.failure is None


def word(live: Watch, service: str) -> str:
    """State and cause of a service as the newest picture shows them; empty while there is none."""
    if live.world is None:
        return ""
    found = next((one for one in live.world.services if one.name == service), None)
    return f"{found.state.word}: {found.why}" if found else ""


def show(live: Watch, service: str, expected: str) -> None:
    """Wait for it; of what ends in three dots only the beginning counts."""
    begins = expected.removesuffix("...")

    def shown() -> bool:
        now = word(live, service)
        return now == expected or (begins != expected and now.startswith(begins))

    until_sync(shown, f"{service} {expected!r}")


def test_a_watch_follows_the_whole_cycle(clock: SteppingClock, live: Watch) -> None:
    show(live, "portainer", "unhealthy: connection refused on :9000")
    until_sync(lambda: clock.settled)
    story = (
        (24.0, "metrics", "restarting: out of memory, limit 128 MiB, 2 restarts"),
        (30.0, "metrics", "running: "),
        (39.5, "search", "healthy: "),
        (100.0, "frp_client", "unhealthy: no connection to frps.example.org: i/o timeout"),
        (130.0, "frp_client", "healthy: logged in for ..."),
        (145.0, "search", "restarting: exit 1, 7 restarts"),
        (150.0, "search", "starting: "),
        (180.0 + 39.5, "search", "healthy: "),
    )
    for elapsed, service, expected in story:
        clock.move_to(elapsed)
        show(live, service, expected)
    until_sync(lambda: live.world is not None and [one.action for one in live.world.events[:2]] == ["health_status", "start"])
    assert live.world is not None
    assert live.world.demo


def test_a_watch_shows_figures_of_the_rows_in_sight(live: Watch) -> None:
    until_sync(lambda: live.world is not None and live.world.trainings)
    assert live.world is not None
    training = next(row.container for row in live.world.trainings if row.container.name == "mlops-project-a-128")
    live.show(frozenset({training.id}), training.id)
    until_sync(lambda: live.world is not None and training.id in live.world.usage)
    assert set(live.world.usage) == {training.id}
    cpu = live.world.usage[training.id].now.cpu
    assert cpu is not None
    assert 340.0 < cpu < 420.0


async def test_a_command_reads_the_demo_once() -> None:
    seen = await gather(*sources_at(0.0), host=clean("demo-01"), demo=True)
    assert {name: status.state for name, status in seen.sources.items()} == {
        "docker": SourceState.OK,
        "compose": SourceState.OK,
    }
    assert len(seen.containers) == 20
