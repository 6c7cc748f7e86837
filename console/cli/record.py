"""`record`: writes runs, their curves, cards and machine into the history; made for a service, with nothing to look at."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from console.cli.group import Context, command
from console.cli.options import UsageError
from console.cli.output import write_aside
from console.model.source import SourceStatus
from console.text import clean

if TYPE_CHECKING:
    from console.settings.description import Notify, Settings
    from console.sources.messenger import Messenger

NOT_POSSIBLE = 3
LONGEST_INTERVAL = 30.0
"""Seconds: longer than that between two looks, and the history takes it for a gap."""

GATHER_SECONDS = 3.0
"""How long lines of a log gather: nobody looks at them while they come."""

_LINE = 600


@command("record")
@click.option("--once", is_flag=True, help="Look at everything once, fill in what was missed, and end.")
@click.option("--test-notification", "test", is_flag=True, help="Send one notification that says it is a test, and end.")
@click.option("--notices", is_flag=True, help="List what people were told lately, and what of it did not arrive, and end.")
@click.pass_obj
def record(context: Context, once: bool, test: bool, notices: bool) -> int:
    """Record runs, curves, GPUs and machine into the history, until it is ended; what happens is a line each on stderr.

    Exit status: 0 it was ended in order, 1 --once could not ask every system, or a notification did not arrive, 2 wrong
    settings, 3 the history cannot be written or read, or somebody else records in it.
    """
    if notices:
        if once or test:
            raise UsageError("--notices only lists: take --once or --test-notification by itself.")
        from console.cli.notices import show

        return show(context)
    if context.backend.demo:
        raise UsageError("the demo is not recorded: nothing of it is real. Leave --demo away.")
    if context.json:
        raise UsageError(
            "record has no answer that --json could print, but for --notices: what it records is read with runs and metrics."
        )
    if once and test:
        raise UsageError("--once and --test-notification are two things: take one.")
    settings = context.backend.loaded.settings
    ways = messengers(settings.notify, os.environ)
    tell = _teller(os.environ)
    if test:
        return asyncio.run(_test(context, ways, tell))
    return asyncio.run(_record(context, settings, ways, tell, once=once))


def messengers(notify: Notify, env: Mapping[str, str]) -> list[Messenger]:
    """The ways out that the settings name. Raises UsageError for what is no way."""
    from console.sources.messenger import Command, Webhook, address_of

    found: list[Messenger] = []
    try:
        if notify.webhook:
            address = address_of(notify.webhook)
            found.append(Webhook(address, header=notify.header, secret_file=notify.secret_file, timeout=notify.timeout))
        if notify.command:
            found.append(Command(notify.command, env=env, timeout=notify.timeout))
    except ValueError as wrong:
        raise UsageError(str(wrong)) from None
    except OSError as refused:
        raise UsageError(f"notify.secret_file: {refused.strerror}") from None
    if notify.events and not found:
        raise UsageError("notify.events is set, and nobody to be told: set notify.webhook or notify.command.")
    return found


async def _test(context: Context, ways: Sequence[Messenger], tell: Callable[[str], None]) -> int:
    from console.feeds.record_notices import test_message, variables_of
    from console.sources.messenger import MessageError

    if not ways:
        raise UsageError("nobody to be told: set notify.webhook or notify.command.")
    message = test_message(context.backend.host, datetime.now(UTC))
    status = 0
    for way in ways:
        try:
            await way.send(message, variables_of(message))
        except MessageError as error:
            tell(f"notice: {error.reason}")
            status = 1
        else:
            tell(f"notice: {way.name} has taken it")
        finally:
            await way.aclose()
    return status


async def _record(
    context: Context, settings: Settings, ways: Sequence[Messenger], tell: Callable[[str], None], *, once: bool
) -> int:
    from console.feeds.record_fill import Allowance
    from console.feeds.record_notices import Notices, Wanted
    from console.feeds.record_store import Store
    from console.feeds.recorder import Around, Pace, Recorder
    from console.history import Bounds, HistoryError
    from console.history.place import usual_place
    from console.sources.protocols import Patient
    from console.sources.sdnotify import Systemd

    history, notify = settings.history, settings.notify
    if history.interval > LONGEST_INTERVAL:
        raise UsageError(f"history.interval is at most {LONGEST_INTERVAL:g} seconds: beyond that every look would be a gap.")
    systemd = Systemd(os.environ)
    engine, compose = context.backend.sources()
    if isinstance(engine, Patient):
        engine.gather(GATHER_SECONDS)
    jenkins, gpus, machine = context.backend.jenkins(), context.backend.gpus(), context.backend.machine(foresees=False)
    store = Store(usual_place(history.path, os.environ), Bounds(size=history.size << 20))
    notices = Notices(
        Wanted(frozenset(notify.events), frozenset(notify.projects)),
        ways,
        host=context.backend.host,
        note=store.note,
        noted=store.noted,
        tell=tell,
    )
    recorder = Recorder(
        Around(engine, jenkins, gpus, machine, run_folders(history.run_folders, os.environ)),
        store,
        notices,
        tell=tell,
        alive=systemd.alive,
        # Whoever waits for the end wants it soon.
        pace=Pace(history.interval, history.jenkins_interval, lines=Allowance(10**9) if once else None),
    )
    try:
        if once:
            return 0 if await recorder.once() else 1
        return await _until_ended(recorder.run(systemd.ready), systemd.stopping, tell)
    except HistoryError as error:
        tell(f"history: {error.reason}")
        return NOT_POSSIBLE
    finally:
        for source in (engine, compose, jenkins, gpus, machine, *ways):
            if not isinstance(source, SourceStatus):
                await source.aclose()
        await store.aclose()


async def _until_ended(work: Coroutine[Any, Any, None], stopping: Callable[[], None], tell: Callable[[str], None]) -> int:
    """Until SIGTERM, which is how a service is ended: what was read is written, and 0."""
    task = asyncio.ensure_future(work)
    asked = asyncio.Event()

    def end() -> None:
        asked.set()
        stopping()
        task.cancel()

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, end)
    try:
        await task
    except asyncio.CancelledError:
        if not asked.is_set():
            raise
        tell("ended in order")
    finally:
        if not task.done():
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
    return 0


def run_folders(given: Sequence[str], env: Mapping[str, str]) -> tuple[Path, ...]:
    """Raises UsageError."""
    from console.sources.keptfolders import own_folder

    for one in given:
        if not one.startswith("/"):
            raise UsageError(f"history.run_folders wants absolute paths, found {clean(one)}.")
    return tuple(map(Path, given)) if given else (own_folder(env, Path.cwd()),)


def _teller(env: Mapping[str, str]) -> Callable[[str], None]:
    """A line each; the journal knows the time by itself."""
    stamped = "JOURNAL_STREAM" not in env

    def tell(words: str) -> None:
        at = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} " if stamped else ""
        write_aside(f"{at}{clean(words, limit=_LINE)}\n")

    return tell
