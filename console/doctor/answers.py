"""What an answer on the way in says: the gate's own, Jenkins' through it, or somebody else's. Pure."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from console.text import clean

PATH = "/generic-webhook-trigger/invoke"
MARK = "x-mlops-gate"
"""The gate's header on each of its answers. Without it somebody else has answered."""

NOTHING = b"{}"
"""A body that no trigger takes: even where nobody asks for a signature it starts nothing."""

AWAY = frozenset({502, 503, 504})
"""Statuses that the gate answers with where nobody is behind it."""

PING = b'{"ping":true}'
_STATUS = re.compile(r"HTTP/[\d.]+ (\d{3})\b")


@dataclass(frozen=True, slots=True)
class Answered:
    """Status of an answer, and whether it bears the gate's mark."""

    status: int
    marked: bool


def signed(key: bytes, body: bytes) -> Mapping[str, str]:
    """The headers of a request that is signed as those that start trainings are."""
    digest = hmac.new(key, body, hashlib.sha256).hexdigest()
    return {"content-type": "application/json", "x-hub-signature-256": f"sha256={digest}"}


def of_headers(status: int, headers: Mapping[str, str]) -> Answered:
    return Answered(status, headers.get(MARK) == "1")


def of_text(text: str) -> Answered | None:
    """Out of what `curl -i` writes: the last head of several; None where there is none."""
    found: Answered | None = None
    for line in clean(text, lines=True).splitlines():
        if match := _STATUS.match(line):
            found = Answered(int(match[1]), marked=False)
        elif found is not None and line.lower().replace(" ", "") == f"{MARK}:1":
            found = Answered(found.status, marked=True)
    return found


def triggered(body: bytes) -> bool | None:
    """Whether Jenkins has started something; None for an answer that is not its trigger's."""
    try:
        jobs = json.loads(body)["jobs"]
        return any(one.get("triggered") is True for one in jobs.values())
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
