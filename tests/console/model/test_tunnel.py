"""The tunnel from what Docker keeps of its two ends, with the words of the real frpc and the real gate."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from console.model import join
from console.model.container import Container, ContainerState, Health, Inspection, Probe, ProbePlan, Variable
from console.model.service import ComposeProject, Declared, Service
from console.model.source import SourceState, SourceStatus
from console.model.state import StateClass
from console.model.times import nanoseconds
from console.model.tunnel import (
    UNREAD,
    Tunnel,
    TunnelLook,
    client_words,
    gate_words,
    judge,
    problems,
    summary,
    told_services,
)
from console.model.tunnel_log import LogLine, Refusal, Why, decisive, refusals, requests
from console.model.world import Problem
from console.text import clean
from tests.console.fakes import NOW, container, inspection

RECORDINGS = Path(__file__).parents[2] / "recordings" / "frp"
OK = SourceStatus(SourceState.OK, None, NOW, NOW)
UP = "the tunnel to frps.example.org is up since 2026-11-14T14:03:00Z"
LOST = "no connection to frps at frps.example.org:7000; frpc goes on trying, its log says why"
PLAN = ProbePlan(clean("/bin/sh /etc/mlops/healthy"), 15.0, 10.0, 3, 20.0)
ENVIRONMENT = {"FRP_SERVER_ADDR": "frps.example.org", "FRP_DOMAIN": "hook.example.org", "FRP_SERVER_NAME": ""}


def log(name: str) -> list[LogLine]:
    """A recorded log, one line a second, the last one now."""
    lines = (RECORDINGS / f"{name}.log").read_bytes().splitlines()
    return [(nanoseconds(NOW) - (len(lines) - 1 - at) * 1_000_000_000, 0, line) for at, line in enumerate(lines)]


def probed(said: str, code: int = 0, *, back: float = 2.0, **changes: object) -> Inspection:
    end = NOW - timedelta(seconds=back)
    probe = Probe(end - timedelta(seconds=1), end, code, clean(said, lines=True))
    base = inspection(
        started_at=NOW - timedelta(days=9),
        probe=PLAN,
        probes=(probe,),
        environment=tuple(Variable(clean(name), clean(value)) for name, value in ENVIRONMENT.items()),
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # names and types are the field's own, checked at the call


def client(said: str, code: int = 0, *, health: Health | None = None, **changes: object) -> Container:
    health = health or (Health.UNHEALTHY if code else Health.HEALTHY)
    back = float(str(changes.pop("back", 2.0)))
    return container(
        "mlops-frp_client-1", service="frp_client", health=health, details=probed(said, code, back=back, **changes)
    )


GATE = container("mlops-gate-1", service="gate", health=Health.HEALTHY, details=probed("the gate is open"))


def services(*held: Container) -> tuple[Service, ...]:
    return join.services(held, None, NOW)


def judged(said: str, code: int = 1, look: TunnelLook | None = None, **changes: object) -> Tunnel:
    return judge(services(client(said, code, **changes), GATE), look or TunnelLook(), OK)  # type: ignore[arg-type]


def why(name: str) -> tuple[SourceState, str | None]:
    status = judged(LOST, 1, TunnelLook(refusals=refusals(log(name)))).status
    return status.state, status.reason


def test_a_tunnel_that_is_up() -> None:
    found = judged(UP, 0)
    assert (found.status.state, found.status.reason) == (SourceState.OK, None)
    assert (found.server, found.domain, found.name) == ("frps.example.org", "hook.example.org", "frps.example.org")
    assert client_words(found, NOW) == "logged in for 9d"
    assert summary(found, NOW) == "logged in for 9d"


def test_an_older_probe_that_tells_no_moment_is_no_moment() -> None:
    found = judged("the tunnel to frps.example.org is up", 0)
    assert (found.status.state, found.since) == (SourceState.OK, None)
    assert client_words(found, NOW) == "logged in"
    assert judged("the tunnel to x is up since 2026-13-41T99:03:00Z", 0).since is None


DENIED = {
    "wrong-token": "frps.example.org refuses its token: give both sides the same",
    "other-authority": "the certificate of frps.example.org is of another CA than the one in secret frp-ca",
    "other-name": "the certificate of frps.example.org is for another name: "
    "valid for frps.example.test, not other.example.test",
    "plain-text": "frps.example.org hangs up at once: it takes TLS alone, and transport.tls is off in here, or it is no frps",
    "no-frps": "the TLS handshake with frps.example.org fails: it is no frps, or its certificate is of another CA "
    "than frp-ca, not for frps.example.org, or has expired",
}


@pytest.mark.parametrize("name", DENIED)
def test_who_answers_and_is_refused_or_refuses(name: str) -> None:
    assert why(name) == (SourceState.DENIED, DENIED[name])


NOBODY = {
    "no-server": "no connection to frps.example.org: connection refused",
    "no-such-name": "no connection to frps.example.org: no such host",
    "server-lost-and-back": "no connection to frps.example.org: connection refused",
}


@pytest.mark.parametrize("name", NOBODY)
def test_nobody_answers(name: str) -> None:
    assert why(name) == (SourceState.UNREACHABLE, NOBODY[name])


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("dial tcp 198.51.100.10:7000: i/o timeout", "i/o timeout"),
        ("dial tcp 198.51.100.10:7000: connect: no route to host", "no route to host"),
        ("dial tcp [2001:db8::1]:7000: connect: network is unreachable", "network is unreachable"),
        ("login: something new", "login: something new"),
        ("connect to server error: \x1b[2Jx", "connect to server error: x"),
    ],
)
def test_any_other_word_of_frpc_is_told_as_it_is(said: str, told: str) -> None:
    line = f"2026-11-29 08:36:26.193 [W] [client/service.go:328] [987c1d316952caaa] connect to server error: {said}"
    (refusal,) = refusals([(nanoseconds(NOW), 0, line.encode())]).values()
    assert refusal.told(clean("s"), clean("n")) == (SourceState.UNREACHABLE, f"no connection to s: {told}")


def test_a_certificate_that_has_expired() -> None:
    said = "tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time"
    line = f"2026-11-29 08:36:26.193 [W] [client/service.go:328] connect to server error: {said}"
    (refusal,) = refusals([(nanoseconds(NOW), 0, line.encode())]).values()
    assert refusal.why is Why.DATE
    assert refusal.told(clean("s"), clean("n"))[1] == "the certificate of s has expired, or a clock is wrong"


def test_the_probe_tells_that_somebody_else_has_the_domain_or_the_name() -> None:
    """Its sentence is made of frpc's status, which says what its log says."""
    for name, told in (
        ("domain-taken", "another client has the domain hook.example.org at frps.example.org"),
        ("name-taken", "another client is called webhook at frps.example.org"),
    ):
        (_, _, line), *_ = log(name)
        said = line.decode().partition("start error: ")[2]
        status = judged(f"the tunnel is not up: start error: {said}").status
        assert (status.state, status.reason) == (SourceState.DENIED, told)
        assert refusals(log(name)) == {}, "the connection itself is good"


