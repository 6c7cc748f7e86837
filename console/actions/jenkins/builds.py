"""What acts on builds have in common: their ids and names, one that may be gone, and what is told where a look fails."""

from __future__ import annotations

from console.actions.jenkins.patience import AWAY
from console.actions.plan import End, News, Target
from console.model.build import Build, BuildRef
from console.model.jenkins import JenkinsError, Trouble
from console.model.state import StateClass
from console.sources.protocols import Jenkins
from console.text import Clean, clean


def key_of(ref: BuildRef) -> Clean:
    """The id of a build among the objects of acts."""
    return clean(f"build/{ref}")


def name_of(ref: BuildRef, build: Build | None) -> Clean:
    """`train #41 (project-b)`: with what is trained, where it is known."""
    project = build.parameter("PROJECT") if build is not None else None
    return clean(f"{ref.shown}{f' ({project})' if project else ''}", limit=80)


def not_there(ref: BuildRef) -> Clean:
    return clean(f"{ref.shown} is not there: it was deleted, or never was.")


async def build_of(jenkins: Jenkins, ref: BuildRef) -> Build | None:
    """It, or None where Jenkins has none. Raises JenkinsError for every other trouble."""
    try:
        return await jenkins.build(ref)
    except JenkinsError as error:
        if error.trouble is Trouble.NOT_FOUND:
            return None
        raise


def unseen(target: Target, ref: BuildRef, error: JenkinsError) -> News:
    """What a look at a build tells that gave this error: with an end where it was deleted, without one while Jenkins is away.

    Raises it where it is neither.
    """
    if error.trouble is Trouble.NOT_FOUND:
        return News(target, StateClass.BROKEN, clean(f"#{ref.number} is gone: it was deleted"), ref, End.LOST)
    if error.trouble not in AWAY:
        raise error
    return News(target, StateClass.ATTENTION, error.reason, ref)
