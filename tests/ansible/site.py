"""What is deployed in these tests: this repository, with services in small instead of those from registries."""

from __future__ import annotations

import hashlib
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from tests.support import images, scratch

from .machine import ROOT, SERVER, Machine
from .playing import ADMIN, VIEWER, Played, run, variables

FIXTURES = ROOT / "tests" / "infra" / "platform" / "fixtures"
# The host's own roles have tests of their own.
TAGS = "platform,console,backup"
SERVICES = ("agent", "frp_client", "gate", "jenkins", "portainer")

_WHEELS = ROOT / ".cache" / "ansible-wheels"
_LIMIT = 300.0


class Site:
    """A clone whose commits are deployed; `machine` is where. Its services' probes read `state` on the server."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.folder = scratch.new_folder("site")
        files = subprocess.run(
            ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for name in filter(None, files.split("\0")):
            source, copy = ROOT / name, self.folder / name
            if source.is_file():
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, copy)
        shutil.copy(FIXTURES / "docker-compose.yml", self.compose)
        # Of the real one nothing but the base, and that is busybox.
        (self.folder / "infra/jenkins/Dockerfile").write_text(
            "ARG BASE_IMAGE=busybox:test\nARG BASE_DIGEST=\nFROM ${BASE_IMAGE}${BASE_DIGEST}\nLABEL of=platform\n"
        )
        (self.folder / "infra/gate/gate.conf").write_text("old\n")
        (self.folder / "infra/state").mkdir()
        (self.folder / "infra/state/jenkins").write_text("Jenkins answers\n")
        self.git("init", "--quiet")
        self.git("remote", "add", "origin", "https://git.test/mlops.git")
        self.commit("v1")

    @property
    def compose(self) -> Path:
        return self.folder / "infra" / "docker-compose.yml"

    @property
    def head(self) -> str:
        return self.git("rev-parse", "HEAD")

    def git(self, *words: str) -> str:
        command = ["git", "-C", str(self.folder), "-c", "user.email=ann@git.test", "-c", "user.name=Ann", *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def commit(self, tag: str) -> str:
        """What is in the folder now, as a commit with that tag."""
        self.git("add", "--all", "--force", "infra/state")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", tag)
        self.git("tag", "--force", tag)
        return self.head

    def close(self) -> None:
        shutil.rmtree(self.folder)

    def variables(self, **more: object) -> dict[str, object]:
        """All that is asked for."""
        asked: dict[str, object] = {
            "platform_deploy": True,
            "platform_limit": 60,
            "platform_settings": {"MLOPS_MIN_FREE": "1m", "MLOPS_GPUS": "none"},
            "platform_secrets": {"hf-read-token": "hf_given"},
            "console_wheels": str(wheels()),
            "backup_keep": 3,
        }
        return variables(self.machine, **{**asked, **more})

    def inventory(self, **more: object) -> Path:
        return self.machine.inventory(self.variables(**more))

    def play(self, *options: str, playbook: str = "playbook.yml", tags: str = TAGS, **more: object) -> Played:
        """A playbook of the clone; of the large one the roles that are tried here."""
        chosen = ["--inventory", str(self.inventory(**more)), *options]
        chosen += ["--tags", tags] if tags and playbook == "playbook.yml" else []
        return run(self.machine, "ansible-playbook", *chosen, playbook, folder=self.folder / "infra" / "ansible")

    def ssh(self, user: str, *words: str) -> subprocess.CompletedProcess[str]:
        """What a person types: ssh user@host words."""
        options = [*shlex.split(self.machine.ssh_options()), "-o", "BatchMode=yes", "-i", str(self.machine.key)]
        # One connection for each: the firewall limits how often one may connect.
        kept = ["-o", "ControlMaster=auto", "-o", "ControlPersist=60", "-o", f"ControlPath={self.folder}.{user}"]
        command = ["ssh", *options, *kept, f"{user}@{SERVER}", *words]
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)

    def state(self) -> dict[str, str]:
        """What the deployment has made of the server, as far as two servers can have it in common."""
        return {name: self.machine.run(script) for name, script in _STATE.items()}


_UNITS = "mlops.service mlops-backup.timer mlops-window.socket mlops-console-record.service"
# Of secrets owners and modes, and not what is in them; of containers what they are made of.
_STATE = {
    "commit": "cd /opt/mlops && git rev-parse HEAD; git status --porcelain; ls -A .git | grep -E 'mlops|lock' || true",
    "modes": "cd /opt/mlops && stat -c '%A %U:%G %n' . infra infra/.env infra/secrets infra/secrets/*; ls -A infra/secrets",
    "settings": "cat /opt/mlops/infra/.env",
    "services": "docker ps --format '{{.Names}} {{.Image}} {{.State}}' | sort",
    "console": "cd /opt/mlops-console && ls -A | sort; readlink current; mlops-console --version; ls current/.whole",
    "etc": "cd / && find etc/mlops etc/mlops-console usr/local/bin -exec stat -c '%A %U:%G %n' {} + | sort",
    "files": "md5sum /etc/mlops/backup.conf /etc/mlops-console/config.toml /usr/local/bin/* /etc/systemd/system/mlops*",
    "units": f"systemctl is-enabled {_UNITS}; systemctl is-active mlops-backup.timer mlops-window.socket mlops-console-record",
    "left": "ls -A /tmp /opt | grep -E 'mlops-|ansible' | grep -Ev '^mlops-console$|^systemd-private-' || true",
}


def wheels() -> Path:
    """The console's dependencies, fetched once: the server reaches no index."""
    lock = ROOT / "requirements" / "runtime.txt"
    made = _WHEELS / hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
    if not made.exists():
        new = made.with_suffix(".new")
        shutil.rmtree(new, ignore_errors=True)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--require-hashes", "--requirement", str(lock)]
        # By the Python of the server, which is Debian 12's.
        subprocess.run([*command, "--dest", str(new)], check=True, timeout=_LIMIT)
        new.rename(made)
    return made


def give_images(machine: Machine) -> None:
    """Have busybox in the server's Docker."""
    machine.path("/var/tmp/busybox.tar").write_bytes(images._root_file_system())
    machine.run(f"docker import --change 'CMD [\"sh\"]' /var/tmp/busybox.tar {images.BUSYBOX} && rm /var/tmp/busybox.tar")


def let_in(machine: Machine) -> None:
    """The key of whoever installs is also that of the people."""
    for user in (ADMIN, VIEWER):
        # Somebody without a key has no folder for one.
        machine.run(f"install -d -o {user} -g {user} -m 700 /home/{user}/.ssh")
        machine.run(f"install -o {user} -g {user} -m 600 ~root/.ssh/authorized_keys /home/{user}/.ssh/authorized_keys2")
