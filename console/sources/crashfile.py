"""Reports of defects, in files that only their owner may read: the newest ten."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from console.sources.auditfile import state_folder

KEPT = 10
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def write_report(text: str, env: Mapping[str, str]) -> Path:
    """Keep `text` as `crash-TIME.txt` in the folder of the console's state, and let the oldest go. Raises OSError."""
    folder = state_folder(env)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"crash-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}.txt"
    handle = os.open(path, _NEW, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)
    for old in sorted(folder.glob("crash-*.txt"))[:-KEPT]:
        with suppress(OSError):
            old.unlink()
    return path
