"""Runs as JSON: see `forms` for what all of it has in common."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from console.cli.forms import moment
from console.history.export import guarded, number
from console.model import run_words
from console.model.metric import Curve, Figures, Spot
from console.model.run import Run
from console.model.why import Evidence, Why

_NUMBERS = ("-inf",)


def plain(value: object) -> object:
    """As `guarded`, for whatever stands in a table."""
    return guarded(value) if isinstance(value, str) and value not in _NUMBERS else value


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
