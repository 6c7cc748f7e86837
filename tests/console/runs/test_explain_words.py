"""What libraries say of an end, and what is told of it."""

from __future__ import annotations

import pytest

from console.model.why import Cause
from tests.console.runs.ends import by_hand, certain, ended, rows, why

TRACE = 'Traceback (most recent call last):\n  File "/app/src/train.py", line 141, in main\n    step()\n'
BUS = (
    "RuntimeError: DataLoader worker (pid 123) is killed by signal: Bus error. It is possible that dataloader's workers are "
    "out of shared memory. Please try to raise your shared memory limit."
)
WORKER = "ERROR: Unexpected bus error encountered in worker. This might be caused by insufficient shared memory (shm)."


def raised(line: str) -> str:
    return f"{TRACE}{line}\n"


@pytest.mark.parametrize("code", [1, 135])
@pytest.mark.parametrize("said", [raised(BUS), f"{WORKER}\n"])
def test_a_loader_that_died_of_a_bus_error_wants_more_shared_memory(code: int, said: str) -> None:
    found = certain(why(by_hand(ended(code)), err=said))
    assert (found.cause, found.short) == (Cause.NO_SPACE, "shared memory is full")
    assert found.words == "A data loader died of a bus error: its shared memory (/dev/shm) is full."
    assert rows(found, "try") == ["more resources.shm, or fewer num_workers"]
    assert "bus error" in rows(found, "log")[0].lower()


def test_a_bus_error_without_such_words_is_only_named() -> None:
    found = certain(why(by_hand(ended(135)), err="Bus error (core dumped)\n"))
    assert (found.cause, found.short) == (Cause.ERROR, "a bus error, exit 135")
    killed = raised("RuntimeError: DataLoader worker (pid 123) is killed by signal: Segmentation fault.")
    assert certain(why(by_hand(ended()), err=killed)).cause is Cause.ERROR
