"""Services of a Compose file started, stopped and renewed, by the real Compose, and waited for until they are healthy."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from console.actions.docker.health import Pace
from console.actions.docker.services import ActOnServices, ServiceVerb
from console.actions.doer import Doer
from console.actions.plan import Fate, Outcome, Plan, Weight
from console.demo import demo_jenkins
from console.model.source import NotThereError, SourceError
from console.sources.compose import ComposeCli
from console.sources.docker_acts import DockerActs
from console.sources.docker_engine.endpoint import parse_address
from console.sources.docker_engine.source import DockerEngine
from console.sources.reach import Reach
from console.text import Clean
from tests.console.actions.docker.conftest import NO_JENKINS
from tests.console.sources.compose.conftest import room
from tests.console.sources.compose.room import PATIENT, Room
from tests.support.images import static_busybox
from tests.support.registry import Registry
from tests.support.waiting import until

__all__ = ["room"]

V = ServiceVerb
QUICK = Pace(every=0.2, steady=0.5)
PROBED = {"healthcheck": {"test": ["CMD", "test", "-e", "/ready"], "interval": "1s", "retries": 2, "start_period": "0s"}}


@pytest.fixture(autouse=True)
def emptied() -> None:
    """Each project cleans up after itself here."""


@pytest.fixture
async def reach(room: Room) -> AsyncIterator[Reach]:
    engine = DockerEngine(parse_address(room.engine.host))
    compose = ComposeCli(file=None, project=None, profiles=(), engine=engine, env=room.env, root=room.root, timeout=60.0)
    made = Reach(engine, engine, DockerActs(parse_address(room.engine.host)), compose, room.doer(), NO_JENKINS)
    yield made
    await made.aclose()


def told(_: Clean) -> None:
    """Nobody listens."""


Do = Callable[..., ActOnServices]


async def outcome(doer: Doer, act: ActOnServices) -> Outcome:
    found = await doer.carry_out(await act.plan(), told)
    assert isinstance(found, Outcome), found
    return found


def act(reach: Reach, verb: V, *names: str, grace: int | None = None) -> ActOnServices:
    return ActOnServices(reach, verb, names, grace, pace=QUICK)


async def test_up_stop_start_restart_and_down(room: Room, reach: Reach, doer: Doer) -> None:
    room.write({"db": {}, "web": {"depends_on": ["db"]}})
    found = await outcome(doer, act(reach, V.UP))
    assert [(str(one.target.key), one.fate) for one in found.results] == [("service/db", Fate.DONE), ("service/web", Fate.DONE)]
    assert room.states() == {"db": "running", "web": "running"}
    before = room.runs()
    assert (await outcome(doer, act(reach, V.RESTART, "web"))).results[0].words.startswith("restarted, fine after")
    assert (room.runs()["db"], room.runs()["web"][0]) == (before["db"], before["web"][0])
    assert room.runs()["web"][1] != before["web"][1]
    await outcome(doer, act(reach, V.RECREATE, "web"))
    assert room.runs()["web"][0] != before["web"][0]
    assert (await outcome(doer, act(reach, V.STOP, "web", grace=1))).results[0].words == "stopped"
    assert room.states() == {"db": "running", "web": "exited"}
    await outcome(doer, act(reach, V.START, "web"))
    assert room.states() == {"db": "running", "web": "running"}
    plan = await act(reach, V.DOWN).plan()
    assert (plan.weight, plan.word) == (Weight.WORD, room.project)
    assert {str(one.words) for one in (await outcome(doer, act(reach, V.DOWN))).results} == {"down"}
    assert room.states() == {}


async def test_an_update_makes_anew_what_has_got_another_image(room: Room, reach: Reach, doer: Doer) -> None:
    """What is built here stays as it is, also where it differs; and where an image cannot be had nothing is ended."""
    with Registry() as registry:
        image = f"{registry.host}/{room.project}:1"
        program = static_busybox().read_bytes()
        registry.push(f"{room.project}:1", {"sh": program})
        web = {"image": image, "command": ["/sh", "-c", "while :; do :; done"], "stop_grace_period": "0s", "cpus": 0.1}
        own = {"image": "busybox:test", "build": {"context": "."}}
        room.write({"web": web, "own": own})
        room.engine.docker("pull", image)
        try:
            await outcome(doer, act(reach, V.UP))
            before = room.runs()
            room.write({"web": web, "own": {**own, "environment": {"NEW": "1"}}})
            plan = await act(reach, V.UPDATE).plan()
            assert [str(one.name) for one in plan.doable] == ["web"]
            assert [one.partition("infra/docker-compose.yml ")[2] for one in plan.same_as] == [
                "pull --ignore-buildable web",
                "up -d --no-build --pull never --no-deps web",
            ]
            assert (await outcome(doer, act(reach, V.UPDATE))).results[0].words.startswith("up to date, fine after")
            assert room.runs() == before
            registry.push(f"{room.project}:1", {"sh": program, "newer": b"1"})
            await outcome(doer, act(reach, V.UPDATE))
            after = room.runs()
            assert after["web"][0] != before["web"][0]
            assert after["own"] == before["own"]
            registry.take_away(f"{room.project}:1")
            failed = (await outcome(doer, act(reach, V.UPDATE, "web"))).results[0]
            assert (failed.fate, failed.words) == (Fate.FAILED, "web: manifest unknown")
            assert room.runs() == after
        finally:
            room.engine.docker("compose", "-f", str(room.file), "kill")
            room.engine.docker("compose", "-f", str(room.file), "rm", "--force")
            room.engine.docker("image", "rm", "--force", image)


async def test_what_does_not_get_healthy_is_said_with_its_probe(room: Room, reach: Reach, doer: Doer) -> None:
    room.write({"good": {**PROBED, "command": ["sh", "-c", "touch /ready; " + PATIENT[2]]}, "bad": PROBED})
    found = await outcome(doer, act(reach, V.UP, "good", "bad"))
    fates = {str(one.target.name): (one.fate, str(one.words)) for one in found.results}
    assert fates["good"][0] is Fate.DONE
    assert fates["bad"][0] is Fate.FAILED
    assert "not fine after" in fates["bad"][1]
    assert "unhealthy" in fates["bad"][1]


@pytest.mark.parametrize(
    ("verb", "name", "why"),
    [
        (V.STOP, "web", "It does not run."),
        (V.START, "web", "It has no container: up makes one."),
        (V.RESTART, "web", "It has no container: up makes one."),
        (V.PULL, "own", "Its image is built here and cannot be fetched."),
        (V.UPDATE, "own", "Its image is built here and cannot be fetched."),
    ],
)
async def test_what_cannot_be_done_is_said_before(room: Room, reach: Reach, verb: V, name: str, why: str) -> None:
    room.write({"web": {}, "own": {"build": {"context": "."}}})
    with pytest.raises(NotThereError, match=r"the file declares no service wbe\. Did you mean web\?"):
        await act(reach, verb, "wbe").plan()
    plan = await act(reach, verb, name).plan()
    assert (plan.why_not, plan.doable, plan.same_as) == (why, (), ())


async def test_the_command_that_does_the_same_is_shown(room: Room, reach: Reach) -> None:
    room.write({"web": {}})
    (same,) = (await act(reach, V.UP, "web").plan()).same_as
    assert same.endswith("docker compose -f infra/docker-compose.yml up -d --no-build --pull never --no-deps web")


@pytest.mark.parametrize("name", ["jenkins", "agent", "gate"])
async def test_what_builds_need_takes_a_typed_word_while_they_run(room: Room, reach: Reach, doer: Doer, name: str) -> None:
    room.write({name: {}, "other": {}})
    await outcome(doer, act(reach, V.UP))
    assert (await act(reach, V.RESTART, name).plan()).weight is Weight.YES
    busy = replace(reach, jenkins=demo_jenkins())
    plan = await act(busy, V.RESTART, name).plan()
    assert (plan.weight, plan.word) == (Weight.WORD, name)
    assert any("train #126" in said for said in plan.told("but"))
    assert (await act(busy, V.RESTART, "other").plan()).weight is Weight.YES
    assert (await act(busy, V.UP, name).plan()).weight is Weight.ENTER, "up leaves what is as the file says"
    room.write({name: {"environment": {"A": "1"}}, "other": {}})
    plan = await act(busy, V.UP).plan()
    assert (plan.weight, plan.word) == (Weight.WORD, room.project), "and ends what is not"


async def test_a_plan_of_containers_that_changed_is_not_carried_out(room: Room, reach: Reach, doer: Doer) -> None:
    room.write({"web": {}})
    await outcome(doer, act(reach, V.UP))
    plan = await act(reach, V.STOP, "web").plan()
    await room.act("recreate", "web")
    newer = await doer.carry_out(plan, told)
    assert isinstance(newer, Plan)
    assert newer.moved == "The containers of web are others now."
    assert room.states() == {"web": "running"}


async def test_without_a_file_nothing_can_be_planned(room: Room, reach: Reach) -> None:
    with pytest.raises(SourceError, match="no Compose file here"):
        await act(reach, V.UP, "web").plan()


async def test_when_compose_fails_on_all_together_nobody_is_done(room: Room, reach: Reach, doer: Doer) -> None:
    room.write({"db": {}, "web": {"image": "nowhere/nothing:1", "pull_policy": "never"}})
    found = await outcome(doer, act(reach, V.UP))
    assert {one.fate for one in found.results} == {Fate.FAILED}
    assert len(found.results) == 2


async def test_a_service_that_crashes_again_and_again_can_be_stopped(room: Room, reach: Reach, doer: Doer) -> None:
    room.write({"web": {"command": ["false"], "restart": "always"}})
    await room.act("up")
    await until(lambda: room.states()["web"] == "restarting", "it to be between two crashes")
    assert (await act(reach, V.STOP, "web").plan()).why_not is None


async def test_a_service_of_which_none_are_wanted_is_not_waited_for(room: Room, reach: Reach, doer: Doer) -> None:
    room.write({"web": {"scale": 0}})
    assert (await outcome(doer, act(reach, V.UP, "web"))).results[0].words == "up"
