"""The systemd journal, in its native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): one datagram for each entry.

Whoever writes an entry cannot change it afterwards, and journald adds by itself who it was (_UID, _PID, _AUDIT_LOGINUID).
"""

from __future__ import annotations

import array
import errno
import fcntl
import os
import socket
import struct
from collections.abc import Sequence
from pathlib import Path

from console.sources.auditfile import AuditError

SOCKET = Path("/run/systemd/journal/socket")
SEND_SECONDS = 2.0
_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL
_TOO_LARGE = (errno.EMSGSIZE, errno.ENOBUFS)


def encoded(fields: Sequence[tuple[str, str]]) -> bytes:
    """`NAME=value` and a line feed each; a value that has line feeds is preceded by its length instead."""
    parts: list[bytes] = []
    for name, value in fields:
        data = value.encode()
        if b"\n" in data:
            parts += [name.encode(), b"\n", struct.pack("<Q", len(data)), data, b"\n"]
        else:
            parts += [name.encode(), b"=", data, b"\n"]
    return b"".join(parts)


class Journal:
    """The journal of this machine, if it has one. Everything here blocks."""

    def __init__(self, path: Path = SOCKET, seconds: float = SEND_SECONDS) -> None:
        self._path = path
        self._seconds = seconds

    @property
    def there(self) -> bool:
        return self._path.exists()

    def send(self, fields: Sequence[tuple[str, str]]) -> None:
        """Hand an entry over. Raises AuditError: then it was not taken."""
        data = encoded(fields)
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
                sock.settimeout(self._seconds)
                sock.connect(str(self._path))
                try:
                    sock.send(data)
                except OSError as failed:
                    if failed.errno not in _TOO_LARGE:
                        raise
                    _send_by_memory(sock, data)
        except TimeoutError:
            raise _refused("it does not read") from None
        except OSError as failed:
            raise _refused(failed.strerror or str(failed)) from None


def _refused(why: str) -> AuditError:
    return AuditError(f"The systemd journal takes nothing: {why}. See: systemctl status systemd-journald")


def _send_by_memory(sock: socket.socket, data: bytes) -> None:
    """What is too large for a datagram goes as a sealed file in memory, with nothing beside it."""
    handle = os.memfd_create("mlops-console-audit", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(handle, rest) :]
        fcntl.fcntl(handle, fcntl.F_ADD_SEALS, _SEALS)
        sock.sendmsg([b""], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [handle]))])
    finally:
        os.close(handle)
