"""Fixtures for rooms whose loops are watched: no key waits for a computation, and no feed for another."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.watchdog import load_everything, watching


@pytest.fixture(scope="session")
def all_loaded() -> None:
    load_everything()


@pytest.fixture(autouse=True)
def no_loop_is_held(all_loaded: None) -> Iterator[None]:
    """Whatever holds a loop too long fails the test in which it does."""
    with watching():
        yield
