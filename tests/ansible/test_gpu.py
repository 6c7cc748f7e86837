"""A server with a card: what containers are given, and that it is taken back. Card, driver and toolkit are stand-ins."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from . import mirror
from .machine import Machine
from .playing import play, variables
from .repository import Repository

TOP = "/nvidia/amd64"
_CARD = "mkdir -p /run/pci/0000:01:00.0 && cd /run/pci/0000:01:00.0 && echo 0x10de >vendor && echo 0x030200 >class"
_REFRESH = (
    "[Unit]\nDescription=list of GPUs\n[Service]\nType=oneshot\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n"
)
_WATCH = "[Unit]\nDescription=the driver\n[Path]\nPathChanged=/lib/modules\n[Install]\nWantedBy=multi-user.target\n"


@pytest.fixture
def carded(server: Machine) -> Iterator[dict[str, Any]]:
    """The variables for a server that has a card, while it has."""
    repository = Repository(TOP)
    files = {
        "usr/bin/nvidia-ctk": ("#!/bin/sh\nexit 0\n", 0o755),
        # It does what the real one does where no GPU is asked for.
        "usr/bin/nvidia-container-runtime": ('#!/bin/sh\nexec runc "$@"\n', 0o755),
        "usr/lib/systemd/system/nvidia-cdi-refresh.service": (_REFRESH, 0o644),
        "usr/lib/systemd/system/nvidia-cdi-refresh.path": (_WATCH, 0o644),
    }
    about = {"Architecture": "all", "Maintainer": "nobody", "Description": "stand-in"}
    repository.add({"Package": "nvidia-container-toolkit", "Version": "1.20.0-1", **about}, files)
    repository.publish()
    server.mirror.own |= repository.files
    server.run(f"{_CARD} && mount --bind /run/pci /sys/bus/pci/devices")
    server.run("printf '#!/bin/sh\\necho 580.65.06\\n' >/usr/bin/nvidia-smi && chmod +x /usr/bin/nvidia-smi")
    yield variables(
        server,
        nvidia_repository_url=f"http://{mirror.NAME}/nvidia",
        nvidia_repository_key=f"http://{mirror.NAME}{repository.key}",
    )
    server.run(
        "umount /sys/bus/pci/devices; rm -f /usr/bin/nvidia-smi /etc/apt/sources.list.d/nvidia-container-toolkit.sources"
    )
    server.run("systemctl disable --now nvidia-cdi-refresh.path 2>&1; dpkg --purge nvidia-container-toolkit")
    for path in repository.files:
        del server.mirror.own[path]


def test_containers_are_given_the_card(server: Machine, busybox: str, carded: dict[str, Any]) -> None:
    tags = ("--tags", "nvidia,docker")
    dry = play(server, carded, *tags, "--check")
    assert dry.status == 0, dry.text
    first = play(server, carded, *tags)
    assert first.status == 0, first.text
    assert {"nvidia : Install the container toolkit", "docker : Restart Docker"} <= set(first.changed)
    assert "nvidia" in json.loads(server.run("docker info --format '{{json .Runtimes}}'"))
    assert server.run(f"docker run --rm --runtime nvidia {busybox} echo hello") == "hello\n"
    assert server.run("systemctl is-enabled nvidia-cdi-refresh.service nvidia-cdi-refresh.path").split() == ["enabled"] * 2
    assert json.loads(server.run("cat /etc/docker/daemon.json"))["features"] == {"cdi": True}
    again = play(server, carded, *tags)
    assert (again.status, again.changed) == (0, ()), again.text
    # The card is taken out.
    without = play(server, {**carded, "nvidia_enabled": False}, *tags)
    assert without.status == 0, without.text
    assert "nvidia" not in json.loads(server.run("docker info --format '{{json .Runtimes}}'"))
