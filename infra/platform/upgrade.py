"""`make upgrade`: another commit of the platform, and back to the one before with its data when that does not get healthy."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from infra.jenkins.steps import docker
from infra.jenkins.steps.problem import Exit, Problem, say

from . import backup, compose, files, keeping, restore
from .keeping import KEPT, Shelf
from .place import Place

_BEFORE = "before-upgrade"
_IMAGES = ("mlops/jenkins", "mlops/agent", "mlops/portainer")


@dataclass
class Journey:
    """What has been begun, kept below .git until it has ended: a call after a power cut goes on from it.

    `backup` is empty while there were no data to keep. `containers` are their ids by service, of before.
    """

    old: str
    new: str
    backup: str = ""
    containers: dict[str, str] = field(default_factory=dict)
    going_back: bool = False

    @classmethod
    def path(cls, place: Place) -> Path:
        return place.root / ".git" / "mlops-upgrade"

    @classmethod
    def begun(cls, place: Place) -> Journey | None:
        """The one that was not ended. Raises Problem when its file cannot be understood."""
        path = cls.path(place)
        try:
            return cls(**json.loads(path.read_bytes()))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError) as error:
            raise Problem(f"{path} cannot be understood ({error}): restore by hand (make restore), then remove it.") from error

    def write(self, place: Place) -> None:
        content = json.dumps(asdict(self), indent=1).encode() + b"\n"
        files.put(self.path(place), content, mode=0o600, owner=(os.geteuid(), os.getegid()))


def step() -> int:
    """The program: `make upgrade`. TO is a tag, a branch or a commit, and LIMIT that of `make up`. Raises Problem, OSError."""
    keeping.need_root("make upgrade TO=tag")
    place = Place.here()
    to = os.environ.get("TO", "")
    if not to:
        raise Problem("Say what to upgrade to: make upgrade TO=v1.2.0, a tag, a branch of origin or a commit.", Exit.USAGE)
    if not (place.root / ".git").is_dir():
        raise Problem(f"{place.root} is no clone of the repository: there is nothing to upgrade from.", Exit.USAGE)
    docker.info()
    with files.alone(place.root / ".git"):
        return _upgrade(place, _find(place, to))


def _upgrade(place: Place, new: str) -> int:
    begun = Journey.begun(place)
    if begun is not None and _ended(place, begun) and begun.new == new:
        return Exit.OK
    old = keeping.commit(place)
    if old == new:
        say(f"{new[:12]} is what is here.")
        return _call(place, "up")
    _untouched(place)
    journey = Journey(old, new, containers=_identities())
    journey.backup = _saved(place)
    _tag_images(_BEFORE)
    journey.write(place)
    _check_out(place, new)
    return _arrive(place, journey)


def _ended(place: Place, begun: Journey) -> bool:
    """Bring one to its end that was killed; whether it has arrived where it went. Raises Problem when it has not got there."""
    if begun.going_back:
        say(f"The way back to {begun.old[:12]} was not ended: going on with it.")
        _go_back(place, begun)
        return False
    if keeping.commit(place) == begun.new:
        say(f"The upgrade to {begun.new[:12]} was not ended: going on with it.")
        _arrive(place, begun)
        return True
    # Nothing but files of the checkout can have been changed.
    _check_out(place, begun.old)
    _end(place)
    return False


def _arrive(place: Place, journey: Journey) -> int:
    """Start what is checked out, or go back. Raises Problem when it went back."""
    new, old = journey.new[:12], journey.old[:12]
    if _call(place, "secrets") == 0 and _call(place, "up") == 0:
        _end(place)
        say(f"This is {new} now, and before it was {old}" + (f"; its data: {journey.backup}" if journey.backup else "."))
        return Exit.OK
    say(f"{new} did not get healthy: going back to {old}.")
    _go_back(place, journey)
    raise Problem(f"{new} did not get healthy, for the reason above. The platform is {old} again, with its data.")


def _go_back(place: Place, begun: Journey) -> None:
    """Code, images and data of before. Raises Problem when those do not get healthy either; the journey then stays begun."""
    begun.going_back = True
    begun.write(place)
    _check_out(place, begun.old)
    if begun.backup and _identities() != begun.containers:
        # What newer programs have written, older ones may not be able to read: Portainer refuses to.
        restore.put_back(place, Path(begun.backup), Shelf.here().key)
    _tag_images("latest", source=_BEFORE)
    # With the images of before: to build them anew a registry may be needed.
    if _call(place, "up", BUILD="no") != 0:
        raise Problem(
            f"Not even {begun.old[:12]} gets healthy, which was here before: the reason is above. "
            f"Its data are in {begun.backup or 'their volumes'}. When the cause is mended: make up"
        )
    _end(place)


def _end(place: Place) -> None:
    Journey.path(place).unlink()
    for image in _IMAGES:
        if docker.inspect("image", f"{image}:{_BEFORE}"):
            docker.call("image", "rm", f"{image}:{_BEFORE}")


def _find(place: Place, to: str) -> str:
    """The commit that a word means; fetched when it is not here, a branch always. Raises Problem."""
    if to.startswith("-"):
        raise Problem(f"{to!r} is no tag, branch or commit.", Exit.USAGE)
    found = keeping.git(place, "rev-parse", "--verify", "--quiet", f"{to}^{{commit}}", fails=True)
    if found and (to == found or keeping.git(place, "tag", "--list", to)):
        return found
    say("Fetching ...")
    keeping.git(place, "fetch", "--quiet", "--tags", "origin")
    for name in (f"refs/remotes/origin/{to}", to):
        found = keeping.git(place, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", fails=True)
        if found:
            return found
    raise Problem(f"Neither here nor at origin is a tag, branch or commit {to}.", Exit.USAGE)


def _untouched(place: Place) -> None:
    """Raise Problem when somebody has changed files of the checkout: an upgrade would overwrite them."""
    changed = keeping.git(place, "status", "--porcelain", "--untracked-files=no").splitlines()
    if changed:
        names = ", ".join(line[2:].strip() for line in changed[:5]) + (", ..." if len(changed) > 5 else "")
        raise Problem(
            f"Changed here and nowhere else: {names}. Commit them, or put them back with git checkout. Nothing was done."
        )


def _saved(place: Place) -> str:
    """Where the data of before are; empty when there are none yet."""
    if all(data.path() is None for data in KEPT):
        return ""
    return str(backup.make(place, Shelf.here()))


def _check_out(place: Place, commit: str) -> None:
    # What a git left that was killed. Nobody else works here: `alone`.
    (place.root / ".git" / "index.lock").unlink(missing_ok=True)
    keeping.git(place, "checkout", "--quiet", "--force", "--detach", commit)


def _tag_images(tag: str, source: str = "latest") -> None:
    for image in _IMAGES:
        if docker.inspect("image", f"{image}:{source}"):
            docker.call("tag", f"{image}:{source}", f"{image}:{tag}")


def _identities() -> dict[str, str]:
    return {compose.service(one): str(one["Id"]) for one in compose.containers()}


def _call(place: Place, program: str, **more: str) -> int:
    """One of the programs of the checkout as it is now: this one was read when it was another."""
    environment: dict[str, Any] = {**os.environ, **more}
    return subprocess.run([place.infra / "bin" / program], env=environment, stdin=subprocess.DEVNULL, check=False).returncode
