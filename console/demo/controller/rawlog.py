"""A build's log file as the controller keeps it: text with hidden notes, served without them.

The raw file is longer than the text: each `[Pipeline]` line and each link holds a note
(`ESC [8mha:////....ESC [0m`, about 270 to 320 bytes), which the plain views leave out. Offsets are bytes
of the raw file (recordings log-finished-start-*).
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode

_NOTE = re.compile(rb"\x1b\[8mha:.*?\x1b\[0m", re.DOTALL)
# Lengths seen in the recording log-follow-live: a line of the Pipeline, its first one, and a link around a name.
START_NOTE, STEP_NOTE, LINK_NOTE = 283, 286, 267


def note(text: str, length: int) -> str:
    """A console note of `length` bytes, always the same for the same `text`."""
    head, tail = "\x1b[8mha:////", "\x1b[0m"
    digest, made = b"", text
    while len(digest) < length:
        made = hashlib.sha256(made.encode()).hexdigest()
        digest += bytes.fromhex(made)
    return head + b64encode(digest).decode()[: length - len(head) - len(tail)] + tail


def without_notes(raw: bytes) -> bytes:
    """The text of a piece of the raw file. A piece that begins within a note keeps the rest of that note."""
    return _NOTE.sub(b"", raw)


class RawLog:
    """The log file of one build. Its size never shrinks."""

    def __init__(self) -> None:
        self._raw = bytearray()

    @property
    def size(self) -> int:
        """Bytes of the raw file, the next `start` of a reader."""
        return len(self._raw)

    def add(self, line: str) -> None:
        """Append one line; notes in it count, and are not served."""
        self._raw += line.encode("utf-8", "replace") + b"\n"

    def read(self, start: int = 0) -> tuple[str, int]:
        """The text from the raw offset `start` with plain line feeds, and the size of the raw file.

        A start beyond the end gives everything from 0, as the server does. Broken characters become U+FFFD.
        """
        size = len(self._raw)
        if start > size:
            start = 0
        return without_notes(bytes(self._raw[start:])).decode("utf-8", "replace"), size
