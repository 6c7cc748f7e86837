"""Files with secrets that the settings name: whoever else can read one is found, and taken that right."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from console.main import main
from tests.console.doctor.house import examined
from tests.console.doctor.test_house import config
from tests.console.doctor.test_support import members
from tests.console.doctor.ward import Ward
from tests.support.jenkins.reaching import TOKEN
from tests.support.waiting import until_sync


def kept(folder: Path, name: str, mode: int = 0o644) -> Path:
    file = folder / name
    file.write_text(f"{TOKEN}\n")
    file.chmod(mode)
    return file


@pytest.fixture
def token(ward: Ward, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What Jenkins is asked with, in a file that everybody can read."""
    monkeypatch.delenv("MLOPS_JENKINS_TOKEN")
    return kept(tmp_path, "token")


def test_the_token_of_jenkins(ward: Ward, token: Path) -> None:
    config(ward, f'[jenkins]\ntoken_file = "{token}"\n')
    found = ward.is_named("settings", f"{token} can be read by everybody (mode 0644)", f"chmod 0640 {token}")
    assert found["settings"]["can_fix"]
    assert (found["jenkins"]["state"], found["jenkins"]["because"]) == ("skipped", "settings")
    assert found["docker"]["state"] == "ok", "all else can be asked"
    ward.mends(str(token))
    assert token.stat().st_mode & 0o777 == 0o640


def test_read_only_still_mends_nothing(ward: Ward, token: Path) -> None:
    config(ward, f'read_only = true\n[jenkins]\ntoken_file = "{token}"\n')
    assert main(["doctor", "--fix", "--yes"]) == 2
    assert "Read-only: acts are off" in ward.capsys.readouterr().err
    assert token.stat().st_mode & 0o777 == 0o644


def test_what_a_link_leads_to(ward: Ward, token: Path) -> None:
    link = token.with_name("link")
    link.symlink_to(token)
    config(ward, f'[jenkins]\ntoken_file = "{link}"\n')
    ward.is_named("settings", f"{token} can be read by everybody")


def test_beside_other_mistakes(ward: Ward, token: Path) -> None:
    config(ward, f'nonsense = 1\n[jenkins]\ntoken_file = "{token}"\n')
    found = ward.is_named("settings", "there is no setting nonsense", f"{token} can be read by everybody")
    assert found["settings"]["can_fix"]


def test_the_secret_of_the_webhook(ward: Ward, tmp_path: Path) -> None:
    secret = kept(tmp_path, "hook")
    config(ward, f'[notify]\nsecret_file = "{secret}"\n')
    ward.is_named("settings", f"{secret} can be read by everybody")
    ward.mends(str(secret))
    assert secret.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("told", ["[docker]\ncert_path = '{}'\n", ""], ids=["setting", "variable"])
def test_the_key_for_the_engine(ward: Ward, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str) -> None:
    key = kept(tmp_path, "key.pem")
    config(ward, told.format(tmp_path))
    if not told:
        monkeypatch.setenv("DOCKER_CERT_PATH", str(tmp_path))
    found = examined(ward.capsys)
    assert f"{key} can be read by everybody" in str(found["settings"]["seen"])


def test_the_key_where_no_setting_names_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ward: Ward) -> None:
    """Docker itself looks for it in its own folder."""
    (tmp_path / ".docker").mkdir()
    key = kept(tmp_path / ".docker", "key.pem")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    assert f"{key} can be read by everybody" in str(examined(ward.capsys)["settings"]["seen"])


def test_a_report_has_all_else_and_not_the_secret(ward: Ward, token: Path, tmp_path: Path) -> None:
    token.write_text("plant-in-an-open-file\n")
    ward.house.put("jenkins.probe", "up, with plant-in-an-open-file\n")
    ward.undo.append(lambda: ward.house.put("jenkins.probe", "Jenkins is up\n"))
    jenkins = ward.house.container("jenkins")
    until_sync(lambda: "plant-in" in str(ward.house.engine.inspect(jenkins)["State"]["Health"]), "the probe to say it")
    config(ward, f'[jenkins]\ntoken_file = "{token}"\n')
    assert main(["support", "-o", str(tmp_path / "x.tar.gz")]) == 0
    found = members(tmp_path / "x.tar.gz")
    assert json.loads(found["versions.json"])["engine"].startswith("20.10")
    assert any(name.startswith("logs/") for name in found)
    assert [name for name, content in found.items() if b"plant-in-an-open-file" in content] == []
