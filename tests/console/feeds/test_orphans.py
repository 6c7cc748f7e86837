"""What became of the builds that trainings are alive for: asked where it is not known, and told in the world."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

import pytest

from console.feeds.assemble import assemble
from console.feeds.build_facts import AGAIN_SECONDS, MOST_TRAININGS
from console.feeds.jenkins_feed import JenkinsFeed
from console.feeds.once import gather
from console.feeds.watch import Watch
from console.model.build import BuildRef, Result
from console.model.container import Container
from console.model.jenkins import JenkinsWorld
from console.model.orphans import Adoption
from console.model.source import Snapshot, SourceState, SourceStatus
from console.model.state import StateClass
from console.model.world import World
from console.sources.reach import Reach
from console.text import Clean, clean
from tests.console.fake_hands import FakeHands
from tests.console.fake_jenkins import NOW, FakeJenkins, build, gone, job, ref, unreachable, world
from tests.console.fakes import FakeCompose, FakeEngine, container
from tests.console.feeds.factroom import Room as FactRoom
from tests.console.feeds.feedroom import Pauses, settle
from tests.support.waiting import until, until_sync

FOUR, FIVE = ref("train", 4), ref("train", 5)
OVER = build(number=4, result=Result.ABORTED, minutes=40, took=15)
OK = SourceStatus(SourceState.OK, None, None, NOW)
GONE = SourceStatus(SourceState.UNREACHABLE, clean("gone"))


def training(number: int = 4) -> Container:
    labels = {"mlops.managed": "true", "mlops.job": "train", "mlops.build": str(number), "mlops.purpose": "train"}
    return container(f"mlops-cats-{number}", labels=labels)


async def ask(room: FactRoom, *refs: BuildRef, after: float = 0.0) -> dict[str, int]:
    room.seconds += after
    for one in list(room.facts.due_trainings(refs, room.work.running, room.jobs)):
        await one()
    return room.asked()


async def test_only_what_is_not_known_is_asked() -> None:
    room = FactRoom(OVER, build(number=5, result=None))
    room.last(build(number=9, result=None))
    room.flying = frozenset({ref("train", 6)})
    assert await ask(room, FOUR, FIVE, ref("train", 6), ref("hidden", 1)) == {"build train#4": 1, "build train#5": 1}
    assert room.facts.details[FOUR].result is Result.ABORTED
    assert await ask(room, FOUR, FIVE, after=AGAIN_SECONDS - 1) == {}
    assert await ask(room, FOUR, FIVE, after=2) == {"build train#5": 1}, "one that has ended stays so"
    room.last(build(number=5))
    assert await ask(room, FIVE, after=AGAIN_SECONDS + 1) == {}, "the list of jobs has told it"


async def test_what_a_list_tells_is_not_asked_again() -> None:
    room = FactRoom()
    room.last(build(number=5))
    assert await ask(room, FIVE) == {}


async def test_one_that_is_not_there_is_known_to_be_gone_until_it_is_there() -> None:
    room = FactRoom()
    room.last(build(number=9))
    await ask(room, FOUR)
    assert set(room.facts.gone) == {FOUR}
    room.jenkins.failures["build train#4"] = unreachable()
    await ask(room, FOUR, after=AGAIN_SECONDS + 1)
    assert set(room.facts.gone) == {FOUR}
    del room.jenkins.failures["build train#4"]
    room.jenkins.known[FOUR] = OVER
    await ask(room, FOUR, after=AGAIN_SECONDS + 1)
    assert set(room.facts.gone) == set()
    assert room.facts.details[FOUR].ref == FOUR


async def test_what_cannot_be_read_is_not_gone() -> None:
    room = FactRoom(OVER)
    room.last(build(number=9))
    room.jenkins.failures["build train#4"] = unreachable()
    await ask(room, FOUR)
    assert (set(room.facts.gone), dict(room.facts.details)) == (set(), {})


async def test_never_more_than_a_server_can_have() -> None:
    room = FactRoom()
    room.last(build(number=9))
    asked = await ask(room, *(ref("train", number) for number in range(1000)))
    assert len(asked) == MOST_TRAININGS


async def test_the_feed_asks_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    jenkins = FakeJenkins(job("train", build(number=9)))
    jenkins.known = {FOUR: OVER}
    pauses, trained = Pauses(), [FOUR, FIVE]
    feed = JenkinsFeed(jenkins, lambda: None, trainings=lambda: trained, now=pauses.now, rest=pauses.rest)
    running = asyncio.create_task(feed.run())
    try:
        await settle()
        await pauses.pass_by(5)
        value = feed.snapshot.value
        assert value is not None
        assert (set(value.details), value.gone) == ({FOUR}, frozenset({FIVE}))
        assert (jenkins.asked["build train#4"], jenkins.asked["build train#5"]) == (1, 1)
        await pauses.pass_by(AGAIN_SECONDS * 3)
        assert jenkins.asked["build train#4"] == 1
        assert jenkins.asked["build train#5"] <= 4
        trained.clear()
        count = jenkins.asked["build train#5"]
        await pauses.pass_by(AGAIN_SECONDS * 3)
        assert jenkins.asked["build train#5"] == count
    finally:
        running.cancel()
        await asyncio.wait({running})


async def test_nobody_is_asked_after_while_the_jobs_are_not_known() -> None:
    import asyncio

    jenkins = FakeJenkins(job("train", build(number=9)))
    jenkins.failures["jobs"] = gone("list")
    pauses = Pauses()
    feed = JenkinsFeed(jenkins, lambda: None, trainings=lambda: [FOUR], now=pauses.now, rest=pauses.rest)
    running = asyncio.create_task(feed.run())
    try:
        await pauses.pass_by(60)
        assert jenkins.asked["work"] > 1
        assert jenkins.asked["build train#4"] == 0
    finally:
        running.cancel()
        await asyncio.wait({running})


def assembled(
    containers: Sequence[Container],
    told: JenkinsWorld | None,
    docker: SourceStatus = OK,
    ci: SourceStatus = OK,
    adopted: Mapping[Clean, Adoption] | None = None,
) -> World:
    return assemble(
        host=clean("here"),
        demo=False,
        now=NOW,
        engine=None,
        docker=Snapshot(tuple(containers), docker),
        compose=None,
        usage={},
        events=(),
        jenkins=Snapshot(told, ci),
        adopted=adopted,
    )


def test_one_that_was_adopted_is_nobodys_trouble() -> None:
    told = world(job("train", build(number=9, result=None)), details={FOUR: OVER})
    one = training()
    made = assembled([one], told, adopted={one.id: Adoption(NOW - timedelta(hours=3), clean("anna"))})
    (row,) = made.trainings
    assert (row.state.word, row.state.kind) == ("adopted", StateClass.ACTIVE)
    assert row.why == "3h ago by anna; train #4 has ended: aborted"
    assert not made.problems
    assert made.outlived == {one.id}, "its keys are still about its container"


def test_the_agent_is_asked_while_one_has_outlived_its_build() -> None:
    one, asked = training(), [0]

    async def read(_reach: Reach) -> Mapping[Clean, Adoption]:
        asked[0] += 1
        return {one.id: Adoption(NOW, None)}

    ci = FakeJenkins(job("train", build(number=9, result=None)))
    ci.known[FOUR] = OVER
    live = Watch(
        lambda: (FakeEngine(one), FakeCompose()),
        host=clean("here"),
        demo=False,
        make_jenkins=lambda: ci,
        make_hands=lambda: FakeHands().hands,
        read_adoptions=read,
    )
    live.start()
    try:
        until_sync(lambda: live.world is not None and [str(row.state.word) for row in live.world.trainings] == ["adopted"])
    finally:
        assert live.stop()
    assert asked[0] == 1


def test_it_stands_in_the_world() -> None:
    told = world(job("train", build(number=9, result=None)), details={FOUR: OVER})
    one, fine = training(), training(9)
    made = assembled([fine, one], told)
    assert made.outlived == {one.id}
    assert [str(row.state.word) for row in made.trainings] == ["orphan", "running"]
    assert [str(problem.target) for problem in made.problems] == [f"container/{one.id}"]
    stale = SourceStatus(SourceState.STALE, clean("old"))
    for docker, ci in ((stale, OK), (OK, stale), (OK, GONE)):
        made = assembled([fine, one], told, docker, ci)
        assert made.outlived == frozenset()
        assert {str(row.state.word) for row in made.trainings} == {"running"}
    assert assembled([fine, one], None).outlived == frozenset()


async def test_a_single_look_asks_too() -> None:
    jenkins = FakeJenkins(job("train", build(number=9)))
    jenkins.known = {FOUR: OVER}
    one = training()
    made = await gather(FakeEngine(one, training(7)), None, jenkins, host=clean("here"), demo=False)
    assert made.outlived == {one.id, training(7).id}
    assert {str(row.why) for row in made.trainings} == {"train #4 has ended: aborted", "Jenkins knows no train #7"}
    jenkins.asked.clear()
    await gather(FakeEngine(container("web")), None, jenkins, host=clean("here"), demo=False)
    assert not [what for what in jenkins.asked if what.startswith("build ")]


async def test_the_screens_world_has_it() -> None:
    from console.feeds.watch import Watch
    from tests.console.fakes import FakeCompose

    jenkins = FakeJenkins(job("train", build(number=9)))
    jenkins.known = {FOUR: OVER}
    one = training()
    watch = Watch(
        lambda: (FakeEngine(one), FakeCompose(None)),
        host=clean("here"),
        demo=False,
        make_jenkins=lambda: jenkins,
    )
    watch.start()
    try:
        await until(lambda: watch.world is not None and watch.world.outlived == {one.id}, "the orphan to be seen")
    finally:
        assert watch.stop()
