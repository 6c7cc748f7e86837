"""A run in words: how far it is, whether it learns, when it will be done. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import datetime

from console.model.history import Asked
from console.model.metric import Curve, Figures, Finding
from console.model.run import Phase, Run
from console.model.state import State, StateClass, state
from console.model.words import age, binary, counted

_SHORT = {"accuracy": "acc", "val_accuracy": "acc", "val_acc": "acc"}
_PER_SECOND = re.compile(r"(?:_per_|/)s(?:ec(?:ond)?)?\Z|(?<!ste)ps\Z", re.IGNORECASE)
_ON_WHAT = re.compile(r"\A(?:train|training|eval|val|test)[_/]", re.IGNORECASE)
_ANY_RATE = frozenset({"", "throughput", "speed", "rate"})
_RATES = {"f": "frames", "w": "words", "u": "updates"}
_MOST_DIGITS = 6
GRAVE = {
    "stalled": StateClass.ATTENTION,
    "not finite": StateClass.BROKEN,
    "diverging": StateClass.ATTENTION,
    "starved": StateClass.ATTENTION,
    "memory": StateClass.ATTENTION,
    "hot": StateClass.ATTENTION,
    "xid": StateClass.ATTENTION,
}
"""Of what its figures and its hardware say, this wants somebody to look, each as much as its class says."""


def shown_state(run: Run, known: Figures | None) -> State:
    """What its numbers say counts while it trains: `stalled`, `NaN`, `diverging` want somebody to look."""
    worst = grave(run, known)
    return run.state if worst is None else grave_state(worst)


def worst_of(known: Figures) -> Finding | None:
    """Of what its figures say the gravest that wants somebody to look; None where nothing does."""
    found = [one for one in known.findings if one.sign in GRAVE]
    return min(found, key=lambda one: GRAVE[one.sign].value, default=None)


def grave(run: Run, known: Figures | None) -> Finding | None:
    """What is wrong with how it trains; None while nothing is, or while it does not train."""
    if known is None or run.phase is not Phase.TRAINING or run.state.kind is not StateClass.ACTIVE:
        return None
    return worst_of(known)


def grave_state(worst: Finding) -> State:
    """`stalled`, `NaN`, `diverging`, `starved`, `memory`, `hot`, `xid`."""
    return state(GRAVE[worst.sign], "NaN" if worst.sign == "not finite" else str(worst.sign))


def progress(run: Run, known: Figures | None) -> str:
    """`48% 15/30`; why it does not go on, or what came of it, where that is to be said."""
    if run.phase is not Phase.TRAINING or run.state.word == "stopping" or known is None:
        return str(run.why)
    return place(known) or str(run.why)


def place(known: Figures) -> str:
    """`48% 15/30`, as far as its log tells."""
    parts = [f"{known.done:.0%}"] if known.done is not None else []
    if known.epochs and known.epoch is not None:
        parts.append(f"{known.epoch:g}/{known.epochs}")
    elif known.steps and known.step is not None:
        parts.append(f"{known.step:,}/{known.steps:,}")
    elif known.step is not None:
        parts.append(f"step {known.step:,}")
    elif known.epoch is not None:
        parts.append(f"epoch {known.epoch:g}")
    return " ".join(parts)


def remaining(known: Figures, now: datetime) -> str:
    """`18m left`; empty while nobody knows."""
    return f"{age(max(0.0, (known.finish - now).total_seconds()))} left" if known.finish is not None else ""


def per_second(known: Figures) -> str:
    """What its rate counts: `steps/s`, `img/s`; of a bare `throughput` only `/s`. A log names it in many ways."""
    unit = _ON_WHAT.sub("", str(known.unit or "steps/s"))
    name = _PER_SECOND.sub("", unit)
    if "/" in name:
        return unit
    return f"{'' if name.lower() in _ANY_RATE else _RATES.get(name.lower(), name)}/s"


def speed(known: Figures) -> str:
    """`100 samples/s`, `100/s`; empty where nobody told it."""
    if known.rate is None:
        return ""
    unit = per_second(known)
    return f"{known.rate:.3g}{'' if unit.startswith('/') else ' '}{unit}"


def figure(value: float, more: int = 0) -> str:
    """`0.409`, `8.9e-05`, `1204`, `nan`; with so many digits `more`, at most 6 behind the point."""
    if not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    size = abs(value)
    if size and (size < 1e-3 or size >= 1e6):
        return f"{value:.{min(_MOST_DIGITS, 1 + more)}e}"
    return f"{value:.{min(_MOST_DIGITS, (3 if size < 10 else 1 if size < 1000 else 0) + more)}f}"


def figures_apart(values: Sequence[float]) -> list[str]:
    """Each as `figure` has it, all with as many digits more as it takes that what differs looks different."""
    wanted = len(set(values))
    every = [[figure(one, more) for one in values] for more in range(_MOST_DIGITS + 1)]
    # What no digit parts has no use of any.
    return next((told for told in every if len(set(told)) >= wanted), max(every, key=lambda told: len(set(told))))


def best(known: Figures | None) -> str:
    """`acc 0.914`: of the metric that says how good it is."""
    score = known.score if known is not None else None
    if score is None or score.best is None:
        return ""
    return f"{short(score)} {figure(score.best.value)}"


def change(now: Figures, then: Figures | None) -> str:
    """`+.004`: by how much the best of what says how good it is differs from that of an older run; empty where that is not
    known, or where the two measure something else."""
    score = now.score
    if score is None or then is None:
        return ""
    older = next((one for one in then.curves if one.name == score.name), None)
    if older is None or score.best is None or older.best is None:
        return ""
    by = score.best.value - older.best.value
    if not math.isfinite(by):
        return ""
    # As many decimals as the score beside it has: finer than that nobody sees it.
    told = figure(score.best.value)
    words = figure(abs(by)) if "e" in told else f"{abs(by):.{len(told.partition('.')[2])}f}"
    sign = "-" if by < 0 and float(words) else "+"
    return f"{sign}{words.removeprefix('0') if words.startswith('0.') else words}"


def short(curve: Curve) -> str:
    """The name of a metric where there is little room."""
    return _SHORT.get(str(curve.name), str(curve.name).removeprefix("val_"))


def when(run: Run, known: Figures | None, now: datetime) -> str:
    """`18m left` while it is known, `5h ago` when it has ended, else `for 3m`."""
    if run.ended:
        return f"{age((now - run.since).total_seconds())} ago" if run.since is not None else ""
    if run.phase is Phase.TRAINING and known is not None:
        worst = grave(run, known)
        if worst is not None and worst.sign == "stalled" and known.last is not None:
            return f"{age((now - known.last).total_seconds())} idle"
        if known.finish is not None:
            return remaining(known, now)
    return f"for {age((now - run.since).total_seconds())}" if run.since is not None else ""


def cards(run: Run) -> str:
    """`0,1`."""
    return ",".join(map(str, sorted(run.cards)))


def asked(told: Asked | None, *, gpus: bool = True) -> str:
    """`memory 16 GiB, shm 8 GiB, 4 CPUs, 2 GPUs`: what it was given at most; empty while nobody knows."""
    if told is None:
        return ""
    words = [f"{name} {binary(size)}" for name, size in (("memory", told.memory), ("shm", told.shm)) if size]
    if told.cpus is not None:
        words.append(f"{told.cpus:g} {'CPU' if told.cpus == 1 else 'CPUs'}")
    if gpus and told.gpus is not None:
        words.append(counted(told.gpus, "GPU") if told.gpus else "no GPU")
    return ", ".join(words)
