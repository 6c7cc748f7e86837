"""What a container's probes have said, as people read it: equal results in a row told once, how often in a row they failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, takewhile

from console.model.container import Container, Health, Inspection, Probe, ProbePlan
from console.text import Clean, clean

_DOCKERS_OWN = "Health check exceeded timeout"
_LEAST, _MOST = 30.0, 600.0
# What Docker takes where a container says nothing.
_EVERY, _LIMIT, _RETRIES = 30.0, 30.0, 3


def patience(plan: ProbePlan | None) -> float:
    """Seconds after which Docker has judged a container that has just started; from 30 s to 10 min, 30 s without a probe."""
    if plan is None:
        return _LEAST
    rounds = (plan.retries or _RETRIES) + 1
    judged = plan.start_period + rounds * ((plan.interval or _EVERY) + (plan.timeout or _LIMIT))
    return min(max(judged, _LEAST), _MOST)


def newest(details: Inspection) -> Probe | None:
    """The newest since the container was started: Docker keeps those from before, which tell of a process that is gone."""
    begun = details.started_at
    return max((one for one in details.probes if begun is None or one.end >= begun), key=lambda one: one.end, default=None)


@dataclass(frozen=True, slots=True)
class Result:
    """Equal results in a row: the `newest` of them, how many `times` it came, and when it came `first`."""

    newest: Probe
    times: int
    first: datetime

    @property
    def good(self) -> bool:
        return self.newest.exit_code == 0

    @property
    def outcome(self) -> Clean:
        """`exit 1`, `timed out`; empty for a good one and where the output says it already."""
        code = self.newest.exit_code
        if code == 0 or (code == -1 and self.newest.output.startswith(_DOCKERS_OWN)):
            return clean("")
        return clean("timed out" if code == -1 else f"exit {code}")

    def again(self, first: str) -> str:
        """That the older ones say the same; `first` is the clock of the oldest. Empty where there are none."""
        if self.times == 1:
            return ""
        return f"the same at {first}" if self.times == 2 else f"the same {self.times - 1} times since {first}"

    @property
    def lines(self) -> Sequence[Clean]:
        """What it printed, without the blanks around; `ok` or `no output` where it printed nothing."""
        told = self.newest.output.strip() or ("ok" if self.good else "no output")
        return tuple(clean(line.rstrip()) for line in told.split("\n"))


def results(details: Inspection) -> tuple[Result, ...]:
    """What Docker keeps, which is the last five, newest first."""
    newest_first = sorted(details.probes, key=lambda probe: probe.start, reverse=True)
    found = []
    for _, same in groupby(newest_first, key=lambda probe: (probe.exit_code, probe.output)):
        group = list(same)
        found.append(Result(group[0], len(group), group[-1].end))
    return tuple(found)


def rhythm(container: Container) -> Clean:
    """`every 30s, limit 5s, the last 24 failed`: what its owner set, and how often in a row it has failed or passed."""
    details = container.details
    if details is None:
        return clean("")
    told = []
    if details.probe is not None and details.probe.interval:
        told.append(f"every {details.probe.interval:g}s")
    if details.probe is not None and details.probe.timeout:
        told.append(f"limit {details.probe.timeout:g}s")
    newest_first = sorted(details.probes, key=lambda probe: probe.start, reverse=True)
    failed = sum(1 for _ in takewhile(lambda probe: probe.exit_code != 0, newest_first))
    if details.failing_streak:
        told.append(f"the last {details.failing_streak} failed")
    elif failed:
        # While a container starts Docker counts nothing, and keeps five.
        uncounted = ", which does not count while it starts" if container.health is Health.STARTING else ""
        told.append(f"the last {failed} failed{uncounted}")
    elif newest_first:
        told.append("the last one passed")
    return clean(", ".join(told))
