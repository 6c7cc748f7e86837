"""One house for all tests of a process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.console.doctor.house import House
from tests.console.doctor.ward import Ward
from tests.support import images
from tests.support.engine import Engine


@pytest.fixture(scope="session")
def standing_house(composing_or_reason: Engine | str) -> Iterator[House | str]:
    if isinstance(composing_or_reason, str):
        yield composing_or_reason
        return
    with images.own_engine(live_restore=True) as own:
        house = House(own)
        yield house
        house.close()


@pytest.fixture
def house(standing_house: House | str, monkeypatch: pytest.MonkeyPatch) -> House:
    """A platform that is well, as a person at its server sees it."""
    if isinstance(standing_house, str):
        pytest.skip(standing_house)
    standing_house.environ(monkeypatch)
    return standing_house


@pytest.fixture
def ward(house: House, capsys: pytest.CaptureFixture[str]) -> Iterator[Ward]:
    made = Ward(house, capsys)
    yield made
    for undo in reversed(made.undo):
        undo()
