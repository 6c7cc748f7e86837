"""The end of a log as lines with their times: of a container out of its entries, of a build out of its console. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from console.logs.join import Joiner
from console.logs.lines import STDERR
from console.model.log import Entry
from console.text import Clean, clean

LINES = 2000
"""The newest lines of a console that are looked at: who reads them has a loop to keep free."""

_LONGEST = 2000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# With timestamps() each line begins with the moment at which Jenkins read it; Pipeline's own lines do not.
_TIME = re.compile(r"^\[(?P<at>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z)\] ?")


@dataclass(frozen=True, slots=True)
class Said:
    """One line. `at` in nanoseconds since 1970, None where its log has no times."""

    text: Clean
    at: int | None = None
    stderr: bool = False


def of_container(entries: Iterable[Entry]) -> tuple[Said, ...]:
    """Lines in the order of the log; of a bar that repaints its newest state."""
    joiner = Joiner(same_time=True)
    lines = [*joiner.feed(entries), *joiner.end()]
    return tuple(Said(_shown(text), time, bool(flags & STDERR)) for time, flags, text in lines)


def of_build(text: str) -> tuple[Said, ...]:
    """The newest lines of a console, without the times in front of them."""
    return tuple(_of_console(line) for line in text.replace("\r\n", "\n").split("\n")[-LINES:])


def _of_console(line: str) -> Said:
    found = _TIME.match(line)
    if found is None:
        return Said(clean(line, limit=_LONGEST))
    try:
        at = (datetime.fromisoformat(found["at"]) - _EPOCH) // timedelta(microseconds=1) * 1000
    except ValueError:
        at = None
    return Said(clean(line[found.end() :], limit=_LONGEST), at)


def _shown(text: bytes) -> Clean:
    return clean(text[-16 * _LONGEST :].decode("utf-8", "replace"), limit=_LONGEST)
