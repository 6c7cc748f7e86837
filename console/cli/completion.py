"""`completion`: what a shell has to read to complete our commands."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from console.cli.group import Context, command, root
from console.cli.output import write_out


@command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_obj
def completion(context: Context, shell: str) -> int:
    """Print what teaches SHELL to complete our commands; docs/cli.md says where to put it."""
    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - the choice above holds only shells that click knows
    script = kind(root(), {}, "mlops-console", "_MLOPS_CONSOLE_COMPLETE").source()
    write_out(script + "\n")
    return 0
