"""A workplace for each test, on the Engine of this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipeline.workplace import Workplace
from tests.support.engine import Engine


@pytest.fixture
def work(tmp_path: Path, engine: Engine) -> Iterator[Workplace]:
    """A repository, a folder for runs, and the Engine."""
    place = Workplace(tmp_path, engine)
    yield place
    place.close()


@pytest.fixture
def work_of_its_own(tmp_path: Path, own_engine: Engine) -> Iterator[Workplace]:
    """The same on an Engine that may be killed."""
    place = Workplace(tmp_path, own_engine)
    yield place
    place.close()
