"""Jenkins, its job, the Hub, the clock and the recorder broken for real, and found; nothing else blamed."""

from __future__ import annotations

import os

import pytest

from console.demo.controller import Link, Permission, Pipeline, Say
from console.history.place import Lock
from tests.console.actions.stage import TRAIN
from tests.console.doctor.house import RIGHTS, SECRETS, blamed, examined
from tests.console.doctor.ward import Ward, sick
from tests.support.jenkins.reaching import allow
from tests.support.waiting import until_sync

# 5 jenkins


def test_jenkins_that_does_not_answer(ward: Ward) -> None:
    ward.house.jenkins.refuse()
    ward.undo.append(lambda: ward.house.jenkins.refuse(on=False))
    found = ward.is_named("jenkins", "connection refused", "mlops-console logs jenkins")
    assert found["job"]["because"] == "jenkins"
    assert found["gate"]["state"] == "ok"


def test_jenkins_whose_container_was_stopped_is_the_fault_of_that(ward: Ward) -> None:
    ward.house.docker("stop", "--timeout=1", "jenkins")
    ward.undo.append(lambda: ward.house.up("jenkins"))
    ward.house.jenkins.refuse()
    ward.house.gate(unsigned=502)
    ward.undo.append(lambda: ward.house.gate(unsigned=403))
    ward.undo.append(lambda: ward.house.jenkins.refuse(on=False))
    found = ward.is_named("compose", "jenkins is stopped")
    assert {found[name]["because"] for name in ("jenkins", "job", "gate", "public")} == {"compose"}


def test_a_token_that_is_refused(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLOPS_JENKINS_TOKEN", "11" + "0" * 32)
    ward.is_named("jenkins", "mlops-console login")


def test_a_configuration_that_could_not_be_applied(ward: Ward) -> None:
    controller = ward.house.controller
    with ward.house.jenkins.lock:
        controller.restart(broken=True)
    until_sync(lambda: controller.phase.value == "broken", "the controller to be broken")
    ward.undo.append(lambda: until_sync(lambda: controller.phase.value == "up", "the controller to be up"))
    ward.undo.append(controller.restart)
    sick(ward, "jenkins", "Jenkins is up, and its configuration could not be applied (500)")
    found = ward.is_named("jenkins", "casc.yaml")
    assert found["compose"]["because"] == "jenkins"


def test_a_user_who_may_not_build(ward: Ward) -> None:
    allow(ward.house.controller, RIGHTS - {Permission.JOB_BUILD})
    ward.undo.append(lambda: allow(ward.house.controller, RIGHTS))
    ward.is_named("jenkins", "lacks Job/Build", state="warning")


# 6 job


def test_a_job_that_is_not_there(ward: Ward) -> None:
    items = ward.house.controller.root.items
    items["other"] = items.pop("train")
    ward.undo.append(lambda: items.__setitem__("train", items.pop("other")))
    items["other"].name = "other"
    ward.undo.append(lambda: setattr(items["other"], "name", "train"))
    ward.is_named("job", "there is no job train", "service restart jenkins")


@pytest.mark.parametrize(
    ("kept", "said"), [(TRAIN[:-2], "RESUME_FROM, OVERRIDES missing"), (TRAIN[:4] + TRAIN[5:], "FORCE missing")]
)
def test_parameters_that_are_missing(ward: Ward, kept: tuple[object, ...], said: str) -> None:
    controller = ward.house.controller
    ward.undo.append(lambda: controller.add_job("train", Pipeline((Say("hello"),)), parameters=TRAIN))
    controller.add_job("train", Pipeline((Say("hello"),)), parameters=kept)  # type: ignore[arg-type]  # parts of the right ones
    ward.is_named("job", said)


def test_a_job_that_is_disabled(ward: Ward) -> None:
    job = ward.house.controller.job("train")
    job.disabled = True
    ward.undo.append(lambda: setattr(job, "disabled", False))
    ward.is_named("job", "disabled", "mlops-console job enable train")


def test_a_node_that_a_person_has_taken_off_line(ward: Ward) -> None:
    node = ward.house.controller.nodes["trainer-1"]
    node.temporarily_offline = "new card"
    ward.undo.append(lambda: setattr(node, "temporarily_offline", None))
    found = ward.is_named("job", "trainer-1 was taken off line: new card", "mlops-console node online trainer-1")
    assert found["job"]["can_fix"]
    ward.mends("trainer-1")


def test_a_node_that_cannot_be_reached(ward: Ward) -> None:
    ward.house.controller.set_link("trainer-1", Link.LAUNCH_FAILED, "ERROR: Connection refused\n")
    ward.undo.append(lambda: ward.house.controller.set_link("trainer-1", Link.ONLINE))
    ward.is_named("job", "node trainer-1 is off line")


# 11 hub


@pytest.mark.parametrize("name", ["hf-read-token", "hf-write-token"])
def test_a_token_that_the_hub_does_not_take(ward: Ward, name: str) -> None:
    ward.house.secret(name, "hf_old")
    ward.undo.append(lambda: ward.house.secret(name, SECRETS[name]))
    ward.is_named("hub", f"does not take {name}", f"GIVE={name}")


def test_a_token_that_may_only_read(ward: Ward) -> None:
    ward.house.hub.users[SECRETS["hf-write-token"]] = ("acme", "read")
    ward.undo.append(lambda: ward.house.hub.add_user("acme", write=SECRETS["hf-write-token"]))
    ward.is_named("hub", "hf-write-token of acme may only read")


def test_a_hub_that_does_not_answer(ward: Ward) -> None:
    ward.house.hub.fail_after(0)
    ward.undo.append(ward.house.hub.heal)
    found = ward.is_named("hub", "cut the connection off")
    assert found["clock"]["seen"] == "goes with Jenkins"


def test_a_hub_without_tokens(ward: Ward) -> None:
    for name in ("hf-read-token", "hf-write-token"):
        ward.house.secret(name, "none")
        ward.undo.append(lambda name=name: ward.house.secret(name, SECRETS[name]))  # type: ignore[misc]  # its own name
    found = examined(ward.capsys)
    assert blamed(found) == []
    assert "no token was given" in found["hub"]["seen"]


# 12 clock


@pytest.mark.parametrize(("seconds", "state"), [(60, "warning"), (600, "broken")])
def test_a_clock_that_is_wrong(ward: Ward, seconds: int, state: str) -> None:
    ward.house.jenkins.date_offset = seconds
    ward.undo.append(lambda: setattr(ward.house.jenkins, "date_offset", 0.0))
    ward.is_named("clock", "behind Jenkins, which differs from the Hub, too", "timedatectl", state=state)


# 13 recorder


def test_a_history_that_nobody_writes(ward: Ward) -> None:
    history = ward.house.home / ".local" / "state" / "mlops-console" / "history.db"
    history.parent.mkdir(parents=True, exist_ok=True)
    history.write_bytes(b"")
    ward.undo.append(history.unlink)
    ward.is_named("recorder", "nobody writes", "mlops-console record", state="warning")
    lock = Lock(history)
    try:
        found = examined(ward.capsys)
        assert blamed(found) == []
        assert f"written by process {os.getpid()}" in found["recorder"]["seen"]
    finally:
        lock.release()
    assert blamed(examined(ward.capsys)) == ["recorder"]
