"""What fills the disk, on its way from whoever reads it to the world."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from console.actions.docker.known import look
from console.feeds.watch import Watch
from console.model.disk_view import DiskFacts
from console.model.pruning import Usual
from console.model.source import SourceError, SourceState
from console.sources.reach import Reach
from console.text import clean
from tests.console.fake_hands import FakeHands
from tests.console.fakes import FakeCompose, FakeEngine, container
from tests.console.pruneworlds import known, volume
from tests.support.waiting import until_sync


@contextmanager
def watched(hands: FakeHands, *, begin: bool = True) -> Iterator[Watch]:
    async def read(reach: Reach) -> DiskFacts:
        return await look(reach, Usual())

    live = Watch(
        lambda: (FakeEngine(container("web")), FakeCompose()),
        host=clean("train-01"),
        demo=False,
        make_hands=lambda: hands.hands,
        read_disk=read,
    )
    if begin:
        live.start()
        until_sync(lambda: live.world is not None, "the first world")
    try:
        yield live
    finally:
        assert live.stop()


def told(live: Watch) -> DiskFacts | None:
    disk = live.world.disk if live.world is not None else None
    return disk.value if disk is not None else None


def test_it_is_read_for_whoever_looks_and_told_with_the_world() -> None:
    hands = FakeHands(known(volumes=[volume("data", size=7)]).disk)
    with watched(hands) as live:
        assert live.world is not None
        assert live.world.disk is None
        live.refresh()
        assert hands.did == []
        live.look_at_disk(True)
        until_sync(lambda: told(live), "the disk")
        facts = told(live)
        assert facts is not None
        assert {str(row.what): row.size for row in facts.rows} == {"volumes": 7, "containers": None}
        assert [one.why for one in facts.objects[clean("containers")]] == ["in use"], "containers are those of the Engine"
        assert hands.did == ["disk"]
        live.refresh()
        until_sync(lambda: hands.did == ["disk"] * 2, "a second reading")
        assert live.world.sources.keys() == {"docker", "compose"}, "it is no system of its own"


def test_a_disk_that_cannot_be_read_says_why_while_all_else_goes_on() -> None:
    hands = FakeHands()
    hands.failure = SourceError(SourceState.DENIED, clean("No permission for the disk."))
    with watched(hands) as live:
        live.look_at_disk(True)
        until_sync(lambda: live.world is not None and live.world.disk is not None and live.world.disk.status.reason, "a reason")
        assert live.world is not None
        assert live.world.disk is not None
        assert (live.world.disk.value, live.world.disk.status.state) == (None, SourceState.DENIED)
        assert live.world.sources["docker"].state is SourceState.OK


def test_who_looks_before_the_room_has_begun_is_not_forgotten() -> None:
    with watched(FakeHands(), begin=False) as live:
        live.start()
        live.look_at_disk(True)
        until_sync(lambda: told(live), "the disk")
