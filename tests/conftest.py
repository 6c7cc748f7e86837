"""Fixtures of real parts, and what surrounds every run of tests."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.support import composefleet, images, platformfleet, skips
from tests.support.composefleet import Fleet
from tests.support.engine import Engine, NoEngineError
from tests.support.images import engine_with_busybox
from tests.support.platformfleet import PlatformFleet
from tests.support.session import CleanSession

# A slow machine is no defect: examples may take as long as they take.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(skips.SkipSummary())
    config.pluginmanager.register(CleanSession(config))


@pytest.fixture(scope="session")
def engine_or_reason() -> Iterator[Engine | str]:
    """Tried once for each process: a skipped session fixture would be tried again by every test."""
    try:
        engine = engine_with_busybox()
    except NoEngineError as error:
        yield skips.NO_ENGINE.format(why=error)
        return
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def engine(engine_or_reason: Engine | str) -> Engine:
    """A running Engine with `busybox:test`, shared by the tests of this process: leave it running and as it was."""
    if isinstance(engine_or_reason, str):
        pytest.skip(engine_or_reason)
    return engine_or_reason


@pytest.fixture(scope="session")
def composing_or_reason(engine_or_reason: Engine | str) -> Engine | str:
    """The same Engine where Compose is, too; asked once for each process."""
    if isinstance(engine_or_reason, str):
        return engine_or_reason
    try:
        engine_or_reason.docker("compose", "version")
    except AssertionError:
        return skips.NO_COMPOSE
    return engine_or_reason


@pytest.fixture(scope="session")
def composing(composing_or_reason: Engine | str) -> Engine:
    """The Engine of this process, with Compose."""
    if isinstance(composing_or_reason, str):
        pytest.skip(composing_or_reason)
    return composing_or_reason


@pytest.fixture
def own_engine(engine: Engine) -> Iterator[Engine]:
    """An Engine with `busybox:test` for one test alone: it may be stopped, killed, frozen and filled."""
    with images.own_engine() as own:
        yield own


@pytest.fixture
def lasting_engine(engine: Engine) -> Iterator[Engine]:
    """The same, and its containers run on while it does not (`live-restore`)."""
    with images.own_engine(live_restore=True) as own:
        yield own


@pytest.fixture
def networked_engine(engine: Engine) -> Iterator[Engine]:
    """An empty Engine for one test alone, with networks, firewall rules and published ports as on a server."""
    try:
        own = Engine(networks=True)
    except NoEngineError as error:
        pytest.skip(skips.NO_NETWORKS.format(why=error))
    yield own
    own.close()


@pytest.fixture(scope="session")
def fleet(composing: Engine) -> Iterator[Fleet]:
    """The Compose project with a service in every state, shared by the tests of this process: only look."""
    brought_up = composefleet.bring_up(composing)
    yield brought_up
    brought_up.close()


@pytest.fixture(scope="session")
def platform(composing: Engine) -> Iterator[PlatformFleet]:
    """The platform's five services, each with another state of its probe, shared by the tests of this process: only look."""
    brought_up = platformfleet.bring_up(composing)
    yield brought_up
    brought_up.close()


@pytest.fixture(scope="session")
def tmux() -> None:
    """For tests that use `Tmux`: skips them where there is none."""
    if shutil.which("tmux") is None:
        pytest.skip(skips.NO_TMUX)
