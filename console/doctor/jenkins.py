"""Hop 5: Jenkins itself, and what its user may do."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping

from console.doctor.findings import Finding, behind, broken, good, off, warning
from console.doctor.visit import Visit
from console.model.asking import Needs
from console.model.container import ContainerState
from console.model.jenkins import JenkinsError, Job, Trouble
from console.model.source import SourceError, SourceState, SourceStatus
from console.model.training import TRAIN
from console.sources.protocols import ActingJenkins
from console.sources.web import is_here
from console.text import Clean

HOP = "jenkins"
SERVICE = Clean("jenkins")
_KEYS: Mapping[Trouble, str] = {
    Trouble.UNREACHABLE: "down",
    Trouble.STARTING: "starting",
    Trouble.RESTARTING: "starting",
    Trouble.NOT_AUTHENTICATED: "token",
    Trouble.BROKEN: "configuration",
    Trouble.NOT_PERMITTED: "rights",
}


async def look(visit: Visit) -> Finding:
    source = visit.instruments.jenkins
    if isinstance(source, SourceStatus):
        if source.state is SourceState.OFF:
            return off("no login: mlops-console login")
        # A token's file that others may read is told, and mended, with the settings.
        return behind("settings") if visit.is_broken("settings") else broken(HOP, "login", str(source.reason))
    try:
        user = await source.who()
        begun = time.monotonic()  # the first question also loads a library
        jobs = await source.jobs()
        took = time.monotonic() - begun
    except JenkinsError as error:
        return await _refused(visit, source, error)
    if user is None:
        return broken(HOP, "token", "Jenkins takes us for nobody")
    told = f"{source.controller.version or 'version unknown'} as {user} in {took * 1000:.0f} ms"
    lacks = await _lacking(source, jobs)
    if lacks:
        permission = " and ".join(lacks)
        return warning(HOP, "rights", f"{told}; {user} lacks {permission}", user=str(user), permission=permission)
    if source.controller.quieting_down:
        return warning(HOP, "starting", f"{told}; it is about to shut down, and begins nothing")
    return good(f"{told}; may read and build")


async def _refused(visit: Visit, source: ActingJenkins, error: JenkinsError) -> Finding:
    key = _KEYS.get(error.trouble, "other")
    if key == "starting":
        return warning(HOP, key, str(error.reason))
    if key == "down" and await _is_not_running(visit, str(source.url)):
        return behind("compose", "its container does not run")
    permission = str(error.permission or "Overall/Read")
    return broken(HOP, key, str(error.reason), user="its user", permission=permission)


async def _is_not_running(visit: Visit, url: str) -> bool:
    """Whether the platform on this machine has a Jenkins, and it is stopped or missing: then nobody can answer."""
    if not is_here(url):
        return False
    try:
        container = await visit.service(SERVICE)
        world = await visit.world()
    except SourceError:
        return False
    return visit.declares(SERVICE, world) and (container is None or container.state is not ContainerState.RUNNING)


async def _lacking(source: ActingJenkins, jobs: Collection[Job]) -> list[str]:
    """Permissions that a person at a console wants and this user lacks, as far as that can be found out without acting."""
    job = next((one for one in jobs if one.full_name == TRAIN), None)
    if job is None:
        return []
    ended = job.last.ref if job.last is not None and not job.last.building else None
    found = []
    for needs in (Needs.BUILD, Needs.CANCEL):
        try:
            if await source.lacks(needs, TRAIN, ended):
                found.append(needs.value)
        except JenkinsError:
            continue
    return found
