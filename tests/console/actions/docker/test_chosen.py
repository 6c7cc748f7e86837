"""A prune that a person chooses from, on a real Engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from console.actions.docker.known import look
from console.actions.docker.pruning import Prune
from console.actions.doer import Doer
from console.actions.plan import Outcome, Plan
from console.demo import demo_jenkins
from console.model.asking import FieldKind
from console.model.pruning import Kind, Rule, Usual
from console.sources.reach import Reach
from console.text import clean
from tests.console.actions.docker.conftest import reach_of
from tests.console.actions.docker.test_pruning import MB, image, images, news, project, told
from tests.support.engine import Engine

USUAL = Usual(Rule(keep=1))


@pytest.fixture
async def reach(own: Engine) -> AsyncIterator[Reach]:
    """With a Jenkins that has built nothing of what is here."""
    made = reach_of(own, jenkins=demo_jenkins())
    yield made
    await made.aclose()


async def test_what_a_screen_shows_is_what_the_engine_has(own: Engine, reach: Reach) -> None:
    cats = project(own, "cats", 3)
    own.docker("volume", "create", "data")
    own.docker("run", "-d", "--network=none", "--name=busy", "--volume=data:/data", cats[0], "sleep", "1000")
    facts = await look(reach, USUAL)
    shown = {str(one.key): one for found in facts.objects.values() for one in found}
    for number, one in enumerate(cats):
        found = shown[f"image/{one}"]
        assert found.alone is not None
        assert found.size is not None
        assert 2 * MB <= found.alone < 2.2 * MB, "the layer that no other has"
        assert found.size > found.alone
        assert (found.goes, found.users) == (number == 1, (clean("busy"),) if number == 0 else ())
    assert shown["volume/data"].users == (clean("busy"),)
    assert {str(row.what) for row in facts.rows} >= {"images of cats", "volumes", "containers"}
    (container,) = facts.objects[clean("containers")]
    assert container.log is not None, "this Engine is ours, so its logs can be looked at"


async def test_what_is_kept_in_the_sheet_is_there_afterwards(own: Engine, reach: Reach, doer: Doer) -> None:
    cats = project(own, "cats", 4)
    lost = image(own, "")
    plan = await Prune(reach, Rule(keep=1), 10, chosen=True).plan()
    groups = {str(one.id): one for one in plan.parts if one.label == "goes"}
    assert set(groups) == {"image/images of cats", "image/dangling images"}
    assert groups["image/images of cats"].keys == {clean(f"image/{one}") for one in cats[:3]}
    assert isinstance(plan.act, Prune)
    plan = await plan.act.sparing(frozenset({clean(f"image/{cats[1]}")}), keep=True).plan()
    assert isinstance(plan.act, Prune)
    plan = await plan.act.sparing(frozenset({clean(f"image/{lost}")}), keep=True).plan()
    assert isinstance(plan.act, Prune)
    plan = await plan.act.sparing(frozenset({clean(f"image/{lost}")}), keep=False).plan()
    outcome = await doer.carry_out(plan, told)
    assert isinstance(outcome, Outcome)
    assert not outcome.failed
    left = images(own)
    assert {cats[1], cats[3]} <= left
    assert not {cats[0], cats[2], lost} & left
    assert "3 objects removed" in (await news(outcome))[-1].words


async def test_only_what_was_chosen_goes(own: Engine, reach: Reach, doer: Doer) -> None:
    cats, dogs = project(own, "cats", 3), project(own, "dogs", 3)
    facts = await look(reach, USUAL)
    only = frozenset(one.key for one in facts.objects[clean("images of dogs")])
    plan = await Prune(reach, Rule(keep=1, only=only), 10).plan()
    assert {one.key for one in plan.targets} == {f"image/{one}" for one in dogs[:2]}
    assert [line.partition(",")[0] for line in plan.told("stays")] == ["1 image of dogs"]
    assert isinstance(await doer.carry_out(plan, told), Outcome)
    assert set(cats) <= images(own)
    assert not set(dogs[:2]) & images(own)


async def test_a_choice_is_planned_from_what_was_seen_and_done_to_what_is_there(own: Engine, reach: Reach, doer: Doer) -> None:
    cats = project(own, "cats", 3)
    act = Prune(reach, Rule(keep=1), 10, chosen=True)
    first = await act.plan()
    later = image(own, "")
    chosen = await act.with_value("unused for", "0").with_value("volumes", "false").plan()
    assert {one.key for one in chosen.targets} == {one.key for one in first.targets}
    assert isinstance(chosen.act, Prune)
    assert chosen.act.rule.kinds == frozenset(Kind) - {Kind.VOLUME}
    own.docker("run", "-d", "--network=none", "--name=busy", cats[0], "sleep", "1000")
    outcome = await doer.carry_out(chosen, told)
    assert isinstance(outcome, Outcome)
    assert [one.words for one in outcome.failed] == ["kept: in use by busy since the preview"]
    assert {cats[0], cats[2], later} <= images(own), "what nobody has seen does not go"


async def test_the_rule_as_fields(own: Engine, reach: Reach) -> None:
    act = Prune(reach, Rule(keep=2, older_than=timedelta(days=30)), 10, chosen=True)
    plan = await act.plan()
    assert plan.aside
    assert [(str(one.name), str(one.value), one.kind) for one in plan.entries] == [
        ("images kept", "2", FieldKind.TEXT),
        ("unused for", "30d", FieldKind.TEXT),
        ("containers", "true", FieldKind.BOOLEAN),
        ("images", "true", FieldKind.BOOLEAN),
        ("volumes", "true", FieldKind.BOOLEAN),
        ("build cache", "true", FieldKind.BOOLEAN),
    ]
    wrong: Plan = await act.with_value("images kept", "none").with_value("unused for", "0").plan()
    assert isinstance(wrong.act, Prune)
    assert (wrong.act.rule.keep, wrong.act.rule.older_than) == (2, None)
    assert [(str(one.name), one.changed, one.problem is not None) for one in wrong.entries[:2]] == [
        ("images kept", True, True),
        ("unused for", True, False),
    ]
    only = await Prune(reach, Rule(only=frozenset()), 10, chosen=True).plan()
    assert [str(one.name) for one in only.entries] == ["images kept", "unused for"]
    assert (await Prune(reach, Rule(), 10).plan()).entries == ()
