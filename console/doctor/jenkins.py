"""Hop 5: Jenkins itself, and what its user may do."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import replace

from console.doctor.compose import SECRET
from console.doctor.findings import Finding, behind, broken, good, off, starting, warning
from console.doctor.visit import Visit
from console.model.asking import Needs
from console.model.container import ContainerState, Health
from console.model.jenkins import JenkinsError, Job, Trouble
from console.model.source import SourceError, SourceState, SourceStatus
from console.model.training import TRAIN
from console.sources.protocols import ActingJenkins
from console.sources.web import is_here
from console.text import Clean, clean

HOP = "jenkins"
SERVICE = Clean("jenkins")
_LOGIN = "no login: mlops-console login"
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
            found = await by_container(visit)
            return replace(found, seen=clean(f"no login; {found.seen}")) if found is not None else off(_LOGIN)
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
        return starting(HOP, str(error.reason))
    if key == "down" and is_here(str(source.url)):
        if (found := await by_container(visit)) is not None:
            return found
        if await _is_without_engine(visit):
            return behind("docker", str(error.reason))
    permission = str(error.permission or "Overall/Read")
    return broken(HOP, key, str(error.reason), user="its user", permission=permission)


async def by_container(visit: Visit) -> Finding | None:
    """What the container of the platform's own Jenkins alone says: that nobody can answer, or not yet. None where it is well,
    or there is none."""
    try:
        container = await visit.service(SERVICE)
        world = await visit.world()
    except SourceError:
        return None
    health = container.health if container is not None and container.state is ContainerState.RUNNING else None
    if health is Health.STARTING:
        return starting(HOP, "its container is starting")
    if not visit.declares(SERVICE, world):
        return None
    if health is None:
        return behind("compose", "its container does not run")
    if health is not Health.UNHEALTHY:
        return None
    why = next((str(one.why) for one in world.services if one.name == SERVICE), "")
    return behind("secrets" if visit.is_broken("secrets") and SECRET.search(why) else "compose", "its container is not well")


async def _is_without_engine(visit: Visit) -> bool:
    """Whether the platform on this machine has a Jenkins, and the Engine that it runs in does not answer."""
    try:
        await visit.service(SERVICE)
    except SourceError as error:
        if error.state is SourceState.DENIED or not visit.is_broken("docker"):
            return False
    else:
        return False
    try:
        project = await visit.project()
    except SourceError:
        return False
    return project is not None and any(one.name == SERVICE for one in project.services)


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
