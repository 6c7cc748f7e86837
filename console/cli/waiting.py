"""`--wait` and `--follow`: what comes of an act, told as it comes, and how it ended as an exit status."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from console.actions.plan import End, News, Outcome
from console.cli import forms
from console.cli.group import Context
from console.cli.looking import UNREACHABLE
from console.cli.meter import Meter
from console.cli.options import UsageError
from console.cli.output import ReaderGoneError, drop_output
from console.cli.planprint import show_news
from console.model.source import SourceError, SourceState, SourceStatus
from console.model.state import StateClass
from console.model.words import duration
from console.text import clean

if TYPE_CHECKING:
    from console.model.build import BuildRef
    from console.sources.protocols import Jenkins

F = TypeVar("F", bound=Callable[..., Any])
BAD, ABORTED, TOO_LONG = 1, 4, 5
_STATUS = {End.GOOD: 0, End.BAD: BAD, End.ABORTED: ABORTED, End.LOST: UNREACHABLE}
_COUNTED = re.compile(r"(?:\d+[dhms]?)+")
_WORST_FIRST = (BAD, UNREACHABLE, ABORTED, 0)


@dataclass(frozen=True, slots=True)
class After:
    """What is wanted when the act is done. `timeout` in seconds, None waits for ever."""

    wait: bool = False
    follow: bool = False
    timeout: float | None = None


def waits(call: F) -> F:
    """The options of what can be waited for."""
    call = click.option("--timeout", metavar="SECONDS", help="How long to wait; then it ends with 5.")(call)
    return click.option("--wait", is_flag=True, help="Wait for what comes of it: 0 good, 1 failed, 4 aborted.")(call)


def after(wait: bool, timeout: str | None, *, follow: bool = False) -> After:
    """Raises UsageError."""
    if timeout is None:
        return After(wait, follow)
    if not (wait or follow):
        raise UsageError("--timeout says how long to wait: it wants --wait.")
    with suppress(ValueError):
        seconds = float(timeout)
        if 0 < seconds < float("inf"):
            return After(wait, follow, seconds)
    raise UsageError(f"--timeout {clean(timeout)} is no number of seconds.")


@dataclass(slots=True)
class Watched:
    """What was heard of an outcome so far. `settled` tells that nothing comes of it, `late` that it took too long."""

    outcome: Outcome
    news: list[News] = field(default_factory=list)
    settled: bool = False
    late: bool = False

    def hear(self, news: News) -> bool:
        """Keep it. False where it only counts on (`stopping, for 12s`) what the last one of its object said."""
        last = next((at for at in reversed(range(len(self.news))) if self.news[at].target.key == news.target.key), None)
        if last is not None and news.kind is StateClass.ACTIVE and _gist(self.news[last]) == _gist(news):
            self.news[last] = news
            return False
        self.news.append(news)
        return True

    @property
    def open(self) -> list[str]:
        """What has not come to its end: builds, or what is to become one."""
        ended = {one.target.key for one in self.news if one.end is not None}
        builds = {one.target.key: one.ref for one in self.news if one.ref is not None}
        left = [one.target for one in self.outcome.done if one.target.key not in ended and not self.settled]
        return [str(ref.shown) if (ref := builds.get(one.key)) is not None else str(one.name) for one in left]

    @property
    def status(self) -> int:
        if self.late:
            return TOO_LONG
        if self.settled:
            return 0
        ends = {one.target.key: one.end for one in self.news if one.end is not None}
        return worst([_STATUS[ends.get(one.target.key, End.LOST)] for one in self.outcome.done])


def _gist(news: News) -> tuple[str, object]:
    return _COUNTED.sub("", news.words), news.end


def worst(statuses: Sequence[int]) -> int:
    """The exit status that a script should see of several."""
    return next((one for one in _WORST_FIRST if one in statuses), 0)


async def watch(context: Context, source: Jenkins, watched: Watched, wish: After) -> None:
    """Tell the news as they come and keep them in `watched`, until all has ended or it takes too long. Raises SourceError."""
    heard = watched.outcome.plan.act.aftermath(watched.outcome, whole=True)
    if heard is None:
        watched.settled = True
        return
    printer = context.aside() if context.json or wish.follow else context.printer()
    logs: dict[BuildRef, asyncio.Task[None]] = {}
    meter = Meter("")
    try:
        async with asyncio.timeout(wish.timeout):
            async for news in heard:
                if watched.hear(news):
                    meter.clear()
                    with still_read():
                        show_news(printer, news)
                elif not wish.follow:
                    meter.say(f"{news.target.name}  {news.words}")
                if wish.follow and news.ref is not None and news.ref not in logs:
                    logs[news.ref] = asyncio.create_task(_follow(context, source, news.ref))
            await asyncio.gather(*logs.values())
    except TimeoutError:
        watched.late = True
        took = duration(wish.timeout or 0)
        context.complain(f"waited {took} and no longer: {' and '.join(watched.open) or 'its log'} goes on at Jenkins.")
    finally:
        meter.clear()
        for task in logs.values():
            task.cancel()
        await asyncio.gather(*logs.values(), return_exceptions=True)


@contextmanager
def still_read() -> Iterator[None]:
    """A reader that has gone is no reason to stop waiting: the exit status is still wanted."""
    try:
        yield
    except ReaderGoneError:
        drop_output()


async def _follow(context: Context, source: Jenkins, ref: BuildRef) -> None:
    """The build's log, from its beginning to its end. One that cannot be read is told, and waited without."""
    from console.cli.logprint import JsonLines, Plain, Sink
    from console.logs.origin import BuildLog, Origin
    from console.logs.search import Query
    from console.logs.several import Several

    origin: Origin = BuildLog(ref, ref.shown)

    def envelope(items: Sequence[dict[str, Any]]) -> dict[str, Any]:
        now = datetime.now(UTC)
        told = {"jenkins": SourceStatus(SourceState.OK, None, None, now)}
        return forms.envelope("logs", items, taken_at=now, demo=context.backend.demo, sources=told)

    sink: Sink = (
        JsonLines(envelope, follow=True) if context.json else Plain(context.printer(), [origin], prefixed=False, times=False)
    )
    query = Query() if context.json else None
    several = Several(None, [origin], lambda _: False, follow=True, query=query, jenkins=source)
    with still_read():
        try:
            await several.run(sink.give)
        except SourceError as error:
            context.complain(error.reason)
