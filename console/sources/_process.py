"""Running a child process from an event loop: no shell, no terminal, bounded output, nothing left behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

OUTPUT_LIMIT = 16 * 1024 * 1024
LINE_LIMIT = 64 * 1024
"""Bytes of one line that whoever follows a child gets to hear."""
# A killed process is gone within a millisecond, unless the kernel holds it: then nobody can wait for it.
_REAP_SECONDS = 1.0
_REST_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Finished:
    """How a child ended and what it wrote.

    `status` is negative for a signal. `cut` tells that `out` or `err` was longer than what is kept of each.
    """

    status: int
    out: bytes
    err: bytes
    cut: bool = False


class Children:
    """Starts children and knows those that still run, so that leaving can end them all.

    Works on a loop in any thread.
    """

    def __init__(self, most: int = OUTPUT_LIMIT) -> None:
        """`most` bytes are kept of each output."""
        self._most = most
        self._running: set[_Starting] = set()

    async def run(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path,
        deadline: float,
        given: bytes = b"",
    ) -> Finished:
        """The finished child, to which `given` was written. It sees no variables but those of `env`.

        Raises TimeoutError after `deadline` seconds and OSError when it cannot be started. At the deadline, and when the
        caller is cancelled, it and all that it started are killed before this returns.
        """
        starting = self._start(command, env, cwd, asyncio.subprocess.PIPE if given else asyncio.subprocess.DEVNULL)
        try:
            async with asyncio.timeout(deadline):
                # A start that is cancelled kills the process alone, and it may have started others by then.
                _, child = await asyncio.shield(starting)
                child.write(given)
                await child.closed.wait()
        finally:
            await self._done_with(starting)
        return Finished(child.status, bytes(child.out), bytes(child.err), child.cut)

    async def follow(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path,
        quiet: float,
        hear: Callable[[bytes], None],
        last_words: float,
    ) -> int:
        """The exit status (negative: a signal) of a child that is listened to while it runs.

        `hear` gets each line of both outputs as it comes, without its end and never more than `LINE_LIMIT` bytes; it must not
        raise. Raises TimeoutError when `quiet` seconds have passed without a word, and OSError when it cannot be started.
        Then, and when the caller is cancelled, the child gets SIGINT, so that it can end in order; after `last_words` seconds,
        or when the caller is cancelled once more, it and all that it started are killed.
        """
        listener = _Listener(hear, quiet)
        starting = self._start(command, env, cwd, asyncio.subprocess.DEVNULL, listener)
        try:
            async with asyncio.timeout(quiet) as listener.limit:
                _, child = await asyncio.shield(starting)
                try:
                    await child.closed.wait()
                except asyncio.CancelledError:  # the limit's, too
                    await child.interrupt(last_words)
                    raise
        finally:
            listener.limit = None
            await self._done_with(starting)
        listener.end()
        return child.status

    def _start(
        self,
        command: Sequence[str],
        env: Mapping[str, str],
        cwd: Path,
        stdin: int,
        listener: _Listener | None = None,
    ) -> _Starting:
        starting = asyncio.create_task(
            asyncio.get_running_loop().subprocess_exec(
                lambda: _Child(listener, self._most),
                *command,
                stdin=stdin,
                env=dict(env),
                cwd=cwd,
                # A group of its own, to be killed whole; no terminal, so that ctrl+c and ctrl+z are not for it.
                start_new_session=True,
            )
        )
        self._running.add(starting)
        return starting

    async def _done_with(self, starting: _Starting) -> None:
        await _end(starting)
        self._running.discard(starting)

    async def aclose(self) -> None:
        """Kill those that run; whoever waits for one gets it as finished by signal 9."""
        await asyncio.gather(*map(_end, self._running))


class _Listener:
    """Makes lines of what comes in pieces. Each piece moves the `limit`."""

    def __init__(self, hear: Callable[[bytes], None], quiet: float) -> None:
        self._hear = hear
        self._quiet = quiet
        self._begun = {1: b"", 2: b""}
        self.limit: asyncio.Timeout | None = None

    def heard(self, fd: int, data: bytes) -> None:
        if self.limit is not None and not self.limit.expired():
            self.limit.reschedule(asyncio.get_running_loop().time() + self._quiet)
        *lines, rest = (self._begun[fd] + data).split(b"\n")
        for line in lines:
            self._hear(line[:LINE_LIMIT])
        self._begun[fd] = rest[:LINE_LIMIT]

    def end(self) -> None:
        """What was written last may have no end of line."""
        for rest in self._begun.values():
            if rest:
                self._hear(rest)


class _Child(asyncio.SubprocessProtocol):
    """One process as its loop sees it."""

    def __init__(self, listener: _Listener | None = None, most: int = OUTPUT_LIMIT) -> None:
        self._listener = listener
        self._most = most
        self.out, self.err = bytearray(), bytearray()
        self.cut = False
        self.exited, self.closed = asyncio.Event(), asyncio.Event()
        self._transport: asyncio.SubprocessTransport

    @property
    def status(self) -> int:
        code = self._transport.get_returncode()
        return -signal.SIGKILL if code is None else code

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.SubprocessTransport", transport)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        if self._listener is not None:
            self._listener.heard(fd, data)
            return
        kept = self.out if fd == 1 else self.err
        room = self._most - len(kept)
        kept += data[:room]
        # The rest is read and dropped, so that the child does not block on a full pipe.
        self.cut = self.cut or len(data) > room

    def process_exited(self) -> None:
        self.exited.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set()

    def write(self, given: bytes) -> None:
        pipe = self._transport.get_pipe_transport(0)
        if isinstance(pipe, asyncio.WriteTransport):
            pipe.write(given)
            pipe.write_eof()

    async def interrupt(self, patience: float) -> None:
        """Ask the whole group to end, as ctrl+c in a terminal does, and give it that many seconds."""
        if self.closed.is_set():
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._transport.get_pid(), signal.SIGINT)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self.exited.wait()
            # What it wrote last is still on its way; what it left behind may keep its outputs open for good.
            async with asyncio.timeout(_REST_SECONDS):
                await self.closed.wait()

    async def end(self) -> None:
        """Kill the whole group unless all of it has ended, and wait until the process itself has been reaped.

        A process that its loop has not reaped when it closes would be reported on the terminal.
        """
        if self.closed.is_set():
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._transport.get_pid(), signal.SIGKILL)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_REAP_SECONDS):
                await self.exited.wait()


_Starting = asyncio.Task[tuple[asyncio.SubprocessTransport, _Child]]


async def _end(starting: _Starting) -> None:
    try:
        transport, child = await asyncio.shield(starting)
    except OSError:
        return  # it never started
    await child.end()
    transport.close()
