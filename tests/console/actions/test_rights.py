"""Rights that are set right, and several acts as one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from console.actions.audit import AuditRecorder, InMemory
from console.actions.doer import Doer, RefusedError
from console.actions.plan import Act, Basis, Fate, News, Outcome, Plan, Result, Target, Tell, Weight
from console.actions.rights import SetRights, Wanted
from console.actions.several import Several
from console.model.person import Person
from console.sources.ownfiles import OwnFiles
from console.text import Clean, clean


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "token"
    made.write_text("x")
    made.chmod(0o644)
    return made


def doer() -> Doer:
    return Doer(AuditRecorder(InMemory(Person(Clean("root"), 0)), Clean("here")))


def quiet(_words: Clean) -> None:
    """Nobody listens."""


async def rights(file: Path) -> tuple[int, int]:
    told = await OwnFiles().facts(file)
    return told.rights, told.uid


async def done(act: Act) -> Outcome:
    became = await doer().carry_out(await act.plan(), quiet)
    assert isinstance(became, Outcome)
    return became


async def test_a_file_gets_its_rights(file: Path) -> None:
    act = SetRights(OwnFiles(), [Wanted(file, 0o400, 1000)], 0)
    plan = await act.plan()
    assert plan.weight is Weight.YES
    assert plan.told("does") == (f"{file}: mode 0400 instead of 0644, owner 1000",)
    assert plan.same_as == (f"chmod 0400 {file}", f"chown 1000 {file}")
    became = await doer().carry_out(plan, quiet)
    assert isinstance(became, Outcome)
    assert became.worst is Fate.DONE
    assert await rights(file) == (0o400, 1000)
    assert (await act.plan()).why_not == "It is as it should be already."


async def test_only_ones_own_and_no_giving_away(file: Path) -> None:
    for wanted in (Wanted(file, 0o600), Wanted(file, 0o600, 1000)):
        plan = await SetRights(OwnFiles(), [wanted], 4321).plan()
        assert plan.why_not == f"{file} is not yours to change: sudo mlops-console doctor --fix"


@pytest.mark.parametrize("what", ["link", "folder", "gone"])
async def test_what_is_no_file_is_left_alone(file: Path, what: str) -> None:
    other = file.with_name("other")
    if what == "link":
        other.symlink_to(file)
    elif what == "folder":
        other.mkdir()
    plan = await SetRights(OwnFiles(), [Wanted(other, 0o600)], 0).plan()
    assert plan.doable == ()
    with pytest.raises(RefusedError):
        await doer().carry_out(plan, quiet)
    assert (await rights(file))[0] == 0o644


async def test_a_file_that_somebody_has_changed_meanwhile_is_asked_about_again(file: Path) -> None:
    act = SetRights(OwnFiles(), [Wanted(file, 0o600)], 0)
    plan = await act.plan()
    await OwnFiles().set_rights(file, await OwnFiles().facts(file), 0o666, None)
    newer = await doer().carry_out(plan, quiet)
    assert isinstance(newer, Plan)
    assert newer.moved is not None
    assert (await rights(file))[0] == 0o666


async def test_one_that_takes_its_place_at_the_last_moment_keeps_its_rights(file: Path) -> None:
    files = OwnFiles()
    was = await files.facts(file)
    beside = file.with_name("beside")
    beside.write_text("y")
    beside.chmod(0o644)
    beside.replace(file)
    with pytest.raises(Exception, match="another one since it was looked at"):
        await files.set_rights(file, was, 0o600, None)
    assert (await rights(file))[0] == 0o644


class Small:
    """An act on one object that a test has in its hands."""

    name = "small"

    def __init__(self, key: str, weight: Weight = Weight.ENTER) -> None:
        self.target = Target(clean(key), clean(key))
        self.weight = weight
        self.fact = 1
        self.did = 0

    async def plan(self) -> Plan:
        basis = (Basis("fact", self.fact, clean(f"{self.target.name} has changed.")),)
        return Plan(self, self.target.name, Clean("yes"), (self.target,), weight=self.weight, basis=basis)

    async def perform(self, plan: Plan, target: Target, tell: Tell) -> Result:
        assert (plan.act, target) == (self, self.target)
        self.did += 1
        return Result(target, Fate.DONE, Clean("done"))

    def aftermath(self, outcome: Outcome, *, whole: bool = False) -> AsyncIterator[News] | None:
        return None


async def test_several_acts_are_one_plan_and_each_does_its_own() -> None:
    acts = [Small("a"), Small("b", Weight.YES)]
    became = await done(Several("both", "Both", acts))
    assert [one.target.name for one in became.results] == ["a", "b"]
    assert became.plan.weight is Weight.YES
    assert [one.did for one in acts] == [1, 1]


async def test_what_moved_for_one_of_them_moved_for_all() -> None:
    acts = [Small("a"), Small("b")]
    plan = await Several("both", "Both", acts).plan()
    acts[1].fact = 2
    newer = await doer().carry_out(plan, quiet)
    assert isinstance(newer, Plan)
    assert newer.moved == "b has changed."
    assert [one.did for one in acts] == [0, 0]


async def test_what_cannot_be_undone_is_not_done_among_others() -> None:
    plan = await Several("both", "Both", [Small("a"), Small("b", Weight.WORD)]).plan()
    assert plan.why_not == "One of them cannot be undone: do it by itself."
