"""Progress bars of tqdm (Lightning, transformers and many loops draw with it) and of ignite: one repaint at a time."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from console.runs.names import Kind, kind_of, phase_of, safe, words
from console.runs.numbers import NUMBER, number, short, whole
from console.runs.reading import Form, Metric, Phase, Reading
from console.runs.sentence import read_sentence
from console.text import Clean

LONGEST = 2000
_COUNT = r"\d{1,15}(?:\.\d{1,3})?[kKMGT]?"
_TAIL = (
    r"\[(?P<elapsed>\d[\d:]{0,12})(?:<(?P<left>[\d:?]{1,15}|\d{1,5} days?, [\d:]{1,9}))?"
    r"(?:,\s{1,3}(?P<rate>[\d.]{1,15}[kKMGT]?|\?)(?P<unit>[^\s,\]]{0,24}))?(?:, (?P<postfix>[^\n]*?))?\]\s*$"
)
_AFTER = re.compile(rf"\s?(?P<done>{_COUNT})/(?P<all>{_COUNT}|\?)\s?(?P<scale>[A-Za-z]{{0,12}})\s{{0,2}}{_TAIL}")
_OPEN = re.compile(rf"(?:(?P<desc>[^\n]{{0,200}}?):?\s{{1,2}})?(?P<done>{_COUNT})(?P<what>[A-Za-z]{{1,16}})\s{_TAIL}")
_IGNITE = re.compile(
    r"(?P<desc>[^\n]{0,200}?)\s?\[(?P<done>\d{1,12})/(?P<all>\d{1,12})\]\s{1,4}\d{1,3}%\|"
    r"(?P<bar>[^\[,]{0,200})(?:, (?P<postfix>[^\[]{0,400}?))?\s{0,2}\[(?P<elapsed>\d[\d:]{0,12})<(?P<left>[\d:?]{1,15})\]\s*$"
)
_PERCENT = re.compile(r"(\d{1,3})%\|")
_EPOCH = re.compile(
    r"\b(?:epochs?|ep)\b[\s:=#]{0,3}\[?\s{0,3}(?P<epoch>\d{1,9})(?:\s{0,2}(?:/|of)\s{0,2}(?P<epochs>\d{1,9}))?(?![\d.])",
    re.IGNORECASE,
)
_FIGURES = re.compile(r"[\d.]+(?:e[-+]?\d+)?|\s+|nan|inf")
_WORD = re.compile(r"[^\W\d_]+")
_TRAIN = words(
    """
    train training fit fitting epoch epochs step steps iter iters iteration iterations batch batches progress trn learning
    optimization optimizing global update updates rank it trainer ep
    """
)
_EVAL = {
    **dict.fromkeys(words("val valid validation validating eval evaluation evaluating dev"), Phase.VAL),
    **dict.fromkeys(words("test testing"), Phase.TEST),
}
_SIDE = words("sanity predict predicting prediction")
_STEPS = frozenset(("it", "its", "step", "steps", "batch", "batches", "iter", "iters", "ba", "update", "updates", ""))
_EPOCHS = frozenset(("epoch", "epochs", "ep"))
_ITEM = re.compile(
    rf"(?P<name>[A-Za-z_][\w./@'()%-]{{0,80}}(?: [A-Za-z][\w./@]{{0,40}}){{0,2}})\s{{0,2}}[=:]\s{{0,3}}"
    rf"(?:\[?(?P<value>{NUMBER})(?P<percent>\s?%)?\]?(?=[\s,;|/)]|$)|(?P<text>[^\s,]{{1,80}}))"
)


@dataclass(frozen=True, slots=True)
class Bar:
    """One repaint. `family` is the same for all repaints of a bar and for its like in other epochs.

    `plain`: nothing stands before it, so it may be any loop's. `texts` are the metrics as written.
    """

    reading: Reading
    family: str
    plain: bool
    epochs: bool
    texts: tuple[str, ...]


def is_bar(text: str) -> bool:
    """Whether it is worth a closer look."""
    return "%|" in text or (text[-1:] == "]" and "/s" in text and " [" in text) or (text[-1:] == "]" and "s/" in text)


def read_bar(time: int, text: str) -> Bar | None:
    """The training's progress in a repaint; None for bars of other things: downloads, files, sanity checks."""
    if len(text) > LONGEST:
        return None
    text = text.strip()
    found = _parts(text)
    if found is None:
        return None
    desc, match = found
    groups = match.groupdict()
    unit = (groups.get("unit") or "").strip("/")
    what = _unit(unit) if groups.get("rate") else groups.get("what") or "it"
    metrics, lr, texts = _postfix(groups.get("postfix") or "")
    # `set_description(f"epoch {epoch} loss {loss:.3f}")`.
    told = read_sentence(time, desc) if any(char.isdigit() for char in desc) else []
    if len(told) == 1:
        metrics += told[0].metrics
        texts += [repr(metric.value) for metric in told[0].metrics]
        lr = told[0].lr if lr is None else lr
    measures = any(kind_of(metric.name) is Kind.METRIC for metric in metrics)
    said = [word.lower() for word in _WORD.findall(desc)]
    counts_epochs = what in _EPOCHS or (said in (["epochs"], ["epoch"]) and _EPOCH.search(desc) is None)
    if not counts_epochs and what not in _STEPS and not measures:
        return None
    if not _SIDE.isdisjoint(said):
        return None
    phase = next((_EVAL[word] for word in said if word in _EVAL), None)
    if phase is None and said and not measures and _TRAIN.isdisjoint(said) and not counts_epochs:
        return None
    epoch = _EPOCH.search(desc)
    done, total = whole(short(groups["done"])), whole(short(groups.get("all") or ""))
    rate, per = _rate(groups.get("rate"), unit)
    reading = Reading(
        time, Form.BAR, phase, None, None, done, total, tuple(_of_phase(metric, phase) for metric in metrics), lr, rate, per,
        exact=False,
    )  # fmt: skip
    if epoch is not None:
        epochs = epoch["epochs"]
        reading = replace(reading, epoch=float(epoch["epoch"]), epochs=(int(epochs) or None) if epochs else None)
    if counts_epochs:
        reading = replace(
            reading, epoch=None if done is None else float(done), epochs=total, step=None, steps=None, counted=True
        )
    family = _FIGURES.sub("", desc)
    return Bar(reading, family, not said, counts_epochs, tuple(texts))


