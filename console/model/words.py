"""Figures in words: durations, memory, percent. One way everywhere, so that figures can be compared at a glance."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_KIB, _MIB, _GIB = 1 << 10, 1 << 20, 1 << 30


def duration(seconds: float) -> str:
    """`12s 1m12s 12m 5h 9d`: two figures at most, minutes keep their seconds below ten.

    Negative, as with a clock that is off, is `0s`.
    """
    whole = max(0, int(seconds))
    if whole < _MINUTE:
        return f"{whole}s"
    if whole < 10 * _MINUTE:
        minutes, rest = divmod(whole, _MINUTE)
        return f"{minutes}m{rest:02}s" if rest else f"{minutes}m"
    if whole < _HOUR:
        return f"{whole // _MINUTE}m"
    if whole < 2 * _DAY:
        return f"{whole // _HOUR}h"
    return f"{whole // _DAY}d"


def commit_id(commit: str | None, *, wide: bool = False) -> str:
    """`7fa0146`, as columns have it; `7fa01469cc8e` where there is room (`wide`). Empty while it is not known.

    Nothing else cuts one: of two lengths in one place nobody can tell whether they are the same commit.
    """
    return (commit or "")[: 12 if wide else 7]


def age(seconds: float) -> str:
    """A duration for a column that is read again and again: seconds below a minute, then whole minutes, hours, days."""
    whole = max(0, int(seconds))
    return duration(whole - whole % _MINUTE) if whole >= _MINUTE else f"{whole}s"


def memory(size: int | None) -> str:
    """Bytes for a column of five cells: `940K`, `41M`, `9.1G`; `n/a` when it could not be read."""
    if size is None:
        return "n/a"
    if size < _MIB:
        return f"{size // _KIB}K"
    if size < _GIB:
        return f"{size // _MIB}M"
    gib = size / _GIB
    return f"{gib:.1f}G" if gib < 100 else f"{gib:.0f}G"


def memory_of(size: int | None, limit: int | None) -> str:
    """`41 MiB of 512 MiB`, `9.1 of 16 GiB`, `41 MiB` without a limit."""
    if size is None:
        return "n/a"
    if limit is None:
        return binary(size)
    used, whole = binary(size), binary(limit)
    unit = whole.rpartition(" ")[2]
    return f"{used.removesuffix(unit).strip()} of {whole}" if used.endswith(unit) else f"{used} of {whole}"


def binary(size: int) -> str:
    """Bytes as `512 B`, `88 KiB`, `41 MiB`, `9.1 GiB`."""
    if size < _KIB:
        return f"{size} B"
    if size < _MIB:
        return f"{size // _KIB} KiB"
    if size < _GIB:
        return f"{size // _MIB} MiB"
    gib = size / _GIB
    return f"{gib:.1f} GiB" if gib < 100 and gib != int(gib) else f"{gib:.0f} GiB"


def decimal(size: int) -> str:
    """Bytes as docker prints them: `512 B`, `3.2 kB`, `41 kB`, `1.1 MB`, `612 GB`."""
    value = float(size)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if value < 999.5 or unit == "TB":
            return f"{value:.1f} {unit}" if value < 9.95 and unit != "B" else f"{value:.0f} {unit}"
        value /= 1000
    raise AssertionError("the last unit takes all")


def counted(count: int, what: str) -> str:
    """`1 line`, `12,480 lines`."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def percent(value: float | None) -> str:
    """CPU for a column of five cells: `3.2%`, `97%`, `380%`; blank while it is not known."""
    if value is None:
        return ""
    return f"{value:.1f}%" if value < 9.95 else f"{value:.0f}%"


def day(moment: datetime, now: datetime) -> str:
    """A day in the viewer's zone: `Oct 24`, and `Oct 24, 2024` where it is not this year's."""
    # The year 1, which Docker writes where it does not know, is in no year at all in zones west of Greenwich.
    with suppress(OverflowError, OSError, ValueError):
        moment, now = moment.astimezone(), now.astimezone()
    return f"{moment:%b} {moment.day}" + ("" if moment.year == now.year else f", {moment.year}")