def refusal(kind: Why, seconds: float) -> Refusal:
    return Refusal(NOW + timedelta(seconds=seconds), kind, clean("x"))


def test_a_handshake_without_a_cause_is_told_with_the_cause_of_one_before() -> None:
    named, parted = refusal(Why.NAME, -30), refusal(Why.PARTED, -10)
    assert decisive([named, parted], None) == named
    assert decisive([refusal(Why.NOBODY, -20), named, parted], None) == parted, "something else was the matter since"
    assert decisive([refusal(Why.LOGIN, -20), parted], None) == parted
    assert decisive([refusal(Why.LOGIN, -5), named, parted], None) == refusal(Why.LOGIN, -5)


def test_what_the_log_told_before_the_tunnel_was_last_up_is_settled() -> None:
    look = TunnelLook(refusals={Why.LOGIN: refusal(Why.LOGIN, -600)})
    good = Probe(NOW - timedelta(seconds=300), NOW - timedelta(seconds=299), 0, clean(UP))
    bad = Probe(NOW - timedelta(seconds=3), NOW - timedelta(seconds=2), 1, clean(LOST))
    status = judged(LOST, 1, look, probes=(good, bad)).status
    assert (status.state, status.reason) == (
        SourceState.UNREACHABLE,
        "no connection to frps at frps.example.org:7000",
    )
    status = judged(LOST, 1, look, started_at=NOW - timedelta(seconds=60)).status
    assert status.state is SourceState.UNREACHABLE, "nor before the container was last started"
    assert judged(LOST, 1, look).status.state is SourceState.DENIED


HELD = "not configured: no release comes in. Set FRP_SERVER_ADDR and FRP_DOMAIN in infra/.env"
SECRET = "secret frp-ca is no certificate, and without it the server cannot be told from another"


