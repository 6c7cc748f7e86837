"""A container's log as the Engine sends it, turned into entries.

With a terminal it is plain text. Without one every entry has 8 bytes in front: the stream, three zeros, and the length in
four bytes, the highest first (Docker Engine API, "Attach to a container"). The time stamp that was asked for stands at the
beginning of each entry, and so also in front of each later part of a line of more than 16 KiB.
"""

from __future__ import annotations

import re
import struct
from datetime import UTC, datetime, timedelta

from console.model.log import Entry
from console.sources.docker_engine.wire import WireError

ENTRY_LIMIT = 16 * 1024 * 1024
"""Bytes of one entry, far above what any log driver writes: a peer that announces more is no Engine."""

_HEADER = struct.Struct(">BxxxL")
_STDERR = 2
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NANO = 1_000_000_000
# 2026-11-23T05:44:39.123456789 with Z or +09:00: always nine digits here, and the zone is that of the Engine's machine.
_STAMP = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{9})(Z|[+-]\d\d:\d\d)\x20?")
_PIECE = 16 * 1024
_PART = 16 * _PIECE


class Stamps:
    """Reads time stamps. Neighbours nearly always share their second, so that is worked out once."""

    def __init__(self) -> None:
        self.second = b""
        """The newest one in UTC as it is written, with the point behind it."""
        self.nanos = 0
        """The same in nanoseconds since 1970."""

    @staticmethod
    def digits(text: bytes) -> int:
        """The nanoseconds behind the point."""
        try:
            return int(text)
        except ValueError:
            raise WireError("a log entry without a time") from None

    def read(self, text: bytes) -> tuple[int, bytes]:
        """Nanoseconds since 1970, and what follows the stamp. Raises WireError if `text` begins with none."""
        match = _STAMP.match(text)
        if match is None:
            raise WireError("a log entry without a time")
        second, nanos, zone = match.groups()
        try:
            moment = datetime.fromisoformat((second + zone).decode())
        except ValueError:
            raise WireError("a log entry without a time") from None
        begun = (moment - _EPOCH) // timedelta(seconds=1) * _NANO
        if zone == b"Z":
            self.second, self.nanos = second + b".", begun
        return begun + int(nanos), text[match.end() :]


class Frames:
    """Entries of a container without a terminal."""

    def __init__(self) -> None:
        self._stamps = Stamps()
        self._rest = b""

    def feed(self, data: bytes) -> list[Entry]:
        """The entries that are complete with `data`."""
        if self._rest:
            data = self._rest + data
        found: list[Entry] = []
        stamps, header = self._stamps, _HEADER.unpack_from
        at, size = 0, len(data)
        while at + 8 <= size:
            stream, length = header(data, at)
            if length > ENTRY_LIMIT or stream > _STDERR:
                raise WireError("a log entry of unknown form")
            body = at + 8
            end = body + length
            if end > size:
                break
            # What `Stamps.read` does, without a call and a copy for each line of a flood.
            if length > 30 and data[body : body + 20] == stamps.second and data[body + 29 : body + 31] == b"Z ":
                time, text = stamps.nanos + stamps.digits(data[body + 20 : body + 29]), data[body + 31 : end]
            else:
                time, text = stamps.read(data[body:end])
            found.append((time, stream == _STDERR, text))
            at = end
        self._rest = data[at:]
        return found

    def end(self) -> list[Entry]:
        """Raises WireError when the stream stopped in the middle of an entry."""
        if self._rest:
            raise WireError("the last log entry is not complete")
        return []


class Lines:
    """Entries of a container with a terminal: there is one stream, and nothing tells the parts of a long line apart."""

    def __init__(self) -> None:
        self._stamps = Stamps()
        self._rest = b""

    def feed(self, data: bytes) -> list[Entry]:
        """The entries that are complete with `data`, and parts of a line that is very long."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        found: list[Entry] = []
        for line in lines:
            found += self._entries(line + b"\n")
        if len(self._rest) > _PART:
            # A later part begins with the stamp of the line, so that is where it can be cut.
            stamp = self._rest[: len(self._rest) - len(self._stamps.read(self._rest)[1])]
            cut = self._rest.rfind(stamp)
            if cut > 0:
                found += self._entries(self._rest[:cut])
                self._rest = self._rest[cut:]
            elif len(self._rest) > ENTRY_LIMIT:
                raise WireError("a log entry that does not end")
        return found

    def end(self) -> list[Entry]:
        """What has no newline when the stream ends."""
        rest, self._rest = self._rest, b""
        return self._entries(rest) if rest else []

    def _entries(self, line: bytes) -> list[Entry]:
        """One entry, or one for each part of a long line: the same ones, however much of it has come."""
        time, text = self._stamps.read(line)
        if len(text) <= _PIECE:
            return [(time, False, text)]
        # No program can know the Engine's stamp of its own line and print it.
        return [(time, False, part) for part in text.split(line[: len(line) - len(text)])]
