"""The demo's cards and machine: always the same, in step with its containers, and as a real card was recorded."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from console.demo import Clock, FrozenClock, demo_gpus, demo_machine, demo_sources
from console.feeds.curves import WINDOWS
from console.model.gpu import Gpu, GpuReading, Window
from console.model.gpu_words import card_state, problems
from console.model.machine import MachineReading
from tests.console.demo.stepping import BEGAN, everything, sources_at
from tests.console.fake_gpus import MIB, recorded

FOLDERS = {"docker": "/var/lib/docker"}


def clock(elapsed: float) -> Clock:
    return FrozenClock(BEGAN + timedelta(seconds=elapsed), elapsed)


async def cards(elapsed: float, seed: int = 7) -> tuple[Gpu, ...]:
    return (await demo_gpus(clock(elapsed), seed).read()).cards


async def machine(elapsed: float, seed: int = 7) -> MachineReading:
    return await demo_machine(clock(elapsed), seed).read(FOLDERS)


async def test_the_same_seed_and_time_give_the_same_cards_and_machine() -> None:
    for elapsed in (0.0, 24.0, 1000.25):
        assert await cards(elapsed) == await cards(elapsed)
        assert demo_gpus(clock(elapsed)).past() == demo_gpus(clock(elapsed)).past()
        assert await machine(elapsed) == await machine(elapsed)
    assert await cards(60.0, 7) != await cards(60.0, 8)
    assert await machine(60.0, 7) != await machine(60.0, 8)


async def test_processes_are_those_of_the_containers_that_train_there() -> None:
    engine, _ = sources_at(30.0)
    containers = {one.id: one for one in (await everything(engine)).values()}
    seen = {}
    for card in await cards(30.0):
        for process in card.processes or ():
            if process.container is None:
                continue
            one = containers[process.container]
            assert one.details is not None
            assert (process.pid, process.started_at) == (one.details.pid, one.details.started_at)
            assert process.command == one.details.command
            assert one.labels["mlops.gpu"] == str(card.index)  # type: ignore[index]  # a plain string finds a clean one
            seen[card.index] = one.name
    assert seen == {0: "mlops-project-a-128", 1: "mlops-vision-large-126"}


async def test_one_card_works_and_the_other_is_held_beside_a_notebook() -> None:
    busy, held = await cards(0.0)
    assert 90 <= (busy.utilisation or 0) <= 100
    assert 590 <= (busy.power or 0) <= 640
    assert (held.utilisation, held.temperature, held.sm_clock) == (0, 38, 1980)
    assert held.processes is not None
    notebook = held.processes[1]
    assert (notebook.user, notebook.command, notebook.container) == ("op2", "jupyter-kernel", None)
    assert notebook.memory == 512 * MIB
    for one in (busy, held):
        assert one.memory_used == sum(process.memory or 0 for process in one.processes or ())
    assert round((busy.memory_used or 0) / 2**30) == 61
    assert round((held.memory_used or 0) / 2**30) == 44


async def test_what_wants_a_person() -> None:
    gpus = demo_gpus(clock(0.0))
    world = gpus.past()
    assert [str(card_state(world, card, BEGAN).word) for card in world.reading.cards] == ["working", "idle"]
    assert [str(one.sentence) for one in problems(world, BEGAN)] == ["GPU 1: 44 GiB held, 0% for 11m"]
    assert world.reading == await gpus.read()


async def test_values_are_those_of_a_real_card() -> None:
    """Clocks and watts without work, with it, and at the power cap; never more than a card may draw."""
    real = [card for _, card in recorded()]
    full = max(card.power or 0.0 for card in real)
    idle = [card.power or 0.0 for card in real if card.utilisation == 0]
    history = demo_gpus(clock(100.0)).past().histories
    watts = [one for window in history.values() for card in window.values() for one in card.power if one is not None]
    assert max(watts) <= full + 1
    assert 69.0 <= min(watts) <= 71.0
    held = history[Window.MINUTE][1].power
    assert all(one is not None and min(idle) - 1 <= one <= max(idle) + 1 for one in held)
    heat = [one for card in history[Window.DAY].values() for one in card.temperature if one is not None]
    assert min(heat) >= 25
    assert max(heat) <= 73


async def test_epochs_can_be_seen() -> None:
    found = [(await cards(float(second)))[0].utilisation or 0 for second in range(130)]
    assert 8 <= sum(value < 50 for value in found) <= 12
    assert sum(value > 90 for value in found) > 110


async def test_the_past_joins_the_present() -> None:
    early, late = demo_gpus(clock(0.0)).past(), demo_gpus(clock(15.0 * 60)).past()
    for window, step, size in WINDOWS:
        for index, history in early.histories[window].items():
            assert history.step == step
            lengths = {len(history.utilisation), len(history.memory), len(history.power), len(history.temperature)}
            assert lengths == {size}
            assert None not in history.utilisation
            if window is Window.HOUR:
                assert history.power[60:] == pytest.approx(late.histories[window][index].power[:-60])


async def test_the_hour_shows_what_the_containers_did() -> None:
    """project-a began 16 minutes ago; vision-large has done nothing for eleven."""
    hour = demo_gpus(clock(0.0)).past().histories[Window.HOUR]
    assert set(hour[0].utilisation[: 4 * 43]) == {0.0}
    assert min(one or 0 for one in hour[0].utilisation[-4 * 15 :]) > 30
    assert set(hour[1].utilisation[-4 * 10 :]) == {0.0}
    assert min(one or 0 for one in hour[1].utilisation[: 4 * 48]) > 30


async def test_the_machine() -> None:
    for elapsed in range(0, 600, 7):
        found = await machine(float(elapsed))
        assert found.cpu is not None
        assert found.memory_used is not None
        assert found.memory_total is not None
        assert 38.0 <= found.cpu <= 44.0
        assert 37.0 <= found.memory_used / found.memory_total * 100 <= 39.0
        (disk,) = found.disks
        assert (disk.what, disk.path, disk.total) == ("docker", "/var/lib/docker", 1_840_000_000_000)
        assert f"{disk.full:.0f}" == "91"
        assert disk.used // 10_000_000_000 == 168


async def test_the_disk_fills() -> None:
    first, later = (await machine(0.0)).disks[0], (await machine(3600.0)).disks[0]
    per_day = (later.used - first.used) * 24
    assert 5.5 <= first.free / per_day <= 6.5
    assert (await machine(86400.0 * 30)).disks[0].free == 0


async def test_a_machine_that_is_asked_about_nothing_tells_of_dockers_disk() -> None:
    assert [disk.what for disk in (await demo_machine(clock(0.0)).read({})).disks] == ["docker"]


async def test_the_machines_past_ends_now() -> None:
    past = demo_machine(clock(50.0)).past()
    found = await machine(50.0)
    assert (past.cpu[-1], past.memory[-1]) == (found.cpu, found.memory_used)
    assert len(past.cpu) == len(past.memory) == 300


async def test_demo_sources_and_cards_share_a_clock() -> None:
    shared = clock(12.0)
    engine, _ = demo_sources(clock=shared)
    gpus, containers = await asyncio.gather(demo_gpus(shared).read(), everything(engine))
    assert isinstance(gpus, GpuReading)
    assert {process.container for card in gpus.cards for process in card.processes or ()} - {None} <= {
        one.id for one in containers.values()
    }
