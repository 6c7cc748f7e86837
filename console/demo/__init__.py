"""An invented server to look around in. Deterministic, alive, and it touches nothing outside of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.demo.clock import Clock, FrozenClock, RunningClock
from console.demo.compose import DemoCompose
from console.demo.engine import DemoEngine

if TYPE_CHECKING:
    from console.demo.gpus import DemoGpus
    from console.demo.jenkins import DemoJenkins
    from console.demo.machine import DemoMachine
    from console.demo.past import DemoPast
    from console.doctor.instruments import Instruments
    from console.model.source import SourceStatus
    from console.settings import Loaded, SettingsError
    from console.sources.protocols import Gpus, Machine
    from console.sources.reach import Reach
    from console.text import Clean

__all__ = [
    "Clock",
    "DemoCompose",
    "DemoEngine",
    "FrozenClock",
    "RunningClock",
    "demo_gpus",
    "demo_instruments",
    "demo_jenkins",
    "demo_machine",
    "demo_past",
    "demo_reach",
    "demo_sources",
]


def demo_gpus(clock: Clock | None = None, seed: int = 7) -> DemoGpus:
    """The demo's GPUs. They work for the containers that `demo_sources` has with the same clock."""
    from console.demo.gpus import DemoGpus

    return DemoGpus(seed, clock or RunningClock())


def demo_instruments(
    loaded: Loaded | SettingsError, host: Clean, reach: Reach, gpus: Gpus | SourceStatus, machine: Machine | SourceStatus
) -> Instruments:
    """What the doctor looks with in the demo."""
    from console.demo.doctor import instruments

    return instruments(loaded, host, reach, gpus, machine)


def demo_jenkins(clock: Clock | None = None) -> DemoJenkins:
    """The demo's Jenkins. The same clock gives the same builds."""
    from console.demo import ci

    return ci.demo_jenkins(clock or RunningClock())


def demo_machine(clock: Clock | None = None, seed: int = 7, of: Reach | None = None) -> DemoMachine:
    """The demo's processor, memory and disk. What is pruned by way of `of` is free here."""
    from console.demo.disk import DemoDisk
    from console.demo.machine import DemoMachine

    disk = of.disk if of is not None else None
    return DemoMachine(seed, clock or RunningClock(), disk.freed if isinstance(disk, DemoDisk) else lambda: 0)


def demo_past(clock: Clock | None = None, seed: int = 7) -> DemoPast:
    """What the demo remembers. The same clock as that of its other systems gives the same story."""
    from console.demo.past import DemoPast

    clock = clock or RunningClock()
    return DemoPast(clock, demo_gpus(clock, seed), demo_machine(clock, seed))


def demo_reach(clock: Clock | None = None, seed: int = 7) -> Reach:
    """All of the demo's server that something can be done to."""
    from console.demo.deeds import Deeds
    from console.demo.disk import DemoDisk
    from console.demo.hands import DemoHands
    from console.demo.kept import DemoFolders
    from console.sources.reach import Reach

    clock, deeds = clock or RunningClock(), Deeds()
    engine, disk = DemoEngine(seed, clock, deeds), DemoDisk(seed, clock)
    hands = DemoHands(engine, disk, clock, deeds)
    return Reach(engine, disk, hands, DemoCompose(), hands, demo_jenkins(clock), DemoFolders(clock))


def demo_sources(seed: int = 7, clock: Clock | None = None) -> tuple[DemoEngine, DemoCompose]:
    """The demo's Engine and Compose file. The same seed and the same time since the world began give the same world."""
    return DemoEngine(seed, clock or RunningClock()), DemoCompose()
