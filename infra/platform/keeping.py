"""What of a platform cannot be made anew, where it is, and where its backups go."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from infra.jenkins.steps import docker
from infra.jenkins.steps.problem import Exit, Problem

from . import compose, files, settings
from .place import Place

CONF = Path("/etc/mlops/backup.conf")

_DEFAULTS = {"BACKUP_DIR": "/var/backups/mlops", "BACKUP_KEEP": "14", "BACKUP_KEY": "/etc/mlops/backup.key"}
_NAMES = "mlops-????????T??????Z.tar.gz.gpg"


@dataclass(frozen=True)
class Data:
    """A volume that is kept: which service writes it, and which folders at its top are made anew by themselves."""

    volume: str
    service: str
    left_out: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What Docker calls it."""
        return f"{compose.PROJECT}_{self.volume}"

    def path(self) -> Path | None:
        """Where it is on this host; None when there is no such volume. Raises Problem."""
        found = docker.inspect("volume", self.name)
        return Path(str(found["Mountpoint"])) if found else None


# The agent's volumes hold workspaces, models and checkpoints: large, published or made anew by a training.
KEPT = (
    Data("jenkins-home", "jenkins", ("workspace", "war", "caches", ".cache", "tmp")),
    Data("portainer-data", "portainer"),
)


@dataclass(frozen=True)
class Shelf:
    """Where backups are, how many stay, and the file of their key."""

    folder: Path
    keep: int
    key: Path

    @classmethod
    def here(cls) -> Shelf:
        """As the environment says, else /etc/mlops/backup.conf, else the defaults. Raises Problem."""
        said = dict(_DEFAULTS)
        with suppress(FileNotFoundError):
            said |= settings.parse(files.read(CONF).decode(errors="replace"), str(CONF))
        said |= {name: os.environ[name] for name in _DEFAULTS if os.environ.get(name)}
        keep = said["BACKUP_KEEP"]
        if not keep.isdecimal() or int(keep) == 0:
            raise Problem(f"BACKUP_KEEP is {keep!r}; expected how many backups stay, such as 14.", Exit.USAGE)
        return cls(Path(said["BACKUP_DIR"]), int(keep), Path(said["BACKUP_KEY"]))

    def backups(self) -> list[Path]:
        """All whole ones, the newest last."""
        return sorted(self.folder.glob(_NAMES))


def need_root(words: str) -> None:
    """Raise Problem for everybody but root."""
    if os.geteuid() != 0:
        raise Problem(f"This reads and writes what belongs to several users, so it needs root: sudo {words}", Exit.USAGE)


def confirm(does: str) -> None:
    """Have the server's name typed. CONFIRM in the environment is the same for programs. Raises Problem."""
    name = os.uname().nodename
    given = os.environ.get("CONFIRM", "")
    if not given:
        # A pipe may answer too; an empty answer is a no.
        print(f"{does} To go on, type the name of this server ({name}): ", end="", flush=True)
        try:
            given = input().strip()
        except EOFError:
            given = ""
    if given != name:
        raise Problem(f"{given!r} is not {name!r}: nothing was changed.", Exit.USAGE)


def commit(place: Place) -> str:
    """The commit of the checkout, 40 hex; empty when it is no clone."""
    return git(place, "rev-parse", "--verify", "--quiet", "HEAD^{commit}", fails=True)


def git(place: Place, *words: str, fails: bool = False) -> str:
    """What git prints, stripped. Raises Problem with git's own words, or with `fails` returns nothing instead."""
    try:
        done = subprocess.run(
            # What is checked out is read by services that are not root.
            ["git", "-C", str(place.root), *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            umask=0o022,
            env={**os.environ, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"},
        )
    except FileNotFoundError as error:
        raise Problem("git is not on PATH: install it.", Exit.UNREACHABLE) from error
    if done.returncode != 0:
        if fails:
            return ""
        said = done.stderr.strip().splitlines()
        raise Problem(f"git {words[0]} failed: {said[-1] if said else f'exit status {done.returncode}'}")
    return done.stdout.strip()


@contextmanager
def still(containers: Mapping[str, str], service: str) -> Iterator[None]:
    """Let a service stand still while its data are read, so that they are of one moment. `containers`: ids by service.

    It answers late for that time and notices nothing.
    """
    container = containers.get(service)
    if container is None:
        yield
        return
    try:
        docker.call("pause", container)
        yield
    finally:
        go_on(container)


def go_on(container: str) -> None:
    """Let a container go on that stands still; one that does not is fine. Raises Problem."""
    try:
        docker.call("unpause", container)
    except docker.DockerError as error:
        if "is not paused" not in error.said:
            raise
