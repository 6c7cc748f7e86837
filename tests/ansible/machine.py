"""A fresh server to try the playbook on: Debian 12 with systemd and sshd, in namespaces of its own on this machine.

It has one neighbour, from where Ansible comes and where the mirror of Debian is, and reaches nothing else.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shlex
import shutil
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path

import yaml

from tests.support import leftovers, scratch
from tests.support.namespace import Namespace
from tests.support.waiting import until_sync

from . import mirror
from .mirror import Mirror

ROOT = Path(__file__).parents[2]
PLAYBOOKS = ROOT / "infra" / "ansible"
# Addresses for documentation, so that they are nobody's.
SERVER, SERVER_V6 = "198.51.100.10", "2001:db8::10"
NEIGHBOUR, NEIGHBOUR_V6 = "198.51.100.1", "2001:db8::1"
# From where nothing of Ansible comes: the firewall counts connections by address.
OTHER_NEIGHBOUR = "198.51.100.2"
# Where clouds tell a machine what it may do.
METADATA = "169.254.169.254"
# Who installs: may sudo without a password, as on the images of clouds.
USER = "installer"

_RELEASE = "bookworm"
_PACKAGES = (
    "systemd", "systemd-sysv", "dbus", "openssh-server", "sudo", "python3", "python3-apt", "ca-certificates", "iproute2",
    "kmod", "less", "locales", "netbase", "procps",
)  # fmt: skip
_CACHE = ROOT / ".cache" / "ansible-base"
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
_SOURCES = f"""\
Types: deb
URIs: http://{mirror.NAME}/debian
Suites: {_RELEASE} {_RELEASE}-updates
Components: main
Signed-By: {_KEYRING}

