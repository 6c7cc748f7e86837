"""An Engine as a server has it: with networks, its socket at /var/run/docker.sock, and a world outside."""

from __future__ import annotations

import subprocess

from tests.support.engine import Engine
from tests.support.namespace import Namespace

# Addresses of the world and of the server in it: reserved for documentation, so that they are nobody's.
OUTSIDE = "203.0.113.10"
SERVER = "203.0.113.1"
# What is mounted there is seen by dockerd alone, and gone with it. Docker mounts what the link leads to. A name that no
# container has is asked for in the world, where nobody answers: at once, and not after all the time-outs of a silence.
_OWN_FILES = """\
names=$(readlink -f /etc/resolv.conf)
mount -t tmpfs -o mode=755 run /run
ln -s "$0" /run/docker.sock
printf "nameserver %s\\noptions timeout:1 attempts:1\\n" "$1" >/run/resolv.conf
shift
case $names in
    /run/*) mkdir -p "${names%/*}" && cp -n /run/resolv.conf "$names" ;;
    *) mount --bind /run/resolv.conf "$names" ;;
esac && exec "$@"
"""


class Server(Engine):
    """Containers may mount /var/run/docker.sock, which is this Engine's and not the machine's.

    `world` stands for the internet: whoever has a way out of the Engine's networks reaches `OUTSIDE`, a machine there.
    """

    def __init__(self) -> None:
        """Start it. Raises NoEngineError."""
        super().__init__(networks=True)
        self.world = Namespace()
        world = self.world.command()[1].partition("=")[2]
        for network, command in (
            (self.network, f"ip link add outside type veth peer name uplink netns {world}"),
            (self.network, f"ip address add {SERVER}/24 dev outside"),
            (self.network, "ip link set outside up"),
            (self.world, f"ip address add {OUTSIDE}/24 dev uplink"),
            (self.world, "ip link set uplink up"),
        ):
            subprocess.run(network.command(*command.split()), check=True, capture_output=True)

    @property
    def socket_group(self) -> int:
        """The gid of its socket."""
        return self.socket.stat().st_gid

    def close(self) -> None:
        """End it and everything in it. Harmless when done twice."""
        super().close()
        if hasattr(self, "world"):
            self.world.close()

    def _start(self, command: list[str]) -> None:
        own = ["unshare", "--mount", "--propagation=private", "--", "sh", "-c", _OWN_FILES, str(self.socket), OUTSIDE]
        super()._start([*own, *command])
