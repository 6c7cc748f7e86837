"""Files for a container that has none of our folders: streamed in as tars, read out as tars.

Steps often run in a container themselves. A path of theirs means nothing to the Engine: a bind mount of it would silently be
a new, empty folder on the host.
"""

from __future__ import annotations

import io
import shutil
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from . import docker
from .problem import Problem

# Trainings run as this user and group whatever their image says: what they write can then be read by the next one.
USER = 1000


@contextmanager
def volumes(
    image: str, labels: Mapping[str, str], mounts: Mapping[str, str], files: Mapping[str, bytes | Path]
) -> Iterator[str]:
    """New volumes that belong to the user, with files in them: a container for `--volumes-from`, removed at the end.

    `mounts` is place -> name of the volume, empty for one that goes with its last container. `files` is place -> content.
    A volume belongs to root when it is new, and docker cp never touches the folder that it copies into, only what is below.
    So they are filled through a container that is never started, from one level above. Raises DockerError, Unreachable.
    """
    helper = docker.call(
        "create",
        "--network=none",
        *docker.options("--label", (f"{name}={value}" for name, value in {**labels, "mlops.purpose": "prepare"}.items())),
        *docker.options("--mount", (_mount(place, name) for place, name in mounts.items())),
        image,
        "true",
    ).strip()
    try:
        give(helper, "/", {**dict.fromkeys(mounts), **files})
        yield helper
    except BaseException:
        docker.remove(helper)
        raise
    # The volumes are the other container's now, and go with it.
    docker.remove(helper, volumes=False)


def give(container: str, place: str, files: Mapping[str, bytes | Path | None], *, mode: int = 0o400) -> None:
    """Put files and folders into a container, created or running, below `place`; None is a folder for the user.

    Raises DockerError, Unreachable.
    """
    process = docker.start("cp", "-", f"{container}:{place}", stdin=-1, stdout=-3)
    assert process.stdin is not None  # noqa: S101  # a pipe was asked for
    assert process.stderr is not None  # noqa: S101
    try:
        with tarfile.open(fileobj=process.stdin, mode="w|") as archive:
            for name, content in files.items():
                _add(archive, name.lstrip("/"), content, mode)
        process.stdin.close()
    except BrokenPipeError:
        # docker has refused, and says why.
        with suppress(BrokenPipeError):
            process.stdin.close()
    said = process.stderr.read().decode(errors="replace")
    status = process.wait()
    if status != 0:
        raise docker.refusal("cp", status, said)


def take(container: str, place: str, into: Path) -> list[str]:
    """Copy a folder out of a container, into a new folder; names of what was left out.

    The container's programs wrote it, and others will read it: links, devices and paths that lead elsewhere stay out.
    Raises DockerError, Unreachable, Problem when the disk is full.
    """
    process = docker.start("cp", f"{container}:{place}/.", "-")
    assert process.stdout is not None  # noqa: S101  # pipes were asked for
    assert process.stderr is not None  # noqa: S101
    left_out = []
    try:
        with tarfile.open(fileobj=process.stdout, mode="r|") as archive:
            for member in archive:
                path = PurePosixPath(member.name)
                if path.is_absolute() or ".." in path.parts:
                    left_out.append(member.name)
                elif member.isdir():
                    (into / path).mkdir(parents=True, exist_ok=True)
                elif member.isfile():
                    _write(archive, member, into / path)
                else:
                    left_out.append(member.name)
    except tarfile.TarError as error:
        said = process.stderr.read().decode(errors="replace")
        status = process.wait()
        raise docker.refusal("cp", status, said) if status else Problem(f"docker cp gave no tar: {error}") from error
    except OSError as error:
        process.kill()
        process.wait()
        raise Problem(f"{into} cannot be written: {error.strerror or error}.") from error
    said = process.stderr.read().decode(errors="replace")
    status = process.wait()
    if status != 0:
        raise docker.refusal("cp", status, said)
    return left_out


def _write(archive: tarfile.TarFile, member: tarfile.TarInfo, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    source = archive.extractfile(member)
    with place.open("xb") as file:
        if source is not None:
            shutil.copyfileobj(source, file, 1 << 20)


def _mount(place: str, name: str) -> str:
    return f"type=volume,dst={place}" + (f",src={name},volume-label=mlops.managed=true" if name else "")


def _add(archive: tarfile.TarFile, name: str, content: bytes | Path | None, mode: int) -> None:
    if content is None:
        archive.addfile(_entry(name, tarfile.DIRTYPE, 0o755))
        return
    if isinstance(content, bytes):
        entry = _entry(name, tarfile.REGTYPE, mode)
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
        return
    for path, below in _tree(content):
        where = f"{name}/{below}" if below else name
        if path.is_dir():
            archive.addfile(_entry(where, tarfile.DIRTYPE, 0o755))
            continue
        entry = _entry(where, tarfile.REGTYPE, 0o644)
        with path.open("rb") as file:
            entry.size = path.stat().st_size
            archive.addfile(entry, file)


def _tree(top: Path) -> Iterator[tuple[Path, str]]:
    """A file, or a folder with all that is in it, links left out; the path below `top` for each."""
    yield top, ""
    if top.is_dir():
        for path in sorted(top.rglob("*")):
            if not path.is_symlink():
                yield path, path.relative_to(top).as_posix()


def _entry(name: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.uid, entry.gid = kind, mode, USER, USER
    return entry
