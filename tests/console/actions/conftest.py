from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.console.actions.stage import Theatre, theatre


@pytest.fixture
async def stage() -> AsyncIterator[Theatre]:
    async with theatre() as made:
        yield made
