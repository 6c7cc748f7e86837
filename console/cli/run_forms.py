"""Runs as JSON: see `forms` for what all of it has in common."""

from __future__ import annotations

import math
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from console.cli.forms import moment
from console.model import run_words
from console.model.history import PastRun
from console.model.metric import Curve, Figures, Spot
from console.model.run import Run
from console.model.why import Evidence, Why

HEADER = ("metric", "step", "epoch", "time", "value")
"""Of the table of what a run measured, a line for each value."""

_FORMULA = ("=", "+", "-", "@", "'")
_NUMBERS = ("-inf",)


def plain(value: object) -> object:
    """For a table: a text that a spreadsheet would take for a formula has a `'` in front of it."""
    risky = isinstance(value, str) and value.startswith(_FORMULA) and value not in _NUMBERS
    return f"'{value}" if risky else value


def number(value: float) -> float | str:
    """JSON has no word for what is not finite: a string stands for it, as in events.jsonl."""
    return value if math.isfinite(value) else str(value)


def run(one: Run, known: Figures | None, *, recalled: bool = False) -> dict[str, Any]:
    """`recalled`: only the history knows it."""
    told = run_words.shown_state(one, known)
    return {
        "key": one.key,
        "name": one.shown,
        "project": one.project,
        "phase": one.phase.name.lower(),
        "state": told.word,
        "class": told.kind.name.lower(),
        "why": one.why or None,
        "job": one.ref.job if one.ref is not None else None,
        "number": one.ref.number if one.ref is not None else None,
        "commit": one.commit,
        "since": moment(one.since),
        "containers": [each.name for each in one.containers],
        "image": one.image,
        "gpus": sorted(one.cards),
        "progress": figures(known) if known is not None else None,
        "recalled": recalled,
    }


def past(run: PastRun) -> dict[str, Any]:
    """What the history knows of a run."""
    return {
        "key": run.key,
        "training": run.training,
        "project": run.project,
        "job": run.job,
        "number": run.number,
        "commit": run.commit,
        "parameters": dict(run.parameters),
        "causes": list(run.causes),
        "image": run.image,
        "container": run.container,
        "cards": list(run.cards),
        "started_at": moment(run.started),
        "ended_at": moment(run.ended),
        "seconds": run.seconds,
        "state": run.state.word if run.state is not None else None,
        "class": run.state.kind.name.lower() if run.state is not None else None,
        "reason": run.reason,
        "published": asdict(run.published) if run.published is not None else None,
        "checkpoint": asdict(run.checkpoint) if run.checkpoint is not None else None,
        "asked": asdict(run.asked) if run.asked is not None else None,
        "peak_memory": run.peak_memory,
        "peak_gpu_memory": run.peak_gpu_memory,
        "resumed_from": run.resumed_from,
        "resumed_step": run.resumed_step,
        "kept": run.kept,
        "bare": run.bare,
    }


def explanation(why: Why) -> dict[str, Any]:
    return {
        "cause": why.cause.value,
        "words": why.words,
        "short": why.short,
        "evidence": [{"source": one.source, "words": one.words, "at": _at(one)} for one in why.evidence],
    }


def _at(one: Evidence) -> str | None:
    return moment(datetime.fromtimestamp(one.at / 1e9, UTC)) if one.at is not None else None


def figures(known: Figures) -> dict[str, Any]:
    return {
        "done": known.done,
        "epoch": known.epoch,
        "epochs": known.epochs,
        "step": known.step,
        "steps": known.steps,
        "lr": known.lr,
        "rate": known.rate,
        "unit": known.unit,
        "finish": moment(known.finish),
        "basis": known.basis,
        "last": moment(known.last),
        "metrics": {one.name: {"last": number(one.last.value), "best": _best(one)} for one in known.curves},
        "findings": [{"sign": one.sign, "words": one.words, "since": moment(one.since)} for one in known.findings],
        "note": known.note,
    }


def _best(one: Curve) -> float | str | None:
    return number(one.best.value) if one.best is not None else None


def spot(name: str, one: Spot) -> dict[str, Any]:
    return {"metric": name, "step": one.step, "epoch": one.epoch, "time": moment(one.time), "value": number(one.value)}
