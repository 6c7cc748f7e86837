"""Running a child process from the back room: no shell, no input, bounded output, nothing left behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

OUTPUT_LIMIT = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Finished:
    """How a child ended and what it wrote. `status` is negative for a signal."""

    status: int
    out: bytes
    err: bytes


class Children:
    """Starts children and knows those that still run, so that leaving can end them all."""

    def __init__(self) -> None:
        self._running: set[asyncio.subprocess.Process] = set()

    async def run(
        self, command: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path | None, deadline: float
    ) -> Finished:
        """The finished child. TimeoutError after `deadline` seconds, OSError when it cannot be started."""
        child = await asyncio.create_subprocess_exec(
            *map(str, command),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=dict(env),
            cwd=cwd,
            start_new_session=True,
        )
        self._running.add(child)
        try:
            async with asyncio.timeout(deadline):
                out, err = await asyncio.gather(_all_of(child.stdout), _all_of(child.stderr))
                status = await child.wait()
        finally:
            self._end(child)
            self._running.discard(child)
        return Finished(status, out, err)

    def end_all(self) -> None:
        for child in list(self._running):
            self._end(child)

    @staticmethod
    def _end(child: asyncio.subprocess.Process) -> None:
        """Kill its whole group: what it started goes with it."""
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)


async def _all_of(stream: asyncio.StreamReader | None) -> bytes:
    """Everything up to the limit; more is read and dropped, so that the child does not block on a full pipe."""
    parts: list[bytes] = []
    size = 0
    while stream is not None and (data := await stream.read(65536)):
        if size < OUTPUT_LIMIT:
            parts.append(data)
        size += len(data)
    return b"".join(parts)
