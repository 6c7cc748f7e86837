"""Who reaches whom: a training reaches the world and nothing of the platform, the gate the controller and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.infra.compose.conftest import Running
from tests.support import standins
from tests.support.frps import WEB_PORT
from tests.support.platform import SERVICES, Platform, networks_of
from tests.support.server import OUTSIDE, SERVER

TRAININGS = "mlops-train"
# Everything that listens anywhere in the platform, and what usually does.
PORTS = (22, 80, 443, 2375, 2376, 5000, 7000, 7400, 8000, 8080, 8443, 9000, 9443, 50000)
NETWORKS = {
    "agent": {"mlops_control"},
    "frp_client": {"mlops_outside", "mlops_tunnel"},
    "gate": {"mlops_hook", "mlops_tunnel"},
    "jenkins": {"mlops_control", "mlops_hook"},
    "portainer": {"mlops_web"},
}
# Every connection at once; a port that nobody answers for costs its two seconds.
LOOK = """\
import concurrent.futures, json, socket, sys

def look(target):
    host, port = target
    try:
        socket.create_connection((host, port), timeout=2).close()
    except socket.gaierror:
        return "unknown"
    except ConnectionRefusedError:
        return "refused"
    except TimeoutError:
        return "silent"
    except OSError as error:
        return error.strerror
    return "open"

targets = json.loads(sys.argv[1])
with concurrent.futures.ThreadPoolExecutor(len(targets)) as pool:
    print(json.dumps(list(pool.map(look, targets))))
"""
# What curl ends with.
_NO_CONNECTION, _TIMED_OUT = 7, 28
Target = tuple[str, int]


def _look(platform: Platform, network: str, targets: list[Target]) -> dict[Target, str]:
    """What a new container in a network finds at each of them."""
    command = ("run", "--rm", f"--network={network}", "--entrypoint=python3", standins.JENKINS, "-c", LOOK, json.dumps(targets))
    return dict(zip(targets, json.loads(platform.server.docker(*command)), strict=True))


@pytest.fixture(scope="module")
def addresses(platform_or_reason: Running | str) -> dict[str, list[str]]:
    """Of each service, in all its networks."""
    if isinstance(platform_or_reason, str):
        pytest.skip(platform_or_reason)
    platform = platform_or_reason.platform
    return {service: list(networks_of(platform.inspect(service)).values()) for service in SERVICES}


@pytest.fixture
def outsider(platform: Platform) -> Iterator[str]:
    """A network as trainings' is not: nothing about it is closed."""
    platform.server.docker("network", "create", "any")
    yield "any"
    platform.server.docker("network", "rm", "any")


def test_each_service_is_in_its_networks_alone(platform: Platform) -> None:
    assert {service: set(networks_of(platform.inspect(service))) for service in SERVICES} == NETWORKS
    internal = {name for name in platform.server.docker("network", "ls", "--format={{.Name}}").split()
                if platform.server.api("GET", f"/networks/{name}")["Internal"]}  # fmt: skip
    assert internal == {"mlops_hook", "mlops_tunnel"}


def test_a_training_reaches_the_world_and_nothing_of_the_platform(platform: Platform, addresses: dict[str, list[str]]) -> None:
    made = platform.server.api("GET", f"/networks/{TRAININGS}")
    assert made["Labels"] == {"mlops.managed": "true"}
    assert made["Options"]["com.docker.network.bridge.enable_icc"] == "false"

    names = [(name, port) for name in SERVICES for port in (22, 7400, 8080, 9443)]
    found = _look(platform, TRAININGS, [*names, (OUTSIDE, WEB_PORT)])
    assert found.pop((OUTSIDE, WEB_PORT)) == "open"
    assert {target for target, word in found.items() if word != "unknown"} == set()

    every = [(address, port) for there in addresses.values() for address in there for port in PORTS]
    assert {target: word for target, word in _look(platform, TRAININGS, every).items() if word != "silent"} == {}


def test_from_any_other_network_the_platform_is_as_closed(
    platform: Platform, addresses: dict[str, list[str]], outsider: str
) -> None:
    every = [(address, port) for there in addresses.values() for address in there for port in (22, 7400, 8080, 9000, 9443)]
    assert {target: word for target, word in _look(platform, outsider, every).items() if word != "silent"} == {}


def test_published_ports_are_no_way_in_for_containers(platform: Platform) -> None:
    """The host's own addresses: the gateways of all networks, and the one that the world knows."""
    names = platform.server.docker("network", "ls", "--filter=driver=bridge", "--format={{.Name}}").split()
    settings = [platform.server.api("GET", f"/networks/{name}")["IPAM"]["Config"][0] for name in names]
    gateways = [one["Gateway"] for one in settings if "Gateway" in one]
    assert len(gateways) >= len(NETWORKS)
    targets = [(address, port) for address in (*gateways, SERVER, "127.0.0.1") for port in (8080, 9443)]
    assert "open" not in _look(platform, TRAININGS, targets).values()


def test_what_looks_sees_what_is_open(platform: Platform, addresses: dict[str, list[str]]) -> None:
    """Otherwise all of the above would say nothing."""
    found = _look(platform, "mlops_control", [("jenkins", 8080), ("agent", 22), ("gate", 8080)])
    assert list(found.values()) == ["open", "open", "unknown"]
    assert "open" in _look(platform, "mlops_hook", [(address, 8080) for address in addresses["gate"]]).values()


def test_the_gate_reaches_the_controller_and_not_the_world(running: Running) -> None:
    def gate_asks(address: str) -> tuple[int, str]:
        command = ("curl", "-sS", "-m", "3", "-o", "/dev/null", "-w", "%{http_code}", f"http://{address}/login")
        answer = running.platform.call("gate", *command)
        return answer.status, answer.said

    assert gate_asks("jenkins:8080") == (0, "200")
    # Nobody answers: the packets are dropped on their way. The tunnel's end, which has a way out, is answered there.
    assert gate_asks(f"{OUTSIDE}:{WEB_PORT}")[0] in {_NO_CONNECTION, _TIMED_OUT}
    (control,) = (
        address for name, address in networks_of(running.platform.inspect("agent")).items() if name == "mlops_control"
    )
    assert gate_asks(f"{control}:22")[0] in {_NO_CONNECTION, _TIMED_OUT}


def test_the_tunnels_end_reaches_the_gate_and_not_the_controller(running: Running) -> None:
    def answers(host: str) -> bool:
        return running.platform.call("frp_client", "sh", "-c", f"nc -w 2 {host} 8080 </dev/null").status == 0

    controller = networks_of(running.platform.inspect("jenkins")).values()
    assert answers("gate")
    assert [host for host in ("jenkins", *controller) if answers(host)] == []
