"""infra/jenkins/plugins.txt held against what jenkins-plugin-cli of the controller's image would install."""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass

from infra.jenkins.steps import docker
from infra.jenkins.steps.problem import Exit, Problem, say

from . import files
from .place import Place

# The line before what the image would have in the end. What it says on the way is on stderr, or before this.
_RESULT = "Resulting plugin list:"
_PLUGIN = re.compile(r"([a-z0-9][a-z0-9_.-]*)[ :](\S+)", re.IGNORECASE)


@dataclass(frozen=True)
class Difference:
    """`listed` is the version in plugins.txt, None when it is not in there; `needed` the one that would be installed."""

    plugin: str
    listed: str | None
    needed: str | None

    def __str__(self) -> str:
        if self.listed is None:
            return f"{self.plugin} {self.needed} is needed, and infra/jenkins/plugins.txt does not have it."
        if self.needed is None:
            return f"{self.plugin} {self.listed} is in infra/jenkins/plugins.txt, and nothing would install it."
        return f"{self.plugin}: infra/jenkins/plugins.txt has {self.listed}, and {self.needed} is needed."


def compare(place: Place, image: str, *, write: bool) -> int:
    """Say what differs; with `write`, put it into plugins.txt. Exit status 1: something differs still, or is not known."""
    try:
        text = place.plugins.read_text(encoding="utf-8")
    except FileNotFoundError:
        say("infra/jenkins/plugins.txt is missing: the plugins were not compared.")
        return Exit.BAD
    try:
        needed = ask(place, image)
    except docker.DockerError as error:
        say(f"The plugins were not compared, jenkins-plugin-cli failed: {error.said or error}")
        return Exit.BAD
    found = differences(listed(text), needed)
    for difference in found:
        print(difference)
    if not found:
        print("infra/jenkins/plugins.txt has every plugin in the version that is needed.")
        return Exit.OK
    if not write:
        print("infra/jenkins/plugins.txt is as it was. To put this into it: make pin WRITE=plugins")
        return Exit.BAD
    about = place.plugins.stat()
    owner = about.st_uid, about.st_gid
    files.put(place.plugins, written(text, found).encode(), mode=stat.S_IMODE(about.st_mode), owner=owner)
    print("infra/jenkins/plugins.txt is written. Look at the change (git diff) before you commit it.")
    return Exit.OK


def ask(place: Place, image: str) -> dict[str, str]:
    """What would be installed: plugins and versions. It asks the update centre. Raises Problem, DockerError."""
    said = docker.call(
        *("run", "--rm", "--entrypoint=jenkins-plugin-cli", f"--volume={place.plugins}:/plugins.txt:ro", image),
        # Not the newest of what plugins depend on: what the list says, and only where that does not do, more.
        *("--plugin-file=/plugins.txt", "--latest=false", "--no-download", "--list"),
        limit=None,
    )
    _, marked, result = said.rpartition(_RESULT)
    if not marked:
        raise Problem(f"jenkins-plugin-cli of {image} printed no {_RESULT!r}: the plugins were not compared.")
    found = {}
    for line in result.strip().splitlines():
        match = _PLUGIN.fullmatch(line.strip())
        if match is None:
            break
        found[match[1]] = match[2]
    return found


def listed(text: str) -> dict[str, str]:
    """Plugins and versions of a plugins.txt."""
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return {match[1]: match[2] for line in lines if (match := _PLUGIN.fullmatch(line))}


def differences(have: dict[str, str], needed: dict[str, str]) -> list[Difference]:
    """In the order of the plugins' names."""
    names = sorted(have.keys() | needed.keys())
    return [Difference(name, have.get(name), needed.get(name)) for name in names if have.get(name) != needed.get(name)]


def written(text: str, found: list[Difference]) -> str:
    """The text with these versions: remarks and order stay, what is new stands at the end, what nothing installs stays."""
    for difference in found:
        if difference.needed is None:
            continue
        line = f"{difference.plugin}:{difference.needed}"
        if difference.listed is None:
            text = f"{text.rstrip()}\n{line}\n"
        else:
            old = re.escape(f"{difference.plugin}:{difference.listed}")
            # Neither names nor versions have a backslash in them.
            text = re.sub(rf"^{old}(?=\s|$)", line, text, count=1, flags=re.MULTILINE)
    return text
