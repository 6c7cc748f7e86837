"""What this console itself saw of cards and machine, in columns for a plot. Pure.

The rings of the feeds count pieces of time by a clock that only grows; `ahead` is how far UTC is ahead of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from console.feeds.curves import WINDOWS
from console.history.plot import Plot, column_at
from console.model.gpu import GpuHistory, GpuWorld
from console.model.history import NANO, CardPast, HostPast, Span, Trace
from console.model.machine import MachineHistory, MachineReading
from console.model.run import Run
from console.model.source import Snapshot, SourceState, SourceStatus
from console.model.times import nanoseconds
from console.text import Clean

if TYPE_CHECKING:
    from console.feeds.others import Others

_CARD, _HOST = 4, 5
_Values = tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """What the feeds have at one moment; None where nobody asks."""

    gpus: Snapshot[GpuWorld] | None = None
    machine: Snapshot[MachineReading] | None = None
    history: MachineHistory | None = None
    runs: Sequence[Run] = ()


def seen(others: Others | None, runs: Sequence[Run]) -> Seen:
    """Of what the feeds have now; to be called in their loop."""
    if others is None:
        return Seen(runs=runs)
    gpus = others.gpus.snapshot if others.gpus is not None else None
    machine = others.machine
    return Seen(gpus, machine.snapshot if machine is not None else None, machine.history if machine is not None else None, runs)


@dataclass(frozen=True, slots=True)
class Piece:
    """From `begin` to `end` (nanoseconds since 1970) the quantities had these values."""

    begin: int
    end: int
    values: _Values


@dataclass(frozen=True, slots=True)
class Columns:
    """What was seen, from `begin` to `end` in columns; `looked` is when anything was, in order and without overlaps."""

    cards: tuple[CardPast, ...]
    host: HostPast | None
    looked: tuple[Span, ...]


def columns(seen: Seen, begin: int, end: int, width: int, ahead: float) -> Columns:
    """`begin` and `end` in nanoseconds since 1970."""
    of_cards = _cards(seen, ahead)
    of_host = _host(seen, ahead)
    spans = sorted(
        (piece.begin, piece.end)
        for pieces in (*of_cards.values(), of_host)
        for piece in pieces
        if any(value is not None for value in piece.values)
    )
    uuids = {card.index: card.uuid for card in seen.gpus.value.reading.cards} if seen.gpus and seen.gpus.value else {}
    cards = []
    for index, pieces in sorted(of_cards.items()):
        use, memory, heat, power = _traces(pieces, _CARD, begin, end, width)
        if any(value is not None for trace in (use, memory, heat, power) for value in trace.mean):
            owners = _owners(seen.runs, index, begin, end, width)
            cards.append(CardPast(uuids.get(index, Clean("")), index, use, memory, heat, power, owners))
    host = HostPast(*_traces(of_host, _HOST, begin, end, width)) if of_host else None
    return Columns(tuple(cards), host, _joined(spans))


def _cards(seen: Seen, ahead: float) -> dict[int, list[Piece]]:
    """By card, each moment in the finest window that has it. A window that has forgotten nothing yet has all there is: the
    first piece of a coarser one would reach back to where nobody looked."""
    if seen.gpus is None or seen.gpus.value is None:
        return {}
    found: dict[int, list[Piece]] = {}
    upto: dict[int, int] = {}
    whole: set[int] = set()
    for window, step, size in WINDOWS:
        histories = seen.gpus.value.histories.get(window, {})
        rows = {index: _rows(history) for index, history in histories.items()}
        pieces = _placed(rows, seen.gpus.status, step, ahead)
        for index, several in pieces.items():
            if index in whole:
                continue
            if len(rows[index]) < size:
                whole.add(index)
            before = upto.get(index)
            for piece in several:
                if before is None or piece.begin < before:
                    end = piece.end if before is None else min(piece.end, before)
                    found.setdefault(index, []).append(Piece(piece.begin, end, piece.values))
            if several:
                upto[index] = several[0].begin
    return found


def _rows(history: GpuHistory) -> list[_Values]:
    return list(zip(history.utilisation, history.memory, history.temperature, history.power, strict=True))


def _host(seen: Seen, ahead: float) -> list[Piece]:
    if seen.machine is None or seen.history is None:
        return []
    rows: list[_Values] = [
        (cpu, memory, None, None, None) for cpu, memory in zip(seen.history.cpu, seen.history.memory, strict=True)
    ]
    return _placed({0: rows}, seen.machine.status, seen.history.step, ahead)[0]


def _placed(rows: dict[int, list[_Values]], status: SourceStatus, step: float, ahead: float) -> dict[int, list[Piece]]:
    """When each row was, oldest first. The newest with anything in it is that of the last good reading."""
    if status.taken_at is None:
        return {key: [] for key in rows}
    lost = 0
    if status.state is not SourceState.OK:
        # Failures since then have left a row each, and nobody knows when.
        lost = min((_empty_at_end(several) for several in rows.values()), default=0)
    newest = int((status.taken_at.timestamp() - ahead) // step)
    found = {}
    for key, several in rows.items():
        kept = several[: len(several) - lost]
        first = newest - len(kept) + 1
        found[key] = [
            Piece(_nano((first + at) * step + ahead), _nano((first + at + 1) * step + ahead), values)
            for at, values in enumerate(kept)
        ]
    return found


def _empty_at_end(rows: Sequence[_Values]) -> int:
    count = 0
    for values in reversed(rows):
        if any(value is not None for value in values):
            break
        count += 1
    return count


def _traces(pieces: Iterable[Piece], many: int, begin: int, end: int, width: int) -> Sequence[Trace]:
    plot = Plot(begin, end, width, many)
    for piece in pieces:
        if piece.end <= begin or piece.begin >= end:
            continue
        first, last = (plot.column(at) for at in (max(piece.begin, begin), min(piece.end, end) - 1))
        for at, value in enumerate(piece.values):
            if value is not None:
                plot.add(first, last, at, value, value)
    return plot.traces()


def _owners(runs: Iterable[Run], card: int, begin: int, end: int, width: int) -> tuple[Clean | None, ...]:
    """Whose the card has been since the phase began that the run is in; of before that nothing is known."""
    found: list[Clean | None] = [None] * width
    for run in runs:
        if run.ended or run.since is None or not run.containers:
            continue
        if card not in run.cards and all(one.card != card for one in run.holders):
            continue
        since = nanoseconds(run.since)
        if since < end:
            for column in range(column_at(max(since, begin), begin, end, width), width):
                found[column] = run.key
    return tuple(found)


def _joined(spans: Iterable[tuple[int, int]]) -> tuple[Span, ...]:
    found: list[Span] = []
    for begin, end in spans:
        # Pieces of two clocks meet to the microsecond only.
        if found and begin <= found[-1].end + NANO // 1000:
            found[-1] = Span(found[-1].begin, max(found[-1].end, end))
        else:
            found.append(Span(begin, end))
    return tuple(found)


def _nano(seconds: float) -> int:
    return round(seconds * 1e6) * 1000
