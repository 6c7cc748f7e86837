"""What administrators look up, by python-jenkins: it knows these calls, and each of them is one of a few a day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from console.model.build import as_people_write
from console.model.jenkins import JenkinsError, Plugin, Trouble
from console.sources._blocking import Pool
from console.sources.jenkins.client import Access, timed_out
from console.text import Clean, clean

if TYPE_CHECKING:
    from console.sources.jenkins.library import Library

T = TypeVar("T")
LOADING_SECONDS = 5.0
"""More than it takes to load the library, once."""


class JenkinsAdmin:
    """See `sources.protocols.JenkinsAdmin`. Everything that blocks runs in a thread of its own, with a deadline."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._pool = Pool("jenkins-admin", 1)
        self._library: Library | None = None

    async def version(self) -> Clean:
        return clean(await self._ask("version", lambda library: library.get_version()))

    async def configuration(self, job: str) -> Clean:
        name = _checked(job)
        told = await self._ask(f"configuration of {as_people_write(job)}", lambda library: library.get_job_config(name))
        return clean(told, lines=True, limit=_LONG_LINE)

    async def plugins(self) -> tuple[Plugin, ...]:
        found = await self._ask("list of plugins", lambda library: list(library.get_plugins(depth=1).values()))
        plugins = {plugin.name: plugin for one in found if isinstance(one, Mapping) and (plugin := _plugin(one)).name}
        return tuple(sorted(plugins.values(), key=lambda one: one.name))

    async def aclose(self) -> None:
        library, self._library = self._library, None
        if library is not None:
            library.close()

    async def _ask(self, what: str, call: Callable[[Library], T]) -> T:
        """Raises JenkinsError, and nothing else."""
        deadline = self._access.timeout + (LOADING_SECONDS if self._library is None else 0.0)

        def asked() -> T:
            library = self._opened()
            library.about(what)
            return _told(library, what, call)

        try:
            return await self._pool.run(asked, deadline)
        except TimeoutError:
            # Its thread may still use it: the next call has another one.
            self._library = None
            raise timed_out(self._access) from None

    def _opened(self) -> Library:
        if self._library is None:
            from console.sources.jenkins.library import Library

            self._library = Library(self._access)
        return self._library


_LONG_LINE = 1_000_000


def _told(library: Library, what: str, call: Callable[[Library], T]) -> T:
    """Errors of the library itself hold whole pages and nothing that its session has not judged before."""
    try:
        return call(library)
    except JenkinsError:
        raise
    except Exception as error:
        reason = f"python-jenkins cannot read the {what} ({type(error).__name__})."
        raise JenkinsError(Trouble.FAULT, reason) from None


def _checked(job: str) -> str:
    """The name as the library wants it. It takes dots for steps in a path, and would ask for something else."""
    if any(part in ("", ".", "..") for part in job.split("/")):
        raise JenkinsError(Trouble.NOT_FOUND, f"There can be no job {as_people_write(job) or 'without a name'}.")
    return job


def _plugin(one: Mapping[str, object]) -> Plugin:
    return Plugin(
        name=clean(one.get("shortName") or ""),
        title=clean(one.get("longName") or one.get("shortName") or ""),
        version=clean(one.get("version") or ""),
        enabled=one.get("enabled") is True,
        active=one.get("active") is True,
        has_update=one.get("hasUpdate") is True,
    )
