"""Days on which one thing about Jenkins cannot be read: it is said so, and everything else goes on."""

from __future__ import annotations

import threading

import pytest

from console.demo.controller import Archive, Pipeline, Say, Sh
from console.feeds import build_facts
from console.feeds.build_facts import BuildFacts
from console.model.jenkins import Job
from console.model.source import SourceState
from console.sources.jenkins.client import KEPT_CONNECTIONS
from console.sources.jenkins.parse import Parser
from tests.console.feeds.jenkinslive import live, name, quicken, ref
from tests.support.jenkins.faults import Fault
from tests.support.jenkins.reaching import allow, source_at
from tests.support.jenkins.server import JenkinsServer
from tests.support.jenkins.world import EPOCHS, World
from tests.support.waiting import until

ALWAYS = 10**6


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    quicken(monkeypatch)


def two_builds(world: World) -> None:
    """`done` has ended, `train` runs."""
    world.start(Say("hello"), Archive("out/a.json", b"{}"), job="done")
    world.tick(20)
    world.start(Sh("train", EPOCHS))
    world.tick(10)


async def test_a_build_that_is_deleted_while_it_is_in_view() -> None:
    async with live(two_builds) as found:
        found.show(opened=ref("done"), builds=frozenset({ref("done"), ref("train")}))
        await found.until_ok()
        await until(lambda: {ref("done"), ref("train")} <= found.known.details.keys())
        with found.world_stops() as world:
            world.controller.delete_build("done", 1)
        await until(lambda: ("detail", ref("done")) in found.known.missing, "the build is told to be gone")
        assert found.known.missing["detail", ref("done")] == "Jenkins has no build done #1, or hides it from operator."
        assert found.state() is SourceState.OK
        with found.world_stops() as world:
            world.controller.build("train", 1).description = "goes on"
        found.show(opened=ref("train"))
        await until(lambda: found.says(ref("train")) == "goes on")


async def test_a_fault_inside_of_one_fact() -> None:
    async with live(two_builds) as found:
        found.server.fault(Fault.OOPS, count=ALWAYS, match="wfapi")
        found.show(opened=ref("train"))
        await found.until_ok()
        await until(lambda: ("stages", ref("train")) in found.known.missing)
        told = found.known.missing["stages", ref("train")]
        assert told.startswith("Jenkins failed at list of stages of train #1 (500): its log has the cause under ")
        with found.world_stops() as world:
            world.controller.build("train", 1).description = "goes on"
        await until(lambda: found.says(ref("train")) == "goes on")
        assert found.state() is SourceState.OK
        found.server.heal()
        await until(lambda: ref("train") in found.known.stages and ("stages", ref("train")) not in found.known.missing)


async def test_a_page_of_a_proxy_in_the_place_of_one_fact() -> None:
    async with live(two_builds) as found:
        found.server.fault(Fault.PROXY_200, count=ALWAYS, match="/job/done/1/api/json")
        found.show(opened=ref("done"), builds=frozenset({ref("train")}))
        await found.until_ok()
        await until(lambda: ("detail", ref("done")) in found.known.missing and ref("train") in found.known.details)
        assert "not Jenkins but a page" in found.known.missing["detail", ref("done")]
        assert found.state() is SourceState.OK


async def test_one_url_that_hangs_holds_nothing_else_up() -> None:
    async with live(two_builds) as found:
        await found.until_ok()
        found.server.forget()
        found.server.fault(Fault.HANG, count=ALWAYS, seconds=60, match="wfapi/describe")
        found.show(opened=ref("train"), builds=frozenset({ref("done")}))
        await until(lambda: found.asked("wfapi/describe"), "the request that hangs")
        for description in ("one", "two", "three"):
            with found.world_stops() as world:
                world.controller.build("train", 1).description = description
            await until(lambda told=description: found.says(ref("train")) == told, description)  # type: ignore[misc]
        await found.rounds(20)
        assert found.asked("wfapi/describe") == 1
        assert found.server.in_flight.count("GET /job/train/1/wfapi/describe") == 1
        assert found.server.most_in_flight <= KEPT_CONNECTIONS
        assert found.state() is SourceState.OK


async def test_one_url_that_hangs_is_given_up_and_said() -> None:
    async with live(two_builds, patience=0.5) as found:
        found.server.fault(Fault.HANG, count=ALWAYS, seconds=60, match="wfapi/describe")
        found.show(opened=ref("train"))
        await found.until_ok()
        await until(lambda: ("stages", ref("train")) in found.known.missing)
        assert "timed out after 0.5s" in found.known.missing["stages", ref("train")]
        assert found.state() is SourceState.OK


