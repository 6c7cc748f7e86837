"""Prune on a real Engine: what is needed survives, what moved is left and told, and what was freed is measured."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from console.actions.docker.known import newest_good
from console.actions.docker.pruning import Prune
from console.actions.doer import Doer
from console.actions.plan import Fate, News, Outcome, Plan, TellsMore, Weight
from console.demo import demo_jenkins
from console.model.pruning import Kind, Rule
from console.model.service import ComposeProject, Declared
from console.model.source import NotThereError, SourceError, SourceState, SourceStatus
from console.sources.reach import Reach
from console.text import Clean, clean
from tests.console.actions.acts import Notebook
from tests.console.actions.docker.conftest import NO_JENKINS, reach_of
from tests.console.fakes import FakeCompose
from tests.support.builds import build, cache_ids
from tests.support.engine import Engine
from tests.support.images import BUSYBOX, import_busybox

MARK = "LABEL made-for-a-test=yes"
MB = 1_000_000
COMMITS = tuple(f"{number:x}" * 40 for number in range(1, 9))


@pytest.fixture
async def reach(own: Engine) -> AsyncIterator[Reach]:
    """With a Jenkins that has built nothing of what is here."""
    made = reach_of(own, jenkins=demo_jenkins())
    yield made
    await made.aclose()


def told(_: Clean) -> None:
    """Nobody listens."""


IMAGES = Rule(kinds=frozenset({Kind.IMAGE}), keep=1)


def image(engine: Engine, name: str, *labels: str, size: int = 2, on: str = BUSYBOX) -> str:
    """An image of one more layer with `size` MB that no other has."""
    made = engine.docker(
        "run", "-d", "--network=none", on, "dd", "if=/dev/urandom", f"of=/{abs(hash(name))}", "bs=1M", f"count={size}"
    )
    container = made.strip()
    engine.docker("wait", container)
    changes = [f"--change={change}" for change in (MARK, *(f"LABEL {label}" for label in labels))]
    found = engine.docker("commit", *changes, container, *([name] if name else [])).strip()
    engine.docker("rm", container)
    return found


def project(engine: Engine, name: str, count: int) -> list[str]:
    """Images of a project, the oldest first."""
    return [
        image(engine, f"mlops/{name}:{commit[:12]}", f"mlops.project={name}", f"mlops.commit={commit}")
        for commit in COMMITS[:count]
    ]


def images(engine: Engine) -> set[str]:
    return set(engine.docker("images", "--no-trunc", "--quiet").split())


async def carried_out(doer: Doer, plan: Plan) -> Outcome:
    outcome = await doer.carry_out(plan, told)
    assert isinstance(outcome, Outcome), outcome
    return outcome


async def news(outcome: Outcome) -> list[News]:
    heard = outcome.plan.act.aftermath(outcome)
    assert heard is not None
    return [one async for one in heard]


async def test_the_newest_of_each_project_and_what_runs_stay(own: Engine, reach: Reach, doer: Doer, notebook: Notebook) -> None:
    first = project(own, "cats", 4)
    other = project(own, "dogs", 1)
    own.docker("run", "-d", "--network=none", "--name=busy", f"mlops/cats:{COMMITS[0][:12]}", "sleep", "1000")
    kept = image(own, "mlops/cats:keepme", "mlops.project=cats", "mlops.keep=True")
    plan = await Prune(reach, Rule(keep=1), 10).plan()
    assert plan.weight is Weight.YES
    assert {one.key for one in plan.targets} == {f"image/{one}" for one in first[1:]}
    assert any("image" in line and "cats" in line for line in plan.told("goes"))
    assert any("in use" in line for line in plan.told("stays"))
    outcome = await carried_out(doer, plan)
    assert {one.fate for one in outcome.results} == {Fate.DONE}
    left = images(own)
    assert {first[0], *other, kept} <= left
    assert not left & set(first[1:])
    assert notebook.phases == ["begun", "ended"]
    again = await Prune(reach, Rule(keep=1), 10).plan()
    assert again.why_not is not None
    assert "Nothing can go" in again.why_not


async def test_the_estimate_is_what_the_disk_says(own: Engine, reach: Reach, doer: Doer) -> None:
    base = image(own, "mlops/big:111111111111", "mlops.project=big", size=6)
    for at in range(2, 5):
        image(own, f"mlops/big:{str(at) * 12}", "mlops.project=big", size=3, on=base)
    before = _used(own)
    plan = await Prune(reach, Rule(kinds=frozenset({Kind.IMAGE}), keep=1), 10).plan()
    assert len(plan.targets) == 2, "the base stays: removing it would free nothing"
    outcome = await carried_out(doer, plan)
    assert not outcome.failed
    freed = before - _used(own)
    assert isinstance(plan.act, TellsMore)
    expected = plan.act.more()["bytes"]
    assert isinstance(expected, int)
    # The six of the base stay: the image that is left stands on them.
    assert 5 * MB < expected < 7 * MB, "two of three megabytes each"
    assert abs(freed - expected) <= 1 << 20
    (heard,) = await news(outcome)
    assert heard.words.startswith("2 objects removed, ")
    assert heard.words.endswith(" expected)")


def _used(engine: Engine) -> int:
    """Bytes below the Engine's data root that are layers."""
    total = 0
    for path in (engine.folder / "d" / "overlay2", engine.folder / "d" / "vfs"):
        if path.is_dir():
            total += sum(one.lstat().st_size for one in path.rglob("*") if one.is_file() and not one.is_symlink())
    return total


