"""Each hop of the server itself broken for real, and found; nothing else blamed."""

from __future__ import annotations

import json
import os
import shutil
import socket
from pathlib import Path

import pytest

from console.main import main
from console.sources.compose import program
from tests.console.doctor.house import SECRETS, House, blamed, examined
from tests.console.doctor.ward import Ward, sick
from tests.support.refusing import refusing


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
    # They can be read, so the rest of the chain was asked, and the verdict says nothing else.
    assert found["public"]["state"] == "ok"
    assert main(["doctor"]) == 1
    assert "Broken at 1 settings: others can get at settings or tokens" in ward.capsys.readouterr().out
    ward.mends(str(file))
    assert file.stat().st_mode & 0o777 == 0o644


def test_settings_of_another_user(ward: Ward) -> None:
    os.chown(config(ward, "[prune]\nkeep_images = 4\n"), 1234, 1234)
    ward.is_named("settings", "belongs to user 1234", "sudo chown")


def test_settings_that_are_none(ward: Ward) -> None:
    config(ward, "[prune]\nkep_images = 4\n")
    found = ward.is_named("settings", "there is no setting prune.kep_images", "mlops-console config path")
    assert main(["config", "path"]) == 0, "what is named works with broken settings"
    assert {one["because"] for name, one in found.items() if name != "settings"} == {"settings"}
    assert main(["doctor"]) == 1
    assert "Broken at 1 settings" in ward.capsys.readouterr().out
    assert main(["doctor", "--fix", "--yes"]) == 2


def test_values_are_told_with_where_they_come_from(ward: Ward) -> None:
    file = config(ward, "# nothing yet\n")
    told = str(examined(ward.capsys)["settings"]["seen"])
    assert told.startswith("1 file that sets nothing, ")
    assert told.endswith(" from elsewhere, file modes are right")
    file.write_text("[prune]\nkeep_images = 4\n")
    assert str(examined(ward.capsys)["settings"]["seen"]).startswith("1 value from 1 file, ")


def test_broken_settings_are_told_in_the_demo_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.toml").write_text("nonsense = 1\n")
    assert main(["--demo", "--config", "bad.toml", "doctor"]) == 1
    said = capsys.readouterr().out
    assert "bad.toml line 1: there is no setting nonsense" in said
    assert "Broken at 1 settings" in said


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
    found = ward.is_named("docker", "Docker is not there", "DOCKER_HOST")
    behind = {name for name, one in found.items() if one["because"] == "docker"}
    assert behind == {"compose", "gate", "tunnel", "public", "hub"}
    assert found["jenkins"]["state"] == "ok"
    assert found["secrets"]["state"] == "ok"


def test_an_engine_that_does_not_run(ward: Ward, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its socket is left from before. Jenkins, whose ports the Engine hands on, is not blamed for it."""
    ward.house.jenkins.refuse()
    ward.undo.append(lambda: ward.house.jenkins.refuse(on=False))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/left")
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "left"))
    found = ward.is_named("docker", "the Docker Engine is not running", "systemctl start docker")
    assert found["jenkins"]["because"] == found["job"]["because"] == "docker"
    assert "connection refused" in found["jenkins"]["seen"]
    # One that is no service of the platform's may stand there by itself.
    changed(ward, "  jenkins:\n", "  controller:\n")
    assert blamed(examined(ward.capsys)) == ["docker", "jenkins"]


def test_an_engine_that_hangs(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    ward.house.engine.pause()
    ward.undo.append(ward.house.engine.resume)
    monkeypatch.setenv("MLOPS_DOCKER_TIMEOUT", "1")
    ward.is_named("docker", "has not answered", "sudo systemctl restart docker")


@pytest.mark.parametrize(
    ("part", "said"), [("/containers/json", "does not tell of its containers"), ("/info", "403"), ("/version", "403")]
)
def test_an_engine_that_refuses_a_part_of_it(
    ward: Ward, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, part: str, said: str
) -> None:
    with refusing(ward.house.engine.socket, tmp_path / "s", part) as address:
        monkeypatch.setenv("DOCKER_HOST", address)
        found = ward.is_named("docker", said, "not for you", "let that proxy pass")
        assert {found[name]["because"] for name in ("compose", "gate", "tunnel", "public")} == {"docker"}
        assert main(["doctor"]) == 1
    assert "Broken at 2 docker" in ward.capsys.readouterr().out


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


def test_a_file_that_was_asked_for_and_is_not_there(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLOPS_COMPOSE_FILE", "/nope.yml")
    ward.is_named("compose", "No compose file at /nope.yml", "correct compose.file; who set it: mlops-console config show")
    for command in ("services", "status"):
        assert main([command]) == 1, command
        assert "No compose file at /nope.yml" in ward.capsys.readouterr().out


def test_a_machine_without_compose(ward: Ward, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file that nothing can read is told by all alike; where there is none nothing is wrong."""
    monkeypatch.setattr(program, "_PLUGIN_FOLDERS", ())
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    ward.is_named("compose", "Compose v2 is not installed", "docker-compose-plugin")
    for command in ("services", "status"):
        assert main([command]) == 1, command
        assert "Compose v2 is not installed" in ward.capsys.readouterr().out
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    found = examined(ward.capsys)
    assert found["compose"]["state"] == "not configured"
    assert main(["services"]) == 0


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
