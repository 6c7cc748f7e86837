"""The demo's disk: every kind of row, and a prune that can be tried."""

from __future__ import annotations

from datetime import timedelta

from console.actions.docker.known import look
from console.actions.docker.pruning import Prune
from console.actions.doer import Doer
from console.actions.plan import Outcome
from console.demo import FrozenClock, demo_machine, demo_reach
from console.demo.kept import DemoFolders
from console.demo.story import BY_NUMBER
from console.model.disk import DiskUse
from console.model.kept import KeptKind
from console.model.pruning import Kind, Usual, Why
from tests.console.actions.acts import Notebook
from tests.console.fakes import NOW


async def test_it_shows_everything_that_a_disk_can_show() -> None:
    facts = await look(demo_reach(FrozenClock(NOW)), Usual())
    assert {row.kind for row in facts.rows} == {*Kind, None}
    assert {row.note for row in facts.rows} >= {"no tag left", "all in use"}
    every = [one for found in facts.objects.values() for one in found]
    assert {one.why for one in every} >= {None, Why.IN_USE, Why.LABELLED, Why.NEWEST, Why.DECLARED, Why.YOUNG, Why.NEEDED}
    assert any(one.users for one in every if one.kind is Kind.VOLUME)
    assert any(one.alone is not None and one.size is not None and one.alone < one.size for one in every), "what is shared"
    assert facts.decision.bytes > 10**10


async def test_what_is_pruned_there_is_gone_from_it() -> None:
    clock = FrozenClock(NOW)
    reach = demo_reach(clock)
    machine = demo_machine(clock, of=reach)
    (before,) = (await machine.read({})).disks
    usual = Usual()
    plan = await Prune(reach, usual.rule, usual.good_builds, chosen=True).plan()
    outcome = await Doer(Notebook()).carry_out(plan, lambda _: None)
    assert isinstance(outcome, Outcome)
    assert not outcome.failed
    facts = await look(reach, usual)
    assert not facts.decision.remove
    (after,) = (await machine.read({})).disks
    assert before.used - after.used == plan.act.decision.bytes > 0  # type: ignore[attr-defined]  # a Prune
    assert (await demo_machine(clock).read({})).disks == (before,)
    assert facts.objects.keys() == {row.what for row in facts.rows}


async def test_what_runs_left_is_of_runs_that_there_were() -> None:
    kept = await DemoFolders(FrozenClock(NOW)).kept(DiskUse((), (), (), {}, {}, NOW), ())
    runs = [one for one in kept if one.kind is not KeptKind.WORKSPACE]
    assert len(runs) == 6
    for one in runs:
        training = BY_NUMBER[int(str(one.name).removeprefix("train #"))]
        assert one.project == training.project
        assert training.ends is not None
        assert one.at == NOW + timedelta(seconds=training.ends)
    assert [str(one.name) for one in runs if one.resumable] == ["train #127"]
