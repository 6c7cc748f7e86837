"""An Engine of a test's own module, and acts on it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from console.sources.docker_acts import DockerActs
from console.sources.docker_engine import Endpoint
from tests.support import images
from tests.support.engine import Engine
from tests.support.images import BUSYBOX

Run = Callable[..., str]


@pytest.fixture(scope="module")
def acted_on(engine: Engine) -> Iterator[Engine]:
    """An Engine with busybox that one module fills and empties."""
    with images.own_engine() as own:
        yield own


@pytest.fixture
async def acts(acted_on: Engine) -> AsyncIterator[DockerActs]:
    acts = DockerActs(Endpoint("unix", path=acted_on.socket))
    yield acts
    await acts.aclose()


@pytest.fixture
def run(acted_on: Engine) -> Iterator[Run]:
    """`run(script, *options)` starts a container and gives its id; all of them are removed afterwards."""
    made: list[str] = []

    def start(script: str = "exec sleep 1000", *options: str) -> str:
        made.append(acted_on.docker("run", "-d", "--network=none", *options, BUSYBOX, "sh", "-c", script).strip())
        return made[-1]

    yield start
    left = acted_on.docker("ps", "-aq", "--no-trunc").split()
    if doomed := [one for one in made if one in left]:
        acted_on.docker("rm", "--force", "--volumes", *doomed)


def as_nobody() -> None:
    """Be nobody from now on, as far as files and sockets go; `as_before` ends it."""
    os.setresuid(-1, 65534, -1)


def as_before() -> None:
    os.setresuid(-1, 0, -1)
