"""Run folders and workspaces on this machine: in the volumes of agents, where they can be read, and of runs by hand.

What is in them was written by trainings and builds: nothing is followed, nothing is taken for granted, and no file is read
further than it may be long.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from console.model.build import NOTHING
from console.model.container import Container
from console.model.disk import DiskUse, Volume
from console.model.kept import NOT_READABLE, Ended, Kept, KeptKind, homes, largest_first, resumable, run_name, uncollected
from console.sources._blocking import Pool
from console.sources.runfolders import read_json
from console.text import Clean, clean

SECONDS = 20.0
MOST_FILES = 200_000
"""As many are counted in one reading, which takes about a second; of the rest it is said that they are too many."""

TOO_MANY = clean(f"more than {MOST_FILES:,} files: not counted")
PARTLY = Clean("part of it is not readable from here")
NO_ANSWER = Clean("the disk does not answer")


class KeptFolders:
    """See `sources.protocols.RunFolders`. `local`: whether paths of the Engine's volumes mean anything here. `own` is where
    runs by hand are."""

    def __init__(self, *, local: bool, own: Path | None, most: int = MOST_FILES) -> None:
        self._local = local
        self._own = own
        self._most = most
        self._pool = Pool("kept", 1)

    async def kept(self, use: DiskUse, containers: Sequence[Container]) -> tuple[Kept, ...]:
        volumes = homes(use.volumes, containers)
        try:
            found = await self._pool.run(lambda: tuple(self._read(volumes)), SECONDS)
        except TimeoutError:
            found = tuple(_whole(one, NO_ANSWER) for one in volumes)
        return largest_first((*found, *uncollected(use.volumes, containers)))

    async def aclose(self) -> None:
        self._pool.close()

    def _read(self, volumes: Iterable[Volume]) -> Iterator[Kept]:
        count = _Count(self._most)
        for volume in volumes:
            path = Path(volume.path) if self._local and volume.path is not None else None
            if path is None or not _opens(path):
                yield _whole(volume, NOT_READABLE)
                continue
            runs = _runs(path / "runs", volume.name, count)
            yield from _as_far_as(volume.name, runs, _workspaces(path / "workspace", volume.name, count))
        if self._own is not None and _opens(self._own):
            place = clean(str(self._own))
            yield from _as_far_as(place, _runs(self._own, place, count))


def own_folder(env: Mapping[str, str], here: Path) -> Path:
    """Where runs by hand are kept, as `make train` finds it."""
    return here / (env.get("RUNS_DIR") or "runs")


def _whole(volume: Volume, why: Clean) -> Kept:
    return Kept(KeptKind.ALL, None, NOTHING, volume.name, volume.size, volume.created, note=why)


def _as_far_as(place: Clean, *several: Iterator[Kept]) -> Iterator[Kept]:
    """What can be read of it, and where that is not all of it one more that says so."""
    partly = False
    for found in several:
        try:
            yield from found
        except OSError:
            partly = True
    if partly:
        yield Kept(KeptKind.ALL, None, NOTHING, place, None, None, note=PARTLY)


@dataclass(slots=True)
class _Count:
    """How many more files may be looked at."""

    left: int


@dataclass(frozen=True, slots=True)
class _Size:
    bytes: int | None
    note: Clean = NOTHING


def _runs(folder: Path, place: Clean, count: _Count) -> Iterator[Kept]:
    read = [(path, name, ended) for path in _folders(folder) if (told := _run(path)) is not None for name, ended in (told,)]
    everything = [ended for _, _, ended in read]
    for path, name, ended in read:
        kept = _size(path / "out" / "checkpoint", count)
        rest = _size(path, count, without=path / "out" / "checkpoint")
        if kept.bytes != 0:
            goes_on = resumable(ended, everything)
            at = _changed(path / "out" / "checkpoint" / "latest") or ended.at
            yield Kept(KeptKind.CHECKPOINTS, ended.project, name, place, kept.bytes, at, goes_on, kept.note)
        yield Kept(KeptKind.RUN, ended.project, name, place, rest.bytes, ended.at, note=rest.note)


def _run(path: Path) -> tuple[Clean, Ended] | None:
    """None for a folder that no run has left."""
    record, result = read_json(path / "run.json"), read_json(path / "result.json")
    at = _changed(path / "result.json") or _changed(path)
    if record is None or at is None:
        return None
    project, job, build = record.get("project"), record.get("job"), record.get("build")
    status = result.get("status") if result is not None else None
    name = run_name(job if isinstance(job, str) else None, str(build) if isinstance(build, int) else None) or clean(path.name)
    ended = Ended(
        project=clean(project) if isinstance(project, str) and project else None,
        ok=status == "ok" if isinstance(status, str) else None,
        at=at,
        checkpoint=_is_file(path / "out" / "checkpoint" / "latest"),
    )
    return name, ended


def _workspaces(folder: Path, place: Clean, count: _Count) -> Iterator[Kept]:
    for path in _folders(folder):
        size = _size(path, count)
        yield Kept(KeptKind.WORKSPACE, None, clean(path.name), place, size.bytes, _changed(path), note=size.note)


def _opens(path: Path) -> bool:
    try:
        with os.scandir(path):
            return not path.is_symlink()
    except OSError:
        return False


def _folders(folder: Path) -> list[Path]:
    """Those in it; none where it is a link, or not there. Raises OSError where it cannot be read."""
    try:
        if folder.is_symlink():
            return []
        with os.scandir(folder) as entries:
            return sorted(Path(one.path) for one in entries if one.is_dir(follow_symlinks=False))
    except (FileNotFoundError, NotADirectoryError):
        return []


def _size(folder: Path, count: _Count, without: Path | None = None) -> _Size:
    """Bytes of its files, a file with several names counted once; of no folder 0. Links lead nowhere."""
    counting = _Counting(count, without)
    left, partly = [folder], False
    while left:
        at = left.pop()
        try:
            if stat.S_ISDIR(at.lstat().st_mode):
                with os.scandir(at) as entries:
                    left += counting.folders(entries)
        except (FileNotFoundError, NotADirectoryError):
            continue  # gone since, or never there
        except OSError:
            partly = True
        if counting.too_many:
            return _Size(None, TOO_MANY)
    return _Size(None, PARTLY) if partly else _Size(counting.total)


class _Counting:
    def __init__(self, count: _Count, without: Path | None) -> None:
        self._count = count
        self._without = without
        self._seen: set[tuple[int, int]] = set()
        self.total = 0
        self.too_many = False

    def folders(self, entries: Iterable[os.DirEntry[str]]) -> Iterator[Path]:
        """The folders in a folder, whose files are counted; not all of them where they are too many."""
        for one in entries:
            self._count.left -= 1
            if self._count.left < 0:
                self.too_many = True
                return
            try:
                told = one.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue  # a build that runs: the others are still there
            if stat.S_ISDIR(told.st_mode):
                if Path(one.path) != self._without:
                    yield Path(one.path)
            elif stat.S_ISREG(told.st_mode) and (told.st_dev, told.st_ino) not in self._seen:
                self.total += told.st_size
                if told.st_nlink > 1:
                    self._seen.add((told.st_dev, told.st_ino))


def _changed(path: Path) -> datetime | None:
    try:
        return datetime.fromtimestamp(path.lstat().st_mtime, UTC)
    except (OSError, ValueError, OverflowError):
        return None


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False
