"""The recordings of a real controller, and how an answer of the model is held against one.

Format: README of the recordings. The rules compare what a client can rely on:

* the status, and the headers that mean something (with their values where those are not of one moment);
* JSON: the same keys with the same types everywhere, the same `_class`, the same values except of the keys in
  VOLATILE (moments, sizes of one machine, random ids). Lists are compared element by element, except that
  `actions` count in any order and without the empty `{}` (they depend on unrelated plugins: a client looks for a
  `_class`), and executors in any order, because the server numbers them by chance;
* logs: the same lines that a client may look for (MATTERS), in the same order. Two things come in an order of chance, because
  several threads of the server write them: the name of who stopped a build and what becomes of its process (recorded both
  ways round), and the lines of parallel branches among each other: between `parallel` and `// parallel` order does not count;
* pages: the same title.
"""

from __future__ import annotations

import base64
import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "recordings" / "jenkins"

VOLATILE = frozenset(
    [
        "timestamp",
        "duration",
        "estimatedDuration",
        "startTimeMillis",
        "endTimeMillis",
        "durationMillis",
        "queueDurationMillis",
        "pauseDurationMillis",
        "queueId",
        "inQueueSince",
        "buildableStartMilliseconds",
        "progress",
        "crumb",
        "tokenUuid",
        "tokenValue",
        "availablePhysicalMemory",
        "availableSwapSpace",
        "totalPhysicalMemory",
        "totalSwapSpace",
        "size",
        "average",
        "diff",
        "length",
    ]
)
_VALUES = frozenset(
    [
        "location",
        "x-more-data",
        "x-required-permission",
        "x-you-are-authenticated-as",
        "x-permission-implied-by",
        "x-error",
        "allow",
        "www-authenticate",
        "content-encoding",
        "content-type",
        "accept-ranges",
    ]
)
_PRESENCE = frozenset(["x-jenkins", "x-jenkins-session", "x-text-size", "retry-after", "etag", "last-modified"])
_HOST = re.compile(r"http://127\.0\.0\.1:\d+")
_STAMP = re.compile(r"^\[\d{4}-\d\d-\d\dT[\d:.]+Z\] ")
_TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL)
MATTERS = re.compile(
    r"^(\[Pipeline\] |Started by |Obtained |Running on |Finished: |ERROR: |WARNING: |Aborted by |Approved by |Rejected by "
    r"|Input requested|Stage \"|Post stage|Trying to acquire|Lock |Found \d|\[[^\]]+\] is locked|Resource \[|Still waiting|‘"
    r"|Sending interrupt|After 20s|script returned|Could not connect|Cannot contact|Timeout |Cancelling|Failed in branch"
    r"|Error when executing|org\.jenkinsci\.plugins\.workflow\.actions\.ErrorAction|org\.codehaus\.groovy\.control\.Multiple"
    r"|Archiving|Checking out Revision|Scheduling project|Starting building|Build .* completed|epoch |héllo|\+ "
    r"|Processed |No changes detected|  Checking branch|    Met|    Does not)"
)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One recorded request and its answer. `body` of the answer is text, or what its JSON says."""

    name: str
    method: str
    url: str
    sent: dict[str, str]
    content: bytes
    status: int
    headers: dict[str, str]
    body: str | Any

    @property
    def credentials(self) -> tuple[str, str] | None:
        header = self.sent.get("authorization", "")
        if not header.startswith("Basic "):
            return None
        user, _, secret = base64.b64decode(header[6:]).decode().partition(":")
        return user, secret


@dataclass(slots=True)
class Got:
    """What the model answered; `body` is decoded text."""

    status: int
    headers: dict[str, str]
    body: str
    differences: list[str] = field(default_factory=list)


def exchanges() -> Iterator[Exchange]:
    """All recordings of one exchange, by name; those of agents and of the training pipeline have a folder in it."""
    for path in sorted(FOLDER.rglob("*.json")):
        data = json.loads(path.read_text(encoding="utf-8"))
        request, response = data.get("request"), data.get("response")
        if not isinstance(request, dict) or not isinstance(response, dict) or "status" not in response:
            continue
        name = path.relative_to(FOLDER).with_suffix("").as_posix()
        yield Exchange(
            name,
            request["method"],
            request.get("url") or request["path"],
            joined(request.get("headers")),
            (request.get("body") or "").encode(),
            response["status"],
            joined(response.get("headers")),
            response.get("body") or "",
        )


def joined(headers: Any) -> dict[str, str]:
    """Headers by lower-case name."""
    pairs = headers.items() if isinstance(headers, dict) else headers or []
    found: dict[str, str] = {}
    for name, value in pairs:
        # A name that comes several times is one list of values.
        found[name.lower()] = f"{found[name.lower()]}, {value}" if name.lower() in found else value
    return found


def compare(recorded: Exchange, got: Got) -> list[str]:
    """What differs, each in one line; empty when the model reproduces the exchange."""
    found: list[str] = []
    if got.status != recorded.status:
        return [f"status {got.status}, recorded {recorded.status}"]
    found += _compare_headers(recorded, got)
    if recorded.method == "HEAD":
        return found
    kind = got.headers.get("content-type", "")
    if not isinstance(recorded.body, str) or kind.startswith("application/json"):
        found += _compare_json(recorded, got)
    elif kind.startswith("text/plain"):
        found += _compare_text(recorded, got)
    elif kind.startswith("text/html"):
        ours, theirs = _TITLE.findall(got.body)[:1], _TITLE.findall(recorded.body)[:1]
        if ours != theirs:
            found.append(f"title {ours}, recorded {theirs}")
    elif bool(got.body) != bool(recorded.body):
        found.append("one of the bodies is empty")
    return found


def _compare_headers(recorded: Exchange, got: Got) -> list[str]:
    found = []
    for name in sorted(_VALUES):
        if (
            name == "content-encoding"
            and "gzip" in recorded.sent.get("accept-encoding", "")
            and "deflate" in recorded.sent["accept-encoding"]
        ):
            continue
        ours, theirs = (_HOST.sub("", side.headers.get(name, "").lower().replace(" ", "")) for side in (got, recorded))
        if ours != theirs:
            found.append(f"{name}: {ours or 'absent'}, recorded {theirs or 'absent'}")
    found += [
        f"{name}: {got.headers.get(name, 'absent')}, recorded {recorded.headers.get(name, 'absent')}"
        for name in sorted(_PRESENCE)
        if (name in got.headers) != (name in recorded.headers)
    ]
    if (
        ("set-cookie" in got.headers)
        and "remember-me" in recorded.headers.get("set-cookie", "")
        and "remember-me" not in got.headers["set-cookie"]
    ):
        found.append("set-cookie does not forget the login")
    return found


def _compare_json(recorded: Exchange, got: Got) -> list[str]:
    try:
        theirs = json.loads(recorded.body) if isinstance(recorded.body, str) else recorded.body
    except ValueError:
        # An artifact may be called .json and be none.
        return [] if got.body == recorded.body else ["another text"]
    try:
        ours = json.loads(got.body)
    except ValueError:
        return ["no JSON"]
    return list(_differences("", ours, theirs))


def _differences(path: str, ours: Any, theirs: Any) -> Iterator[str]:
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for key in sorted(theirs.keys() | ours.keys()):
            if key not in ours or key not in theirs:
                yield f"{path}.{key} is {'missing' if key not in ours else 'too much'}"
            else:
                yield from _differences(f"{path}.{key}", ours[key], theirs[key])
    elif isinstance(theirs, list) and isinstance(ours, list):
        if path.endswith(".actions"):
            ours, theirs = (sorted((one for one in side if one), key=_by_class) for side in (ours, theirs))
        elif path.endswith(("xecutors", "oneOffExecutors")):
            ours, theirs = (sorted(({**one, "number": 0} for one in side), key=_by_work) for side in (ours, theirs))
        if len(ours) != len(theirs):
            yield f"{path} has {len(ours)} entries, recorded {len(theirs)}"
        for at, (one, other) in enumerate(zip(ours, theirs, strict=False)):
            yield from _differences(f"{path}[{at}]", one, other)
    elif (type(ours) is not type(theirs) and not {type(ours), type(theirs)} <= {int, float}) or (
        path.rpartition(".")[2] not in VOLATILE and _plain(ours) != _plain(theirs)
    ):
        yield f"{path} is {ours!r}, recorded {theirs!r}"


def _by_class(action: dict[str, Any]) -> str:
    return str(action.get("_class", ""))


def _by_work(executor: dict[str, Any]) -> str:
    work = executor.get("currentExecutable") or {}
    return str(_plain(str(work.get("url", "")))) + str(executor.get("idle", ""))


def _plain(value: Any) -> Any:
    """A value without what belongs to one moment or one address."""
    if not isinstance(value, str):
        return value
    value = _HOST.sub("", value)
    # Sentences of the queue hold seconds that run, and an estimate.
    value = re.sub(r"(Expires in|ETA:) [\d.]+ (ms|sec|min|hr)( \d+ sec)?", r"\1 ...", value)
    value = re.sub(r"(Cannot contact [^:]+): .*", r"\1", value)
    value = re.sub(r"ErrorId: [0-9a-f-]{36}", "ErrorId", value)
    return re.sub(r"\b[0-9a-f]{40}\b", "SHA", value)


def _compare_text(recorded: Exchange, got: Got) -> list[str]:
    ours, theirs = _lines(got.body), _lines(recorded.body)
    found = []
    if ours != theirs:
        at = next(
            (number for number, (one, other) in enumerate(zip(ours, theirs, strict=False)) if one != other),
            min(len(ours), len(theirs)),
        )
        found.append(f"line {at}: {ours[at : at + 2]}, recorded {theirs[at : at + 2]}")
    if ("\r\n" in got.body) != ("\r\n" in recorded.body):
        found.append("another kind of line ends")
    if "x-text-size" in recorded.headers and "x-text-size" in got.headers:
        # The size of the raw file: larger than the text where there are notes, and not much off.
        real, model = int(recorded.headers["x-text-size"]), int(got.headers["x-text-size"])
        if abs(real - model) > max(60, real * 0.25):
            found.append(f"x-text-size {model}, recorded {real}")
    return found


def _lines(text: str) -> list[str]:
    lines = (_STAMP.sub("", line) for line in text.replace("\r\n", "\n").split("\n"))
    return _settled([_plain(re.sub(r"[\d.]+Z|\d+ ms| \d\d:\d\d:\d\d", "", line)) for line in lines if MATTERS.match(line)])


def _settled(lines: list[str]) -> list[str]:
    """The lines in one order where the server has none."""
    for at, (one, other) in enumerate(itertools.pairwise(lines)):
        if other.startswith("Aborted by ") and one.startswith(("Sending interrupt", "Could not connect to ")):
            lines[at], lines[at + 1] = other, one
    if "[Pipeline] parallel" in lines and "[Pipeline] // parallel" in lines:
        begin, end = lines.index("[Pipeline] parallel"), lines.index("[Pipeline] // parallel")
        lines[begin:end] = sorted(lines[begin:end])
    return lines
