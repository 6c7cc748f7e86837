"""What a running build waits for, out of the end of its log: a lock is shown nowhere else (pipeline.md, lock-waiting-*)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from console.model.build import BuildRef
from console.model.jenkins import Held
from console.text import clean

# With timestamps() each line begins with its moment; Pipeline's own lines do not.
_TIME = re.compile(r"^\[\d{4}-\d\d-\d\dT[\d:.]+Z\] ?")
_LOCKED = re.compile(r"^\[(?P<lock>.+)\] is locked(?: by (?:build )?(?P<job>.+?) #(?P<number>\d+)\b.*)?, waiting")
_ACQUIRE = re.compile(r"^Trying to acquire lock on \[(?P<lock>.+)\]")
_ASKS = re.compile(r"^(?:Input requested|.+ or (?:Abort|Reject|Cancel))$")
_LABEL = re.compile(r"^(?:Resource|Label): (?P<name>[^,]+)")
_PIPELINE = "[Pipeline] "
_KEPT = 40


def held(lines: Sequence[str]) -> Held | None:
    """What the newest lines say it waits for; None when it goes on. Later lines win: every wait ends with a line of its own."""
    last = [_TIME.sub("", line.rstrip()) for line in lines[-_KEPT:]]
    last = [line for line in last if line]
    if not last:
        return None
    end = last[-1]
    if found := _LOCKED.match(end):
        by = BuildRef(clean(found["job"]), int(found["number"])) if found["job"] else None
        return Held("lock", clean(_lock(found["lock"])), by)
    if found := _ACQUIRE.match(end):
        return Held("lock", clean(_lock(found["lock"])))
    if end == f"{_PIPELINE}node" or "Still waiting to schedule task" in last[-2:]:
        return Held("node", clean("" if end.startswith(_PIPELINE) or "schedule" in end else end))
    if end == f"{_PIPELINE}input":
        return Held("input", clean(""))
    if _ASKS.match(end) and len(last) > 1 and _begins_input(last):
        question = last[-2]
        return Held("input", clean("" if question.startswith(_PIPELINE) else question))
    return None


def _begins_input(last: Sequence[str]) -> bool:
    """True when nothing but the question stands behind the newest `[Pipeline] input`."""
    return any(line == f"{_PIPELINE}input" for line in last[-6:-1])


def _lock(name: str) -> str:
    found = _LABEL.match(name)
    return found["name"] if found else name


def compile_error(lines: Sequence[str]) -> str | None:
    """Where a Jenkinsfile does not compile, from a log that begins with it: `line 11: Expected a symbol`."""
    if not any("MultipleCompilationErrorsException" in line or "startup failed:" in line for line in lines):
        return None
    for line in lines:
        if found := _SCRIPT.match(_TIME.sub("", line)):
            return f"Jenkinsfile line {found['line']}: {found['what'].strip()}"
    return "the Jenkinsfile does not compile"


_SCRIPT = re.compile(r"^WorkflowScript: (?P<line>\d+): (?P<what>.*?)(?: @ line \d+, column \d+\.?)?$")
