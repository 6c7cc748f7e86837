"""Units asked and started by `systemctl`, with a program in its place that says what systemd says."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.model.source import SourceError, SourceState
from console.sources import systemd
from console.sources.systemd import Systemd
from tests.support.units import FAILED, NO_UNIT, REFUSED, StandInUnits

NAME = "mlops-console-record.service"
SOMEBODY = 4321


@pytest.fixture
def standin(tmp_path: Path) -> Iterator[StandInUnits]:
    made = StandInUnits(tmp_path / "bin")
    yield made
    made.close()


def asking(standin: StandInUnits, uid: int = 0) -> Systemd:
    return Systemd({"PATH": standin.path, "SECRET": "s3cret"}, uid)


async def test_what_a_unit_tells_of_itself(standin: StandInUnits) -> None:
    standin.unit("failed", Path("/var/lib/a b/history.db"))
    unit = await asking(standin).unit(NAME)
    assert unit is not None
    assert (unit.name, unit.active, unit.file) == (NAME, "failed", "enabled")
    assert unit.environment["MLOPS_HISTORY"] == "/var/lib/a b/history.db"
    assert unit.environment["MLOPS_READ_ONLY"] == "true"
    assert unit.rests
    assert unit.wanted
    assert standin.asked == [f"systemctl show --property=LoadState,UnitFileState,ActiveState,Environment {NAME}"]


@pytest.mark.parametrize(
    ("active", "file", "rests", "wanted"),
    [
        ("active", "enabled", False, True),
        ("activating", "enabled", False, True),
        ("inactive", "disabled", True, False),
        ("inactive", "masked", True, False),
        ("inactive", "", True, True),
    ],
)
async def test_states(standin: StandInUnits, active: str, file: str, rests: bool, wanted: bool) -> None:
    standin.unit(active, file=file)
    unit = await asking(standin).unit(NAME)
    assert unit is not None
    assert (unit.rests, unit.wanted) == (rests, wanted)


async def test_no_such_unit_no_systemd_and_no_systemctl(standin: StandInUnits, tmp_path: Path) -> None:
    standin.shows(NO_UNIT)
    assert await asking(standin).unit(NAME) is None
    (standin.folder / "unbooted").touch()
    assert await asking(standin).unit(NAME) is None
    nothing = Systemd({"PATH": str(tmp_path)}, SOMEBODY)
    assert await nothing.unit(NAME) is None
    assert not await nothing.may_start()
    with pytest.raises(SourceError, match="There is no systemctl here") as failed:
        await nothing.start(NAME)
    assert failed.value.state is SourceState.OFF


async def test_what_it_says_is_made_safe(standin: StandInUnits) -> None:
    standin.shows('LoadState=loaded\nUnitFileState=\nActiveState=\x1b[31mbad\nEnvironment="unended\n')
    unit = await asking(standin).unit(NAME)
    assert unit is not None
    assert "\x1b" not in unit.active
    assert unit.environment == {}


async def test_root_may_and_all_others_by_polkit(standin: StandInUnits) -> None:
    assert await asking(standin, 0).may_start()
    assert standin.asked == []
    assert not await asking(standin, SOMEBODY).may_start()
    standin.may(0)
    assert await asking(standin, SOMEBODY).may_start()
    asked = standin.asked[0].split()
    assert asked[:4] == ["pkcheck", "--action-id", "org.freedesktop.systemd1.manage-units", "--process"]
    pid, started, uid = asked[4].split(",")
    assert (int(pid), int(uid)) == (os.getpid(), SOMEBODY)
    assert int(started) > 0


async def test_a_start_asks_for_no_password(standin: StandInUnits) -> None:
    standin.unit("inactive")
    made = asking(standin)
    await made.start(NAME)
    assert standin.asked == [f"systemctl --no-ask-password start {NAME}"]
    unit = await made.unit(NAME)
    assert unit is not None
    assert unit.active == "active"


@pytest.mark.parametrize(("words", "state"), [(REFUSED, SourceState.DENIED), (FAILED, SourceState.UNREACHABLE)])
async def test_a_start_that_fails_says_systemds_own_words(standin: StandInUnits, words: str, state: SourceState) -> None:
    standin.refuses(words)
    with pytest.raises(SourceError) as failed:
        await asking(standin).start(NAME)
    assert failed.value.state is state
    assert " ".join(words.split()) in failed.value.reason
    assert not failed.value.unsure


async def test_one_that_does_not_answer_may_have_begun(standin: StandInUnits, monkeypatch: pytest.MonkeyPatch) -> None:
    (standin.folder / "systemctl").write_text("#!/bin/sh\nexec sleep 1000\n")
    monkeypatch.setattr(systemd, "START_SECONDS", 0.2)
    with pytest.raises(SourceError, match="has not answered") as failed:
        await asking(standin).start(NAME)
    assert failed.value.unsure


async def test_it_sees_no_variable_that_is_not_for_it(standin: StandInUnits) -> None:
    (standin.folder / "systemctl").write_text('#!/bin/sh\nenv >"${0%/*}/env"\n')
    await asking(standin).unit(NAME)
    seen = (standin.folder / "env").read_text()
    assert "s3cret" not in seen
    assert "LC_ALL=C.UTF-8" in seen
