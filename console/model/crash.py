"""What is written down when a defect ends the console: where it happened, and nothing of what the console had read.

A log line, a token or a setting can stand in the message of any exception. So only the interpreter's own sentences are kept,
which name types and parts of the program; of everything else the kind is told and the place.
"""

from __future__ import annotations

import errno
import linecache
import os
import re
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType

from console.text import Clean, clean

_MOST_FRAMES = 40
_MOST_DEEP = 6
_NAME = r"[A-Za-z_][\w.]{0,60}"
_HARMLESS = re.compile(
    "|".join(
        (
            r"(?:list|tuple|string|bytes?|bytearray|deque|array|range object|memoryview) (?:assignment )?index out of range",
            r"pop from (?:an )?empty (?:list|set|deque)",
            rf"'{_NAME}' object has no attribute '{_NAME}'",
            rf"type object '{_NAME}' has no attribute '{_NAME}'",
            rf"module '{_NAME}' has no attribute '{_NAME}'",
            rf"'{_NAME}' object (?:is not (?:iterable|callable|subscriptable|an iterator)|does not support item assignment)",
            rf"'{_NAME}' object cannot be interpreted as an integer",
            rf"object of type '{_NAME}' has no len\(\)",
            rf"unsupported operand type\(s\) for [^'\w]{{1,6}}: '{_NAME}' and '{_NAME}'",
            rf"'[<>=]{{1,2}}' not supported between instances of '{_NAME}' and '{_NAME}'",
            rf"{_NAME}\(\) (?:takes|got an unexpected|missing) [\w ,']{{1,160}}",
            rf"name '{_NAME}' is not defined",
            rf"cannot access (?:local|free) variable '{_NAME}' where it is not associated with a value",
            rf"No module named '{_NAME}'",
            rf"cannot import name '{_NAME}' from '{_NAME}'",
            r"(?:integer |float )?(?:division or modulo|division|modulo) by zero|float floor division by zero",
            r"maximum recursion depth exceeded(?: [a-z ]{1,60})?",
            r"(?:not enough|too many) values to unpack \(expected \d+(?:, got \d+)?\)",
            r"cannot unpack non-iterable \w+ object",
            r"(?:dictionary|Set|deque) (?:changed size|keys changed|mutated) during iteration",
            r"Event loop is closed|cannot schedule new futures after shutdown|can't start new thread",
            r"unhandled errors in a TaskGroup \(\d+ sub-exceptions?\)",
        )
    )
)
_TERM = re.compile(r"[A-Za-z0-9][\w+.-]{0,40}")


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is told besides the defect. `size` is columns and rows; `actions` are names of actions, oldest first."""

    versions: Mapping[str, str]
    term: str
    encoding: str
    size: tuple[int, int] | None
    actions: Sequence[str] = ()
    at: datetime | None = None


def report(defect: BaseException, around: Circumstances) -> Clean:
    """All that is written down, as text of several lines."""
    at = (around.at or datetime.now(UTC)).astimezone(UTC)
    term = around.term if _TERM.fullmatch(around.term) else "?"
    size = "x".join(map(str, around.size)) if around.size else "?"
    lines = [
        f"mlops-console ended by a defect, {at:%Y-%m-%dT%H:%M:%SZ}",
        ", ".join(f"{name} {version}" for name, version in around.versions.items()),
        f"TERM {term}, {size}, {around.encoding}",
        f"last actions: {', '.join(around.actions) or 'none'}",
        "",
        *_told(defect, 0),
    ]
    return clean("\n".join(lines) + "\n", lines=True, limit=200_000)


def summary(defect: BaseException) -> Clean:
    """The kind of a defect and where it happened, in a few words."""
    inner = _innermost(defect)
    places = list(_places(inner.__traceback__))
    ours = [place for place in places if place.startswith("console/")] or places
    kind = type(inner).__name__
    return clean(f"{kind} in {ours[-1]}" if ours else kind)


def _innermost(defect: BaseException) -> BaseException:
    """Of several that came together the first; of one that only carries another, as those of workers do, the other."""
    for _ in range(_MOST_DEEP):
        if isinstance(defect, BaseExceptionGroup):
            defect = defect.exceptions[0]
        elif defect.__traceback__ is None and (carried := _carried(defect)) is not None:
            defect = carried
        else:
            break
    return defect


def _carried(defect: BaseException) -> BaseException | None:
    """Textual's WorkerFailed keeps what has failed as `error`, and is itself never raised."""
    carried = getattr(defect, "error", None)
    return carried if isinstance(carried, BaseException) else None


def _told(defect: BaseException, deep: int) -> Iterator[str]:
    if deep >= _MOST_DEEP:
        yield "... and more"
        return
    before = defect.__cause__ or (None if defect.__suppress_context__ else defect.__context__) or _carried(defect)
    if before is not None and before is not defect:
        yield from _told(before, deep + 1)
        yield "then:"
    yield from _frames(defect.__traceback__)
    said = _said(defect)
    yield f"{type(defect).__module__}.{type(defect).__qualname__}{': ' + said if said else ''}".removeprefix("builtins.")
    if isinstance(defect, BaseExceptionGroup):
        for one in defect.exceptions[:3]:
            yield "of which:"
            yield from (f"  {line}" for line in _told(one, deep + 1))


def _said(defect: BaseException) -> str:
    """The sentence of the interpreter or of the system; for any other only that it is left out."""
    if isinstance(defect, OSError) and defect.errno is not None:
        name = errno.errorcode.get(defect.errno, str(defect.errno))
        return f"{name}, {os.strerror(defect.errno)}"
    if isinstance(defect, UnicodeError):
        return str(getattr(defect, "encoding", ""))
    said = defect.message if isinstance(defect, BaseExceptionGroup) else _first_argument(defect)
    text = f"{said} ({len(defect.exceptions)} sub-exceptions)" if isinstance(defect, BaseExceptionGroup) else said
    if not text or _HARMLESS.fullmatch(text):
        return text
    return "(its words are left out: they may hold what nobody else should read)"


def _first_argument(defect: BaseException) -> str:
    try:
        return str(defect.args[0]) if defect.args else ""
    except Exception:  # an object of somebody else's may refuse to be shown
        return "?"


def _frames(trace: TracebackType | None) -> Iterator[str]:
    found = list(traceback.walk_tb(trace))
    left = len(found) - _MOST_FRAMES
    for at, (frame, line) in enumerate(found):
        if left > 0 and at == _MOST_FRAMES // 2:
            yield f"  ... {left} more"
        if left > 0 and _MOST_FRAMES // 2 <= at < _MOST_FRAMES // 2 + left:
            continue
        file = frame.f_code.co_filename
        yield f"  {short_path(file)}:{line} in {frame.f_code.co_name}"
        if source := linecache.getline(file, line).strip():
            yield f"      {source}"


def _places(trace: TracebackType | None) -> Iterator[str]:
    for frame, line in traceback.walk_tb(trace):
        yield f"{short_path(frame.f_code.co_filename)}:{line}"


def short_path(path: str) -> str:
    """The path within its package: folders above it name people."""
    for mark in ("/site-packages/", "/dist-packages/"):
        if mark in path:
            return path.rpartition(mark)[2]
    root = __file__.removesuffix("console/model/crash.py")
    return path.removeprefix(root) if path.startswith(root) else path.rpartition("/")[2]
