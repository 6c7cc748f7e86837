"""How serious a line is, by what its program wrote at its beginning.

Only where a level belongs: `val_error 0.2`, `0 errors` and `loss of precision` are none. The forms are those of Python's
logging, loguru, structlog, rich and absl, JSON lines, logfmt, klog and glog, syslog, log4j, zap, nginx, frp, Jenkins and npm.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import IntEnum
from typing import Any


class Level(IntEnum):
    NONE = 0
    DEBUG = 1
    INFO = 2
    WARNING = 3
    ERROR = 4
    CRITICAL = 5


_NAMES = {
    Level.DEBUG: "debug dbug dbg trace trc verbose fine finer finest dbg0 d",
    Level.INFO: "info inf information informational notice note config success i",
    Level.WARNING: "warning warn wrn w",
    Level.ERROR: "error err eror severe e",
    Level.CRITICAL: "critical crit fatal ftl panic emerg emergency alert dpanic c f",
}
_WORDS = {name.encode(): level for level, names in _NAMES.items() for name in names.split()}
_LETTERS = {"": Level.NONE, "D": Level.DEBUG, "I": Level.INFO, "W": Level.WARNING, "E": Level.ERROR, "C": Level.CRITICAL}

HEAD = 160
"""Bytes of a line in which its level is looked for."""
_JSON_HEAD = 4096

# Longer words first: an alternation takes the first that fits.
_LONG = "|".join(sorted((name for names in _NAMES.values() for name in names.split() if len(name) > 2), key=len, reverse=True))
_UPPER = "|".join(word.upper() for word in _LONG.split("|"))
_TITLE = "|".join(word.title() for word in _LONG.split("|"))

_BRACKET = re.compile(rf"\[\s{{0,4}}((?i:{_LONG})|[DIWEF])\s{{0,8}}\]".encode())
_CAPITALS = re.compile(rb"[A-Z]{3,13}")
_CELL = re.compile(rf"(?:^|[\t|] ?)({_LONG})(?=[\t|])".encode())
_PAIR = re.compile(rf"(?:^|[\s,;])(?:level|lvl|severity|loglevel|log_level|levelname)=[\"']?((?i:{_LONG}))\b".encode())
_PYTHON = re.compile(rb": [A-Za-z]*(Warning): ")
_WORD_BYTES = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
_BEHIND = frozenset(b" \t:|]),.>-\"'")
_START = re.compile(
    rf"""
      (?P<klog>[IWEF]) \d{{4}}(?:\d{{4}})? \x20 +\d\d:\d\d:\d\d
    | \[ (?P<stamped>[DIWEF]) \x20 \d                                              # [I 2026-11-23 05:44:39,123] x
    | < (?P<syslog>\d{{1,3}}) >
    | (?P<word>(?i:{_LONG})|(?:{_TITLE})) (?::\x20|:$|!\x20)                      # warning: x
    | (?P<exception>(?:\w+\.){{0,8}}[A-Z]\w*(?:Error|Exception|Interrupt|Exit)) (?::\x20|:?$)
    | (?P<fatal>Traceback\x20\(most\x20recent|npm\x20ERR!|Killed$|Segmentation\x20fault|Aborted\b|Bus\x20error)
    | (?P<panic>panic:\x20|thread\x20'[^']{{0,80}}'\x20(?:\(\d+\)\x20)?panicked)
    """.encode(),
    re.VERBOSE,
)
_JSON = re.compile(
    rb'"(?P<key>level|severity|lvl|levelname|log_level|loglevel|levelno)"\s{0,4}:\s{0,4}'
    rb'(?:"(?P<word>\w{1,20})"|(?P<number>\d{1,3})\b|\{[^{}]{0,120}?"name"\s{0,4}:\s{0,4}"(?P<name>\w{1,20})")'
    rb'|"event"\s{0,4}:\s{0,4}"(?P<event>error)"'
)
# Pino and bunyan count from 10 for trace on, Python's logging from 10 for debug on.
_PINO = {1: Level.DEBUG, 2: Level.DEBUG, 3: Level.INFO, 4: Level.WARNING, 5: Level.ERROR, 6: Level.CRITICAL}
_PYTHON_NUMBERS = {1: Level.DEBUG, 2: Level.INFO, 3: Level.WARNING, 4: Level.ERROR, 5: Level.CRITICAL}
_SYSLOG = (
    *(Level.CRITICAL,) * 3,
    Level.ERROR,
    Level.WARNING,
    Level.INFO,
    Level.INFO,
    Level.DEBUG,
)

# Every line that has a level, or begins a block, holds one of these.
_SUSPECT = (
    r"(?im)err|warn|wrn|info|inf\b|debug|dbg|trace|trc|crit|fatal|ftl|severe|notice|\[[diwef][] ]|^[iwef]\d{4}|^<\d|lvl"
    r"|level|severity|panic|exception|interrupt|exit:|killed|fault|abort|alert|emerg|verbose|success|\bfine|config|note\b"
    r"|^\s+at |goroutine|^caused by: |suppressed: |^\s*\.\.\. \d"
)
_suspect: Any = None


def suspect() -> Any:
    """A pattern of RE2 that is found in each line that `level_of` or `Blocks` may have something to say of.

    One search over thousands of lines is a hundred times cheaper than looking at each.
    """
    global _suspect  # noqa: PLW0603 - compiled once, when the first log is read
    if _suspect is None:
        import re2  # type: ignore[import-untyped]  # it comes without types

        _suspect = re2.compile(_SUSPECT.encode())
    return _suspect


def level_of(text: bytes) -> Level:
    """The level of one line: clean UTF-8 without its newline. Takes bounded time whatever the line."""
    if text[:1] == b"{":
        return _level_of_json(text)
    start = _START.match(text, 0, HEAD)
    if start is not None:
        return _level_of_start(start)
    return _level_of_middle(text[:HEAD])


def _level_of_middle(head: bytes) -> Level:
    """The first level that stands where one belongs. What costs time is tried where it can be found only."""
    found = []
    if b"[" in head:
        found.append(_BRACKET.search(head))
    if b"\t" in head or b"|" in head:
        found.append(_CELL.search(head))
    if b"=" in head and (b"l=" in head or b"severity=" in head or b"levelname=" in head):
        found.append(_PAIR.search(head))
    if b"Warning: " in head:
        found.append(_PYTHON.search(head))
    hits = [(match.start(1), match[1]) for match in found if match is not None]
    hits += ((at, word) for at, word in _capitals(head))
    return _WORDS[min(hits)[1].lower()] if hits else Level.NONE


def _capitals(head: bytes) -> Iterator[tuple[int, bytes]]:
    """The first level in capitals: ` ERROR `, `[ERROR]`, `|INFO|`."""
    for match in _CAPITALS.finditer(head):
        start, end = match.span()
        apart = not (start and head[start - 1] in _WORD_BYTES) and (end == len(head) or head[end] in _BEHIND)
        if apart and match[0].lower() in _WORDS:
            yield start, match[0]
            return


def _level_of_start(found: re.Match[bytes]) -> Level:
    kind, text = found.lastgroup, found[found.lastgroup or 0]
    if kind == "syslog":
        return _SYSLOG[int(text) & 7]
    if kind in ("exception", "fatal"):
        return Level.ERROR
    if kind == "panic":
        return Level.CRITICAL
    return _WORDS.get(text.lower(), Level.NONE)


def _level_of_json(text: bytes) -> Level:
    found = _JSON.search(text, 0, _JSON_HEAD) or (_JSON.search(text, len(text) - 512) if len(text) > _JSON_HEAD else None)
    if found is None:
        return Level.NONE
    if found["event"]:
        return Level.ERROR
    if found["number"]:
        numbers = _PYTHON_NUMBERS if found["key"] == b"levelno" else _PINO
        return numbers.get(int(found["number"]) // 10, Level.NONE)
    return _WORDS.get((found["word"] or found["name"] or b"").lower(), Level.NONE)


def parse_level(word: str) -> Level:
    """The level that a person means: `warning`, `warn`, `W`. ValueError with the possible words."""
    found = _WORDS.get(word.strip().lower().encode())
    if found is None:
        raise ValueError(f"there is no level {word}: debug, info, warning, error, critical.")
    return found


def letter(level: Level) -> str:
    """One letter for a narrow column; empty without a level."""
    return next(letter for letter, known in _LETTERS.items() if known == level)
