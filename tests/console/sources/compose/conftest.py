from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.console.sources.compose.room import Room
from tests.support import scratch, skips
from tests.support.engine import Engine, compose_program


@pytest.fixture
def room(engine: Engine) -> Iterator[Room]:
    """A project of its own on the Engine that all share."""
    if compose_program() is None:
        pytest.skip(skips.NO_COMPOSE)
    with scratch.folder("acts") as folder:
        made = Room(engine, folder)
        try:
            yield made
        finally:
            made.clear()