async def test_an_answer_without_an_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log has a limit for each piece only."""
    monkeypatch.setattr(build_facts, "FACT_SECONDS", 0.2)
    async with live(two_builds, patience=60.0) as found:
        found.server.fault(Fault.HANG, count=ALWAYS, seconds=60, match="wfapi/describe")
        found.show(opened=ref("train"))
        await found.until_ok()
        await until(lambda: ("stages", ref("train")) in found.known.missing)
        assert found.known.missing["stages", ref("train")] == "Jenkins does not come to an end with its answer."


async def test_what_could_not_be_read_is_read_at_once_when_jenkins_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_facts, "AGAIN_SECONDS", 1000.0)
    async with live(two_builds) as found:
        found.server.fault(Fault.OOPS, count=ALWAYS, match="wfapi/describe")
        found.show(opened=ref("train"))
        await found.until_ok()
        await until(lambda: ("stages", ref("train")) in found.known.missing)
        found.server.heal()
        found.server.refuse()
        await found.until_told("connection refused")
        found.server.refuse(on=False)
        await until(lambda: ref("train") in found.known.stages)


async def test_one_of_the_two_small_requests_that_hangs_does_not_pile_up() -> None:
    async with live(two_builds, patience=60.0) as found:
        await found.until_ok()
        found.server.forget()
        found.server.fault(Fault.HANG, count=ALWAYS, seconds=60, match="/computer/api/json")
        found.server.fault(Fault.OOPS, count=ALWAYS, match="/queue/api/json")
        await found.until_told("its log has the cause under")
        await found.rounds(10)
        await until(lambda: found.server.in_flight.count("GET /computer/api/json") <= 1)
        assert found.asked("/computer/api/json") >= 10


async def test_many_facts_that_hang_leave_room_for_what_runs_and_waits() -> None:
    def many(world: World) -> None:
        for number in range(6):
            world.start(Say("hello"), job=f"job-{number}")
        world.tick(20)
        two_builds(world)

    async with live(many) as found:
        await found.until_ok()
        found.server.fault(Fault.HANG, count=ALWAYS, seconds=60, match="/1/api/json")
        found.show(builds=frozenset(ref(f"job-{number}") for number in range(6)))
        await until(lambda: len(found.server.in_flight) >= 2)
        await found.rounds(20)
        assert found.state() is SourceState.OK


async def test_a_list_of_jobs_that_hangs_hides_no_work() -> None:
    """It is the largest of all answers: on a cold controller it takes longest."""
    async with live(two_builds, patience=2.0) as found:
        found.server.fault(Fault.HANG, count=ALWAYS, seconds=60, match="quietingDown,jobs")
        await until(lambda: found.state() is SourceState.OK)
        assert ref("train") in found.known.work.running
        assert found.known.jobs == {}
        assert found.known.missing["jobs",] == "The list of jobs is still being read."
        await found.rounds(10)
        assert found.server.in_flight.count("GET /api/json") <= 1
        assert found.server.most_in_flight <= KEPT_CONNECTIONS
        await until(lambda: "timed out after 2s" in found.known.missing["jobs",])
        assert found.state() is SourceState.OK
        found.server.heal()
        found.feed.refresh()
        await found.until_ok()
        assert name("train") in found.known.jobs


async def test_a_slow_list_of_jobs_is_read_at_once_after_a_restart() -> None:
    """Otherwise a slow one is asked for seldom."""
    async with live(two_builds) as found:
        found.server.fault(Fault.HANG, seconds=0.6, match="quietingDown,jobs")
        await found.until_ok()
        found.server.forget()
        with found.world_stops() as world:
            world.controller.restart(stopping=0, down=0, starting=0)
            world.tick(1)
        await until(lambda: found.asked("quietingDown,jobs"), "the list of jobs")
        await found.rounds(3)
        assert found.asked("quietingDown,jobs") == 1


async def test_a_list_of_jobs_that_was_lost_is_read_at_once_when_jenkins_is_back() -> None:
    async with live(two_builds, patience=0.6) as found:
        found.server.fault(Fault.HANG, count=ALWAYS, seconds=60, match="quietingDown,jobs")
        await until(lambda: "timed out" in str(found.feed.snapshot.value and found.known.missing.get(("jobs",))))
        found.server.refuse()
        await found.until_told("connection refused")
        found.server.heal()
        found.server.forget()
        found.server.refuse(on=False)
        await found.rounds(3)
        assert found.asked("quietingDown,jobs") == 1


async def test_what_is_wrong_with_jenkins_is_no_fact_that_is_missing() -> None:
    world = World()
    allow(world.controller)
    two_builds(world)
    with JenkinsServer(world.controller) as server:
        async with source_at(server) as source:
            facts = BuildFacts(source)
            work = await source.work()
            world.controller.users["operator"].tokens.clear()
            asks = list(facts.due(work, {}, None, frozenset(), ref("done")))
            assert len(asks) == 3
            assert [await ask() for ask in asks] == [False, False, False]
            assert facts.missing == {}


async def test_two_thousand_jobs_are_one_request_and_are_read_beside_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    readers: list[threading.Thread] = []
    read = Parser.jobs

    def noting(parser: Parser, answer: object) -> tuple[Job, ...]:
        readers.append(threading.current_thread())
        return read(parser, answer)

    monkeypatch.setattr(Parser, "jobs", noting)

    def many(world: World) -> None:
        for team in range(20):
            world.controller.add_folder(f"team {team}")
            for number in range(100):
                world.controller.add_job(f"team {team}/train-{number}", Pipeline((Say("x"),)))
        world.start(Sh("train", EPOCHS))

    async with live(many, patience=20.0) as found:
        await found.until_ok()
        assert len(found.known.jobs) == 2001
        assert found.asked("quietingDown,jobs") == 1
        assert readers
        assert all(reader is not threading.current_thread() for reader in readers)
        await found.rounds(5)
        assert found.asked("quietingDown,jobs") == 1


async def test_few_jobs_need_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    readers: list[threading.Thread] = []
    read = Parser.jobs

    def noting(parser: Parser, answer: object) -> tuple[Job, ...]:
        readers.append(threading.current_thread())
        return read(parser, answer)

    monkeypatch.setattr(Parser, "jobs", noting)
    async with live(two_builds) as found:
        await found.until_ok()
        assert set(readers) == {threading.current_thread()}
