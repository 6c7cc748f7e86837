"""An Engine with the agent's image, once for each process, and servers on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.infra.agenthouse import House
from tests.support import scratch, skips
from tests.support.agentbase import NoBaseError, import_agent_image
from tests.support.engine import Engine, NoEngineError, compose_program


@pytest.fixture(scope="session")
def agent_engine_or_reason() -> Iterator[Engine | str]:
    """Tried once for each process."""
    if compose_program() is None:
        yield skips.NO_COMPOSE
        return
    try:
        engine = Engine(networks=True)
    except NoEngineError as error:
        yield skips.NO_NETWORKS.format(why=error)
        return
    try:
        import_agent_image(engine)
        yield engine
    except NoBaseError as error:
        yield skips.NO_BASE.format(why=error)
    finally:
        engine.close()


@pytest.fixture(scope="session")
def agent_engine(engine: Engine, agent_engine_or_reason: Engine | str) -> Engine:
    """An Engine with networks and the agent's image: leave it as it was."""
    if isinstance(agent_engine_or_reason, str):
        pytest.skip(agent_engine_or_reason)
    return agent_engine_or_reason


@pytest.fixture
def house(agent_engine: Engine) -> Iterator[House]:
    """A server for one test, without an agent as yet."""
    made = House(agent_engine, scratch.new_folder("house"))
    yield made
    made.close()
