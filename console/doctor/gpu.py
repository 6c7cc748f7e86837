"""Hop 10: the driver, NVIDIA's toolkit in the Engine, and a container that sees the cards."""

from __future__ import annotations

from console.doctor.findings import Finding, broken, elsewhere, good, off
from console.doctor.visit import Visit
from console.model.container import Container
from console.model.gpu import GpuReading
from console.model.source import SourceError, SourceState, SourceStatus
from console.model.words import counted
from console.text import Clean

HOP = "gpu"
_RUNTIME, _DEVICES = "nvidia", "nvidia.com/"
_OURS = "mlops/"


async def look(visit: Visit) -> Finding:
    tools = visit.instruments
    if isinstance(tools.gpus, SourceStatus):
        return elsewhere(str(tools.gpus.reason)) if tools.away is not None else off(str(tools.gpus.reason))
    try:
        reading = await tools.gpus.read()
    except SourceError as error:
        return off(str(error.reason)) if error.state is SourceState.OFF else broken(HOP, "driver", str(error.reason))
    if not reading.cards:
        return off(f"driver {reading.driver}, no card")
    lost = [one for one in reading.cards if one.lost is not None]
    if lost:
        return broken(HOP, "lost", f"GPU {lost[0].index} tells nothing any more: {lost[0].lost}")
    told = f"{counted(len(reading.cards), 'card')}, driver {reading.driver}"
    if visit.leads_to("docker") is not None:
        return good(f"{told}; Docker cannot be asked about containers")
    return await _containers(visit, reading, told)


async def _containers(visit: Visit, reading: GpuReading, told: str) -> Finding:
    docker = visit.docker
    try:
        daemon = await visit.daemon()
        containers = (await visit.world()).containers
    except SourceError as error:
        return visit.without_docker(error)
    if _RUNTIME not in daemon.runtimes and not any(one.startswith(_DEVICES) for one in daemon.devices):
        return broken(HOP, "toolkit", f"{told}; the Engine knows no NVIDIA toolkit")
    if _works(reading, containers):
        return good(f"{told}; a container works on them")
    image = _image(containers)
    if image is None:
        return good(f"{told}; no image is here to try a container with")
    if docker.trial is None:
        return good(f"{told}; read-only: no container was tried")
    try:
        seen = await docker.trial.sees(str(image))
    except SourceError as error:
        return broken(HOP, "container", f"{told}; a container of {image} does not see them: {error.reason}")
    if len(seen) < len(reading.cards):
        return broken(HOP, "container", f"{told}; a container of {image} sees {len(seen)} of them")
    return good(f"{told}; a container sees them")


def _works(reading: GpuReading, containers: tuple[Container, ...]) -> bool:
    """Whether a process in a container holds memory of a card: then containers see them."""
    ids = {one.id for one in containers}
    return any(process.container in ids for card in reading.cards for process in card.processes or ())


def _image(containers: tuple[Container, ...]) -> Clean | None:
    """An image that is here for sure, because a container was made of it: a training's before the platform's own."""
    trainings = [one for one in containers if one.training]
    ours = [one for one in containers if one.image.startswith(_OURS) and not one.training]
    newest = max(trainings, key=lambda one: one.created, default=None) or next(iter(ours), None)
    return newest.image_id if newest is not None else None
