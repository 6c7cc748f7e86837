"""What a change touches: decided from what git says in a repository of the test's own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from infra.release.changed import changed_paths, checks_of, everything
from tests.infra.release import workflows
from tests.infra.release.workflows import Ran, Runner
from tests.repository.clone import ROOT, files

STEP = workflows.step("ci", "changes", "Compare")
BASE = "github.event_name == 'pull_request' && 'HEAD^1' || github.event.before"
ALL = {"console", "infra", "projects", "server"}


class Repository(Runner):
    """A clone with three projects, two of which have tests."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.git("init", "--quiet", "--initial-branch=main")
        for name in ("project-a", "project-b"):
            self.write(f"projects/{name}/tests/test_x.py")
            self.write(f"projects/{name}/src/x.py", f"# {name}\n" * 20)
        self.write("projects/untested/config.yaml")
        self.write("projects/_template/run.sh")
        self.write("projects/_template/tests/x")
        self.write("console/main.py")
        self.commit()

    def git(self, *words: str) -> str:
        who = ("-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false")
        done = subprocess.run(["git", *who, *words], cwd=self.workspace, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def write(self, path: str, text: str = "x\n") -> None:
        (self.workspace / path).parent.mkdir(parents=True, exist_ok=True)
        (self.workspace / path).write_text(text, encoding="utf-8")

    def commit(self) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message=x")
        return self.git("rev-parse", "HEAD")

    def compare(self, base: str) -> Ran:
        ran = self.run(STEP, {BASE: base})
        assert ran.status == 0
        return ran


def parts(outputs: Mapping[str, str]) -> set[str]:
    return {one["part"] for one in json.loads(outputs["tests"])}


@pytest.fixture
def clone(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def test_a_project_has_its_own_tests_run(clone: Repository) -> None:
    before = clone.git("rev-parse", "HEAD")
    clone.write("projects/project-b/src/x.py")
    clone.commit()
    outputs = clone.compare(before).outputs
    assert outputs == {
        "infra": "false",
        "contract": "true",
        "tests": '[{"part": "projects", "paths": "tests/projects", "target": "test"}]',
        "projects": '["project-b"]',
    }


def test_a_pull_request_is_what_its_merge_adds(clone: Repository) -> None:
    """What the other side has changed meanwhile is no part of it."""
    clone.git("checkout", "--quiet", "-b", "feature")
    clone.write("projects/project-a/src/x.py")
    clone.commit()
    clone.git("checkout", "--quiet", "main")
    clone.write("infra/frp/frpc.toml")
    clone.commit()
    clone.git("merge", "--quiet", "--no-ff", "feature")
    outputs = clone.compare("HEAD^1").outputs
    assert (outputs["infra"], outputs["projects"]) == ("false", '["project-a"]')


def test_a_file_that_moves_touches_both_sides(clone: Repository) -> None:
    before = clone.git("rev-parse", "HEAD")
    clone.git("mv", "projects/project-a/src/x.py", "projects/project-b/src/y.py")
    clone.commit()
    assert clone.compare(before).outputs["projects"] == '["project-a", "project-b"]'


def test_a_project_that_is_gone_has_no_tests(clone: Repository) -> None:
    before = clone.git("rev-parse", "HEAD")
    clone.git("rm", "--quiet", "-r", "projects/project-a")
    clone.write("projects/untested/config.yaml", "y")
    clone.commit()
    outputs = clone.compare(before).outputs
    assert (outputs["projects"], outputs["contract"]) == ("[]", "true")


def test_nothing_has_changed(clone: Repository) -> None:
    assert clone.compare(clone.commit()).outputs == {"infra": "false", "contract": "false", "tests": "[]", "projects": "[]"}


@pytest.mark.parametrize("base", ["", "0" * 40, "1234567890" * 4, "main", "--output=here", "HEAD^1"])
def test_what_cannot_be_compared_is_checked_whole(clone: Repository, base: str) -> None:
    """A new branch, a forced push, the first commit of all; and what is no commit is never given to git."""
    ran = clone.compare(base)
    assert ran.log.startswith("What this is to be compared with is not there: everything is checked.\n")
    assert parts(ran.outputs) == ALL
    assert ran.outputs["projects"] == '["project-a", "project-b"]'
    assert (ran.outputs["infra"], ran.outputs["contract"]) == ("true", "true")
    assert not (clone.workspace / "here").exists()


def test_names_with_line_ends_and_blanks_set_no_output(clone: Repository) -> None:
    before = clone.git("rev-parse", "HEAD")
    hostile = 'projects/x\nprojects=["evil"]\n::error::y/tests/z'
    clone.write(hostile)
    clone.commit()
    assert changed_paths(clone.workspace, before) == [hostile]
    ran = clone.compare(before)
    assert ran.outputs["projects"] == "[]"
    assert "evil" not in ran.log


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("console/ui/app.py", {"console"}),
        ("console/text/chars.py", {"console", "infra"}),
        ("docs/cli.md", {"console"}),
        ("README.ja.md", {"console"}),
        ("tests/console/ui/test_frame.py", {"console"}),
        ("infra/gate/nginx.conf", {"infra", "projects"}),
        ("infra/ansible/playbook.yml", {"infra", "server"}),
        ("infra/window/window.py", {"infra", "server"}),
        ("tests/ansible/test_people.py", {"server"}),
        ("infra/jenkins/steps/check.py", {"infra", "projects"}),
        ("Jenkinsfile", {"infra"}),
        ("tests/pipeline/test_facts.py", {"infra"}),
        ("tests/projects/kit.py", {"projects"}),
        ("projects/project-a/run.sh", {"projects"}),
        ("projects/_template/src/contract/run.py", {"infra", "projects"}),
        (".github/workflows/ci.yml", ALL),
        (".ci/run", ALL),
        ("pyproject.toml", ALL),
        ("requirements/dev.txt", ALL),
        ("scripts/lint", ALL),
        ("Makefile", ALL),
        ("tests/support/waiting.py", ALL),
        ("tests/conftest.py", ALL),
        ("something new", ALL),
    ],
)
def test_each_place_has_its_parts(path: str, wanted: set[str]) -> None:
    assert checks_of([path], ROOT).parts == wanted


def test_what_is_everybodys_runs_every_projects_tests() -> None:
    assert checks_of(["docs/cli.md", "scripts/test-projects"], ROOT) == everything(ROOT)
    assert everything(ROOT).projects == ("project-a", "project-b")


def test_every_test_belongs_to_a_part() -> None:
    """A folder of tests that no part runs would be run by nobody."""
    told = everything(ROOT).outputs()
    paths = " ".join(one["paths"] for one in json.loads(told.split("tests=")[1].splitlines()[0])).split()
    here = {"/".join(path.relative_to(ROOT).parts[:2]) for path in files() if path.relative_to(ROOT).parts[0] == "tests"}
    folders = {name for name in here if any(ROOT.joinpath(name).rglob("test_*.py"))}
    assert folders == set(paths)


def test_what_the_infrastructure_takes_of_the_console_is_known() -> None:
    """Which is why a change of console/text has its tests run too."""
    taken = set()
    for path in files():
        name = path.relative_to(ROOT)
        if name.parts[0] in ("infra", "projects") and name.suffix == ".py":
            taken |= {
                line.split()[1] for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("from console")
            }
    assert taken == {"console.text"}
