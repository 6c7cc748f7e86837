"""The way in, of gate, tunnel and public side, broken for real, and found; nothing else blamed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from console.main import main
from tests.console.doctor.house import REFUSED, SECRETS, UP, blamed, examined
from tests.console.doctor.ward import Ward, sick
from tests.support import hook

# 7 gate


@pytest.mark.parametrize(
    ("unsigned", "other", "mark", "said"),
    [
        (200, 404, "X-Mlops-Gate: 1", "an unsigned request was taken"),
        (404, 404, "X-Mlops-Gate: 1", "Jenkins knows no job"),
        (403, 200, "X-Mlops-Gate: 1", "/login is answered with 200"),
        (403, 404, "Server: other", "does not bear the gate's mark"),
        (502, 404, "X-Mlops-Gate: 1", "does not reach Jenkins"),
        (429, 404, "X-Mlops-Gate: 1", "answered with 429"),
    ],
)
def test_a_gate_that_says_something_else(ward: Ward, unsigned: int, other: int, mark: str, said: str) -> None:
    ward.house.gate(unsigned=unsigned, other=other, mark=mark)
    ward.undo.append(lambda: ward.house.gate(unsigned=403))
    found = ward.is_named("gate", said)
    assert found["public"]["because"] == "gate"


def test_jenkins_that_is_away_is_not_the_gates_fault(ward: Ward) -> None:
    ward.house.gate(unsigned=502)
    ward.undo.append(lambda: ward.house.gate(unsigned=403))
    ward.house.jenkins.refuse()
    ward.undo.append(lambda: ward.house.jenkins.refuse(on=False))
    found = ward.is_named("jenkins")
    assert found["gate"]["because"] == found["public"]["because"] == "jenkins"


def test_a_gate_that_does_not_answer(ward: Ward) -> None:
    ward.house.docker("exec", "-T", "gate", "sh", "-c", "kill -9 $(pidof nc)")
    ward.undo.append(lambda: ward.house.until("gate", "healthy"))
    ward.undo.append(lambda: ward.house.docker("restart", "--timeout=1", "gate"))
    sick(ward, "gate", "nginx does not answer on 8080: connection refused")
    found = ward.is_named("gate", "does not answer in its container", "service restart gate")
    assert found["compose"]["because"] == "gate"


def test_a_gate_that_waits_for_its_secret(ward: Ward) -> None:
    sick(ward, "gate", "gate: secret webhook-token is no token: run make secrets ROTATE=webhook-token")
    ward.is_named("gate", "webhook-token is no token", "service recreate gate")


def test_read_only_starts_no_program_in_the_gate(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLOPS_READ_ONLY", "1")
    ward.house.gate(unsigned=200)
    ward.undo.append(lambda: ward.house.gate(unsigned=403))
    found = examined(ward.capsys)
    assert blamed(found) == []
    assert found["gate"]["seen"] == "its nginx answers; read-only: not asked itself"
    sick(ward, "gate", "nginx does not answer on 8080: connection refused")
    ward.is_named("gate", "nginx does not answer on 8080")
    assert main(["doctor", "--fix", "--yes"]) == 2
    assert "Read-only: acts are off" in ward.capsys.readouterr().err


# 8 tunnel


@contextmanager
def frp_says(ward: Ward, body: str, status: str = "200 OK", log: str = "") -> Iterator[None]:
    house = ward.house
    if log:
        house.put("frp.log", f"{log}\n")
        house.docker("exec", "-T", "frp_client", "sh", "-c", "cat /house/frp.log >/proc/1/fd/1")
    house.frp(body, status)
    house.until("frp_client", "unhealthy")
    try:
        yield
    finally:
        house.frp(UP)
        house.until("frp_client", "healthy")


@pytest.mark.parametrize(
    ("body", "status", "said", "do"),
    [
        ("{}", "200 OK", "no connection to frps at frps.example.org", "firewall"),
        (UP.replace("running", "start error").replace('"err":""', '"err":"router config conflict"'), "200 OK",
         "another client has the domain", "frp-token"),
        ("", "401 Unauthorized", "does not take its own password", "recreate frp_client"),
        ("", "500 Oops", "frpc does not answer", "restart frp_client"),
    ],
)  # fmt: skip
def test_a_tunnel_that_is_not_up(ward: Ward, body: str, status: str, said: str, do: str) -> None:
    with frp_says(ward, body, status):
        found = ward.is_named("tunnel", said, do)
    assert found["public"]["because"] == found["compose"]["because"] == "tunnel"
    assert found["gate"]["state"] == "ok"


def test_a_server_that_refuses_the_token(ward: Ward) -> None:
    with frp_says(ward, "{}", log=REFUSED):
        ward.is_named("tunnel", "refuses its token", "docs/way-in.md")


# 9 public


def front(ward: Ward, **said: object) -> None:
    for name, value in said.items():
        was = getattr(ward.house.front, name)
        setattr(ward.house.front, name, value)
        ward.undo.append(lambda name=name, was=was: setattr(ward.house.front, name, was))  # type: ignore[misc]  # its own names


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"marked": False}, "without the gate's mark"),
        ({"status": 200}, "an unsigned request was taken"),
        ({"status": 404}, "Jenkins knows no job"),
        ({"status": 504}, "does not reach Jenkins"),
    ],
)
def test_a_public_way_that_leads_elsewhere(ward: Ward, said: dict[str, object], words: str) -> None:
    front(ward, **said)
    ward.is_named("public", words)


def test_a_certificate_that_nobody_trusts(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(ward.house.folder / "other.pem"))
    ward.is_named("public", "certificate", "certbot renew")


def test_a_secret_that_jenkins_does_not_have(ward: Ward) -> None:
    ward.house.secret("webhook-hmac", "d" * 64)
    ward.undo.append(lambda: ward.house.secret("webhook-hmac", SECRETS["webhook-hmac"]))
    ward.is_named("public", "refuses a request that is signed with webhook-hmac")


def test_a_trigger_that_would_start_anything(ward: Ward) -> None:
    front(ward, trigger=hook.Trigger(SECRETS["webhook-hmac"].encode(), SECRETS["webhook-token"], expression=""))
    ward.is_named("public", "a signed request that starts nothing is answered with 200")
