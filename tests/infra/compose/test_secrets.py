"""A secret that is not as it should be: its service waits and says so, and goes on when it is mended."""

from __future__ import annotations

import os

import pytest

from tests.support.platform import SERVICES, Answer, Platform

# A secret of each service that has none but its own reader.
ONE_OF = {
    "agent": "agent-host-key",
    "frp_client": "frp-admin-password",
    "gate": "webhook-token",
    "jenkins": "jenkins-release-bot-token",
    "portainer": "portainer-admin-password",
}
READER = {"agent": 0, "frp_client": 1000, "gate": 1000, "jenkins": 1000, "portainer": 0}


def _recreate(platform: Platform, service: str) -> None:
    platform.compose("up", "--detach", "--force-recreate", "--no-deps", service)


def _sentence(service: str, fault: str) -> str:
    name = ONE_OF[service]
    return f"{service}: secret {name} {fault}: run make secrets, then docker compose up -d --force-recreate {service}"


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_waits_for_its_secret_and_says_for_what(platform: Platform, service: str) -> None:
    """In one line, on its log and by its probe; never by ending and starting anew."""
    file = platform.secrets / ONE_OF[service]
    content = file.read_text()
    told = [_sentence(service, "is empty")]
    with platform.secret(ONE_OF[service], ""):
        _recreate(platform, service)
        platform.until_told(service, told[-1])

        file.write_text(content)
        file.chmod(0o644)
        told.append(_sentence(service, "is readable by everybody (0644)"))
        platform.until_told(service, told[-1])

        # Root without its capabilities cannot read it either.
        os.chown(file, 1001, 1001)
        file.chmod(0o400)
        told.append(_sentence(service, f"cannot be read by user {READER[service]} (0400, owner 1001)"))
        platform.until_told(service, told[-1])
        assert platform.log(service) == told
        facts = platform.inspect(service)
        assert (facts["RestartCount"], facts["State"]["Status"]) == (0, "running")

    # A new file stands there now, as make secrets writes it. The container still has the old one, as the line knows.
    assert platform.probe(service) == Answer(1, told[-1])
    assert platform.follow(told[-1].partition(", then ")[2]).status == 0
    platform.until_good(service)


def test_a_mended_file_is_noticed_without_more(platform: Platform) -> None:
    with platform.secret("webhook-token", mode=0o644):
        _recreate(platform, "gate")
        platform.until_told("gate", _sentence("gate", "is readable by everybody (0644)"))
        (platform.secrets / "webhook-token").chmod(0o400)
        platform.until_good("gate")
        assert platform.log("gate")[1] == "gate: the secrets are good now"
        assert platform.inspect("gate")["RestartCount"] == 0
    _recreate(platform, "gate")
    platform.until_good("gate")


def test_a_secret_that_is_missing_is_told_by_preflight_and_hardly_by_compose(platform: Platform) -> None:
    file = platform.secrets / "webhook-token"
    aside = platform.folder / "aside"
    file.rename(aside)
    try:
        refused = platform.try_compose("up", "--detach", "--force-recreate", "--no-deps", "gate")
        assert refused.status != 0
        assert f"bind source path does not exist: {file}" in refused.said
        assert not file.exists()
        preflight = platform.follow("bin/preflight")
        assert preflight.status == 2
        assert "infra/secrets/webhook-token is missing. Make it: sudo make secrets" in preflight.said.splitlines()
    finally:
        aside.rename(file)
    _recreate(platform, "gate")
    platform.until_good("gate")


def test_a_token_that_would_end_the_gates_configuration_is_refused(platform: Platform) -> None:
    with platform.secret("webhook-token", 'x"; return 200;\n'):
        _recreate(platform, "gate")
        platform.until_told(
            "gate",
            "gate: secret webhook-token is no token: run make secrets ROTATE=webhook-token, "
            "then docker compose up -d --force-recreate gate jenkins",
        )
        assert platform.inspect("gate")["RestartCount"] == 0
    _recreate(platform, "gate")
    platform.until_good("gate")
