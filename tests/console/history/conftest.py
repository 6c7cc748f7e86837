"""A history of a test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from console.history import Reader
from tests.console.history.making import Place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path / "history" / "history.db")
    yield made
    made.close()


@pytest.fixture
def reader(place: Place) -> Iterator[Reader]:
    made = Reader(place.path)
    yield made
    made.close()
