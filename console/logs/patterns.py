"""What a person searches for, as something that finds it in a whole chunk of lines at once.

RE2 takes time in proportion to the text, whatever the pattern, and lets other threads run meanwhile. Python's own `re` needs
minutes for `(a+)+$` and keeps every other thread waiting.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING, Any

from console.logs.chunk import Chunk
from console.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST = 1000
_LINEWISE = "(?m)"
_META = re.compile(r"[\\.^$*+?{}\[\]|()]")
_LACKING = {
    "(?=": "look-ahead",
    "(?!": "look-ahead",
    "(?<": "look-behind",
    "(?>": "atomic groups",
    "(?#": "comments",
    "(?(": "conditions",
}


class PatternError(ValueError):
    """A pattern that cannot be searched for; the message says what is wrong with it and what to do."""


class Pattern:
    """One pattern in RE2's syntax. Lower case finds both, as soon as it has an upper case letter case counts.

    Raises PatternError.
    """

    def __init__(self, text: str) -> None:
        if not text:
            raise PatternError("an empty pattern finds every line.")
        if len(text) > LONGEST:
            raise PatternError(f"a pattern has at most {LONGEST} characters, this one {len(text):,}.")
        self.text = text
        self.sensitive = _has_upper(text)
        self._regexp: Any = _compiled(text, sensitive=self.sensitive)
        plain = not _META.search(text) and "\n" not in text
        needle = text.encode("utf-8", "surrogateescape")
        # Searching for plain words is what nearly everybody does: it needs no call into RE2 for each hit.
        self._needle = needle if plain and (self.sensitive or text.isascii()) else None

    def places(self, chunk: Chunk) -> Iterator[int]:
        """Which lines of a chunk match, by place, in order."""
        if self._needle is not None:
            return self._plain_places(chunk)
        return self._regexp_places(chunk)

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where it is found in one line: begin and end in characters; empty matches are left out."""
        return [match.span() for match in self._regexp.finditer(text) if match.end() > match.start()]

    def _plain_places(self, chunk: Chunk) -> Iterator[int]:
        text, needle, starts = bytes(chunk.text), self._needle, chunk.starts
        assert needle is not None  # noqa: S101 - the caller asked
        if not self.sensitive:
            text = text.lower()
        find, count, size = text.find, len(starts), len(text)
        if text.count(needle) > count // 8:
            # With hits all over, to cut it into lines is faster than to find out the line of each hit.
            yield from (place for place, line in enumerate(text.split(b"\n")) if needle in line)
            return
        at = find(needle)
        while at >= 0:
            place = bisect_right(starts, at) - 1
            yield place
            at = find(needle, starts[place + 1] if place + 1 < count else size)

    def _regexp_places(self, chunk: Chunk) -> Iterator[int]:
        text, starts = bytes(chunk.text), chunk.starts
        search, count, size = self._regexp.search, len(starts), len(text)
        match = search(text)
        while match is not None:
            place = bisect_right(starts, match.start()) - 1
            if place >= count or match.start() >= size:
                return
            yield place
            if place + 1 >= count:
                return
            match = search(text, starts[place + 1])


def _has_upper(text: str) -> bool:
    """Whether it has an upper case letter that stands for itself, unlike in \\W, \\pL, (?P<Name>...) or [[:Alpha:]]."""
    bare = re.sub(r"\\(?:[pP](?:\{[^}]*\}|.)|x\{?[0-9A-Fa-f]+\}?|.)", "", text)
    bare = re.sub(r"\(\?P?<[^>]*>|\[\[?:\^?[a-z]+:\]\]?", "", bare)
    return any(character.isupper() for character in bare)


def _compiled(text: str, *, sensitive: bool) -> Any:
    import re2  # type: ignore[import-untyped]  # it comes without types

    options = re2.Options()
    options.case_sensitive = sensitive
    options.log_errors = False
    options.never_nl = True  # a match stays within its line, also for \s and [^x]
    try:
        return re2.compile(f"{_LINEWISE}{text}", options)
    except re2.error as error:
        raise PatternError(_sentence(text, error)) from None


def _sentence(text: str, error: Exception) -> str:
    told = error.args[0] if error.args else ""
    said = told.decode("utf-8", "replace") if isinstance(told, bytes) else str(told)
    # What we put in front of every pattern is nobody's concern.
    said = said.replace(_LINEWISE, "", 1)
    shown = clean(text)
    for beginning, name in _LACKING.items():
        if beginning in said:
            return f"{shown}: searches know no {name}. Two searches, or a filter that leaves lines out, find the same."
    if re.search(r"invalid escape sequence: \\[1-9]", said):
        return f"{shown}: searches know no back-references ({said.rpartition(' ')[2]})."
    if r"\Z" in said:
        return rf"{shown}: the end of a line is $ here, not \Z."
    if "too large" in said or "repetition size" in said:
        return f"{shown}: this pattern is too large. Smaller numbers in {{ }} make it smaller."
    return f"{shown} is no pattern: {clean(said)}. A backslash makes a sign mean itself: \\[ \\( \\*"
