"""Log lines on stdout: as text that does nothing to a terminal, or as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import cycle
from typing import Any, Protocol

from console.cli import forms
from console.cli.output import Printer, complain, write_out
from console.logs.ingest import visible
from console.logs.levels import Level
from console.logs.lines import CONTINUED, LATE, LEVEL, LEVEL_SHIFT, MORE, OPEN, STDERR, Item, Kind, Line, Notice
from console.logs.origin import BuildLog, KeptLog, Origin
from console.model.cells import pad, width
from console.model.source import SourceState, SourceStatus

_COLORS = ("36", "33", "35", "32", "34", "96", "93", "95", "92", "94")
_NAME_CELLS = 24


class Sink(Protocol):
    """Where the items of all logs go."""

    async def give(self, origin: Origin, item: Item) -> None: ...

    def bar(self, origin: Origin, line: Line) -> None:
        """The present state of a line that has no end yet."""
        ...

    def finish(self, states: Mapping[str, SourceStatus]) -> None:
        """How the systems that were asked are doing at the end."""
        ...


class Plain:
    """Text, with the name of its container in front of each line when there are several."""

    def __init__(self, printer: Printer, chosen: Sequence[Origin], *, prefixed: bool, times: bool) -> None:
        self._printer = printer
        self._prefixed = prefixed
        self._times = times
        self._width = min(_NAME_CELLS, max((width(short_name(one)) for one in chosen), default=0))
        self._colors = cycle(_COLORS)
        self._prefixes: dict[str, str] = {}
        self._encoding = (sys.stdout.encoding if sys.stdout is not None else None) or "ascii"

    async def give(self, origin: Origin, item: Item) -> None:
        if isinstance(item, Notice):
            if item.kind is not Kind.NOW:
                complain(item.text if self._names_it(item, origin) else f"{origin.name}: {item.text}")
            return
        prefix = self._prefix(origin) if self._prefixed else ""
        if prefix or self._times or any(line[1] & (MORE | CONTINUED) for line in item):
            self._write("".join([self._line(prefix, line) for line in item]))
            return
        blob = b"\n".join([line[2] for line in item])
        clean = visible(blob) if visible(blob) == blob else b"\n".join([visible(line[2]) for line in item])
        self._write(f"{clean.decode()}\n")

    def bar(self, origin: Origin, line: Line) -> None:
        prefix = self._prefix(origin) if self._prefixed else ""
        self._write(self._line(prefix, (line[0], line[1], line[2][: line[2].rfind(b"\r")])))

    def finish(self, states: Mapping[str, SourceStatus]) -> None:
        """Nothing is left to be printed."""

    def _line(self, prefix: str, line: Line) -> str:
        time, flags, written = line
        text = visible(written).decode()
        if self._times and not flags & CONTINUED:
            text = f"{stamp(time)} {text}"
        # A line that came in parts is one line, unless something else may come in between.
        goes_on = flags & MORE and not self._prefixed and b"\r" not in written
        return f"{prefix}{text}" if goes_on else f"{prefix}{text}\n"

    def _prefix(self, origin: Origin) -> str:
        known = self._prefixes.get(origin.id)
        if known is None:
            name = f"{pad(short_name(origin), self._width)} | "
            known = self._printer.tinted(next(self._colors), name)
            self._prefixes[origin.id] = known
        return known

    def _write(self, text: str) -> None:
        if self._encoding.lower() not in ("utf-8", "utf8"):
            text = text.encode(self._encoding, "replace").decode(self._encoding)
        write_out(text)

    @staticmethod
    def _names_it(notice: Notice, origin: Origin) -> bool:
        return origin.name in notice.text


class JsonLines:
    """One object: its items are written as they come. With `follow` one object for what comes at once."""

    def __init__(self, envelope: Callable[[Sequence[dict[str, Any]]], dict[str, Any]], *, follow: bool) -> None:
        self._envelope = envelope
        self._follow = follow
        self._any = False

    async def give(self, origin: Origin, item: Item) -> None:
        if isinstance(item, Notice):
            if item.kind is Kind.NOW:
                return
            complain(f"{origin.name}: {item.text}")
            items = [notice_form(origin, item)]
        else:
            items = [line_form(origin, line) for line in item]
        if self._follow:
            write_out(_json(self._envelope(items)) + "\n")
            return
        write_out("".join([(", " if self._any or at else self._head()) + _json(one) for at, one in enumerate(items)]))
        self._any = self._any or bool(items)

    def bar(self, origin: Origin, line: Line) -> None:
        """Programs get the line when it is complete."""

    def finish(self, states: Mapping[str, SourceStatus]) -> None:
        """The end of the object; what became of the source is known only now."""
        rest = self._envelope([])
        rest["sources"] = {name: forms.source(status) for name, status in states.items()}
        if self._follow:
            if any(status.state is not SourceState.OK for status in states.values()):
                write_out(_json(rest) + "\n")
        else:
            del rest["items"]
            write_out(("" if self._any else self._head()) + "], " + _json(rest)[1:] + "\n")

    def _head(self) -> str:
        return '{"items": ['


def line_form(origin: Origin, line: Line) -> dict[str, Any]:
    """A line for programs. The text is what was written, with every control character escaped."""
    time, flags, written = line
    level = Level((flags & LEVEL) >> LEVEL_SHIFT)
    return {
        **_whose(origin),
        "time": stamp(time),
        "stream": "stderr" if flags & STDERR else "stdout",
        "level": level.name.lower() if level else None,
        "text": written.decode("utf-8", "replace"),
        "complete": not flags & OPEN,
        "continued": bool(flags & CONTINUED),
        "late": bool(flags & LATE),
        "notice": None,
    }


def notice_form(origin: Origin, notice: Notice) -> dict[str, Any]:
    """What the console has to say about the log, in the same shape."""
    return {
        **_whose(origin),
        "time": stamp(notice.time),
        "stream": None,
        "level": None,
        "text": notice.text,
        "complete": True,
        "continued": False,
        "late": False,
        "notice": notice.kind.value,
    }


def _whose(origin: Origin) -> dict[str, Any]:
    if isinstance(origin, BuildLog | KeptLog):
        build = {"job": origin.ref.job, "number": origin.ref.number, "name": origin.name}
        return {"container": None, "id": origin.id, "service": None, "build": build}
    return {"container": origin.name, "id": origin.id, "service": origin.service, "build": None}


def stamp(nano: int) -> str:
    """A time as the Engine writes it: UTC with nine digits behind the point."""
    seconds, rest = divmod(nano, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09}Z"


def short_name(origin: Origin) -> str:
    """The service with the number of the replica, as Compose writes it; else the container's name. Of a build `train #12`."""
    if isinstance(origin, BuildLog | KeptLog):
        return origin.name
    number = origin.label("com.docker.compose.container-number")
    return f"{origin.service}-{number}" if origin.service and number else origin.name


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True)
