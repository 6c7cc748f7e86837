"""Which version of its API an Engine is spoken to in."""

from __future__ import annotations

from console.model.source import SourceError, SourceState
from console.text import clean

OLDEST_API = (1, 40)
NEWEST_API = (1, 51)


def settled(raw: object, where: str) -> tuple[int, int]:
    """The newest version that both know, going by the answer to `GET /version` of what listens on `where`.

    Raises SourceError where there is none, and where the answer is not an Engine's.
    """
    if not isinstance(raw, dict) or not isinstance(raw.get("ApiVersion"), str):
        reason = clean(f"What answers on {where} is no Docker Engine: it tells no API version.")
        raise SourceError(SourceState.UNREACHABLE, reason)
    theirs = version(raw["ApiVersion"])
    if theirs < OLDEST_API:
        old = f"Docker API {raw['ApiVersion']} is too old, 1.40 is needed (Engine 19.03)."
        raise SourceError(SourceState.UNREACHABLE, clean(old))
    oldest = version(str(raw.get("MinAPIVersion", "1.0")))
    if oldest > NEWEST_API:
        new = f"This Docker Engine wants API {raw['MinAPIVersion']} or newer; this console speaks 1.40 to 1.51."
        raise SourceError(SourceState.UNREACHABLE, clean(new))
    return min(theirs, NEWEST_API)


def version(text: str) -> tuple[int, int]:
    """`1.41` as numbers; (0, 0) for what is no version."""
    major, _, minor = text.partition(".")
    if major.isdigit() and minor.isdigit():
        return int(major), int(minor)
    return (0, 0)
