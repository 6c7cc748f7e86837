"""Files with secrets that the settings name: whoever else can read one is found, and taken that right."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.main import main
from tests.console.doctor.house import examined
from tests.console.doctor.test_house import config
from tests.console.doctor.ward import Ward
from tests.support.jenkins.reaching import TOKEN


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
