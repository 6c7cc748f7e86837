"""What admins and viewers may do on the training server."""

from __future__ import annotations

import subprocess

from .machine import SERVER, Machine
from .playing import ADMIN, VIEWER, play, variables


def _as(server: Machine, who: str, command: str) -> str:
    """What a command says and how it ended, when `who` calls it after logging in."""
    return server.run(f"su --login {who} --command '{command}; echo $?' 2>&1", check=False).strip()


def test_an_admin_has_root_and_docker(server: Machine) -> None:
    assert _as(server, ADMIN, "sudo -n id -u") == "0\n0"
    assert _as(server, ADMIN, "docker ps --quiet").endswith("0")


def test_a_viewer_has_neither(server: Machine) -> None:
    assert "password is required" in _as(server, VIEWER, "sudo -n id -u")
    assert "permission denied" in _as(server, VIEWER, "docker ps").lower()
    assert server.run(f"id --name --groups {VIEWER}").split() == [VIEWER, "mlops-viewer"]


def test_nobody_has_a_password(server: Machine) -> None:
    for who in (ADMIN, VIEWER):
        assert server.run(f"passwd --status {who}").split()[1] == "L"


def test_an_admin_logs_in_by_key(server: Machine) -> None:
    options = ["-o", "BatchMode=yes", "-o", f"UserKnownHostsFile={server.folder}/known_hosts"]
    relay = ["-o", f"ProxyCommand={server.relay}"]
    command = ["ssh", *options, *relay, "-i", str(server.key), f"{ADMIN}@{SERVER}", "id -un"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == f"{ADMIN}\n", done.stderr


def test_who_was_an_admin_is_none_when_they_are_a_viewer_and_nobody_when_they_left(server: Machine) -> None:
    extra = {"name": "eve", "authorized_keys": [server.public_key]}
    base = variables(server)
    admins, viewers = base["base_admins"], base["base_viewers"]
    assert play(server, {**base, "base_admins": [*admins, extra]}, "--tags", "base,docker").status == 0
    assert "docker" in server.run("id --name --groups eve").split()
    assert play(server, {**base, "base_viewers": [*viewers, extra]}, "--tags", "base").status == 0
    assert server.run("id --name --groups eve").split() == ["eve", "mlops-viewer"]
    gone = {**extra, "state": "absent"}
    assert play(server, {**base, "base_viewers": [*viewers, gone]}, "--tags", "base").status == 0
    assert server.run("id eve 2>&1", check=False).endswith("no such user\n")


def test_only_security_updates_come_by_themselves(server: Machine) -> None:
    # What is left of the distribution's own list, and what came to it, as apt reads them together.
    said = server.run("apt-config dump | grep -E '^Unattended-Upgrade::(Origins-Pattern|Allowed-Origins)::'")
    allowed = [line.partition(" ")[2] for line in said.splitlines()]
    assert allowed == ['"origin=Debian,codename=${distro_codename}-security,label=Debian-Security";']
    assert server.run("apt-config dump Unattended-Upgrade::Automatic-Reboot").split()[1] == '"false";'


def test_settings_of_the_kernel_are_in_effect(server: Machine) -> None:
    assert server.run("sysctl -n net.ipv4.conf.all.accept_redirects net.ipv4.conf.all.send_redirects").split() == ["0", "0"]
    # Not the machine's own, but files in the place of it: see boot.
    assert server.run("sysctl -n vm.swappiness kernel.dmesg_restrict").split() == ["10", "1"]
