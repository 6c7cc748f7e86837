"""Days on which Jenkins itself is not well: what the feed tells, what it keeps, and that it comes back by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from console.demo.controller import VIEWER, Archive, Kind, Pipeline, Say, Sh
from console.model.jenkins import JenkinsError, LeftItem, Trouble
from console.model.jenkins_rows import problems
from console.model.source import SourceState
from tests.console.feeds.jenkinslive import Live, live, name, quicken, ref
from tests.support.jenkins.faults import Fault
from tests.support.jenkins.reaching import allow, source_at
from tests.support.jenkins.world import EPOCHS, START, World
from tests.support.waiting import until

ALWAYS = 10**6


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    quicken(monkeypatch)


def one_runs(world: World) -> None:
    """`done` has ended, `train` runs."""
    world.start(Say("hello"), Archive("out/a.json", b"{}"), job="done")
    world.tick(20)
    world.start(Sh("train", EPOCHS))
    world.tick(10)


def rows(found: Live) -> tuple[object, ...]:
    return found.known.work.running, found.known.jobs, found.known.details


async def test_a_restart_while_a_build_runs() -> None:
    async with live(one_runs) as found:
        found.show(opened=ref("done"), builds=frozenset({ref("train")}))
        await found.until_ok()
        await until(lambda: ref("done") in found.known.stages and ref("train") in found.known.details)
        before, session = rows(found), found.known.controller.session
        with found.world_stops() as world:
            world.controller.restart(stopping=5, down=5, starting=5)
        await found.until_told("Jenkins is restarting (503).")
        assert found.state() is SourceState.STARTING
        assert rows(found) == before
        found.tick(6)
        await found.until_told("connection refused")
        assert found.state() is SourceState.UNREACHABLE
        found.tick(5)
        await found.until_told("Jenkins is starting (503).")
        assert found.state() is SourceState.STARTING
        assert rows(found) == before
        found.server.forget()
        found.tick(5)
        await found.until_ok()
        assert found.known.controller.session != session
        assert ref("train") in found.known.work.running
        # Another Jenkins may have come back: nothing that was read from the old one counts as settled.
        await until(lambda: found.asked("/job/done/1/wfapi/describe") and found.asked("/job/done/1/api/json"))
        assert found.asked("quietingDown,jobs")


async def test_after_a_restart_other_builds_can_have_the_old_numbers() -> None:
    async with live(one_runs) as found:
        found.show(opened=ref("done"))
        await found.until_ok()
        await until(lambda: ref("done") in found.known.stages and ref("done") in found.known.details)
        with found.world_stops() as world:
            build = world.controller.build("done", 1)
            build.description = "restored from yesterday"
            world.controller.restart(stopping=0, down=0, starting=0)
            world.tick(1)
        await until(lambda: found.says(ref("done")) == "restored from yesterday")


async def test_an_item_that_has_left_the_queue_before_anybody_looked() -> None:
    async with live(lambda world: world.start(Say("hello"))) as found:
        await found.until_ok()
        with found.world_stops() as world:
            item, _ = world.controller.trigger("train", by="operator", delay=0)
            world.controller.job("train").script = Pipeline((Sh("train", EPOCHS),), agent="")
            world.tick(2)
        await until(lambda: ref("train", 2) in found.known.work.running)
        await until(lambda: (last := found.known.jobs[name("train")].last) is not None and last.ref == ref("train", 2))
        async with source_at(found.server) as source:
            assert await source.queue_item(item.id) == LeftItem(item.id, name("train"), ref("train", 2), cancelled=False)
            found.tick(301)
            with pytest.raises(JenkinsError, match="has no item"):
                await source.queue_item(item.id)
        found.show(job=name("train"))
        await until(lambda: [one.queue_id for one in found.known.history.get(name("train"), ())][:1] == [item.id])


async def test_a_build_that_came_and_went_between_two_looks() -> None:
    async with live(lambda world: world.start(Say("hello"))) as found:
        await found.until_ok()
        with found.world_stops() as world:
            world.controller.trigger("train", by="operator", delay=0)
            world.tick(30)
        found.feed.refresh()
        await until(lambda: (last := found.known.jobs[name("train")].last) is not None and last.ref == ref("train", 2))


async def test_ids_of_the_queue_that_begin_again_after_a_start_that_failed() -> None:
    def waiting(world: World) -> None:
        one_runs(world)
        for job in ("first", "second"):
            world.controller.add_job(job, Pipeline((Say("x"),)), kind=Kind.FREESTYLE, label="nowhere")
        world.controller.trigger("first", by="operator", delay=0)
        world.tick(1)

    async with live(waiting) as found:
        await found.until_ok()
        before = found.known.work.queue
        assert [one.job for one in before] == ["first"]
        with found.world_stops() as world:
            world.controller.restart(stopping=0, down=0, starting=0, broken=True)
            world.tick(1)
        await found.until_told("but its configuration failed: jenkins: Invalid configuration elements")
        assert found.state() is SourceState.UNREACHABLE
        assert found.known.work.queue == before
        found.server.forget()
        with found.world_stops() as world:
            world.controller.cancel(before[0].id)
            world.controller.restart(stopping=0, down=0, starting=0, ids_anew=True)
            world.tick(1)
            for _ in range(before[0].id):
                item, _ = world.controller.trigger("second", by="operator", delay=0)
                world.tick(0.1)
                if item.id < before[0].id:
                    world.controller.cancel(item.id)
            world.tick(1)
        await found.until_ok()
        await until(lambda: [one.job for one in found.known.work.queue] == ["second"])
        assert found.known.work.queue[0].id == before[0].id
        assert found.asked("quietingDown,jobs")


async def test_a_token_that_is_revoked_in_the_middle() -> None:
    async with live(one_runs) as found:
        found.show(builds=frozenset({ref("train")}))
        await found.until_ok()
        await until(lambda: ref("train") in found.known.details)
        before = rows(found)
        with found.world_stops() as world:
            world.controller.users["operator"].tokens.clear()
        await found.until_told("Jenkins refuses the token of operator (401). Make a new one and run: mlops-console login")
        assert found.state() is SourceState.DENIED
        assert rows(found) == before
        assert found.known.missing == {}
        assert found.status.next_try is not None
        with found.world_stops() as world:
            allow(world.controller)
        await found.until_ok()


async def test_a_configuration_that_breaks_a_good_token() -> None:
    async with live(one_runs) as found:
        await found.until_ok()
        before = rows(found)
        with found.world_stops() as world:
            world.controller.restart(stopping=0, down=0, starting=0, broken=True)
            world.tick(1)
        await found.until_told("Jenkins is up, but its configuration failed: jenkins: Invalid configuration elements")
        assert (found.state(), found.status.shown) == (SourceState.UNREACHABLE, "config failed")
        assert "login" not in str(found.status.reason)
        assert rows(found) == before
        with found.world_stops() as world:
            world.controller.restart(stopping=0, down=0, starting=0)
            world.tick(1)
        await found.until_ok()
        assert (found.status.shown, found.status.reason) == ("ok", None)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (Fault.PROXY_200, "What answers there is not Jenkins but a page: Please sign in to the company network."),
        (Fault.PROXY_502, "A proxy before Jenkins answers 502: 502 Bad Gateway."),
        (Fault.RESET, "it cut the connection off"),
        (Fault.CUT, "Jenkins does not answer at "),
        (Fault.GARBAGE, "is broken: it is no JSON."),
        (Fault.OOPS, "its log has the cause under "),
    ],
)
async def test_what_stands_in_the_way_is_told_and_goes_away(fault: Fault, told: str) -> None:
    async with live(one_runs) as found:
        await found.until_ok()
        before = rows(found)
        found.server.fault(fault, count=ALWAYS)
        await found.until_told(told)
        assert found.state() is SourceState.UNREACHABLE
        assert rows(found) == before
        found.server.heal()
        await found.until_ok()


async def test_one_that_refuses_connections_and_then_comes_up() -> None:
    async with live(one_runs, listening=False) as found:
        await found.until_told("connection refused")
        assert found.state() is SourceState.UNREACHABLE
        assert found.feed.snapshot.value is None
        found.server.refuse(on=False)
        await found.until_ok()
        assert ref("train") in found.known.work.running


async def test_behind_a_proxy_that_puts_its_own_name_in_the_place_of_jettys() -> None:
    def set_up(world: World) -> None:
        one_runs(world)
        world.controller.stages_api = False

    async with live(set_up) as found:
        found.server.name = "nginx"
        found.show(opened=ref("done"))
        await found.until_ok()
        await until(lambda: ("stages", ref("done")) in found.known.missing)
        assert found.known.missing["stages", ref("done")].startswith("Jenkins has no stage view: install")
        with found.world_stops() as world:
            world.controller.users["operator"].tokens.clear()
        await found.until_told("Jenkins refuses the token of operator (401)")


async def test_who_may_read_and_not_build() -> None:
    async with live(one_runs) as found:
        with found.world_stops() as world:
            allow(world.controller, VIEWER)
        found.show(opened=ref("done"), builds=frozenset({ref("train")}))
        await found.until_ok()
        await until(lambda: {ref("done"), ref("train")} <= found.known.details.keys())
        async with source_at(found.server) as source:
            with pytest.raises(JenkinsError) as raised:
                await source.trigger("train", None)
        assert (raised.value.trouble, raised.value.permission) == (Trouble.NOT_PERMITTED, "Job/Build")
        await found.rounds(2)
        assert found.state() is SourceState.OK


@pytest.mark.parametrize(("off", "way"), [(120, "ahead of"), (-120, "behind")])
async def test_a_clock_that_is_two_minutes_off(off: int, way: str) -> None:
    def set_up(world: World) -> None:
        # The model's own clock stands still: what begins now begins at the controller's time.
        world.tick(datetime.now(UTC).timestamp() + off - START / 1000)
        world.start(Sh("train", EPOCHS))

    async with live(set_up) as found:
        found.show(opened=ref("train"))
        await found.until_ok()
        await until(lambda: ref("train") in found.known.details and ref("train") in found.known.stages)
        now = datetime.now(UTC)
        last = found.known.jobs[name("train")].last
        assert last is not None
        began = [last.started, found.known.details[ref("train")].started]
        assert all(abs(one - now) < timedelta(seconds=60) for one in began), began
        told = [str(one.sentence) for one in problems(found.known, now)]
        assert any(one.startswith("Jenkins' clock is ") and f"{way} this machine's" in one for one in told), told


async def test_a_clock_that_is_right_is_no_problem() -> None:
    def set_up(world: World) -> None:
        world.tick(datetime.now(UTC).timestamp() - START / 1000)

    async with live(set_up) as found:
        await found.until_ok()
        assert [one for one in problems(found.known, datetime.now(UTC)) if "clock" in one.sentence] == []
