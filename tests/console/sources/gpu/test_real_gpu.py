"""The same on a real card, where there is one: beside nvidia-smi, which asks the same library."""

from __future__ import annotations

import asyncio
import csv
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from console.sources.gpu.source import NvmlGpus
from tests.support import skips

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not Path("/dev/nvidiactl").exists() or shutil.which("nvidia-smi") is None, reason=skips.NO_GPU),
]


@pytest.fixture
async def gpus() -> AsyncIterator[NvmlGpus]:
    made = NvmlGpus(patience=60.0)
    yield made
    await made.aclose()


def said(*fields: str) -> list[list[str]]:
    """What nvidia-smi says of each card."""
    command = ["nvidia-smi", f"--query-gpu={','.join(fields)}", "--format=csv,noheader,nounits"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return [[cell.strip() for cell in row] for row in csv.reader(done.stdout.splitlines())]


async def test_cards_are_those_that_nvidia_smi_has(gpus: NvmlGpus) -> None:
    reading = await gpus.read()
    rows = said("index", "uuid", "pci.bus_id", "name", "driver_version", "memory.total")
    assert [(str(card.index), card.uuid, card.bus.upper(), card.name) for card in reading.cards] == [
        (row[0], row[1], row[2].upper(), row[3]) for row in rows
    ]
    assert {reading.driver} == {row[4] for row in rows}
    assert [round((card.memory_total or 0) / 2**20) for card in reading.cards] == [int(row[5]) for row in rows]


async def test_what_a_card_tells_is_within_its_limits(gpus: NvmlGpus) -> None:
    for _ in range(3):
        for card in (await gpus.read()).cards:
            assert card.lost is None
            assert card.utilisation is None or 0 <= card.utilisation <= 100
            assert card.memory_used is not None
            assert card.memory_total is not None
            assert card.memory_used <= card.memory_total
            assert card.power is None or 0 < card.power < 2000
            assert card.temperature is None or card.slows_at is None or 0 < card.temperature <= card.slows_at
            assert all(one.utilisation is None or 0 <= one.utilisation <= 100 for one in card.processes or ())


async def test_xid_errors_are_waited_for_without_waiting(gpus: NvmlGpus) -> None:
    """The event set answers "timeout" at once: five readings do not take five of its seconds."""
    await gpus.read()
    async with asyncio.timeout(20):
        for _ in range(5):
            await gpus.read()
