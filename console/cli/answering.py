"""`approve` and `reject`: the answer to a build that asks."""

from __future__ import annotations

from typing import Any

import click

from console.actions.plan import Act
from console.cli.acts import act
from console.cli.asking import find_build, split_builds
from console.cli.consent import asks, told
from console.cli.group import Context, command
from console.cli.options import UsageError
from console.cli.values import Given, checked, parse
from console.cli.waiting import After, after, waits
from console.model.asking import Question
from console.model.build import BuildRef
from console.model.jenkins import JenkinsError, Trouble
from console.sources.protocols import ActingJenkins
from console.text import clean

_WHICH = "Which one, of a build that asks several things."


@command("approve")
@click.argument("build", nargs=-1, required=True, metavar="JOB N")
@click.option(
    "-p",
    "values",
    multiple=True,
    metavar="NAME=VALUE",
    help="What it asks for: NAME=VALUE, NAME=@FILE, NAME=- (stdin).",
)
@click.option("--question", metavar="ID", help=_WHICH)
@asks
@waits
@click.pass_obj
def approve(context: Context, /, build: tuple[str, ...], **options: Any) -> int:
    """Say yes to a build that asks, with the values that it asks for; those that are left out get their defaults.

    Exit status: 0 it is answered, 1 it is not, 3 Jenkins cannot be reached or does not permit it; with --wait: as for
    retrigger.
    """
    later = after(options["wait"], options["timeout"])
    return _answer(context, build, options, parse(options["values"]), later, yes=True)


@command("reject")
@click.argument("build", nargs=-1, required=True, metavar="JOB N")
@click.option("--question", metavar="ID", help=_WHICH)
@asks
@click.pass_obj
def reject(context: Context, /, build: tuple[str, ...], **options: Any) -> int:
    """Say no to a build that asks: it ends as aborted.

    Exit status: 0 it is answered, 1 it is not, 3 Jenkins cannot be reached or does not permit it.
    """
    return _answer(context, build, options, {}, After(), yes=False)


def _answer(
    context: Context, words: tuple[str, ...], options: dict[str, Any], given: dict[str, Given], later: After, *, yes: bool
) -> int:
    usage = f"mlops-console {'approve' if yes else 'reject'} JOB N, or JOB#last"
    question = options["question"]
    named = split_builds(words, usage)
    if len(named) != 1:
        raise UsageError(f"one build at a time: {usage}")

    async def make(source: ActingJenkins) -> Act:
        from console.actions.jenkins.answering import AnswerQuestion

        jobs = {job.full_name: job for job in await source.jobs()}
        ref = find_build(jobs, *named[0])
        values = {}
        asked = await _asked(source, ref, question)
        if given:
            if asked is None:
                raise UsageError(f"{ref.shown} asks nothing.")
            values = checked(given, asked.fields, f"the question of {ref.shown}")
        return AnswerQuestion(source, ref, yes, values, question)

    return act(context, make, told(options), later)


async def _asked(source: ActingJenkins, ref: BuildRef, wanted: str | None) -> Question | None:
    """The question that is meant; None where nothing is asked. Raises UsageError where it has to be named.

    Nobody picks one of several for a person: an answer to the wrong one cannot be taken back.
    """
    try:
        found = await source.questions(ref)
    except JenkinsError as error:
        if error.trouble is Trouble.NOT_FOUND:
            return None
        raise
    ids = ", ".join(one.id for one in found)
    if wanted is None and len(found) > 1:
        raise UsageError(f"{ref.shown} asks {len(found)} things: name one with --question. It asks {ids}.")
    meant = next((one for one in found if wanted in (None, str(one.id))), None)
    if meant is None and found:
        raise UsageError(f"{ref.shown} does not ask {clean(wanted)}. It asks {ids}.")
    return meant
