"""`service ACT NAME...`: what is done to services."""

from __future__ import annotations

from typing import Any

import click

from console.actions.plan import Act
from console.cli.acts import act_here
from console.cli.consent import asks, told
from console.cli.group import Context, command
from console.cli.options import UsageError
from console.sources.reach import Reach
from console.text import clean

SERVICE_ACTS = ("up", "start", "stop", "restart", "recreate", "pull", "update", "down")
_LONGEST_GRACE = 86_400
_FIGURES, _SHOWN = 10, 60
_TIMED = ("stop", "restart", "recreate", "update", "down")


@command("service")
@click.argument("act", metavar="ACT", type=click.Choice(SERVICE_ACTS))
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--all", "every", is_flag=True, help="All services of the file.")
@click.option("--grace", metavar="SECONDS", help="How long it may take to end before it is killed; else as the file says.")
@click.option("--no-wait", is_flag=True, help="Do not wait until what was started is healthy.")
@asks
@click.pass_obj
def service(context: Context, /, act: str, names: tuple[str, ...], every: bool, **options: Any) -> int:
    """Start, stop or renew services of the Compose file: up, start, stop, restart, recreate, pull, update, down.

    Exit status: 0 it is done and healthy, 1 it is not, 3 Docker or Compose cannot be reached or does not permit it.
    """
    if every and names:
        raise UsageError("--all are all services: it goes without names.")
    if not names and not every and act != "down":
        raise UsageError(f"name the services, or say --all: mlops-console service {act} NAME...")
    if act == "down" and names:
        raise UsageError(f"down is for all services together. For one of them: mlops-console service stop {clean(names[0])}")
    grace = grace_of(options["grace"], act)

    async def make(reach: Reach) -> Act:
        from console.actions.docker.services import ActOnServices, ServiceVerb

        return ActOnServices(reach, ServiceVerb(act), names, grace, wait=not options["no_wait"])

    return act_here(context, make, told(options))


def grace_of(text: str | None, act: str) -> int | None:
    """What `--grace` says for an act, in seconds. Raises UsageError."""
    if text is None:
        return None
    if act not in _TIMED:
        raise UsageError(f"--grace is for what ends something, and {act} does not.")
    if not (text.isascii() and text.isdigit() and len(text) < _FIGURES and int(text) <= _LONGEST_GRACE):
        raise UsageError(f"--grace {clean(text, limit=_SHOWN)} is no number of seconds from 0 to {_LONGEST_GRACE}.")
    return int(text)
