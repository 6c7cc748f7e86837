"""What comes out of a container as a tar, put on this machine's disk: whole or not at all, through no link, and nothing but
files, folders, and links that stay inside.

Whatever runs in the container chooses names, kinds and sizes. So each folder on the way is opened by itself and never through a
link; everything is first made in a folder beside the target that only its owner can read, and gets its name at the end.
"""

from __future__ import annotations

import contextlib
import os
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from console.model.words import decimal
from console.sources.newfile import SaveError, parts_of
from console.sources.staging import Stage
from console.text import Clean, clean

RESERVE = 64 << 20
"""Bytes that are left free on the disk, whatever comes."""

_PIECE = 1 << 20
_LOOK_EVERY = 64 << 20
_FEWEST_INODES = 1000
_MOST_TOLD = 1000
_LONGEST_HEADER = 1 << 20
_END = bytes(1024)

Progress = Callable[[int, int | None], None]


class NoArchiveError(Exception):
    """What came is no tar, or ended in the middle."""


@dataclass(slots=True)
class Unpacked:
    """What was made: how many files, their bytes, and what was left out, each with why (the first thousand)."""

    place: Path
    files: int = 0
    bytes: int = 0
    left_out: list[Clean] = field(default_factory=list)
    more_left_out: int = 0

    def leave(self, name: str, why: str) -> None:
        if len(self.left_out) < _MOST_TOLD:
            self.left_out.append(clean(f"{clean(name, limit=200)}: {why}"))
        else:
            self.more_left_out += 1


def unpack(stream: Readable, target: Path, *, overwrite: bool, progress: Progress = lambda _done, _size: None) -> Unpacked:
    """The file or folder in a tar as `target`, its new name. Blocks; `progress` gets the bytes so far, and those of one file.

    Raises SaveError with a sentence for all that is wrong with the disk or the names, NoArchiveError for what is no tar. Then,
    and with whatever the stream raises, nothing is left of it, and what was there before is as it was.
    """
    try:
        with contextlib.closing(Stage(target, overwrite=overwrite)) as stage:
            with _archive(stream) as members:
                made = _Unpacking(stage, members, progress).run()
            stage.name()
    except OSError as failed:
        raise SaveError(f"{target} is not saved: {failed.strerror or failed}.") from None
    return made


def single_file(stream: Readable, write: Callable[[bytes], object], progress: Progress = lambda _done, _size: None) -> int:
    """Pass on the content of the one file in a tar; how many bytes. Raises SaveError where it is something else, with nothing
    passed on; NoArchiveError, what the stream raises, and what `write` does."""
    with _archive(stream) as members:
        first = _next(members)
        if first is None or not first.isfile() or first.issparse():
            what = "a folder" if first is not None and first.isdir() else "no plain file"
            raise SaveError(f"It is {what}: only a file can be written to standard output.")
        done = 0
        for piece in _content(members, first):
            write(piece)
            done += len(piece)
            progress(done, first.size)
    return first.size


@contextlib.contextmanager
def _archive(stream: Readable) -> Iterator[tarfile.TarFile]:
    whole = _Whole(stream)
    try:
        with _headers():
            # From front to back, as it comes; it asks its file for nothing but `read`, and reads the first header at once.
            members = tarfile.open(fileobj=whole, mode="r|", bufsize=_PIECE, tarinfo=_Info)  # type: ignore[call-overload]  # noqa: SIM115
        yield members
        whole.check()
    except (tarfile.TarError, EOFError) as broken:
        raise NoArchiveError(str(broken)) from None


@contextlib.contextmanager
def _headers() -> Iterator[None]:
    """What tarfile raises for headers that make no sense, besides its own errors; thousands in a row are too deep for it."""
    try:
        yield
    except (ValueError, OverflowError, UnicodeError, RecursionError):
        raise NoArchiveError("a header in it makes no sense") from None


class Readable(Protocol):
    def read(self, count: int, /) -> bytes: ...