def _parts(text: str) -> tuple[str, re.Match[str]] | None:
    """What stands before the bar, and the counts and fields behind it."""
    percent = text.find("%|")
    if percent < 0:
        found = _OPEN.fullmatch(text)
        return None if found is None else (found["desc"] or "", found)
    end = text.find("|", percent + 2)
    # The last bar of the text: a program may have died in the middle of one, and a postfix may hold a bar of its own.
    while end >= 0:
        found = _AFTER.match(text, end + 1)
        if found is not None:
            head = text[: percent - 1]
            return head.rstrip("0123456789 ").removesuffix(":"), found
        end = text.find("|", end + 1)
    found = _IGNITE.match(text)
    return None if found is None else (found["desc"].rstrip(": "), found)


def _unit(unit: str) -> str:
    """What is counted: `it` of `it/s` and of `s/it`."""
    first, _, second = unit.partition("/")
    return (second if first == "s" else first).lower()


def _rate(written: str | None, unit: str) -> tuple[float | None, Clean | None]:
    value = None if written is None else short(written)
    if value is None or value <= 0:
        return None, None
    if unit.startswith("s/"):
        return 1 / value, safe(f"{unit[2:]}/s")
    return value, safe(unit)


def _postfix(text: str) -> tuple[list[Metric], float | None, list[str]]:
    metrics: list[Metric] = []
    texts: list[str] = []
    lr: float | None = None
    for found in _ITEM.finditer(text[:LONGEST]):
        written = found["value"]
        value = None if written is None else number(written)
        if value is None:
            continue
        name = found["name"].strip().replace(" ", "_")
        kind = kind_of(name)
        if kind is Kind.LR:
            lr = value
        elif kind is Kind.METRIC or (kind is Kind.OTHER and not written.lstrip("+-").isdigit()):
            metrics.append(Metric(safe(name), value, found["percent"] is not None))
            texts.append(written)
    return metrics, lr, texts


def _of_phase(metric: Metric, phase: Phase | None) -> Metric:
    if phase is None or phase_of(metric.name) is not None:
        return metric
    return replace(metric, name=safe(f"{phase.value}_{metric.name}"))
