"""Cards and machine as part of the world that a watch publishes, and of what a command reads once."""

from __future__ import annotations

from collections.abc import Mapping

from console.feeds.machine_feed import begin_machine
from console.feeds.once import gather
from console.feeds.watch import Watch
from console.model.machine import MachineReading
from console.model.source import SourceError, SourceState, SourceStatus
from console.model.state import StateClass
from console.model.world import World
from console.sources.protocols import Gpus, Machine
from console.text import clean
from tests.console.fake_gpus import FakeGpus, held, reading
from tests.console.fakes import FakeCompose, FakeEngine, container
from tests.console.feeds.test_watch import PROJECT
from tests.console.ui.gpuworlds import machine
from tests.support.waiting import until_sync


class Cards(FakeGpus):
    closed = False

    async def aclose(self) -> None:
        self.closed = True


class Server:
    """A machine whose disks are told as they were asked for."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.closed = False

    async def read(self, folders: Mapping[str, str]) -> MachineReading:
        self.asked.append(dict(folders))
        return machine(full=91)

    async def aclose(self) -> None:
        self.closed = True


def with_machine(cards: Gpus | SourceStatus, server: Machine | SourceStatus) -> Watch:
    return Watch(
        lambda: (FakeEngine(container("web", service="web")), FakeCompose(PROJECT)),
        host=clean("train-01"),
        demo=False,
        make_gpus=lambda: cards,
        make_machine=lambda: server,
    )


def test_cards_and_machine_are_part_of_the_world_and_closed_at_the_end() -> None:
    cards, server = Cards(reading(held())), Server()
    live = with_machine(cards, server)
    worlds: list[World] = []
    live.start()
    live.listen(worlds.append)
    until_sync(lambda: worlds and worlds[-1].gpu is not None and {"docker": "/var/lib/docker"} in server.asked)
    until_sync(lambda: worlds[-1].machine is not None)
    newest = worlds[-1]
    assert newest.gpu is not None
    assert [card.index for card in newest.gpu.reading.cards] == [0]
    assert (newest.sources["gpu"].state, newest.sources["disk"].state) == (SourceState.OK, SourceState.OK)
    assert newest.marks["disk"].word == "91%"
    assert newest.machine_history is not None
    assert live.stop()
    assert cards.closed
    assert server.closed


def test_a_driver_that_fails_is_one_system_of_several() -> None:
    cards, server = Cards(SourceError(SourceState.UNREACHABLE, clean("The NVIDIA driver has not answered for 5s."))), Server()
    live = with_machine(cards, server)
    live.start()
    until_sync(lambda: live.world is not None and live.world.services and live.world.sources["gpu"].reason)
    assert live.world is not None
    assert [(one.kind, one.target) for one in live.world.problems if one.target == "gpu"] == [(StateClass.BROKEN, "gpu")]
    assert live.world.sources["docker"].state is SourceState.OK
    assert live.stop()


def test_what_cannot_be_asked_from_here_says_so_for_ever() -> None:
    away = SourceStatus(SourceState.OFF, clean("Not available from here. Use --host train-01."))
    live = with_machine(away, away)
    live.start()
    until_sync(lambda: live.world is not None and live.world.services)
    live.refresh()
    live.look_at_gpus(closely=True)
    assert live.world is not None
    assert (live.world.sources["gpu"], live.world.sources["disk"]) == (away, away)
    assert (live.world.gpu, live.world.machine, live.world.machine_history) == (None, None, None)
    assert not [one for one in live.world.problems if one.target in ("gpu", "disk")]
    assert live.stop()


async def test_a_command_reads_cards_and_machine_once() -> None:
    cards, server = Cards(reading(held())), Server()
    begun = await begin_machine(server)
    world = await gather(
        FakeEngine(), FakeCompose(PROJECT), host=clean("train-01"), demo=False, gpus=cards, machine=begun
    )  # fmt: skip
    assert (cards.asked, server.asked) == (1, [{}, {"docker": "/var/lib/docker"}])
    assert world.gpu is not None
    assert world.marks["disk"].word == "91%"


async def test_a_command_reads_the_machine_without_docker() -> None:
    engine, server = FakeEngine(), Server()
    engine.failure = SourceError(SourceState.DENIED, clean("No permission for /var/run/docker.sock."))
    begun = await begin_machine(server)
    world = await gather(engine, None, host=clean("train-01"), demo=False, machine=begun)
    assert server.asked == [{}, {}]
    assert world.sources["docker"].state is SourceState.DENIED
    assert world.machine is not None
