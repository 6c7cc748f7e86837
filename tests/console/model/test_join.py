"""What is declared joined with what runs: every state word, every cause, every since."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from console.model.container import Container, ContainerState, Health, Inspection, Probe, ProbePlan
from console.model.join import container_state, problems, rest, services
from console.model.service import ComposeProject, Declared, Drift
from console.model.since import unhealthy_since
from console.model.source import SourceState, SourceStatus
from console.model.state import StateClass
from console.text import clean
from tests.console.fakes import NOW, container, failing, inspection

RUNNING, EXITED = ContainerState.RUNNING, ContainerState.EXITED
ENDED = NOW - timedelta(minutes=4)
HASH = "com.docker.compose.config-hash"


def ended(**changes: object) -> Inspection:
    return inspection(finished_at=ENDED, **changes)


ALWAYS = clean("always")
OOM = {"oom_killed": True, "memory_limit": 64 << 20}


@pytest.mark.parametrize(
    ("one", "kind", "word", "why"),
    [
        (container("a"), StateClass.GOOD, "running", ""),
        (container("a", health=Health.HEALTHY), StateClass.GOOD, "healthy", ""),
        (container("a", health=Health.STARTING), StateClass.ACTIVE, "starting", ""),
        (container("a", state=ContainerState.PAUSED), StateClass.ATTENTION, "paused", ""),
        (container("a", state=EXITED, exit_code=0, details=ended()), StateClass.GOOD, "done", ""),
        (container("a", state=EXITED, exit_code=3, details=ended()), StateClass.BROKEN, "exited 3", ""),
        (container("a", state=EXITED, exit_code=139, details=ended()), StateClass.BROKEN, "exited 139", "by signal 11"),
        (container("a", state=EXITED, exit_code=255, details=ended()), StateClass.BROKEN, "exited 255", ""),
        (container("a", state=EXITED, exit_code=130, details=ended()), StateClass.ENDED, "stopped", "exit 130"),
        (container("a", state=EXITED, exit_code=None), StateClass.UNKNOWN, "unknown", "ended, Docker tells no exit code"),
        (
            container("a", state=EXITED, exit_code=1, details=ended(restart_policy=clean("on-failure"))),
            StateClass.BROKEN,
            "exited 1",
            "",
        ),
        (
            container("a", state=EXITED, exit_code=128, details=ended(restart_policy=ALWAYS, error=clean("no such device"))),
            StateClass.BROKEN,
            "exited 128",
            "no such device",
        ),
        (
            container("a", state=ContainerState.RESTARTING, exit_code=1, details=ended(restarts=1)),
            StateClass.BROKEN,
            "restarting",
            "exit 1, 1 restart",
        ),
        (container("a", state=EXITED, exit_code=143, details=ended()), StateClass.ENDED, "stopped", "exit 143"),
        (container("a", state=EXITED, exit_code=137, details=ended()), StateClass.BROKEN, "killed", "by signal 9"),
        (
            container("a", state=EXITED, exit_code=137, details=ended(**OOM)),
            StateClass.BROKEN,
            "killed",
            "out of memory, limit 64 MiB",
        ),
        (
            container("a", state=EXITED, exit_code=137, details=ended(restart_policy=clean("unless-stopped"))),
            StateClass.ENDED,
            "stopped",
            "exit 137 after a stop",
        ),
        (
            container("a", state=EXITED, exit_code=0, details=ended(restart_policy=clean("always"))),
            StateClass.ENDED,
            "stopped",
            "",
        ),
        (
            container("a", state=ContainerState.RESTARTING, exit_code=1, details=ended(restarts=14)),
            StateClass.BROKEN,
            "restarting",
            "exit 1, 14 restarts",
        ),
        (
            container("a", state=ContainerState.RESTARTING, exit_code=137, details=ended(restarts=2, **OOM)),
            StateClass.BROKEN,
            "restarting",
            "out of memory, limit 64 MiB, 2 restarts",
        ),
        (container("a", state=ContainerState.CREATED), StateClass.ENDED, "created", "never started"),
        (
            container("a", state=ContainerState.CREATED, details=inspection(error=clean("port is taken"))),
            StateClass.BROKEN,
            "created",
            "never started: port is taken",
        ),
        (container("a", state=ContainerState.DEAD), StateClass.BROKEN, "dead", "Docker could not remove it whole"),
        (container("a", state=ContainerState.REMOVING), StateClass.ACTIVE, "removing", ""),
        (container("a", state=ContainerState.UNKNOWN), StateClass.UNKNOWN, "unknown", ""),
    ],
)
def test_words_of_a_container(one: Container, kind: StateClass, word: str, why: str) -> None:
    state, cause, _, _ = container_state(one, NOW)
    assert (state.kind, state.word, cause) == (kind, word, why)
    assert len(state.word) <= 10


def test_a_moment_between_two_crashes_is_not_running() -> None:
    def told(seconds: float, health: Health = Health.NONE, restarts: int = 3) -> str:
        details = inspection(started_at=NOW - timedelta(seconds=seconds), restarts=restarts, restart_policy=clean("always"))
        return container_state(container("a", health=health, details=details), NOW)[0].word

    assert told(2) == "restarting"
    assert told(11) == "running"
    assert told(2, restarts=0) == "running"
    assert told(2, health=Health.HEALTHY) == "healthy"


def probes(*codes: int, apart: float = 30.0) -> tuple[Probe, ...]:
    """Results, oldest first, the newest ending at NOW."""
    ends = [NOW - timedelta(seconds=apart * back) for back in reversed(range(len(codes)))]
    return tuple(Probe(end, end, code, clean("")) for end, code in zip(ends, codes, strict=True))


@pytest.mark.parametrize(
    ("codes", "streak", "retries", "since", "exact"),
    [
        ((0, 0, 1, 1, 1), 3, 3, NOW, True),
        ((0, 1, 1, 1, 1), 4, 3, NOW - timedelta(seconds=30), True),
        ((1, 1, 1, 1, 1), 5, 1, NOW - timedelta(seconds=120), True),
        ((1, 1, 1, 1, 1), 24, 3, NOW - timedelta(seconds=30 * 21), False),
        ((1,), 10, 3, NOW - timedelta(seconds=30 * 7), False),
        ((), 10, 3, None, False),
    ],
)
def test_unhealthy_since_when(codes: tuple[int, ...], streak: int, retries: int, since: datetime | None, exact: bool) -> None:
    plan = ProbePlan(clean("true"), 30.0, 5.0, retries, 0.0)
    details = inspection(probe=plan, probes=probes(*codes), failing_streak=streak)
    assert unhealthy_since(details) == (since, exact)


def declared(name: str, *, scale: int = 1, image: str = "busybox:1", image_id: str | None = None) -> Declared:
    return Declared(clean(name), clean(image), scale, clean("h"), clean(image_id) if image_id else None)


def project(*services: Declared) -> ComposeProject:
    return ComposeProject(clean("mlops"), clean("compose.yml"), services)


def one_service(*containers: Container, **wish: object) -> tuple[str, str, Drift]:
    found = services(containers, project(declared("web", **wish)), NOW)  # type: ignore[arg-type]  # keywords of declared
    assert [service.name for service in found] == ["web"]
    return found[0].state.word, found[0].why, found[0].drift


def replica(number: int = 1, **changes: object) -> Container:
    made = container(f"web-{number}", service="web", number=number, labels={HASH: "h"})
    return replace(made, **changes)  # type: ignore[arg-type]  # fields of Container, checked at the call


def test_declared_and_running_as_declared() -> None:
    assert one_service(replica()) == ("running", "", Drift.NONE)


def test_declared_and_not_there() -> None:
    assert one_service() == ("missing", "declared, but there is no container", Drift.NONE)


def test_scaled_below_what_is_declared() -> None:
    assert one_service(replica(), scale=2)[:2] == ("1 of 2", "fewer run than declared")
    assert one_service(replica(1), replica(2), scale=2)[0] == "running"


def test_scaled_to_nothing_is_stopped_on_purpose() -> None:
    assert one_service(scale=0)[:2] == ("stopped", "scaled to 0")


def test_the_worst_replica_gives_the_state() -> None:
    bad = replica(2, health=Health.UNHEALTHY, details=failing("boom"))
    assert one_service(replica(1), bad, scale=2)[:2] == ("unhealthy", "boom")


def test_drift_of_the_configuration() -> None:
    changed = container("web-1", service="web", labels={HASH: "other"})
    assert one_service(changed) == ("drifted", "configuration differs from the file", Drift.CONFIG)


@pytest.mark.parametrize(
    ("runs", "wanted", "says"),
    [
        ("jenkins:2.568.2", "jenkins:2.568.3", "image 2.568.2 runs, the file says 2.568.3"),
        ("old:1", "new:1", "image old:1 runs, the file says new:1"),
    ],
)
def test_drift_of_the_image(runs: str, wanted: str, says: str) -> None:
    assert one_service(replica(image=clean(runs)), image=wanted) == ("drifted", says, Drift.IMAGE)


def test_a_newer_image_of_the_same_name_is_drift() -> None:
    assert one_service(replica(), image_id="sha256:new")[1] == "a newer image of busybox:1 is here"
    assert one_service(replica(), image_id=replica().image_id)[2] is Drift.NONE


def test_what_is_broken_is_said_before_drift() -> None:
    broken = replica(state=EXITED, exit_code=3, image=clean("old:1"), details=ended())
    word, _, drift = one_service(broken)
    assert (word, drift) == ("exited 3", Drift.IMAGE)


@pytest.mark.parametrize(
    ("one", "word"),
    [
        (replica(state=EXITED, exit_code=0, details=ended(restart_policy=ALWAYS)), "stopped"),
        (replica(health=Health.STARTING), "starting"),
        (replica(state=ContainerState.PAUSED), "paused"),
        (replica(state=EXITED, exit_code=0, details=ended()), "drifted"),
        (replica(health=Health.HEALTHY), "drifted"),
    ],
)
def test_drift_shows_only_on_what_is_fine(one: Container, word: str) -> None:
    told, _, drift = one_service(one, image="busybox:2")
    assert (told, drift) == (word, Drift.IMAGE)


def test_one_replica_that_differs_is_drift() -> None:
    other = replica(2, labels={**replica(2).labels, clean(HASH): clean("other")})
    assert one_service(replica(1), other, scale=2)[1] == "configuration differs from the file"


def test_what_cannot_be_compared_is_not_drift() -> None:
    wanted = replace(declared("web"), config_hash=clean(""))
    (found,) = services([replica()], project(wanted), NOW)
    assert (found.state.word, found.drift) == ("running", Drift.UNKNOWN)
    assert found.drift_detail == "the image is as declared, the rest cannot be compared"
    (moved,) = services([replica(image=clean("old:1"))], project(wanted), NOW)
    assert (moved.state.word, moved.drift) == ("drifted", Drift.IMAGE)


def test_an_image_that_lost_its_name_is_compared_by_its_id() -> None:
    nameless = replica(image=clean("sha256:" + "ab" * 32))
    assert one_service(nameless, image_id=nameless.image_id)[2] is Drift.NONE
    assert one_service(nameless, image_id="sha256:new")[2] is Drift.IMAGE


def test_a_service_that_left_the_file_is_told() -> None:
    found = services([container("old-1", service="old")], project(declared("web")), NOW)
    assert [(one.name, one.state.word, one.drift) for one in found] == [
        ("web", "missing", Drift.NONE),
        ("old", "drifted", Drift.NOT_DECLARED),
    ]


def test_without_a_file_every_project_on_the_host_is_shown() -> None:
    held = [container("a-1", service="a", project="one"), container("b-1", service="b", project="two")]
    found = services(held, None, NOW, reason_unknown=clean("there is none"))
    assert [(one.project, one.name, one.drift) for one in found] == [
        ("one", "a", Drift.UNKNOWN),
        ("two", "b", Drift.UNKNOWN),
    ]
    assert found[0].drift_detail == "not known: there is none"
    assert found[0].state.word == "running"


def test_one_off_containers_are_no_replicas() -> None:
    run = container("web-run", service="web", labels={"com.docker.compose.oneoff": "True"})
    found = services([replica(), run], project(declared("web")), NOW)
    _, others = rest([replica(), run], found, NOW)
    assert len(found[0].containers) == 1
    assert [row.container.name for row in others] == ["web-run"]


def test_a_stopped_container_of_no_service_is_told_too() -> None:
    left = container("old-1", service="old", state=EXITED, exit_code=0, details=ended(restart_policy=ALWAYS))
    (found,) = services([left], project(), NOW)
    assert (found.state.word, found.why, found.drift) == (
        "drifted",
        "not in the file, or in a profile that is off",
        Drift.NOT_DECLARED,
    )


@pytest.mark.parametrize(
    ("one", "since", "exact"),
    [
        (container("a"), NOW - timedelta(minutes=5), True),
        (container("a", health=Health.HEALTHY), NOW - timedelta(minutes=5), True),
        (container("a", state=EXITED, exit_code=3, details=ended()), ENDED, True),
        (container("a", state=ContainerState.RESTARTING, exit_code=3, details=ended(restarts=2)), ENDED, True),
        (container("a", state=ContainerState.CREATED), NOW - timedelta(minutes=6), True),
        (container("a", state=ContainerState.PAUSED), None, True),
        (container("a", health=Health.UNHEALTHY, details=failing("x")), NOW - timedelta(seconds=35 + 21 * 30), False),
    ],
)
def test_since_when(one: Container, since: datetime | None, exact: bool) -> None:
    assert container_state(one, NOW)[2:] == (since, exact)


def test_before_it_was_inspected_a_state_is_told_without_its_cause() -> None:
    for state_, health, word in (
        (RUNNING, Health.UNHEALTHY, "unhealthy"),
        (RUNNING, Health.NONE, "running"),
        (EXITED, Health.NONE, "exited 3"),
        (ContainerState.RESTARTING, Health.NONE, "restarting"),
    ):
        bare = replace(container("a", state=state_, health=health, exit_code=3), details=None)
        told, _, since, _ = container_state(bare, NOW)
        assert (told.word, since) == (word, None)


def test_every_container_is_somewhere_once() -> None:
    held = [
        replica(),
        container("train", labels={"mlops.managed": "true"}),
        container("other", service="x", project="another"),
        container("plain"),
    ]
    found = services(held, project(declared("web")), NOW)
    trainings, others = rest(held, found, NOW)
    assert [row.container.name for row in trainings] == ["train"]
    assert [row.container.name for row in others] == ["other", "plain"]


def test_sentences_are_worst_first_and_have_a_subject() -> None:
    held = [
        replica(health=Health.UNHEALTHY, details=failing("boom")),
        container("gone-1", service="gone", state=EXITED, exit_code=3, details=ended(), labels={HASH: "h"}),
    ]
    found = services(held, project(declared("web"), declared("gone"), declared("two", scale=2), declared("none")), NOW)
    away = SourceStatus(SourceState.UNREACHABLE, clean("Docker is away."))
    told = problems(found, {"docker": away, "compose": SourceStatus(SourceState.OFF, clean("no file"))}, NOW)
    assert [one.sentence for one in told] == [
        "Docker is away.",
        "gone exited 3, 4m ago",
        "none missing: declared, but there is no container",
        "two missing: declared, but there is no container",
        "web unhealthy for 11m: boom",
    ]
    assert told[1].target == "service/gone"


@pytest.mark.parametrize(
    ("one", "sentence"),
    [
        (replica(state=EXITED, exit_code=137, details=ended(**OOM)), "web killed 4m ago: out of memory, limit 64 MiB"),
        (
            replica(state=ContainerState.RESTARTING, exit_code=1, details=ended(restarts=14)),
            "web restarting for 4m: exit 1, 14 restarts",
        ),
        (replica(state=ContainerState.PAUSED), "web paused"),
        (replica(image=clean("busybox:0")), "web drifted: image 0 runs, the file says 1"),
        (
            replica(state=ContainerState.CREATED, details=inspection(error=clean("no such device"))),
            "web created: never started: no such device",
        ),
    ],
)
def test_sentences(one: Container, sentence: str) -> None:
    found = services([one], project(declared("web")), NOW)
    assert [problem.sentence for problem in problems(found, {}, NOW)] == [sentence]


def test_a_service_scaled_down_is_a_sentence_and_a_good_one_is_none() -> None:
    found = services([replica()], project(declared("web", scale=2)), NOW)
    assert [problem.sentence for problem in problems(found, {}, NOW)] == ["web 1 of 2 running"]
    assert not problems(services([replica()], project(declared("web")), NOW), {}, NOW)


def test_systems_that_do_not_answer_are_told_and_those_nobody_asked_for_are_not() -> None:
    sources = {state.value: SourceStatus(state, clean(f"{state.value}!")) for state in SourceState}
    assert [(one.kind, one.sentence, one.target) for one in problems((), sources, NOW)] == [
        (StateClass.BROKEN, "unreachable!", "unreachable"),
        (StateClass.BROKEN, "denied!", "denied"),
        (StateClass.ATTENTION, "stale!", "stale"),
    ]


def test_targets_name_the_project_where_there_are_two() -> None:
    held = [
        container(f"{name}-1", service="web", project=name, state=EXITED, exit_code=3, details=ended()) for name in ("a", "b")
    ]
    found = services(held, None, NOW)
    assert [one.target for one in problems(found, {}, NOW)] == ["service/a/web", "service/b/web"]
