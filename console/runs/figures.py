"""What is known of a run's progress, put into one picture that does not change any more."""

from __future__ import annotations

from datetime import UTC, datetime

from console.model.metric import Curve, Figures, Finding
from console.runs import health
from console.runs.progress import Progress
from console.runs.series import Series
from console.runs.spots import Spots, spot
from console.text import Clean, clean

_SECOND = 1_000_000_000


def figures(progress: Progress, now: datetime, *, ended: bool = False, note: str | None = None, whole: bool = False) -> Figures:
    """At `now`. Of a run that has `ended` nobody asks whether it goes on, nor when it will be done, and of one that stands
    still nobody knows. `whole`: nothing comes any more."""
    place = progress.place
    found = findings(progress, now, ended=ended)
    stands = any(one.sign == health.Sign.STALLED.value for one in found)
    eta = progress.eta if not ended and not stands else None
    return Figures(
        done=place.fraction,
        epoch=place.epoch_now if place.epoch_now is not None else place.epoch,
        epochs=place.epochs,
        step=place.done if place.done is not None else place.step,
        steps=place.total if place.done is not None else place.steps,
        curves=tuple(curve for one in progress.series if (curve := _curve(one)) is not None),
        lr=progress.lr,
        rate=progress.rate,
        unit=progress.unit,
        finish=moment(eta.finish) if eta is not None else None,
        basis=eta.basis if eta is not None else None,
        findings=found,
        last=moment(progress.last) if progress.last is not None else None,
        note=clean(note) if note is not None else None,
        whole=whole,
        fit=place.attempts,
        fit_since=moment(progress.fit_since) if progress.fit_since is not None else None,
    )


def findings(progress: Progress, now: datetime, *, ended: bool = False) -> tuple[Finding, ...]:
    """What is wrong with how it does, the gravest first. Whoever has ended is not stalled."""
    return tuple(
        Finding(Clean(one.sign.value), one.words, moment(one.since))
        for one in health.findings(progress, int(now.timestamp() * _SECOND))
        if not ended or one.sign is not health.Sign.STALLED
    )


def moment(nano: int) -> datetime:
    """Of nanoseconds since 1970."""
    return datetime.fromtimestamp(nano / _SECOND, UTC)


def _curve(series: Series) -> Curve | None:
    last = series.last
    if last is None:
        return None
    best = spot(series.best) if series.best is not None else None
    return Curve(series.name, series.better, spot(last), best, Spots(series), series.percent)
