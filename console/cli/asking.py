"""How a command asks Jenkins: one question after the other, on a loop of its own; what goes wrong becomes a sentence."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from console.cli import forms
from console.cli.group import Context
from console.cli.looking import UNREACHABLE
from console.cli.options import UsageError
from console.cli.output import print_json
from console.feeds.jenkins_once import failed, read_jenkins
from console.model.build import Build, BuildRef
from console.model.jenkins import JenkinsError, JenkinsWorld, Job, Trouble, called
from console.model.source import SourceState, SourceStatus
from console.sources.protocols import Jenkins
from console.text import Clean, clean
from console.text.near import did_you_mean

T = TypeVar("T")


def ask(context: Context, kind: str, question: Callable[[Jenkins], Awaitable[int]]) -> int:
    """Run `question` with Jenkins. When it cannot be asked the sentence is told, to programs as an answer without items."""

    async def go() -> int:
        source = context.backend.jenkins()
        if isinstance(source, SourceStatus):
            return refuse(context, kind, source)
        try:
            return await question(source)
        except JenkinsError as error:
            if error.trouble in (Trouble.NOT_FOUND, Trouble.BAD_PARAMETER):
                raise UsageError(error.reason) from None
            return refuse(context, kind, failed(error, datetime.now(UTC)))
        finally:
            await source.aclose()

    return asyncio.run(go())


async def world_of(source: Jenkins, *, jobs: bool = True) -> JenkinsWorld:
    """What is known at once. Raises JenkinsError."""
    found = await read_jenkins(source, jobs=jobs)
    if found.value is None:
        raise _RefusedError(found.status)
    return found.value


class _RefusedError(JenkinsError):
    """Carries a state that was worked out before."""

    def __init__(self, status: SourceStatus) -> None:
        super().__init__(Trouble.UNREACHABLE, str(status.reason))
        self.state = status.state


def refuse(context: Context, kind: str, status: SourceStatus, items: Sequence[Mapping[str, Any]] = ()) -> int:
    """Tell why Jenkins cannot be asked, beside what it has told before."""
    context.complain(str(status.reason))
    if context.json:
        print_json(document(context, kind, items, status))
    return UNREACHABLE


def document(
    context: Context,
    kind: str,
    items: Sequence[Mapping[str, Any]],
    status: SourceStatus | None = None,
    *,
    system: str = "jenkins",
    **more: Any,
) -> dict[str, Any]:
    """An answer about Jenkins, or another `system`, as every command gives it."""
    now = datetime.now(UTC)
    told = status or SourceStatus(SourceState.OK, None, None, now)
    return forms.envelope(kind, items, taken_at=now, demo=context.backend.demo, sources={system: told}, **more)


def find_job(jobs: Mapping[Clean, Job], name: str) -> Job:
    """The job that is called `name`: as Jenkins writes it, as people do, or by its last part if only one is called that.

    Raises UsageError that names the nearest, or those that it could be.
    """
    wanted = clean(name.strip("/"))
    if inside := jobs_in(jobs, wanted):
        such = sorted(one.shown for one in inside)[0]
        raise UsageError(f"{wanted} is a folder: name a job in it, such as {such}.")
    found = called(jobs.values(), wanted)
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"{wanted} could be {', '.join(sorted(one.shown for one in found)[:5])}.")
    if not jobs:
        raise UsageError(f"there is no job {wanted}: this user sees none at all.")
    hint = did_you_mean(wanted, (one.shown for one in jobs.values()))
    hint = hint or did_you_mean(wanted, (one.name for one in jobs.values()))
    raise UsageError(f"there is no job {wanted}.{hint}")


def jobs_in(jobs: Mapping[Clean, Job], name: str) -> list[Job]:
    """The jobs of a folder or a multibranch project, also of those in it; none where `name` is a job or nothing at all."""
    wanted = clean(name.strip("/"))
    if not wanted or wanted in jobs or any(one.shown == wanted for one in jobs.values()):
        return []
    below = f"{wanted}/"
    return [one for one in jobs.values() if one.full_name.startswith(below) or one.shown.startswith(below)]


def find_build(jobs: Mapping[Clean, Job], name: str, number: str | None) -> BuildRef:
    """Which build: `JOB N`, `JOB#N`, or the newest of JOB. Raises UsageError."""
    if number is None and "#" in name:
        name, _, number = name.rpartition("#")
    job = find_job(jobs, name)
    if number in (None, "", "last"):
        if job.last is None:
            raise UsageError(f"{job.shown} has no build yet.")
        return job.last.ref
    assert number is not None  # noqa: S101 - that was the case above
    return BuildRef(job.full_name, build_number(number))


def build_number(text: str) -> int:
    """Raises UsageError."""
    digits = text.removeprefix("#")
    if not (digits.isascii() and digits.isdigit() and 0 < len(digits) < 10):
        raise UsageError(f"{clean(text)} is no number of a build: give a number, or last.")
    return int(digits)


def split_builds(words: Sequence[str], usage: str) -> list[tuple[str, str]]:
    """Job and number of each build in `train 41` or `train#41 train#42`. Acts take no build for granted: UsageError where
    a number (or `last`) is missing, with `usage` as what to write."""
    found = []
    left = list(words)
    while left:
        name, mark, number = left.pop(0).rpartition("#")
        if not mark:
            name, number = number, left.pop(0) if left else ""
        if not name or not number:
            raise UsageError(f"which build? {usage}")
        found.append((name, number))
    return found


async def read_build(source: Jenkins, jobs: Mapping[Clean, Job], ref: BuildRef) -> Build:
    """The build with its details. Raises UsageError when there is none, JenkinsError."""
    try:
        return await source.build(ref)
    except JenkinsError as error:
        job = jobs[ref.job]
        if error.trouble is not Trouble.NOT_FOUND:
            raise
        newest = f"its newest is #{job.last.number}, and old ones are deleted" if job.last is not None else "it was never built"
        raise UsageError(f"{job.shown} has no build #{ref.number}: {newest}.") from None
