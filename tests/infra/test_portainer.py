"""Portainer's set-up as people call it. tests/support/portainer.py says where the stand-in's answers are known from."""

from __future__ import annotations

import copy
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.jenkins.steps.problem import Problem
from infra.portainer.api import Portainer
from tests.repository.clone import ROOT
from tests.support.portainer import Standin, certificate, endpoint, serving

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")

PROGRAM = ROOT / "infra" / "bin" / "portainer-setup"
ADMIN, DEVELOPER = "a" * 31 + "1", "d" * 31 + "2"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certificate(tmp_path_factory.mktemp("tls"), "portainer")


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    for who, text in (("admin", ADMIN), ("developer", DEVELOPER)):
        file = tmp_path / f"portainer-{who}-password"
        file.write_text(f"{text}\n")
        file.chmod(0o400)
    return tmp_path


@pytest.fixture
def standin(pair: tuple[Path, Path]) -> Iterator[Standin]:
    with serving(Standin({"admin": ADMIN}), pair) as found:
        yield found


def call(standin: Standin, secrets: Path, *words: str) -> tuple[int, str]:
    """Exit status and what it said, which holds no secret. It is called as on a server: nothing but Python's own library."""
    done = subprocess.run(
        [sys.executable, "-S", PROGRAM, "--url", standin.url, "--secrets", secrets, "--wait", "0", *words],
        env={"PATH": os.environ["PATH"], "HTTPS_PROXY": "http://127.0.0.1:1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = done.stdout + done.stderr
    assert ADMIN not in said
    assert DEVELOPER not in said
    assert "token of" not in said
    assert "Traceback" not in said
    return done.returncode, said


def is_as_it_should(standin: Standin) -> None:
    (local,) = [one for one in standin.endpoints if one["URL"] == "unix:///var/run/docker.sock"]
    assert not [name for name, on in local["SecuritySettings"].items() if on]
    (team,) = [one for one in standin.teams if one["Name"] == "developers"]
    (user,) = [one for one in standin.users if one["Username"] == "developer"]
    assert user["Role"] == 2
    assert [(one["UserID"], one["TeamID"], one["Role"]) for one in standin.memberships] == [(user["Id"], team["Id"], 2)]
    assert local["TeamAccessPolicies"][str(team["Id"])] == {"RoleId": 0}
    assert standin.passwords == {"admin": ADMIN, "developer": DEVELOPER}


@pytest.mark.parametrize("nested", [False, True])
def test_after_the_first_start_and_again(standin: Standin, secrets: Path, nested: bool) -> None:
    """Older and newer versions want the settings in another form. A second time nothing is changed."""
    standin.nested = nested
    status, said = call(standin, secrets)
    assert status == 0, said
    is_as_it_should(standin)
    for made in (
        "made the environment local.",
        "made the team developers.",
        "made the user developer.",
        "access to the environment.",
    ):
        assert made in said
    assert "switched off for non-administrators: allowBindMountsForRegularUsers" in said
    before, made_then = standin.state(), len(standin.changes)
    assert call(standin, secrets) == (0, "portainer-setup: all is as it should be.\n")
    assert standin.state() == before
    assert len(standin.changes) == made_then


def test_restricted_before_anybody_has_access(standin: Standin, secrets: Path) -> None:
    assert call(standin, secrets)[0] == 0
    assert standin.changes.index("PUT /api/endpoints/1/settings") < standin.changes.index("POST /api/users")
    assert standin.changes[-1] == "PUT /api/endpoints/1"


@pytest.mark.parametrize("taken", range(6))
def test_what_was_half_done_is_finished(standin: Standin, secrets: Path, taken: int) -> None:
    standin.dies_after = taken
    status, said = call(standin, secrets)
    assert status == 3
    assert "Portainer went away: " in said
    assert "Call this again: it goes on where it was." in said
    assert len(standin.changes) == taken
    standin.dies_after = None
    assert call(standin, secrets)[0] == 0
    is_as_it_should(standin)
    assert len(standin.changes) == len(set(standin.changes)) == 6, "nothing is done twice"


def test_what_others_made_stays(standin: Standin, secrets: Path) -> None:
    standin.users.append({"Id": 2, "Username": "sato", "Role": 1})
    standin.teams.append({"Id": 1, "Name": "operators"})
    other = endpoint(1, "elsewhere", "tcp://10.0.0.2:2375")
    standin.endpoints.append(copy.deepcopy(other))
    primary = endpoint(2, "primary")
    primary["TeamAccessPolicies"] = {"1": {"RoleId": 0}}
    primary["UserAccessPolicies"] = {"2": {"RoleId": 0}}
    standin.endpoints.append(primary)
    status, said = call(standin, secrets)
    assert status == 0, said
    assert "made the environment" not in said, "the Engine of this server has one already, of another name"
    is_as_it_should(standin)
    assert standin.endpoints[0] == other
    assert primary["TeamAccessPolicies"] == {"1": {"RoleId": 0}, "2": {"RoleId": 0}}
    assert primary["UserAccessPolicies"] == {"2": {"RoleId": 0}}
    assert standin.users[1] == {"Id": 2, "Username": "sato", "Role": 1}


@pytest.mark.parametrize("nested", [False, True])
def test_what_was_changed_by_hand_is_put_right(standin: Standin, secrets: Path, nested: bool) -> None:
    standin.nested = nested
    assert call(standin, secrets)[0] == 0
    standin.passwords["developer"] = "another password"
    standin.users[1]["Role"] = 1
    standin.endpoints[0]["SecuritySettings"]["allowPrivilegedModeForRegularUsers"] = True
    status, said = call(standin, secrets)
    assert status == 0
    assert said.splitlines() == [
        "portainer-setup: switched off for non-administrators: allowPrivilegedModeForRegularUsers.",
        "portainer-setup: made developer a standard user: it was an administrator.",
        "portainer-setup: set the password of developer to that of its file.",
    ]
    is_as_it_should(standin)


def test_a_setting_that_this_version_alone_knows_is_switched_off_too(standin: Standin, secrets: Path) -> None:
    standin.nested = True
    standin.endpoints.append(endpoint(1, "local"))
    standin.endpoints[0]["SecuritySettings"]["allowSecurityOptForRegularUsers"] = True
    assert call(standin, secrets)[0] == 0
    is_as_it_should(standin)


def test_settings_that_do_not_hold_are_told_and_nobody_gets_in(standin: Standin, secrets: Path) -> None:
    standin.deaf_to_settings = True
    status, said = call(standin, secrets)
    assert status == 1
    assert "still has allowBindMountsForRegularUsers, " in said
    assert not standin.teams
    assert standin.endpoints[0]["TeamAccessPolicies"] == {}


def test_a_volume_that_was_made_with_another_password(standin: Standin, secrets: Path) -> None:
    standin.passwords["admin"] = "an older password"
    status, said = call(standin, secrets)
    assert status == 1
    assert "its volume was made with another one" in said
    assert not standin.changes


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        (
            "locked",
            "Portainer has locked itself (Administrator initialization timeout): restart it (docker compose restart",
        ),
        ("banned", "Portainer does not permit logging in as admin: Access denied (403). After many log-ins in a short time"),
    ],
)
def test_what_keeps_everybody_out(standin: Standin, secrets: Path, trouble: str, told: str) -> None:
    setattr(standin, trouble, True)
    status, said = call(standin, secrets)
    assert status == 1
    assert told in said


