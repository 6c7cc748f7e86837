"""A short command inside a container, through the Engine's exec API (ContainerExec, ExecStart, ExecInspect)."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from console.model.container import Ran
from console.text import clean

if TYPE_CHECKING:
    from console.sources.docker_acts.library import Library

KEPT = 64 * 1024
"""Bytes of each stream that are kept; the rest is read and dropped, so that the command does not stand still."""

_HEAD = struct.Struct(">BxxxL")
_ERR = 2


def run_inside(library: Library, container: str, command: Sequence[str], user: str, environment: Mapping[str, str]) -> Ran:
    """See `sources.protocols.EngineActs`. Raises ValueError for an answer that no Engine gives."""
    made: dict[str, Any] = library.exec_create(container, list(command), user=user, environment=dict(environment))
    kept, cut = {1: bytearray(), _ERR: bytearray()}, False
    for stream, part in _frames(library.exec_output(str(made["Id"]))):
        into = kept[_ERR if stream == _ERR else 1]
        room = KEPT - len(into)
        cut = cut or len(part) > room
        into += part[:room]
    told: dict[str, Any] = library.exec_inspect(made["Id"])
    status = told.get("ExitCode")
    if told.get("Running") or not isinstance(status, int):
        raise ValueError("a command whose output has ended, and which has not")
    return Ran(status, clean(bytes(kept[1]), lines=True), clean(bytes(kept[_ERR]), lines=True), cut)


def _frames(pieces: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
    """The parts of both streams, as they come, a large one in several: eight bytes say of which it is, and how long."""
    have = bytearray()
    stream, left = 0, 0
    for piece in pieces:
        have += piece
        while have:
            if left:
                part = bytes(have[:left])
                del have[: len(part)]
                left -= len(part)
                yield stream, part
            elif len(have) >= _HEAD.size:
                stream, left = _HEAD.unpack_from(have)
                del have[: _HEAD.size]
            else:
                break
    if have or left:
        raise ConnectionResetError
