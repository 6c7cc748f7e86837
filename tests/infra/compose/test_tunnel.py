"""The way in: frps outside, frpc and the gate in here, and what of a request reaches the controller."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.console.real.program import ROOT, answer, environment
from tests.infra.compose.conftest import Running
from tests.support.frps import SERVER_NAME, delivery
from tests.support.platform import DOMAIN, Answer, Platform, lines_of
from tests.support.server import OUTSIDE
from tests.support.waiting import until_sync

PATH = "/generic-webhook-trigger/invoke"
REQUESTS = "/var/jenkins_home/requests"
UP = re.compile(rf"the tunnel to {re.escape(OUTSIDE)} is up since (\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\dZ)")
LOST = Answer(1, f"no connection to frps at {OUTSIDE}:7000; frpc goes on trying, its log says why")
SIGNED = {"X-Hub-Signature-256": f"sha256={'5' * 64}", "Content-Type": "application/json"}


@pytest.fixture(autouse=True)
def quiet(running: Running) -> Iterator[None]:
    """Nothing has reached the controller yet, and the tunnel is up, before and after."""
    running.platform.until_good("frp_client")
    running.platform.call("jenkins", "rm", "-f", REQUESTS)
    yield
    if _up_since(running.platform) is None:
        _again(running.platform)


def _arrived(platform: Platform) -> list[dict[str, object]]:
    answer = platform.call("jenkins", "cat", REQUESTS)
    return lines_of(answer.said) if answer.status == 0 else []


def test_a_release_reaches_the_controller_once_with_the_gates_token_and_nothing_else(running: Running) -> None:
    spoofed = {
        "X-Forwarded-For": "10.9.9.9",
        "X-Real-IP": "10.9.9.9",
        "token": "mine",
        "Authorization": "Bearer mine",
        "Cookie": "JSESSIONID.1=mine",
        "X-Anything": "else",
    }
    body = delivery()
    reply = running.frps.ask("POST", PATH, DOMAIN, body, {**SIGNED, **spoofed})
    assert (reply.status, reply.by_gate) == (200, True)
    assert reply.body == '{"jobs":{"train":{"triggered":true}},"message":"Triggered jobs."}'
    assert not {"x-jenkins", "set-cookie"} & set(reply.headers)
    token = (running.platform.secrets / "webhook-token").read_text().strip()
    (seen,) = _arrived(running.platform)
    assert seen == {
        "path": PATH,
        "body": body.decode(),
        "headers": [
            ["Host", "jenkins:8080"],
            ["Connection", "close"],
            ["Content-Type", "application/json"],
            ["Content-Length", str(len(body))],
            ["X-Hub-Signature-256", SIGNED["X-Hub-Signature-256"]],
            ["token", token],
        ],
    }


# What a prefix of a path lets through, and the gate does not. frps answers for itself what is not below its prefix.
REFUSED = {
    "query": ("POST", f"{PATH}?token=x", 404, True),
    "longer": ("POST", f"{PATH}X", 404, True),
    "slash": ("POST", f"{PATH}/", 404, True),
    "parameter": ("POST", f"{PATH};a=b", 404, True),
    "encoded": ("POST", "/%67eneric-webhook-trigger/invoke", 404, True),
    "up-to-login": ("GET", f"{PATH}/../../login", 404, True),
    "encoded-up": ("GET", f"{PATH}/%2e%2e/%2e%2e/login", 404, True),
    "encoded-slash": ("GET", f"{PATH}/..%2f..%2flogin", 404, True),
    "parameter-up": ("GET", f"{PATH}/..;/..;/login", 404, True),
    "zero": ("POST", f"{PATH}%00", 400, True),
    "up-and-down": ("POST", "/x/../generic-webhook-trigger/invoke", 404, False),
    "two-slashes": ("POST", f"/{PATH}", 404, False),
    "two-slashes-inside": ("POST", "/generic-webhook-trigger//invoke", 404, False),
    "upper-case": ("POST", PATH.upper(), 404, False),
    "root": ("GET", "/", 404, False),
    "login": ("GET", "/login", 404, False),
    "health": ("GET", "/healthy", 404, False),
    "other-host": ("POST", f"http://other.example.test{PATH}", 404, False),
    "get": ("GET", PATH, 403, True),
    "put": ("PUT", PATH, 403, True),
    "head": ("HEAD", PATH, 403, True),
    "delete": ("DELETE", PATH, 403, True),
    "options": ("OPTIONS", PATH, 403, True),
    "trace": ("TRACE", PATH, 405, True),
    "small-method": ("post", PATH, 400, True),
}


@pytest.mark.parametrize("name", REFUSED)
def test_nothing_but_a_post_to_the_exact_path_gets_through(running: Running, name: str) -> None:
    method, target, status, by_gate = REFUSED[name]
    reply = running.frps.ask(method, target, DOMAIN, headers=SIGNED)
    assert (reply.status, reply.by_gate or not by_gate) == (status, True)
    if by_gate and method != "HEAD":
        assert reply.body == "refused\n"
    assert "X-Hub" not in reply.body
    assert _arrived(running.platform) == []


def _raw(*lines: str, body: str = "") -> bytes:
    return "\r\n".join((*lines, "", body)).encode()


POST = f"POST {PATH} HTTP/1.1"
HOST = f"Host: {DOMAIN}"
MALFORMED = {
    "no host": _raw(POST, "Content-Length: 0"),
    "two hosts": _raw(POST, HOST, "Host: other.example.test", "Content-Length: 0"),
    "two lengths": _raw(POST, HOST, "Content-Length: 2", "Content-Length: 3", body="ab"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_request_is_refused_before_it_is_in_here(running: Running, name: str) -> None:
    assert running.frps.send(MALFORMED[name]).status == 400
    assert _arrived(running.platform) == []


def test_a_second_request_cannot_be_hidden_in_the_first(running: Running) -> None:
    hidden = f"0\r\n\r\nGET /login HTTP/1.1\r\nHost: {DOMAIN}\r\n\r\n"
    lines = (POST, HOST, f"Content-Length: {len(hidden)}", "Transfer-Encoding: chunked", "Connection: close")
    reply = running.frps.send(_raw(*lines, body=hidden))
    assert (reply.status, reply.by_gate) == (411, True)
    assert _arrived(running.platform) == []


@pytest.mark.parametrize("host", [f"{DOMAIN}:80", DOMAIN.upper()])
def test_other_ways_to_write_the_host_and_an_old_protocol_get_through(running: Running, host: str) -> None:
    assert running.frps.ask("POST", PATH, host, delivery()).status == 200
    assert running.frps.send(_raw(f"POST {PATH} HTTP/1.0", f"Host: {host}", "Content-Length: 0")).status == 200
    assert len(_arrived(running.platform)) == 2


def test_a_body_has_64_kilobytes_at_most(running: Running) -> None:
    assert running.frps.ask("POST", PATH, DOMAIN, b"x" * (64 << 10)).status == 200
    reply = running.frps.ask("POST", PATH, DOMAIN, b"x" * ((64 << 10) + 1))
    assert (reply.status, reply.by_gate, reply.body) == (413, True, "refused\n")
    assert len(_arrived(running.platform)) == 1


def test_what_the_plugin_says_of_a_wrong_request_does_not_leave(running: Running) -> None:
    with running.platform.secret("webhook-token", "0" * 64 + "\n"):
        running.platform.compose("up", "--detach", "--force-recreate", "--no-deps", "gate")
        running.platform.until_good("gate")
        until_sync(lambda: running.frps.ask("POST", PATH, DOMAIN, delivery(), SIGNED).status != 404, "the gate's new address")
        reply = running.frps.ask("POST", PATH, DOMAIN, delivery(), SIGNED)
    running.platform.compose("up", "--detach", "--force-recreate", "--no-deps", "gate")
    running.platform.until_good("gate")
    until_sync(lambda: running.frps.ask("POST", PATH, DOMAIN, delivery()).status == 200, "the right token to be back")
    assert (reply.status, reply.by_gate, reply.body) == (403, True, "refused\n")


def test_without_the_controller_the_gate_says_so_and_without_the_gate_nobody_says_anything(running: Running) -> None:
    platform, frps = running.platform, running.frps
    platform.compose("stop", "jenkins")
    try:
        gone = frps.ask("POST", PATH, DOMAIN, delivery())
        # Its last address is remembered for ten seconds; whether somebody has it takes the kernel as long to find out.
        assert (gone.status in {502, 504}, gone.by_gate, gone.body) == (True, True, "refused\n")
        platform.compose("restart", "gate")
        platform.until_good("gate")
        assert platform.probe("gate") == Answer(0, "the gate is open")
        until_sync(lambda: frps.ask("POST", PATH, DOMAIN, delivery()).by_gate, "the gate to answer again")
        unknown = frps.ask("POST", PATH, DOMAIN, delivery())
        assert (unknown.status, unknown.by_gate) == (502, True)
        platform.compose("stop", "gate")
        silent = frps.ask("POST", PATH, DOMAIN, delivery())
        assert (silent.status, silent.by_gate) == (404, False)
    finally:
        platform.compose("start", "jenkins", "gate")
        platform.until_good("jenkins")
        platform.until_good("gate")
    until_sync(lambda: frps.ask("POST", PATH, DOMAIN, delivery()).status == 200, "the way in to be open again")


def test_a_controller_with_another_address_is_found(running: Running) -> None:
    platform = running.platform
    platform.compose("up", "--detach", "--force-recreate", "--no-deps", "jenkins")
    platform.until_good("jenkins")
    until_sync(lambda: running.frps.ask("POST", PATH, DOMAIN, delivery()).status == 200, "the new controller to be found")


def test_a_flood_is_held_back_and_a_large_release_is_not(running: Running) -> None:
    running.platform.compose("restart", "gate")
    running.platform.until_good("gate")
    until_sync(lambda: running.frps.ask("GET", PATH, DOMAIN).status == 403, "the gate to answer again")
    statuses = [running.frps.ask("POST", PATH, DOMAIN, delivery(f"project-{n}")).status for n in range(30)]
    assert statuses == [200] * 30
    replies = [running.frps.ask("GET", PATH, DOMAIN) for _ in range(200)]
    assert {reply.status for reply in replies} == {403, 429}
    assert all(reply.by_gate for reply in replies)
    running.platform.compose("restart", "gate")
    running.platform.until_good("gate")
    until_sync(lambda: running.frps.ask("GET", PATH, DOMAIN).status == 403, "the gate to answer again")


def test_without_a_server_there_is_no_tunnel_and_it_says_so(running: Running) -> None:
    platform = running.platform
    again = "then docker compose up -d frp_client"
    told = {
        ("FRP_SERVER_ADDR", ""): "not configured: no release comes in. Set FRP_SERVER_ADDR and FRP_DOMAIN in infra/.env",
        ("FRP_DOMAIN", ""): "FRP_DOMAIN is not set: the public name that requests are sent to belongs into infra/.env",
        ("FRP_SERVER_PORT", "70x"): "FRP_SERVER_PORT is no number: mend it in infra/.env",
    }
    for (name, value), words in told.items():
        with platform.settings(**{name: value}):
            platform.compose("up", "--detach", "frp_client")
            platform.until_told("frp_client", f"frp_client: {words}, {again}")
            assert platform.log("frp_client") == [f"frp_client: {words}, {again}"]
    assert platform.follow(again.removeprefix("then ")).status == 0


def test_a_server_that_goes_and_comes_back_is_told_and_found(running: Running) -> None:
    before = _up_since(running.platform)
    assert before == _up_since(running.platform)
    running.frps.stop()
    running.platform.until_told("frp_client", LOST.said)
    running.frps.start()
    running.platform.until_good("frp_client")
    assert _up_since(running.platform) != before, "it is another connection"
    assert _up_since(running.platform) is not None


def test_a_wrong_token_is_told(running: Running) -> None:
    with running.platform.secret("frp-token", "0" * 64 + "\n"):
        _again(running.platform)
        running.platform.until_told("frp_client", LOST.said)
        _logged(running.platform, "token in login doesn't match token from configuration")
    _again(running.platform)


def test_a_server_of_another_authority_is_not_talked_to(running: Running) -> None:
    with running.platform.secret("frp-ca", (running.platform.keys / "other.pem").read_text()):
        _again(running.platform)
        running.platform.until_told("frp_client", LOST.said)
        _logged(running.platform, "connect to server error")
    _again(running.platform)


def test_a_server_of_another_name_is_not_talked_to(running: Running) -> None:
    with running.platform.settings(FRP_SERVER_NAME="other.example.test"):
        _again(running.platform)
        running.platform.until_told("frp_client", LOST.said)
        # frpc says why only if that comes before the end of its own session.
        _logged(running.platform, "connect to server error")
    _again(running.platform)


def test_without_a_certificate_nothing_is_connected(running: Running) -> None:
    again = "docker compose up -d frp_client --force-recreate"
    with running.platform.secret("frp-ca", "none\n"):
        _again(running.platform)
        words = (
            "secret frp-ca is no certificate, and without it the server cannot be told from another: make secrets GIVE=frp-ca"
        )
        running.platform.until_told("frp_client", f"frp_client: {words}, then {again}")
    assert running.platform.follow(again).status == 0


def test_a_domain_that_somebody_else_has_is_told(running: Running) -> None:
    running.platform.compose("stop", "frp_client")
    running.frps.take(DOMAIN)
    try:
        running.platform.compose("start", "frp_client")
        running.platform.until_told("frp_client", "the tunnel is not up: start error: router config conflict")
    finally:
        running.frps.give_back()
    # By itself it asks again after half a minute.
    _again(running.platform)


def _up_since(platform: Platform) -> str | None:
    """What the probe says of that, asked now; None when the tunnel is not up."""
    answer = platform.probe("frp_client")
    found = UP.fullmatch(answer.said)
    return found[1] if found is not None and answer.status == 0 else None


def _again(platform: Platform) -> None:
    platform.compose("up", "--detach", "--force-recreate", "frp_client")


def _logged(platform: Platform, words: str) -> None:
    until_sync(lambda: any(words in line for line in platform.log("frp_client")), f"the log to hold: {words}")


class Console:
    """The console beside this platform, as its administrator calls it."""

    def __init__(self, platform: Platform, folder: Path) -> None:
        compose = str(platform.infra / "docker-compose.yml")
        self._env = {**platform.server.environment, **environment(platform.server, folder, MLOPS_COMPOSE_FILE=compose)}
        self._schema = json.loads((ROOT / "docs" / "schemas" / "status.schema.json").read_text())

    def tunnel(self) -> tuple[str, str | None]:
        """State and sentence of the tunnel."""
        told = self.status()["sources"]["tunnel"]
        return told["state"], told["reason"]

    def status(self) -> Any:
        _, document = answer(self._env, "status")
        jsonschema.Draft202012Validator(self._schema).validate(document)
        return document

    def until(self, state: str, *reasons: str | None) -> None:
        """Docker asks the probe every 15 s. One of the reasons will do."""
        told: list[tuple[str, str | None]] = []

        def tells() -> bool:
            told.append(self.tunnel())
            return told[-1][0] == state and told[-1][1] in reasons

        try:
            until_sync(tells)
        except AssertionError as error:
            raise AssertionError(f"the console should say: {state}, {reasons}\nand it said: {told[-1]}") from error


@pytest.fixture
def console(running: Running, tmp_path: Path) -> Console:
    return Console(running.platform, tmp_path)


def test_the_console_shows_the_tunnel_and_what_came_through(running: Running, console: Console) -> None:
    console.until("ok", None)
    assert running.frps.ask("POST", PATH, DOMAIN, delivery(), SIGNED).status == 200
    assert running.frps.ask("GET", PATH, DOMAIN).status == 403
    told = console.status()
    assert (told["tunnel"]["server"], told["tunnel"]["domain"]) == (OUTSIDE, DOMAIN)
    assert told["tunnel"]["since"] == _up_since(running.platform)
    assert told["tunnel"]["last_request"]["status"] == 403
    assert told["tunnel"]["last_release"]["status"] == 200
    assert re.fullmatch(r"logged in for \S+, last release \d+s ago, refused 403 \d+s ago", told["summaries"]["tunnel"])


def test_the_console_says_who_refuses_whom(running: Running, console: Console) -> None:
    platform = running.platform
    with platform.secret("frp-token", "0" * 64 + "\n"):
        _again(platform)
        console.until("denied", f"{OUTSIDE} refuses its token: give both sides the same")
    with platform.secret("frp-ca", (platform.keys / "other.pem").read_text()):
        _again(platform)
        # frpc names the cause only in those tries in which that comes before the end of its own session: in some or in none.
        which = f"of another CA than frp-ca, not for {SERVER_NAME}, or has expired"
        console.until(
            "denied",
            f"the certificate of {OUTSIDE} is of another CA than the one in secret frp-ca",
            f"the TLS handshake with {OUTSIDE} fails: it is no frps, or its certificate is {which}",
        )
    platform.compose("stop", "frp_client")
    console.until("off", "frp_client is stopped: no release comes in")
    running.frps.take(DOMAIN)
    try:
        platform.compose("start", "frp_client")
        console.until("denied", f"another client has the domain {DOMAIN} at {OUTSIDE}")
    finally:
        running.frps.give_back()
    _again(platform)
    console.until("ok", None)
    running.frps.stop()
    console.until("unreachable", f"no connection to {OUTSIDE}: connection refused")
    running.frps.start()
    console.until("ok", None)
