"""Docker from its own repository, as far as that can be had: Debian's Engine in packages with the names of Docker's."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import scratch
from tests.support.engine import compose_program

from . import mirror
from .machine import Machine
from .playing import play, variables
from .repository import Repository, as_control

VERSION = "5:29.7.2-1~debian.12~bookworm"
# Docker's package, and Debian's that stands in for it.
RENAMED = {"docker-ce": "docker.io", "containerd.io": "containerd"}
_EMPTY = ("docker-ce-cli", "docker-buildx-plugin")


@pytest.fixture
def other(fresh: Machine) -> Iterator[Machine]:
    """A third server, bare."""
    machine = Machine()
    yield machine
    machine.close()


def _renamed(folder: Path, machine: Machine, name: str) -> Path:
    """Debian's package, unpacked, with Docker's name for it."""
    machine.run(f"cd /root && apt-get download {RENAMED[name]}")
    (package,) = machine.path("/root").glob(f"{RENAMED[name]}_*.deb")
    root = folder / name
    copy = shutil.copy(package, folder)
    subprocess.run(["dpkg-deb", "--raw-extract", copy, str(root)], check=True, capture_output=True)
    package.unlink()
    control = (root / "DEBIAN" / "control").read_text()
    control = re.sub(
        r"^(Breaks|Conflicts|Provides|Recommends|Replaces|Suggests|Source):.*\n(?: .*\n)*", "", control, flags=re.M
    )
    control = re.sub(r"^Package: .*", f"Package: {name}", control, flags=re.M)
    control = re.sub(r"^Version: .*", f"Version: {VERSION if name == 'docker-ce' else '2.1.0-1'}", control, flags=re.M)
    control = re.sub(r"\bcontainerd \([^)]*\)", "containerd.io", control)
    (root / "DEBIAN" / "control").write_text(control)
    return root


def _repository(machine: Machine) -> Repository:
    repository = Repository("/docker", "bookworm", "stable")
    machine.run("apt-get update")
    with scratch.folder("renamed") as folder:
        for name in RENAMED:
            repository.add_tree(_renamed(folder, machine, name))
        about = {"Architecture": "amd64", "Maintainer": "nobody", "Description": "stand-in"}
        for name in _EMPTY:
            repository.add({"Package": name, "Version": VERSION if name == "docker-ce-cli" else "1", **about}, {})
        compose = compose_program()
        assert compose is not None
        plugin = folder / "docker-compose-plugin"
        (plugin / "DEBIAN").mkdir(parents=True)
        control = {"Package": plugin.name, "Version": "5.5.0-1", **about}
        (plugin / "DEBIAN" / "control").write_text(as_control(control))
        place = plugin / "usr" / "libexec" / "docker" / "cli-plugins"
        place.mkdir(parents=True)
        shutil.copy(compose, place / "docker-compose")
        repository.add_tree(plugin)
    repository.publish()
    return repository


def test_docker_from_its_own_repository(other: Machine) -> None:
    repository = _repository(other)
    other.mirror.own |= repository.files
    theirs = variables(
        other,
        docker_source="docker",
        docker_compose_program="",
        docker_version=VERSION,
        docker_repository_url=f"http://{mirror.NAME}/docker",
        docker_repository_key=f"http://{mirror.NAME}{repository.key}",
        firewall_enabled=False,
    )
    dry = play(other, theirs, "--check")
    assert dry.status == 0, dry.text
    first = play(other, theirs)
    assert first.status == 0, first.text
    assert other.run("dpkg-query --show --showformat '${Version}' docker-ce") == VERSION
    assert other.run("docker compose version --short").strip().startswith("2.")
    source = other.run("cat /etc/apt/sources.list.d/docker.sources")
    assert "Signed-By: /etc/apt/keyrings/docker" in source
    assert "Suites: bookworm\n" in source
    assert not other.path("/usr/sbin/ufw").exists()
    again = play(other, theirs)
    assert (again.status, again.changed) == (0, ()), again.text
