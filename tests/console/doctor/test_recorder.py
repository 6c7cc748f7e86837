"""The recorder's hop: its unit, its file and its lock, whatever of them is there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from console.doctor import recorder
from console.doctor.findings import Finding, HopState, Mends
from console.doctor.instruments import DockerSide, Instruments
from console.doctor.visit import Visit
from console.history.place import Lock
from console.model.source import SourceState, SourceStatus
from console.sources.ownfiles import OwnFiles
from console.sources.systemd import Systemd
from console.text import Clean
from tests.console.doctor.test_gpu import Knows, tools
from tests.console.doctor.ward import Ward
from tests.console.fakes import FakeCompose, FakeEngine
from tests.support.units import StandInUnits

UNIT = "mlops-console-record.service"
NONE = SourceStatus(SourceState.OFF, Clean("none here"))


@pytest.fixture
def standin(tmp_path: Path) -> Iterator[StandInUnits]:
    made = StandInUnits(tmp_path / "bin")
    yield made
    made.close()


@pytest.fixture
def history(tmp_path: Path) -> Path:
    path = tmp_path / "h" / "history.db"
    path.parent.mkdir()
    path.write_bytes(b"")
    return path


def made(standin: StandInUnits, history: Path) -> Instruments:
    plain = tools(history.parent, NONE, DockerSide(FakeEngine(), Knows(), FakeCompose(), None, None))
    return replace(plain, files=OwnFiles(), units=Systemd({"PATH": standin.path}, 0), history=history)


def forgotten(history: Path) -> None:
    history.unlink()


async def look(standin: StandInUnits, history: Path) -> Finding:
    return await recorder.look(Visit(made(standin, history)))


@pytest.mark.parametrize("active", ["inactive", "failed"])
@pytest.mark.parametrize("written", [True, False])
async def test_a_unit_that_rests_can_be_mended(standin: StandInUnits, history: Path, active: str, written: bool) -> None:
    """Also where nothing was ever recorded: the unit is there to do it."""
    standin.unit(active, history)
    if not written:
        forgotten(history)
    found = await look(standin, history)
    assert found.state is HopState.WARNING
    assert found.seen == f"nobody writes {history}: {UNIT} is {active}"
    assert found.mends == Mends(units=(Clean(UNIT),))
    assert found.command == "sudo systemctl start mlops-console-record"


async def test_one_that_was_started_and_does_not_write_says_where_to_read_why(standin: StandInUnits, history: Path) -> None:
    standin.unit("activating", history)
    found = await look(standin, history)
    assert (found.state, found.mends) == (HopState.WARNING, Mends())
    assert found.command == "journalctl -u mlops-console-record -n 50"


@pytest.mark.parametrize("file", ["disabled", "masked"])
async def test_one_that_was_switched_off_is_left_alone(standin: StandInUnits, history: Path, file: str) -> None:
    standin.unit("inactive", history, file)
    found = await look(standin, history)
    assert (found.state, found.mends) == (HopState.OFF, Mends())
    assert found.seen == f"{UNIT} is {file}: nothing is to be recorded"


async def test_one_that_writes_another_history_is_no_remedy(standin: StandInUnits, history: Path) -> None:
    standin.unit("inactive", history.with_name("other.db"))
    found = await look(standin, history)
    assert (found.seen, found.mends) == (f"nobody writes {history}", Mends())
    assert found.command == "mlops-console record"
    forgotten(history)
    assert (await look(standin, history)).state is HopState.OFF


async def test_whoever_writes_is_enough(standin: StandInUnits, history: Path) -> None:
    standin.unit("inactive", history)
    lock = Lock(history)
    try:
        found = await look(standin, history)
    finally:
        lock.release()
    assert found.state is HopState.OK


async def test_a_systemd_that_does_not_answer_hides_nothing(
    standin: StandInUnits, history: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.sources.systemd.ASK_SECONDS", 0.2)
    (standin.folder / "systemctl").write_text("#!/bin/sh\nexec sleep 1000\n")
    assert (await look(standin, history)).seen == f"nobody writes {history}"


def test_the_command_starts_it(ward: Ward, standin: StandInUnits, monkeypatch: pytest.MonkeyPatch) -> None:
    history = ward.house.home / ".local" / "state" / "mlops-console" / "history.db"
    history.parent.mkdir(parents=True, exist_ok=True)
    history.write_bytes(b"")
    ward.undo.append(history.unlink)
    monkeypatch.setenv("PATH", standin.path)
    standin.unit("failed", history)
    standin.holds(history.with_name("history.db.lock"))
    found = ward.is_named("recorder", f"{UNIT} is failed", "doctor --fix", state="warning")
    assert found["recorder"]["can_fix"]
    ward.mends(UNIT)
    assert [call for call in standin.asked if "start" in call.split()] == [f"systemctl --no-ask-password start {UNIT}"]
