"""A project at a commit, as git has it: nothing that is trained comes from a working tree."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .problem import Exit, Problem

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
COMMIT = re.compile(r"[0-9a-f]{40}")

REQUIRED = ("Dockerfile", "config.yaml", "requirements.txt", "run.sh", "src")


def git(*arguments: str, folder: Path | None = None) -> bytes:
    """What git prints. Raises Problem."""
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False
        )
    except FileNotFoundError as error:
        raise Problem("git is not on PATH.", Exit.UNREACHABLE) from error
    except subprocess.TimeoutExpired as error:
        raise Problem(f"git {arguments[0]} did not end within two minutes.") from error
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise Problem(f"git {arguments[0]} failed: {said[-1] if said else f'exit status {done.returncode}'}")
    return done.stdout


@dataclass(frozen=True)
class Source:
    """`projects/NAME` of the repository at `root`, at `commit` (40 digits)."""

    root: Path
    project: str
    commit: str

    @property
    def tree(self) -> str:
        return f"{self.commit}:projects/{self.project}"

    def text(self, file: str) -> str | None:
        """A file's text; None when there is none."""
        try:
            return git("show", f"{self.tree}/{file}", folder=self.root).decode()
        except UnicodeDecodeError as error:
            raise Problem(f"projects/{self.project}/{file} is no UTF-8 text.") from error
        except Problem:
            return None

    def modes(self) -> dict[str, str]:
        """Name -> mode ("100755", "040000") of what is in the project's folder itself."""
        entries = git("ls-tree", "-z", self.tree, folder=self.root).decode(errors="replace").split("\0")
        return {entry.partition("\t")[2]: entry.partition(" ")[0] for entry in entries if entry}

    def archive(self) -> bytes:
        """The folder as a tar, for a build."""
        return git("archive", "--format=tar", self.tree, folder=self.root)


def find(root: Path, project: str, commit: str, *, exact: bool = True, branch: str = "") -> Source:
    """The project at the commit. With `exact` the commit has to be 40 hexadecimal digits, otherwise any name git knows.
    With `branch` it has to be in that, which is looked at before anything of the commit is told.

    Raises Problem with the sentence for whoever asked for it.
    """
    if not NAME.fullmatch(project):
        raise Problem(f"PROJECT {project!r} is no project's name: small letters, digits and dashes, 63 at most.")
    if exact and not COMMIT.fullmatch(commit):
        raise Problem(f"COMMIT {commit!r} is no full commit: 40 hexadecimal digits are needed.")
    if commit.startswith("-"):
        raise Problem(f"COMMIT {commit!r} is no commit.")
    _must_be_clone(root)
    try:
        full = git("rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}", folder=root).decode().strip()
    except Problem as problem:
        raise Problem(f"Commit {commit} is not in this repository; was it pushed, and fetched here?") from problem
    must_be_in(root, full, branch)
    if not _succeeds("cat-file", "-e", f"{full}:projects/{project}", root=root):
        there = projects(root, full)
        known = f"there are {', '.join(there)}" if there else "there are none"
        raise Problem(f"There is no project {project} at commit {full[:12]}; {known}.")
    return Source(root, project, full)


def projects(root: Path, commit: str) -> list[str]:
    """Names of all projects at a commit."""
    try:
        listing = git("ls-tree", "-z", "-d", "--name-only", f"{commit}:projects", folder=root).decode(errors="replace")
    except Problem:
        return []
    return sorted(name for name in listing.split("\0") if NAME.fullmatch(name))


def must_be_in(root: Path, commit: str, branch: str) -> None:
    """Raise Problem unless `branch` holds the commit; no branch ("") holds them all."""
    if branch and not _succeeds("merge-base", "--is-ancestor", commit, branch, root=root):
        raise Problem(f"Commit {commit[:12]} is not in {branch}: only what was merged is trained.")


def head(root: Path, branch: str) -> str:
    """The newest commit of a branch, 40 digits. Raises Problem when the clone does not know the branch."""
    _must_be_clone(root)
    try:
        return git("rev-parse", "--verify", "--quiet", f"{branch}^{{commit}}", folder=root).decode().strip()
    except Problem as problem:
        raise Problem(f"RELEASE_BRANCH: there is no {branch} in {root}; was it fetched?", Exit.USAGE) from problem


def uncommitted(root: Path, project: str) -> list[str]:
    """Files of the project that differ from the last commit, or that git does not know."""
    status = git("status", "--porcelain", "--", f"projects/{project}", folder=root).decode(errors="replace")
    return [line[3:] for line in status.splitlines()]


def _must_be_clone(root: Path) -> None:
    if not _succeeds("rev-parse", "--git-dir", root=root):
        raise Problem(f"{root} is no clone of the repository.", Exit.USAGE)


def _succeeds(*arguments: str, root: Path) -> bool:
    try:
        git(*arguments, folder=root)
    except Problem as problem:
        if problem.status is Exit.UNREACHABLE:
            raise  # there is no git: that is no answer
        return False
    return True
