"""Hop 2: the Engine."""

from __future__ import annotations

from collections.abc import Sequence

from console.doctor.findings import Finding, HopState, broken, elsewhere, good, together, warning
from console.doctor.visit import Visit
from console.model.container import Container
from console.model.daemon import Daemon
from console.model.machine_words import disk_state, most_urgent, outlook, used_of
from console.model.source import HangsError, RefusesError, SourceError, SourceState, SourceStatus, WrongAddressError
from console.model.state import StateClass

HOP = "docker"
DISK = "disk"
GROWS = "json-file"
_NAMED = 3


async def look(visit: Visit) -> Finding:
    tools = visit.instruments
    if isinstance(tools.docker, SourceStatus):
        return broken(HOP, "address", str(tools.docker.reason))
    try:
        engine, daemon = await tools.docker.engine.engine(), await visit.daemon()
        world = await visit.world()
    except SourceError as error:
        return broken(HOP, _wrong(error, visit), str(error.reason), user=str(tools.user))
    told = world.sources[HOP]
    if told.state is not SourceState.OK:
        # It has told its version: whoever does not list containers either may not be asked for them, or hangs at them.
        key = "refuses" if told.state is SourceState.DENIED else "hangs"
        return broken(HOP, key, f"Engine {engine.version} does not tell of its containers: {told.reason}")
    found = [_rotation(world.containers), _live_restore(daemon)]
    if engine.local:
        found.append(await _disk(visit, daemon))
    said = [one for one in found if one is not None]
    bad = [one for one in said if one.state in (HopState.BROKEN, HopState.WARNING)]
    room = "".join(f"; {one.seen}" for one in said if one not in bad and one.seen)
    first = good(f"Engine {engine.version}{room}")
    return together([*bad, first]) if bad else first


def _wrong(error: SourceError, visit: Visit) -> str:
    """The remedy for an Engine that did not answer."""
    match error:
        case RefusesError():
            return "refuses"
        case WrongAddressError():
            return "address"
        case _ if error.state is SourceState.DENIED:
            return "denied"
        case _ if visit.instruments.away is not None:
            return "there"
        case _:
            return "hangs" if isinstance(error, HangsError) else "down"


def _rotation(containers: Sequence[Container]) -> Finding | None:
    grow = sorted(
        {
            str(one.service or one.name)
            for one in containers
            if one.alive
            and not one.training
            and one.details is not None
            and one.details.log_driver == GROWS
            and one.details.log_rotates is None
        }
    )
    if not grow:
        return None
    more = f" and {len(grow) - _NAMED} more" if len(grow) > _NAMED else ""
    told = ", ".join(grow[:_NAMED])
    return warning(HOP, "rotation", f"logs grow for ever: {told}{more}", names=" ".join(grow[:_NAMED]))


def _live_restore(daemon: Daemon) -> Finding | None:
    return warning(HOP, "live-restore", "live-restore is off") if daemon.live_restore is False else None


async def _disk(visit: Visit, daemon: Daemon) -> Finding | None:
    machine = visit.instruments.machine
    if daemon.root is None or isinstance(machine, SourceStatus):
        return None
    try:
        reading = await machine.read({"docker": str(daemon.root)})
    except SourceError as error:
        return elsewhere(str(error.reason))
    disk = most_urgent([one for one in reading.disks if one.what == "docker"])
    if disk is None:
        return None
    told = ", ".join(filter(None, (f"disk {disk.full:.0f}%", outlook(disk), used_of(disk))))
    kind = disk_state(disk).kind
    if kind is StateClass.BROKEN:
        return broken(HOP, "full", told, about=DISK)
    return warning(HOP, "full", told, about=DISK) if kind is StateClass.ATTENTION else good(told)
