"""`logs`: what containers and builds print, as it is and as it comes."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import FrameType
from typing import Any, NoReturn

import click

from console.cli import forms
from console.cli.asking import find_build
from console.cli.group import Context, command, only_named
from console.cli.logprint import JsonLines, Plain, Sink
from console.cli.logruns import is_called, without_runs
from console.cli.looking import UNREACHABLE
from console.cli.options import UsageError
from console.cli.output import complain
from console.feeds.jenkins_once import failed as told
from console.logs.keptlog import KeptLogError
from console.logs.levels import Level, parse_level
from console.logs.origin import BuildLog, KeptLog, Origin, build_name
from console.logs.patterns import Pattern, PatternError
from console.logs.search import Query
from console.logs.several import Several
from console.model.build import BuildRef, Stage
from console.model.container import Container
from console.model.jenkins import JenkinsError, Trouble
from console.model.source import SourceError, SourceState, SourceStatus
from console.model.times import moment, nanoseconds
from console.model.words import duration
from console.sources.protocols import ContainerEngine, Jenkins
from console.text import clean

_LOOK_SECONDS = 5.0
_BEHIND_SECONDS = 3.0
_LISTED = "mlops-console containers lists containers, mlops-console runs lists runs."


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
@click.option("--stage", metavar="NAME", help="Of a build only what this stage prints.")
@click.option("--build", is_flag=True, help="Of a run what its build prints, also while its container is there.")
@click.pass_obj
def logs(context: Context, /, targets: tuple[str, ...], **options: Any) -> int:
    """Print the log of each TARGET: a service, a container, the beginning of its id, a Compose project, a build JOB#N, or a run
    as `runs` has it: `train#128`, `local#3`, or a project of trainings, which means its newest.

    JOB#last is the newest build of JOB. Of a run it is its container's log; once that is gone, what its build printed while it
    trained, or the log in its run folder.

    Exit status: 0 done, 2 no such target, 3 Docker or Jenkins cannot be reached, does not permit it or keeps no log of it.
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
    stage: str | None
    build: bool
    stages: Mapping[str, Stage] = field(default_factory=dict)
    """Of these builds only what one of their stages prints."""
    kept: Mapping[str, KeptLog] = field(default_factory=dict)
    """What is read from the folders of runs instead of from Docker or Jenkins."""

    @property
    def builds(self) -> tuple[str, ...]:
        """The targets that are builds: no container, service or project can have a `#` in its name."""
        return tuple(one for one in self.targets if "#" in one and one not in self.kept)

    @property
    def containers(self) -> tuple[str, ...]:
        return tuple(one for one in self.targets if "#" not in one)


def _wish(targets: tuple[str, ...], options: dict[str, Any]) -> _Wish:
    """Raises UsageError."""
    tail = options["tail"]
    if tail != "all" and not (tail.isascii() and tail.isdigit() and len(tail) < 10):
        raise UsageError(f"--tail {tail} is no number of lines: a number, or all.")
    if options["follow"] and not options["merge"]:
        raise UsageError("--follow and --no-merge exclude each other: the first log would never end.")
    if options["stage"] is not None and not any("#" in one for one in targets):
        raise UsageError("--stage is for builds: mlops-console logs JOB#N --stage NAME.")
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
            stage=options["stage"],
            build=options["build"],
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
    """Only the systems are asked that something is wanted of."""
    asyncio.get_running_loop().set_exception_handler(_except_ctrl_c)
    read = await without_runs(context, wish.targets, builds=wish.build or wish.stage is not None)
    for words in dict.fromkeys(one.words for one in read if one.words is not None):
        context.complain(words)
    wish = replace(
        wish,
        targets=tuple(one.target for one in read),
        stages={one.target: one.stage for one in read if one.stage is not None},
        kept={one.target: one.kept for one in read if one.kept is not None},
    )
    async with AsyncExitStack() as stack:
        asked = _Asked(folders=bool(wish.kept))
        if wish.containers:
            asked.engine, compose = context.backend.sources()
            stack.push_async_callback(asked.engine.aclose)
            stack.push_async_callback(compose.aclose)
        if wish.builds:
            asked.jenkins = context.backend.jenkins()
            if not isinstance(asked.jenkins, SourceStatus):
                stack.push_async_callback(asked.jenkins.aclose)
        return await _print_from(asked, context, wish)


@dataclass(slots=True)
class _Asked:
    """The systems of one call; None where nothing is wanted of them."""

    engine: ContainerEngine | None = None
    jenkins: Jenkins | SourceStatus | None = None
    folders: bool = False

    def states(self, failed: SourceError | None = None) -> dict[str, SourceStatus]:
        """How they are doing now, when one of them has failed so."""
        now = datetime.now(UTC)
        found = {}
        about = "jenkins" if isinstance(failed, JenkinsError | _NoJenkinsError) else "docker"
        about = "folders" if isinstance(failed, KeptLogError) else about
        for name, there in (("docker", self.engine), ("jenkins", self.jenkins), ("folders", self.folders or None)):
            if there is None:
                continue
            if failed is not None and name == about:
                found[name] = (
                    told(failed, now) if isinstance(failed, JenkinsError) else SourceStatus(failed.state, failed.reason)
                )
            else:
                found[name] = SourceStatus(SourceState.OK, None, None, now)
        return found


class _NoJenkinsError(SourceError):
    """Jenkins is wanted, and there is none to ask."""


