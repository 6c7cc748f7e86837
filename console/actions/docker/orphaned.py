"""Looking for trainings that have outlived their build."""

from __future__ import annotations

from collections.abc import Sequence

from console.actions.reach import Reach
from console.model.build import Build, BuildRef
from console.model.container import Container
from console.model.jenkins import JenkinsError, Trouble
from console.model.orphans import Orphan, is_candidate, orphans, ref_of


async def find_orphans(reach: Reach) -> tuple[Orphan, ...]:
    """All of this Engine. Raises SourceError where the Engine, or Jenkins, cannot be asked.

    Containers are looked at before builds: a build that begins in between has no training here yet.
    """
    found = [await _inspected(reach, one) for one in await reach.engine.containers() if is_candidate(one)]
    builds = await _builds(reach, [ref for one in found if (ref := ref_of(one)) is not None])
    return orphans(found, builds)


async def _inspected(reach: Reach, container: Container) -> Container:
    from console.model.source import NotThereError

    try:
        return await reach.engine.inspect(container.id)
    except NotThereError:
        return container


async def _builds(reach: Reach, refs: Sequence[BuildRef]) -> dict[BuildRef, Build | None]:
    if not refs:
        return {}
    jenkins = reach.ask_jenkins()
    found: dict[BuildRef, Build | None] = {}
    for ref in dict.fromkeys(refs):
        try:
            found[ref] = await jenkins.build(ref)
        except JenkinsError as error:
            if error.trouble is not Trouble.NOT_FOUND:
                raise
            found[ref] = None
    return found
