"""Words to systemd about the service that this process is (sd_notify(3)): one datagram each, to the socket that it names."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress

_SECONDS = 1.0


class Systemd:
    """Tells what systemd wants to know; where nobody has started us as a service, nothing."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._place = env.get("NOTIFY_SOCKET", "")
        self.watchdog = _seconds(env)
        """Seconds within which it wants to hear `alive`; None where it does not."""

    def ready(self) -> None:
        self._send("READY=1")

    def alive(self, words: str) -> None:
        """`words` are what `systemctl status` shows."""
        self._send(f"WATCHDOG=1\nSTATUS={' '.join(words.split())}")

    def stopping(self) -> None:
        self._send("STOPPING=1")

    def _send(self, text: str) -> None:
        if not self._place.startswith(("/", "@")):
            return
        # Whoever is not listened to goes on with his work.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
            sock.settimeout(_SECONDS)
            sock.connect(f"\0{self._place[1:]}" if self._place.startswith("@") else self._place)
            sock.send(text.encode())


def _seconds(env: Mapping[str, str]) -> float | None:
    told, pid = env.get("WATCHDOG_USEC", ""), env.get("WATCHDOG_PID", "")
    if not (told.isascii() and told.isdigit()) or (pid and pid != str(os.getpid())):
        return None
    return int(told) / 1e6 or None
