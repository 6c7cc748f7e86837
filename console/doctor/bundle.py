"""What a bug report needs besides what the commands tell: versions, and the ends of logs. And every secret that is known."""

from __future__ import annotations

import asyncio
import json
import platform
from collections.abc import Mapping
from contextlib import aclosing
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from console.doctor.instruments import Instruments
from console.doctor.visit import Visit
from console.logs.join import Joiner
from console.model import secretnames
from console.model.container import Container
from console.model.source import SourceError
from console.model.world import World
from console.sources.protocols import ContainerEngine
from console.text import clean

LINES = 300
"""Of each log, the newest."""

TRAININGS = 5
LOG_SECONDS = 10.0
PACKAGES = (
    *("mlops-console", "textual", "rich", "click", "httpx", "docker"),
    *("google-re2", "msgspec", "nvidia-ml-py", "python-jenkins"),
)


async def world_of(visit: Visit) -> World | None:
    """Services and containers; None where Docker cannot be asked."""
    try:
        return await visit.world()
    except SourceError:
        return None


def versions(tools: Instruments, world: World | None) -> Mapping[str, object]:
    """Of the console, of what it is made with, of this machine, and of the Engine."""
    return {
        "packages": {name: _version(name) for name in PACKAGES},
        "python": platform.python_version(),
        "system": platform.platform(),
        "host": tools.host,
        "demo": tools.demo,
        "engine": str(world.engine.version) if world is not None and world.engine is not None else None,
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


async def secrets(visit: Visit, world: World | None, env: Mapping[str, str]) -> set[str]:
    """The values of all secrets that can be known here: of this program's variables, of those of containers, of the Compose
    file's and the console's own files."""
    found = {value for name, value in env.items() if secretnames.secret(name)}
    for container in world.containers if world is not None else ():
        variables = container.details.environment if container.details is not None else ()
        found |= {str(one.value) for one in variables if secretnames.secret(one.name)}
        found |= {str(value) for name, value in container.labels.items() if secretnames.secret(name)}
    for path in {*visit.instruments.keys, *await _files(visit)}:
        try:
            found |= _values((await visit.instruments.files.text(path)).decode("utf-8", "replace"))
        except SourceError:
            continue  # what nobody can read here nobody can have written here
    return found


def _values(text: str) -> set[str]:
    """The secret that a file is, or those that it holds by their names, as `login` keeps one."""
    try:
        told = json.loads(text)
    except ValueError:
        return {text}
    if not isinstance(told, dict):
        return {text}
    return {str(value) for name, value in told.items() if isinstance(value, str) and secretnames.secret(str(name))}


async def _files(visit: Visit) -> set[Path]:
    try:
        project = await visit.project()
    except SourceError:
        return set()
    return {Path(file) for name, file in project.secrets if not name.endswith(".pub")} if project is not None else set()


async def logs(visit: Visit, world: World | None) -> Mapping[str, str]:
    """The ends of the logs of services and of the newest trainings, by the container's name. What cannot be read says why."""
    if world is None:
        return {}
    services = [one for service in world.services for one in service.containers]
    trainings = sorted((row.container for row in world.trainings), key=lambda one: one.created, reverse=True)
    wanted = [*services, *trainings[:TRAININGS]]
    engine = visit.docker.engine
    told = await asyncio.gather(*(_log(engine, one) for one in wanted))
    return {str(one.name): text for one, text in zip(wanted, told, strict=True)}


async def _log(engine: ContainerEngine, container: Container) -> str:
    entries = []
    try:
        async with asyncio.timeout(LOG_SECONDS), aclosing(engine.log(container, tail=LINES)) as log:
            async for some in log:
                entries += some
    except SourceError as error:
        return f"{error.reason}\n"
    except TimeoutError:
        return f"The log was not read within {LOG_SECONDS:g}s.\n"
    joiner = Joiner(same_time=True)
    lines = joiner.feed(entries)
    return "".join(f"{line[2].decode('utf-8', 'replace')}\n" for line in lines)


def variables(env: Mapping[str, str]) -> list[str]:
    """Names of the variables that the console looks at; not what they hold."""
    known = ("MLOPS_", "DOCKER_", "COMPOSE_", "HF_", "XDG_", "SSL_", "LC_")
    names = {name for name in env if name.startswith(known) or name in ("LANG", "TERM", "NO_COLOR", "COLORTERM")}
    return [str(clean(name)) for name in sorted(names)]
