"""What a person types to say which lines to show: `word -word >=W`."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace

from console.logs.levels import Level, parse_level
from console.logs.patterns import Pattern, PatternError
from console.logs.search import Query

STEPS = (Level.NONE, Level.INFO, Level.WARNING, Level.ERROR)
_SIGNS = {Level.DEBUG: "D", Level.INFO: "I", Level.WARNING: "W", Level.ERROR: "E", Level.CRITICAL: "C"}


@dataclass(frozen=True)
class Filter:
    """`text` is what was typed, without the level."""

    text: str = ""
    level: Level = Level.NONE
    include: tuple[Pattern, ...] = ()
    exclude: tuple[Pattern, ...] = ()
    muted: frozenset[int] = frozenset()

    @property
    def is_empty(self) -> bool:
        return not (self.include or self.exclude or self.level or self.muted)

    @property
    def shown(self) -> str:
        """As a person would type it."""
        return " ".join(part for part in (self.text, f">={_SIGNS[self.level]}" if self.level else "") if part)

    def query(self, *more: Pattern) -> Query:
        """The lines that pass and match all of `more`; without these what the console itself says passes too."""
        return Query((*self.include, *more), self.exclude, self.level, self.muted, notices=not more)

    def with_level(self, level: Level) -> Filter:
        return replace(self, level=level)

    def without(self, muted: frozenset[int]) -> Filter:
        """The same with other sources muted."""
        return replace(self, muted=muted)

    def stepped(self, by: int) -> Filter:
        """One level fewer (`by` 1) or more (-1) of what is not serious."""
        at = max(number for number, level in enumerate(STEPS) if level <= self.level)
        return self.with_level(STEPS[max(0, min(len(STEPS) - 1, at + by))])


def parse_filter(text: str, before: Filter) -> Filter:
    """The filter that `text` means; what is muted stays as it was `before`.

    Words are patterns that a line must match, `-word` ones that it must not, `>=W` is the least level; quotes keep a blank.
    Raises PatternError.
    """
    level = Level.NONE
    include: list[Pattern] = []
    exclude: list[Pattern] = []
    kept: list[str] = []
    for word in _words(text):
        if word.startswith(">="):
            if word == ">=":
                continue  # it is still being typed
            try:
                level = parse_level(word[2:])
            except ValueError as error:
                raise PatternError(str(error)) from None
            continue
        if word == "-":
            continue
        (exclude if word.startswith("-") else include).append(Pattern(word.removeprefix("-")))
        kept.append(word if " " not in word else f'"{word}"')
    return Filter(" ".join(kept), level, tuple(include), tuple(exclude), before.muted)


def _words(text: str) -> list[str]:
    """Split at blanks, but for those in double quotes. A backslash belongs to the pattern."""
    splitter = shlex.shlex(text, posix=True, punctuation_chars="")
    splitter.whitespace_split = True
    splitter.quotes, splitter.escape, splitter.commenters = '"', "", ""
    try:
        return list(splitter)
    except ValueError:
        # A quote that is still open: what stands behind it is one word so far.
        before, _, behind = text.rpartition('"')
        return [*_words(before), *([behind] if behind else [])]
