"""What happens to the thread that writes when nobody takes what it writes any more."""

from __future__ import annotations

import os

from console.ui.driver import _Metered
from console.ui.pace import Meter


def test_a_lost_terminal_is_told_once_and_what_it_does_not_take_is_dropped() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    told: list[bool] = []
    raw = os.fdopen(writing, "w", encoding="utf-8")
    file = _Metered(raw, Meter(), lambda: told.append(True))
    file.write("a screen")
    assert told == []
    for _ in range(3):
        file.flush()
        file.write("the next one")
    assert told == [True]
    raw.close()  # what it still held goes nowhere: no error at the end of the program
