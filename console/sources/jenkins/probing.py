"""What a user may do, found out without any effect."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from console.model.asking import Needs, Stop
from console.model.build import BuildRef, as_people_write
from console.model.jenkins import ABOUT_ONE_THING, JenkinsError, Job, JobKind, Trouble
from console.sources.jenkins import trees
from console.sources.jenkins.acting import stop
from console.sources.jenkins.acts import declared
from console.sources.jenkins.address import build_path, job_path
from console.sources.jenkins.client import Client
from console.text import Clean

LOOKED_AT = 10
"""Jobs that are looked at for one with parameters."""

FAR_AWAY = "3600sec"
"""When what was asked for by accident would begin: there is time to take it back."""

_ITEM = re.compile(r"/queue/item/(\d{1,18})/?$")


async def may_build(client: Client, jobs: Sequence[Job]) -> bool | None:
    """Whether Jenkins lets the user start builds; None where it cannot be told. Raises JenkinsError.

    To a job that has parameters, `build` without any is 400 for those who may (recording trigger-build-on-parameterized), 403
    for those who may not (perm-viewer-post-build), and starts nothing. A job without parameters would be started: so they are
    read right before, of a job that nothing is about to change (a Pipeline that runs may declare others), and should they be
    gone a moment later, what was asked for waits for an hour and is cancelled at once.
    """
    found = [job for job in jobs if job.buildable and job.kind in (JobKind.PIPELINE, JobKind.FREESTYLE)]
    for job in found[:LOOKED_AT]:
        try:
            if not _starts_nothing(await _probed(client, job.full_name)):
                continue
        except JenkinsError as error:
            return _meant(error)
        return await _may_start(client, job.full_name)
    return None


async def lacks(client: Client, needs: Needs, job: str, ended: BuildRef | None) -> bool | None:
    """See `sources.protocols.JenkinsActs`. Raises JenkinsError where Jenkins as a whole does not answer."""
    if needs is Needs.BUILD:
        return await _lacks_build(client, job)
    if needs is Needs.CANCEL and ended is not None and ended.job == job:
        return await _lacks_cancel(client, ended)
    return None


async def _lacks_build(client: Client, job: str) -> bool | None:
    try:
        if not _starts_nothing(await _probed(client, job)):
            return None
    except JenkinsError as error:
        _check(error)
        return None
    may = await _may_start(client, job)
    return None if may is None else not may


async def _lacks_cancel(client: Client, ended: BuildRef) -> bool | None:
    """Stopping it once more does nothing (recording stop-finished); but that it has ended is looked at first."""
    path, what = build_path(ended), f"build {ended.shown}"
    try:
        told = await client.json(f"{path}/api/json", {"tree": trees.ENDED}, what=what)
        if not isinstance(told, Mapping) or told.get("building") is not False:
            return None
        await stop(client, ended, Stop.STOP)
    except JenkinsError as error:
        _check(error)
        return True if error.permission == Needs.CANCEL.value else None
    return False


async def _probed(client: Client, job: str) -> Any:
    return await client.json(f"{job_path(job)}/api/json", {"tree": trees.PROBED}, what=f"job {as_people_write(job)}")


async def _may_start(client: Client, job: str) -> bool | None:
    """Ask a job that has parameters for a build without any."""
    what = f"job {as_people_write(job)}"
    try:
        answer = await client.post(f"{job_path(job)}/build", None, {"delay": FAR_AWAY}, what=what, taken=frozenset({201}))
    except JenkinsError as error:
        return _meant(error)
    await _take_back(client, as_people_write(job), answer.headers.get("location", ""))
    return True


def _starts_nothing(job: Any) -> bool:
    if not isinstance(job, Mapping) or job.get("buildable") is not True or job.get("inQueue") is not False:
        return False
    last = job.get("lastBuild")
    runs = isinstance(last, Mapping) and last.get("building") is not False
    return not runs and any(True for _ in declared(job))


def _meant(error: JenkinsError) -> bool | None:
    _check(error)
    if error.trouble is Trouble.BAD_PARAMETER:
        return True  # reading knows no such answer
    return False if error.permission == Needs.BUILD.value else None


def _check(error: JenkinsError) -> None:
    """Raises it where it is about Jenkins as a whole; otherwise it is a refusal of one thing."""
    if error.trouble not in ABOUT_ONE_THING:
        raise error


async def _take_back(client: Client, name: Clean, location: str) -> None:
    item = _ITEM.search(location)
    try:
        if item is not None:
            taken = frozenset({200, 204, 302, 303})
            await client.post("queue/cancelItem", None, {"id": item[1]}, what=f"item {item[1]} of the queue", taken=taken)
            return
    except JenkinsError:
        pass
    which = f"item {item[1]} of the queue" if item is not None else "it in the queue"
    reason = f"{name} lost its parameters while it was looked at, and a build of it begins in an hour: cancel {which}."
    raise JenkinsError(Trouble.REFUSED, reason)
