"""`logs`: what containers print, as it is and as it comes."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from types import FrameType
from typing import Any, NoReturn

import click

from console.cli import forms
from console.cli.group import Context, command, only_named
from console.cli.logprint import JsonLines, Plain, Sink
from console.cli.looking import UNREACHABLE
from console.cli.options import UsageError
from console.cli.output import complain
from console.logs.levels import Level, parse_level
from console.logs.patterns import Pattern, PatternError
from console.logs.search import Query
from console.logs.several import Several
from console.model.container import Container
from console.model.source import SourceError, SourceState, SourceStatus
from console.model.times import moment, nanoseconds
from console.model.words import duration
from console.sources.protocols import ContainerEngine

# As many figures of an id as nobody would use for a name by chance.
_ID_FIGURES = 4
_LOOK_SECONDS = 5.0
_BEHIND_SECONDS = 3.0


@command("logs")
@click.argument("targets", nargs=-1, required=True, metavar="TARGET...")
@click.option("-f", "--follow", is_flag=True, help="Go on with new lines, also after a restart.")
@click.option("--tail", metavar="N|all", default="all", help="Begin with the last N lines that would be shown.")
@click.option("--since", metavar="T", help="Leave out what is older: 10m, 2h30m, 14:03, 2026-11-23T14:03:00Z.")
@click.option("--grep", metavar="RE", multiple=True, help="Only lines with this pattern; several: with all of them.")
@click.option("--exclude", metavar="RE", multiple=True, help="No lines with this pattern.")
@click.option("--level", metavar="L", help="Only lines of this level or worse: debug, info, warning, error, critical.")
@click.option("--merge/--no-merge", default=True, help="Several logs by time, or one after the other.")
@click.option("-t", "--times", is_flag=True, help="The time in front of each line.")
@click.pass_obj
def logs(context: Context, /, targets: tuple[str, ...], **options: Any) -> int:
    """Print the log of each TARGET: a service, a container, the beginning of its id, or a whole Compose project.

    Exit status: 0 done, 2 no such target, 3 Docker cannot be reached or keeps no log of it.
    """
    wish = _wish(targets, options)
    with _interruptible():
        return asyncio.run(_print(context, wish))


@dataclass(frozen=True, slots=True)
class _Wish:
    targets: tuple[str, ...]
    follow: bool
    tail: int | None
    since: int | None
    query: Query | None
    merge: bool
    times: bool


def _wish(targets: tuple[str, ...], options: dict[str, Any]) -> _Wish:
    """Raises UsageError."""
    tail = options["tail"]
    if tail != "all" and not (tail.isascii() and tail.isdigit() and len(tail) < 10):
        raise UsageError(f"--tail {tail} is no number of lines: a number, or all.")
    if options["follow"] and not options["merge"]:
        raise UsageError("--follow and --no-merge exclude each other: the first log would never end.")
    try:
        since = options["since"]
        return _Wish(
            targets=targets,
            follow=options["follow"],
            tail=None if tail == "all" else int(tail),
            since=nanoseconds(moment(since, datetime.now(UTC))) if since is not None else None,
            query=_query(options["grep"], options["exclude"], options["level"]),
            merge=options["merge"],
            times=options["times"],
        )
    except PatternError as error:
        raise UsageError(str(error)) from None
    except ValueError as error:
        raise UsageError(str(error)) from None


def _query(include: Sequence[str], exclude: Sequence[str], level: str | None) -> Query | None:
    if not include and not exclude and level is None:
        return None
    least = Level.NONE if level is None else parse_level(level)
    return Query([Pattern(one) for one in include], [Pattern(one) for one in exclude], least)


async def _print(context: Context, wish: _Wish) -> int:
    asyncio.get_running_loop().set_exception_handler(_except_ctrl_c)
    engine, compose = context.backend.sources()
    try:
        return await _print_from(engine, context, wish)
    finally:
        await engine.aclose()
        await compose.aclose()


async def _print_from(engine: ContainerEngine, context: Context, wish: _Wish) -> int:
    sink = _sink(context, wish, ())
    try:
        await engine.engine()
        found = await engine.containers()
        others = [name for one in found for name in (one.service, one.project) if name]
        # A Compose project stands for all of its services, unless something else has its name.
        projects = {name for name in wish.targets if not any(_is_called(one, name) for one in found)}

        def is_meant(one: Container, name: str) -> bool:
            return _is_called(one, name) or (name in projects and one.project == name)

        what = "service, container or project"
        chosen = only_named(wish.targets, found, is_meant, lambda one: one.name, what, other_names=others)
        sink = _sink(context, wish, chosen)
        several = Several(
            engine,
            chosen,
            lambda one: any(is_meant(one, target) for target in wish.targets),
            lines=wish.tail,
            since=wish.since,
            follow=wish.follow,
            merged=wish.merge and (wish.follow or len(chosen) > 1),
            # Without a wish of its own every line passes, and gets the level that programs are told.
            query=wish.query or (Query() if context.json else None),
        )
        helper = asyncio.ensure_future(_look_after(several, sink)) if wish.follow else None
        try:
            await several.run(sink.give)
        finally:
            if helper is not None:
                helper.cancel()
        if several.refused:
            raise several.refused[0]
    except SourceError as error:
        context.complain(error.reason)
        sink.finish(SourceStatus(error.state, error.reason))
        return UNREACHABLE
    sink.finish(SourceStatus(SourceState.OK, None, None, datetime.now(UTC)))
    return 0


async def _look_after(several: Several, sink: Sink) -> None:
    """Tell now and then what the lines do not."""
    bars: dict[tuple[str, int], bytes] = {}
    slow: set[str] = set()
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        # A progress bar without a newline would show nothing until its end, which can be hours away.
        for container, line in several.unfinished():
            known = (container.id, line[1])
            if b"\r" in line[2] and bars.get(known) != line[2]:
                bars[known] = line[2]
                sink.bar(container, line)
        for container, seconds in several.behind():
            if seconds > _BEHIND_SECONDS:
                slow.add(container.id)
                complain(f"{container.name}: {duration(seconds)} behind, it prints faster than this is read.")
            elif container.id in slow and seconds < 1.0:
                slow.discard(container.id)
                complain(f"{container.name}: no longer behind.")


def _sink(context: Context, wish: _Wish, chosen: Sequence[Container]) -> Sink:
    if not context.json:
        several = len(chosen) > 1 or len(wish.targets) > 1
        return Plain(context.printer(), chosen, prefixed=several, times=wish.times)

    def envelope(items: Sequence[dict[str, Any]]) -> dict[str, Any]:
        now = datetime.now(UTC)
        states = {"docker": SourceStatus(SourceState.OK, None, None, now)}
        return forms.envelope("logs", items, taken_at=now, demo=context.backend.demo, sources=states)

    return JsonLines(envelope, follow=wish.follow)


def _is_called(one: Container, name: str) -> bool:
    return name in (one.name, one.service) or (len(name) >= _ID_FIGURES and one.id.startswith(name))


def _except_ctrl_c(loop: asyncio.AbstractEventLoop, told: dict[str, Any]) -> None:
    """What asyncio complains of; the task that ctrl+c happens to meet is no defect."""
    if not isinstance(told.get("exception"), KeyboardInterrupt):
        loop.default_exception_handler(told)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl+c ends it at once. asyncio would only ask its task to end, which a terminal that takes no output hears late."""

    def interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield  # signals are not for others
        return
    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
