"""How serious a line is, by what its program wrote at its beginning.

Only where a level belongs: `val_error 0.2`, `0 errors` and `loss of precision` are none. The forms are those of Python's
logging, loguru, structlog, rich and absl, JSON lines, logfmt, klog and glog, syslog, log4j, zap, nginx, frp, Jenkins, npm,
TensorFlow and compilers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
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
_PAIRS_HEAD = 512
_JSON_HEAD = 4096


def _either(names: str) -> str:
    # Longer words first: an alternation takes the first that fits.
    return "|".join(sorted(names.split(), key=len, reverse=True))


def _forms(names: str) -> str:
    # Written out: an alternation of plain words is many times faster than one that ignores case.
    return _either(f"{names} {names.title()} {names.upper()}")


_LONG_NAMES = " ".join(name for names in _NAMES.values() for name in names.split() if len(name) > 2)
_LONG, _UPPER = _forms(_LONG_NAMES), _either(_LONG_NAMES.upper())
# The others of them are everyday words, and levels only where a column for levels is.
_CORE_NAMES = "debug dbg trace info notice warning warn error err severe critical crit fatal panic emerg alert"
_CORE = _forms(_CORE_NAMES)
_FIRST = {form: _WORDS[name.encode()] for name in _CORE_NAMES.split() for form in (name.encode(), name.title().encode())}
_CAPITALS = {name.upper(): level for name, level in _WORDS.items() if len(name) > 2}
# These may stand in front of a message with only a space between: nobody begins a sentence so.
_BARE = frozenset((b"DEBUG", b"INFO", b"WARNING", b"WARN", b"ERROR", b"CRITICAL", b"FATAL", b"SEVERE"))

# `error: 0.01` and `MeanSquaredError: 0.12` are measurements.
_FRACTION = r"(?!\s{0,8}[-+]?(?:\d{0,12}\.\d|\d{1,12}e[-+]?\d|(?:nan|inf)\b))"
_MEASURED = r"(?!\s{0,8}[-+]?(?:\d{0,12}\.\d|\d{1,12}(?:e[-+]?\d|%|\s{0,8}(?:$|[,|;]))|(?:nan|inf)\b))"

_STAMP = r"""
    \[?(?:(?:\d{2,4}[-/]\d\d[-/]\d{2,4}|[A-Z][a-z]{2}\x20[\x20\d]\d|[A-Z][a-z]{2}\x20[A-Z][a-z]{2}\x20[\x20\d]\d)[T\x20,]{1,2})?
    \d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:\x20?(?:Z|UTC|[+-]\d\d:?\d\d))?(?:\x20\d{4})?\]?:?
