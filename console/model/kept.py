"""What runs keep on the disk beside images: workspaces, run folders, checkpoints. No rule removes any of it. Pure.

The layout is the platform's (infra/docker-compose.yml, infra/jenkins/steps/record.py): the agent's volume has `workspace/` and
`runs/JOB-BUILD/`; a training writes into a volume at /out, from where its run folder gets it when it has ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from console.model.build import NOTHING
from console.model.container import Container
from console.model.disk import PROJECT, Volume
from console.text import Clean, clean

HOME_LABEL, HOME_NAME, HOME_TARGET = Clean("com.docker.compose.volume"), Clean("agent-work"), "/home/jenkins/agent"
OUT = "/out"
NOT_READABLE = Clean("not readable from here")
UNCOLLECTED = Clean("still with its container")
ONLY_BY_NAME = Clean("Workspaces, runs and checkpoints are removed by no rule, only by name.")


class KeptKind(StrEnum):
    """WORKSPACE is Jenkins' folder of a job, CHECKPOINTS those of one run, RUN the rest of what it left: model, log, record.
    ALL is a whole volume of which nobody here can tell more."""

    WORKSPACE = "workspace"
    CHECKPOINTS = "checkpoints"
    RUN = "run"
    ALL = "all"


WHAT: Mapping[KeptKind, str] = {
    KeptKind.WORKSPACE: "workspace",
    KeptKind.CHECKPOINTS: "checkpoints",
    KeptKind.RUN: "rest of a run",
    KeptKind.ALL: "workspaces, runs",
}
"""What each is, in words."""


@dataclass(frozen=True, slots=True)
class Kept:
    """`name` is the run (`train #41`, `local-3`) or the workspace, empty for ALL; `place` the volume or folder that has it.

    `bytes` is None where it cannot be told, and `note` says why. `at` is when it last changed. `resumable`: a run that has
    ended, and not well, has left these checkpoints to go on from, and no later run of its project went well.
    """

    kind: KeptKind
    project: Clean | None
    name: Clean
    place: Clean
    bytes: int | None
    at: datetime | None
    resumable: bool = False
    note: Clean = NOTHING


@dataclass(frozen=True, slots=True)
class Ended:
    """What a run folder tells of its run. `ok` is None for one that has no result yet, `at` when it ended, or began."""

    project: Clean | None
    ok: bool | None
    at: datetime
    checkpoint: bool


def homes(volumes: Iterable[Volume], containers: Iterable[Container]) -> tuple[Volume, ...]:
    """The volumes that agents keep workspaces and run folders in."""
    mounted = {
        mount.source for one in containers for mount in one.mounts if mount.target == HOME_TARGET and _is_volume(mount.kind)
    }
    return tuple(one for one in volumes if one.labels.get(HOME_LABEL) == HOME_NAME or one.name in mounted)


def uncollected(volumes: Iterable[Volume], containers: Iterable[Container]) -> tuple[Kept, ...]:
    """What trainings that still have their container have written so far."""
    by_name = {one.name: one for one in volumes}
    found = []
    for one in containers:
        names = [mount.source for mount in one.mounts if mount.target == OUT and _is_volume(mount.kind)]
        if not one.training or not names or names[0] not in by_name:
            continue
        volume = by_name[names[0]]
        run = run_name(one.label("mlops.job"), one.label("mlops.build")) or one.name
        note = UNCOLLECTED if volume.size is not None else NOT_READABLE
        made = volume.created or one.created
        found.append(Kept(KeptKind.RUN, one.labels.get(PROJECT), run, volume.name, volume.size, made, note=note))
    return tuple(found)


def _is_volume(kind: Clean) -> bool:
    return kind == "volume"


def run_name(job: str | None, build: str | None) -> Clean | None:
    """`train #41`; `local-3` of a run by hand, as people ask for it."""
    if not job or not build:
        return None
    return clean(f"{job}-{build}" if job == "local" else f"{job} #{build}")


def resumable(run: Ended, all_of_them: Sequence[Ended]) -> bool:
    """Whether it can be gone on from: as `retain` and `check` of the platform see it."""
    # One without a result goes on, or was cut off so hard that nobody could write one: `ok` is None.
    if run.ok is not False or not run.checkpoint:
        return False
    return not any(other.ok and other.project == run.project and other.at > run.at for other in all_of_them)


def largest_first(found: Iterable[Kept]) -> tuple[Kept, ...]:
    """What can be gone on from before the rest, what nobody knows the size of last."""
    return tuple(sorted(found, key=lambda one: (not one.resumable, -(one.bytes if one.bytes is not None else -1), one.name)))
