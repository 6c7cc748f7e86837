"""A server with cards, made by hand: one at work, one that is held and idle, one that has fallen off the bus."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from console.feeds.assemble import assemble
from console.model.container import Container
from console.model.gpu import Gpu, GpuHistory, GpuReading, GpuWorld, Instance, Slowdown, Window
from console.model.machine import Disk, MachineHistory, MachineReading
from console.model.source import Snapshot, SourceState, SourceStatus
from console.model.world import World
from console.text import clean
from tests.console.fake_gpus import GIB, card, process
from tests.console.fakes import NOW, container, inspection

OK = SourceStatus(SourceState.OK, None, NOW - timedelta(hours=1), NOW)
NO_DRIVER = SourceStatus(SourceState.OFF, clean("No NVIDIA driver here. Trainings use the CPU."))
AWAY = SourceStatus(SourceState.OFF, clean("Not available from here. Use --host train-01."))
TRAINER, STALLED, NOTEBOOK = 41822, 39107, 40990
IDLE = NOW - timedelta(minutes=11)


def training(project: str, build: int, gpu: str) -> Container:
    """A training's container, running."""
    labels = {
        "mlops.managed": "true", "mlops.project": project, "mlops.build": str(build), "mlops.job": "train", "mlops.gpu": gpu,
        "mlops.purpose": "train",
    }  # fmt: skip
    return container(f"mlops-{project}-{build}", labels=labels, details=inspection(started_at=NOW - timedelta(hours=1)))


BUSY, HELD = training("project-a", 128, "0"), training("vision-large", 7, "1")
CONTAINERS = (BUSY, HELD)


def cards() -> tuple[Gpu, ...]:
    """Three of them."""
    trainer = process(TRAINER, 60 * GIB, 97, container=BUSY.id, user=clean("trainer"), command=clean("python -m src.train"))
    stalled = process(STALLED, 43 * GIB, 0, container=HELD.id, user=clean("trainer"), command=clean("python train.py"))
    notebook = process(NOTEBOOK, GIB // 2, 0, user=clean("op2"), command=clean("jupyter-kernel"))
    return (
        card(
            0,
            utilisation=97,
            memory_used=61 * GIB,
            temperature=71,
            power=612.0,
            sm_clock=1980,
            memory_clock=2619,
            slowdown=Slowdown.POWER_CAP,
            processes=(trainer,),
        ),
        card(1, memory_used=44 * GIB, temperature=38, power=127.0, processes=(stalled, notebook)),
        card(2, lost=clean("it has fallen off the bus"), utilisation=None, memory_used=None, power=None, temperature=None),
    )


def history(points: int, step: float, *, busy: bool) -> GpuHistory:
    """A past of so many readings."""
    wave = [50 + 45 * math.sin(number / 7) if busy else 0.0 for number in range(points)]
    return GpuHistory(
        step,
        tuple(wave),
        tuple(40.0 * GIB for _ in wave),
        tuple(100 + 5 * value for value in wave),
        tuple(36 + value / 3 for value in wave),
    )


def gpu_world(*shown: Gpu, blind: str | None = None) -> GpuWorld:
    """The cards with a past of an hour."""
    chosen = shown or cards()
    whole = {Window.MINUTE: (60, 1.0), Window.HOUR: (240, 15.0), Window.DAY: (120, 360.0)}
    return GpuWorld(
        GpuReading(clean("580.159.04"), clean("13.0"), chosen, clean(blind) if blind is not None else None),
        {
            window: {one.index: history(points, step, busy=bool(one.utilisation)) for one in chosen}
            for window, (points, step) in whole.items()
        },
        {one.index: IDLE for one in chosen if one.utilisation == 0 and one.processes},
        {(1, STALLED): IDLE, (1, NOTEBOOK): NOW - timedelta(hours=2)},
    )


def eight() -> GpuWorld:
    """As many cards as a large server has, the last of them cut into instances."""
    busy = [replace(cards()[0], index=index, processes=()) for index in range(7)]
    parts = tuple(
        Instance(number, 7 + number, clean(f"{number + 1}g.{10 * (number + 1)}gb"), clean(f"MIG-{number}"), GIB, 10 * GIB)
        for number in range(2)
    )
    return gpu_world(*busy, replace(cards()[0], index=7, utilisation=None, mig=True, instances=parts, processes=()))


def machine(full: int = 42) -> MachineReading:
    """A machine whose disk is so full, in percent."""
    total = 1_840_000_000_000
    used = total * full // 100
    disk = Disk(clean("docker"), clean("/var/lib/docker"), total, used, total - used, 1000, 900)
    return MachineReading(64, 41.2, 25.3, 256 * GIB, 97 * GIB, 0, 0, 1.0, 0.0, 2.0, (disk,))


def world(
    gpus: Snapshot[GpuWorld] | GpuWorld | None = None,
    *,
    containers: Sequence[Container] = CONTAINERS,
    full: int = 42,
) -> World:
    """The server; without `gpus` it has the three cards."""
    told = gpus if isinstance(gpus, Snapshot) else Snapshot(gpus or gpu_world(), OK)
    return assemble(
        host=clean("train-01"),
        demo=False,
        now=NOW,
        engine=None,
        docker=Snapshot(tuple(containers), OK),
        compose=None,
        usage={},
        events=(),
        gpus=told,
        machine=Snapshot(machine(full), OK),
        machine_history=MachineHistory(2.0, (41.0,) * 300, (97.0 * GIB,) * 300),
    )
