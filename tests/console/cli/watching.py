"""A command with --watch in the test's hands: what it has printed so far, and how it ended."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from console.cli import looking, output, run
from console.cli.backend import Backend
from console.cli.options import split
from console.feeds.watch import Watch
from console.model.world import World

DEADLINE = 20.0


@dataclass
class Watching:
    """`next` waits for what is printed, `refresh` has everything read again, `ended` waits for the exit status."""

    lives: list[Watch] = field(default_factory=list)
    printed: queue.SimpleQueue[str] = field(default_factory=queue.SimpleQueue)
    statuses: queue.SimpleQueue[int] = field(default_factory=queue.SimpleQueue)

    def next(self) -> str:
        return self.printed.get(timeout=DEADLINE)

    def next_json(self) -> dict[str, Any]:
        document = json.loads(self.next())
        assert isinstance(document, dict)
        return document

    def refresh(self) -> None:
        self.lives[0].refresh()

    def ended(self) -> int:
        return self.statuses.get(timeout=DEADLINE)


@contextmanager
def watching(backend: Backend, monkeypatch: pytest.MonkeyPatch, *argv: str) -> Iterator[Watching]:
    """Runs the command in a thread; leaving the block ends it as a closed pipe would."""
    found = Watching()
    over = threading.Event()

    class Live(Watch):
        def listen(self, publish: Callable[[World], None]) -> None:
            found.lives.append(self)
            super().listen(publish)

        @property
        def failure(self) -> BaseException | None:
            return output.ReaderGoneError() if over.is_set() else super().failure

    monkeypatch.setattr(output, "write_out", found.printed.put)
    monkeypatch.setattr(output, "drop_output", lambda: None)
    monkeypatch.setattr(looking, "Watch", Live)

    def work() -> None:
        options, rest = split([*argv, "--watch"])
        found.statuses.put(run(rest, options, backend))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join(DEADLINE)
        assert not thread.is_alive()
