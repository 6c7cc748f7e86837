"""A stand-in for the systemd journal's socket: takes what systemd.io/JOURNAL_NATIVE_PROTOCOL describes, and nothing else."""

from __future__ import annotations

import array
import fcntl
import os
import socket
import struct
from pathlib import Path
from types import TracebackType
from typing import Self

_SEALED = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL


def parsed(data: bytes) -> list[tuple[str, bytes]]:
    """The fields of one entry, in their order. Raises ValueError for anything that journald would drop."""
    fields: list[tuple[str, bytes]] = []
    while data:
        line, end, rest = data.partition(b"\n")
        if not end:
            raise ValueError("the last field has no end")
        name, equals, value = line.partition(b"=")
        if not equals:
            (size,) = struct.unpack("<Q", rest[:8])
            value, rest = rest[8 : 8 + size], rest[8 + size :]
            if len(value) != size or not rest.startswith(b"\n"):
                raise ValueError(f"{name!r} is shorter than it says")
            rest = rest[1:]
        text = name.decode("ascii")
        if not text or not all(one.isupper() or one.isdigit() or one == "_" for one in text) or text[0] in "_0123456789":
            raise ValueError(f"{text!r} is no name of a field")
        fields.append((text, value))
        data = rest
    return fields


class StandIn:
    """Listens at `path` until it is closed. `large` counts the entries that came as sealed files in memory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.large = 0
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.settimeout(10.0)

    def taken(self) -> list[tuple[str, bytes]]:
        """The next entry. Raises ValueError for a datagram that is none, TimeoutError when nothing comes."""
        data, ancillary, _, _ = self._socket.recvmsg(1 << 20, socket.CMSG_SPACE(64))
        handles = array.array("i")
        for level, kind, content in ancillary:
            assert (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS)
            handles.frombytes(content)
        try:
            if bool(data) == bool(handles) or len(handles) > 1:
                raise ValueError("an entry is either in the datagram or in one file")
            if not handles:
                return parsed(data)
            if fcntl.fcntl(handles[0], fcntl.F_GET_SEALS) & _SEALED != _SEALED:
                raise ValueError("the file is not fully sealed")
            self.large += 1
            return parsed(os.pread(handles[0], os.fstat(handles[0]).st_size, 0))
        finally:
            for handle in handles:
                os.close(handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()
        self.path.unlink(missing_ok=True)
