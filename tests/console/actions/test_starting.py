"""A unit of systemd that is started, where the person may."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from console.actions.audit import AuditRecorder, InMemory
from console.actions.doer import Doer
from console.actions.plan import Fate, Outcome, Plan, Weight
from console.actions.starting import StartUnits
from console.model.person import Person
from console.sources.systemd import Systemd
from console.text import Clean
from tests.support.units import NO_UNIT, REFUSED, StandInUnits

NAME = "mlops-console-record.service"


@pytest.fixture
def standin(tmp_path: Path) -> Iterator[StandInUnits]:
    made = StandInUnits(tmp_path / "bin")
    made.unit("inactive")
    yield made
    made.close()


def starting(standin: StandInUnits, uid: int = 0) -> StartUnits:
    return StartUnits(Systemd({"PATH": standin.path}, uid), [NAME])


async def carried_out(plan: Plan) -> Plan | Outcome:
    return await Doer(AuditRecorder(InMemory(Person(Clean("root"), 0)), Clean("here"))).carry_out(plan, lambda _words: None)


async def test_it_is_started(standin: StandInUnits) -> None:
    plan = await starting(standin).plan()
    assert plan.weight is Weight.ENTER
    assert plan.told("does") == (f"starts {NAME}",)
    assert plan.same_as == (f"systemctl start {NAME}",)
    became = await carried_out(plan)
    assert isinstance(became, Outcome)
    assert [(one.fate, one.words) for one in became.results] == [(Fate.DONE, "started")]
    assert f"systemctl --no-ask-password start {NAME}" in standin.asked
    assert (await starting(standin).plan()).why_not == "It is started already."


async def test_who_may_not_is_told_what_to_type(standin: StandInUnits) -> None:
    plan = await starting(standin, 4321).plan()
    assert plan.why_not == f"You may not start it. Who may: sudo systemctl start {NAME}"
    assert plan.same_as == ()
    standin.may(0)
    assert (await starting(standin, 4321).plan()).why_not is None


async def test_one_that_is_gone(standin: StandInUnits) -> None:
    standin.shows(NO_UNIT)
    assert (await starting(standin).plan()).why_not == "There is no such unit here any more."


async def test_one_that_somebody_has_started_meanwhile_is_asked_about_again(standin: StandInUnits) -> None:
    plan = await starting(standin).plan()
    standin.unit("activating")
    newer = await carried_out(plan)
    assert isinstance(newer, Plan)
    assert newer.moved == "It is started already."
    assert not any("start" in call.split() for call in standin.asked)


async def test_one_that_systemd_refuses(standin: StandInUnits) -> None:
    standin.refuses(REFUSED)
    became = await carried_out(await starting(standin).plan())
    assert isinstance(became, Outcome)
    (result,) = became.results
    assert result.fate is Fate.FAILED
    assert "Interactive authentication required" in result.words
