"""Waiting until services are up: every way that it can end, on an Engine in the test's hands and once on a real one."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from console.actions.docker.health import Pace, Settled, Wanted, container, service, settled
from console.model.container import Container, ContainerState, Health, ProbePlan
from console.model.probes import patience
from console.model.source import SourceError, SourceState
from console.sources.docker_engine.endpoint import parse_address
from console.sources.docker_engine.source import DockerEngine
from console.text import Clean, clean
from tests.console import fakes
from tests.console.fakes import NOW, FakeEngine, failing, inspection
from tests.support.engine import Engine
from tests.support.waiting import until

PLAN = ProbePlan(clean("probe"), interval=30.0, timeout=5.0, retries=3, start_period=60.0)


class Story:
    """An Engine to which something happens at certain seconds, on a clock that only moves when somebody waits."""

    def __init__(self, *held: Container) -> None:
        self.engine = FakeEngine(*held)
        self.seconds = 0.0
        self.told: list[Clean] = []
        self._happens: list[tuple[float, Callable[[], None]]] = []

    def at(self, second: float, happens: Callable[[], None]) -> None:
        self._happens.append((second, happens))

    def becomes(self, second: float, one: Container) -> None:
        self.at(second, lambda: self.engine.held.update({one.id: one}))

    async def settled(self, *wanted: Wanted) -> tuple[Settled, ...]:
        async def sleep(seconds: float) -> None:
            self.seconds += seconds
            for second, happens in list(self._happens):
                if second <= self.seconds:
                    happens()
                    self._happens.remove((second, happens))

        pace = Pace(every=1.0, steady=5.0, sleep=sleep, now=lambda: self.seconds)
        return await settled(self.engine, wanted, pace, self.told.append)


JENKINS = fakes.container("jenkins-1", service="jenkins", health=Health.STARTING, details=inspection(probe=PLAN))
PLAIN = fakes.container("web-1", service="web")
BY_NAME: Sequence[Wanted] = (service("mlops", "jenkins"), service("mlops", "web"))


async def test_with_a_probe_it_is_up_when_it_is_healthy() -> None:
    story = Story(JENKINS)
    story.becomes(34.0, replace(JENKINS, health=Health.HEALTHY))
    (result,) = await story.settled(service("mlops", "jenkins"))
    assert result == Settled(clean("jenkins"), True, 34.0, clean(""))
    assert story.told[0] == "waiting for jenkins, 0s of 3m20s: starting"
    assert story.told[-1] == result.words == "jenkins is up after 34s"


async def test_one_that_was_unhealthy_may_become_healthy() -> None:
    story = Story(replace(JENKINS, health=Health.UNHEALTHY))
    story.becomes(50.0, replace(JENKINS, health=Health.HEALTHY))
    assert [one.reached for one in await story.settled(service("mlops", "jenkins"))] == [True]


async def test_patience_ends_when_docker_has_judged_and_the_last_probe_says_why() -> None:
    sick = failing("wget: can't connect to remote host (127.0.0.1): Connection refused\nlast line")
    one = replace(JENKINS, health=Health.UNHEALTHY, details=replace(sick, probe=PLAN))
    (result,) = await Story(one).settled(service("mlops", "jenkins"))
    assert (result.reached, result.after) == (False, 60.0 + 4 * 35.0)
    assert result.words == "jenkins is not up after 3m20s: unhealthy, connection refused"


@pytest.mark.parametrize(
    ("plan", "seconds"),
    [
        (None, 30.0),
        (PLAN, 200.0),
        (replace(PLAN, interval=1.0, timeout=1.0, retries=1, start_period=0.0), 30.0),
        (replace(PLAN, start_period=3600.0), 600.0),
        (replace(PLAN, interval=0.0, timeout=0.0, retries=0, start_period=0.0), 240.0),
    ],
)
def test_patience(plan: ProbePlan | None, seconds: float) -> None:
    assert patience(plan) == seconds


async def test_without_a_probe_it_has_to_run_for_a_while() -> None:
    (result,) = await Story(PLAIN).settled(service("mlops", "web"))
    assert (result.reached, result.after) == (True, 5.0)


async def test_a_restart_in_between_begins_the_while_anew() -> None:
    story = Story(PLAIN)
    again = replace(
        PLAIN, details=inspection(started_at=NOW + timedelta(seconds=3), restarts=1, restart_policy=clean("always"))
    )
    story.becomes(3.0, again)
    (result,) = await story.settled(service("mlops", "web"))
    assert (result.reached, result.after) == (True, 8.0)


async def test_one_that_is_restarted_again_and_again_is_not_up() -> None:
    story = Story(PLAIN)
    for second in range(1, 60):
        restarting = replace(PLAIN, state=ContainerState.RESTARTING, exit_code=1)
        details = inspection(started_at=NOW + timedelta(seconds=second), restart_policy=clean("always"))
        story.becomes(
            float(second), replace(restarting, details=details) if second % 4 == 2 else replace(PLAIN, details=details)
        )
    (result,) = await story.settled(service("mlops", "web"))
    assert (result.reached, result.after) == (False, 30.0)
    assert result.why == "restarting, exited 1"


@pytest.mark.parametrize("healthy", [False, True])
async def test_an_exit_ends_the_waiting_at_once(healthy: bool) -> None:
    story = Story(JENKINS if healthy else PLAIN)
    one = JENKINS if healthy else PLAIN
    story.becomes(2.0, replace(one, state=ContainerState.EXITED, exit_code=3))
    (result,) = await story.settled(service("mlops", "jenkins" if healthy else "web"))
    assert (result.reached, result.after, result.why) == (False, 2.0, "exited 3")


@pytest.mark.parametrize(
    ("code", "policy", "reached"), [(0, "no", True), (0, "", True), (0, "unless-stopped", False), (1, "no", False)]
)
async def test_one_that_was_to_end_is_done(code: int, policy: str, reached: bool) -> None:
    details = inspection(restart_policy=clean(policy))
    one = replace(PLAIN, state=ContainerState.EXITED, exit_code=code, details=details)
    (result,) = await Story(one).settled(service("mlops", "web"))
    assert (result.reached, result.after) == (reached, 0.0)


async def test_why_it_ended() -> None:
    ended = replace(PLAIN, state=ContainerState.EXITED, exit_code=137, details=inspection(oom_killed=True))
    (result,) = await Story(ended).settled(service("mlops", "web"))
    assert result.why == "exited 137, out of memory"
    error = clean('exec: "/nope": stat /nope: no such file or directory: unknown')
    created = replace(PLAIN, state=ContainerState.CREATED, details=inspection(error=error))
    (result,) = await Story(created).settled(service("mlops", "web"))
    assert (result.why, result.after) == ("created, /nope is not in the image", 30.0)


async def test_each_service_has_its_own_result() -> None:
    story = Story(JENKINS, PLAIN, fakes.container("web-of-others", service="web", project="other", state=ContainerState.EXITED))
    story.becomes(9.0, replace(JENKINS, state=ContainerState.DEAD, exit_code=1))
    results = await story.settled(*BY_NAME)
    assert [(one.name, one.reached, one.after) for one in results] == [("jenkins", False, 9.0), ("web", True, 5.0)]


async def test_all_replicas_count() -> None:
    second = fakes.container("web-2", service="web", number=2, state=ContainerState.CREATED)
    story = Story(PLAIN, second)
    story.becomes(4.0, replace(second, state=ContainerState.RUNNING))
    (result,) = await story.settled(service("mlops", "web"))
    assert (result.reached, result.after) == (True, 9.0)


async def test_a_container_by_itself() -> None:
    story = Story(PLAIN)
    story.at(2.0, story.engine.held.clear)
    (result,) = await story.settled(container(PLAIN))
    assert (result.name, result.reached, result.after, result.why) == ("web-1", False, 7.0, "it has no container")


async def test_one_that_is_made_anew_meanwhile_is_found() -> None:
    story = Story(PLAIN)
    story.at(2.0, story.engine.held.clear)
    story.becomes(4.0, fakes.container("web-anew", service="web"))
    (result,) = await story.settled(service("mlops", "web"))
    assert (result.reached, result.after) == (True, 9.0)


async def test_one_that_is_made_anew_again_and_again_is_waited_for() -> None:
    story = Story(PLAIN)
    for second in (2.0, 7.0):
        story.at(second, story.engine.held.clear)
        story.becomes(second + 2, fakes.container(f"web-{second}", service="web"))
    (result,) = await story.settled(service("mlops", "web"))
    assert (result.reached, result.after) == (True, 14.0)


async def test_a_pause_is_no_time_that_it_ran() -> None:
    story = Story(PLAIN)
    story.becomes(2.0, replace(PLAIN, state=ContainerState.PAUSED))
    story.becomes(10.0, PLAIN)
    (result,) = await story.settled(service("mlops", "web"))
    assert (result.reached, result.after) == (True, 15.0)


async def test_nothing_to_wait_for() -> None:
    assert await Story().settled() == ()


async def test_an_engine_that_is_away_is_waited_for() -> None:
    story = Story(JENKINS)
    away = SourceError(SourceState.UNREACHABLE, clean("Docker is away."))
    story.at(3.0, lambda: setattr(story.engine, "failure", away))
    story.at(20.0, lambda: setattr(story.engine, "failure", None))
    story.becomes(21.0, replace(JENKINS, health=Health.HEALTHY))
    (result,) = await story.settled(service("mlops", "jenkins"))
    assert (result.reached, result.after) == (True, 21.0)
    assert "waiting for jenkins, 3s of 3m20s: Docker is away." in story.told


@pytest.mark.parametrize(("state", "after"), [(SourceState.UNREACHABLE, 200.0), (SourceState.DENIED, 3.0)])
async def test_an_engine_that_stays_away(state: SourceState, after: float) -> None:
    story = Story(JENKINS)
    story.at(3.0, lambda: setattr(story.engine, "failure", SourceError(state, clean("Docker is away."))))
    (result,) = await story.settled(service("mlops", "jenkins"))
    assert (result.reached, result.after, result.why) == (False, after, "Docker is away.")


async def test_cancelling_ends_it() -> None:
    engine = FakeEngine(JENKINS)
    engine.hang = asyncio.Event()
    task = asyncio.create_task(settled(engine, [service("mlops", "jenkins")], Pace(), lambda _: None))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_on_a_real_engine(engine: Engine) -> None:
    patient = ["sh", "-c", "touch /ready; trap 'exit 0' TERM; while :; do sleep 1000 & wait; done"]
    second = 1_000_000_000

    def probe(command: str) -> dict[str, object]:
        return {"Test": ["CMD-SHELL", command], "Interval": second, "Retries": 1}

    bodies: dict[str, dict[str, object]] = {
        "healthy": {"Cmd": patient, "Healthcheck": probe("test -e /ready")},
        "plain": {"Cmd": patient},
        "exits": {"Cmd": ["sh", "-c", "sleep 1; exit 3"]},
        "loops": {"Cmd": ["sh", "-c", "sleep 1; exit 4"]},
        "sick": {"Cmd": patient, "Healthcheck": probe("echo 'GET http://127.0.0.1:9000: connection refused'; exit 7")},
    }
    project = "settling"
    ids = []
    source = DockerEngine(parse_address(engine.host))
    try:
        for name, body in bodies.items():
            policy = {"Name": "always" if name == "loops" else "no"}
            labels = {"com.docker.compose.project": project, "com.docker.compose.service": name}
            host = {"NetworkMode": "none", "RestartPolicy": policy}
            full = {"Image": "busybox:test", "StopTimeout": 1, "Labels": labels, "HostConfig": host, **body}
            ids.append(engine.api("POST", f"/containers/create?name={project}-{name}", full)["Id"])
            engine.api("POST", f"/containers/{ids[-1]}/start")
        facts = functools.partial(engine.inspect, f"{project}-sick")
        await until(lambda: facts()["State"]["Health"]["Status"] == "unhealthy", "the probe to have failed")
        # A clock that is five times as quick: thirty of its seconds are what the least patient waits for.
        pace = Pace(every=0.2, steady=20.0, now=lambda: 5 * time.monotonic())
        found = await settled(source, [service(project, name) for name in bodies], pace, lambda _: None)
        assert {str(one.name): one.reached for one in found} == dict.fromkeys(bodies, False) | {"healthy": True, "plain": True}
        whys = {str(one.name): str(one.why) for one in found}
        assert (whys["exits"], whys["sick"]) == ("exited 3", "unhealthy, connection refused on :9000")
        assert whys["loops"].startswith(("running, restarted ", "restarting, exited 4"))
    finally:
        await source.aclose()
        for one in ids:
            engine.api("DELETE", f"/containers/{one}?force=1")
