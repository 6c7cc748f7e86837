"""Long work lets others run, and short work does not even yield once."""

from __future__ import annotations

import asyncio

import pytest

from console.sources import _slices
from console.sources._slices import SLICE_SECONDS, Slices


class Clock:
    """The clock of slices, in the test's hands."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def perf_counter(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(_slices, "time", found)
    return found


async def turns_of_another(clock: Clock, steps: int, seconds: float) -> int:
    """How often another task gets its turn while `steps` steps of so many seconds each are made."""
    turns = 0

    async def another() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(another())
    slices = Slices()
    for _ in range(steps):
        clock.seconds += seconds
        await slices.pause()
    found, _ = turns, other.cancel()
    return found


async def test_others_have_a_turn_after_each_slice(clock: Clock) -> None:
    assert await turns_of_another(clock, 40, SLICE_SECONDS / 4) == pytest.approx(8, abs=1)


async def test_short_work_is_not_interrupted(clock: Clock) -> None:
    assert await turns_of_another(clock, 10, SLICE_SECONDS / 20) == 0
