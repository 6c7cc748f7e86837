"""What a prune has to know before it decides: the disk, the containers, what the file declares, which builds were good."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import timedelta

from console.actions.docker.apart import apart
from console.model.build import Build, Result
from console.model.disk import COMMIT, DiskUse
from console.model.disk_view import DiskFacts, view
from console.model.pruning import Known, Rule, Usual
from console.model.service import ComposeProject
from console.model.source import SourceError
from console.model.training import TRAIN
from console.settings.description import Prune
from console.sources.reach import Reach
from console.text import Clean

_BUILDS = 300
"""As many are looked at as the job keeps."""
_FIGURES = 12

Good = Mapping[Clean, frozenset[Clean]]


async def known(reach: Reach, good_builds: int) -> Known:
    """Everything at one moment. What of it cannot be found out is None, and protects. Raises SourceError without an Engine."""
    disk, project, good = await asyncio.gather(reach.disk.disk(), _project(reach), _builds(reach))
    # After the rest: what began meanwhile is seen.
    containers = await reach.engine.containers()
    volumes = None if project is None else frozenset(project.volumes)
    images = None if project is None else declared_images(project, disk)
    chosen = None if good is None else newest_good(good, disk, good_builds)
    return Known(disk, containers, volumes, images, chosen, disk.taken_at)


def usual_of(settings: Prune) -> Usual:
    """What the settings say of pruning."""
    span = timedelta(days=settings.unused_days)
    return Usual(Rule(keep=settings.keep_images, older_than=span or None), settings.keep_builds)


async def look(reach: Reach, usual: Usual) -> DiskFacts:
    """What fills the disk, with what the usual rule would do about it, for people to see. Raises SourceError."""
    found = await known(reach, usual.good_builds)
    kept = await reach.folders.kept(found.disk, found.containers) if reach.folders is not None else ()
    return await apart(lambda: view(found, usual.rule, kept))


async def _project(reach: Reach) -> ComposeProject | None:
    """None where the file cannot be read, and where none is found: in another folder it may be there and declare much."""
    try:
        return await reach.compose.project()
    except SourceError:
        return None


def declared_images(project: ComposeProject, disk: DiskUse) -> frozenset[Clean] | None:
    """Ids of the images that a file's services run, by what the Engine said their names stand for, and by the names themselves.

    None where neither tells it: an image by digest has no name, and the Engine may not have answered.
    """
    by_name: defaultdict[str, set[Clean]] = defaultdict(set)
    for image in disk.images:
        for name in image.names:
            by_name[_plain(name)].add(image.id)
    found: set[Clean] = set()
    for one in project.services:
        ids = by_name.get(_plain(one.image), set()) | ({one.image_id} if one.image_id is not None else set())
        if not ids and "@" in one.image:
            return None
        found |= ids
    return frozenset(found)


def _plain(name: str) -> str:
    """A name as lists of images have it: without digest and without what everybody leaves out, with a tag."""
    name = name.partition("@")[0].removeprefix("docker.io/").removeprefix("library/")
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


async def _builds(reach: Reach) -> tuple[Build, ...] | None:
    """Successful builds, the newest first. None where Jenkins cannot tell: also where it has no such job, for it says the same
    of one that this user may not see."""
    if not reach.has_jenkins:
        return None
    try:
        found = await reach.ask_jenkins().builds(TRAIN, _BUILDS)
    except SourceError:
        return None
    return tuple(one for one in found if one.result is Result.SUCCESS)


def newest_good(builds: tuple[Build, ...], disk: DiskUse, most: int) -> Good:
    """The commits of the newest `most` of them, by project. A build that was given no commit is found by its image's labels;
    where they are another build's by now, it may have been any commit of its project."""
    by_build = {
        (image.labels.get(Clean("mlops.job")), image.labels.get(Clean("mlops.build"))): image.labels[COMMIT]
        for image in disk.images
        if COMMIT in image.labels
    }
    found: defaultdict[Clean, set[Clean]] = defaultdict(set)
    count: Counter[Clean] = Counter()
    for build in builds:
        project = build.parameter("PROJECT")
        if project is None or count[project] >= most:
            continue
        count[project] += 1
        commit = build.parameter("COMMIT") or by_build.get((build.ref.job, Clean(str(build.ref.number))))
        if commit:
            found[project].add(Clean(commit[:_FIGURES]))
        else:
            found[project] |= {figures for image in disk.images for name, figures in image.commits if name == project}
    return {project: frozenset(commits) for project, commits in found.items()}
