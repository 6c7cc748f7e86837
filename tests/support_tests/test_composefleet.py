"""The project with a service in every state: each state by the facts the Engine gives."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.composefleet import COMPOSE_FILE, PROBE_OUTPUT, Fleet, fleet_of
from tests.support.engine import Engine
from tests.support.skips import NO_MEMORY_LIMIT
from tests.support.waiting import until_sync


def state(fleet: Fleet, service: str) -> Any:
    return fleet.inspect(service)["State"]


def label(fleet: Fleet, service: str, name: str) -> Any:
    return fleet.inspect(service)["Config"]["Labels"][f"com.docker.compose.{name}"]


def hashes(fleet: Fleet) -> dict[str, str]:
    """What Compose would label each service's containers with today."""
    told = fleet.engine.docker("compose", "-f", str(fleet.file), "config", "--hash", "*")
    return dict(line.split() for line in told.splitlines())


def test_every_declared_service_has_its_state(fleet: Fleet) -> None:
    assert fleet.file.read_text() == COMPOSE_FILE.read_text()
    assert sorted(hashes(fleet)) == sorted(fleet.expected)


@pytest.mark.parametrize("service", ["healthy", "unhealthy", "starting"])
def test_probed(fleet: Fleet, service: str) -> None:
    assert fleet.expected[service] == service
    assert state(fleet, service)["Status"] == "running"
    assert state(fleet, service)["Health"]["Status"] == service


def test_the_failed_probe_tells_why(fleet: Fleet) -> None:
    newest = state(fleet, "unhealthy")["Health"]["Log"][-1]
    assert (newest["ExitCode"], newest["Output"].strip()) == (7, PROBE_OUTPUT)


def test_running_without_a_probe(fleet: Fleet) -> None:
    assert state(fleet, "running")["Status"] == "running"
    assert "Health" not in state(fleet, "running")


def test_restarting(fleet: Fleet) -> None:
    until_sync(lambda: state(fleet, "restarting")["Status"] == "restarting", "a rest between two restarts")
    assert fleet.inspect("restarting")["RestartCount"] >= 5


def test_exited(fleet: Fleet) -> None:
    assert (state(fleet, "exited")["Status"], state(fleet, "exited")["ExitCode"]) == ("exited", 3)


def test_killed_for_its_memory(fleet: Fleet) -> None:
    if not fleet.engine.limits_memory:
        pytest.skip(NO_MEMORY_LIMIT)
    killed = state(fleet, "killed")
    assert (killed["Status"], killed["ExitCode"], killed["OOMKilled"]) == ("exited", 137, True)
    assert fleet.inspect("killed")["HostConfig"]["Memory"] == 16 << 20


def test_missing(fleet: Fleet) -> None:
    with pytest.raises(AssertionError, match="404"):
        fleet.inspect("missing")


def test_scaled_below(fleet: Fleet) -> None:
    assert state(fleet, "scaled")["Status"] == "running"
    with pytest.raises(AssertionError, match="404"):
        fleet.inspect("scaled", 2)
    assert label(fleet, "scaled", "config-hash") == hashes(fleet)["scaled"]


def test_done(fleet: Fleet) -> None:
    assert (state(fleet, "done")["Status"], state(fleet, "done")["ExitCode"]) == ("exited", 0)
    assert fleet.inspect("done")["HostConfig"]["RestartPolicy"]["Name"] == "no"


def test_only_the_drifted_one_has_another_configuration(fleet: Fleet) -> None:
    declared = hashes(fleet)
    there = [service for service in fleet.expected if service != "missing"]
    drifted = [service for service in there if label(fleet, service, "config-hash") != declared[service]]
    assert drifted == ["drifted-config"]


def test_the_drifted_image(fleet: Fleet) -> None:
    moved = fleet.engine.api("GET", "/images/busybox:moving/json")["Id"]
    assert fleet.inspect("drifted-image")["Image"] != moved
    assert fleet.inspect("drifted-image")["Config"]["Image"] == "busybox:moving"


def test_stopped_by_hand(fleet: Fleet) -> None:
    assert state(fleet, "stopped")["Status"] == "exited"
    assert fleet.inspect("stopped")["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"


def test_paused(fleet: Fleet) -> None:
    assert state(fleet, "paused")["Status"] == "paused"


def test_quiet_containers_by_the_dozen(own_engine: Engine) -> None:
    names = fleet_of(own_engine, 5) + fleet_of(own_engine, 1)
    running = own_engine.docker("ps", "--format", "{{.Names}}").split()
    assert sorted(running) == sorted(names)
    assert len(set(names)) == 6
