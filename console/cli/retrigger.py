"""`retrigger`: a build again, or a first one, with the parameters of before or with others."""

from __future__ import annotations

from typing import Any

import click

from console.actions.plan import Act
from console.cli.acts import act
from console.cli.asking import build_number
from console.cli.consent import asks, told
from console.cli.group import Context, command
from console.cli.options import UsageError
from console.cli.values import Given, checked, parse, undeclared
from console.cli.waiting import after, waits
from console.model.build import as_people_write
from console.sources.protocols import ActingJenkins
from console.text import clean

_FORCE, _RESUME = "FORCE", "RESUME_FROM"


@command("retrigger")
@click.argument("words", nargs=-1, required=True, metavar="JOB|PROJECT[#N]")
@click.option("--last-failed", is_flag=True, help="The newest build that failed instead of the newest.")
@click.option(
    "-p", "values", multiple=True, metavar="NAME=VALUE", help="Another value: NAME=VALUE, NAME=@FILE, NAME=- (stdin)."
)
@click.option("--force", is_flag=True, help="Train again what was trained already (sets FORCE).")
@click.option("--resume-from", metavar="N", help="Go on from the checkpoint of build N (sets RESUME_FROM).")
@asks
@waits
@click.option("--follow", is_flag=True, help="Print the build's log as it comes, and end as --wait does.")
@click.pass_obj
def retrigger(context: Context, /, words: tuple[str, ...], **options: Any) -> int:
    """Run a build again with its parameters, or with others. Without N the newest build of the job or of the project.

    PROJECT is one that the job `train` has trained. Exit status: 0 it is asked for, 1 it is not, 3 Jenkins cannot be reached or
    does not permit it; with --wait: 0 the build is good, 1 it failed, 4 it was aborted, 5 it took longer than --timeout.
    """
    name, number = _named(words)
    if number is not None and options["last_failed"]:
        raise UsageError("--last-failed looks for the build itself: it goes with no number.")
    resume = build_number(options["resume_from"]) if options["resume_from"] is not None else None
    wish = told(options)
    later = after(options["wait"], options["timeout"], follow=options["follow"])
    given = parse(options["values"])
    clashes = ((_FORCE, "--force", options["force"]), (_RESUME, "--resume-from", resume is not None))
    for parameter, option, used in clashes:
        if used and parameter in given:
            raise UsageError(f"{option} sets {parameter}, and -p {parameter} sets it too.")

    async def make(source: ActingJenkins) -> Act:
        from dataclasses import replace

        from console.actions.jenkins.finding import find_source
        from console.actions.jenkins.retrigger import Retrigger

        found = await find_source(source, name, number, last_failed=options["last_failed"])
        values = await _values(source, str(found.job), given, [one for one, _, used in clashes if used])
        return Retrigger(source, [replace(found, values=values, force=options["force"], resume_from=resume)])

    return act(context, make, wish, later)


def _named(words: tuple[str, ...]) -> tuple[str, int | None]:
    """`train`, `train#41`, `train 41`, `project-b`."""
    name, mark, number = words[0].rpartition("#")
    if not mark:
        name, number = words[0], words[1] if len(words) > 1 else ""
    if len(words) > (1 if mark else 2):
        raise UsageError(f"retrigger starts one build: {clean(words[-1])} is one too many.")
    if not name.strip("/"):
        raise UsageError("which job, or which project? mlops-console retrigger JOB|PROJECT[#N]")
    return name, build_number(number) if number not in ("", "last") else None


async def _values(source: ActingJenkins, job: str, given: dict[str, Given], wanted: list[str]) -> dict[str, str]:
    """What is sent of `given`. Raises UsageError for what the job does not take."""
    if not given and not wanted:
        return {}
    declared = await source.parameters(job)
    what = str(as_people_write(job))
    undeclared(wanted, declared, what)
    return checked(given, declared, what)
