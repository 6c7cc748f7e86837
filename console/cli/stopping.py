"""`abort` and `cancel`: ending what runs, taking out what waits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import click

from console.actions.plan import Act
from console.cli.acts import act
from console.cli.asking import find_build, split_builds
from console.cli.consent import asks, told
from console.cli.group import Context, command
from console.cli.options import UsageError
from console.cli.waiting import after, waits
from console.model.asking import Stop
from console.model.build import as_people_write
from console.model.jenkins import QueueItem
from console.sources.protocols import ActingJenkins
from console.text import clean
from console.text.near import did_you_mean

_USAGE = "mlops-console abort JOB N, or JOB#N..., or JOB#last"


@command("abort")
@click.argument("builds", nargs=-1, required=True, metavar="JOB N")
@click.option("--terminate", is_flag=True, help="End every step at once: nothing is saved any more.")
@click.option("--kill", is_flag=True, help="End the build as it stands: nothing cleans up after it.")
@asks
@waits
@click.pass_obj
def abort(context: Context, /, builds: tuple[str, ...], **options: Any) -> int:
    """Stop a build; a training saves its checkpoint first. Several as JOB#N each.

    Exit status: 0 it is told to end, 1 it is not, 3 Jenkins cannot be reached or does not permit it; with --wait: 0 it was
    aborted, else as the build ended, 5 it took longer than --timeout.
    """
    if options["terminate"] and options["kill"]:
        raise UsageError("--terminate and --kill exclude each other.")
    how = Stop.KILL if options["kill"] else Stop.TERM if options["terminate"] else Stop.STOP
    wanted = split_builds(builds, _USAGE)
    later = after(options["wait"], options["timeout"])

    async def make(source: ActingJenkins) -> Act:
        from console.actions.jenkins.stopping import StopBuilds

        jobs = {job.full_name: job for job in await source.jobs()}
        return StopBuilds(source, [find_build(jobs, name, number) for name, number in wanted], how)

    return act(context, make, told(options), later)


@command("cancel")
@click.argument("names", nargs=-1, required=True, metavar="ID|PROJECT|JOB...")
@asks
@click.pass_obj
def cancel(context: Context, /, names: tuple[str, ...], **options: Any) -> int:
    """Take something out of the queue: by its number there, or all that waits of a project or a job.

    Exit status: 0 it is out, 1 it is not, 3 Jenkins cannot be reached or does not permit it.
    """

    async def make(source: ActingJenkins) -> Act:
        from console.actions.jenkins.cancelling import CancelItems

        return CancelItems(source, _items((await source.work()).queue, names))

    return act(context, make, told(options))


def _items(queue: Sequence[QueueItem], names: Sequence[str]) -> list[int]:
    """The ids that are meant. One that is not in the queue is meant all the same: the plan says what became of it."""
    found: dict[int, None] = {}
    for name in names:
        if name.isascii() and name.isdigit() and len(name) < 19:
            found[int(name)] = None
            continue
        wanted = str(clean(name.strip("/")))
        ids = [one.id for one in queue if wanted in _called(one)]
        if not ids:
            known = [called for one in queue for called in _called(one)]
            hint = did_you_mean(wanted, known, otherwise="" if queue else " Nothing waits.")
            raise UsageError(f"nothing in the queue is called {wanted}.{hint}")
        found.update(dict.fromkeys(ids))
    return list(found)


def _called(one: QueueItem) -> Iterator[str]:
    """The project that it would train, and its job: as Jenkins writes it, as people do, by its last part."""
    project = next((str(each.value) for each in one.parameters if each.name == "PROJECT" and each.value), None)
    if project is not None:
        yield project
    if one.job is not None:
        shown = str(as_people_write(one.job))
        yield from (str(one.job), shown, str(as_people_write(one.job.rpartition("/")[2])))
