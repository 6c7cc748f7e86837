"""The file for a bug report: what is in it, and that no secret is, wherever one was planted."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import click
import jsonschema
import pytest

from console.main import main
from tests.console.cli.calling import SCHEMAS
from tests.console.doctor.house import SECRETS, House
from tests.support.jenkins.reaching import TOKEN
from tests.support.waiting import until_sync

PLANTS = {
    "environment of the program": "plant-of-my-environment",
    "environment of a container": "plant-of-a-variable",
    "label of a container": "plant-of-a-label",
    "log, by name": "plant-in-a-log-by-name",
    "log, in JSON": "plant-in-a-log-in-json",
    "log, as a header": "plant1-in-a-header",
    "log, in an address": "plant-in-an-address",
    "log, by its form": "hf_plantbyitsform",
    "log, a key": "plantofakey",
    "log, in a sentence": "plant-in-a-sentence",
    "log, of mysql": "plant-of-mysql",
    "login": "plant-of-the-login",
    "a node": "plant-of-a-node",
    "file of a secret": SECRETS["webhook-hmac"],
    "token of Jenkins": TOKEN,
    "log, in colours": "plant-in-colours",
    "log, in INI": "plant-in-ini",
    "log, a number": "773456780912345",
    "output of a probe": "plant-of-a-probe",
    "command of notices": "plant-of-a-command",
    "webhook of notices": "plant-of-an-address",
    "secret file of notices": "plant-of-a-secret-file",
}
LOG = """\
started with {environment of a container}
again {file of a secret}
mine {environment of the program}, called {label of a container}
kept {login}, and {token of Jenkins}
DB_PASSWORD={log, by name} python train.py
{{"event": "start", "hub_token": "{log, in JSON}"}}
Authorization: Bearer {log, as a header}
fetching https://me:{log, in an address}@example.org/data
using {log, by its form}
-----BEGIN PRIVATE KEY-----
{log, a key}
-----END PRIVATE KEY-----
the password is: {log, in a sentence}
+ mysql -h db -uroot -p{log, of mysql} mlops
\x1b[36mpassword\x1b[0m=\x1b[35m{log, in colours}\x1b[0m
{secret file of notices:.5}\x1b[1m{rest}
auth.token = "{log, in INI}"
{{"password": {log, a number}}}
told {command of notices} at {webhook of notices}
kept: epoch 3 of 10, num_tokens: 512
"""


def members(file: Path) -> dict[str, bytes]:
    with tarfile.open(file) as tar:
        found = {}
        for one in tar.getmembers():
            content = tar.extractfile(one)
            assert content is not None
            assert one.mode == 0o600
            found[one.name.partition("/")[2]] = content.read()
        return found


@pytest.fixture
def planted(house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setenv("MY_API_TOKEN", PLANTS["environment of the program"])
    login = house.home / ".config" / "mlops-console" / "jenkins-login.json"
    login.parent.mkdir(parents=True)
    login.write_text(json.dumps({"url": house.jenkins.url, "user": "operator", "token": PLANTS["login"]}))
    login.chmod(0o600)
    secret = login.with_name("notify-secret")
    secret.write_text(f"{PLANTS['secret file of notices']}\n")
    secret.chmod(0o600)
    settings = login.with_name("config.toml")
    settings.write_text(
        f'[notify]\nsecret_file = "{secret}"\nwebhook = "https://hooks.example.org/{PLANTS["webhook of notices"]}"\n'
        f'command = ["/usr/bin/tell", "--token", "{PLANTS["command of notices"]}"]\n'
    )
    house.put("plants.log", LOG.format_map({**PLANTS, "rest": PLANTS["secret file of notices"][5:]}))
    probe = (house.shared / "jenkins.probe").read_text()
    house.put("jenkins.probe", f"password: {PLANTS['output of a probe']}\n")
    house.engine.docker(
        "run", "-d", "--name", "mlops-project-a-1", "--network=none", "--label", "mlops.managed=true",
        "--label", "mlops.project=project-a", "--label", f"hub-token={PLANTS['label of a container']}",
        "--env", f"DB_PASSWORD={PLANTS['environment of a container']}", "-v", f"{house.shared}:/house",
        "busybox:test", "sh", "-c", "cat /house/plants.log; exec sleep 1000",
    )  # fmt: skip
    until_sync(lambda: "epoch 3" in house.engine.docker("logs", "mlops-project-a-1"), "the log to be there")
    until_sync(
        lambda: "plant-of" in str(house.engine.inspect(house.container("jenkins"))["State"]["Health"]), "the probe to say it"
    )
    node = house.controller.nodes["trainer-1"]
    node.temporarily_offline = f"mended with token={PLANTS['a node']}"
    yield house
    node.temporarily_offline = None
    house.engine.docker("rm", "-f", "mlops-project-a-1")
    house.put("jenkins.probe", probe)
    for file in (login, secret, settings):
        file.unlink()
    login.parent.rmdir()
    login.parent.parent.rmdir()


def test_no_secret_is_in_it_wherever_one_was(planted: House, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "report.tar.gz"
    assert main(["support", "-o", str(file), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator(json.loads((SCHEMAS / "support.schema.json").read_text())).validate(told)
    assert file.stat().st_mode & 0o777 == 0o600
    found = members(file)
    assert {one["name"]: one["bytes"] for one in told["items"]} == {name: len(content) for name, content in found.items()}
    for where, plant in PLANTS.items():
        holding = [name for name, content in found.items() if plant.encode() in content]
        assert holding == [], f"{where}: in {holding}"
    log = found["logs/mlops-project-a-1.log"].decode()
    assert "kept: epoch 3 of 10, num_tokens: 512" in log
    assert log.count("********") == 20
    # It was not left out: it was read, and is hidden.
    assert b"********" in found["nodes.json"]
    assert b"password: ********" in found["services.json"]
    values = {one["key"]: one["value"] for one in json.loads(found["settings.json"])["items"]}
    assert (values["notify.command"], values["notify.webhook"]) == (["/usr/bin/tell", "--token", "********"], "********")
    assert str(values["notify.secret_file"]).endswith("notify-secret"), "where it is may be told"
    assert json.loads(found["doctor.json"])["broken"] == "job"
    assert json.loads(found["versions.json"])["engine"].startswith("20.10")
    assert "MLOPS_JENKINS_TOKEN" in json.loads(found["versions.json"])["variables"]
    assert {"README.txt", "settings.json", "status.json", "runs.json", "services.json", "logs/mlops-project-a-1.log"} <= set(
        found
    )


def test_nothing_is_overwritten_and_nothing_is_left(house: House, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "there.tar.gz"
    file.write_text("mine")
    assert main(["support", "-o", str(file)]) == 1
    assert "is there already, and is not overwritten" in capsys.readouterr().err
    assert main(["support", "-o", str(tmp_path)]) == 2
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("there.tar.gz", "mine")]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("none/deeper/x.tgz", "there is no folder {}/none/deeper."),
        ("file/x.tgz", "{}/file is not a folder."),
        ("file/deeper/x.tgz", "{}/file is not a folder."),
    ],
)
def test_a_folder_that_is_not_there_is_not_made(
    name: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("mine")
    assert main(["--demo", "support", "-o", str(tmp_path / name)]) == 1
    assert says.format(tmp_path) in capsys.readouterr().err
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


def test_a_server_where_nothing_answers_has_a_report_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none")
    monkeypatch.delenv("MLOPS_JENKINS_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    assert main(["support", "-o", "x.tar.gz"]) == 0
    assert "Look through it before you send it" in capsys.readouterr().out
    found = members(tmp_path / "x.tar.gz")
    assert json.loads(found["doctor.json"])["broken"] == "docker"
    assert "Docker is not there" in found["services.json"].decode()


def test_settings_that_are_wrong_are_in_the_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    config = tmp_path / "bad.toml"
    config.write_text("nonsense = 1\n")
    monkeypatch.setenv("MLOPS_CONFIG", str(config))
    assert main(["support", "-o", "x.tar.gz"]) == 0
    found = members(tmp_path / "x.tar.gz")
    assert "there is no setting nonsense" in found["status.txt"].decode()
    assert "status.json" not in found
    assert "a NAME.txt is what it complained of" in found["README.txt"].decode()
    assert "paths of this machine" in found["README.txt"].decode()
    assert json.loads(found["doctor.json"])["broken"] == "settings"


def _breaks(_context: object) -> int:
    raise LookupError("token=plant-of-a-defect")


def test_a_defect_of_a_command_is_in_the_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("console.cli.status.status", click.Command("status", callback=click.pass_obj(_breaks)))
    assert main(["--demo", "support", "-o", "x.tar.gz"]) == 0
    found = members(tmp_path / "x.tar.gz")
    said = found["status.txt"].decode()
    assert said.startswith("Traceback")
    assert "LookupError: token=********" in said
    assert "status.json" not in found
    assert json.loads(found["doctor.json"])["broken"] == "compose", "all else is there"


def test_an_answer_that_is_no_json_is_in_the_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("console.cli.status.status", click.Command("status", callback=lambda: click.echo("{broken")))
    assert main(["--demo", "support", "-o", "x.tar.gz"]) == 0
    said = members(tmp_path / "x.tar.gz")["status.txt"].decode()
    assert said.startswith("{broken")
    assert "JSONDecodeError" in said


@pytest.mark.parametrize(("part", "file"), [("world_of", "world.txt"), ("logs", "logs.txt")])
def test_a_defect_in_what_no_command_tells(part: str, file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def breaks(*_arguments: object) -> None:
        raise LookupError("a defect")

    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(f"console.doctor.bundle.{part}", breaks)
    assert main(["--demo", "support", "-o", "x.tar.gz"]) == 0
    found = members(tmp_path / "x.tar.gz")
    assert "LookupError: a defect" in found[file].decode()
    assert "versions.json" in found


def test_a_report_is_not_written_where_secrets_cannot_be_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def breaks(*_arguments: object) -> None:
        raise LookupError("a defect")

    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("console.doctor.bundle.secrets", breaks)
    assert main(["--demo", "support", "-o", "x.tar.gz"]) != 0
    assert not (tmp_path / "x.tar.gz").exists()
