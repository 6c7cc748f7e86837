"""`container top`, `inspect` and `copy`: what can be seen of one container. None of it changes anything there."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from console.cli import consent
from console.cli.asking import document
from console.cli.group import Context, command
from console.cli.looking import UNREACHABLE
from console.cli.meter import Meter
from console.cli.options import UsageError
from console.cli.output import Cell, Column, OutputError, ReaderGoneError, print_json
from console.model.source import NotThereError, SourceError, SourceState, SourceStatus
from console.model.state import StateClass
from console.model.words import counted, decimal, memory
from console.sources.reach import Reach
from console.text import clean

if TYPE_CHECKING:
    from console.actions.docker.inspecting import Fact
    from console.model.container import Container
    from console.model.process import Process
    from console.sources.unpacking import Unpacked

T = TypeVar("T")
NOT_DONE = 1
_COLUMNS = (
    Column("PID"),
    Column("USER", least=8, drop=2),
    Column("CPU"),
    Column("MEM"),
    Column("TIME", drop=1),
    Column("COMMAND", least=16),
)


@command("top")
@click.argument("name", metavar="NAME")
@click.pass_obj
def top(context: Context, name: str) -> int:
    """List the processes of a container, with their numbers and users as the machine has them.

    Exit status: 0, 1 it does not run, 3 Docker cannot be reached or does not permit it.
    """

    async def read(reach: Reach, found: Container) -> tuple[Process, ...]:
        return await reach.acts.processes(found.id)

    def show(found: Container, processes: tuple[Process, ...]) -> int:
        if context.json:
            items = [_process(one) for one in processes]
            print_json(document(context, "container-top", items, system="docker", container=found.name))
        else:
            context.printer().table(_COLUMNS, [_row(one) for one in processes])
        return 0

    return _look(context, "container-top", name, read, show, container=None)


def _process(one: Process) -> dict[str, object]:
    return {
        "pid": one.pid,
        "user": one.user,
        "cpu": one.cpu,
        "memory": one.memory,
        "seconds": one.seconds,
        "command": one.command,
    }


def _row(one: Process) -> list[Cell]:
    cpu = f"{one.cpu:g}%" if one.cpu is not None else "n/a"
    return [
        Cell(str(one.pid)),
        Cell(one.user),
        Cell(cpu),
        Cell(memory(one.memory)),
        Cell(_time(one.seconds)),
        Cell(one.command),
    ]


def _time(seconds: int | None) -> str:
    if seconds is None:
        return "n/a"
    minutes, rest = divmod(seconds, 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


@command("inspect")
@click.argument("name", metavar="NAME")
@click.option(
    "--values", is_flag=True, help="Show the values of its environment, too; secrets in labels and arguments stay hidden."
)
@click.pass_obj
def inspect(context: Context, name: str, values: bool) -> int:
    """Show all that Docker knows of a container; the values of its environment are hidden unless --values.

    Exit status: 0, 3 Docker cannot be reached or does not permit it.
    """

    async def read(reach: Reach, found: Container) -> Mapping[Any, Fact]:
        from console.actions.docker.inspecting import facts

        return facts(await reach.acts.raw(found.id), values=values)

    def show(found: Container, told: Mapping[Any, Fact]) -> int:
        if context.json:
            item = {"id": found.id, "name": found.name, "values": values, "facts": told}
            print_json(document(context, "container-inspect", [item], system="docker"))
        else:
            from console.actions.docker.inspecting import outline

            printer = context.printer()
            for line in outline(told):
                printer.line(line)
        return 0

    return _look(context, "container-inspect", name, read, show)


@command("copy")
@click.argument("source", metavar="NAME:PATH")
@click.argument("target", metavar="TARGET")
@click.option("--overwrite", is_flag=True, help="Put it in the place of what has its name here.")
@click.pass_obj
def copy(context: Context, source: str, target: str, overwrite: bool) -> int:
    """Copy a file or folder out of a container: into the folder TARGET, or as TARGET. A file with `-` to standard output.

    Exit status: 0 all of it is here, 1 it cannot be saved, or some of it was left out, 3 Docker cannot be reached or does not
    permit it.
    """
    from console.actions.docker.copying import copy_to, final_place, inside, pour_to
    from console.sources.newfile import SaveError

    name, colon, path = source.partition(":")
    if not colon or not name:
        raise UsageError("what is to be copied? NAME:PATH, the container's name and a path in it.")
    meter = Meter(clean(source), wanted=not context.json)
    try:
        path = inside(path)
        if target == "-":
            _check_pipe(context)

            async def pour(reach: Reach, found: Container) -> int:
                return await pour_to(reach, found.id, path, _write_bytes, progress=meter)

            return _look(context, "container-copy", name, pour, lambda _found, _size: 0, after=meter.clear)
        place = final_place(path, _expanded(target))
        overwrite = _may_replace(place, overwrite=overwrite)

        async def save(reach: Reach, found: Container) -> Unpacked:
            return await copy_to(reach, found.id, path, place, overwrite=overwrite, progress=meter)

        return _look(context, "container-copy", name, save, lambda _, made: _copied(context, made), after=meter.clear)
    except SaveError as error:
        context.complain(error.reason)
        if context.json:
            print_json(document(context, "container-copy", [], SourceStatus(SourceState.OK), system="docker"))
        return NOT_DONE


def _check_pipe(context: Context) -> None:
    if context.json:
        raise UsageError("standard output cannot have both the file and the answer: leave out --json, or name a TARGET.")
    if sys.stdout is not None and sys.stdout.isatty():
        raise UsageError("the file's bytes could do anything to this terminal: name a TARGET, or send them into a pipe.")


def _expanded(target: str) -> Path:
    try:
        return Path(target).expanduser()
    except RuntimeError:
        raise UsageError(f"{clean(target)}: nobody here has that home folder.") from None


def _may_replace(place: Path, *, overwrite: bool) -> bool:
    """Whether what is there may go. Raises UsageError where something is, and nobody says so."""
    import os

    if overwrite or not os.path.lexists(place):
        return overwrite
    if not consent.terminal():
        raise UsageError(f"{clean(str(place))} is there already: --overwrite puts it in its place.")
    if not consent.yes(f"{place} is there already. Put this in its place?"):
        raise UsageError("nothing was copied.")
    return True


def _copied(context: Context, made: Unpacked) -> int:
    left = len(made.left_out) + made.more_left_out
    if context.json:
        item = {
            "path": clean(str(made.place)),
            "files": made.files,
            "bytes": made.bytes,
            "left_out": list(made.left_out),
            "more_left_out": made.more_left_out,
        }
        print_json(document(context, "container-copy", [item], system="docker"))
    else:
        for one in made.left_out:
            context.complain(f"left out: {one}")
        if made.more_left_out:
            context.complain(f"left out: {made.more_left_out} more")
        words = f"{clean(str(made.place))}  {counted(made.files, 'file')}, {decimal(made.bytes)}"
        context.printer().state_line(StateClass.ATTENTION if left else StateClass.GOOD, words)
    return NOT_DONE if left else 0


def _write_bytes(data: bytes) -> None:
    if sys.stdout is None:
        return
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise ReaderGoneError from None
    except OSError as failed:
        raise OutputError(f"the file cannot be written: {failed.strerror}") from None


def _look(
    context: Context,
    kind: str,
    name: str,
    read: Callable[[Reach, Container], Awaitable[T]],
    show: Callable[[Container, T], int],
    *,
    after: Callable[[], None] = lambda: None,
    **more: Any,
) -> int:
    """Ask about the one container of this name, and show the answer. `more` is in the JSON where there is none."""

    async def ask() -> tuple[Container, T]:
        from console.actions.docker.containers import find

        reach = context.backend.reach()
        try:
            (found,) = await find(reach, [name])
            return found, await read(reach, found)
        finally:
            with suppress(SourceError):
                await reach.aclose()

    try:
        try:
            found, told = asyncio.run(ask())
        finally:
            after()
    except NotThereError as error:
        raise UsageError(error.reason) from None
    except SourceError as error:
        context.complain(error.reason)
        if context.json:
            print_json(document(context, kind, [], SourceStatus(error.state, error.reason), system="docker", **more))
        return NOT_DONE if error.state is SourceState.OK else UNREACHABLE
    return show(found, told)
