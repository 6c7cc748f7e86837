"""infra/docker-compose.yml on a server: five services, healthy, closed, and the same after a second `up`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.infra.compose.conftest import Running
from tests.support import skips
from tests.support.frps import delivery
from tests.support.platform import DOMAIN, SERVICES, Answer, Platform, volumes
from tests.support.server import OUTSIDE, SERVER
from tests.support.waiting import until_sync

SENTENCES = {
    "agent": "sshd and the Docker Engine answer, and the volumes can be written",
    "frp_client": f"the tunnel to {OUTSIDE} is up",
    "gate": "the gate is open",
    "jenkins": "Jenkins is up",
    "portainer": "Portainer answers",
}
# The user of each, and what it may do besides nothing.
USERS = {"agent": "0", "frp_client": "1000", "gate": "1000", "jenkins": "1000", "portainer": "0"}
CAPABILITIES = {"agent": {"SETUID", "SETGID", "SYS_CHROOT"}}
MEMORY = {"agent": 8 << 30, "frp_client": 128 << 20, "gate": 128 << 20, "jenkins": 2 << 30, "portainer": 512 << 20}
VOLUMES = {f"mlops_{name}" for name in ("agent-home", "agent-work", "jenkins-home", "portainer-data")}


def _identities(platform: Platform) -> dict[str, tuple[str, str]]:
    facts = {service: platform.inspect(service) for service in SERVICES}
    return {service: (one["Id"], one["State"]["StartedAt"]) for service, one in facts.items()}


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_is_healthy_and_its_probe_says_so(platform: Platform, service: str) -> None:
    def well() -> bool:
        word, said = platform.health(service)
        # The tunnel's goes on with a moment.
        return (word, said.partition(" since ")[0]) == ("healthy", SENTENCES[service])

    until_sync(well, f"{service} to be healthy", 60.0)
    assert platform.inspect(service)["RestartCount"] == 0


def test_a_second_up_changes_nothing(platform: Platform) -> None:
    before = _identities(platform)
    platform.compose("up", "--detach")
    assert _identities(platform) == before


@pytest.mark.parametrize("service", SERVICES)
def test_each_may_do_what_it_needs_and_no_more(platform: Platform, service: str) -> None:
    facts = platform.inspect(service)
    host = facts["HostConfig"]
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert host["CapDrop"] == ["ALL"]
    assert {capability.removeprefix("CAP_") for capability in host["CapAdd"] or ()} == CAPABILITIES.get(service, set())
    assert host["Privileged"] is False
    assert host["ReadonlyRootfs"] is (service != "agent")
    assert host["RestartPolicy"]["Name"] == "unless-stopped"
    assert host["LogConfig"] == {"Type": "json-file", "Config": {"max-size": "64m", "max-file": "4"}}
    assert 0 < host["PidsLimit"] <= 4096
    assert (host["PidMode"], host["IpcMode"], host["UsernsMode"]) == ("", "private", "")
    assert (platform.call(service, "id", "-u").said, host["Devices"] or []) == (USERS[service], [])


@pytest.mark.parametrize("service", SERVICES)
def test_each_has_a_limit_of_memory(platform: Platform, service: str) -> None:
    if not platform.server.limits_memory:
        pytest.skip(skips.NO_MEMORY_LIMIT)
    assert platform.inspect(service)["HostConfig"]["Memory"] == MEMORY[service]


def test_the_socket_is_in_the_agent_and_in_portainer_alone(platform: Platform) -> None:
    def has_it(facts: Any) -> bool:
        return any(mount["Source"].endswith("docker.sock") for mount in facts["Mounts"])

    assert {service for service in SERVICES if has_it(platform.inspect(service))} == {"agent", "portainer"}


@pytest.mark.parametrize("service", SERVICES)
def test_each_sees_its_own_secrets_and_can_change_none(platform: Platform, service: str) -> None:
    mounts = {one["Destination"]: one for one in platform.inspect(service)["Mounts"] if "/run/secrets/" in one["Destination"]}
    listed = json.loads(platform.compose("config", "--format=json"))["services"][service]["secrets"]
    assert set(mounts) == {f"/run/secrets/{one['source']}" for one in listed}
    assert [name for name, mount in mounts.items() if mount["RW"]] == []


def test_ports_are_published_on_the_loopback_alone(running: Running) -> None:
    platform = running.platform
    published = {service: platform.inspect(service)["NetworkSettings"]["Ports"] for service in SERVICES}
    bound = {(name, port, *one.values()) for name, ports in published.items() for port in ports for one in ports[port] or ()}
    assert bound == {("jenkins", "8080/tcp", "127.0.0.1", "8080"), ("portainer", "9443/tcp", "127.0.0.1", "9443")}
    for port in (8080, 9443):
        platform.server.network.connect(port).close()
        with pytest.raises(ConnectionRefusedError):
            platform.server.world.connect(port, SERVER)


def test_no_secret_is_seen_from_outside(running: Running) -> None:
    platform = running.platform
    path = "/generic-webhook-trigger/invoke"
    signature = {"X-Hub-Signature-256": f"sha256={'0' * 64}"}
    assert running.frps.ask("POST", path, DOMAIN, delivery(), signature).status == 200
    shown = {"docker compose config": platform.compose("config"), "docker compose logs": platform.compose("logs", "--no-color")}
    for service in SERVICES:
        shown[f"docker inspect {service}"] = json.dumps(platform.inspect(service))
        image = platform.inspect(service)["Image"]
        shown[f"docker history {service}"] = platform.server.docker("history", "--no-trunc", image)
        shown[f"processes of {service}"] = platform.server.docker("top", platform.container(service), "-eo", "pid,args")
    assert [(where, name) for where, text in shown.items() for name, value in platform.values().items() if value in text] == []


def test_portainer_is_called_with_the_password_as_a_file(platform: Platform) -> None:
    called = "--admin-password-file /run/secrets/portainer-admin-password --bind 127.0.0.1:9000 --bind-https :9443"
    assert platform.log("portainer")[0] == f"portainer was called with: {called}"


def test_the_controller_has_a_lock_for_each_gpu(platform: Platform) -> None:
    assert platform.log("jenkins")[0].startswith("jenkins: configuration platform.yaml")
    with platform.settings(MLOPS_GPUS="2"):
        platform.compose("up", "--detach", "jenkins")
        platform.until_good("jenkins")
        locks = platform.call("jenkins", "cat", "/run/mlops/casc/gpus.yaml").said
    assert [line.split(",")[0].strip() for line in locks.splitlines()[3:]] == [
        "- {name: trainer-1-gpu-0",
        "- {name: trainer-1-gpu-1",
    ]
    with platform.settings(RELEASE_BRANCH="main') }"):
        platform.compose("up", "--detach", "jenkins")
        platform.until_told(
            "jenkins",
            "jenkins: RELEASE_BRANCH is no name of a branch: mend it in infra/.env, then docker compose up -d jenkins",
        )
    platform.compose("up", "--detach", "jenkins")
    platform.until_good("jenkins")
    assert platform.call("jenkins", "ls", "/run/mlops/casc").said == "platform.yaml"


def test_the_controllers_probe_tells_what_jenkins_says(platform: Platform) -> None:
    home = "/var/jenkins_home"
    platform.call("jenkins", "touch", f"{home}/is-starting")
    assert platform.probe("jenkins") == Answer(1, "Jenkins is starting (503)")
    platform.call("jenkins", "rm", f"{home}/is-starting")

    exception = "io.jenkins.plugins.casc.UnknownAttributesException: jenkins: Invalid configuration elements: agentt"
    platform.call("jenkins", "bash", "-c", f"echo '{exception}' >{home}/is-misconfigured")
    said = platform.probe("jenkins")
    assert said.status == 1
    assert said.said == (
        "Jenkins is up, and its configuration could not be applied (500): "
        "casc.UnknownAttributesException: jenkins: Invalid configuration elements: agentt"
    )
    platform.call("jenkins", "bash", "-c", f"echo gone >{home}/is-misconfigured")
    assert platform.probe("jenkins").said.endswith("(500): see docker compose logs jenkins")
    platform.call("jenkins", "rm", f"{home}/is-misconfigured")
    assert platform.probe("jenkins") == Answer(0, "Jenkins is up")


def test_one_service_restarts_alone(platform: Platform) -> None:
    before = _identities(platform)
    platform.compose("restart", "gate")
    platform.until_good("gate")
    after = _identities(platform)
    assert {service for service in SERVICES if before[service] != after[service]} == {"gate"}
    assert before["gate"][0] == after["gate"][0]


def test_down_keeps_the_volumes_and_leaves_none_without_a_name(platform: Platform) -> None:
    assert volumes(platform.server) == VOLUMES
    platform.call("jenkins", "bash", "-c", "echo 42 >/var/jenkins_home/nextBuildNumber")
    platform.call("agent", "sh", "-c", "mkdir -p /home/jenkins/agent/runs/train-42", user="jenkins")
    platform.compose("down")
    assert volumes(platform.server) == VOLUMES
    platform.compose("up", "--detach", "--wait")
    assert platform.call("jenkins", "cat", "/var/jenkins_home/nextBuildNumber").said == "42"
    assert platform.call("agent", "ls", "/home/jenkins/agent/runs", user="jenkins").said == "train-42"
    assert volumes(platform.server) == VOLUMES
