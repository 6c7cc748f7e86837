"""Since when: what Docker keeps of a container's probes does not always reach back far enough."""

from __future__ import annotations

from datetime import datetime, timedelta

from console.model.container import Inspection

# Docker's own, where a container does not say.
_RETRIES = 3
_INTERVAL = 30.0


def unhealthy_since(details: Inspection) -> tuple[datetime | None, bool]:
    """When the failing streak reached the number of retries that makes it unhealthy, and whether that is exact.

    Docker keeps the last five results. With the streak's beginning among them the answer is exact, else it is worked out
    from the streak's length and the rhythm of those five. None when there are no results.
    """
    probes = sorted(details.probes, key=lambda probe: probe.start)
    if not probes:
        return None, False
    retries = (details.probe.retries if details.probe else 0) or _RETRIES
    streak = max(details.failing_streak, 1)
    kept = probes[-streak:]
    if streak <= len(probes):
        return kept[min(retries, streak) - 1].end, True
    if len(kept) > 1:
        rhythm = (kept[-1].end - kept[0].end) / (len(kept) - 1)
    else:
        interval = (details.probe.interval if details.probe else 0.0) or _INTERVAL
        rhythm = timedelta(seconds=interval) + (kept[-1].end - kept[-1].start)
    return kept[-1].end - rhythm * max(0, streak - retries), False
