"""What a running build waits for, out of the end of its log: a lock is shown nowhere else (pipeline.md, lock-waiting-*)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from console.model.build import BuildRef
from console.model.jenkins import Held
from console.text import clean

# With timestamps() each line begins with its moment; Pipeline's own lines do not.
_TIME = re.compile(r"^\[(?P<at>\d{4}-\d\d-\d\dT[\d:.]+Z)\] ?")
_ACQUIRE = re.compile(r"^Trying to acquire lock on \[(?P<lock>.+)\]")
# What may follow while the lock has not come. The plugin's version 2.13 says the first two, later ones the others.
_STILL_LOCKED = re.compile(
    r"^(?:Found \d+ available resource\(s\)\. Waiting for correct amount|\[.+\] is locked\b.*, waiting"
    r"|Resource \[.+\] did not exist\. Created\.|The resource \[.+\] is (?:locked|reserved)\b"
    r"|\[.+\] is not free, waiting for execution|\[.+\] added into queue)"
)
_BY = re.compile(r"\] is locked by (?:build )?(?P<job>.+?) #(?P<number>\d+)\b")
_ASKS = re.compile(r"^.+ or (?:Abort|Reject|Cancel)$")
_WITH_FIELDS = "Input requested"
_LABEL = re.compile(r"^(?:Resource|Label): (?P<name>[^,]+)")
# A restart of Jenkins ends no wait (recordings restart-process-*, agent/controller-*).
_RESTART = re.compile(
    r"^(?:Resuming build at .+ after Jenkins restart|Ready to run at "
    r"|Waiting for reconnection of .+ before proceeding with build)"
)
_PIPELINE = "[Pipeline] "
# Folders stand before the job as the page shows them: `team > evaluate`, with a double arrow.
_IN = " \N{RIGHT-POINTING DOUBLE ANGLE QUOTATION MARK} "
_KEPT = 40


class _Line(NamedTuple):
    text: str
    at: datetime | None


def held(lines: Sequence[str]) -> Held | None:
    """What the newest lines say it waits for; None when it goes on. Later lines win: every wait ends with a line of its own.

    `since` is in the controller's clock, and None where the log has no times.
    """
    told = (_line(line) for line in lines[-_KEPT:])
    last = [one for one in told if one.text and not _RESTART.match(one.text)]
    return (_lock(last) or _node(last) or _question(last)) if last else None


def _line(text: str) -> _Line:
    text = text.rstrip()
    found = _TIME.match(text)
    if found is None:
        return _Line(text, None)
    try:
        at = datetime.fromisoformat(found["at"])
    except ValueError:
        at = None
    return _Line(text[found.end() :], at)


def _lock(last: Sequence[_Line]) -> Held | None:
    at = next((at for at in reversed(range(len(last))) if not _STILL_LOCKED.match(last[at].text)), None)
    asked = _ACQUIRE.match(last[at].text) if at is not None else None
    if at is None or asked is None:
        return None
    told = next((found for line in last[at:] if (found := _BY.search(line.text))), None)
    by = BuildRef(clean(told["job"].replace(_IN, "/")), int(told["number"])) if told else None
    named = _LABEL.match(asked["lock"])
    return Held("lock", clean(named["name"] if named else asked["lock"]), by, last[at].at)


def _node(last: Sequence[_Line]) -> Held | None:
    end = last[-1]
    if end.text == f"{_PIPELINE}node":
        return Held("node", clean(""))
    for at in range(max(0, len(last) - 2), len(last)):
        if last[at].text == "Still waiting to schedule task":
            return Held("node", clean(last[at + 1].text if at + 1 < len(last) else ""), None, last[at].at)
    return None


def _question(last: Sequence[_Line]) -> Held | None:
    """Nothing but the question stands behind the newest `[Pipeline] input`; one with fields says only that there is one."""
    at = next((at for at in reversed(range(len(last))) if last[at].text.startswith(_PIPELINE)), None)
    if at is None or last[at].text != f"{_PIPELINE}input":
        return None
    asked = last[at + 1 :]
    if not asked:
        return Held("input", clean(""))
    if [line.text for line in asked] == [_WITH_FIELDS]:
        return Held("input", clean(""), None, asked[0].at)
    if _ASKS.match(asked[-1].text):
        return Held("input", clean(" ".join(line.text for line in asked[:-1])), None, asked[0].at)
    return None


def compile_error(lines: Sequence[str]) -> str | None:
    """Where a Jenkinsfile does not compile, from a log that begins with it: `line 11: Expected a symbol`."""
    if not any("MultipleCompilationErrorsException" in line or "startup failed:" in line for line in lines):
        return None
    for line in lines:
        if found := _SCRIPT.match(_line(line).text):
            return f"Jenkinsfile line {found['line']}: {found['what'].strip()}"
    return "the Jenkinsfile does not compile"


_SCRIPT = re.compile(r"^WorkflowScript: (?P<line>\d+): (?P<what>.*?)(?: @ line \d+, column \d+\.?)?$")
