"""Jenkins and the tunnel while they are starting, with a login and without one: nothing is broken, and nobody else is blamed.

What would be mended meanwhile, such as "make jenkins anew", would throw back what is on its way.
"""

from __future__ import annotations

import os

import pytest

from console.main import main
from tests.console.doctor.house import Items
from tests.console.doctor.test_house_way import front
from tests.console.doctor.ward import Ward, sick
from tests.support.waiting import until_sync


def no_login(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("URL", "USER", "TOKEN"):
        monkeypatch.delenv(f"MLOPS_JENKINS_{name}")


def nobody_behind(ward: Ward, status: int) -> None:
    """What the gate answers, from inside and from the public side."""
    ward.house.gate(unsigned=status)
    ward.undo.append(lambda: ward.house.gate(unsigned=403))
    front(ward, status=status)


def jenkins_starts(ward: Ward) -> None:
    """Its container is starting until the test is over: its probe waits for somebody who writes."""
    house = ward.house
    was = (house.shared / "jenkins.probe").read_text()
    ward.undo.append(lambda: house.until("jenkins", "healthy"))
    ward.undo.append(lambda: house.docker("restart", "--timeout=1", "jenkins"))
    ward.undo.append(lambda: house.put("jenkins.probe", was))
    os.mkfifo(house.shared / ".waits")
    (house.shared / ".waits").replace(house.shared / "jenkins.probe")
    house.docker("restart", "--timeout=1", "jenkins")
    house.until("jenkins", "starting")


def because(found: Items) -> dict[str, str]:
    return {name: one["because"] for name, one in found.items() if one["because"] is not None}


def answers_503(ward: Ward) -> None:
    controller = ward.house.controller
    with ward.house.jenkins.lock:
        controller.restart(stopping=0.0, down=0.0, starting=3600.0)
    ward.undo.append(lambda: until_sync(lambda: controller.phase.value == "up", "the controller to be up"))
    ward.undo.append(lambda: controller.restart(stopping=0.0, down=0.0, starting=0.0))
    until_sync(lambda: controller.phase.value == "starting", "the controller to be starting")


def test_a_jenkins_that_is_starting_is_named_and_nobody_else(ward: Ward) -> None:
    answers_503(ward)
    nobody_behind(ward, 503)
    found = ward.is_named("jenkins", "starting", "wait a minute", state="warning")
    assert because(found) == {"job": "jenkins", "gate": "jenkins", "public": "jenkins"}
    assert main(["doctor"]) == 0
    assert "recreate" not in ward.capsys.readouterr().out


def test_one_whose_probe_has_given_up_on_it_meanwhile_is_still_starting(ward: Ward) -> None:
    answers_503(ward)
    sick(ward, "jenkins", "Jenkins answers 503")
    assert ward.is_named("jenkins", "starting", state="warning")["compose"]["because"] == "jenkins"


@pytest.mark.parametrize("login", [True, False])
def test_a_jenkins_that_does_not_listen_yet_is_starting_by_its_container(
    ward: Ward, monkeypatch: pytest.MonkeyPatch, *, login: bool
) -> None:
    jenkins_starts(ward)
    nobody_behind(ward, 502)
    if login:
        ward.house.jenkins.refuse()
        ward.undo.append(lambda: ward.house.jenkins.refuse(on=False))
    else:
        no_login(monkeypatch)
    found = ward.is_named("jenkins", "its container is starting", "wait a minute", state="warning")
    assert {name: because(found).get(name) for name in ("job", "gate", "public")} == dict.fromkeys(
        ("job", "gate", "public"), "jenkins"
    )


def test_another_jenkins_says_nothing_about_the_one_behind_the_gate(ward: Ward) -> None:
    """The address of the settings is well; the one behind the gate is starting, and nothing is to be made anew."""
    jenkins_starts(ward)
    nobody_behind(ward, 502)
    found = ward.is_named("gate", "Jenkins is starting", "wait a minute", state="warning")
    assert found["jenkins"]["state"] == "ok"
    assert found["public"]["state"] == "skipped"


@pytest.mark.parametrize("stopped", [True, False])
def test_without_a_login_a_jenkins_that_is_stopped_or_sick_is_not_the_gates_fault(
    ward: Ward, monkeypatch: pytest.MonkeyPatch, *, stopped: bool
) -> None:
    if stopped:
        ward.house.docker("stop", "--timeout=1", "jenkins")
        ward.undo.append(lambda: ward.house.up("jenkins"))
    else:
        sick(ward, "jenkins", "no heap is left")
    nobody_behind(ward, 502)
    no_login(monkeypatch)
    found = ward.is_named("compose", "jenkins is stopped" if stopped else "jenkins unhealthy: no heap is left")
    assert {found[name]["because"] for name in ("jenkins", "job", "gate", "public")} == {"compose"}
    assert "no login" in found["jenkins"]["seen"]


def test_without_a_login_a_jenkins_that_waits_for_a_bad_secret_is_the_fault_of_that(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = ward.house.infra / "secrets" / "webhook-token"
    file.chmod(0o444)
    ward.undo.append(lambda: file.chmod(0o400))
    sick(ward, "jenkins", "jenkins: secret webhook-token is readable by everybody (0444): run make secrets")
    nobody_behind(ward, 502)
    no_login(monkeypatch)
    found = ward.is_named("secrets", "webhook-token is open to others")
    assert {found[name]["because"] for name in ("compose", "jenkins", "gate", "public")} == {"secrets"}


@pytest.mark.parametrize("login", [True, False])
def test_a_tunnel_that_is_starting_is_named_and_nobody_else(
    ward: Ward, monkeypatch: pytest.MonkeyPatch, *, login: bool
) -> None:
    house = ward.house
    was = (house.shared / "healthy").read_text()
    ward.undo.append(lambda: house.until("frp_client", "healthy"))
    ward.undo.append(lambda: house.docker("restart", "--timeout=1", "frp_client"))
    ward.undo.append(lambda: house.put("healthy", was))
    house.put("healthy", "read -r line </house/waits\n")
    os.mkfifo(house.shared / "waits")
    ward.undo.append((house.shared / "waits").unlink)
    house.docker("restart", "--timeout=1", "frp_client")
    house.until("frp_client", "starting")
    # Nobody is at the public address yet.
    front(ward, marked=False)
    if not login:
        no_login(monkeypatch)
    found = ward.is_named("tunnel", "starting", "wait half a minute", state="warning")
    assert found["public"]["because"] == "tunnel"
    assert found["gate"]["state"] == "ok"
