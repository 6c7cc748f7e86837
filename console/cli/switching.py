"""`job`, `keep`, `node`: what is switched at Jenkins."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import click

from console.actions.plan import Act
from console.cli.acts import act
from console.cli.asking import find_build, find_job, jobs_in, split_builds
from console.cli.consent import asks, told
from console.cli.group import Context, command, global_params, only_named
from console.cli.options import UsageError
from console.model.jenkins import Job
from console.sources.protocols import ActingJenkins
from console.text import Clean, clean

_HELP = {"help_option_names": ["--help", "-h"]}
_REASON = "set off line with mlops-console"


@click.group("job", context_settings=_HELP)
def job() -> None:
    """Have a project scanned for branches, let a job be built or not."""


@command("scan")
@click.argument("projects", nargs=-1, required=True, metavar="PROJECT...")
@asks
@click.pass_obj
def scan(context: Context, /, projects: tuple[str, ...], **options: Any) -> int:
    """Have a multibranch project look for new and changed branches.

    Exit status: 0 it does, 1 it does not, 3 Jenkins cannot be reached or does not permit it.
    """

    async def make(source: ActingJenkins) -> Act:
        from console.actions.jenkins.switching import Scan

        jobs = await _jobs(source)
        return Scan(source, list(dict.fromkeys(_project(jobs, name) for name in projects)))

    return act(context, make, told(options))


def _project(jobs: dict[Clean, Job], name: str) -> Clean:
    """A project of branches. One without any is not among the jobs, so an unknown name is left to Jenkins."""
    wanted = clean(name.strip("/"))
    inside = jobs_in(jobs, wanted)
    if not inside and any(wanted in (one.full_name, one.shown) for one in jobs.values()):
        raise UsageError(f"{wanted} is a job: scan the project that it is a branch of.")
    if not inside:
        return wanted
    parts = wanted.count("/") + 1
    return clean("/".join(inside[0].full_name.split("/")[:parts]))


def _switch(on: bool) -> Callable[..., int]:
    def call(context: Context, /, jobs: tuple[str, ...], **options: Any) -> int:
        async def make(source: ActingJenkins) -> Act:
            from console.actions.jenkins.switching import SetEnabled

            known = await _jobs(source)
            return SetEnabled(source, [find_job(known, name).full_name for name in jobs], on)

        return act(context, make, told(options))

    call.__doc__ = f"""{"Let a job be built (again)." if on else "Let a job not be built, until it is enabled again."}

    Exit status: 0 done, 1 not done, 3 Jenkins cannot be reached or does not permit it.
    """
    return click.argument("jobs", nargs=-1, required=True, metavar="JOB...")(asks(click.pass_obj(call)))


@command("keep")
@click.argument("builds", nargs=-1, required=True, metavar="JOB N")
@click.option("--no-longer", is_flag=True, help="Let it be deleted when its time comes.")
@asks
@click.pass_obj
def keep(context: Context, /, builds: tuple[str, ...], **options: Any) -> int:
    """Keep a build for ever: Jenkins does not delete it when it is old. Several as JOB#N each.

    Exit status: 0 done, 1 not done, 3 Jenkins cannot be reached or does not permit it.
    """
    wanted = split_builds(builds, "mlops-console keep JOB N, or JOB#N..., or JOB#last")

    async def make(source: ActingJenkins) -> Act:
        from console.actions.jenkins.switching import SetKept

        known = await _jobs(source)
        refs = [find_build(known, name, number) for name, number in wanted]
        return SetKept(source, refs, not options["no_longer"])

    return act(context, make, told(options))


@click.group("node", context_settings=_HELP)
def node() -> None:
    """Take a node off line for a while, or bring it back."""


@command("offline")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--reason", metavar="TEXT", default=_REASON, help="Why: everybody who looks at the node sees it.")
@asks
@click.pass_obj
def offline(context: Context, /, names: tuple[str, ...], reason: str, **options: Any) -> int:
    """Let a node begin nothing new; what runs on it goes on.

    Exit status: 0 done, 1 not done, 3 Jenkins cannot be reached or does not permit it.
    """
    return act(context, _nodes(names, clean(reason) or _REASON), told(options))


@command("online")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@asks
@click.pass_obj
def online(context: Context, /, names: tuple[str, ...], **options: Any) -> int:
    """Let a node that was set off line run builds again.

    Exit status: 0 done, 1 not done, 3 Jenkins cannot be reached or does not permit it.
    """
    return act(context, _nodes(names, None), told(options))


def _nodes(names: Sequence[str], reason: str | None) -> Callable[[ActingJenkins], Awaitable[Act]]:
    async def make(source: ActingJenkins) -> Act:
        from console.actions.jenkins.switching import SetOffline

        known = (await source.work()).nodes
        found = only_named(names, known, lambda one, name: one.name == name, lambda one: one.name, "node")
        return SetOffline(source, [one.name for one in found], reason)

    return make


async def _jobs(source: ActingJenkins) -> dict[Clean, Job]:
    return {one.full_name: one for one in await source.jobs()}


for _command in (scan, command("enable")(_switch(True)), command("disable")(_switch(False))):
    job.add_command(_command)
for _command in (offline, online):
    node.add_command(_command)
job.params += global_params()
node.params += global_params()
