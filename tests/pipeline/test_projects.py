"""`make new-project`, `make check-projects`, and the projects of this repository."""

from __future__ import annotations

import pytest

from infra.jenkins.steps.dataset import pin
from infra.jenkins.steps.problem import Problem
from tests.pipeline.workplace import ROOT, Workplace

PINNED = "ann/data", "1" * 40


def test_the_projects_of_this_repository_keep_the_contract(work: Workplace) -> None:
    said = work.good("check-projects", MLOPS_REPOSITORY=str(ROOT)).stderr.splitlines()
    there = sorted(path.name for path in (ROOT / "projects").iterdir() if path.is_dir() and path.name[0] not in "_.")
    assert said == [f"{name}: good" for name in there]
    assert {"project-a", "project-b"} <= set(there)


def test_every_breach_is_named_with_its_project(work: Workplace) -> None:
    work.project("good-one")
    work.project("no-script", run_dot_sh="")
    (work.repository / "projects" / "Wrong_Name").mkdir()
    done = work.step("check-projects")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "Wrong_Name: projects/Wrong_Name: a project's name has small letters, digits and dashes, 63 at most.",
        "good-one: good",
        "no-script: projects/no-script has no run.sh: a project holds Dockerfile, config.yaml, requirements.txt, run.sh, src.",
    ]


@pytest.mark.parametrize("name", ["Upper", "a/b", "../x", "-x"])
def test_a_name_that_no_project_can_have(work: Workplace, name: str) -> None:
    done = work.step("new-project", NAME=name)
    assert done.returncode == 2
    assert "a project's name has small letters" in done.stderr


def test_a_project_is_never_overwritten(work: Workplace) -> None:
    work.copy("_template")
    work.project("mine")
    done = work.step("new-project", NAME="mine")
    assert done.returncode == 2
    assert "projects/mine is there already" in done.stderr


def test_a_data_set_is_pinned_and_nothing_else_changes() -> None:
    text = (ROOT / "projects" / "project-b" / "config.yaml").read_text(encoding="utf-8")
    changed = pin(text, *PINNED)
    before, after = text.splitlines(), changed.splitlines()
    assert [line for line in after if line not in before] == ["  repo: ann/data", f"  revision: {'1' * 40}"]
    assert len(before) == len(after)
    assert pin(changed, *PINNED) == changed


@pytest.mark.parametrize("text", ["train:\n  repo: a\n", "data:\n  repo: a\n", "data: {repo: a, revision: b}\n", ""])
def test_a_config_that_cannot_be_pinned(text: str) -> None:
    with pytest.raises(Problem, match="has no section data with a line each"):
        pin(text, *PINNED)


def test_a_comment_beside_a_pin_stays() -> None:
    text = "data:\n  # ours\n  repo: null  # the name\n  revision: null\ntrain:\n  revision: 3\n"
    assert (
        pin(text, *PINNED) == f"data:\n  # ours\n  repo: ann/data  # the name\n  revision: {'1' * 40}\ntrain:\n  revision: 3\n"
    )