def test_a_portainer_without_docker(standin: Standin, secrets: Path) -> None:
    standin.docker = False
    status, said = call(standin, secrets)
    assert status == 1
    assert "Portainer cannot reach Docker: Unable to initiate communications with endpoint (500)." in said
    assert "/var/run/docker.sock" in said


def test_the_name_of_the_environment_is_taken_by_another(standin: Standin, secrets: Path) -> None:
    standin.endpoints.append(endpoint(1, "local", "tcp://10.0.0.2:2375"))
    status, said = call(standin, secrets)
    assert status == 1
    assert "Give it another name in Portainer" in said
    assert not standin.changes


def test_it_waits_until_portainer_has_started(standin: Standin, secrets: Path) -> None:
    standin.starting = 3
    assert call(standin, secrets, "--wait", "30")[0] == 0
    standin.starting = 3
    status, said = call(standin, secrets)
    assert status == 3
    assert "Portainer does not answer at https://127.0.0.1:" in said
    assert "starting (503). See whether it runs: docker compose ps portainer" in said


def test_nobody_there(secrets: Path) -> None:
    status, said = call(Standin({}, url="https://127.0.0.1:1"), secrets)
    assert status == 3
    assert "does not answer at https://127.0.0.1:1: connection refused." in said


def test_the_certificate_of_the_file_and_no_other(
    standin: Standin, secrets: Path, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    other, _ = certificate(tmp_path, "other")
    status, said = call(standin, secrets, "--certificate", str(other))
    assert status == 1
    assert re.search(
        r"shows another certificate than the file that was given: nothing was sent\. Its SHA-256 is [0-9a-f]{64}\.", said
    )
    assert not standin.requests
    assert call(standin, secrets, "--certificate", str(pair[0]))[0] == 0


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://portainer.example.org:9443", "is not this machine: give its certificate with --certificate FILE."),
        ("https://10.0.0.2:9443", "is not this machine: give its certificate with --certificate FILE."),
        ("https://127.0.0.1.example.org", "is not this machine: give its certificate with --certificate FILE."),
        ("http://127.0.0.1:9000", "is no address of Portainer: give https://HOST:PORT."),
        ("https://127.0.0.1:9443/api", "is no address of Portainer: give https://HOST:PORT."),
    ],
)
def test_addresses_that_are_not_spoken_to(url: str, told: str) -> None:
    with pytest.raises(Problem, match=re.escape(told)):
        Portainer(url, None)


def test_secrets_that_cannot_be_read(standin: Standin, secrets: Path, tmp_path: Path) -> None:
    file = secrets / "portainer-developer-password"
    file.chmod(0o600)
    file.write_text("\n")
    assert "portainer-developer-password is empty." in call(standin, secrets)[1]
    file.unlink()
    status, said = call(standin, secrets)
    assert status == 2
    assert said == f"portainer-setup: There is no {file}. Make the secrets: make secrets\n"
    assert not standin.requests
    nothing = tmp_path / "nothing.pem"
    file.write_text(DEVELOPER)
    assert "cannot be read: No such file or directory." in call(standin, secrets, "--certificate", str(nothing))[1]
    assert "holds no certificate in PEM form." in call(standin, secrets, "--certificate", str(file))[1]
