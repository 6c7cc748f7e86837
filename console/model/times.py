"""Moments as people type them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_SPAN = re.compile(r"(?:\d+(?:\.\d+)?[smhdw])+")
_CLOCK = re.compile(r"\d\d?:\d\d(:\d\d)?")


def moment(text: str, now: datetime) -> datetime:
    """A span that ends now (`90s 10m 2h30m 1d`), the clock of the last 24 hours (`14:03`), a date or time in ISO 8601 or
    seconds since 1970. Without a zone it is the local one. `now` is aware. Raises ValueError with the possible forms.
    """
    text = text.strip()
    if _SPAN.fullmatch(text):
        return now - timedelta(seconds=sum(float(part[:-1]) * _UNITS[part[-1]] for part in re.findall(r"[\d.]+[smhdw]", text)))
    try:
        if _CLOCK.fullmatch(text):
            found = datetime.combine(
                now.astimezone().date(), time.fromisoformat(text if text.index(":") == 2 else f"0{text}")
            ).astimezone()
            return found if found <= now else found - timedelta(days=1)
        if re.fullmatch(r"\d{9,11}(\.\d+)?", text):
            return datetime.fromtimestamp(float(text), UTC)
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"{text} is no time. A time is 10m, 2h30m, 14:03, 2026-11-23 or 2026-11-23T14:03:00Z.") from None


def nanoseconds(value: datetime) -> int:
    """The same since 1970, as the Engine counts."""
    return (value - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000


def clock(nano: int) -> str:
    """`14:03:46` in the viewer's zone, of a moment that is given as the Engine counts."""
    return datetime.fromtimestamp(nano // 1_000_000_000, UTC).astimezone().strftime("%H:%M:%S")
