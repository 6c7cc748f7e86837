"""What holds for every workflow, and what release-trigger and ci promise."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from infra.release.release import LABEL
from infra.release.request import LIMIT, TIMEOUT
from infra.release.sending import PATIENCE
from tests.infra import controller
from tests.infra.release import workflows
from tests.infra.release.workflows import FOLDER, Runner, steps, workflow
from tests.repository.clone import ROOT

NAMES = sorted(path.stem for path in FOLDER.glob("*.yml"))

# The commit of each tag, as the projects have it.
PINNED = {
    "actions/checkout": ("v7.0.1", "3d3c42e5aac5ba805825da76410c181273ba90b1"),
    "actions/setup-python": ("v7.0.0", "5fda3b95a4ea91299a34e894583c3862153e4b97"),
    "astral-sh/setup-uv": ("v10.0.1", "20cfd1bf945f4377ade1205e4dbc17946fc9a30d"),
}


def test_these_are_the_workflows() -> None:
    assert NAMES == ["ci", "release-trigger"]
    assert [path.name for path in FOLDER.iterdir() if path.suffix != ".yml"] == []


@pytest.mark.parametrize("name", NAMES)
def test_actions_are_pinned_by_commit_with_the_tag_beside_it(name: str) -> None:
    lines = re.findall(r"uses: *(.*)", (FOLDER / f"{name}.yml").read_text(encoding="utf-8"))
    assert lines
    for line in lines:
        found = re.fullmatch(r"(\S+)@([0-9a-f]{40})  # (v\S+)", line)
        assert found, line
        assert PINNED[found[1]] == (found[3], found[2])


@pytest.mark.parametrize("name", NAMES)
def test_a_line_of_a_script_holds_no_expression(name: str) -> None:
    """What GitHub puts in there becomes part of the program."""
    for _, step in steps(name):
        assert "${{" not in step.get("run", "")
        assert "uses" not in step or "run" not in step


@pytest.mark.parametrize("name", NAMES)
def test_the_token_may_read_and_nothing_else(name: str) -> None:
    found = workflow(name)
    assert found["permissions"] == {}
    for key, job in found["jobs"].items():
        allowed = {"contents": "read"}
        if key == "send":
            allowed["pull-requests"] = "read"
        if key == "good":
            allowed = {}
        assert job["permissions"] == allowed, key


@pytest.mark.parametrize("name", NAMES)
def test_every_job_ends_and_no_checkout_keeps_the_token(name: str) -> None:
    for job in workflow(name)["jobs"].values():
        assert 0 < int(job["timeout-minutes"]) <= 60
        assert job["runs-on"] == "ubuntu-24.04"
    for _, step in steps(name):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] == "false"


def everywhere(word: str) -> list[str]:
    texts = {name: (FOLDER / f"{name}.yml").read_text(encoding="utf-8") for name in NAMES}
    return [name for name, text in texts.items() for _ in re.findall(rf"\b{word}\b", text)]


def test_secrets_are_in_the_environment_of_one_step() -> None:
    assert everywhere(r"secrets\.") == ["release-trigger"]
    assert everywhere(r"github\.token") == ["release-trigger"]
    step = workflows.step("release-trigger", "send", "Send the requests")
    assert step["env"] == {
        "GITHUB_TOKEN": "${{ github.token }}",
        "MLOPS_HOOK_URL": "${{ vars.MLOPS_HOOK_URL }}",
        "MLOPS_HOOK_SECRET": "${{ secrets.MLOPS_HOOK_SECRET }}",
    }
    assert step["run"] == "infra/bin/release"
    assert everywhere("pull_request_target") == everywhere("workflow_run") == []


# --- release-trigger


@pytest.fixture(scope="module")
def trigger() -> dict[str, Any]:
    return workflow("release-trigger")


def test_a_closed_pull_request_of_a_release_branch_or_a_person_starts_it(trigger: dict[str, Any]) -> None:
    assert trigger["on"]["pull_request"] == {"types": ["closed"], "branches": ["main", "release/*"]}
    inputs = trigger["on"]["workflow_dispatch"]["inputs"]
    assert {name: one["required"] for name, one in inputs.items()} == {"projects": "true", "commit": "false"}
    assert set(trigger["on"]) == {"pull_request", "workflow_dispatch"}


def test_it_is_for_the_branches_that_jenkins_builds(trigger: dict[str, Any]) -> None:
    (main,) = re.findall(r"RELEASE_BRANCH:-(\S+?)\}", (ROOT / "infra/docker-compose.yml").read_text(encoding="utf-8"))
    assert trigger["on"]["pull_request"]["branches"][0] == main
    assert "'|release/[^/]+'" in controller.CASC


def test_other_closings_start_no_job(trigger: dict[str, Any]) -> None:
    condition = " ".join(trigger["jobs"]["send"]["if"].split())
    assert condition == (
        "github.event_name == 'workflow_dispatch' || "
        f"(github.event.pull_request.merged && contains(github.event.pull_request.labels.*.name, '{LABEL}'))"
    )


def test_what_was_merged_is_what_runs(trigger: dict[str, Any]) -> None:
    """Never a commit that somebody typed in, whose code would get the secret."""
    (checkout,) = [step for _, step in steps("release-trigger") if "uses" in step]
    assert checkout["with"]["ref"] == "${{ github.event.pull_request.merge_commit_sha || github.sha }}"
    assert everywhere(r"inputs\.") == everywhere("head") == []
    assert trigger["jobs"]["send"]["environment"] == "release"


def test_no_release_cancels_another(trigger: dict[str, Any]) -> None:
    """Not a run that is sending, and not one that waits: of those GitHub keeps one in a group."""
    assert trigger["concurrency"]["cancel-in-progress"] == "false"
    assert trigger["concurrency"]["group"].endswith("${{ github.event.pull_request.number || github.run_id }}")


def test_the_job_has_more_time_than_the_sender_has_patience(trigger: dict[str, Any]) -> None:
    # The files of the pull request, the last try, and its time to begin.
    assert int(trigger["jobs"]["send"]["timeout-minutes"]) * 60 > PATIENCE + TIMEOUT + LIMIT + 300


def test_the_sender_waits_longer_than_the_gate_does() -> None:
    conf = (ROOT / "infra/gate/nginx.conf").read_text(encoding="utf-8")
    waits = [int(found) for found in re.findall(r"proxy_(?:connect|read)_timeout (\d+)s", conf)]
    assert len(waits) == 2
    assert sum(waits) < TIMEOUT


# --- ci


@pytest.fixture(scope="module")
def ci() -> dict[str, Any]:
    return workflow("ci")


def test_it_checks_pull_requests_and_main(ci: dict[str, Any]) -> None:
    assert ci["on"] == {"pull_request": "", "push": {"branches": ["main"]}}


def test_uv_is_the_one_of_the_lock(ci: dict[str, Any]) -> None:
    (locked,) = re.findall(r"^uv==(\S+)", (ROOT / "requirements/infra.txt").read_text(encoding="utf-8"), re.MULTILINE)
    assert ci["env"]["UV_VERSION"] == locked


def test_what_jenkins_checks_of_its_branches_is_checked_here_too(ci: dict[str, Any]) -> None:
    of_jenkins = set(re.findall(r"script: 'make --no-print-directory ([a-z-]+)'", (ROOT / "Jenkinsfile").read_text()))
    here = set(re.findall(r"make --no-print-directory ([a-z-]+)", " ".join(step.get("run", "") for _, step in steps("ci"))))
    assert of_jenkins == {"check-projects", "lint", "test-projects"}
    # The targets of tests stand in the matrix: see test_changed.
    assert here == of_jenkins | {"lint-infra"}
    made = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert here <= made


def test_what_is_asked_of_changes_is_what_the_program_tells(ci: dict[str, Any], tmp_path: Path) -> None:
    changes = ci["jobs"]["changes"]
    ran = Runner(tmp_path).run(changes["steps"][-1], {BASE: ""})
    assert set(changes["outputs"]) == set(ran.outputs)
    for name, value in changes["outputs"].items():
        assert value == f"${{{{ steps.changed.outputs.{name} }}}}"
    asked = re.findall(r"needs\.changes\.outputs\.([a-z]+)", (FOLDER / "ci.yml").read_text(encoding="utf-8"))
    assert set(asked) == set(ran.outputs)


BASE = "github.event_name == 'pull_request' && 'HEAD^1' || github.event.before"


def test_the_required_job_waits_for_all_others(ci: dict[str, Any]) -> None:
    good = ci["jobs"]["good"]
    assert set(good["needs"]) == set(ci["jobs"]) - {"good"}
    assert good["if"] == "always()", "skipped would count as good"


@pytest.mark.parametrize(
    ("results", "status"),
    [
        ("success success success success success", 0),
        ("success success skipped skipped skipped", 0),
        ("success failure success success success", 1),
        ("success success success cancelled success", 1),
        ("failure skipped skipped skipped skipped", 1),
        ("success success success success surprise", 1),
    ],
)
def test_the_required_job_fails_when_any_has(tmp_path: Path, results: str, status: int) -> None:
    step = workflows.step("ci", "good", "Was any not good?")
    ran = Runner(tmp_path).run(step, {"join(needs.*.result, ' ')": results})
    assert (ran.status, ran.log) == (status, results + "\n")
