"""What is shown to a person once: a file without content in the console's state says that it was."""

from __future__ import annotations

import os
from collections.abc import Mapping

from console.sources._blocking import Pool
from console.sources.auditfile import state_folder

TOUR = "tour-shown"
DEADLINE = 2.0
"""Seconds. What comes up later would come in the middle of something."""
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


async def first_time(name: str, env: Mapping[str, str], deadline: float = DEADLINE) -> bool:
    """Whether `name` was never asked for with this state folder: True for one of all consoles that ask, and once.

    Where nothing can be written down it is always the first time. False when the disk does not answer within `deadline`
    seconds.
    """
    pool = Pool("once", 1)
    try:
        return await pool.run(lambda: _made(name, env), deadline)
    except TimeoutError:
        return False
    finally:
        pool.close()


def _made(name: str, env: Mapping[str, str]) -> bool:
    folder = state_folder(env)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(folder / name, _NEW, 0o600))
    except OSError:
        # It is there; or nothing can be written, and then it may be there from before.
        return not os.path.lexists(folder / name)
    return True
