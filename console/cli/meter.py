"""How far something has come, in one line of a terminal that is gone when it is done."""

from __future__ import annotations

import shutil
import sys
import time

from console.model.cells import cut, cut_middle, width
from console.model.words import decimal
from console.text import clean

EVERY = 0.2
"""Seconds between two pictures of it."""


class Meter:
    """Shows itself on standard error, if that is a terminal: what goes to a file or a program stays free of it."""

    def __init__(self, name: str, *, wanted: bool = True) -> None:
        self._name = name
        self._on = wanted and sys.stderr is not None and sys.stderr.isatty()
        self._next = time.monotonic() + EVERY
        self._shown = 0

    def __call__(self, done: int, size: int | None) -> None:
        """`done` bytes of `size`, None where nobody knows."""
        if not self._on or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + EVERY
        of = f" of {decimal(size)}, {100 * done // size} %" if size else ""
        room = max(1, shutil.get_terminal_size().columns - 1)
        self._draw(cut_middle(clean(f"{self._name}  {decimal(done)}{of}"), room, "~"))

    def say(self, text: str) -> bool:
        """Show a sentence in its place, at once. False where nobody would see it."""
        if self._on:
            self._draw(cut(clean(text), max(1, shutil.get_terminal_size().columns - 1), "~"))
        return self._on

    def clear(self) -> None:
        if self._shown:
            self._draw("")
            self._shown = 0

    def _draw(self, text: str) -> None:
        cells = width(text)
        # Blanks and not a control sequence: the plainest terminal knows them.
        sys.stderr.write(f"\r{text}{' ' * (self._shown - cells)}" + ("" if text else "\r"))
        sys.stderr.flush()
        self._shown = cells
