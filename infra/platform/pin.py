"""`make pin`: the digest of every image that is pinned by a tag, written beside that tag; and plugins compared.

A tag can be moved to another image, a digest cannot. docker-compose.yml holds both: `image: name:tag${NAME_DIGEST:-}` or the
build arguments `X_IMAGE: name:tag` and `X_DIGEST: ${NAME_DIGEST:-}`; a pin is the default of that variable.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.jenkins.steps import docker
from infra.jenkins.steps.problem import Exit, Problem, say

from . import files, plugins
from .place import Place

# The variable of the image that the plugins are for.
CONTROLLER = "JENKINS_DIGEST"

_IMAGE = re.compile(r"""\bimage:\s*["']?([^\s"'$]+)\$\{(\w+):-([^}]*)\}""")
_ARGUMENT = re.compile(r"""\b(\w+)_IMAGE:\s*["']?([^\s"',}$]+)""")
_DIGEST_OF_ARGUMENT = re.compile(r"""\b(\w+)_DIGEST:\s*["']?\$\{(\w+):-([^}]*)\}""")
_SERVICE = re.compile(r"^  (?=[^\s#][^\n]*:\s*$)", re.MULTILINE)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_IN_DOCKERFILE = re.compile(
    r"^\s*(?:ARG\s+\w*IMAGE=|FROM\s+(?:--\S+\s+)*|(?:COPY|ADD)\s+(?:--\S+\s+)*--from=)([^\s$]+:[^\s$]+)",
    re.MULTILINE | re.IGNORECASE,
)


@dataclass(frozen=True)
class Pin:
    """A variable, the reference that its default belongs to, and that default: `@sha256:...` or empty."""

    variable: str
    reference: str
    digest: str


def step() -> int:
    """The program: `make pin`. WRITE comes from the environment. Raises Problem, OSError."""
    write = os.environ.get("WRITE", "")
    if write not in {"", "plugins"}:
        raise Problem(f"WRITE is {write!r}; the one thing to write besides the digests is WRITE=plugins.", Exit.USAGE)
    place = Place.here()
    docker.info()
    text = place.compose.read_text(encoding="utf-8")
    pins = find(text)
    loose = loose_references(place.infra, {pin.reference for pin in pins})
    found = resolve(sorted({pin.reference for pin in pins} | set(loose)))
    for pin in pins:
        new = f"@{found[pin.reference]}"
        was = (
            "was not pinned"
            if not pin.digest
            else "is the same"
            if pin.digest == new
            else f"was {pin.digest.removeprefix('@')}"
        )
        print(f"{pin.variable}  {pin.reference}  {new.removeprefix('@')}  {was}")
    for reference, where in loose.items():
        print(
            f"{place.name(where)} names {reference}, and infra/docker-compose.yml has no digest variable for it. "
            f"By hand: {reference}@{found[reference]}"
        )
    pinned = write_pins(text, {pin.variable: f"@{found[pin.reference]}" for pin in pins})
    if pinned != text:
        about = place.compose.stat()
        files.put(place.compose, pinned.encode(), mode=stat.S_IMODE(about.st_mode), owner=(about.st_uid, about.st_gid))
        print("infra/docker-compose.yml is written. Look at the change (git diff), commit it, then: make up")
    else:
        print("infra/docker-compose.yml had these digests already: nothing was changed.")
    controller = next((pin for pin in pins if pin.variable == CONTROLLER), None)
    if controller is None:
        say(f"No image has the variable {CONTROLLER}: the plugins were not compared.")
        return Exit.BAD
    return plugins.compare(place, f"{controller.reference}@{found[controller.reference]}", write=write == "plugins")


def find(text: str) -> list[Pin]:
    """The pins of a compose file, in its order, each variable once. Raises Problem: there is none, or one has two meanings."""
    found: dict[str, Pin] = {}
    lines = [line if not line.lstrip().startswith("#") else "" for line in text.splitlines()]
    for service in _SERVICE.split("\n".join(lines)):
        named = dict(_ARGUMENT.findall(service))
        of_arguments = [
            Pin(variable, named[name], digest)
            for name, variable, digest in _DIGEST_OF_ARGUMENT.findall(service)
            if name in named
        ]
        for pin in (*(Pin(variable, image, digest) for image, variable, digest in _IMAGE.findall(service)), *of_arguments):
            other = found.setdefault(pin.variable, pin)
            if other.reference != pin.reference:
                raise Problem(
                    f"{pin.variable} stands beside {other.reference} and beside {pin.reference} in infra/docker-compose.yml: "
                    "one variable is for one image. Nothing was written.",
                    Exit.USAGE,
                )
    if not found:
        raise Problem("infra/docker-compose.yml has no image with a digest variable: there is nothing to pin.", Exit.USAGE)
    return list(found.values())


def loose_references(infra: Path, known: set[str]) -> dict[str, Path]:
    """References in Dockerfiles that no variable of the compose file is for, and where they stand."""
    found: dict[str, Path] = {}
    for path in sorted(infra.rglob("*Dockerfile*")):
        if path.suffix == ".dockerignore" or not path.is_file():
            continue
        for reference in _IN_DOCKERFILE.findall(path.read_text(encoding="utf-8")):
            if reference not in known and "@" not in reference:
                found.setdefault(reference, path)
    return found


def resolve(references: list[str]) -> dict[str, str]:
    """The digest that each tag stands for now. Raises Problem that names every one that failed."""
    found, failed = {}, []
    for reference in references:
        say(f"Pulling {reference} ...")
        try:
            # What it says and not RepoDigests: of a tag that was moved between twins an image has two of them.
            digest = _DIGEST.search(docker.call("pull", reference, limit=None))
        except docker.DockerError as error:
            failed.append(f"{reference}: {error.said}")
            continue
        if digest is None:
            failed.append(f"{reference}: docker pull told no digest")
        else:
            found[reference] = digest[0]
    if failed:
        raise Problem("\n".join(["These could not be resolved, so nothing was written:", *failed]))
    return found


def write_pins(text: str, digests: Mapping[str, str]) -> str:
    """The compose file's text with these defaults."""
    for variable, digest in digests.items():
        text = re.sub(rf"\$\{{{variable}:-[^}}]*\}}", f"${{{variable}:-{digest}}}", text)
    return text