class _Whole:
    """Knows whether the archive came to its end, which is two blocks of zeros: one that is cut off between files looks good."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self._tail = b""

    def read(self, count: int) -> bytes:
        data = self._stream.read(count)
        self._tail = (self._tail + data)[-len(_END) :]
        return data

    def check(self) -> None:
        """Read it to its end. Raises tarfile.ReadError."""
        while self.read(_PIECE):
            pass
        if self._tail != _END:
            raise tarfile.ReadError("it ends too early")


class _Info(tarfile.TarInfo):
    """A header. What stands before one, long names and the like, is read at once: it must not be as long as it likes."""

    def _proc_pax(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        self._bounded()
        return super()._proc_pax(archive)  # type: ignore[misc,no-any-return]

    def _proc_gnulong(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        self._bounded()
        return super()._proc_gnulong(archive)  # type: ignore[misc,no-any-return]

    def _bounded(self) -> None:
        if self.size > _LONGEST_HEADER:
            raise tarfile.ReadError("a header of more than a MiB")


def _next(members: tarfile.TarFile) -> tarfile.TarInfo | None:
    with _headers():
        found = members.next()
    members.members = []  # type: ignore[attr-defined]  # it remembers all of them, and there may be millions
    return found


def _content(members: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[bytes]:
    """All of its bytes; what ends too early is an error, not a short file."""
    try:
        file = members.extractfile(member)
        left = member.size
        while left > 0:
            piece = file.read(min(left, _PIECE)) if file is not None else b""
            if not piece:
                raise NoArchiveError("it ends in the middle of a file")
            left -= len(piece)
            yield piece
    except tarfile.TarError as broken:
        raise NoArchiveError(str(broken)) from None


class _Unpacking:
    def __init__(self, stage: Stage, members: tarfile.TarFile, progress: Progress) -> None:
        self._stage = stage
        self._members = members
        self._progress = progress
        self._made = Unpacked(stage.target)
        self._base = ""
        self._unchecked = 0
        self._done = 0

    def run(self) -> Unpacked:
        first = _next(self._members)
        if first is None:
            raise NoArchiveError("it is empty")
        self._base = first.name
        if first.issym():
            raise SaveError(f"{self._shown(first)} is a link to {clean(first.linkname, limit=200)}: copy that.")
        if first.isfile():
            self._file(first, (), first.size)
            return self._made
        if not first.isdir():
            raise SaveError(f"{self._shown(first)} is no file and no folder.")
        self._stage.folder(())
        while (member := _next(self._members)) is not None:
            self._one(member)
        return self._made

    def _one(self, member: tarfile.TarInfo) -> None:
        below = member.name.removeprefix(f"{self._base}/")
        try:
            # One that is not below it is as good as one that leads elsewhere.
            parts = parts_of(below if below != member.name else "..")
        except SaveError:
            self._made.leave(member.name, "its name leads elsewhere, or cannot be shown")
            return
        try:
            self._kind(member, parts)
        except FileExistsError:
            self._made.leave(below, "its name comes twice")
        except NotADirectoryError:
            self._made.leave(below, "it would lie below what is no folder")

    def _kind(self, member: tarfile.TarInfo, parts: tuple[str, ...]) -> None:
        name = "/".join(parts)
        if member.isdir():
            self._stage.folder(parts)
        elif member.isfile():
            self._file(member, parts, None)
        elif member.issym():
            if not stays_inside(parts, member.linkname):
                self._made.leave(name, "a link that leads out of the folder")
            else:
                self._stage.link(parts, member.linkname)
        elif member.islnk():
            self._same(member, parts)
        else:
            self._made.leave(name, "no file, no folder and no link")

    def _same(self, member: tarfile.TarInfo, parts: tuple[str, ...]) -> None:
        """A second name of a file that came before."""
        below = member.linkname.removeprefix(f"{self._base}/")
        try:
            other = parts_of(below) if below != member.linkname else ()
            self._stage.same(parts, other)
        except (SaveError, FileNotFoundError, NotADirectoryError, IndexError):
            self._made.leave("/".join(parts), "another name of a file that is not here")
        else:
            self._made.files += 1

    def _file(self, member: tarfile.TarInfo, parts: tuple[str, ...], whole: int | None) -> None:
        if member.issparse():
            self._made.leave("/".join(parts) or member.name, "a file with holes, as tar stores it")
            return
        self._room(member.size, member)
        with self._stage.file(parts, executable=bool(member.mode & 0o100), at=member.mtime) as handle:
            for piece in _content(self._members, member):
                rest = memoryview(piece)
                while rest:
                    rest = rest[os.write(handle, rest) :]
                self._made.bytes += len(piece)
                self._progress(self._made.bytes, whole)
        self._made.files += 1

    def _room(self, size: int, member: tarfile.TarInfo) -> None:
        """Raise SaveError where the disk would be full. It is looked at for each large file, and now and then."""
        self._unchecked += size + 4096
        if self._done and self._unchecked < _LOOK_EVERY:
            return
        self._done, self._unchecked = self._done + 1, 0
        free, inodes = self._stage.free()
        if size + RESERVE > free:
            raise SaveError(
                f"{self._stage.target} is not saved: {self._shown(member)} takes {decimal(size)}, and {decimal(free)} are free."
            )
        if inodes is not None and inodes < _FEWEST_INODES:
            raise SaveError(
                f"{self._stage.target} is not saved: the disk has no room for more files ({inodes} inodes are free)."
            )

    @staticmethod
    def _shown(member: tarfile.TarInfo) -> str:
        return clean(member.name, limit=200) or "What has no name"


def stays_inside(parts: tuple[str, ...], leads: str) -> bool:
    """Whether a link at `parts` that says `leads` ends up below the folder that all of it is copied into.

    Where all links are so, none of them leads out, however they are put together: `..` comes only at the beginning, where what
    it goes up from are real folders.
    """
    names = [name for name in leads.split("/") if name not in ("", ".")]
    ups = 0
    while ups < len(names) and names[ups] == "..":
        ups += 1
    shown = clean(leads, limit=4096) == leads
    return bool(leads) and shown and not leads.startswith("/") and ".." not in names[ups:] and ups <= len(parts) - 1
