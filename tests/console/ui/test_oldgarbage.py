"""Old garbage waits for a moment in which nobody presses a key."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from console.ui.oldgarbage import MUCH, SOME, OldGarbage


@pytest.fixture(autouse=True)
def thresholds() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


@pytest.mark.parametrize(
    ("waiting", "calm", "expected"),
    [(SOME - 1, 60.0, 0), (SOME, 60.0, 1), (SOME, 1.0, 1), (SOME, 0.9, 0), (MUCH - 1, 0.0, 0), (MUCH, 0.0, 1)],
)
def test_when_it_is_looked_for(monkeypatch: pytest.MonkeyPatch, waiting: int, calm: float, expected: int) -> None:
    collected: list[bool] = []
    monkeypatch.setattr(gc, "get_count", lambda: (5, 3, waiting))
    monkeypatch.setattr(gc, "collect", lambda: collected.append(True))
    assert OldGarbage().look(calm) is bool(expected)
    assert len(collected) == expected


class Ring:
    """What only a collector finds."""

    alive = 0

    def __init__(self) -> None:
        self.me = self
        Ring.alive += 1

    def __del__(self) -> None:
        Ring.alive -= 1


def test_python_leaves_the_old_alone_from_then_on_and_nothing_is_lost() -> None:
    garbage = OldGarbage()
    garbage.begin()
    young, middle, _ = gc.get_threshold()
    gc.collect()
    ring = Ring()
    gc.collect(1)
    del ring
    # Enough for Python to look at what is old more than once, if it still did.
    kept = [[[number] for number in range(young + 1)] for _ in range(4 * SOME * middle)]
    assert len(kept) == 4 * SOME * middle
    assert Ring.alive == 1
    assert garbage.look(60.0)
    assert Ring.alive == 0
