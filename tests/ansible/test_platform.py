"""The platform on a server: installed, used, interrupted, upgraded, backed up, wiped, restored, destroyed."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from infra.platform.catalogue import SECRETS
from tests.support.waiting import until_sync

from .machine import Machine
from .playing import ADMIN, VIEWER, Played, environment
from .site import SERVICES, TAGS, Site, give_images, let_in

HOST = "training"
PROGRAM = "/opt/mlops-console/current/bin/mlops-console"
WINDOW = "/run/mlops-window.sock"


@pytest.fixture(scope="module")
def made(server: Machine) -> Iterator[Site]:
    """A clone, and the server with Docker on which it is to be."""
    give_images(server)
    site = Site(server)
    yield site
    site.close()


@pytest.fixture(scope="module")
def deployed(made: Site) -> Played:
    """The first run with the platform."""
    played = made.play(tags="")
    assert played.status == 0, played.text
    let_in(made.machine)
    return played


@pytest.fixture
def site(made: Site, deployed: Played) -> Site:
    """A server with the platform."""
    assert deployed.status == 0
    return made


def test_the_second_run_changes_nothing(site: Site, deployed: Played) -> None:
    assert "platform : The services are healthy" in deployed.changed
    before = site.state()
    played = site.play()
    assert (played.status, played.changed) == (0, ()), played.text
    assert site.state() == before
    # Nor does it say a secret to whoever looks on.
    for name in ("hf-read-token", "jenkins-admin-password", "jenkins-operator-token", "webhook-hmac"):
        assert secret(site, name) not in deployed.text + played.text


def test_a_dry_run_would_change_nothing(site: Site) -> None:
    played = site.play("--check", "--diff")
    assert (played.status, played.changed) == (0, ()), played.text


def test_a_dry_run_on_a_bare_server_is_clean(made: Site, bare: Machine) -> None:
    there = made.machine
    made.machine = bare
    try:
        played = made.play("--check", "--diff", tags="")
    finally:
        made.machine = there
    assert played.status == 0, played.text
    assert bare.run("ls -d /opt/mlops* /etc/mlops* 2>&1 || true").count("No such file") == 2


def secret(site: Site, name: str) -> str:
    return site.machine.run(f"cat /opt/mlops/infra/secrets/{name}").strip()


def test_the_services_are_healthy(site: Site) -> None:
    said = site.machine.run("docker ps --format '{{.Names}}={{.Status}}'")
    assert {line.partition("=")[0] for line in said.splitlines()} == {f"mlops-{name}-1" for name in SERVICES}
    for name in ("jenkins", "agent", "gate"):
        assert re.search(rf"mlops-{name}-1=Up .*\(healthy\)", said)
    assert "SUCCESS" not in said


def test_secrets_have_the_owners_and_modes_of_their_readers(site: Site) -> None:
    said = site.machine.run("cd /opt/mlops/infra && stat -c '%n %a %u' secrets secrets/*").splitlines()
    assert said == ["secrets 700 0", *(f"secrets/{one.name} {one.mode:o} {one.owner}" for one in sorted(SECRETS, key=order))]
    assert secret(site, "hf-read-token") == "hf_given"
    assert secret(site, "git-token") == "none"


def order(one: object) -> str:
    return str(getattr(one, "name", ""))


def test_settings_are_those_that_were_asked_for(site: Site) -> None:
    env = site.machine.run("cat /opt/mlops/infra/.env").splitlines()
    assert {"MLOPS_MIN_FREE=1m", "MLOPS_GPUS=none", "MLOPS_REPOSITORY_URL=https://git.test/mlops.git"} <= set(env)


def test_an_admin_asks_the_console_over_ssh(site: Site) -> None:
    done = site.ssh(ADMIN, "mlops-console", "status")
    assert re.search(r"^docker +✓ ok .* 5 containers$", done.stdout, re.MULTILINE), done.stdout + done.stderr
    assert re.search(r"^compose +✓ ok +5 services$", done.stdout, re.MULTILINE)
    # Of the services in small this one alone is never well, and none of them is a Jenkins.
    assert "✗ frp_client unhealthy" in done.stdout
    assert "✗ Jenkins does not answer at http://localhost:8080: connection refused." in done.stdout
    found = json.loads(site.ssh(ADMIN, "mlops-console", "services", "--json").stdout)
    assert found["sources"]["docker"]["state"] == "ok"
    assert {item["name"] for item in found["items"]} == set(SERVICES)


def test_an_admin_acts(site: Site) -> None:
    before = site.machine.run("docker inspect --format '{{.State.StartedAt}}' mlops-gate-1")
    done = site.ssh(ADMIN, "mlops-console", "service", "restart", "gate", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert site.machine.run("docker inspect --format '{{.State.StartedAt}}' mlops-gate-1") != before
    settled(site)


def settled(site: Site) -> None:
    def healthy() -> bool:
        said = site.machine.run("docker ps --format '{{.Names}}={{.Status}}'")
        return said.count("(healthy)") == 3 and len(said.splitlines()) == len(SERVICES)

    until_sync(healthy, "all services to be healthy", 90)


def test_a_viewer_sees_the_same(site: Site) -> None:
    done = site.ssh(VIEWER, "mlops-console", "services", "--json")
    found = json.loads(done.stdout)
    assert found["sources"]["docker"]["state"] == "ok"
    assert {item["name"] for item in found["items"]} == set(SERVICES)
    assert site.ssh(VIEWER, "mlops-console", "logs", "gate").returncode == 0
    config = site.ssh(VIEWER, "mlops-console", "config", "show").stdout
    assert "/etc/mlops-console/viewer/jenkins-token" in config
    assert (
        secret(site, "jenkins-viewer-token")
        == site.ssh(VIEWER, "cat", "/etc/mlops-console/viewer/jenkins-token").stdout.strip()
    )


# All that a viewer who knows his way about can try, each in his own shell.
TRIES = {
    "console": "mlops-console service stop gate --yes",
    "console past the wrapper": f"DOCKER_HOST=unix://{WINDOW} {PROGRAM} service stop gate --yes",
    "console past everything": f"env -u DOCKER_HOST {PROGRAM} service stop gate --yes",
    "docker": "docker stop mlops-gate-1",
    "docker through the window": f"docker -H unix://{WINDOW} stop mlops-gate-1",
    "a container through the window": f"docker -H unix://{WINDOW} run --rm -v /:/host busybox:test true",
    "exec through the window": f"docker -H unix://{WINDOW} exec mlops-gate-1 true",
    "files through the window": f"docker -H unix://{WINDOW} cp mlops-gate-1:/etc/passwd -",
    "containerd": "ctr --address /run/containerd/containerd.sock namespaces ls",
    "the socket": "python3 -c 'import socket; socket.socket(socket.AF_UNIX).connect(\"/run/docker.sock\")'",
    "sudo": "sudo -n docker stop mlops-gate-1",
    "sudo as an admin": f"sudo -n -u {ADMIN} docker stop mlops-gate-1",
    "group": "sg docker -c 'docker stop mlops-gate-1' </dev/null",
    "secrets": "ls /opt/mlops/infra/secrets",
    "the operator's token": "cat /etc/mlops-console/operator/jenkins-token",
    "the window's program": "touch /opt/mlops-console/window.py",
    "settings of all": "touch /etc/mlops-console/config.toml",
    "the unit": "systemctl --no-ask-password stop mlops-window.socket",
    "backups": "ls /var/backups/mlops",
    "up": "/opt/mlops/infra/bin/up",
    "down": "/opt/mlops/infra/bin/down",
    "restore": f"CONFIRM={HOST} /opt/mlops/infra/bin/restore",
    "destroy": f"CONFIRM={HOST} /opt/mlops/infra/bin/destroy",
}


def test_a_viewer_cannot_act(site: Site) -> None:
    look = (
        "docker ps --all --no-trunc --format '{{.ID}} {{.Names}} {{.State}}'; docker images --quiet; docker volume ls --quiet"
    )
    before = site.machine.run(look), site.state()
    script = "".join(f"( {command} ) >/dev/null 2>&1 && echo {shell_word(name)}\n" for name, command in TRIES.items())
    site.machine.path("/home").joinpath("tries").write_text(script)
    site.machine.path("/home").joinpath("tries").chmod(0o644)
    done = site.ssh(VIEWER, "sh", "/home/tries", "; echo end")
    assert done.stdout == "end\n", done.stdout
    assert (site.machine.run(look), site.state()) == before
    assert site.machine.run(f"id -nG {VIEWER}").split() == [VIEWER, "mlops-viewer"]
    # The same things can be done by who may: what was tried is not refused for being wrong.
    admin = site.ssh(ADMIN, "docker exec mlops-gate-1 true && docker cp mlops-gate-1:/etc/passwd - >/dev/null && echo may")
    assert admin.stdout == "may\n", admin.stderr


def shell_word(text: str) -> str:
    return f"'{text}'".replace("''", "'\\''")


def test_the_window_has_no_rights_but_the_socket(site: Site) -> None:
    site.ssh(VIEWER, "mlops-console", "services")
    pid = site.machine.run("systemctl show --property=MainPID --value mlops-window.service").strip()
    status = site.machine.run(f"cat /proc/{pid}/status")
    assert re.search(r"^Uid:\t(?!0\t)\d+", status, re.MULTILINE)
    assert re.search(r"^CapBnd:\t0+$", status, re.MULTILINE)
    assert re.search(r"^NoNewPrivs:\t1$", status, re.MULTILINE)
    assert re.search(r"^Seccomp:\t2$", status, re.MULTILINE)


def test_runs_are_recorded_by_somebody_without_rights_and_read_by_everybody(site: Site) -> None:
    history = "/var/lib/mlops-console/history.db"
    pid = site.machine.run("systemctl show --property=MainPID --value mlops-console-record.service").strip()
    status = site.machine.run(f"cat /proc/{pid}/status")
    assert re.search(r"^Uid:\t(?!0\t)\d+", status, re.MULTILINE)
    assert re.search(r"^CapBnd:\t0+$", status, re.MULTILINE)
    assert re.search(r"^NoNewPrivs:\t1$", status, re.MULTILINE)
    assert "docker" not in site.machine.run("id -nG mlops-recorder").split()
    assert site.machine.run(f"stat -c '%a %U:%G' {history}").strip() == "640 mlops-recorder:mlops-viewer"
    said = site.machine.run("journalctl --unit=mlops-console-record --output=cat --no-pager")
    assert f"history: recording in {history}" in said
    assert "docker: " not in said.rpartition("answers again")[2], said
    for user in (ADMIN, VIEWER):
        read = site.ssh(user, f"head -c 15 {history}; mlops-console config show")
        assert "SQLite format 3" in read.stdout, read.stderr
        assert history in read.stdout
        assert site.ssh(user, f"echo x >>{history}").returncode != 0
    # One at a time: whoever records beside it is told who does.
    second = site.machine.run(
        "setpriv --reuid=mlops-recorder --regid=mlops-viewer --init-groups "
        f"env MLOPS_HISTORY={history} MLOPS_READ_ONLY=1 DOCKER_HOST=unix://{WINDOW} MLOPS_JENKINS_USER=viewer "
        "MLOPS_JENKINS_TOKEN_FILE=/etc/mlops-console/viewer/jenkins-token HOME=/tmp "
        "/opt/mlops-console/current/bin/mlops-console record --once 2>&1; echo $?"
    )
    assert f"is recorded by process {pid} on" in second
    assert second.endswith("3\n")


def test_there_is_no_cuda_and_no_library_for_training_on_the_host(site: Site) -> None:
    packages = site.machine.run("dpkg-query -W -f '${Package}\\n'")
    assert (
        re.findall(r"^(?:.*cuda.*|libcudnn.*|libnccl.*|python3-(?:torch|sklearn|numpy|tensorflow).*)$", packages, re.MULTILINE)
        == []
    )
    modules = site.machine.run("/opt/mlops-console/current/bin/pip list --format=freeze").lower()
    names = {line.partition("==")[0] for line in modules.splitlines()}
    assert names & {"torch", "tensorflow", "jax", "scikit-learn", "numpy", "scipy", "transformers", "keras", "xgboost"} == set()
    assert not [name for name in names if name.startswith(("nvidia-", "cupy", "triton")) and name != "nvidia-ml-py"]
    assert "mlops-console" in names
    libraries = site.machine.run(
        "find / -xdev -name 'libcud*' -o -xdev -name 'libtorch*' -o -xdev -name 'libnccl*' | grep -v /docker/ || true"
    )
    assert libraries == ""


def test_a_restart_of_the_server_brings_all_of_it_back(site: Site) -> None:
    site.machine.run("/opt/mlops/infra/bin/down")
    site.machine.reboot()
    settled(site)
    found = json.loads(site.ssh(VIEWER, "mlops-console", "services", "--json").stdout)
    assert found["sources"]["docker"]["state"] == "ok"


def test_the_timer_writes_a_backup_and_a_restore_brings_the_same_back(site: Site) -> None:
    machine = site.machine
    machine.run("echo kept >/var/lib/docker/volumes/mlops_jenkins-home/_data/kept")
    count = "ls /var/backups/mlops | wc -l"
    number = int(machine.run(count))
    # What the timer starts, started.
    machine.run("systemctl start mlops-backup.service")
    settled(site)
    assert int(machine.run(count)) == number + 1
    modes = machine.run("stat -c '%a %U' /var/backups/mlops /etc/mlops/backup.key /var/backups/mlops/*").splitlines()
    assert modes == ["700 root", "400 root", *["600 root"] * (number + 1)]
    assert machine.run("systemctl show --property=NextElapseUSecRealtime --value mlops-backup.timer").strip()
    before, content = site.state(), contents(site)
    refused = site.play("-e", "destroy_confirm=other", playbook="destroy.yml")
    assert refused.status != 0
    gone = site.play("-e", f"destroy_confirm={HOST}", playbook="destroy.yml")
    assert gone.status == 0, gone.text
    assert f"It keeps: {number + 1} backups in /var/backups/mlops" in gone.text
    assert machine.run("docker ps --all --quiet; docker volume ls --quiet | grep mlops || true") == ""
    machine.run("rm -rf /opt/mlops/infra/secrets /opt/mlops/infra/.env")
    refused = site.play(playbook="restore.yml")
    assert refused.status != 0
    assert "nothing was changed" in refused.text
    back = site.play("-e", f"restore_confirm={HOST}", playbook="restore.yml")
    assert back.status == 0, back.text
    machine.run("systemctl enable --now mlops-backup.timer; systemctl enable mlops.service")
    settled(site)
    assert site.state() == before
    assert contents(site) == content


def contents(site: Site) -> str:
    return site.machine.run(
        "cd /opt/mlops/infra && md5sum secrets/*; cd /var/lib/docker/volumes/mlops_jenkins-home/_data && find . | xargs ls -ldn"
    )


def test_another_version_is_deployed_and_one_that_does_not_get_healthy_is_taken_back(site: Site) -> None:
    machine = site.machine
    (site.folder / "infra/gate/gate.conf").write_text("new\n")
    good = site.commit("v2")
    played = site.play(tags="platform")
    assert played.status == 0, played.text
    assert "platform : Another version" in played.changed
    assert machine.run("git -C /opt/mlops rev-parse HEAD").strip() == good
    assert machine.run("docker exec mlops-gate-1 cat /etc/gate.conf") == "new\n"
    machine.run("echo older >/var/lib/docker/volumes/mlops_portainer-data/_data/portainer.db")

    text = site.compose.read_text()
    site.compose.write_text(
        text.replace("cat /state/portainer-words;", "echo newer >/data/portainer.db; cat /state/portainer-words;").replace(
            "exec sleep 1000", "exit 3"
        )
    )
    site.commit("v3")
    before = contents(site)
    played = site.play(tags="platform", platform_limit=20)
    assert played.status != 0
    assert f"The platform is {good[:12]} again, with its data." in played.text
    assert machine.run("git -C /opt/mlops rev-parse HEAD").strip() == good
    assert machine.run("cat /var/lib/docker/volumes/mlops_portainer-data/_data/portainer.db") == "older\n"
    assert contents(site) == before
    settled(site)
    site.git("reset", "--quiet", "--hard", good)
    played = site.play()
    assert played.status == 0, played.text
    assert "platform : The services are healthy" not in played.changed


def test_interrupted_at_five_places_it_ends_the_same(site: Site) -> None:
    """The playbook is killed at five tasks of the three roles, with all that it had started, and then runs through."""
    machine = site.machine
    site.play()
    # The first backup makes it.
    machine.run("rm -f /etc/mlops/backup.key")
    want = site.state()
    wipe(site)
    source = random.Random()  # noqa: S311 - which tasks, not a secret
    names = task_names(site)
    for name in sorted(source.sample(range(len(names)), 5)):
        interrupt(site, names[name])
    played = site.play()
    assert played.status == 0, played.text
    settled(site)
    assert site.state() == want, names
    played = site.play()
    assert (played.status, played.changed) == (0, ()), played.text
    assert machine.run("pgrep -f 'infra/bin/[u]p' || true") == ""


def wipe(site: Site) -> None:
    """As before the first run with the platform, as far as these roles go."""
    site.machine.run(f"cd /opt/mlops && CONFIRM={HOST} infra/bin/destroy")
    site.machine.run(
        "systemctl disable --now mlops.service mlops-backup.timer mlops-console-record.service mlops-window.socket"
        " mlops-window.service;"
        "rm -rf /var/lib/mlops-console /opt/mlops /opt/mlops-console /etc/mlops /etc/mlops-console /usr/local/bin/mlops-console"
        " /etc/systemd/system/mlops* /var/backups/mlops; systemctl daemon-reload"
    )


def task_names(site: Site) -> list[str]:
    found = site.play("--list-tasks").text
    return [line.strip().partition("\t")[0] for line in found.splitlines() if re.match(r" +(platform|console|backup) : ", line)]


def interrupt(site: Site, task: str) -> None:
    """Kill a run when it comes to a task; one that is over before that had nothing to do there."""
    folder = site.folder / "infra" / "ansible"
    program = Path(sys.executable).with_name("ansible-playbook")
    said = site.folder.parent / f"{site.folder.name}.said"
    with said.open("wb") as output:
        process = subprocess.Popen(
            [str(program), "--inventory", str(site.inventory()), "--tags", TAGS, "playbook.yml"],
            cwd=folder,
            env=environment(site.machine),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            until_sync(lambda: process.poll() is not None or f"TASK [{task}]" in said.read_text(), f"it to come to {task}", 240)
        finally:
            with suppress(ProcessLookupError):  # it is over already
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    said.unlink()
    # What it had started over there dies with it, as when the server loses its power.
    site.machine.run(
        "pkill -KILL -f '[A]nsiballZ|[i]nfra/bin/|[p]ip install|[m] venv|git (fetch|checkout)' || true", check=False
    )
