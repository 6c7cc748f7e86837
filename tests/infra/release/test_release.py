"""Which projects at which commit: what a pull request changed, what its text names, what a person types."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from infra.release.release import MOST_FILES, Problem, changed_projects, named_projects, of_event, read_event, shown
from tests.infra.release.events import COMMIT, HEAD, HOSTILE, REPOSITORY, by_hand, listing, merged, released, with_projects
from tests.repository.clone import ROOT


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return with_projects(tmp_path, "project-a", "project-b", "project-c")


def test_a_merged_release_is_its_changed_projects_at_the_merge_commit(root: Path) -> None:
    found = released(root, merged(), "README.md", "projects/project-b/config.yaml", "projects/project-a/src/deep/x.py")
    assert (found.projects, found.commit, found.ref) == (("project-a", "project-b"), COMMIT, "refs/heads/main")
    assert (found.repository, found.pull_request, found.fork) == (REPOSITORY, 7, False)
    assert (found.notes, found.wrong) == ((), ())


@pytest.mark.parametrize(
    "path",
    ["projects/README.md", "projects/_template/run.sh", "projects/no-config/x", "docs/projects/project-a/x", "project-a/x",
     "projects/Project-A/x", "projects/-a/x", "projects//x", "projects/../projects/project-a/x", "", "projects/project-a"],
)  # fmt: skip
def test_what_belongs_to_no_project_releases_none(root: Path, path: str) -> None:
    assert released(root, merged(), path).projects == ()


def test_a_file_that_moved_changes_both_projects(root: Path) -> None:
    found = released(root, merged(), "projects/project-a/src/x.py -> projects/project-b/src/x.py")
    assert found.projects == ("project-a", "project-b")


def test_a_project_that_was_renamed_is_trained_under_its_new_name(root: Path) -> None:
    found = released(root, merged(), "projects/old-name/config.yaml -> projects/project-c/config.yaml")
    assert found.projects == ("project-c",)
    assert found.notes == ("old-name is not there any more: nothing is trained of it.",)


def test_a_project_that_was_deleted_is_named_and_not_sent(root: Path) -> None:
    found = released(root, merged(), "projects/gone/config.yaml", "projects/gone/run.sh")
    assert found.projects == ()
    assert found.notes == ("gone is not there any more: nothing is trained of it.",)


def test_more_files_than_github_lists_are_said(root: Path) -> None:
    files = [f"projects/project-a/data/{number}" for number in range(MOST_FILES)]
    assert any("name further projects" in note for note in released(root, merged(), *files).notes)
    assert released(root, merged(), *files[1:]).notes == ()


@pytest.mark.parametrize("labels", [("release",), ("Release",), ("bug", "release")])
def test_the_label_makes_the_release(root: Path, labels: tuple[str, ...]) -> None:
    assert released(root, merged(labels=labels), "projects/project-a/x").projects == ("project-a",)


@pytest.mark.parametrize("labels", [(), ("released",), ("no release",), (HOSTILE,), ("release\n",)])
def test_without_the_label_nothing_is_released(root: Path, labels: tuple[str, ...]) -> None:
    said = of_event("pull_request", merged(labels=labels), root, HEAD, listing("projects/project-a/x"))
    assert said == "Pull request #7 does not have the label release: merging it releases nothing."


@pytest.mark.parametrize("state", [False, None, "true", 1])
def test_closed_without_a_merge_releases_nothing(root: Path, state: Any) -> None:
    said = of_event("pull_request", merged(merged=state), root, HEAD, listing("projects/project-a/x"))
    assert said == "Pull request #7 was closed without being merged: nothing is released."


@pytest.mark.parametrize(("head", "fork"), [(REPOSITORY, False), ("somebody/my-mlops-monorepo", True), (None, True)])
def test_a_fork_is_known(root: Path, head: str | None, fork: bool) -> None:
    assert released(root, merged(head=head), "projects/project-a/x").fork is fork


@pytest.mark.parametrize("commit", [None, "", COMMIT[:12], COMMIT.upper(), "main", COMMIT + "\n"])
def test_a_merge_without_a_whole_commit_is_refused(root: Path, commit: str | None) -> None:
    with pytest.raises(Problem, match="names no merge commit of pull request #7"):
        released(root, merged(commit=commit), "projects/project-a/x")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("train: project-a", ["project-a"]),
        ("Train : project-b, project-a", ["project-b", "project-a"]),
        ("words\r\ntrain: project-a\r\nmore", ["project-a"]),
        ("- train: `project-a` `project-b`", ["project-a", "project-b"]),
        ("* TRAIN: project-a project-a", ["project-a"]),
        ("train: project-a\ntrain: project-c", ["project-a", "project-c"]),
        ("please train: project-a", []),
        ("retrain: project-a", []),
        ("> train: project-a", []),
        ("train project-a", []),
        ("train:", []),
        ("<!-- train: project-a -->", []),
        ("<!--\nFor further projects:\ntrain: project-a\n-->\ntrain: project-b", ["project-b"]),
        ("<!-- never closed\ntrain: project-a", []),
        ("", []),
    ],
)
def test_lines_of_the_text_name_projects(root: Path, text: str, names: list[str]) -> None:
    assert named_projects(text, root) == (names, [])


def test_named_and_changed_projects_are_sent_once(root: Path) -> None:
    found = released(root, merged(body="train: project-c project-a"), "projects/project-a/x")
    assert found.projects == ("project-a", "project-c")


def test_a_name_that_is_no_project_is_wrong_and_does_not_stop_the_others(root: Path) -> None:
    found = released(root, merged(body="train: project-c projct-a no-config ../etc _template"), "projects/project-a/x")
    assert found.projects == ("project-a", "project-c")
    assert found.wrong == ("projct-a", "no-config", "../etc", "_template")


LONG = (
    "train: a" + " " * 60_000 + "x",
    "<!--" * 16_000,
    "train:" * 10_000,
    "> " * 30_000,
    "train: " + "`" * 60_000,
    ":" * 60_000,
)


def test_no_text_keeps_it_busy(root: Path) -> None:
    """GitHub takes 65,536 characters. An expression that looks again from every blank needs half a minute for the first."""
    asks = "from infra.release.release import *; import sys; [named_projects(text, Path()) for text in sys.argv[1:]]"
    limited = ["bash", "-c", 'ulimit -t 10 && exec "$@"', "bash", sys.executable, "-c", asks]
    subprocess.run([*limited, *LONG], cwd=ROOT, check=True, timeout=120)


def test_by_hand_at_the_newest_of_the_branch(root: Path) -> None:
    found = of_event("workflow_dispatch", by_hand(" project-b,project-a\nproject-b "), root, HEAD, listing())
    assert not isinstance(found, str)
    assert (found.projects, found.commit, found.pull_request) == (("project-a", "project-b"), HEAD, None)
    assert (found.ref, found.fork, found.wrong) == ("refs/heads/main", False, ())


@pytest.mark.parametrize("typed", [COMMIT, COMMIT.upper(), f" {COMMIT} "])
def test_by_hand_at_a_commit(root: Path, typed: str) -> None:
    found = of_event("workflow_dispatch", by_hand("project-a", typed), root, HEAD, listing())
    assert not isinstance(found, str)
    assert found.commit == COMMIT


@pytest.mark.parametrize("typed", ["main", COMMIT[:12], "HEAD~1", "$(id)", COMMIT + "0"])
def test_by_hand_no_other_commit_will_do(root: Path, typed: str) -> None:
    with pytest.raises(Problem, match="is no full commit"):
        of_event("workflow_dispatch", by_hand("project-a", typed), root, HEAD, listing())


def test_by_hand_somebody_has_to_name_a_project(root: Path) -> None:
    with pytest.raises(Problem, match="No project is named"):
        of_event("workflow_dispatch", by_hand(" , "), root, HEAD, listing())


@pytest.mark.parametrize("name", ["push", "pull_request_target", "", HOSTILE])
def test_other_events_are_refused(root: Path, name: str) -> None:
    with pytest.raises(Problem, match="is no release") as caught:
        of_event(name, merged(), root, HEAD, listing())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("event", [{}, {"pull_request": None}, {"pull_request": []}, {"pull_request": {"number": HOSTILE}}])
def test_an_event_without_a_pull_request_is_refused(root: Path, event: dict[str, Any]) -> None:
    with pytest.raises(Problem) as caught:
        of_event("pull_request", event, root, HEAD, listing())
    assert "evil" not in str(caught.value)


@pytest.mark.parametrize("name", ["", "a", "a/b/c", "a/b\nc", "a/..\\b"])
def test_a_repository_with_another_name_is_refused(root: Path, name: str) -> None:
    with pytest.raises(Problem, match="names no repository"):
        released(root, {**merged(), "repository": {"full_name": name}})


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b'"x"', b"{", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_event_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "event.json").write_bytes(content)
    with pytest.raises(Problem, match=r"^The event is no JSON object\.$"):
        read_event(tmp_path / "event.json")
    with pytest.raises(Problem, match=r"^The event cannot be read: No such file or directory\.$"):
        read_event(tmp_path / "not there")


def test_what_others_wrote_is_shown_as_one_harmless_line() -> None:
    plain = shown(HOSTILE, 500)
    assert not set(plain) & set("`|<>:#%*[]&\\\n\r\x1b")
    assert shown("a" * 81) == "a" * 80 + "..."
    assert shown("プロジェクト-a_1.x/y") == "プロジェクト-a_1.x/y"


def test_changed_projects_are_told_in_any_order(root: Path) -> None:
    there, gone = changed_projects(listing("projects/z/x", "projects/a/x", "projects/project-a/y")("", 0), root)
    assert there == ["project-a"]
    assert [note.split()[0] for note in gone] == ["a", "z"]
