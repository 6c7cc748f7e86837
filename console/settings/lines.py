"""On which line of a TOML file a key stands: the standard library's reader does not tell.

Only files that are valid TOML get here, so the finder may trust its structure; what it has to get right is where strings,
arrays and inline tables begin and end, because keys inside of them are not keys of the file.
"""

from __future__ import annotations

import re

_BARE = re.compile(r"[A-Za-z0-9_-]+")


class LineFinder:
    """Line numbers (from 1) of every key and table header of one file."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line = 1
        self._lines: dict[tuple[str, ...], int] = {}
        self._scan()

    def line(self, path: tuple[str, ...]) -> int:
        """The line of this key, or of the nearest table around it; 1 for a file that has neither."""
        while path:
            if path in self._lines:
                return self._lines[path]
            path = path[:-1]
        return 1

    def _scan(self) -> None:
        table: tuple[str, ...] = ()
        while self._at < len(self._text):
            self._blanks(newlines=True)
            if self._at >= len(self._text):
                return
            if self._peek() == "[":
                double = self._text.startswith("[[", self._at)
                self._at += 2 if double else 1
                table = self._key()
                self._lines.setdefault(table, self._line)
                self._to_line_end()
            else:
                self._pair(table)
                self._to_line_end()

    def _pair(self, table: tuple[str, ...]) -> None:
        line = self._line
        key = self._key()
        path = (*table, *key)
        for length in range(len(table) + 1, len(path) + 1):
            self._lines.setdefault(path[:length], line)
        self._blanks()
        self._at += 1  # the equals sign
        self._value(path)

    def _key(self) -> tuple[str, ...]:
        parts: list[str] = []
        while True:
            self._blanks()
            quote = self._peek()
            if quote in "\"'" and quote:
                start = self._at
                self._string()
                parts.append(self._unquoted(self._text[start : self._at]))
            else:
                found = _BARE.match(self._text, self._at)
                if found is None:
                    return tuple(parts)
                parts.append(found.group())
                self._at = found.end()
            self._blanks()
            if self._peek() != ".":
                return tuple(parts)
            self._at += 1

    @staticmethod
    def _unquoted(literal: str) -> str:
        import tomllib

        return str(tomllib.loads(f"k = {literal}")["k"])

    def _value(self, path: tuple[str, ...]) -> None:
        self._blanks()
        first = self._peek()
        if first in "\"'" and first:
            self._string()
        elif first == "[":
            self._at += 1
            self._items(path)
        elif first == "{":
            self._at += 1
            while self._blanks(newlines=True) or self._peek() not in ("}", ""):
                if self._peek() == ",":
                    self._at += 1
                elif self._peek() != "}":
                    self._pair(path)
                else:
                    break
            self._at += 1
        else:
            while self._peek() not in ("", "\n", ",", "]", "}", "#"):
                self._at += 1

    def _items(self, path: tuple[str, ...]) -> None:
        while True:
            self._blanks(newlines=True)
            if self._peek() in ("]", ""):
                self._at += 1
                return
            if self._peek() == ",":
                self._at += 1
            else:
                self._value(path)

    def _string(self) -> None:
        quote = self._peek()
        mark = quote * 3 if self._text.startswith(quote * 3, self._at) else quote
        self._at += len(mark)
        while self._at < len(self._text):
            if quote == '"' and self._peek() == "\\":
                self._step()
                self._step()
            elif self._text.startswith(mark, self._at):
                self._at += len(mark)
                # Up to two quotes may stand right before the three that close.
                while len(mark) == 3 and self._peek() == quote:
                    self._at += 1
                return
            else:
                self._step()

    def _blanks(self, *, newlines: bool = False) -> bool:
        """Skip blanks (and with `newlines` line ends and comments). Always False, so that it can stand in a condition."""
        while self._at < len(self._text):
            character = self._peek()
            if character in " \t\r" or (newlines and character == "\n"):
                self._step()
            elif newlines and character == "#":
                self._to_line_end()
            else:
                break
        return False

    def _to_line_end(self) -> None:
        while self._peek() not in ("", "\n"):
            self._at += 1

    def _step(self) -> None:
        self._line += self._peek() == "\n"
        self._at += 1

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]
