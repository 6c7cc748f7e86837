"""build: the image of a project at a commit, from git's own archive of it."""

from __future__ import annotations

import hashlib
import io
import os
import re
import tarfile
import threading
from collections.abc import Callable
from pathlib import Path

from . import docker
from .docker import Unreachable
from .problem import Exit, Problem, say
from .record import Record, current, root
from .source import Source

# The classic builder paints what a step says on stderr red.
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
PUBLISHER = Path(__file__).parents[2] / "publish"


def step() -> int:
    """The program: builds what run.json names, and the publisher if it will be needed."""
    folder = current()
    record = folder.record()
    try:
        record.image = project(record)
    except Problem as problem:
        # What the run is described with: nothing else of it will ever be known.
        record.could_not_start = str(problem)
        folder.keep(record)
        raise
    record.could_not_start = ""
    folder.keep(record)
    say(f"[build] {record.image}")
    return Exit.OK


def project(record: Record, show: Callable[[str], None] = say) -> str:
    """Build the image and return its name. Each line that docker says goes to `show`. Raises Problem."""
    image = f"mlops/{record.project}:{record.commit[:12]}"
    source = Source(root(), record.project, record.commit)
    labels = {**record.labels, "mlops.gpu": "none"}
    arguments = {**base_image(), **record.build_args}
    build(source.archive(), image, labels, arguments, f"the image of {record.project}", show)
    found = docker.inspect("image", image) or {}
    user = str((found.get("Config") or {}).get("User") or "")
    if user.split(":", maxsplit=1)[0] in {"", "0", "root"}:
        raise Problem(f"{image} runs as root: its Dockerfile has to end with USER 1000:1000.")
    if record.publish is not None:
        publisher(show)
    return image


def publisher(show: Callable[[str], None] = say) -> str:
    """The image that uploads, built when it is not there yet or its files have changed."""
    return folder_image(PUBLISHER, "mlops/publisher", "the publisher's image", show=show)


def folder_image(
    folder: Path, name: str, what: str, labels: dict[str, str] | None = None, show: Callable[[str], None] = say
) -> str:
    """An image of a folder with a Dockerfile, tagged by a hash of what is in the folder."""
    content = _tar(folder)
    arguments = base_image()
    image = f"{name}:{hashlib.sha256(content + repr(arguments).encode()).hexdigest()[:12]}"
    if docker.inspect("image", image) is None:
        build(content, image, {"mlops.managed": "true", **(labels or {})}, arguments, what, show)
    return image


def base_image() -> dict[str, str]:
    """MLOPS_BASE_IMAGE as a build argument: a mirror's copy of python, for example."""
    named = os.environ.get("MLOPS_BASE_IMAGE")
    return {"BASE_IMAGE": named} if named else {}


def build(
    context: bytes,
    image: str,
    labels: dict[str, str],
    arguments: dict[str, str],
    what: str,
    show: Callable[[str], None],
) -> None:
    """docker build of a tar. Raises Problem with the builder's last words."""
    network = os.environ.get("MLOPS_BUILD_NETWORK")
    process = docker.start(
        "build",
        # The classic builder keeps the container of a step that failed; BuildKit makes none and takes the word.
        "--force-rm",
        "--tag",
        image,
        *docker.options("--label", (f"{name}={value}" for name, value in labels.items())),
        *docker.options("--build-arg", (f"{name}={value}" for name, value in arguments.items())),
        *((f"--network={network}",) if network else ()),
        "-",
        stdin=-1,
        stderr=-2,
    )
    assert process.stdin is not None  # noqa: S101  # a pipe was asked for
    assert process.stdout is not None  # noqa: S101
    writer = threading.Thread(target=_give, args=(process.stdin, context), daemon=True)
    writer.start()
    said: list[str] = []
    try:
        for line in io.TextIOWrapper(process.stdout, encoding="utf-8", errors="replace"):
            text = _COLOURS.sub("", line).rstrip()
            if text:
                said = [*said[-40:], text]
                show(f"[build] {text}")
        status = process.wait()
    except BaseException:
        process.terminate()
        process.wait()
        raise
    if status != 0:
        refused = docker.refusal("build", status, "\n".join(said))
        if isinstance(refused, Unreachable):
            raise refused
        raise Problem(f"{what[0].upper()}{what[1:]} could not be built: {_why(said)}")


def _give(stream: io.BufferedIOBase | object, content: bytes) -> None:
    try:
        stream.write(content)  # type: ignore[union-attr]
        stream.close()  # type: ignore[union-attr]
    except OSError:
        return  # the builder has ended before it read all, and says why


def _why(said: list[str]) -> str:
    """The line that names the cause: a tool's own error is worth more than the builder's."""
    errors = [line for line in said if line.lstrip().lower().startswith("error")]
    return (errors or said or ["docker build said nothing"])[0 if errors else -1]


def _tar(folder: Path) -> bytes:
    """Files of a folder, in one order and without times, so that equal files make equal bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                entry = tarfile.TarInfo(path.relative_to(folder).as_posix())
                entry.size = path.stat().st_size
                entry.mode = 0o755 if os.access(path, os.X_OK) else 0o644
                with path.open("rb") as file:
                    archive.addfile(entry, file)
    return buffer.getvalue()
