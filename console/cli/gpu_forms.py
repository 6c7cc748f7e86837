"""Cards as JSON; see `forms`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from console.cli.forms import disk, moment
from console.model import gpu_words
from console.model.gpu import Gpu, GpuWorld, Instance, Xid
from console.model.gpu_use import Holder, used_by
from console.model.machine import MachineReading
from console.model.world import World


def gpu(card: Gpu, world: World, gpus: GpuWorld, held: Sequence[Holder], now: datetime) -> dict[str, Any]:
    """One card. Memory in bytes, power in watts, clocks in MHz, temperature in degrees Celsius."""
    told = gpu_words.card_state(gpus, card, now)
    use = used_by(card, gpus, held, world.containers)
    remapped = card.remapped
    return {
        "index": card.index,
        "name": card.name,
        "uuid": card.uuid,
        "bus": card.bus,
        "class": told.kind.name.lower(),
        "state": told.word,
        "why": list(gpu_words.sentences(gpus, card, now)),
        "used_by": use.name if use is not None else None,
        "used_by_is_seen": not use.by_label if use is not None else None,
        "idle_since": moment(gpus.idle_since.get(card.index)),
        "utilisation": card.utilisation,
        "memory": {"used": card.memory_used, "total": card.memory_total, "reserved": card.memory_reserved},
        "temperature": card.temperature,
        "slows_at": card.slows_at,
        "power": card.power,
        "power_limit": card.power_limit,
        "clocks": {"sm": card.sm_clock, "memory": card.memory_clock},
        "slowdown": gpu_words.slowdown_names(card.slowdown),
        "ecc": {"corrected": card.ecc_corrected, "uncorrected": card.ecc_uncorrected},
        "remapped": {
            "correctable": remapped.correctable,
            "uncorrectable": remapped.uncorrectable,
            "pending": remapped.pending,
            "failed": remapped.failed,
        }
        if remapped is not None
        else None,
        "mig": card.mig,
        "instances": [_instance(one) for one in card.instances],
        "processes": None if card.processes is None else [_process(one) for one in held if one.card == card.index],
    }


def _instance(one: Instance) -> dict[str, Any]:
    return {
        "index": one.index,
        "id": one.id,
        "name": one.name,
        "uuid": one.uuid,
        "memory": {"used": one.memory_used, "total": one.memory_total},
    }


def _process(holder: Holder) -> dict[str, Any]:
    process, container = holder.process, holder.container
    return {
        "pid": process.pid,
        "memory": process.memory,
        "utilisation": process.utilisation,
        "instance": process.instance,
        "run": holder.name,
        "container": process.container,
        "project": container.label("mlops.project") if container is not None else None,
        "job": container.label("mlops.job") if container is not None else None,
        "build": _number(container.label("mlops.build")) if container is not None else None,
        "user": process.user,
        "command": process.command,
        "started_at": moment(process.started_at),
        "idle_since": moment(holder.idle_since),
        "hidden": process.hidden,
    }


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 10 else None


def xid(one: Xid) -> dict[str, Any]:
    return {"at": moment(one.at), "index": one.index, "number": one.number, "meaning": gpu_words.xid_words(one)}


def machine(reading: MachineReading) -> dict[str, Any]:
    """The machine. Bytes, percent; pressure is the share of the last ten seconds in which something waited."""
    return {
        "cores": reading.cores,
        "cpu": reading.cpu,
        "load": reading.load,
        "memory": {"used": reading.memory_used, "total": reading.memory_total},
        "swap": {"used": reading.swap_used, "total": reading.swap_total},
        "pressure": {"cpu": reading.cpu_pressure, "memory": reading.memory_pressure, "io": reading.io_pressure},
        "disks": [{"what": one.what, **disk(one)} for one in reading.disks],
    }