async def test_what_somebody_began_to_use_since_stays_and_is_told(own: Engine, reach: Reach, doer: Doer) -> None:
    made = project(own, "cats", 3)
    volume = own.docker("volume", "create").strip()
    plan = await Prune(reach, Rule(keep=1), 10).plan()
    assert {f"image/{made[0]}", f"image/{made[1]}", f"volume/{volume}"} == {str(one.key) for one in plan.targets}
    own.docker("run", "-d", "--network=none", "--name=late", f"--volume={volume}:/data", made[0], "sleep", "1000")
    outcome = await carried_out(doer, plan)
    found = {str(one.target.key): (one.fate, one.words) for one in outcome.results}
    assert found[f"image/{made[0]}"] == (Fate.FAILED, "kept: in use by late since the preview")
    assert found[f"volume/{volume}"] == (Fate.FAILED, "kept: in use by late since the preview")
    assert found[f"image/{made[1]}"] == (Fate.DONE, "removed")
    assert made[0] in images(own)
    assert volume in own.docker("volume", "ls", "-q").split()
    assert own.inspect("late")["State"]["Running"] is True


async def test_what_is_used_from_the_last_look_on_is_refused_by_the_engine(own: Engine, reach: Reach) -> None:
    made = project(own, "cats", 3)
    prune = Prune(reach, Rule(keep=1), 10)
    plan = await prune.plan()
    own.docker("run", "-d", "--network=none", "--name=late", made[0], "sleep", "1000")
    (target,) = [one for one in plan.targets if one.key.endswith(made[0])]
    with pytest.raises(SourceError, match="is using its referenced image"):
        await prune.perform(plan, target, told)
    assert made[0] in images(own)


async def test_two_consoles_prune_at_once(own: Engine) -> None:
    project(own, "cats", 6)
    for _ in range(4):
        own.docker("volume", "create")
    reaches = [reach_of(own, jenkins=demo_jenkins()), reach_of(own, jenkins=demo_jenkins())]
    try:
        plans = [await Prune(reach, Rule(keep=1), 10).plan() for reach in reaches]
        assert plans[0].targets == plans[1].targets
        outcomes = await asyncio.gather(*(Doer(Notebook()).carry_out(plan, told) for plan in plans))
    finally:
        for reach in reaches:
            await reach.aclose()
    for outcome in outcomes:
        # Whoever comes second finds nothing left to do, or an object that went meanwhile.
        assert isinstance(outcome, Plan) or {one.fate for one in outcome.results} <= {Fate.DONE}, [
            (one.target.name, one.words) for one in outcome.failed
        ]
    assert len(own.docker("images", "--quiet", "mlops/cats").split()) == 1
    assert own.docker("volume", "ls", "-q").split() == []


async def test_volumes_with_a_name_go_only_by_that_name(own: Engine, reach: Reach, doer: Doer) -> None:
    own.docker("volume", "create", "precious")
    own.docker("volume", "create", "old")
    nameless = own.docker("volume", "create").strip()
    usual = await Prune(reach, Rule(kinds=frozenset({Kind.VOLUME})), 10).plan()
    assert [str(one.name) for one in usual.targets] == [nameless]
    plan = await Prune(reach, Rule(kinds=frozenset({Kind.VOLUME}), named=frozenset({clean("old")})), 10).plan()
    assert (plan.weight, plan.word) == (Weight.WORD, "old")
    await carried_out(doer, plan)
    assert own.docker("volume", "ls", "-q").split() == ["precious"]


