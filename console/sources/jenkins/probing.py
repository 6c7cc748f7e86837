"""Whether a user may start builds, found out without starting one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from console.model.jenkins import ABOUT_ONE_THING, JenkinsError, Job, JobKind, Trouble
from console.sources.jenkins import trees
from console.sources.jenkins.acts import declared
from console.sources.jenkins.address import job_path
from console.sources.jenkins.client import Client
from console.text import Clean

LOOKED_AT = 10
"""Jobs that are looked at for one with parameters."""

FAR_AWAY = "3600sec"
"""When what was asked for by accident would begin: there is time to take it back."""

BUILD = "Job/Build"
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
        what, path = f"job {job.shown}", job_path(job.full_name)
        try:
            if not _starts_nothing(await client.json(f"{path}/api/json", {"tree": trees.PROBED}, what=what)):
                continue
            answer = await client.post(f"{path}/build", None, {"delay": FAR_AWAY}, what=what, taken=frozenset({201}))
        except JenkinsError as error:
            if error.trouble not in ABOUT_ONE_THING:
                raise
            return _meant(error)
        await _take_back(client, job.shown, answer.headers.get("location", ""))
        return True
    return None


def _starts_nothing(job: Any) -> bool:
    if not isinstance(job, Mapping) or job.get("buildable") is not True or job.get("inQueue") is not False:
        return False
    last = job.get("lastBuild")
    runs = isinstance(last, Mapping) and last.get("building") is not False
    return not runs and any(True for _ in declared(job))


def _meant(error: JenkinsError) -> bool | None:
    if error.trouble is Trouble.BAD_PARAMETER:
        return True  # reading knows no such answer
    return False if error.permission == BUILD else None


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
