"""What frpc says when something is wrong with the tunnel: the recordings in tests/recordings/frp, each seen here again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support.waiting import until_sync
from tests.support.way import PATH, Client, Way

RECORDINGS = Path(__file__).parents[2] / "recordings" / "frp"
_WHEN = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} ")


@dataclass(frozen=True)
class Case:
    """A client that is refused: how it is set up, the word for its proxy (`{}` for none), and what its log says of it."""

    word: str
    said: str
    own: dict[str, Any] = field(default_factory=dict)


CASES = {
    "wrong-token": Case("{}", "token in login doesn't match token from configuration", {"token": "0" * 64}),
    # Of certificates it says something only if that comes before the end of its own session: then `tls: failed to verify`,
    # and otherwise `session shutdown`, `stream closed` or `EOF`.
    "wrong-ca": Case("{}", "connect to server error: ", {"ca": "other"}),
    "wrong-server-name": Case("{}", "connect to server error: ", {"name": "other.example.test"}),
    "no-tls": Case(
        "{}",
        "connect to server error: ",
        {"altered": lambda text: text.replace("tls.enable = true", "tls.enable = false")},
    ),
    "domain-taken": Case(
        "start error",
        "[elsewhere] start error: router config conflict",
        {"altered": lambda text: text.replace('name = "webhook"', 'name = "elsewhere"')},
    ),
    "name-taken": Case("start error", "[webhook] start error: proxy [webhook] already exists"),
    "port": Case(
        "start error",
        "[elsewhere] start error: port not allowed",
        {"altered": lambda text: _other_proxy(text, 'type = "tcp"\nremotePort = 7081')},
    ),
}


def _other_proxy(text: str, kind: str) -> str:
    kept = text.partition("[[proxies]]")[0]
    return f'{kept}[[proxies]]\nname = "elsewhere"\n{kind}\nlocalIP = "gate"\nlocalPort = 8080\n'


def answer(name: str) -> Any:
    return json.loads((RECORDINGS / f"{name}.json").read_text())


def lines(client: Client) -> list[str]:
    return [_WHEN.sub("", line) for line in client.program.log.splitlines()]


@contextmanager
def another(way: Way, number: int, own: dict[str, Any]) -> Iterator[Client]:
    given = dict(own)
    if given.get("ca") == "other":
        given["ca"] = (way.folder / "front.pem").read_text()
    client = Client(way, number, **given)
    try:
        yield client
    finally:
        client.close()


@pytest.mark.parametrize("name", CASES)
def test_a_client_that_is_refused(way: Way, name: str) -> None:
    case, number = CASES[name], 10 + list(CASES).index(name)
    with another(way, number, case.own) as client:
        until_sync(lambda: case.said in client.program.log, f"the log to hold: {case.said}", 60.0)
        until_sync(lambda: client.word == case.word, f"its proxy to be {case.word}")
        told = answer(f"frpc-status-{name}")
        assert client.status() == told["response"]["body"]
        assert any(case.said in line for line in told["log"])
        # It lives, goes on trying, and says so whoever asks for its health.
        assert client.ask("/healthz", password="")[0] == 200
        assert client.program.running
    # And the one that is right has not noticed.
    assert way.client.word == "running"
    assert way.ask("GET", PATH, at="vhost").by_gate


def test_no_secret_is_in_what_it_says(way: Way) -> None:
    for name in CASES:
        text = json.dumps(answer(f"frpc-status-{name}"))
        assert way.frp_token not in text
    config = way.client.ask("/api/config")[1]
    assert way.frp_token not in config
    assert way.frp_token not in way.client.program.log


def test_while_it_runs(way: Way) -> None:
    assert way.client.status() == answer("frpc-status-running")["response"]["body"]
    # The state of what is behind it is no matter of frpc's.
    way.jenkins.stop()
    way.gate.stop()
    try:
        assert way.client.word == "running"
    finally:
        way.gate.start()
        way.jenkins.start()
        way.until_open()


def test_who_has_no_password_learns_nothing(way: Way) -> None:
    recorded = answer("frpc-status-no-password")["response"]
    assert way.client.ask(password="") == (recorded["status"], recorded["body"])
    assert way.client.ask(password="wrong") == (recorded["status"], recorded["body"])
    assert way.client.ask("/api/config", password="")[0] == 401
    assert way.client.ask("/api/stop", password="")[0] in {401, 405}


def test_when_the_server_is_gone(way: Way) -> None:
    way.frps.stop(at_once=True)
    try:
        until_sync(lambda: way.client.status() == answer("frpc-status-server-gone")["response"]["body"] == {}, "frpc to notice")
        assert way.client.ask("/healthz", password="")[0] == 200
    finally:
        way.frps.start()
        way.until_open()
    assert way.client.word == "running"


# Kinds of proxies besides the one: what frps says to a client that has the token.
OTHERS = {
    "port": ('type = "tcp"\nremotePort = 7081', "port not allowed"),
    "frps-own-port": ('type = "tcp"\nremotePort = 7080', "port unavailable"),
    "any-port": ('type = "tcp"\nremotePort = 0', "no available port"),
    "datagrams": ('type = "udp"\nremotePort = 7081', "acquire port 7081 error: port not allowed"),
    "https": (
        'type = "https"\ncustomDomains = ["other.example.test"]',
        "type [https] not supported when vhost https port is not set",
    ),
    "tcpmux": (
        'type = "tcpmux"\nmultiplexer = "httpconnect"\ncustomDomains = ["other.example.test"]',
        "tcpmux with multiplexer httpconnect not supported because this feature is not enabled in server",
    ),
    "subdomain": ('type = "http"\nsubdomain = "other"', None),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_client_with_the_token_opens_nothing_else(way: Way, name: str) -> None:
    kind, error = OTHERS[name]
    with another(way, 30 + list(OTHERS).index(name), {"altered": lambda text: _other_proxy(text, kind)}) as client:
        until_sync(lambda: client.word == "start error", "the proxy to be refused")
        (proxies,) = client.status().values()
        assert proxies[0]["err"] == error or (error is None and "subdomain" in proxies[0]["err"])


def test_a_client_with_another_domain_is_not_reached_from_the_world(way: Way) -> None:
    """frps would let it; the front knows one name."""
    other = 'type = "http"\ncustomDomains = ["other.example.test"]'
    with another(way, 40, {"altered": lambda text: _other_proxy(text, other)}) as client:
        until_sync(lambda: client.word == "running", "the proxy to run")
        assert way.ask("POST", PATH, host="other.example.test").status == 421
