"""Where acts leave their trace: the audit file and, where there is one, the systemd journal. One of the two is enough."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Event

from console.model.person import Person
from console.sources._blocking import Pool
from console.sources.auditfile import AuditError, AuditFile, state_folder
from console.sources.journal import Journal
from console.sources.whoami import person
from console.text import Clean, clean

DEADLINE = 4.0
"""Seconds that a person would wait for a disk; longer than a lock is waited for, so that a lock's own sentence is told."""


class Trail:
    """Writes and reads in threads of its own: a disk that hangs holds up nobody for more than `deadline` seconds.

    `jenkins` says as which user Jenkins is asked; it may block.
    """

    def __init__(
        self,
        env: Mapping[str, str],
        *,
        jenkins: Callable[[], str | None] = lambda: None,
        file: AuditFile | None = None,
        journal: Journal | None = None,
        deadline: float = DEADLINE,
    ) -> None:
        self._env = env
        self._jenkins = jenkins
        self.file = file or AuditFile(state_folder(env))
        self._journal = journal or Journal()
        self._deadline = deadline
        self._pool = Pool("audit", 2)

    @property
    def path(self) -> Path:
        return self.file.path

    async def person(self) -> Person:
        """Raises AuditError when the system does not say who its users are."""
        try:
            return await self._pool.run(lambda: person(self._env, self._jenkins()), self._deadline)
        except TimeoutError:
            raise AuditError("This system does not say who its users are: its name service hangs. Try: getent passwd") from None

    async def write(self, line: str, fields: Sequence[tuple[str, str]]) -> Clean | None:
        """Leave one record in both places; None, or why one of them did not take it. Raises AuditError when neither did."""
        file, journal = await asyncio.gather(self._to_file(line), self._to_journal(fields))
        if file is not None and journal != _TAKEN:
            raise AuditError(" ".join(part for part in (file, journal) if part))
        return file or (journal if journal != _TAKEN else None) or None

    async def lines(self) -> list[bytes]:
        """All lines of the file, oldest first. Raises AuditError."""
        try:
            return await self._pool.run(self.file.lines, self._deadline)
        except TimeoutError:
            raise AuditError(f"{self.path} cannot be read: the disk did not answer within {self._deadline:.0f}s.") from None

    def close(self) -> None:
        self._pool.close()

    async def _to_file(self, line: str) -> Clean | None:
        given_up = Event()
        try:
            await self._pool.run(lambda: self.file.append(line, given_up), self._deadline)
        except AuditError as error:
            return error.reason
        except TimeoutError:
            # What nobody waits for any more must not be written later: whoever asked was told that it is not.
            given_up.set()
            return clean(f"{self.path} cannot be written: the disk did not answer within {self._deadline:.0f}s.")
        return None

    async def _to_journal(self, fields: Sequence[tuple[str, str]]) -> Clean:
        """Why it was not taken: `_TAKEN` when it was, empty where there is no journal."""
        if not self._journal.there:
            return Clean("")
        try:
            await self._pool.run(lambda: self._journal.send(fields), self._deadline)
        except AuditError as error:
            return error.reason
        except TimeoutError:
            return Clean("The systemd journal takes nothing: it does not answer.")
        return _TAKEN


_TAKEN = Clean("taken")
