"""Files that builds keep, fetched and saved: each one whole or not at all."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from console.model.build import Artifact, BuildRef
from console.sources._blocking import Pool
from console.sources.newfile import NewFile, SaveError
from console.sources.protocols import Jenkins

WRITTEN_AT_ONCE = 1024 * 1024
"""Bytes that are collected before the disk is asked: what comes are pieces of some ten kilobytes."""

DISK_SECONDS = 60.0

Progress = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class Saved:
    """Where a file was saved, and how many bytes it has."""

    file: Path
    size: int


async def save_artifact(
    source: Jenkins, ref: BuildRef, artifact: Artifact, folder: Path, *, progress: Progress = lambda _done, _size: None
) -> Saved:
    """Fetch one file of a build and save it under its path below `folder`, which is made if need be.

    `progress` is called with the bytes so far and the bytes of the whole file (None: not told). Raises SaveError where it
    cannot be saved, JenkinsError where it cannot be fetched; then, and when it is cancelled, nothing is left of it.
    """
    if not artifact.exact:
        # Asked for by the path as it is shown, Jenkins would give another file, or none.
        reason = f"{artifact.path} is not saved: its path has characters that cannot be shown, so it cannot be asked for here."
        raise SaveError(reason)
    disk = Pool("download", 1)
    opened: list[NewFile] = []
    try:
        await _on(disk, artifact, lambda: opened.append(NewFile(folder, artifact.path)))
        file = opened[0]
        waiting, done, size = bytearray(), 0, None
        parts = source.artifact(ref, artifact.path)
        try:
            async for part in parts:
                waiting += part.data
                done, size = done + len(part.data), part.size
                if len(waiting) >= WRITTEN_AT_ONCE:
                    data = bytes(waiting)
                    waiting.clear()
                    await _on(disk, artifact, lambda data=data: file.write(data))  # type: ignore[misc]
                progress(done, size)
        finally:
            await parts.aclose()
        if size is not None and done != size:
            raise SaveError(f"{file.file} is not saved: Jenkins announced {size} bytes of it and sent {done}.")
        await _on(disk, artifact, lambda: file.write(bytes(waiting)))
        await _on(disk, artifact, file.finish)
        return Saved(file.file, done)
    finally:
        # In the thread that writes, so that nothing is closed under it.
        try:
            await _on(disk, artifact, lambda: _discard(opened))
        finally:
            disk.close()


def _discard(opened: list[NewFile]) -> None:
    for file in opened:
        file.discard()


async def _on(disk: Pool, artifact: Artifact, call: Callable[[], object]) -> None:
    try:
        await disk.run(call, DISK_SECONDS)
    except TimeoutError:
        raise SaveError(f"{artifact.path} is not saved: the disk does not answer.") from None


def chosen(artifacts: Iterable[Artifact], patterns: Sequence[str]) -> list[Artifact]:
    """Those whose path fits one of the patterns, in their order.

    A pattern without a slash is about the name, in whatever folder; `*` and `?` stand for anything but a slash, `**` for any
    folders. As in a shell, what begins with a dot is meant only by a pattern that says so: `*` into one's home folder must not
    bring a `.profile` from elsewhere.
    """
    fits = [_pattern(one) for one in patterns]
    return [one for one in artifacts if any(fit.fullmatch(one.path) for fit in fits) or str(one.path) in patterns]


def _pattern(text: str) -> re.Pattern[str]:
    parts = text.removeprefix("./").split("/")
    if len(parts) == 1:
        parts = ["**", *parts]
    told = ""
    for part in parts[:-1]:
        told += r"(?:(?!\.)[^/]*/)*" if part == "**" else f"{_part(part)}/"
    last = parts[-1]
    told += r"(?:(?!\.)[^/]*/)*(?!\.)[^/]+" if last == "**" else _part(last)
    return re.compile(told, re.DOTALL)


def _part(text: str) -> str:
    told = "".join("[^/]*" if sign == "*" else "[^/]" if sign == "?" else re.escape(sign) for sign in text)
    return told if text.startswith(".") else rf"(?!\.){told}"
