"""retain: models and checkpoints of old trainings make room; the record of every training stays."""

from __future__ import annotations

import os
import shutil
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from . import docker, host
from .finish import Result
from .problem import Exit, Problem, parameter, say, words_of
from .record import LOCAL, PUBLISHED, Folder, Record, runs

KEEP = "10"

# Below /out of a run. All the rest, metrics, events, card and log, is small and stays.
LARGE = ("checkpoint", "model")


@dataclass(frozen=True)
class Run:
    """A training that has ended."""

    folder: Folder
    record: Record
    result: Result
    ended: float

    @property
    def waits(self) -> bool:
        """Whether its model is still to be published."""
        return self.result.status == "ok" and self.record.publish is not None and self.folder.read(PUBLISHED) is None


def step() -> int:
    """The program: `retain`. MLOPS_KEEP_RUNS, 10: how many trainings of a project keep what is large."""
    said = parameter("MLOPS_KEEP_RUNS", default=KEEP)
    if not said.isdecimal() or int(said) == 0:
        raise Problem(f"MLOPS_KEEP_RUNS is {said!r}; expected a number of trainings, 1 or more.", Exit.USAGE)
    freed = 0
    for run in old(int(said)):
        size = clear(run)
        freed += size
        if size:
            say(f"[retain] {run.record.title}: model and checkpoints removed, {host.human(size)}")
    if not freed:
        say("[retain] nothing to do")
    return Exit.OK


def old(keep: int) -> list[Run]:
    """Trainings of builds whose models and checkpoints may go.

    Of each project the newest `keep` stay whole. So does one whose model waits to be published, one that has a container, and
    one that broke off with a checkpoint, until a later training of its project went well.
    """
    by_project: dict[str, list[Run]] = defaultdict(list)
    for path in runs().glob("*-*") if runs().is_dir() else ():
        run = _ended(Folder(path))
        if run is not None:
            by_project[run.record.project].append(run)
    found = []
    for project in by_project.values():
        project.sort(key=lambda run: run.ended, reverse=True)
        for place, run in enumerate(project):
            resumable = run.result.status != "ok" and run.result.checkpoint is not None
            outdone = any(later.result.status == "ok" for later in project[:place])
            if place >= keep and not run.waits and (outdone or not resumable):
                found.append(run)
    return found


def clear(run: Run) -> int:
    """Remove what is large of one; the bytes that it had. Nothing while somebody is at work in it. Raises Problem."""
    held = run.folder.lock()
    if held is None:
        return 0
    try:
        return 0 if docker.containers(run.record.identity) else sum(_remove(run.folder.out / name) for name in LARGE)
    except OSError as error:
        raise Problem(f"{run.record.title}: {words_of(error)}.") from error
    finally:
        os.close(held)


def _remove(place: Path) -> int:
    """A folder, never what a link leads to; the bytes of its files."""
    if not place.is_dir() or place.is_symlink():
        return 0
    size = sum(path.lstat().st_size for path in place.rglob("*") if path.is_file() and not path.is_symlink())
    shutil.rmtree(place)
    return size


def _ended(folder: Folder) -> Run | None:
    """None for one that has not ended, and for one by hand: that is its person's."""
    try:
        record, known = folder.record(), folder.read("result.json")
        if known is None or record.job == LOCAL:
            return None
        ended = (folder.path / "result.json").stat().st_mtime
        return Run(folder, record, Result(**known), ended)
    except (Problem, OSError, TypeError):
        return None  # nothing that this platform has written