Types: deb
URIs: http://{mirror.NAME}/debian-security
Suites: {_RELEASE}-security
Components: main
Signed-By: {_KEYRING}
"""
# Not the machine's: what cannot be had in here. A clock that is somebody else's is watched and not set.
_CHRONY = "[Unit]\nConditionCapability=\n\n[Service]\nEnvironment=DAEMON_OPTS=-x\nEnvironmentFile=\n"
_SETTLE = """\
set -eu
useradd --create-home --shell /bin/bash {user}
echo '{user} ALL=(ALL:ALL) NOPASSWD: ALL' >/etc/sudoers.d/{user}
systemctl mask --quiet systemd-udevd.service systemd-udevd-kernel.socket systemd-udevd-control.socket
apt-get clean
rm -rf /var/lib/apt/lists/* /usr/share/doc /usr/share/man /etc/apt/sources.list /etc/machine-id
rm -f /etc/ssh/ssh_host_* /etc/resolv.conf /etc/hostname
: >/etc/machine-id
"""
_GLOBALS = (
    "fs/inotify/max_user_instances", "fs/inotify/max_user_watches", "fs/protected_fifos", "fs/protected_regular",
    "fs/suid_dumpable", "kernel/dmesg_restrict", "kernel/kptr_restrict", "kernel/sysrq", "kernel/unprivileged_bpf_disabled",
    "kernel/yama/ptrace_scope", "vm/max_map_count", "vm/swappiness", "vm/overcommit_memory", "vm/panic_on_oom",
)  # fmt: skip

# Seconds.
_BOOTSTRAP_LIMIT = 900.0
_BOOT_LIMIT = 60.0
_STOP_LIMIT = 180.0


class NoMachineError(Exception):
    """No server can be made here; the message says why."""


class Machine:
    """One server, running from the start until `close`. `mirror` is all that it reaches, and `world` is where that is."""

    def __init__(self, *shared: Path) -> None:
        """`shared` are folders of this machine that it may read where they are here. Raises NoMachineError."""
        self._shared = shared
        base = base_system()
        self.folder = scratch.new_folder("m")
        self._name = leftovers.cgroup_of(self.folder)
        self._base = base
        self._process: subprocess.Popen[bytes] | None = None
        self._mirror: Mirror | None = None
        self.network, self.world = Namespace(), Namespace()
        try:
            self._cable()
            listener = self.world.call(lambda: socket.create_server(("", 80)))
            self._mirror = Mirror(listener)
            self._lay_out()
            self.boot()
        except BaseException:
            self.close()
            raise

    @property
    def mirror(self) -> Mirror:
        if self._mirror is None:
            raise RuntimeError("this server is closed")
        return self._mirror

    @property
    def key(self) -> Path:
        """Of the user who installs, and root's too."""
        return self.folder / "key"

    @property
    def public_key(self) -> str:
        """Its other half, one line."""
        return self.key.with_suffix(".pub").read_text().strip()

    def boot(self) -> None:
        """Start it, and wait until one can log in."""
        with (self.folder / "log").open("ab") as output:
            self._process = subprocess.Popen(
                self.network.command(str(Path(__file__).with_name("boot")), self._name, str(self._base), str(self.folder)),
                env={"PATH": os.environ["PATH"], leftovers.MARKER: str(self.folder)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        until_sync(self._is_up, f"the server to come up: {self.folder / 'log'}", _BOOT_LIMIT)

    def reboot(self) -> None:
        """As `systemctl reboot` does it."""
        process = self._process
        if process is None:
            raise RuntimeError("this server does not run")
        self.run("systemctl --no-block reboot", check=False)
        process.wait(_STOP_LIMIT)
        self.boot()

    def run(self, script: str, *, check: bool = True, limit: float = 120.0) -> str:
        """What a shell script prints that root runs on it. Raises AssertionError when it fails, unless `check` is off."""
        command = ["nsenter", f"--target={self._init()}", "--all", "--", "/bin/sh", "-c", script]
        env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", leftovers.MARKER: str(self.folder)}
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=limit, check=False)
        if check and done.returncode != 0:
            raise AssertionError(f"{script}\n{done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def path(self, name: str) -> Path:
        """Where a file of its root is out here."""
        return Path(f"/proc/{self._init()}/root") / name.removeprefix("/")

    @property
    def relay(self) -> str:
        """The command that ssh out here gets to its sshd by."""
        return shlex.join(self.world.command("python3", "-ISc", _RELAY))

    def ssh_options(self) -> str:
        """Words for ssh on its command line."""
        known = f"-o UserKnownHostsFile={self.folder}/known_hosts -o StrictHostKeyChecking=accept-new"
        return f"-o ProxyCommand={shlex.quote(self.relay)} {known}"

    def inventory(self, variables: Mapping[str, object] | None = None) -> Path:
        """A file for ansible-playbook, with `variables` for this server."""
        host = {
            "ansible_host": SERVER,
            "ansible_user": USER,
            "ansible_ssh_private_key_file": str(self.key),
            "ansible_ssh_common_args": self.ssh_options(),
            # Its own connections: another server has the same address.
            "ansible_control_path_dir": str(self.folder / "cp"),
            "ansible_python_interpreter": "/usr/bin/python3",
            **(variables or {}),
        }
        file = self.folder / "inventory.yml"
        file.write_text(yaml.safe_dump({"training_servers": {"hosts": {"training": host}}}), encoding="utf-8")
        return file

    def connects(self, port: int, address: str = SERVER, source: str = "") -> bool:
        """Whether its neighbour gets a connection to that port, from that one of its addresses if need be."""

        def attempt() -> bool:
            try:
                socket.create_connection((address, port), 2.0, (source, 0) if source else None).close()
            except OSError:
                return False
            return True

        return self.world.call(attempt)

    def close(self) -> None:
        """End it and forget all that was on it. Harmless when done twice."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(_STOP_LIMIT)
            self._process = None
        if self._mirror is not None:
            self._mirror.close()
            self._mirror = None
        leftovers.sweep(self.folder)
        self.network.close()
        self.world.close()

    def _init(self) -> int:
        """Process 1 of it, by its number out here."""
        process = self._process
        if process is None:
            raise RuntimeError("this server does not run")
        # unshare waits for its one child.
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        if not children:
            raise RuntimeError("this server does not run")
        return int(children[0])

    def _is_up(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            log = (self.folder / "log").read_text(errors="replace")
            raise NoMachineError(f"the server does not boot: {log[-2000:]}")
        # Not by connecting: whoever does that over and over is kept out by the firewall.
        try:
            return self.run("systemctl is-system-running", check=False).strip() in ("running", "degraded")
        except (OSError, RuntimeError):
            return False

    def _cable(self) -> None:
        target = self.network.command()[1].partition("=")[2]
        for machine, command in (
            (self.world, f"ip link add to-server type veth peer name eth0 netns {target}"),
            (self.world, f"ip address add {NEIGHBOUR}/24 dev to-server"),
            (self.world, f"ip address add {OTHER_NEIGHBOUR}/24 dev to-server"),
            (self.world, f"ip address add {METADATA}/32 dev to-server"),
            (self.world, f"ip address add {NEIGHBOUR_V6}/64 dev to-server nodad"),
            (self.world, "ip link set to-server up"),
            (self.network, f"ip address add {SERVER}/24 dev eth0"),
            (self.network, f"ip address add {SERVER_V6}/64 dev eth0 nodad"),
            (self.network, "ip link set eth0 up"),
            (self.network, f"ip route add default via {NEIGHBOUR}"),
            (self.network, f"ip -6 route add default via {NEIGHBOUR_V6}"),
        ):
            subprocess.run(machine.command(*command.split()), check=True, capture_output=True)

    def _lay_out(self) -> None:
        for name in ("upper", "work", "root", "docker", "containerd", "globals"):
            (self.folder / name).mkdir()
        self.folder.chmod(0o755)
        for name in ("upper", "docker", "containerd"):
            (self.folder / name).chmod(0o755)
        (self.folder / "shared.list").write_text("".join(f"{path}\n" for path in self._shared))
        (self.folder / "globals.list").write_text("".join(f"{name}\n" for name in _GLOBALS))
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(self.key)]
        subprocess.run(command, check=True, capture_output=True)
        self._put("etc/apt/sources.list.d/debian.sources", _SOURCES)
        self._put("etc/hostname", "training\n")
        self._put("etc/hosts", f"127.0.0.1 localhost\n127.0.1.1 training\n{NEIGHBOUR} {mirror.NAME}\n")
        self._put("etc/resolv.conf", f"nameserver {NEIGHBOUR}\noptions timeout:1 attempts:1\n")
        self._put("etc/systemd/system/chrony.service.d/test.conf", _CHRONY)
        self._put("root/.ssh/authorized_keys", f"{self.public_key}\n", 0o600)
        self._put(f"home/{USER}/.ssh/authorized_keys", f"{self.public_key}\n", 0o600)
        _give(self.folder / "upper", self._base, f"home/{USER}", 1000)
        self._put("etc/ssh/ssh_host_ed25519_key", self._host_key(), 0o600)

    def _host_key(self) -> str:
        file = self.folder / "host-key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(file)], check=True)
        return file.read_text()

    def _put(self, name: str, content: str, mode: int = 0o644) -> None:
        file = self.folder / "upper" / name
        for folder in reversed(file.relative_to(self.folder / "upper").parents[:-1]):
            made = self.folder / "upper" / folder
            if not made.exists():
                made.mkdir()
                below = self._base / folder
                made.chmod(below.stat().st_mode & 0o7777 if below.exists() else 0o700 if folder.name == ".ssh" else 0o755)
        file.write_text(content, encoding="utf-8")
        file.chmod(mode)


# Standard input and output, to and from the server.
_RELAY = f"""
import os, socket, threading
s = socket.create_connection(("{SERVER}", 22))
def up():
    while True:
        data = os.read(0, 65536)
        if not data:
            break
        s.sendall(data)
    s.shutdown(socket.SHUT_WR)
threading.Thread(target=up, daemon=True).start()
while True:
    data = s.recv(65536)
    if not data:
        break
    os.write(1, data)
"""


def _give(upper: Path, base: Path, name: str, owner: int) -> None:
    """A folder in `upper` and all in it to a user, with its mode as below."""
    top = upper / name
    top.chmod((base / name).stat().st_mode & 0o7777)
    for path in (top, *top.rglob("*")):
        os.chown(path, owner, owner)


def base_system() -> Path:
    """The root of a fresh server, made by the first process that asks. Raises NoMachineError."""
    recipe = hashlib.sha256(f"{_RELEASE} {_PACKAGES} {_SETTLE}".encode()).hexdigest()[:16]
    made = _CACHE / recipe
    _CACHE.mkdir(parents=True, exist_ok=True)
    with (_CACHE / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not made.exists():
            for older in _CACHE.iterdir():
                if older.is_dir():
                    shutil.rmtree(older)
            new = made.with_suffix(".new")
            _bootstrap(new)
            new.rename(made)
    return made


def _bootstrap(root: Path) -> None:
    program = shutil.which("debootstrap", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if program is None:
        raise NoMachineError("debootstrap is not installed")
    if os.geteuid() != 0:
        raise NoMachineError("it takes root")
    upstream = os.environ.get(mirror.UPSTREAM)
    # An unsigned Debian is none.
    options = ("--variant=minbase", "--force-check-gpg", f"--include={','.join(_PACKAGES)}")
    root.mkdir(mode=0o755)
    _run([program, *options, _RELEASE, str(root), *([f"{upstream}/debian"] if upstream else [])], _BOOTSTRAP_LIMIT)
    _run(["chroot", str(root), "sh", "-c", _SETTLE.format(user=USER)], 120.0)


def _run(command: list[str], limit: float) -> None:
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    environment = {**os.environ, "PATH": path, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired as error:
        raise NoMachineError(f"{Path(command[0]).name} took more than {limit:g} s") from error
    if done.returncode != 0:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        raise NoMachineError(f"{Path(command[0]).name} failed: {lines[-1] if lines else 'no word'}")
