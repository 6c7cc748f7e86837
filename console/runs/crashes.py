"""The error that a program ended with, out of the last lines of its log: the last exception and where it was raised. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from console.runs.endings import Said
from console.text import Clean, clean

_TRACEBACK = "Traceback (most recent call last):"
_FRAME = re.compile(r'^\s+File "(?P<file>[^"]{1,400})", line (?P<line>\d{1,7})(?:, in (?P<where>.{1,80}))?$')
_RAISED = re.compile(r"^(?P<kind>[A-Za-z_]\w{0,80}(?:\.\w{1,80}){0,12})(?:: ?(?P<message>.*))?$")
_DIRECT = "The above exception was the direct cause of the following exception:"
_HANDLING = "During handling of the above exception, another exception occurred:"
_LIBRARY = re.compile(r"site-packages/|dist-packages/|/lib/python\d|^<")
_AFTER = 30
"""Lines of the same stream that may follow the last traceback: a program that went on after it did not end of it."""

_LATER = 10_000_000_000
_MESSAGE_LINES = 10
LAUNCHERS = frozenset({"ChildFailedError", "ProcessExitedException", "ProcessRaisedException", "CalledProcessError"})
"""What a launcher says of its workers is no cause: theirs stands before it."""

_FATAL = re.compile(
    r"^(?:Fatal Python error: .+|Segmentation fault.*|Bus error.*|terminate called after throwing an instance of .+"
    r"|panic: .+|Aborted \(core dumped\)|thread '.{1,80}' panicked at .+)$"
)
_ERROR = re.compile(
    r"^(?:[\w./-]{1,60}: |\[?[\d:., T-]{8,30}\]? ?-? ?)?(?:\[)?(?:ERROR|CRITICAL|FATAL|error|fatal|Error)\b[\]: ].+"
)
# `error: 0.01` is a measurement.
_MEASURED = re.compile(r"error\W{1,4}[\d.e+-]+\W*$", re.IGNORECASE)
_LAST = 6


@dataclass(frozen=True, slots=True)
class Crash:
    """`name` is the exception's with its module, `kind` without, `message` its first line, `full` all of them. `place` is
    where it was raised, of the program's own files where there are any. `causes` are those that it was raised from, the nearest
    first; `before` are the lines of those that were being handled when it, or the first of its causes, was raised, the nearest
    first: what led to it may be among them."""

    name: Clean
    message: Clean
    full: Clean
    place: Clean | None = None
    at: int | None = None
    causes: tuple[Clean, ...] = ()
    before: tuple[Clean, ...] = ()

    @property
    def kind(self) -> Clean:
        return clean(self.name.rpartition(".")[2])

    @property
    def line(self) -> Clean:
        return clean(f"{self.kind}: {self.message}" if self.message else self.kind)


def crash_of(lines: Sequence[Said]) -> Crash | None:
    """The last exception that its program ended with; None where it ended without one, or went on after it."""
    told = _event(lines)
    found = [one for stream in (True, False) if (one := _of_stream([each for each in lines if each.stderr is stream]))]
    raised = max(found, key=lambda one: one.at or 0, default=None)
    if raised is not None and raised.at is not None and _went_on(lines, raised.at):
        raised = None
    if told is None or (raised is not None and raised.kind == told.kind and raised.message):
        return raised
    return Crash(told.name, told.message, told.full, raised.place if raised is not None else None, told.at)


def _went_on(lines: Sequence[Said], at: int) -> bool:
    """Whether the program did after it what it did before: on the other stream, that is."""
    return sum(1 for one in lines if one.at is not None and one.at > at + _LATER) > _AFTER


def error_line(lines: Sequence[Said]) -> Said | None:
    """The last line that calls itself an error, where it is among the last of all."""
    last = [one for one in lines if one.text.strip()][-_LAST:]
    fatal = next((one for one in reversed(last) if _FATAL.match(one.text)), None)
    return fatal or next((one for one in reversed(last) if _ERROR.match(one.text) and not _MEASURED.search(one.text)), None)


def _event(lines: Sequence[Said]) -> Crash | None:
    """What a training that keeps to the contract says of its end (interface.md)."""
    for one in reversed(lines[-200:]):
        if not one.text.startswith('{"event"'):
            continue
        try:
            event = json.loads(one.text)
        except (ValueError, RecursionError):
            continue
        if not isinstance(event, dict):
            continue
        if event.get("event") == "error":
            message = clean(" ".join(str(event.get("message") or "").split()), limit=1000)
            return Crash(clean(event.get("error") or "error", limit=80), message, message, None, one.at)
        if event.get("event") in ("step", "epoch", "start", "end"):
            return None
    return None


def _of_stream(lines: Sequence[Said]) -> Crash | None:
    chain = list(_raised(lines))
    if not chain or sum(1 for one in lines[chain[-1][2] :] if one.text.strip()) > _AFTER:
        return None
    while len(chain) > 1 and chain[-1][0].kind in LAUNCHERS:
        chain.pop()
    last = chain[-1][0]
    causes: list[Clean] = []
    handled: list[Clean] = []
    for (before, _, _), (_, link, _) in zip(reversed(chain[:-1]), reversed(chain), strict=False):
        if not link:
            break
        if link == _DIRECT and not handled:
            causes.append(clean(f"{before.name}: {before.full}", limit=1000))
        else:
            handled.append(before.line)
    return replace(last, causes=tuple(causes), before=tuple(handled))


def _raised(lines: Sequence[Said]) -> Iterator[tuple[Crash, str, int]]:
    """Each exception, the words that link it to the one before it if any do, and the index behind its first line."""
    link, at = "", 0
    while at < len(lines):
        text = lines[at].text
        if _DIRECT in text or _HANDLING in text:
            link = _DIRECT if _DIRECT in text else _HANDLING
        if _TRACEBACK not in text:
            at += 1
            continue
        prefix = text.partition(_TRACEBACK)[0]
        crash, end = _one(lines, at + 1, prefix)
        if crash is not None:
            yield crash, link, end
        link, at = "", max(end, at + 1)


def _one(lines: Sequence[Said], at: int, prefix: str) -> tuple[Crash | None, int]:
    own = other = None
    while at < len(lines):
        text = _bare(lines[at].text, prefix)
        frame = _FRAME.match(text)
        if frame is not None:
            place = _place(frame)
            if _LIBRARY.search(frame["file"]):
                other = place
            else:
                own = place
        elif text and not text[0].isspace():
            break
        elif not text.strip():
            return None, at
        at += 1
    if at >= len(lines) or (found := _RAISED.match(_bare(lines[at].text, prefix))) is None:
        return None, at
    full = [str(found["message"] or "")]
    for more in lines[at + 1 : at + 1 + _MESSAGE_LINES]:
        text = _bare(more.text, prefix)
        if not text.strip() or _TRACEBACK in text:
            break
        full.append(text.strip())
    message = clean(found["message"] or "", limit=1000)
    return Crash(clean(found["kind"]), message, clean(" ".join(full), limit=2000), own or other, lines[at].at), at + 1


def _bare(text: str, prefix: str) -> str:
    return text.removeprefix(prefix) if prefix else text


def _place(frame: re.Match[str]) -> Clean:
    """`src/train.py:141 in main`: folders above tell nothing but where the image has it."""
    path = "/".join(frame["file"].split("/")[-2:]) if "/src/" in frame["file"] else frame["file"].rpartition("/")[2]
    where = f" in {frame['where']}" if frame["where"] and not frame["where"].startswith("<") else ""
    return clean(f"{path}:{frame['line']}{where}", limit=200)
