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
"""Of a pull request whose merge is a release. GitHub's labels know no capitals."""

MOST_FILES = 3000
"""GitHub lists no more files of a pull request."""

_BETWEEN = re.compile(r"[\s,`]+")


class Problem(Exception):  # noqa: N818 - it is told to people as one sentence
    """Something that a person has to see to; the message is a sentence for them, without secrets and without foreign text."""


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


def of_event(
    name: str, event: Mapping[str, Any], root: Path, head: str, files: Callable[[str, int], Sequence[Changed]]
) -> Release | str:
    """The release, or why the event is none. `head` is the commit of the checkout at `root`; `files` lists those of a pull
    request. Raises Problem."""
    if name == "workflow_dispatch":
        return _by_hand(event, root, head)
    if name != "pull_request":
        raise Problem(f"The event {shown(name)} is no release: this is for pull_request and workflow_dispatch.")
    pull = _mapping(event, "pull_request")
    number = pull.get("number")
    if not isinstance(number, int):
        raise Problem("The event names no pull request.")
    if pull.get("merged") is not True:
        return f"Pull request #{number} was closed without being merged: nothing is released."
    labels = [str(one.get("name")).lower() for one in pull.get("labels") or [] if isinstance(one, Mapping)]
    if LABEL not in labels:
        return f"Pull request #{number} does not have the label {LABEL}: merging it releases nothing."
    return _merged(event, pull, number, root, files)


def _merged(
    event: Mapping[str, Any], pull: Mapping[str, Any], number: int, root: Path, files: Callable[[str, int], Sequence[Changed]]
) -> Release:
    repository, commit = _repository(event), str(pull.get("merge_commit_sha") or "")
    if not COMMIT.fullmatch(commit):
        raise Problem(f"The event names no merge commit of pull request #{number}.")
    changed = files(repository, number)
    projects, notes = changed_projects(changed, root)
    named, wrong = named_projects(str(pull.get("body") or ""), root)
    if len(changed) >= MOST_FILES:
        notes.append(f"GitHub lists {MOST_FILES} files of a pull request at most: name further projects in its text.")
    # A fork that has been deleted since then is null.
    head = _mapping(pull, "head").get("repo")
    fork = not isinstance(head, Mapping) or head.get("full_name") != repository
    ref = f"refs/heads/{_mapping(pull, 'base').get('ref')}"
    return Release(repository, ref, commit, number, _sorted([*projects, *named]), tuple(notes), tuple(wrong), fork)


def _by_hand(event: Mapping[str, Any], root: Path, head: str) -> Release:
    """Some projects, sent (again) by a person: at the commit that they name, or at the newest of the branch they chose."""
    inputs = event.get("inputs") or {}
    known, wrong = _sorted_out(str(inputs.get("projects") or ""), root)
    if not known and not wrong:
        raise Problem("No project is named: say which, with blanks between.")
    commit = str(inputs.get("commit") or "").strip().lower() or head
    if not COMMIT.fullmatch(commit):
        raise Problem(f"{shown(commit) or 'nothing'} is no full commit: 40 hexadecimal digits are needed.")
    return Release(_repository(event), str(event.get("ref") or ""), commit, None, _sorted(known), (), tuple(wrong))


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
    """Those that lines such as `train: project-a project-b` name, and names in them that are no project here.

    A line of a list is one too. Comments, which templates of pull requests are full of, and quotations are not.
    """
    names = []
    for line in _without_comments(text).splitlines():
        word, colon, rest = line.strip().removeprefix("- ").removeprefix("* ").partition(":")
        if colon and word.strip().lower() == "train":
            names.append(rest)
    return _sorted_out(" ".join(names), root)


def _without_comments(text: str) -> str:
    # By hand: an expression would look for the end of each of thousands of beginnings.
    kept, rest = "", text
    while "<!--" in rest:
        before, _, rest = rest.partition("<!--")
        kept += before
        rest = rest.partition("-->")[2]
    return kept + rest


def _sorted_out(text: str, root: Path) -> tuple[list[str], list[str]]:
    """Names with blanks or commas between: those that are projects, and the others."""
    names = dict.fromkeys(one for one in _BETWEEN.split(text) if one)
    known = [one for one in names if exists(root, one)]
    return known, [one for one in names if one not in known]


def exists(root: Path, name: str) -> bool:
    """Whether there is such a project in the checkout."""
    return NAME.fullmatch(name) is not None and (root / "projects" / name / "config.yaml").is_file()


def shown(text: str, limit: int = 80) -> str:
    """A name that somebody else wrote, in one plain line: letters, digits and what projects and branches have besides."""
    plain = "".join(one if one.isalnum() or one in "-._/ " else "?" for one in text[:limit])
    return plain + ("..." if len(text) > limit else "")


def read_event(path: Path) -> Mapping[str, Any]:
    """The event that GitHub has written down. Raises Problem."""
    try:
        event = json.loads(path.read_bytes())
    except OSError as error:
        raise Problem(f"The event cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError):
        event = None
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
