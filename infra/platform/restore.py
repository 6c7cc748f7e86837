"""`make restore`: a backup takes the place of what is here, all of it or nothing."""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.jenkins.steps import docker
from infra.jenkins.steps.problem import Exit, Problem, say

from . import archive, backup, compose, files, keeping, settings
from .keeping import KEPT, Shelf
from .place import Place

_NEW, _OLD = ".restored.new", ".restored.old"
_MOST = 1 << 20


def step() -> int:
    """The program: `make restore`. FILE names the backup, nothing or `newest` the newest. Raises Problem, OSError."""
    keeping.need_root("make restore")
    place, shelf = Place.here(), Shelf.here()
    path = _chosen(shelf, os.environ.get("FILE", ""))
    keeping.confirm(
        f"{path.name} takes the place of Jenkins' home, Portainer's data, the secrets and infra/.env of this server; "
        "what is in them now is lost. Images, trainings and their run folders stay."
    )
    put_back(place, path, shelf.key)
    say(f"All that was in {path.name} is back. Starting the platform ...")
    return subprocess.run([place.infra / "bin" / "up"], stdin=subprocess.DEVNULL, check=False).returncode


def put_back(place: Place, path: Path, key: Path) -> None:
    """End the services and put a backup in the place of their data; they are not started. Raises Problem, OSError.

    Nothing is touched before all of the backup has been read and found good. Ended in the middle it is simply done again.
    """
    if not archive.there():
        raise Problem(archive.MISSING)
    docker.info()
    with _room(place) as room:
        archive.read(path, key, room.take)
        room.complete(path)
        if compose.containers():
            settings.alone(_settings(place, room))
            if compose.show(place, "--progress", "quiet", "down", "--remove-orphans") != 0:
                raise Problem("docker compose down failed: its own words are above. Nothing was changed.")
        for new, target in room.swaps():
            _swap(new, target)
        text = room.env.decode()
        group = settings.socket_group()
        if group is not None:
            # The one setting that belongs to a machine and not to its platform.
            text = settings.filled(text, "DOCKER_GID", str(group))
        files.put(place.env, text.encode(), mode=0o644, owner=(os.geteuid(), os.getegid()))
    told = room.about
    here = keeping.commit(place)
    say(f"The backup is of {told['taken_at']}, made on {told['host']}.")
    if told["commit"] and told["commit"] != here:
        say(f"It was made by commit {told['commit'][:12]}, and this is {here[:12] or 'no clone'}.")


@dataclass
class _Room:
    """Where a backup is unpacked: beside each place that it is for, on the same disk."""

    place: Place
    volumes: dict[str, Path]
    about: dict[str, Any] = field(default_factory=dict)
    env: bytes = b""
    secrets: bool = False
    got: set[str] = field(default_factory=set)
    times: list[tuple[Path, float]] = field(default_factory=list)

    def take(self, source: tarfile.TarFile) -> None:
        """Unpack everything. Raises Problem for something that no backup of ours has in it."""
        source.extraction_filter = _as_it_is
        for entry in source:
            top, _, rest = entry.name.partition("/")
            if entry.name in {"about.json", "env"} and entry.isfile() and entry.size <= _MOST:
                content = source.extractfile(entry)
                assert content is not None  # noqa: S101 - it is a file
                if entry.name == "env":
                    self.env = content.read()
                else:
                    self.about = json.loads(content.read())
            elif top == "secrets":
                self.secrets = True
                self._unpack(source, entry, rest, _beside(self.place.secrets, _NEW))
            elif top == "volumes":
                volume, _, inner = rest.partition("/")
                if volume not in self.volumes:
                    raise Problem(f"The backup has a volume {volume!r}, which this version does not know.")
                self.got.add(volume)
                self._unpack(source, entry, inner, _beside(self.volumes[volume], _NEW))
            else:
                raise Problem(f"The backup has {entry.name!r} in it, which this version does not know.")

    def complete(self, path: Path) -> None:
        """Raise Problem unless all that belongs together was there; then give folders and links their times."""
        if self.about.get("version") != backup.VERSION:
            raise Problem(f"{path.name} is of version {self.about.get('version')!r}, and this program knows {backup.VERSION}.")
        if not self.env or not self.secrets or self.got != set(self.volumes):
            raise Problem(f"{path.name} does not hold all that a backup holds.")

        # What is put into a folder changes its time.
        for one, moment in self.times:
            os.utime(one, (moment, moment), follow_symlinks=False)

    def _unpack(self, source: tarfile.TarFile, entry: tarfile.TarInfo, name: str, folder: Path) -> None:
        _unpack(source, entry, name, folder)
        if entry.isdir() or entry.issym():
            self.times.append((folder / name, entry.mtime))

    def swaps(self) -> Iterator[tuple[Path, Path]]:
        """What was unpacked, and what it takes the place of."""
        yield _beside(self.place.secrets, _NEW), self.place.secrets
        for path in self.volumes.values():
            yield _beside(path, _NEW), path


