"""What becomes of a request for a build, and of a build: from the queue to its end, also through a restart of Jenkins."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta

from console.actions.jenkins.builds import unseen
from console.actions.jenkins.patience import AWAY, Patience
from console.actions.plan import End, News, Target
from console.model.build import Build, BuildRef, Result
from console.model.jenkins import JenkinsError, Queued, QueueItem, Trouble
from console.model.jenkins_rows import build_state
from console.model.state import StateClass
from console.model.waiting import reason
from console.model.words import duration
from console.sources.protocols import Jenkins
from console.text import Clean, clean

_ENDS = {
    Result.SUCCESS: End.GOOD,
    Result.UNSTABLE: End.BAD,
    Result.FAILURE: End.BAD,
    Result.NOT_BUILT: End.GOOD,
    Result.ABORTED: End.ABORTED,
}
_LOOKS = 3
"""How often an item that is gone is looked for among the builds before it counts as lost: a build is listed a moment later."""

_NEWEST = 20
_SLACK = timedelta(minutes=1)
TAIL = 16 * 1024


async def item_news(
    jenkins: Jenkins, target: Target, queued: Queued, job: Clean, patience: Patience, *, whole: bool
) -> AsyncGenerator[News]:
    """`queued behind project-c`, `started as #43`, and with `whole` how that came out."""
    item = _Item(jenkins, target, queued.item_id, job)
    while True:
        found = await item.look()
        if isinstance(found, BuildRef):
            break
        if found is not None:
            yield found
            if found.end is not None:
                return
        await patience.sleep(patience.every)
    yield News(target, StateClass.ACTIVE, clean(f"started as #{found.number}"), found, None if whole else End.GOOD)
    if whole:
        async for news in build_news(jenkins, target, found, patience):
            yield news


class _Item:
    """A request on its way through the queue."""

    def __init__(self, jenkins: Jenkins, target: Target, number: int, job: Clean) -> None:
        self._jenkins = jenkins
        self._target = target
        self._number = number
        self._job = job
        self._told = ""
        self._lost = 0
        self._began = datetime.now(UTC)

    async def look(self) -> News | BuildRef | None:
        """What is new of it: the build that it became, or news, of which one with an end is the last."""
        try:
            item = await self._jenkins.queue_item(self._number)
            if item.job != self._job:
                self._lost = _LOOKS  # the ids began anew, and this is somebody else's
            elif isinstance(item, QueueItem):
                return self._news(StateClass.GOOD, await _why(self._jenkins, item))
            elif item.build is not None:
                return item.build
            elif item.cancelled:
                return self._last(StateClass.ENDED, "was taken out of the queue", End.ABORTED)
        except JenkinsError as error:
            if error.trouble in AWAY:
                return self._news(StateClass.ATTENTION, error.reason)
            if error.trouble is not Trouble.NOT_FOUND:
                raise
            self._lost += 1
        if not self._lost:
            return None  # it leaves the queue at this moment
        return await self._build() or self._gone()

    def _news(self, kind: StateClass, words: str) -> News | None:
        if words == self._told:
            return None
        self._told = words
        return News(self._target, kind, clean(words))

    def _last(self, kind: StateClass, words: str, end: End) -> News:
        return News(self._target, kind, clean(words), end=end)

    def _gone(self) -> News | None:
        if self._lost < _LOOKS:
            return None
        words = f"item {self._number} is gone from the queue, and no build came of it: Jenkins may have lost it"
        return self._last(StateClass.BROKEN, words, End.LOST)

    async def _build(self) -> BuildRef | None:
        """Jenkins forgets an item five minutes after it left, and its build knows the number still. An older build with the
        same number is another one's: ids may have begun anew."""
        try:
            builds = await self._jenkins.builds(self._job, _NEWEST)
        except JenkinsError:
            return None
        oldest = self._began - _SLACK
        return next((one.ref for one in builds if one.queue_id == self._number and one.started > oldest), None)


async def _why(jenkins: Jenkins, item: QueueItem) -> str:
    work = await jenkins.work()
    told = reason(item, work, datetime.now(UTC), quieting_down=jenkins.controller.quieting_down)
    return f"queued: {told.cause}"


async def build_news(jenkins: Jenkins, target: Target, ref: BuildRef, patience: Patience) -> AsyncGenerator[News]:
    """How a build comes out."""
    away: str = ""
    while True:
        try:
            build = await jenkins.build(ref)
        except JenkinsError as error:
            news = unseen(target, ref, error)
            if news.end is not None or news.words != away:
                yield news
            if news.end is not None:
                return
            away = news.words
        else:
            away = ""
            if not build.building:
                yield ended(target, build)
                return
        await patience.sleep(patience.slow)


def ended(target: Target, build: Build) -> News:
    """The last news of a build that has ended."""
    state = build_state(build)
    took = f" after {duration(build.duration.total_seconds())}" if build.duration is not None else ""
    why = f": {build.description}" if build.description else ""
    end = _ENDS.get(build.result, End.LOST) if build.result is not None else End.LOST
    return News(target, state.kind, clean(f"#{build.number} {state.word}{took}{why}"), build.ref, end)


async def tail(jenkins: Jenkins, ref: BuildRef, size: int = TAIL) -> list[Clean]:
    """The last lines of a build's log; none where it cannot be read. The first one may be the end of a line."""
    try:
        whole = await jenkins.log_size(ref)
        text = bytearray()
        async for part in jenkins.log(ref, max(0, whole - size)):
            text += part.text
    except JenkinsError:
        return []
    return [clean(line) for line in bytes(text[-size:]).decode("utf-8", "replace").splitlines()]
