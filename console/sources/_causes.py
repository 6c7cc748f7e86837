"""Why a request over the network failed, in plain words: a library's own message is a chain of wrappers, and may quote a
password."""

from __future__ import annotations

import errno
from enum import StrEnum


class Cause(StrEnum):
    """What is known by its signs; the value says it, where whoever asks has nothing better to say."""

    EXPIRED = "its certificate has expired"
    OTHER_NAME = "its certificate is for another name"
    NOT_TRUSTED = "its certificate is not trusted here"
    REFUSED = "connection refused"
    NO_SUCH_NAME = "nobody knows that name"
    CUT_OFF = "it cut the connection off"


_SIGNS = (
    (Cause.EXPIRED, ("certificate has expired",)),
    (Cause.OTHER_NAME, ("ostname mismatch", "IP address mismatch")),
    (Cause.NOT_TRUSTED, ("CERTIFICATE_VERIFY_FAILED",)),
    (Cause.REFUSED, ()),
    (
        Cause.NO_SUCH_NAME,
        ("Name or service not known", "nodename nor servname", "name resolution", "No address associated"),
    ),
    (Cause.CUT_OFF, ("disconnected without sending", "reset by peer")),
)


def cause_of(error: BaseException) -> tuple[Cause | None, BaseException]:
    """What has happened, None where its signs are not known; and the innermost error, which says more than those around it."""
    seen = error
    text, numbers = str(error), set()
    while (deeper := seen.__cause__ or seen.__context__) is not None:
        seen = deeper
        text += f" {seen}"
        numbers.add(getattr(seen, "errno", None))
    for cause, signs in _SIGNS:
        if any(sign in text for sign in signs) or (cause is Cause.REFUSED and errno.ECONNREFUSED in numbers):
            return cause, seen
    return None, seen
