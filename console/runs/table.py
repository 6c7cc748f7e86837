"""Tables whose columns are named once, above a rule of dashes: skorch, spaCy and their like."""

from __future__ import annotations

import re
from collections.abc import Iterator

from console.runs.names import Kind, kind_of, safe
from console.runs.numbers import number, whole
from console.runs.reading import Form, Metric, Reading

LONGEST = 400
_RULE = re.compile(r"\s{0,8}-{2,60}(?:\s{1,8}-{2,60}){1,40}\s*")
_DASHES = re.compile(r"-+")
_STEP_NAMES = frozenset(("#", "iter", "step", "steps", "iteration"))
_EPOCH_NAMES = frozenset(("e", "epoch"))


class Table:
    """The table that a stream is in, if any."""

    def __init__(self) -> None:
        self._before = ""
        self._columns: list[tuple[str, int, int]] = []

    @property
    def open(self) -> bool:
        """Whether the next line may be a row."""
        return bool(self._columns)

    def see(self, text: str) -> None:
        """A line that is no row: perhaps the head of a table, or the rule below it."""
        if self._before and len(text) <= LONGEST and _RULE.fullmatch(text):
            self._columns = list(_columns(self._before, text))
        else:
            self._columns = []
        self._before = text if len(text) <= LONGEST else ""

    def row(self, time: int, text: str) -> Reading | None:
        """A row of the open table; None if the table has ended."""
        cells = {name: text[start:end].strip() for name, start, end in self._columns}
        epoch = step = None
        metrics: list[Metric] = []
        lr: float | None = None
        for name, cell in cells.items():
            low = name.lower()
            value = number(cell)
            if low in _EPOCH_NAMES or low in _STEP_NAMES:
                if value is None or not value.is_integer():
                    return None
                epoch, step = (value, step) if low in _EPOCH_NAMES else (epoch, whole(value))
                continue
            kind = kind_of(name.replace(" ", "_"))
            if value is not None and kind is Kind.LR:
                lr = value
            elif value is not None and kind is Kind.METRIC:
                metrics.append(Metric(safe(name), value))
        if not metrics or (epoch is None and step is None):
            return None
        return Reading(time, Form.TABLE, None, epoch, None, step, None, tuple(metrics), lr)


def _columns(head: str, rule: str) -> Iterator[tuple[str, int, int]]:
    """Names and spans; none unless the first column counts and another one measures."""
    spans = [(found.start(), found.end()) for found in _DASHES.finditer(rule)]
    # A cell may be wider than its rule, but begins behind the one before.
    edges = [0, *(end for _, end in spans[:-1])]
    names = [head[start:end].strip() for start, (_, end) in zip(edges, spans, strict=True)]
    if not all(names) or names[0].lower() not in _EPOCH_NAMES | _STEP_NAMES or len(set(names)) < len(names):
        return
    if not any(kind_of(name.replace(" ", "_")) is Kind.METRIC for name in names):
        return
    for name, start, (_, end) in zip(names, edges, spans, strict=True):
        yield name, start, end
