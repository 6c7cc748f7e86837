"""The training projects of a clone: a folder each, as docs/projects.md has them."""

from __future__ import annotations

import re
from pathlib import Path

from console.text import Clean

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_CONTRACT = "config.yaml"


def project_names(folder: Path) -> tuple[Clean, ...]:
    """The projects below `folder`, by name; none where it is no folder, or may not be read."""
    try:
        found = [one.name for one in folder.iterdir() if _NAME.fullmatch(one.name) and (one / _CONTRACT).is_file()]
    except OSError:
        return ()
    return tuple(map(Clean, sorted(found)))
