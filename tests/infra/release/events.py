"""Events as GitHub writes them down, as far as a release looks at them, and checkouts with projects in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from infra.release.release import Changed, Release, of_event

REPOSITORY = "example/my-mlops-monorepo"
COMMIT = "7fa01469cc8ec92aa950f1c9b4d66c7bcd0d3b9a"
HEAD = "3634c5ca967996987d251627f92ff491fc397314"
KEY = "0123456789abcdef" * 4
# What a person may call things: nothing of it may become a command to the runner, markup or a second line.
HOSTILE = "x`|<img src=//evil.example>\n::set-output name=a::b\n##[error]c %0A::error::d **e** \x1b[31m"


def merged(
    *,
    merged: bool = True,
    labels: Sequence[str] = ("release",),
    body: str | None = None,
    commit: str | None = COMMIT,
    head: str | None = REPOSITORY,
    title: str = "Release",
) -> dict[str, Any]:
    """A pull request that was closed. `head` is the repository that it came from; None: a fork that is gone."""
    pull = {
        "number": 7,
        "title": title,
        "body": body,
        "merged": merged,
        "merge_commit_sha": commit,
        "labels": [{"name": name} for name in labels],
        "head": {"ref": HOSTILE, "repo": None if head is None else {"full_name": head}},
        "base": {"ref": "main", "repo": {"full_name": REPOSITORY}},
    }
    return {"action": "closed", "number": 7, "pull_request": pull, "repository": {"full_name": REPOSITORY}}


def by_hand(projects: str, commit: str = "") -> dict[str, Any]:
    inputs = {"projects": projects, "commit": commit}
    return {"inputs": inputs, "ref": "refs/heads/main", "repository": {"full_name": REPOSITORY}}


def with_projects(root: Path, *names: str) -> Path:
    """A checkout in which these are projects, and others are not."""
    for name in names:
        (root / "projects" / name).mkdir(parents=True)
        (root / "projects" / name / "config.yaml").touch()
    for name in ("_template", "no-config"):
        (root / "projects" / name).mkdir(parents=True)
    (root / "projects" / "README.md").touch()
    return root


def listing(*paths: str) -> Callable[[str, int], Sequence[Changed]]:
    """GitHub's list. `OLD -> NEW` is a file that was renamed."""
    found = []
    for path in paths:
        before, arrow, after = path.partition(" -> ")
        found.append(Changed(after, before) if arrow else Changed(path))
    return lambda _repository, _number: found


def released(root: Path, event: Mapping[str, Any], *paths: str) -> Release:
    """The release that a pull request with these files is."""
    found = of_event("pull_request", event, root, HEAD, listing(*paths))
    assert isinstance(found, Release)
    return found