@pytest.mark.parametrize(
    ("said", "state", "reason", "word"),
    [
        (f"frp_client: {HELD}", SourceState.OFF, HELD, "off"),
        (f"frp_client: {SECRET}", SourceState.OFF, SECRET, "held"),
        ("frpc does not answer", SourceState.UNREACHABLE, "frpc does not answer", "unreachable"),
        ("the tunnel is not up: wait start: ", SourceState.STARTING, "frps.example.org has not answered yet", "starting"),
        (
            "the tunnel is not up: start error: port not allowed",
            SourceState.UNREACHABLE,
            "the tunnel is not up: start error: port not allowed",
            "unreachable",
        ),
    ],
)
def test_every_sentence_of_the_probe(said: str, state: SourceState, reason: str, word: str) -> None:
    status = judged(said).status
    assert (status.state, status.reason, status.shown) == (state, reason, word)


def test_while_it_starts_nobody_worries_but_about_a_refusal() -> None:
    assert judged(LOST, health=Health.STARTING).status.state is SourceState.STARTING
    look = TunnelLook(refusals=refusals(log("wrong-token")))
    assert judged(LOST, 1, look, health=Health.STARTING).status.state is SourceState.DENIED
    status = judge(services(client("", health=Health.STARTING, probes=())), TunnelLook(), OK).status
    assert (status.state, status.reason) == (SourceState.STARTING, "frp_client is starting")


def test_a_probe_that_was_read_later_counts() -> None:
    held = client(UP, back=40.0)
    later = replace(held, details=probed(LOST, 1))
    assert judge(services(held), TunnelLook(later), OK).status.state is SourceState.UNREACHABLE
    assert judge(services(later), TunnelLook(held), OK).status.state is SourceState.UNREACHABLE
    other = replace(later, id=clean("f" * 64))
    assert judge(services(held), TunnelLook(other), OK).status.state is SourceState.OK, "that is another container"


def test_a_client_that_does_not_run() -> None:
    always = inspection(restart_policy=clean("unless-stopped"), finished_at=NOW)
    stopped = container("c", service="frp_client", state=ContainerState.EXITED, exit_code=143, details=always)
    status = judge(services(stopped), TunnelLook(), OK).status
    assert (status.state, status.reason, status.shown) == (
        SourceState.OFF,
        "frp_client is stopped: no release comes in",
        "stopped",
    )
    crashed = container("c", service="frp_client", state=ContainerState.EXITED, exit_code=3)
    status = judge(services(crashed), TunnelLook(), OK).status
    assert (status.state, status.reason) == (SourceState.UNREACHABLE, "frp_client exited 3")
    file = ComposeProject(clean("mlops"), clean("f"), (Declared(clean("frp_client"), clean("i"), 1, clean("h")),))
    missing = judge(join.services((), file, NOW), TunnelLook(), OK).status
    assert (missing.state, missing.reason) == (
        SourceState.UNREACHABLE,
        "frp_client missing: declared, but there is no container",
    )


def test_a_probe_from_before_it_was_started_anew_tells_nothing() -> None:
    """Docker keeps them: the client that they tell of is gone."""
    for said, code in ((UP, 0), ("frpc does not answer", 1)):
        found = judged(said, code, health=Health.STARTING, back=60.0, started_at=NOW - timedelta(seconds=5))
        assert (found.status.state, found.status.reason) == (SourceState.STARTING, "frp_client is starting")


def test_what_is_not_known_is_no_state_of_the_tunnel() -> None:
    gone = SourceStatus(SourceState.UNREACHABLE, clean("gone"))
    found = judge(services(client(UP)), TunnelLook(), gone)
    assert (found.status.state, found.status.shown) == (SourceState.STALE, "unknown")
    assert problems(services(client(UP)), (), found) == ()
    assert judge((), UNREAD, SourceStatus(SourceState.STARTING)).status == SourceStatus(SourceState.STARTING)
    assert judge(services(client(UP)), UNREAD, OK).status == SourceStatus(SourceState.STARTING)
    assert judge(services(GATE), UNREAD, OK).status.state is SourceState.OFF
    bare = container("c", service="frp_client")
    assert judge(services(bare), TunnelLook(), OK).status.shown == "unknown"


def test_the_gates_log() -> None:
    found = requests(log("gate"))
    assert [(one.status, one.taken, one.failed) for one in found] == [
        (200, True, False),
        (403, False, False),
        (403, False, False),
        (404, False, False),
        # A path that looks like the end of this line and a whole other one.
        (404, False, False),
        # What is no HTTP at all.
        (400, False, False),
        (400, False, False),
        (413, False, False),
        (502, False, True),
    ]
    assert found[-1].at == NOW


