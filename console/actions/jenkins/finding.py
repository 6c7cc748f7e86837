"""What a person means by a name: a job, one of its builds, or a project that is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from console.model.build import Build, BuildRef, Result
from console.model.jenkins import JenkinsError, Job, Trouble, called
from console.model.training import TRAIN
from console.sources.protocols import Jenkins
from console.text import Clean, clean
from console.text.near import did_you_mean

LOOKED_AT = 100
"""Builds of a job that are looked at: for the last one of a project, and for a commit that was trained already."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A build to be asked for. `source` is the one to run again, None for a first one with the job's defaults.

    `values` are what a person changed, by the parameter's name; secrets are among them, so it shows itself without them.
    """

    job: Clean
    source: BuildRef | None
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    force: bool = False
    resume_from: int | None = None


async def find_source(jenkins: Jenkins, name: str, number: int | None = None, *, last_failed: bool = False) -> Wish:
    """`train` or `train` and 41: that build, without a number the newest; a project: the newest that trained it.

    Raises JenkinsError with what there is instead: NOT_FOUND for a name, BAD_PARAMETER where nothing fits.
    """
    wanted = clean(name.strip("/"))
    jobs = await jenkins.jobs()
    job = _job(jobs, wanted)
    if job is None:
        return await _of_project(jenkins, jobs, wanted, number, last_failed=last_failed)
    if number is not None:
        return Wish(job.full_name, BuildRef(job.full_name, number))
    if not last_failed:
        return Wish(job.full_name, job.last.ref if job.last is not None else None)
    failed = next((one for one in await jenkins.builds(job.full_name, LOOKED_AT) if _has_failed(one)), None)
    if failed is None:
        raise JenkinsError(Trouble.BAD_PARAMETER, f"None of the last builds of {job.shown} has failed.")
    return Wish(job.full_name, failed.ref)


def _job(jobs: Sequence[Job], wanted: Clean) -> Job | None:
    """Raises JenkinsError where it could be several."""
    found = called(jobs, wanted)
    if len(found) > 1:
        names = ", ".join(sorted(one.shown for one in found)[:5])
        raise JenkinsError(Trouble.NOT_FOUND, f"{wanted} could be {names}.")
    return found[0] if found else None


async def _of_project(jenkins: Jenkins, jobs: Sequence[Job], project: Clean, number: int | None, *, last_failed: bool) -> Wish:
    train = next((one for one in jobs if one.full_name == TRAIN), None)
    builds = await jenkins.builds(TRAIN, LOOKED_AT) if train is not None else ()
    own = [one for one in builds if one.parameter("PROJECT") == project]
    if not own:
        known = [*(one.shown for one in jobs), *(told for one in builds if (told := one.parameter("PROJECT")))]
        hint = did_you_mean(project, known, otherwise=f" For the first time: retrigger {TRAIN} -p PROJECT={project}")
        reason = f"There is no job {project}, and no project of that name was trained lately.{hint}"
        raise JenkinsError(Trouble.NOT_FOUND, reason)
    fitting = [one for one in own if (number is None or one.number == number) and (not last_failed or _has_failed(one))]
    if not fitting:
        what = f"has no training #{number}" if number is not None else "has no failed training"
        raise JenkinsError(Trouble.BAD_PARAMETER, f"{project} {what} among the last {len(builds)} builds of {TRAIN}.")
    return Wish(TRAIN, fitting[0].ref)


def _has_failed(build: Build) -> bool:
    return not build.building and build.result is Result.FAILURE
