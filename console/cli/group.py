"""The tree of commands. A command's module is loaded when it is used, and only then."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import click

from console.cli.backend import Backend
from console.cli.options import GLOBAL, GlobalOptions, UsageError
from console.cli.output import Printer, complain
from console.settings import SettingsError
from console.text import Clean
from console.text.near import did_you_mean

T = TypeVar("T")

COMMANDS = {
    "status": ("console.cli.status:status", "Show what is wrong, and the state of every system."),
    "runs": ("console.cli.runs:runs", "List the trainings: how far they are, whether they learn, how they ended."),
    "run": ("console.cli.runs:run", "Show one training with everything that belongs to it."),
    "metrics": ("console.cli.runs:metrics", "Show what a training measured; --csv for a table of it."),
    "compare": ("console.cli.compare:compare_runs", "Show runs beside each other: what was different, and what came of it."),
    "services": ("console.cli.services:services", "List the services, worst first."),
    "containers": ("console.cli.containers:containers", "List every container of the host."),
    "logs": ("console.cli.logs:logs", "Print what containers print, and follow it."),
    "builds": ("console.cli.builds:builds", "List the newest build of every job, or the builds of one."),
    "build": ("console.cli.builds:build", "Show one build: how it went, why it ran, its tests and files."),
    "stages": ("console.cli.builds:stages", "Show the stages of one build."),
    "queue": ("console.cli.queue:queue", "Show what waits in Jenkins, and why."),
    "gpus": ("console.cli.gpus:gpus", "List the GPUs, and who holds them."),
    "nodes": ("console.cli.queue:nodes", "List the machines that run builds."),
    "retrigger": ("console.cli.retrigger:retrigger", "Run a build again, with the same parameters or with others."),
    "abort": ("console.cli.stopping:abort", "Stop a build; a training saves its checkpoint first."),
    "approve": ("console.cli.answering:approve", "Say yes to a build that asks."),
    "reject": ("console.cli.answering:reject", "Say no to a build that asks."),
    "cancel": ("console.cli.stopping:cancel", "Take something out of the queue."),
    "keep": ("console.cli.switching:keep", "Keep a build from being deleted when it is old."),
    "job": ("console.cli.switching:job", "Scan a project for branches; let a job be built, or not."),
    "node": ("console.cli.switching:node", "Take a node off line for a while, or bring it back."),
    "service": ("console.cli.serving:service", "Start, stop, restart or renew services of the Compose file."),
    "container": ("console.cli.container:container", "Look into single containers, and start, stop or remove them."),
    "df": ("console.cli.pruning:df", "Show what fills Docker's disk."),
    "prune": ("console.cli.pruning:prune", "Remove what nobody needs; shows first what goes and what stays."),
    "orphans": ("console.cli.orphans:orphans", "List trainings that have outlived their build; adopt or stop them."),
    "record": ("console.cli.record:record", "Record runs, curves and GPUs into the history, as a service does."),
    "audit": ("console.cli.audit:audit", "Show what was done with this console, when, and by whom."),
    "doctor": ("console.cli.doctor:doctor", "Look at the whole chain, and name the first broken hop with its remedy."),
    "support": ("console.cli.support:support", "Pack what a bug report needs into one file, without any secret."),
    "login": ("console.cli.login:login", "Tell the console where Jenkins is, and who you are there."),
    "config": ("console.cli.config:config", "Show, find or begin the settings."),
    "completion": ("console.cli.completion:completion", "Print what teaches your shell to complete."),
}

ACTING = frozenset({"retrigger", "abort", "approve", "reject", "cancel", "job", "keep", "node", "service", "prune"})
"""Commands that change something: gone while the console is read-only. Some of `container` only look, see there."""


@dataclass(slots=True)
class Context:
    """What every command gets."""

    options: GlobalOptions
    backend: Backend
    _printer: Printer | None = field(default=None)

    @property
    def json(self) -> bool:
        return self.options.json

    def printer(self) -> Printer:
        if self._printer is None:
            self._printer = self._made()
        return self._printer

    def printer_in_any_case(self) -> Printer:
        """Also where the settings are what is wrong."""
        try:
            return self.printer()
        except SettingsError:
            return Printer(color=True)

    def aside(self) -> Printer:
        """Writes to stderr: plans, questions, and what else must not get into an answer."""
        return self._made(aside=True)

    def _made(self, *, aside: bool = False) -> Printer:
        screen = self.backend.loaded.settings.screen
        return Printer(color=screen.color != "never", glyphs=screen.glyphs, aside=aside)

    @staticmethod
    def complain(message: str) -> None:
        complain(message)


def global_params() -> list[click.Parameter]:
    """The options that `options.split` takes out: here only so that help and completion know them."""
    found: list[click.Parameter] = []
    for name, (option, wants_value, words) in GLOBAL.items():
        if option == "help":
            continue
        found.append(
            click.Option(
                [name],
                is_flag=not wants_value,
                expose_value=False,
                help=words,
                metavar=option.upper() if wants_value else None,
            )
        )
    return found


def read_only(ctx: click.Context) -> Clean | None:
    """What has switched acts off, as far as that can be told: with broken settings nothing has, and commands say so."""
    # What a shell completes reaches us as it was typed so far, past the options that were taken out of the arguments.
    if "--read-only" in os.environ.get("COMP_WORDS", "").split():
        return Clean("--read-only")
    if not isinstance(ctx.obj, Context):
        return None
    try:
        return ctx.obj.backend.loaded.read_only
    except SettingsError:
        return None


class LazyGroup(click.Group):
    """Knows its commands by name and sentence; loads one when it is wanted. Those that act are not there when read-only."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        off = read_only(ctx) is not None
        return [name for name in COMMANDS if not (off and name in ACTING)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        found = getattr(importlib.import_module(module), name)
        assert isinstance(found, click.Command)  # noqa: S101 - the table above names nothing else
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in self.list_commands(ctx)])

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name in COMMANDS and name in ACTING and (where := read_only(ctx)) is not None:
            from console.actions.readonly import acts_are_off

            raise UsageError(acts_are_off(where))
        if name not in COMMANDS and not name.startswith("-"):
            hint = did_you_mean(name, self.list_commands(ctx), otherwise=" See: mlops-console --help")
            raise UsageError(f"there is no command {name}.{hint}")
        return super().resolve_command(ctx, args)


