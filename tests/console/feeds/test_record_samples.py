"""What the recorder writes down of cards, machine and disks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from console.history import Reader, Writer
from console.model.history import Batch, DiskSample
from console.model.machine import Disk, MachineReading
from console.model.source import SourceError, SourceState
from console.text import clean
from tests.console import fake_gpus
from tests.console.fakes import FakeEngine, inspection
from tests.console.feeds.recording import Room
from tests.console.runs.test_join import training
from tests.support.waiting import until


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path / "history" / "history.db")


def by_hand(**more: Any) -> Any:
    return training(3, job_name="local", details=inspection(), **more)


async def test_cards_and_machine_are_sampled_with_whose_they_were(room: Room) -> None:
    one = by_hand(gpu="0")
    room.engine = FakeEngine(one)
    room.gpus = fake_gpus.FakeGpus(fake_gpus.reading(fake_gpus.held(0, 70), fake_gpus.card(1)))

    class Host:
        async def read(self, folders: object) -> MachineReading:
            return MachineReading(2, 40.0, 1.0, 100, 50, 0, 0, 1.0, 2.0, 3.0, ())

        async def aclose(self) -> None:
            return

    room.machine = Host()
    room.moment = datetime.now(UTC)
    await room.once()
    at = int(room.moment.timestamp() * 1e9)
    reader = Reader(room.path)
    first, second = reader.cards(at - 60 * 10**9, at + 60 * 10**9, 1)
    host = reader.host(at - 60 * 10**9, at + 60 * 10**9, 1)
    reader.close()
    assert (first.card, first.utilisation.mean, first.runs) == ("GPU-0", (70.0,), ("local#3",))
    assert (second.utilisation.mean, second.runs) == ((0.0,), (None,))
    assert (host.cpu.mean, host.io_pressure.mean) == ((40.0,), (3.0,))


async def test_the_engines_disk_is_written_down_once_a_minute(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Mapping[str, str]] = []

    class Host:
        async def read(self, folders: Mapping[str, str]) -> MachineReading:
            asked.append(dict(folders))
            held = Disk(clean("docker"), clean("/var/lib/docker"), 100, 40 + len(asked), 60 - len(asked))
            return MachineReading(2, 40.0, 1.0, 100, 50, 0, 0, 1.0, 2.0, 3.0, (held,))

        async def aclose(self) -> None:
            return

    room.machine = Host()
    room.engine = FakeEngine(by_hand())
    room.moment = datetime.now(UTC)
    samples: list[DiskSample] = []
    record = Writer.record

    def noting(self: Writer, batch: Batch) -> None:
        samples.extend(batch.disks)
        record(self, batch)

    monkeypatch.setattr(Writer, "record", noting)
    async with room.running():
        await until(lambda: len(asked) >= 4)
    assert asked[-1] == {"docker": "/var/lib/docker"}
    assert [(one.place, one.used + one.free) for one in samples] == [("/var/lib/docker", 100)]


async def test_no_gpu_is_said_once(room: Room) -> None:
    room.gpus = fake_gpus.FakeGpus(SourceError(SourceState.OFF, clean("No NVIDIA driver here.")))
    async with room.running():
        await until(lambda: len(room.engine.asked) > 8)
    assert room.said.count("gpu: No NVIDIA driver here.") == 1
    assert room.gpus.asked == 1, "a driver that is not there is not asked for at every look"