async def _print_from(asked: _Asked, context: Context, wish: _Wish) -> int:
    sink = _sink(context, wish, asked, ())
    try:
        builds = await _builds(asked.jenkins, wish)
        containers: list[Container] = []
        is_meant: Callable[[Container, str], bool] = is_called
        if asked.engine is not None:
            containers, is_meant = await _containers(asked.engine, wish)
        chosen = _in_order(wish, containers, is_meant, builds)
        sink = _sink(context, wish, asked, chosen)
        several = Several(
            asked.engine,
            chosen,
            lambda one: any(is_meant(one, target) for target in wish.containers),
            lines=wish.tail,
            since=wish.since,
            follow=wish.follow,
            merged=wish.merge and (wish.follow or len(chosen) > 1),
            # Without a wish of its own every line passes, and gets the level that programs are told.
            query=wish.query or (Query() if context.json else None),
            jenkins=asked.jenkins,
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
        sink.finish(asked.states(error))
        return UNREACHABLE
    sink.finish(asked.states())
    return 0


async def _containers(engine: ContainerEngine, wish: _Wish) -> tuple[list[Container], Callable[[Container, str], bool]]:
    """Those that are meant, and what tells whether another one is."""
    await engine.engine()
    found = await engine.containers()
    others = [name for one in found for name in (one.service, one.project) if name]
    # A Compose project stands for all of its services, unless something else has its name.
    projects = {name for name in wish.containers if not any(is_called(one, name) for one in found)}

    def is_meant(one: Container, name: str) -> bool:
        return is_called(one, name) or (name in projects and one.project == name)

    what = "service, container, project or run"
    chosen = only_named(wish.containers, found, is_meant, lambda one: one.name, what, other_names=others, listed=_LISTED)
    return chosen, is_meant


async def _builds(jenkins: Jenkins | SourceStatus | None, wish: _Wish) -> list[tuple[str, BuildLog]]:
    """The builds that are meant, each with the word that means it. UsageError when there is no such job, build or stage."""
    if jenkins is None:
        return []
    if isinstance(jenkins, SourceStatus):
        raise _NoJenkinsError(jenkins.state, jenkins.reason or clean("Jenkins is not configured."))
    jobs = {job.full_name: job for job in await jenkins.jobs()}
    found: dict[BuildLog, str] = {}
    for target in wish.builds:
        ref = find_build(jobs, target, None)
        job = jobs[ref.job]
        try:
            if job.last is None or job.last.ref != ref:
                await jenkins.build(ref)
            stage = await _stage(jenkins, ref, wish.stage) if wish.stage is not None else wish.stages.get(target)
        except JenkinsError as error:
            if error.trouble is not Trouble.NOT_FOUND:
                raise
            raise UsageError(error.reason) from None
        name = build_name(job.shown, ref.number)
        if stage is not None:
            found.setdefault(BuildLog(ref, clean(f"{name} {stage.name}"), stage=stage.id), target)
        else:
            found.setdefault(BuildLog(ref, name), target)
    return [(target, one) for one, target in found.items()]


def _in_order(
    wish: _Wish,
    containers: Sequence[Container],
    is_meant: Callable[[Container, str], bool],
    builds: Sequence[tuple[str, BuildLog]],
) -> list[Origin]:
    """As they were named."""
    meant = [(next(at for at, name in enumerate(wish.targets) if is_meant(one, name)), one) for one in containers]
    others: list[tuple[str, Origin]] = [*builds, *wish.kept.items()]
    placed: list[tuple[int, Origin]] = [*meant, *((wish.targets.index(target), one) for target, one in others)]
    return [one for _, one in sorted(placed, key=lambda pair: pair[0])]


async def _stage(jenkins: Jenkins, ref: BuildRef, name: str) -> Stage:
    stages = (await jenkins.stages(ref)).stages
    for same in (str.__eq__, lambda one, other: one.casefold() == other.casefold()):
        for stage in stages:
            if same(str(stage.name), name):
                return stage
    there = ", ".join(dict.fromkeys(stage.name for stage in stages))
    raise UsageError(f"{ref.shown} has no stage {clean(name)}{f': it has {there}' if there else ''}.")


async def _look_after(several: Several, sink: Sink) -> None:
    """Tell now and then what the lines do not."""
    bars: dict[tuple[str, int], bytes] = {}
    slow: set[str] = set()
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        # A progress bar without a newline would show nothing until its end, which can be hours away.
        for origin, line in several.unfinished():
            known = (origin.id, line[1])
            if b"\r" in line[2] and bars.get(known) != line[2]:
                bars[known] = line[2]
                sink.bar(origin, line)
        for origin, seconds in several.behind():
            if seconds > _BEHIND_SECONDS:
                slow.add(origin.id)
                complain(f"{origin.name}: {duration(seconds)} behind, it prints faster than this is read.")
            elif origin.id in slow and seconds < 1.0:
                slow.discard(origin.id)
                complain(f"{origin.name}: no longer behind.")


def _sink(context: Context, wish: _Wish, asked: _Asked, chosen: Sequence[Origin]) -> Sink:
    if not context.json:
        several = len(chosen) > 1 or len(wish.targets) > 1
        return Plain(context.printer(), chosen, prefixed=several, times=wish.times)

    def envelope(items: Sequence[dict[str, Any]]) -> dict[str, Any]:
        return forms.envelope("logs", items, taken_at=datetime.now(UTC), demo=context.backend.demo, sources=asked.states())

    return JsonLines(envelope, follow=wish.follow)


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
