"""A Jenkins that the test's own `world` lives in, and the source that watches it and acts on it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from console.sources.jenkins.source import JenkinsServer as Source
from tests.support.jenkins.reaching import source_at
from tests.support.jenkins.server import JenkinsServer
from tests.support.jenkins.world import World


@pytest.fixture
def server(world: World) -> Iterator[JenkinsServer]:
    with JenkinsServer(world.controller) as server:
        yield server


@pytest.fixture
async def jenkins(server: JenkinsServer) -> AsyncIterator[Source]:
    async with source_at(server) as source:
        yield source
