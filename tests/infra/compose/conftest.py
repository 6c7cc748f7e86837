"""One platform for all tests of a process: built, started with a public frps outside of it, and healthy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.support import skips
from tests.support.agentbase import NoBaseError
from tests.support.engine import Engine, NoEngineError
from tests.support.frps import Frps
from tests.support.gotools import NoGoError
from tests.support.platform import Platform
from tests.support.server import Server


@dataclass(frozen=True, slots=True)
class Running:
    """The platform, and the public end of its tunnel."""

    platform: Platform
    frps: Frps


@pytest.fixture(scope="session")
def platform_or_reason(composing_or_reason: Engine | str) -> Iterator[Running | str]:
    """Tried once for each process."""
    if isinstance(composing_or_reason, str):
        yield composing_or_reason
        return
    try:
        server = Server()
    except NoEngineError as error:
        yield skips.NO_NETWORKS.format(why=error)
        return
    try:
        platform = Platform(server)
        frps = Frps(server, platform.keys, platform.secrets / "frp-token")
    except NoGoError as error:
        server.close()
        yield skips.NO_GO.format(why=error)
    except NoBaseError as error:
        server.close()
        yield skips.NO_BASE.format(why=error)
    except NoEngineError as error:
        server.close()
        yield skips.NO_ENGINE.format(why=error)
    else:
        platform.compose("up", "--detach", "--wait")
        yield Running(platform, frps)
        frps.close()
        platform.close()
        server.close()


@pytest.fixture
def running(platform_or_reason: Running | str) -> Running:
    """All five services, healthy; leave them as they were."""
    if isinstance(platform_or_reason, str):
        pytest.skip(platform_or_reason)
    return platform_or_reason


@pytest.fixture
def platform(running: Running) -> Platform:
    """The same without what is outside."""
    return running.platform