@contextmanager
def _room(place: Place) -> Iterator[_Room]:
    """Volumes that are not there are made. What is left of this or an earlier one is gone afterwards."""
    room = _Room(place, {data.volume: _volume(data) for data in KEPT})
    targets = [place.secrets, *room.volumes.values()]
    try:
        for target in targets:
            _settle(target)
        yield room
    finally:
        for target in targets:
            _settle(target)


def _settle(target: Path) -> None:
    """Bring to its end what a restore that was killed has begun: the old one back when the new one is not in its place."""
    old = _beside(target, _OLD)
    if old.exists() and not target.exists():
        old.rename(target)
    for left in (old, _beside(target, _NEW)):
        if left.exists():
            shutil.rmtree(left)


def _swap(new: Path, target: Path) -> None:
    if target.exists():
        target.rename(_beside(target, _OLD))
    new.rename(target)


def _beside(target: Path, end: str) -> Path:
    return target.with_name(f"{target.name.lstrip('.')}{end}" if target.name.startswith(".") else f".{target.name}{end}")


def _unpack(source: tarfile.TarFile, entry: tarfile.TarInfo, name: str, folder: Path) -> None:
    """One member below a folder, with its owner's number and its mode. Raises Problem for one that leads out of it."""
    if ".." in Path(name).parts or name.startswith("/"):
        raise Problem(f"The backup has {entry.name!r} in it, which leads out of its place.")
    if not name:
        if not entry.isdir():
            raise Problem(f"The backup has {entry.name!r} in it, which should be a folder.")
        folder.mkdir(mode=0o700)
        os.chown(folder, entry.uid, entry.gid)
        folder.chmod(entry.mode)
        return
    # Python 3.11.2, which Debian 12 has, knows neither TarInfo.replace nor filters.
    moved = copy.copy(entry)
    moved.name = name
    if entry.islnk():
        # Its target is named from the top of the archive.
        above = len(Path(entry.name).parts) - len(Path(name).parts)
        moved.linkname = "/".join(Path(entry.linkname).parts[above:])
    source.extract(moved, folder, numeric_owner=True)


def _as_it_is(member: tarfile.TarInfo, path: str) -> tarfile.TarInfo:
    """The filter of an archive that was written by us and that gpg has proved unchanged: owners, modes and links are meant."""
    return member


def _volume(data: keeping.Data) -> Path:
    path = data.path()
    if path is None:
        labels = {"com.docker.compose.project": compose.PROJECT, "com.docker.compose.volume": data.volume}
        docker.call("volume", "create", *(word for pair in labels.items() for word in ("--label", "=".join(pair))), data.name)
        path = data.path()
    assert path is not None  # noqa: S101 - it was just made
    return path


def _settings(place: Place, room: _Room) -> dict[str, str]:
    """Those that compose needs to end the services: the ones here, else those of the backup."""
    if files.facts(place.env) is None:
        files.put(place.env, room.env, mode=0o644, owner=(os.geteuid(), os.getegid()))
    return settings.read(place)


def _chosen(shelf: Shelf, said: str) -> Path:
    if said not in {"", "newest"}:
        path = Path(said)
        if not path.is_file():
            raise Problem(f"There is no backup {said}.", Exit.USAGE)
        return path
    there = shelf.backups()
    if not there:
        raise Problem(f"There is no backup in {shelf.folder}: name one with FILE=path.", Exit.USAGE)
    return there[-1]