class ActsBelow(click.Group):
    """A command that shows something, with acts on it below; they are gone while the console is read-only."""

    def __init__(self, name: str, callback: Callable[..., int]) -> None:
        settings = {"help_option_names": ["--help", "-h"]}
        super().__init__(name, callback=callback, invoke_without_command=True, context_settings=settings, help=callback.__doc__)
        self.params += global_params()

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [] if read_only(ctx) is not None else super().list_commands(ctx)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        if (where := read_only(ctx)) is not None:
            from console.actions.readonly import acts_are_off

            raise UsageError(acts_are_off(where))
        return super().resolve_command(ctx, args)


def command(name: str, **settings: Any) -> Callable[[Callable[..., int]], click.Command]:
    """A click command that also shows the global options. `settings` are click's for its context."""

    def make(call: Callable[..., int]) -> click.Command:
        made = click.command(name, context_settings={"help_option_names": ["--help", "-h"], **settings})(call)
        made.params += global_params()
        return made

    return make


def root() -> click.Group:
    return LazyGroup(
        name="mlops-console",
        params=global_params(),
        no_args_is_help=False,
        invoke_without_command=True,
        context_settings={"help_option_names": ["--help", "-h"]},
        help="A console for model training on your own server. Without a command it opens the screen.",
    )


def only_named(
    names: Sequence[str],
    found: Sequence[T],
    is_called: Callable[[T, str], bool],
    name_of: Callable[[T], str],
    what: str,
    *,
    gone_is_fine: bool = False,
    other_names: Iterable[str] = (),
    listed: str = "",
) -> list[T]:
    """Those of `found` that are named, in the order of the names.

    UsageError names the nearest, also of `other_names`, for one that is not there, and says where all are `listed`, unless
    `gone_is_fine`: what is watched may go and come back.
    """
    chosen: list[T] = []
    for name in names:
        matches = [one for one in found if name_of(one) == name] or [one for one in found if is_called(one, name)]
        if not matches and not gone_is_fine:
            hint = did_you_mean(name, [*map(name_of, found), *other_names])
            raise UsageError(f"there is no {what} {name}.{hint}{listed and f' {listed}'}")
        chosen += [one for one in matches if one not in chosen]
    return chosen


def run_click(group: click.Group, rest: Sequence[str], context: Context) -> int:
    """Run a command and give its exit status; click's own complaints become sentences."""
    try:
        result: Any = group.main(args=list(rest), prog_name="mlops-console", standalone_mode=False, obj=context)
    except click.Abort:
        raise KeyboardInterrupt from None
    except click.exceptions.NoSuchOption as error:
        near = f" Did you mean {error.possibilities[0]}?" if error.possibilities else ""
        raise UsageError(f"there is no option {error.option_name}.{near}") from None
    except click.MissingParameter as error:
        raise UsageError(_missing(error)) from None
    except click.BadOptionUsage as error:
        # As `options.split` says it of the global ones.
        without = "requires an argument" in error.message
        raise UsageError(f"{error.option_name} wants a value." if without else error.format_message()) from None
    except click.UsageError as error:
        raise UsageError(error.format_message()) from None
    return result if isinstance(result, int) else 0


def _missing(error: click.MissingParameter) -> str:
    if error.param is None or error.ctx is None:
        return error.format_message()
    words = error.ctx.command_path.partition(" ")[2]
    return f"{words} wants {_usage(error.param).strip('[].')}. See: {error.ctx.command_path} --help"


def manual() -> str:
    """The table of docs/cli.md: every command with its own options, then the global ones."""
    lines = ["| command | what |", "|---|---|"]
    group = root()
    with click.Context(group, info_name="mlops-console") as ctx:
        for name in group.list_commands(ctx):
            found = group.get_command(ctx, name)
            parts = list(found.commands.values()) if isinstance(found, click.Group) else [found]
            if isinstance(found, ActsBelow):
                parts.insert(0, found)
            for part in parts:
                if part is None:
                    continue
                words = name if part is found else f"{name} {part.name}"
                usage = " ".join(_usage(param) for param in part.params if param.expose_value).replace("|", "\\|")
                lines.append(f"| `{words}{' ' + usage if usage else ''}` | {_sentence(part.help)} |")
    lines += ["", "| everywhere | what |", "|---|---|"]
    for name, (option, wants_value, words) in GLOBAL.items():
        lines.append(f"| `{name}{' ' + option.upper() if wants_value else ''}` | {words} |")
    return "\n".join(lines) + "\n"


def _sentence(words: str | None) -> str:
    """The first paragraph, in one line."""
    return " ".join((words or "").partition("\n\n")[0].split())


def _usage(param: click.Parameter) -> str:
    if isinstance(param, click.Argument):
        return param.metavar or (param.name or "").upper()
    return f"[{param.opts[0]}]"
