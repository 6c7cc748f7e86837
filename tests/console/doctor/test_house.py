"""Each hop broken for real, and found; nothing else blamed."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from console.demo.controller import OPERATOR, Link, Permission, Pipeline, Say
from console.history.place import Lock
from console.main import main
from tests.console.doctor.house import PARAMETERS, REFUSED, SECRETS, UP, House, Items, blamed, examined
from tests.support import hook
from tests.support.jenkins.reaching import allow
from tests.support.waiting import until_sync

RIGHTS = OPERATOR | {Permission.AGENT_CONNECT, Permission.AGENT_DISCONNECT}


class Ward:
    """The house for one test: `is_named` looks at what the command says, and everything is put back at the end."""

    def __init__(self, house: House, capsys: pytest.CaptureFixture[str]) -> None:
        self.house = house
        self.capsys = capsys
        self.undo: list[Callable[[], object]] = []

    def is_named(self, hop: str, *said: str, state: str = "broken") -> Items:
        """This hop alone is blamed, in these words, and with something to do."""
        found = examined(self.capsys)
        assert blamed(found) == [hop], {name: found[name] for name in found}
        one = found[hop]
        assert one["state"] == state
        for words in said:
            assert words in f"{one['seen']} / {one['do']}"
        assert one["do"]
        return found

    def mends(self, what: str) -> None:
        """`--fix` agrees to nothing by itself, shows what it would do, does it, and then all is well."""
        assert main(["doctor", "--fix"]) == 2
        assert "--yes" in self.capsys.readouterr().err
        assert main(["doctor", "--fix", "--dry-run", "--json"]) == 0
        plan = json.loads(self.capsys.readouterr().out)
        assert what in json.dumps(plan["says"] + plan["items"])
        assert main(["doctor", "--fix", "--yes", "--json"]) == 0
        outcome = json.loads(self.capsys.readouterr().out)
        assert (outcome["kind"], outcome["act"]) == ("outcome", "doctor-fix")
        assert {item["fate"] for item in outcome["items"]} == {"done"}
        assert blamed(examined(self.capsys)) == []
        assert main(["audit", "--json"]) == 0
        acts = json.loads(self.capsys.readouterr().out)["items"]
        assert any(one["act"] == "doctor-fix" for one in acts)


@pytest.fixture
def ward(house: House, capsys: pytest.CaptureFixture[str]) -> Iterator[Ward]:
    made = Ward(house, capsys)
    yield made
    for undo in reversed(made.undo):
        undo()


def test_a_platform_that_is_well(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    found = examined(capsys)
    assert blamed(found) == [], found
    states = {name: one["state"] for name, one in found.items()}
    assert {name for name, state in states.items() if state == "not configured"} == {"gpu", "recorder"}
    assert set(states.values()) == {"ok", "not configured"}
    assert all(one["do"] is None for one in found.values())
    assert found["compose"]["seen"] == "4 services declared, 4 fine, none drifted"
    assert found["job"]["seen"] == "train has its 7 parameters; node trainer-1 on line"
    assert "and takes a signed one, which starts nothing" in found["public"]["seen"]
    assert house.front.trigger.leave_queue() == []
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1:3] for line in lines[:2]] == [["✓", "settings"], ["✓", "docker"]]
    assert lines[-1].startswith("Nothing is broken.")


# 1 settings


def config(ward: Ward, text: str, mode: int = 0o600) -> Path:
    file = ward.house.home / ".config" / "mlops-console" / "config.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    ward.undo.append(lambda: shutil.rmtree(ward.house.home / ".config"))
    file.write_text(text)
    file.chmod(mode)
    return file


def test_settings_that_anybody_may_change(ward: Ward) -> None:
    file = config(ward, "[prune]\nkeep_images = 4\n", 0o646)
    found = ward.is_named("settings", "can be changed by everybody", "chmod 0644")
    assert found["settings"]["can_fix"]
    ward.mends(str(file))
    assert file.stat().st_mode & 0o777 == 0o644


def test_settings_of_another_user(ward: Ward) -> None:
    os.chown(config(ward, "[prune]\nkeep_images = 4\n"), 1234, 1234)
    ward.is_named("settings", "belongs to user 1234", "sudo chown")


def test_settings_that_are_none(ward: Ward) -> None:
    config(ward, "[prune]\nkep_images = 4\n")
    found = ward.is_named("settings", "there is no setting prune.kep_images")
    assert {one["because"] for name, one in found.items() if name != "settings"} == {"settings"}
    assert main(["doctor"]) == 1
    assert "Broken at 1 settings" in ward.capsys.readouterr().out
    assert main(["doctor", "--fix", "--yes"]) == 2


def test_a_login_that_others_can_read(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("URL", "USER", "TOKEN"):
        monkeypatch.delenv(f"MLOPS_JENKINS_{name}")
    login = config(ward, "").with_name("jenkins-login.json")
    login.write_text(json.dumps({"url": ward.house.jenkins.url, "user": "operator", "token": "11aa"}))
    login.chmod(0o644)
    found = ward.is_named("settings", "can be read by everybody")
    assert found["jenkins"]["because"] == "settings"
    login.chmod(0o600)
    assert blamed(examined(ward.capsys)) == ["jenkins"]


# 2 docker


def test_an_engine_that_is_not_there(ward: Ward, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none")
    found = ward.is_named("docker", "Docker is not there", "systemctl start docker")
    behind = {name for name, one in found.items() if one["because"] == "docker"}
    assert behind == {"compose", "gate", "tunnel", "public", "hub"}
    assert found["jenkins"]["state"] == "ok"
    assert found["secrets"]["state"] == "ok"


def test_an_engine_whose_address_makes_no_sense(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "nonsense://")
    ward.is_named("docker", "nonsense")


def test_logs_that_grow_for_ever(ward: Ward) -> None:
    ward.house.engine.docker("run", "-d", "--name", "loud", "--network=none", "busybox:test", "sleep", "1000")
    ward.undo.append(lambda: ward.house.engine.docker("rm", "-f", "loud"))
    ward.is_named("docker", "logs grow for ever: loud", state="warning")


def test_a_disk_that_is_full(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.model.machine_words.BROKEN", 0.0)
    found = examined(ward.capsys)
    assert (found["docker"]["state"], found["docker"]["do"]) == ("broken", "mlops-console prune --dry-run")
    assert "disk " in found["docker"]["seen"]


# 3 compose


def test_a_service_that_was_stopped(ward: Ward) -> None:
    ward.house.docker("stop", "--timeout=1", "agent")
    ward.undo.append(lambda: ward.house.up("agent"))
    found = ward.is_named("compose", "agent is stopped", "mlops-console service start agent")
    assert found["compose"]["can_fix"]
    ward.mends("agent")


def test_a_service_that_is_missing(ward: Ward) -> None:
    ward.house.docker("rm", "--stop", "--force", "agent")
    ward.undo.append(lambda: ward.house.up("agent"))
    ward.is_named("compose", "agent is missing", "service up agent")


def test_a_service_that_is_sick(ward: Ward) -> None:
    ward.house.put("agent.sick", "")
    ward.undo.append(lambda: ward.house.until("agent", "healthy"))
    ward.undo.append((ward.house.shared / "agent.sick").unlink)
    ward.house.until("agent", "unhealthy")
    ward.is_named("compose", "agent unhealthy: no disk is left", "mlops-console logs agent")


def changed(ward: Ward, old: str, new: str) -> None:
    was = ward.house.compose.read_text()
    assert old in was
    ward.undo.append(lambda: ward.house.compose.write_text(was))
    ward.house.compose.write_text(was.replace(old, new))


def test_a_service_that_is_not_as_the_file_says(ward: Ward) -> None:
    changed(ward, "  agent:\n    <<: *service\n", "  agent:\n    <<: *service\n    environment: {MORE: '1'}\n")
    ward.is_named("compose", "agent is not as the file says", state="warning")


def test_a_file_that_is_none(ward: Ward) -> None:
    changed(ward, "services:\n", "servces:\n")
    found = ward.is_named("compose", "servces")
    assert found["secrets"]["because"] == "compose"


# 4 secrets


def test_a_secret_that_others_can_read(ward: Ward) -> None:
    file = ward.house.infra / "secrets" / "webhook-hmac"
    file.chmod(0o444)
    ward.undo.append(lambda: ward.house.secret("webhook-hmac", SECRETS["webhook-hmac"]))
    found = ward.is_named("secrets", "webhook-hmac is open to others (mode 0444)", "ROTATE=webhook-hmac")
    assert found["secrets"]["can_fix"]
    ward.mends(str(file))
    assert (file.stat().st_mode & 0o777, file.stat().st_uid) == (0o400, 1000)


def test_a_secret_whose_reader_cannot_read_it(ward: Ward) -> None:
    file = ward.house.infra / "secrets" / "hf-read-token"
    os.chown(file, 0, 0)
    ward.undo.append(lambda: os.chown(file, 1000, 1000))
    ward.is_named("secrets", "hf-read-token belongs to user 0", "its reader is user 1000")
    ward.mends(str(file))


@pytest.mark.parametrize("content", [None, ""])
def test_a_secret_that_is_missing_or_empty(ward: Ward, content: str | None) -> None:
    file = ward.house.infra / "secrets" / "webhook-token"
    if content is None:
        aside = file.with_name("aside")
        file.rename(aside)
        ward.undo.append(lambda: aside.rename(file))
    else:
        ward.house.secret("webhook-token", content)
        ward.undo.append(lambda: ward.house.secret("webhook-token", SECRETS["webhook-token"]))
    ward.is_named("secrets", f"webhook-token is {'missing' if content is None else 'empty'}", "sudo make secrets")


@pytest.mark.parametrize("service", ["gate", "jenkins"])
def test_a_service_that_waits_for_a_bad_secret_is_not_blamed(ward: Ward, service: str) -> None:
    file = ward.house.infra / "secrets" / "webhook-token"
    file.chmod(0o444)
    ward.undo.append(lambda: file.chmod(0o400))
    sick(ward, service, f"{service}: secret webhook-token is readable by everybody (0444): run make secrets")
    found = ward.is_named("secrets", "webhook-token is open to others")
    assert found["compose"]["because"] == "secrets"
    assert found["gate"]["because"] == ("secrets" if service == "gate" else None)


def sick(ward: Ward, service: str, said: str) -> None:
    house = ward.house
    was = (house.shared / f"{service}.probe").read_text()
    house.put(f"{service}.probe", f"{said}\n")
    house.put(f"{service}.sick", "")
    ward.undo.append(lambda: house.until(service, "healthy"))
    ward.undo.append(lambda: house.put(f"{service}.probe", was))
    ward.undo.append((house.shared / f"{service}.sick").unlink)
    house.until(service, "unhealthy")


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
    ("kept", "said"), [(PARAMETERS[:-2], "RESUME_FROM, OVERRIDES missing"), (PARAMETERS[:4] + PARAMETERS[5:], "FORCE missing")]
)
def test_parameters_that_are_missing(ward: Ward, kept: tuple[object, ...], said: str) -> None:
    controller = ward.house.controller
    ward.undo.append(lambda: controller.add_job("train", Pipeline((Say("hello"),)), parameters=PARAMETERS))
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
    assert found["gate"]["seen"] == "the gate is open; read-only: not asked itself"
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
    ward.is_named("recorder", "nobody writes", "systemctl start", state="warning")
    lock = Lock(history)
    try:
        found = examined(ward.capsys)
        assert blamed(found) == []
        assert f"written by process {os.getpid()}" in found["recorder"]["seen"]
    finally:
        lock.release()
    assert blamed(examined(ward.capsys)) == ["recorder"]
