"""What a command of the palette can be about, by the names that people have for it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from console.model.build import Build, BuildRef, Result
from console.model.jenkins import JenkinsWorld
from console.model.jenkins_rows import row, with_details
from console.text import Clean

_FAILED = frozenset({Result.FAILURE, Result.UNSTABLE, Result.ABORTED})


class Named(NamedTuple):
    """One thing: its name as it is typed, words beside it, and which build (or with an empty `job` which item) it is."""

    name: str
    words: str
    job: Clean
    number: int


def named(act: str, world: JenkinsWorld) -> list[Named]:
    """Everything that the command `act` can be about now."""
    match act:
        case "retrigger":
            return _again(world)
        case "abort":
            return [_build(ref, world) for ref in sorted(world.work.running)]
        case "cancel":
            return [_item(one.id, str(one.title), str(one.why)) for one in world.work.queue if one.job is not None]
        case "approve" | "reject":
            return [_build(ref, world, str(held.on)) for ref, held in sorted(world.held.items()) if held.what == "input"]
        case _:
            return []


def _again(world: JenkinsWorld) -> list[Named]:
    """Of each job and each project the newest build that failed, else the newest that ended."""
    known = {ref: with_details(world, build) for ref, build in _builds(world)}
    groups: dict[str, list[Build]] = {}
    for build in sorted(known.values(), key=lambda one: one.started, reverse=True):
        if not build.building:
            job = world.jobs.get(build.job)
            names = {str(job.shown if job is not None else build.job), str(build.parameter("PROJECT") or "")}
            for name in names - {""}:
                groups.setdefault(name, []).append(build)
    found = []
    for name, builds in sorted(groups.items()):
        chosen = next((one for one in builds if one.result in _FAILED), builds[0])
        told = row(world, chosen)
        found.append(Named(name, f"{told.name} #{chosen.number}, {told.state.word}", chosen.job, chosen.number))
    return found


def _builds(world: JenkinsWorld) -> Iterable[tuple[BuildRef, Build]]:
    for job in world.jobs.values():
        if job.last is not None:
            yield job.last.ref, job.last
    for builds in (*world.history.values(), world.details.values()):
        for build in builds:
            yield build.ref, build


def _build(ref: BuildRef, world: JenkinsWorld, words: str = "") -> Named:
    job = world.jobs.get(ref.job)
    known = world.details.get(ref)
    told = words or (str(row(world, known).why) if known is not None else "")
    return Named(f"{job.shown if job is not None else ref.job} {ref.number}", told, ref.job, ref.number)


def _item(number: int, title: str, why: str) -> Named:
    return Named(f"{title} {number}", why, Clean(""), number)