def test_other_lines_of_the_gate_are_no_requests() -> None:
    for line in (
        b'2026/11/29 08:45:27 [error] 7#7: *5 access forbidden by rule, client: 172.18.0.3, request: "GET / HTTP/1.1"',
        b"gate: secret webhook-token is no token",
        b"x 2026-11-29T08:45:27+00:00 200 POST /generic-webhook-trigger/invoke 216 bytes in 0.001 s upstream 200",
    ):
        assert requests([(0, 0, line)]) == []


def fates(*places: int) -> Tunnel:
    """The tunnel when of the recorded requests these have come."""
    came = [requests(log("gate"))[at] for at in places]
    came = [replace(one, at=NOW - timedelta(hours=5) / (1 + 4 * at)) for at, one in enumerate(came)]
    release = next((one for one in reversed(came) if one.taken), None)
    return judged(UP, 0, TunnelLook(newest=came[-1] if came else None, release=release))


@pytest.mark.parametrize(
    ("came", "gate", "whole"),
    [
        ((), "", "logged in for 9d"),
        ((0,), "release 5h ago: 200", "logged in for 9d, last release 5h ago"),
        ((1,), "refused 403 5h ago", "logged in for 9d, refused 403 5h ago"),
        ((5,), "refused 400 5h ago", "logged in for 9d, refused 400 5h ago"),
        ((0, 8), "failed 502 1h ago, release 5h ago: 200", "logged in for 9d, last release 5h ago, failed 502 1h ago"),
    ],
)
def test_what_became_of_the_last_request(came: tuple[int, ...], gate: str, whole: str) -> None:
    found = fates(*came)
    assert gate_words(found, NOW) == gate
    assert summary(found, NOW) == whole


def whys(found: tuple[Service, ...]) -> dict[str, str]:
    return {one.name: one.why for one in found}


def test_the_rows_of_both_services_tell_it() -> None:
    good = services(client(UP), GATE)
    assert whys(told_services(good, fates(0), NOW)) == {"frp_client": "logged in for 9d", "gate": "release 5h ago: 200"}
    assert whys(told_services(good, fates(), NOW)) == {"frp_client": "logged in for 9d", "gate": ""}
    bad = services(client(LOST, 1), GATE)
    look = TunnelLook(refusals=refusals(log("wrong-token")))
    told = whys(told_services(bad, judge(bad, look, OK), NOW))
    assert told == {"frp_client": DENIED["wrong-token"], "gate": ""}


def test_a_row_that_has_something_else_to_say_says_it() -> None:
    file = ComposeProject(
        clean("mlops"),
        clean("f"),
        tuple(Declared(clean(name), clean("busybox:2"), 1, clean("h")) for name in ("frp_client", "gate")),
    )
    drifted = join.services((client(UP), GATE), file, NOW)
    assert whys(told_services(drifted, fates(0), NOW)) == whys(drifted)


def test_a_problem_is_told_once_and_leads_to_the_row() -> None:
    bad = services(client(LOST, 1), GATE)
    before = join.problems(bad, {}, NOW)
    assert [one.target for one in before] == ["service/frp_client"]
    found = judge(bad, TunnelLook(refusals=refusals(log("wrong-token"))), OK)
    (problem,) = problems(told_services(bad, found, NOW), before, found)
    assert (problem.sentence, problem.target) == (f"tunnel: {DENIED['wrong-token']}", "service/frp_client")
    # Docker calls it healthy until it has failed three times.
    early = services(client(LOST, 1, health=Health.HEALTHY), GATE)
    (problem,) = problems(early, (), judge(early, TunnelLook(), OK))
    assert (problem.sentence, problem.target) == (
        "tunnel: no connection to frps at frps.example.org:7000",
        "service/frp_client",
    )
    docker = Problem(StateClass.BROKEN, clean("x"), clean("docker"))
    web = Problem(StateClass.BROKEN, clean("x"), clean("service/web"))
    told = problems(early, (docker, web), judge(early, TunnelLook(), OK))
    assert told == (docker, problem, web), "systems come before services"
    crashed = services(container("c", service="frp_client", state=ContainerState.EXITED, exit_code=3))
    before = join.problems(crashed, {}, NOW)
    assert problems(crashed, before, judge(crashed, TunnelLook(), OK)) == before
