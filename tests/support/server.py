"""An Engine as a server has it: with networks, its socket at /var/run/docker.sock, and a world outside."""

from __future__ import annotations

import subprocess

from tests.support.engine import Engine

# An address of the world: reserved for documentation, so that it is nobody's.
OUTSIDE = "203.0.113.10"
# What is mounted there is seen by dockerd alone, and gone with it. Docker mounts what the link leads to.
_OWN_RUN = 'mount -t tmpfs -o mode=755 run /run && ln -s "$0" /run/docker.sock && exec "$@"'


class Server(Engine):
    """Containers may mount /var/run/docker.sock, which is this Engine's and not the machine's.

    `OUTSIDE` stands for the internet: whoever has a way out of the Engine's networks reaches it.
    """

    def __init__(self) -> None:
        """Start it. Raises NoEngineError."""
        super().__init__(networks=True)
        # A second address of this network's loopback, whatever kinds of interfaces the kernel knows.
        command = self.network.command("ip", "address", "add", f"{OUTSIDE}/32", "dev", "lo")
        subprocess.run(command, check=True, capture_output=True)

    @property
    def socket_group(self) -> int:
        """The gid of its socket."""
        return self.socket.stat().st_gid

    def _start(self, command: list[str]) -> None:
        own = ["unshare", "--mount", "--propagation=private", "--", "sh", "-c", _OWN_RUN, str(self.socket)]
        super()._start([*own, *command])
