"""Which files Compose's answer depends on, and whether one of them is another than before. Cheap calls only."""

from __future__ import annotations

import re
import stat
from collections.abc import Collection, Mapping
from pathlib import Path

Marks = Mapping[Path, tuple[int, int, int] | None]
"""Time of change, size and inode of each file; None where there is none."""

_MOST_FILES = 100
_MOST_BYTES = 1 << 20
# Compose does not tell what it included. A word that looks like the name of a Compose or an environment file is one that
# counts, or it is looked at for nothing.
_BETWEEN = re.compile(r"""[\s"'`,:=\[\]{}]+""")
_COMPOSE_FILES = (".yml", ".yaml")
_RESOLVED = re.compile(r"\b(env_file|include|extends)\b")


def inputs(file: Path) -> set[Path]:
    """The file, the .env beside it, and the files that they name, which may name others. Reads them."""
    found = {file, file.parent / ".env"}
    unread = [file]
    while unread:
        one = unread.pop()
        for word in dict.fromkeys(_BETWEEN.split(_text(one))):
            compose_file = word.endswith(_COMPOSE_FILES)
            if not compose_file and "env" not in word.rpartition("/")[2]:
                continue
            named = one.parent / word
            if named not in found and len(found) < _MOST_FILES and _mark(named) is not None:
                found.add(named)
                if compose_file:
                    unread.append(named)
    return found


def needs_resolving(file: Path) -> bool:
    """True when `config --hash` would differ from what `up` labels: with environment files, includes and extends.

    Compose 2.40 hashes such services before it has read those files. Without the words in the file there are none.
    """
    return _RESOLVED.search(_text(file)) is not None


def marks(paths: Collection[Path]) -> Marks:
    return {path: _mark(path) for path in paths}


def _mark(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return (status.st_mtime_ns, status.st_size, status.st_ino) if stat.S_ISREG(status.st_mode) else None


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_MOST_BYTES).decode(errors="replace")
    except OSError:
        return ""
