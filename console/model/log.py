"""One entry of a container's log."""

from __future__ import annotations

from typing import TypeAlias

Entry: TypeAlias = tuple[int, bool, bytes]
"""Time (nanoseconds since 1970, the Engine's clock), whether it came through stderr, and the bytes as they were written.

The bytes end in a newline if the line does; a line of more than 16 KiB comes as several entries of the same time. They are
raw: nothing of them may be shown before it went through the gate. A plain tuple, because a training can write 50,000 of
these in a second.
"""
