"""`container shell`: a shell in a container, at this terminal."""

from __future__ import annotations

import asyncio
import sys

import click

from console.actions.doer import Doer, RefusedError
from console.actions.plan import Fate
from console.cli.group import Context, command
from console.cli.looking import UNREACHABLE
from console.cli.options import UsageError
from console.model.source import NotThereError, SourceError

NOT_DONE = 1


@command("shell", ignore_unknown_options=True, allow_interspersed_args=False)
@click.argument("name", metavar="NAME")
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="[COMMAND]...")
@click.pass_obj
def shell(context: Context, name: str, command: tuple[str, ...]) -> int:
    """Open a shell in a container that runs, or run COMMAND there at this terminal; ctrl+d or exit ends it.

    Exit status: that of the shell; before there is one 1 it cannot be opened, 2 there is no terminal here, 3 Docker cannot be
    reached or does not permit it.
    """
    if context.json:
        raise UsageError("a shell is for people: it has no --json.")
    if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout)):
        raise UsageError("a shell needs a terminal: standard input and output must be one.")
    words = command[1:] if command[:1] == ("--",) else command

    async def run() -> int:
        from console.actions.docker.containers import find
        from console.actions.docker.shell import open_shell

        reach = context.backend.reach()
        try:
            (found,) = await find(reach, [name])
            recorder = context.backend.recorder()
            doer = Doer(recorder, read_only=context.backend.loaded.read_only)
            session = await open_shell(reach, doer, found.id, words)
            if session.outcome.unrecorded is not None:
                context.complain(f"done, but not recorded: {session.outcome.unrecorded}")
            elif recorder.warning is not None:
                context.complain(recorder.warning)
            if session.status is not None:
                return session.status
            for one in session.outcome.results:
                context.complain(f"{one.target.name}: {one.words}")
            return NOT_DONE if all(one.fate is Fate.FAILED for one in session.outcome.results) else UNREACHABLE
        finally:
            await reach.aclose()

    try:
        return asyncio.run(run())
    except NotThereError as error:
        raise UsageError(error.reason) from None
    except RefusedError as error:
        context.complain(error.reason)
        return NOT_DONE
    except SourceError as error:
        context.complain(error.reason)
        return UNREACHABLE