"""
_COLUMN = rf"""
      \[(?:\w{{1,20}}:)?\s{{0,4}}(?P<bracket>{_LONG}|[DIWEF])\s{{0,8}}\]
    | (?=[A-Z]{{3}})(?P<capitals>{_UPPER})\b(?![=%])(?!:?\s{{0,8}}[-+]?\d{{0,12}}\.\d)
    | (?=[A-Za-z][a-z]{{2}})(?P<cell>{_CORE})(?:(?=\t|\x20{{0,8}}\|)|:{_MEASURED})
    | (?P<letter>[DIWEF])\x20(?=[\w/.-]{{1,100}}:\d)
    | (?:level|lvl|severity)=["']?(?P<pair>{_LONG})\b
"""
# What may stand between the time and the level: brackets, a name and a dash, one word, or host and program.
_STAMPED = re.compile(
    rf"""
    (?:{_STAMP}|\d{{1,10}}\.\d{{1,9}}(?:e\d{{1,2}})?(?=\t))[\s|]{{0,8}}
    (?:(?:\[[^][]{{0,80}}\]:?|\{{[^{{}}]{{0,80}}\}}|[\w.$<>/@:-]{{1,80}}\x20{{0,20}}[-|](?=\x20)|[-|:](?=\x20))[\s|]{{0,40}}){{0,4}}?
    (?:[\w.$/@-]{{1,60}}\x20{{1,8}})?
    (?:[\w.$/@-]{{1,60}}(?:\[\d{{1,9}}\])?:\x20{{1,4}})?
    (?:{_COLUMN})
    """.encode(),
    re.VERBOSE,
)
_BRACKETED = re.compile(
    rf"""
      \[(?P<klog>[DIWEF])\x20?\d                                                  # [I 2026-11-23 05:44:39,123] x, [W1123 05:
    | \[(?P<file>{_UPPER})\|                                               # [INFO|trainer.py:12] 2026-11-23 05:44:39
    | (?:\[[^][]{{0,80}}\]:?\s{{0,4}}){{0,3}}?(?:{_COLUMN})
    """.encode(),
    re.VERBOSE,
)
_RANK = re.compile(rb"\[[\w .-]{1,24}\]:? ?|[\w.-]{1,40}(?: \d{1,4})? {0,20}\| ")
_SPACED = re.compile(
    (
        rf"\s{{1,40}}(?:(?P<capitals>{_UPPER})\s{{1,9}}(?!\S{{0,3}}\d)"
        r"|(?:\+ )?(?P<trace>(?:Exception Group )?Traceback \(m))"
    ).encode()
)
_NAME = re.compile(rb"[A-Za-z_][\w.]*")
_BEHIND_WORD = re.compile(rf"(?:[:!](?:\s|$)|$|\[[\w-]{{1,12}}\]){_MEASURED}".encode())
_BEHIND_CAPITALS = re.compile(rf"(?:[:!]?(?:\s|$)|:\S|[|\]]|\[\w{{1,12}}\]){_MEASURED}".encode())
_BEHIND_NOTABLE = re.compile(rb":\s|$|\s{1,8}\S{1,60}\.py:\d")
_BEHIND_EXCEPTION = re.compile(rf"(?::(?:\s|$)|$){_FRACTION}".encode())
_KLOG = re.compile(rb"([IWEF])\d{4}(?:\d{4})? +\d\d:\d\d:\d\d")
_SYSLOG = re.compile(rb"<(\d{1,3})>")
_SYSLOG_LEVELS = (*(Level.CRITICAL,) * 3, Level.ERROR, Level.WARNING, Level.INFO, Level.INFO, Level.DEBUG)
_SPECIAL = {
    b"npm": re.compile(rb"npm (?:(?P<error>ERR!|error)|(?P<warning>WARN|warn)) "),
    b"Traceback": re.compile(rb"(?P<error>Traceback \(most recent)"),
    b"Killed": re.compile(rb"(?P<error>Killed$)"),
    b"Segmentation": re.compile(rb"(?P<error>Segmentation fault(?:$| \())"),
    b"Aborted": re.compile(rb"(?P<error>Aborted(?:$| \())"),
    b"Bus": re.compile(rb"(?P<error>Bus error)"),
    b"Exception": re.compile(rb'(?P<error>Exception(?:: | in thread "))'),
    b"thread": re.compile(rb"(?P<critical>thread '[^']{0,80}' (?:\(\d+\) )?panicked)"),
    b"E": re.compile(rb"(?P<error>E: [A-Z])"),
    b"W": re.compile(rb"(?P<warning>W: [A-Za-z])"),
}
_SYMPTOM = re.compile(
    rf"[\w./+-]{{1,120}}(?::\d{{1,7}}){{0,2}}: "
    rf"(?:(?P<critical>fatal )?error|(?P<warning>warning|(?:\w{{1,60}}\.){{0,8}}\w{{0,60}}Warning)): {_MEASURED}".encode()
)
_WARNED = re.compile(rb".{1,140}?:\d{1,7}: (?:\w{1,60}\.){0,8}\w{0,60}Warning: ")
_DASHED = re.compile(rf"[\w.]{{1,80}} - (?P<capitals>{_UPPER}) - ".encode())
_DATES = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec Mon Tue Wed Thu Fri Sat Sun"
_OPENINGS = {word[:3] for word in (*_CAPITALS, *_FIRST, *_SPECIAL)}
_OPENINGS |= {f"{letter}{month:02}".encode() for letter in "IWEF" for month in (*range(1, 13), 20)}  # klog, glog
_OPENINGS |= {word.encode() for word in _DATES.split()}
_OPENINGS |= {b"E: ", b"W: "}
_SPACE, _COLON, _DASH, _BAR, _EQUALS = b" :-|="
_ENDINGS = {b"rror", b"tion", b"rupt", b"Exit", b"ning"}
_QUOTED = r'"(?:[^"\\]|\\.)*+"'
_PAIR = re.compile(
    rf"(?:[\w.@/-]{{1,60}}=(?:{_QUOTED}|[^\s\"]*+)[\s,]{{1,4}}){{0,24}}?"
    rf"(?:level|lvl|severity|loglevel|log_level|levelname)=[\"']?(?P<pair>(?:{_LONG}|[diwefDIWEF]))(?=[\"'\s,;]|$)".encode()
)

_KEYS = ("level", "severity", "lvl", "levelname", "log_level", "loglevel", "log.level", "Level", "@l", "levelno")
_JSON_KEY = re.compile(
    rb'"(?P<key>' + "|".join(re.escape(key) for key in _KEYS).encode() + rb')"\s{0,4}:\s{0,4}'
    rb'(?:"(?P<word>\w{1,20})"|(?P<number>\d{1,3})\b|\{[^{}]{0,120}?"name"\s{0,4}:\s{0,4}"(?P<name>\w{1,20})")'
)
_JSON_EVENT = re.compile(rb'"event"\s{0,4}:\s{0,4}"error"')
_JSON_PARENTS = ("log", "record", "logger", "meta", "fields")
# Pino and bunyan count from 10 for trace on, Python's logging from 10 for debug on.
_PINO = {10: Level.DEBUG, 20: Level.DEBUG, 30: Level.INFO, 40: Level.WARNING, 50: Level.ERROR, 60: Level.CRITICAL}
_PYTHON = {10: Level.DEBUG, 20: Level.INFO, 30: Level.WARNING, 40: Level.ERROR, 50: Level.CRITICAL}

# Every line that has a level, or begins a block, holds one of these.
_SUSPECT = (
    r"(?im)err|warn|wrn|info|inf\b|debug|dbg|trace|trc|crit|fatal|ftl|severe|notice|level|lvl|severity"
    r"|panic|exception|interrupt|exit:|exit$|killed|fault|abort|alert|emerg|verbose|success|\bfine|config|note\b"
    r"|\[[diwef][] ]|^\[?[diwef]\d|\[[diwef]\d|^<\d|[\d\]]:? [diwef] |^[ew]: |\"@l\""
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
    if not text:
        return Level.NONE
    by_first = _BY_FIRST[text[0]]
    return Level.NONE if by_first is None else by_first(text)


def _of_match(found: re.Match[bytes] | None) -> Level:
    if found is None:
        return Level.NONE
    return _WORDS.get(found[found.lastgroup or 0].lower(), Level.NONE)


def _of_stamped(text: bytes) -> Level:
    found = _STAMPED.match(text, 0, HEAD)
    # Compilers and Python's warnings name a file first, and a file may be named by a number.
    return _of_match(found) if found is not None else _of_symptom(text)


def _of_bracketed(text: bytes) -> Level:
    found = _BRACKETED.match(text, 0, HEAD) or _STAMPED.match(text, 0, HEAD)
    return _of_match(found) if found is not None else _behind_prefix(text)


def _behind_prefix(text: bytes) -> Level:
    """`[rank0]: x`, `worker 3 | x`: the level of x."""
    prefix = _RANK.match(text, 0, HEAD)
    if prefix is None:
        return Level.NONE
    rest = text[prefix.end() : prefix.end() + HEAD]
    # Once, or a line of brackets would be looked at again and again. Bare words behind a bar are columns of a table.
    if rest[:1].isalpha():
        return _of_word(rest, bare=False)
    return _of_match(_BRACKETED.match(rest)) if rest[:1] == b"[" else Level.NONE


def _of_spaced(text: bytes) -> Level:
    found = _SPACED.match(text, 0, HEAD)
    if found is None:
        return Level.NONE
    return Level.ERROR if found["trace"] else _of_match(found)


def _of_syslog(text: bytes) -> Level:
    found = _SYSLOG.match(text)
    number = int(found[1]) if found else 192
    return _SYSLOG_LEVELS[number & 7] if number < 192 else Level.NONE


def _of_symptom(text: bytes) -> Level:
    """`x.c:3:1: error: y`, `/x/y.py:12: UserWarning: z`."""
    head = text[:HEAD]
    if b"arning: " not in head and b"error: " not in head:
        return Level.NONE
    found = _SYMPTOM.match(head)
    if found is None:
        return Level.WARNING if _WARNED.match(head) else Level.NONE
    return Level.WARNING if found["warning"] else Level.CRITICAL if found["critical"] else Level.ERROR


def _of_word(text: bytes, *, bare: bool = True) -> Level:
    head = text if len(text) <= HEAD else text[:HEAD]
    # An ordinary line leaves here. One byte is looked for ten times faster than a word.
    if (
        head[:3] not in _OPENINGS
        and _SPACE in head
        and not (_DASH in head and b" - " in head)
        and not (_BAR in head and b" | " in head)
        and not (_EQUALS in head and _has_level_key(text))
        and not (_COLON in head and _names_symptom(head))
    ):
        return Level.NONE
    found = _NAME.match(text, 0, HEAD)
    if found is None:
        return Level.NONE
    word, end = found[0], found.end()
    level = _CAPITALS.get(word)
    if level is not None:
        behind = _BEHIND_CAPITALS if bare and word in _BARE else _BEHIND_NOTABLE
        return level if behind.match(text, end, HEAD) else Level.NONE
    level = _FIRST.get(word)
    if level is not None and _BEHIND_WORD.match(text, end, HEAD):
        return level
    special = _SPECIAL.get(word)
    if special is not None and (hit := special.match(text)) is not None:
        return Level[(hit.lastgroup or "none").upper()]
    if word.endswith((b"Error", b"Exception", b"Interrupt", b"Exit", b"Warning")) and word.rpartition(b".")[2][:1].isupper():
        if _BEHIND_EXCEPTION.match(text, end, HEAD):
            return Level.WARNING if word.endswith(b"Warning") else Level.ERROR
        return Level.NONE
    if text[end : end + 1] == b"=":
        return _of_match(_PAIR.match(text, 0, _PAIRS_HEAD))
    return _of_rest(text, word, end, bare=bare)


def _has_level_key(text: bytes) -> bool:
    head = text if len(text) <= _PAIRS_HEAD else text[:_PAIRS_HEAD]
    return b"lev" in head or b"sev" in head or b"lvl=" in head


def _names_symptom(head: bytes) -> bool:
    """Whether `Exception: `, `error: ` or `Warning: ` may be in it: the first name before a colon, or any of these words."""
    at = head.find(b": ")
    return at > 0 and (head[at - 4 : at] in _ENDINGS or b"rror: " in head or b"arning: " in head)


def _of_rest(text: bytes, word: bytes, end: int, *, bare: bool) -> Level:
    """What costs time is tried where it can be found only."""
    if word[0] in b"IWEF" and word[1:2].isdigit():
        found = _KLOG.match(text)
        return _of_match(found) if found is None else _WORDS[found[1].lower()]
    if end == 3 and text[3:4] == b" " and text[6:7] == b" ":
        return _of_match(_STAMPED.match(text, 0, HEAD))
    head = text[:HEAD]
    if b"arning: " in head or b"error: " in head:
        return _of_symptom(text)
    if b" - " in head and (hit := _DASHED.match(head)) is not None:
        return _of_match(hit)
    if bare and b" | " in head:
        return _behind_prefix(text)
    return Level.NONE


def _of_json(text: bytes) -> Level:
    found = _JSON_KEY.search(text, 0, _JSON_HEAD)
    if found is None and len(text) > _JSON_HEAD:
        found = _JSON_KEY.search(text, len(text) - _PAIRS_HEAD)
        if found is not None and text.count(b"}", found.end()) - text.count(b"{", found.end()) != 1:
            found = None
    elif found is not None and text.count(b"{", 0, found.start()) > 1 and len(text) <= _JSON_HEAD:
        return _of_nested(text)
    if found is not None:
        level = _told(found["key"], found["word"] or found["name"], found["number"])
        if level:
            return level
    event = _JSON_EVENT.search(text, 0, _JSON_HEAD)
    return Level.ERROR if event is not None and text.count(b"{", 0, event.start()) == 1 else Level.NONE


def _told(key: bytes, word: bytes | None, number: bytes | None) -> Level:
    if number is not None:
        return (_PYTHON if key == b"levelno" else _PINO).get(int(number), Level.NONE)
    return _WORDS.get((word or b"").lower(), Level.NONE)


def _of_nested(text: bytes) -> Level:
    """A level behind other objects: whose it is only a parser can tell."""
    try:
        # Figures stay text: thousands of them must cost nothing.
        line = json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return Level.NONE
    if not isinstance(line, dict):
        return Level.NONE
    inner = [line.get(parent) for parent in _JSON_PARENTS]
    for known in (line, *(one for one in inner if isinstance(one, dict))):
        for key in _KEYS:
            value = known.get(key)
            value = value.get("name") if isinstance(value, dict) else value
            if isinstance(value, str) and len(value) <= 20:
                told = value.encode("utf-8", "replace")
                level = _told(key.encode(), told, told if value.isascii() and value.isdigit() else None)
                if level:
                    return level
    return Level.ERROR if line.get("event") == "error" else Level.NONE


_BY_FIRST: list[Callable[[bytes], Level] | None] = [None] * 256
for _bytes, _by in (
    (b"0123456789", _of_stamped),
    (b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_", _of_word),
    (b"[", _of_bracketed),
    (b" \t", _of_spaced),
    (b"{", _of_json),
    (b"<", _of_syslog),
    (b"/.", _of_symptom),
):
    for _byte in _bytes:
        _BY_FIRST[_byte] = _by


def parse_level(word: str) -> Level:
    """The level that a person means: `warning`, `warn`, `W`. ValueError with the possible words."""
    found = _WORDS.get(word.strip().lower().encode())
    if found is None:
        raise ValueError(f"there is no level {word}: debug, info, warning, error, critical.")
    return found


def letter(level: Level) -> str:
    """One letter for a narrow column; empty without a level."""
    return next(letter for letter, known in _LETTERS.items() if known == level)
