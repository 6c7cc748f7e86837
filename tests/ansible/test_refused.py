"""What would stop a role in the middle stops the playbook before it changes anything, and says what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from .machine import PLAYBOOKS, USER, Machine
from .playing import Played, play, run, variables

_CLEAN = "dpkg -l; cat /etc/passwd /etc/group; find /etc -newer /etc/hostname -type f | sort"


def said(played: Played) -> str:
    """What it said, as one line of words."""
    return " ".join(re.sub(r"\\n", " ", played.text).split())


@contextmanager
def _made(bare: Machine, do: str, undo: str) -> Iterator[None]:
    bare.run(do)
    try:
        yield
    finally:
        bare.run(undo)


def _release(content: str) -> tuple[str, str]:
    """The server says that it is something else."""
    words = content.replace("\n", "\\n")
    return f"printf '{words}' >/tmp/os && mount --bind /tmp/os /etc/os-release", "umount /etc/os-release"


def _package(name: str) -> tuple[str, str]:
    """A package of that name, with nothing in it."""
    control = f"Package: {name}\\nVersion: 1\\nArchitecture: all\\nMaintainer: nobody\\nDescription: empty\\n"
    build = f"mkdir -p /tmp/p/DEBIAN && printf '{control}' >/tmp/p/DEBIAN/control && dpkg-deb --build /tmp/p /tmp/p.deb"
    return f"{build} && dpkg --install /tmp/p.deb", f"dpkg --purge {name}; rm -rf /tmp/p /tmp/p.deb"


_CARD = "mkdir -p /tmp/pci/0000:01:00.0 && cd /tmp/pci/0000:01:00.0 && echo 0x10de >vendor && echo 0x030200 >class"

# What is done to the server, how that is undone, and what the playbook says to it. All of these at once.
STATES = {
    "a full disk": (
        "mount -t tmpfs -o size=1g disk /var/lib/docker",
        "umount /var/lib/docker",
        "1.1 GB are free in /var/lib/docker, and images, build cache and runs want at least 20: free some",
    ),
    "Docker as a snap": (
        "mkdir -p /snap/bin && ln -s /usr/bin/snap /snap/bin/docker && mkdir /snap/docker",
        "rm -r /snap",
        "Docker is installed as a snap: it sees only parts of this server's files and no GPU. Remove it",
    ),
    "podman-docker": (*_package("podman-docker"), "makes `docker` a name of Podman. Remove it: apt-get remove podman-docker"),
    "Docker from elsewhere": (
        *_package("docker-ce"),
        "Docker is installed from Docker's repository and docker_source is distribution: set docker_source to docker, or",
    ),
    "a card without a driver": (
        f"{_CARD} && mount --bind /tmp/pci /sys/bus/pci/devices",
        "umount /sys/bus/pci/devices; rm -r /tmp/pci",
        "There are 1 NVIDIA cards and nvidia-smi does not work: install the driver of the distribution",
    ),
}
# Variables that are otherwise, and what the playbook says to them. All of these in the same run.
VARIABLES: dict[str, tuple[dict[str, Any], str]] = {
    "no Compose": ({"docker_compose_program": ""}, "Debian 12 has no Compose v2: set docker_source to docker, or"),
    "another port": (
        {"firewall_ssh_port": 2222},
        "sshd listens on port 22 and firewall_ssh_port is 2222: the firewall would lock everybody out",
    ),
    "admin and viewer": ({"base_viewers": [{"name": "ada"}]}, "base_admins and base_viewers name somebody twice"),
    "no key": ({"base_admins": [{"name": "ada"}]}, "Admins without authorized_keys cannot log in"),
}
MIRROR = {
    "a mirror that is away": "The package mirror cannot be used (E: ",
    "why it is": "503 Service Unavailable",
    "a clock that is behind": "seconds behind the time that the package mirror tells",
}
EVERYTHING = {
    **{name: words for name, (_, _, words) in STATES.items()},
    **{name: words for name, (_, words) in VARIABLES.items()},
    **MIRROR,
}
# Each alone: what has no Python, no leave or another system is asked nothing more.
ALONE = {
    "another distribution": (
        *_release('ID=fedora\nNAME="Fedora Linux"\nVERSION_ID=41\n'),
        "This server is Fedora Linux 41. What is here was made for Debian 12, 13 and Ubuntu 22.04, 24.04 and changes nothing",
    ),
    "an old Debian": (
        "echo 11.9 >/tmp/version && mount --bind /tmp/version /etc/debian_version",
        "umount /etc/debian_version",
        "This server is Debian 11.9. What is here was made for",
    ),
    "no sudo": (
        "mv /usr/bin/sudo /usr/bin/sudo.away",
        "mv /usr/bin/sudo.away /usr/bin/sudo",
        f"There is no sudo on the server and {USER} is not root: as root there, apt-get install sudo and usermod -aG sudo",
    ),
    "sudo with a password": (
        f"mv /etc/sudoers.d/{USER} /srv/rule",
        f"mv /srv/rule /etc/sudoers.d/{USER}",
        f"{USER} may not use sudo without a password: give it with --ask-become-pass",
    ),
    "no Python": (
        "mv /usr/bin/python3 /usr/bin/python3.away",
        "mv /usr/bin/python3.away /usr/bin/python3",
        "There is no Python 3 on the server: as root there, apt-get install python3.",
    ),
}
# Of another kind than they have to be. All of these in one run.
TYPES: dict[str, tuple[dict[str, Any], str]] = {
    "no such source": ({"docker_source": "snap"}, "value of docker_source must be one of: docker, distribution, got: snap"),
    "no person": ({"base_admins": [{"authorized_keys": ["k"]}]}, "missing required arguments: name found in base_admins"),
    "no list": ({"firewall_open_ports": "8080"}, "Elements value for option 'firewall_open_ports'"),
    "no number": ({"firewall_ssh_port": "much"}, "argument 'firewall_ssh_port' is of type str"),
}


@pytest.fixture
def unchanged(bare: Machine) -> Iterator[None]:
    before = bare.run(_CLEAN)
    yield
    assert bare.run(_CLEAN) == before


@pytest.fixture(scope="module")
def everything(bare: Machine) -> Played:
    """One run on a server where all of it is wrong at once."""
    with ExitStack() as stack:
        for do, undo, _ in STATES.values():
            stack.enter_context(_made(bare, do, undo))
        more: dict[str, Any] = {}
        for values, _ in VARIABLES.values():
            more |= values
        before = bare.run(_CLEAN)
        bare.mirror.away, bare.mirror.clock_ahead = True, 3600.0
        try:
            played = play(bare, {**variables(bare), **more})
        finally:
            bare.mirror.away, bare.mirror.clock_ahead = False, 0.0
        assert bare.run(_CLEAN) == before
    return played


@pytest.fixture(scope="module")
def untyped(bare: Machine) -> Played:
    more: dict[str, Any] = {}
    for values, _ in TYPES.values():
        more |= values
    return play(bare, {**variables(bare), **more})


def _refused(played: Played, words: str) -> None:
    assert played.status == 2, played.text
    assert words in said(played), played.text
    assert played.changed == ()


@pytest.mark.parametrize("what", EVERYTHING)
def test_all_that_is_wrong_is_told_at_once(everything: Played, what: str) -> None:
    _refused(everything, EVERYTHING[what])


@pytest.mark.parametrize("state", ALONE)
def test_a_server_that_is_not_fit(bare: Machine, unchanged: None, state: str) -> None:
    do, undo, words = ALONE[state]
    with _made(bare, do, undo):
        _refused(play(bare, variables(bare)), words)


@pytest.mark.parametrize("what", TYPES)
def test_a_variable_of_another_kind(untyped: Played, what: str) -> None:
    _refused(untyped, TYPES[what][1])


def test_a_variable_without_a_value(bare: Machine, unchanged: None) -> None:
    played = play(bare, {**variables(bare), "docker_data_root": None, "docker_compose_program": None})
    words = "Without a value: docker_compose_program, docker_data_root. Give each one, or take its line away for the default."
    _refused(played, words)


def test_a_clock_that_is_ahead(bare: Machine, unchanged: None) -> None:
    bare.mirror.clock_ahead = -3600.0
    try:
        played = play(bare, variables(bare))
    finally:
        bare.mirror.clock_ahead = 0.0
    _refused(played, "seconds ahead of the time that the package mirror tells")
    assert re.search(r"The server's clock is 3[56]\d\d seconds", said(played))
    # Nothing else is wrong with this server.
    for words in {*EVERYTHING.values()} - {*MIRROR.values()}:
        assert words not in said(played)


@pytest.mark.parametrize(
    "inventory",
    [{"all": {"hosts": {"training": {}}}}, {"servers": {"hosts": {"training": {}}}}, {"training_servers": {"hosts": {}}}],
)
def test_an_inventory_without_a_training_server(bare: Machine, inventory: dict[str, object], tmp_path: Path) -> None:
    file = tmp_path / "hosts.yml"
    file.write_text(yaml.safe_dump(inventory))
    played = run(bare, "ansible-playbook", "--inventory", str(file), "playbook.yml")
    _refused(
        played, "has no host in the group training_servers. Name the server there as infra/ansible/inventory/localhost.yml"
    )
    assert str(file) in said(played)


def test_an_inventory_that_is_not_there(bare: Machine) -> None:
    played = run(bare, "ansible-playbook", "--inventory", "inventory/none.yml", "playbook.yml")
    _refused(played, "has no host in the group training_servers")


def test_every_variable_is_in_the_list_and_has_a_type() -> None:
    listed = set(re.findall(r"^# (\w+):", (PLAYBOOKS / "group_vars" / "all" / "main.yml").read_text(), re.MULTILINE))
    typed = set()
    for role in sorted((PLAYBOOKS / "roles").iterdir()):
        specification = yaml.safe_load((role / "meta" / "argument_specs.yml").read_text())
        typed |= set(specification["argument_specs"]["main"]["options"])
        assert set(yaml.safe_load((role / "defaults" / "main.yml").read_text())) <= typed, role.name
    assert listed == typed
