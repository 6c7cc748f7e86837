"""Jenkins read once, for commands without a screen."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from console.model.jenkins import JenkinsError, JenkinsWorld
from console.model.source import Snapshot, SourceState, SourceStatus
from console.sources.protocols import Jenkins


async def read_jenkins(source: Jenkins, *, jobs: bool = True) -> Snapshot[JenkinsWorld]:
    """What runs, what waits, and (with `jobs`) everything that can be built. Jenkins that does not answer is a state."""
    now = datetime.now(UTC)
    asking = asyncio.create_task(source.jobs()) if jobs else None
    try:
        work = await source.work()
        listed = await asking if asking is not None else ()
    except JenkinsError as error:
        if asking is not None:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
        return Snapshot(None, failed(error, now))
    found = {job.full_name: job for job in listed}
    world = JenkinsWorld(url=source.url, controller=source.controller, work=work, jobs=found)
    return Snapshot(world, SourceStatus(SourceState.OK, None, None, datetime.now(UTC)))


def failed(error: JenkinsError, now: datetime) -> SourceStatus:
    """The state of a Jenkins that gave this error to a question about itself."""
    # What is an error about one thing elsewhere tells here that Jenkins itself cannot be asked.
    state = SourceState.UNREACHABLE if error.state is SourceState.OK else error.state
    return SourceStatus(state, error.reason, now)
