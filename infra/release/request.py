"""The signed request for one project, and what the answer to it means."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum

from .address import PATH, Target
from .release import Release

TIMEOUT = 40.0
"""Seconds without a byte. The gate waits 33 s for Jenkins: its own word is worth more than silence."""

LIMIT = 90.0
"""Seconds for a whole answer, so that one that comes drop by drop does not keep the others from being sent."""

LARGEST = 64 * 1024
MARK = "X-Mlops-Gate"
"""The gate's header on each of its answers. Without it somebody else has answered: frp's own 404 while the tunnel is down."""

_ITEM = re.compile(r"queue/item/(\d{1,18})/?")


class Means(Enum):
    """QUEUED and REFUSED are final, AGAIN is worth another try."""

    QUEUED = "queued"
    REFUSED = "refused"
    AGAIN = "again"


@dataclass(frozen=True)
class Answer:
    """What came of one try, in words that hold nothing of the answer's body. `item` is the item of Jenkins' queue."""

    means: Means
    words: str
    item: int | None = None


def delivery(run: str, attempt: str, release: Release, project: str) -> str:
    """The id of a request. All tries of one attempt of a run have the same, so that Jenkins trains once whatever got through;
    who runs the workflow again wants it sent again."""
    digest = hashlib.sha256(f"{release.repository} {project} {release.commit}".encode()).hexdigest()[:16]
    return f"gh-{run}-{attempt}-{digest}"


def body(release: Release, project: str, delivery_id: str, timestamp: int) -> bytes:
    told = {
        "project": project,
        "commit": release.commit,
        "delivery": delivery_id,
        "timestamp": timestamp,
        "repository": release.repository,
        "ref": release.ref,
        "pull_request": release.pull_request,
    }
    return json.dumps(told, separators=(",", ":")).encode()


def signature(key: bytes, content: bytes) -> str:
    return f"sha256={hmac.new(key, content, hashlib.sha256).hexdigest()}"


def send(target: Target, content: bytes, timeout: float = TIMEOUT, limit: float = LIMIT) -> Answer:
    """One try. Follows no redirect, takes no proxy, and raises nothing."""
    connection = http.client.HTTPSConnection(target.host, target.port, timeout=timeout, context=target.context)
    headers = {"Content-Type": "application/json", "X-Hub-Signature-256": signature(target.key, content), "User-Agent": "mlops"}
    try:
        connection.connect()
        with _hung_up_after(limit, connection.sock):
            connection.request("POST", PATH, content, headers)
            response = connection.getresponse()
            told = _read(response)
        return meaning(response.status, response.getheader(MARK), told)
    except ssl.SSLCertVerificationError as error:
        return Answer(Means.REFUSED, f"the certificate of {target.host} cannot be trusted: {error.verify_message}")
    except (OSError, http.client.HTTPException) as error:
        return Answer(Means.AGAIN, f"no answer: {_cause(error)}")
    finally:
        connection.close()


def _read(response: http.client.HTTPResponse) -> bytes:
    told = response.read(LARGEST + 1)
    # Asked for so many bytes it takes an answer that broke off for a whole one.
    if response.length and len(told) <= LARGEST:
        raise http.client.IncompleteRead(b"")
    return told


@contextmanager
def _hung_up_after(limit: float, connected: socket.socket) -> Iterator[None]:
    """Whoever reads meanwhile sees the end of the connection."""

    def hang_up() -> None:
        with suppress(OSError):
            # Of the socket beneath TLS, which another thread is using.
            socket.socket.shutdown(connected, socket.SHUT_RDWR)

    timer = threading.Timer(limit, hang_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _cause(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "timed out"
    if isinstance(error, http.client.IncompleteRead | http.client.RemoteDisconnected):
        return "the connection broke off"
    return str(getattr(error, "strerror", None) or type(error).__name__)


def meaning(status: int, mark: str | None, content: bytes) -> Answer:
    """What an answer means. `mark` is the gate's header. The body is looked into for one fact, and never told."""
    if mark != "1":
        return _of_another(status)
    match status:
        case 200:
            return _accepted(content)
        case 403:
            return Answer(
                Means.REFUSED, "Jenkins refuses the signature (403): MLOPS_HOOK_SECRET is not the server's webhook-hmac"
            )
        case 404:
            return Answer(
                Means.REFUSED, "Jenkins knows no job for it (404): the server's webhook-token or its job train is wrong"
            )
        case 408:
            return Answer(Means.AGAIN, "the request came too slowly (408)")
        case 429:
            return Answer(Means.AGAIN, "too many requests at once (429)")
        case _ if status >= 500:
            return Answer(Means.AGAIN, f"Jenkins is not there ({status})")
        case _ if status >= 400:
            return Answer(Means.REFUSED, f"the gate refuses the request ({status})")
    return Answer(Means.AGAIN, f"{status}, which is no answer of the plugin: something else is behind the gate")


def _of_another(status: int) -> Answer:
    if status == 404:
        return Answer(Means.AGAIN, "the tunnel is down (404 without the gate's mark)")
    if 300 <= status < 400:
        return Answer(Means.AGAIN, f"a redirect ({status}), which is not followed: not the gate has answered")
    return Answer(Means.AGAIN, f"{status} without the gate's mark: somebody else answers there")


def _accepted(content: bytes) -> Answer:
    """200 says only that the request was understood: `triggered` tells whether anything came of it (recordings gwt-*)."""
    try:
        told = json.loads(content) if len(content) <= LARGEST else {}
        jobs = told["jobs"]
        triggered = [one for one in jobs.values() if one.get("triggered") is True]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Answer(Means.AGAIN, "200, but not in the words of the plugin: something else is behind the gate")
    if not triggered:
        return Answer(Means.REFUSED, "Jenkins took no job for it: the request does not look like one of a release")
    found = _ITEM.fullmatch(str(triggered[0].get("url") or ""))
    return Answer(Means.QUEUED, "queued", int(found[1]) if found else None)
