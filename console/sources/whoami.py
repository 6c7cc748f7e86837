"""Who has started this program. The real user comes from the kernel, the rest from the environment, which its owner can set."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping

from console.model.person import Person
from console.text import Clean, clean

_LONGEST = 256


def person(env: Mapping[str, str], jenkins: str | None = None) -> Person:
    """Blocks while the system's list of users is asked, which may be another machine's."""
    uid = os.getuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = str(uid)
    ssh = (env.get("SSH_CONNECTION") or env.get("SSH_CLIENT") or "").split()
    return Person(
        user=_short(name) or Clean(str(uid)),
        uid=uid,
        sudo=_short(env.get("SUDO_USER")),
        ssh=_short(ssh[0]) if ssh else None,
        jenkins=_short(jenkins),
    )


def _short(text: str | None) -> Clean | None:
    return clean(text, limit=_LONGEST) or None if text else None
