"""`container ...`: what is done to single containers, and what can be seen of one. Each part is loaded when it is used."""

from __future__ import annotations

from typing import Any

import click

from console.actions.plan import Act
from console.cli.acts import act_here
from console.cli.consent import asks, told
from console.cli.group import Context, command, global_params, read_only
from console.cli.inside import copy, inspect, top
from console.cli.options import UsageError
from console.cli.serving import grace_of
from console.cli.shell import shell
from console.sources.reach import Reach

_ACTS = {
    "start": "Start containers that have ended, as they were made.",
    "stop": "Ask containers to end; what does not is killed after its grace.",
    "restart": "Stop containers and start them again, as they were made.",
    "kill": "Kill containers where they stand: nothing is saved.",
    "pause": "Freeze containers; they keep their memory and their GPUs.",
    "unpause": "Let paused containers go on.",
    "remove": "Remove containers that do not run; their volumes stay.",
}
_TIMED = ("stop", "restart")
_GRACE = "How long it may take to end before the kernel kills it; else its own."
_EXIT = "Exit status: 0 it is done, 1 it is not, 3 Docker cannot be reached or does not permit it."


class _Group(click.Group):
    """What acts is not there when read-only, and says so."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        off = read_only(ctx) is not None
        return [name for name in self.commands if not (off and _acts(name))]

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        if _acts(args[0]) and (where := read_only(ctx)) is not None:
            from console.actions.readonly import acts_are_off

            raise UsageError(acts_are_off(where))
        return super().resolve_command(ctx, args)


def _acts(name: str) -> bool:
    return name in _ACTS or name == shell.name


@click.group("container", cls=_Group, context_settings={"help_option_names": ["--help", "-h"]})
def container() -> None:
    """Look into a container: top, inspect, copy, shell. Start, stop, restart, kill, pause, unpause or remove containers."""


def _act(verb: str, words: str) -> click.Command:
    @click.argument("names", nargs=-1, required=True, metavar="NAME...")
    @asks
    @click.pass_obj
    def act(context: Context, /, names: tuple[str, ...], **options: Any) -> int:
        grace = grace_of(options.get("grace"), verb)

        async def make(reach: Reach) -> Act:
            from console.actions.docker.containers import ActOnContainers, ContainerVerb, find

            return ActOnContainers(reach, ContainerVerb(verb), [one.id for one in await find(reach, names)], grace)

        return act_here(context, make, told(options))

    act.__doc__ = f"{words}\n\n{_EXIT}"
    made = command(verb)(act)
    if verb in _TIMED:
        made.params.insert(1, click.Option(["--grace"], metavar="SECONDS", help=_GRACE))
    return made


container.params += global_params()
for part in (top, inspect, copy, shell, *(_act(verb, words) for verb, words in _ACTS.items())):
    container.add_command(part)
