"""Text while a person types it: where the cursor stands, what keys do to it, and which part of it is seen. Pure."""

from __future__ import annotations

from console.model.cells import head, tail
from console.model.cells import width as cells_of
from console.text import Clean, clean

CURSOR = "_"
LIMIT = 65536
"""Letters that a field takes; Jenkins' own form takes no more by far."""


class Typed:
    """A text and a cursor in front of the letter `at`. With `lines` it may have several lines."""

    def __init__(self, text: str = "", *, lines: bool = False) -> None:
        self.lines = lines
        self.text = ""
        self.at = 0
        self.insert(text)

    @property
    def value(self) -> Clean:
        return clean(self.text, lines=self.lines, limit=LIMIT)

    def insert(self, text: str) -> None:
        """Put it where the cursor is. Where there is one line, several become one, with blanks between them."""
        told = str(clean(text, lines=True, limit=LIMIT))
        if not self.lines:
            told = " ".join(part for part in told.split("\n") if part) if "\n" in told else told
        told = told[: max(0, LIMIT - len(self.text))]
        self.text = self.text[: self.at] + told + self.text[self.at :]
        self.at += len(told)

    def press(self, key: str, character: str | None) -> bool:
        """What a key does to the text; False for keys that are none of its business."""
        if character is not None and character.isprintable() and len(character) == 1:
            self.insert(character)
            return True
        if key == "enter" and self.lines:
            self.insert("\n")
            return True
        match key:
            case "backspace":
                self._cut(self.at - 1, self.at)
            case "delete":
                self._cut(self.at, self.at + 1)
            case "ctrl+u":
                self.text, self.at = "", 0
            case "left" | "right":
                self.at = max(0, min(len(self.text), self.at + (1 if key == "right" else -1)))
            case "home":
                self.at = self.text.rfind("\n", 0, self.at) + 1
            case "end":
                found = self.text.find("\n", self.at)
                self.at = len(self.text) if found < 0 else found
            case "up" | "down":
                return self._row(1 if key == "down" else -1)
            case _:
                return False
        return True

    def _cut(self, start: int, end: int) -> None:
        if start >= 0:
            self.text = self.text[:start] + self.text[end:]
            self.at = start

    def _row(self, by: int) -> bool:
        """To the line above or below; False where there is none."""
        rows = self.text.split("\n")
        row, column = self.place
        if not 0 <= row + by < len(rows):
            return False
        self.at = sum(len(one) + 1 for one in rows[: row + by]) + min(column, len(rows[row + by]))
        return True

    @property
    def place(self) -> tuple[int, int]:
        """Line and letter that the cursor stands at."""
        before = self.text[: self.at]
        return before.count("\n"), len(before) - (before.rfind("\n") + 1)

    def shown(self, cells: int, ellipsis: str) -> list[str]:
        """Each line in at most `cells`, the one with the cursor moved so that it is seen."""
        rows = self.text.split("\n")
        row, column = self.place
        found = []
        for number, text in enumerate(rows):
            if number == row:
                found.append(window(f"{text[:column]}{CURSOR}", text[column:], cells, ellipsis))
            else:
                found.append(text if cells_of(text) <= cells else head(text, cells - 1) + ellipsis)
        return found


def window(before: str, after: str, cells: int, ellipsis: str) -> str:
    """What is seen of a line whose `before` ends with the cursor; `ellipsis` (one cell) stands where something is hidden."""
    if cells_of(before) + cells_of(after) <= cells:
        return before + after
    if cells_of(before) < cells:
        return before + head(after, cells - cells_of(before) - 1) + ellipsis
    room = cells - 1 - (1 if after else 0)
    return f"{ellipsis}{tail(before, room)}{ellipsis if after else ''}"
