"""What the logs of the tunnel's two ends in here tell: why frpc gets no connection, and what became of requests at the gate.

The lines are those of frpc 0.65 at level warn (tests/recordings/frp) and of infra/gate/nginx.conf.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import TypeAlias

from console.model.source import SourceState
from console.text import Clean, clean

LogLine: TypeAlias = tuple[int, int, bytes]
"""Nanoseconds since 1970 at the Engine's clock, marks, and a whole line as it was written."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Why(Enum):
    """Why there is no connection. `PARTED` is what frpc says of most failed handshakes; sometimes it names the error itself."""

    LOGIN = "login"
    AUTHORITY = "authority"
    NAME = "name"
    DATE = "date"
    PLAIN = "plain"
    PARTED = "parted"
    NOBODY = "nobody"
    OTHER = "other"


_HANDSHAKE = frozenset({Why.AUTHORITY, Why.NAME, Why.DATE, Why.PLAIN})

_LINE = re.compile(r"\[[WE]\] \[[^]]+\] (?:\[\w+\] )?connect to server error: (?P<said>.+)")
_SAID = (
    (Why.LOGIN, re.compile(r"token in login doesn't match token from configuration")),
    (Why.AUTHORITY, re.compile(r"x509: certificate signed by unknown authority")),
    (Why.NAME, re.compile(r"x509: certificate is (?P<detail>valid for .+, not .+|not valid for any names.*)")),
    (Why.NAME, re.compile(r"x509: (?P<detail>cannot validate certificate for .+)")),
    (Why.DATE, re.compile(r"x509: certificate has expired or is not yet valid")),
    (Why.PARTED, re.compile(r"session shutdown")),
    (Why.PLAIN, re.compile(r"EOF")),
    (Why.NOBODY, re.compile(r"dial tcp\b.*?: (?:lookup (?P<name>\S+).*: )?(?:connect: )?(?P<detail>[^:]+)")),
)
# Time, status and method come before anything that a sender may choose, and what the sender chose may look like a line's end.
_ACCESS = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d (?P<status>[1-5]\d\d) \S* .* \d+ bytes in [\d.]+ s upstream (?P<upstream>.+)"
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """One try that failed. `detail` is what the line says beyond its kind (empty: nothing)."""

    at: datetime
    why: Why
    detail: Clean

    def told(self, server: Clean, name: Clean) -> tuple[SourceState, Clean]:
        """State and sentence. `name` is whom the certificate has to be for. Denied: somebody answers, and one end refuses
        the other."""
        match self.why:
            case Why.LOGIN:
                told = f"{server} refuses its token: give both sides the same"
            case Why.AUTHORITY:
                told = f"the certificate of {server} is of another CA than the one in secret frp-ca"
            case Why.NAME:
                told = f"the certificate of {server} is for another name: {self.detail}"
            case Why.DATE:
                told = f"the certificate of {server} has expired, or a clock is wrong"
            case Why.PLAIN:
                told = f"{server} hangs up at once: it takes TLS alone, and transport.tls is off in here, or it is no frps"
            case Why.PARTED:
                which = f"of another CA than frp-ca, not for {name}, or has expired"
                told = f"the TLS handshake with {server} fails: it is no frps, or its certificate is {which}"
            case Why.NOBODY:
                return SourceState.UNREACHABLE, clean(f"no connection to {server}: {self.detail}")
            case Why.OTHER:
                return SourceState.UNREACHABLE, clean(f"no connection to {server}: {self.detail}")
        return SourceState.DENIED, clean(told)


@dataclass(frozen=True, slots=True)
class Request:
    """One request that the gate has answered, with which HTTP status, at the Engine's clock; and whether it was sent on."""

    at: datetime
    status: int
    sent_on: bool

    @property
    def taken(self) -> bool:
        """Whether Jenkins took it."""
        return self.sent_on and 200 <= self.status < 300

    @property
    def failed(self) -> bool:
        """Whether Jenkins was not there for it, or could not."""
        return self.sent_on and self.status >= 500


def refusals(lines: Iterable[LogLine]) -> dict[Why, Refusal]:
    """The newest of each kind in these lines of frpc's log, which come oldest first."""
    found = {}
    for time, text in _texts(lines):
        if (line := _LINE.search(text)) is not None:
            one = _refusal(_moment(time), line["said"])
            found[one.why] = one
    return found


def _refusal(at: datetime, said: str) -> Refusal:
    for why, pattern in _SAID:
        if match := pattern.search(said):
            return Refusal(at, why, clean(match.groupdict().get("detail") or ""))
    return Refusal(at, Why.OTHER, clean(said))


def decisive(known: Iterable[Refusal], since: datetime | None) -> Refusal | None:
    """The one that tells most of why there is no connection now; None when nothing after `since` does.

    It is the newest, but for a handshake that failed without a cause: the newest that names one is it, if nothing else has been
    the matter since then.
    """
    newest_first = sorted((one for one in known if since is None or one.at > since), key=lambda one: one.at, reverse=True)
    if not newest_first:
        return None
    before = next((one for one in newest_first if one.why is not Why.PARTED), None)
    if newest_first[0].why is Why.PARTED and before is not None and before.why in _HANDSHAKE:
        return before
    return newest_first[0]


def requests(lines: Iterable[LogLine]) -> list[Request]:
    """The requests in these lines of the gate's log, oldest first."""
    return [
        Request(_moment(time), int(found["status"]), found["upstream"] != "-")
        for time, text in _texts(lines)
        if (found := _ACCESS.fullmatch(text)) is not None
    ]


def _texts(lines: Iterable[LogLine]) -> Iterable[tuple[int, str]]:
    for time, _, raw in lines:
        yield time, clean(raw.decode(errors="replace"))


def _moment(nano: int) -> datetime:
    return _EPOCH + timedelta(microseconds=nano // 1000)
