"""Cards that a test holds in its hands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from console.model.gpu import Gpu, GpuProcess, GpuReading, Xid
from console.model.source import SourceError
from console.text import clean

NOW = datetime(2026, 11, 23, 14, 3, 46, tzinfo=UTC)
RECORDED = Path(__file__).parents[1] / "recordings" / "gpu" / "timeline.jsonl"
MIB, GIB = 1 << 20, 1 << 30


def card(index: int = 0, **changes: object) -> Gpu:
    """A card that is free and cool."""
    base = Gpu(
        index=index,
        uuid=clean(f"GPU-{index}"),
        bus=clean(f"00000000:0{index}:00.0"),
        name=clean("NVIDIA H100 80GB HBM3"),
        utilisation=0,
        memory_used=0,
        memory_total=80 * GIB,
        temperature=36,
        slows_at=87,
        power=70.0,
        power_limit=700.0,
        processes=(),
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # names and types are the field's own, checked at the call


def process(pid: int = 762, memory: int | None = 2 * GIB, utilisation: int | None = 0, **more: object) -> GpuProcess:
    return GpuProcess(pid, memory, utilisation, **more)  # type: ignore[arg-type]  # as for `card`


def held(index: int = 0, utilisation: int | None = 0, *processes: GpuProcess) -> Gpu:
    """A card that somebody holds."""
    return card(index, utilisation=utilisation, memory_used=2 * GIB, processes=processes or (process(),))


def reading(*cards: Gpu, xids: tuple[Xid, ...] = ()) -> GpuReading:
    return GpuReading(clean("580.159.04"), clean("13.0"), cards, xids=xids)


class FakeGpus:
    """Tells `answer`, or fails with it."""

    def __init__(self, answer: GpuReading | SourceError) -> None:
        self.answer = answer
        self.asked = 0

    async def read(self) -> GpuReading:
        self.asked += 1
        if isinstance(self.answer, SourceError):
            raise self.answer
        return self.answer

    async def aclose(self) -> None:
        return


def recorded() -> Iterator[tuple[float, Gpu]]:
    """62 seconds of a real H100, twice a second: seconds since the beginning, and the card."""
    for line in RECORDED.read_text().splitlines():
        told = json.loads(line)
        busy = {pid: sm for pid, sm, _ in told["putil"]} if isinstance(told["putil"], list) else {}
        yield (
            told["t"],
            card(
                utilisation=told["gpu"],
                memory_used=told["mem"],
                temperature=told["c"],
                power=told["w"],
                processes=tuple(process(pid, memory, busy.get(pid, 0)) for pid, memory in told["procs"]),
            ),
        )