async def test_what_the_file_declares_stays_even_by_its_name(own: Engine, doer: Doer) -> None:
    own.docker("volume", "create", "p_data")
    declares = FakeCompose(ComposeProject(clean("p"), clean("f"), (), (), (clean("p_data"),)))
    reach = reach_of(own, declares, demo_jenkins())
    try:
        plan = await Prune(reach, Rule(kinds=frozenset({Kind.VOLUME}), named=frozenset({clean("p_data")})), 10).plan()
        assert plan.why_not is not None
        declares.answer = SourceError(SourceState.STALE, clean("the file is wrong"))
        blind = await Prune(reach, Rule(kinds=frozenset({Kind.VOLUME}), named=frozenset({clean("p_data")})), 10).plan()
        assert blind.why_not is not None
        assert any("ompose" in note for note in blind.told("but"))
    finally:
        await reach.aclose()


async def test_images_of_good_builds_stay_and_all_of_them_while_jenkins_is_away(own: Engine, reach: Reach) -> None:
    project(own, "project-a", 3)
    away = SourceStatus(SourceState.UNREACHABLE, clean("Jenkins has not answered."))
    for nobody in (away, NO_JENKINS):
        plan = await Prune(replace(reach, jenkins=nobody), IMAGES, 10).plan()
        assert plan.why_not is not None
        assert any("Jenkins" in note for note in plan.told("but"))
    jenkins = demo_jenkins()
    good = next(one for one in await jenkins.builds("train", 100) if one.result == "SUCCESS" and one.parameter("COMMIT"))
    commit, name = good.parameter("COMMIT"), good.parameter("PROJECT")
    assert commit is not None
    kept = image(own, f"mlops/{name}:{commit[:12]}", f"mlops.project={name}", f"mlops.commit={commit}")
    image(own, f"mlops/{name}:{'f' * 12}", f"mlops.project={name}")
    plan = await Prune(replace(reach, jenkins=jenkins), Rule(keep=1), 100).plan()
    assert f"image/{kept}" not in {str(one.key) for one in plan.targets}
    assert isinstance(plan.act, Prune)
    assert any(one.id == kept and "good" in one.reason for one in plan.act.decision.keep)


async def test_spared_objects_stay(own: Engine, reach: Reach) -> None:
    made = project(own, "cats", 3)
    prune = Prune(reach, Rule(keep=1), 10)
    assert len((await prune.plan()).targets) == 2
    for word in (f"image/{made[0]}", made[0], made[0].removeprefix("sha256:")[:12], f"mlops/cats:{COMMITS[0][:12]}"):
        spared = prune.without(frozenset({clean(word)}))
        assert {str(one.key) for one in (await spared.plan()).targets} == {f"image/{made[1]}"}, word
    with pytest.raises(NotThereError, match="nothing called cats that could stay"):
        await prune.without(frozenset({clean("cats")})).plan()


async def test_an_engine_that_dies_in_the_middle(engine: Engine) -> None:
    """What was done is done and told, what was not is not, and nobody claims to know how much was freed."""
    mortal = Engine()
    try:
        import_busybox(mortal)
        project(mortal, "cats", 5)
        reach = reach_of(mortal, jenkins=demo_jenkins())
        seen: list[str] = []

        def until_the_second(words: Clean) -> None:
            seen.append(str(words))
            if len(seen) == 2:
                mortal.kill()

        plan = await Prune(reach, Rule(keep=1), 10).plan()
        outcome = await Doer(Notebook()).carry_out(plan, until_the_second)
        assert isinstance(outcome, Outcome)
        assert outcome.results[0].fate is Fate.DONE
        assert {one.fate for one in outcome.results[1:]} <= {Fate.FAILED, Fate.UNSURE}
        assert len(seen) == 2, "an Engine that is gone is not asked again for each object"
        assert len(outcome.results) == 4
        (heard,) = await news(outcome)
        assert heard.words.startswith("how much was freed cannot be told: ")
        await reach.aclose()
    finally:
        mortal.close()


async def test_a_build_that_was_given_no_commit_protects_its_image(own: Engine, reach: Reach) -> None:
    build = next(
        one for one in await demo_jenkins().builds("train", 100) if one.result == "SUCCESS" and one.parameter("PROJECT")
    )
    name = build.parameter("PROJECT")
    labels = (f"mlops.project={name}", f"mlops.commit={COMMITS[3]}", "mlops.job=train", f"mlops.build={build.number}")
    image(own, "mlops/odd:name", *labels)
    blank = replace(build, parameters=tuple(one for one in build.parameters if one.name != "COMMIT"))
    assert newest_good((blank,), await reach.disk.disk(), 5) == {name: frozenset({clean(COMMITS[3][:12])})}


