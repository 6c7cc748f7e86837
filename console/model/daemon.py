"""What an Engine says of its own set-up."""

from __future__ import annotations

from dataclasses import dataclass

from console.text import Clean


@dataclass(frozen=True, slots=True)
class Daemon:
    """An Engine's set-up. What it does not tell is None, or left out.

    `live_restore`: containers run on while it is restarted. `runtimes` are what starts containers (`runc`, `nvidia`), `devices`
    those that CDI knows of, `root` is the folder that it keeps everything in, `warnings` are its own.
    """

    live_restore: bool | None
    runtimes: tuple[Clean, ...] = ()
    devices: tuple[Clean, ...] = ()
    root: Clean | None = None
    warnings: tuple[Clean, ...] = ()
