"""What a prune has to know before it decides: the disk, the containers, what the file declares, which builds were good."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime

from console.actions.reach import Reach
from console.model.build import Build, Result
from console.model.disk import COMMIT, DiskUse
from console.model.jenkins import JenkinsError, Trouble
from console.model.pruning import Known
from console.model.source import SourceError
from console.text import Clean

JOB = "train"
_BUILDS = 300
"""As many are looked at as the job keeps."""
_FIGURES = 12

Good = Mapping[Clean, frozenset[Clean]]


async def known(reach: Reach, good_builds: int) -> Known:
    """Everything at one moment. What of it cannot be found out is None, and protects. Raises SourceError without an Engine."""
    disk, declared, good = await asyncio.gather(reach.disk.disk(), _declared(reach), _builds(reach))
    # After the rest: what began meanwhile is seen.
    containers = await reach.engine.containers()
    volumes, images = declared
    chosen = None if good is None else newest_good(good, disk, good_builds)
    return Known(disk, containers, volumes, images, chosen, datetime.now(UTC))


async def _declared(reach: Reach) -> tuple[frozenset[Clean] | None, frozenset[Clean] | None]:
    """Real names of the volumes that the file declares, and the ids of its images; None where it cannot be read."""
    try:
        project = await reach.compose.project()
    except SourceError:
        return None, None
    if project is None:
        return frozenset(), frozenset()
    return frozenset(project.volumes), frozenset(one.image_id for one in project.services if one.image_id is not None)


async def _builds(reach: Reach) -> tuple[Build, ...] | None:
    """Successful builds, the newest first; None where Jenkins cannot tell, empty where there is no Jenkins or no such job."""
    if not reach.has_jenkins:
        return ()
    try:
        found = await reach.ask_jenkins().builds(JOB, _BUILDS)
    except JenkinsError as error:
        return () if error.trouble is Trouble.NOT_FOUND else None
    except SourceError:
        return None
    return tuple(one for one in found if one.result is Result.SUCCESS)


def newest_good(builds: tuple[Build, ...], disk: DiskUse, most: int) -> Good:
    """The commits of the newest `most` of them, by project. A build that was given no commit is found by its image's labels."""
    by_build = {
        (image.labels.get(Clean("mlops.job")), image.labels.get(Clean("mlops.build"))): image.labels[COMMIT]
        for image in disk.images
        if COMMIT in image.labels
    }
    found: defaultdict[Clean, list[Clean]] = defaultdict(list)
    for build in builds:
        project = build.parameter("PROJECT")
        commit = build.parameter("COMMIT") or by_build.get((build.ref.job, Clean(str(build.ref.number))))
        if project and commit and len(found[project]) < most:
            found[project].append(Clean(commit[:_FIGURES]))
    return {project: frozenset(commits) for project, commits in found.items()}
