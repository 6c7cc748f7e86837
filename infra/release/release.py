"""What a release is: which projects at which commit, as the event that started the workflow and the checkout tell."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
COMMIT = re.compile(r"[0-9a-f]{40}")
_REPOSITORY = re.compile(r"[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}")

LABEL = "release"
"""Of a pull request whose merge is a release."""

NAMED = re.compile(r"^[ \t>*-]*train[ \t]*:[ \t]*(?P<names>.+?)[ \t]*$", re.IGNORECASE | re.MULTILINE)
"""A line of a pull request's text that names projects to train whether they have changed or not."""

_BETWEEN = re.compile(r"[\s,`]+")
MOST_FILES = 3000
"""GitHub lists no more files of a pull request."""


class Problem(Exception):  # noqa: N818 - it is told to people as one sentence
    """Something that a person has to see to; the message is a sentence for them."""


@dataclass(frozen=True)
class Changed:
    """A file of the pull request. `before` is where it was, for one that was renamed."""

    path: str
    before: str | None = None


@dataclass(frozen=True)
class Release:
    """`projects` are to be trained at `commit` (40 digits) of `ref`; `notes` say what else a person wants to know.

    `wrong` are names that somebody wrote and that are no project here: they end the run as failed, after all others were sent.
    """

    repository: str
    ref: str
    commit: str
    pull_request: int | None
    projects: tuple[str, ...]
    notes: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    fork: bool = False


def of_event(name: str, event: Mapping[str, Any], root: Path, files: Callable[[str, int], Sequence[Changed]]) -> Release | str:
    """The release, or why the event is none. `files` lists those of a pull request. Raises Problem."""
    if name == "workflow_dispatch":
        return _by_hand(event, root)
    if name != "pull_request":
        raise Problem(f"The event {name} is no release: this is for pull_request and workflow_dispatch.")
    pull = _mapping(event, "pull_request")
    number = pull.get("number")
    if pull.get("merged") is not True:
        return f"Pull request #{number} was closed without being merged: nothing is released."
    labels = [one.get("name") for one in pull.get("labels") or [] if isinstance(one, Mapping)]
    if LABEL not in labels:
        return f"Pull request #{number} does not have the label {LABEL}: merging it releases nothing."
    return _merged(event, pull, root, files)


def _merged(
    event: Mapping[str, Any], pull: Mapping[str, Any], root: Path, files: Callable[[str, int], Sequence[Changed]]
) -> Release:
    repository, number, commit = _repository(event), pull.get("number"), str(pull.get("merge_commit_sha") or "")
    if not isinstance(number, int) or not COMMIT.fullmatch(commit):
        raise Problem("The event names no pull request with a merge commit.")
    changed = files(repository, number)
    projects, notes = changed_projects(changed, root)
    named, wrong = named_projects(str(pull.get("body") or ""), root)
    if len(changed) >= MOST_FILES:
        notes.append(f"GitHub lists {MOST_FILES} files of a pull request at most: name further projects in its text.")
    head = _mapping(pull, "head").get("repo")
    fork = not isinstance(head, Mapping) or head.get("full_name") != repository
    ref = f"refs/heads/{_mapping(pull, 'base').get('ref')}"
    return Release(repository, ref, commit, number, _sorted([*projects, *named]), tuple(notes), tuple(wrong), fork)


def _by_hand(event: Mapping[str, Any], root: Path) -> Release:
    """Some projects, sent (again) by a person: at the commit that is checked out."""
    inputs = event.get("inputs") or {}
    names = [one for one in _BETWEEN.split(str(inputs.get("projects") or "")) if one]
    if not names:
        raise Problem("No project is named: say which, with spaces between.")
    known = [one for one in names if exists(root, one)]
    commit = str(inputs.get("commit") or head_of(root)).lower()
    if not COMMIT.fullmatch(commit):
        raise Problem(f"{shown(commit)} is no full commit: 40 hexadecimal digits are needed.")
    wrong = tuple(one for one in dict.fromkeys(names) if one not in known)
    return Release(_repository(event), str(event.get("ref") or ""), commit, None, _sorted(known), (), wrong)


def changed_projects(changed: Iterable[Changed], root: Path) -> tuple[list[str], list[str]]:
    """Projects that the pull request changed and that are there now; and what is to be said of those that are not."""
    touched = {name: None for one in changed for name in (_project(one.path), _project(one.before)) if name is not None}
    there = [name for name in touched if exists(root, name)]
    gone = [f"{name} is not there any more: nothing is trained of it." for name in sorted(touched) if name not in there]
    return there, gone


def _project(path: str | None) -> str | None:
    """The project that a file belongs to; None for one of none, such as the template's."""
    parts = (path or "").split("/")
    return parts[1] if len(parts) > 2 and parts[0] == "projects" and NAME.fullmatch(parts[1]) else None


def named_projects(text: str, root: Path) -> tuple[list[str], list[str]]:
    """Those that lines such as `train: project-a project-b` name, and names in them that are no project here."""
    lines = (found["names"] for found in NAMED.finditer(text.replace("\r\n", "\n")))
    names = [one for line in lines for one in _BETWEEN.split(line) if one]
    known = [one for one in names if exists(root, one)]
    return known, [one for one in dict.fromkeys(names) if one not in known]


def exists(root: Path, name: str) -> bool:
    return NAME.fullmatch(name) is not None and (root / "projects" / name / "config.yaml").is_file()


def head_of(root: Path) -> str:
    """The commit that is checked out: `git rev-parse HEAD` by its files, which a checkout of one commit always has."""
    try:
        head = (root / ".git" / "HEAD").read_text().strip()
        if head.startswith("ref: "):
            head = (root / ".git" / head.removeprefix("ref: ")).read_text().strip()
    except OSError as error:
        raise Problem(f"The checkout does not tell its commit ({error.strerror}): name the commit.") from error
    return head


def shown(text: str, limit: int = 80) -> str:
    """A name that somebody else wrote, in one plain line without what could be taken for markup."""
    plain = "".join(one if one.isprintable() and one not in "`|<>[]*_\\" else "?" for one in text)
    return plain[:limit] + ("..." if len(plain) > limit else "")


def read_event(path: Path) -> Mapping[str, Any]:
    try:
        event = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise Problem(f"The event cannot be read: {error}") from error
    if not isinstance(event, Mapping):
        raise Problem("The event is no JSON object.")
    return event


def _repository(event: Mapping[str, Any]) -> str:
    name = str(_mapping(event, "repository").get("full_name") or "")
    if not _REPOSITORY.fullmatch(name):
        raise Problem("The event names no repository.")
    return name


def _mapping(one: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = one.get(name)
    if not isinstance(found, Mapping):
        raise Problem(f"The event has no {name}.")
    return found


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))