async def test_parts_of_the_build_cache_go_together_and_those_in_use_are_told(own: Engine, reach: Reach, doer: Doer) -> None:
    for number in range(2):
        dockerfile = f"FROM {BUSYBOX}\nRUN echo {number} > /first\nRUN echo {number} > /second\n"
        build(own, f"built:{number}", dockerfile, buildkit=True)
        own.docker("rmi", f"built:{number}")
    before = set(cache_ids(own))
    assert len(before) >= 4
    plan = await Prune(reach, Rule(kinds=frozenset({Kind.CACHE})), 10).plan()
    assert {f"cache/{one}" for one in before} >= {str(one.key) for one in plan.targets} != set()
    outcome = await carried_out(doer, plan)
    left = set(cache_ids(own))
    for one in outcome.results:
        is_there = str(one.target.key).removeprefix("cache/") in left
        assert one.fate is (Fate.FAILED if is_there else Fate.DONE), one
    assert len(left) < len(before)


async def test_without_a_compose_file_what_it_might_declare_stays(own: Engine) -> None:
    """From another folder none is found: it declares its volumes and images all the same."""
    own.docker("volume", "create", "mlops_jenkins-home")
    rule = Rule(kinds=frozenset({Kind.VOLUME, Kind.IMAGE}), named=frozenset({clean("mlops_jenkins-home")}))
    reach = reach_of(own, FakeCompose(None), demo_jenkins())
    try:
        plan = await Prune(reach, rule, 10).plan()
    finally:
        await reach.aclose()
    assert plan.why_not is not None
    assert any("compose file could not be read" in said for said in plan.told("but"))


@pytest.mark.parametrize("name", ["busybox:test", "docker.io/library/busybox:test"])
async def test_declared_images_stay_by_their_names_too(own: Engine, name: str) -> None:
    """Which image a name stands for is asked by the way, and may not be known."""
    declares = FakeCompose(ComposeProject(clean("p"), clean("f"), (Declared(clean("web"), clean(name), 1, clean("")),)))
    reach = reach_of(own, declares, demo_jenkins())
    try:
        assert (await Prune(reach, IMAGES, 10).plan()).why_not is not None
        declares.answer = ComposeProject(clean("p"), clean("f"), (Declared(clean("web"), clean("x@sha256:ab"), 1, clean("")),))
        assert (await Prune(reach, IMAGES, 10).plan()).why_not is not None
        declares.answer = ComposeProject(clean("p"), clean("f"), ())
        assert (await Prune(reach, IMAGES, 10).plan()).why_not is None
    finally:
        await reach.aclose()


async def test_a_name_that_an_image_got_since_the_preview_is_not_taken_from_it(own: Engine, reach: Reach, doer: Doer) -> None:
    made = image(own, "")
    plan = await Prune(reach, Rule(kinds=frozenset({Kind.IMAGE}), spared=frozenset({clean(BUSYBOX)})), 10).plan()
    assert [str(one.key) for one in plan.targets] == [f"image/{made}"]
    own.docker("tag", made, "backup/precious:1")
    outcome = await carried_out(doer, plan)
    assert outcome.results[0].fate is Fate.FAILED
    assert "another name" in outcome.results[0].words
    assert own.docker("images", "--quiet", "backup/precious") != ""


async def test_a_label_makes_no_volume_nameless(own: Engine, reach: Reach) -> None:
    own.docker("volume", "create", "--label=com.docker.volume.anonymous=", "checkpoints")
    assert (await Prune(reach, Rule(kinds=frozenset({Kind.VOLUME})), 10).plan()).why_not is not None


async def test_a_good_build_of_which_no_commit_is_known_protects_its_project(own: Engine, reach: Reach) -> None:
    project(own, "project-a", 3)
    builds = await demo_jenkins().builds("train", 100)
    build = next(one for one in builds if one.result == "SUCCESS" and one.parameter("PROJECT") == "project-a")
    blank = replace(build, parameters=tuple(one for one in build.parameters if one.name != "COMMIT"))
    good = newest_good((blank,), await reach.disk.disk(), 5)
    assert good == {clean("project-a"): frozenset(clean(one[:12]) for one in COMMITS[:3])}
