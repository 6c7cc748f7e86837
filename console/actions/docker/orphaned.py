"""Looking for trainings that have outlived their build."""

from __future__ import annotations

from console.actions.jenkins.builds import build_of
from console.model.build import Build, BuildRef
from console.model.orphans import Orphan, is_candidate, orphans
from console.model.training import build_of as build_by_labels
from console.sources.reach import Reach
from console.text import Clean, clean


async def find_orphans(reach: Reach) -> tuple[tuple[Orphan, ...], tuple[Clean, ...]]:
    """All of this Engine, and a sentence for each training of which nobody can tell. Raises SourceError where the Engine or
    Jenkins cannot be asked.

    Containers are looked at before builds: a build that begins in between has no training here yet.
    """
    found = [one for one in await reach.engine.containers() if is_candidate(one)]
    if not found:
        return (), ()
    jenkins = reach.ask_jenkins()
    visible = {job.full_name for job in await jenkins.jobs()}
    builds: dict[BuildRef, Build | None] = {}
    unknown: list[Clean] = []
    for one in found:
        ref = build_by_labels(one)
        if ref is None or ref in builds:
            continue
        if ref.job not in visible:
            # To whoever may not see a job Jenkins says that there is none.
            unknown.append(clean(f"{one.name}: Jenkins shows no job {ref.job} to this user, so nobody can tell."))
            continue
        builds[ref] = await build_of(jenkins, ref)
    return orphans(found, builds), tuple(unknown)
