"""What went wrong with an act, in a sentence for people; and whether it may have happened all the same."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from http.client import BadStatusLine, LineTooLong, RemoteDisconnected
from ssl import SSLError

import requests
from docker.errors import APIError  # type: ignore[import-untyped]
from urllib3.exceptions import TimeoutError as Urllib3TimeoutError

from console.model.source import NotThereError, SourceError, SourceState
from console.sources.docker_acts.call import Call, NotReachedError, late
from console.sources.docker_engine.client import os_error
from console.sources.docker_engine.endpoint import Endpoint
from console.text import clean

_QUOTED = 400
_STATES = {
    401: SourceState.DENIED,
    403: SourceState.DENIED,
    501: SourceState.OFF,
    502: SourceState.UNREACHABLE,
    503: SourceState.UNREACHABLE,
    504: SourceState.UNREACHABLE,
}
# Something else that is missing, such as a container's network, is a 404 too.
_GONE = ("no such container", "no such image", "no such volume", "could not find the file")


def explained(error: Exception, endpoint: Endpoint, call: Call) -> SourceError:
    """The error of an act. It is unsure where something was sent that no answer came to."""
    if isinstance(error, APIError):
        return _answered(error)
    found = _broken(error, endpoint, call)
    found.unsure = call.sent
    return found


def _answered(error: APIError) -> SourceError:
    status = int(error.status_code or 0)
    said = str(error.explanation or "").strip()
    reason = clean(f"Docker answers {status}: {clean(said, limit=_QUOTED) or 'no reason given'}")
    if status == 404 and any(words in said.lower() for words in _GONE):
        return NotThereError(SourceState.OK, reason)
    return SourceError(_STATES.get(status, SourceState.OK), reason)


def _broken(error: Exception, endpoint: Endpoint, call: Call) -> SourceError:
    if isinstance(error, NotReachedError):
        cause = error.__cause__
        # A number in the error means that the system gave up, not we.
        if isinstance(cause, TimeoutError) and cause.errno is None:
            return late(str(endpoint), call.limit)
        return os_error(cause if isinstance(cause, OSError) else OSError(str(cause)), endpoint)
    causes = list(_causes(error))
    if any(isinstance(one, requests.Timeout | Urllib3TimeoutError | TimeoutError) for one in causes):
        return late(str(endpoint), call.limit)
    refused = next((one for one in causes if isinstance(one, SSLError)), None)
    if refused is not None:
        return os_error(refused, endpoint)
    if any(isinstance(one, BadStatusLine | LineTooLong) and not isinstance(one, RemoteDisconnected) for one in causes):
        return _no_engine(endpoint, "no HTTP answer")
    if isinstance(error, requests.exceptions.InvalidJSONError):
        return _no_engine(endpoint, "an answer that is no JSON")
    if isinstance(error, requests.RequestException | OSError):
        if complaint := call.complaint():
            return os_error(OSError(errno.EHOSTUNREACH, complaint), endpoint)
        reason = f"Docker on {endpoint} has closed the connection: it was stopped or is being restarted."
        return SourceError(SourceState.UNREACHABLE, clean(reason))
    return _no_engine(endpoint, str(error) if isinstance(error, ValueError) else "an answer of another shape")


def _no_engine(endpoint: Endpoint, why: str) -> SourceError:
    said = clean(why, limit=200)
    return SourceError(SourceState.UNREACHABLE, clean(f"What answers on {endpoint} is no Docker Engine: {said}."))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and those that it was made of: each library wraps the one below."""
    left: list[BaseException] = [error]
    seen: set[int] = set()
    while left:
        one = left.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        left += [inner for inner in (*one.args, one.__cause__, one.__context__) if isinstance(inner, BaseException)]
