"""What the Makefile offers, and how the checks and continuous integration report."""

from __future__ import annotations

import re

import pytest

from tests.repository.clone import ROOT, Clone

# A checker that writes down its files and fails when its name is in FAIL.
CHECKER = """
echo "NAME $*" >>"$CALLS"
case " ${FAIL:-} " in *" NAME "*) echo "NAME found something"; exit 1 ;; esac
"""
LINTERS = ("ruff", "mypy", "lint-imports")
INFRA_LINTERS = ("shellcheck", "yamllint", "hadolint", "compose-lint", "ansible-lint", "actionlint", "zizmor")

COMPOSE = "infra/docker-compose.yml"


def checkers(clone: Clone, names: tuple[str, ...]) -> None:
    for name in names:
        clone.program(name, CHECKER.replace("NAME", name), folder=clone.venv / "bin")


def test_help_comes_first_and_names_every_target_with_a_line(clone: Clone) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    done = clone.run("make")
    told = dict(re.findall(r"^  make ([a-z-]+) +(\S.*)$", done.stdout, re.MULTILINE))
    assert (done.returncode, done.stderr) == (0, "")
    assert set(told) == targets
    assert {"console", "demo", "test", "lint", "lint-infra", "bench", "lock", "format", "help", "clean"} <= targets
    assert all(len(line) < 110 for line in done.stdout.splitlines())
    assert clone.run("make", "help").stdout == done.stdout


def test_no_target_is_taken_for_a_file(clone: Clone) -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", text, re.MULTILINE))
    assert targets == set(" ".join(re.findall(r"^\.PHONY: (.+)$", text, re.MULTILINE)).split())


def test_clean_takes_the_environment_away_and_nothing_of_ours(clone: Clone) -> None:
    before = {path for path in clone.folder.rglob("*") if path.is_file()}
    for name in (".venv/bin/python", ".mypy_cache/x", ".pytest_cache/x", "scripts/__pycache__/x.pyc"):
        path = clone.folder / name
        path.parent.mkdir(parents=True)
        path.touch()
    done = clone.run("make", "clean")
    assert (done.returncode, done.stderr) == (0, "")
    assert {path for path in clone.folder.rglob("*") if path.is_file()} == before


def test_lint_runs_every_check_and_shows_what_failed(clone: Clone) -> None:
    checkers(clone, LINTERS)
    good = clone.run("scripts/lint")
    assert (good.returncode, good.stdout) == (0, "rules: good\nformat: good\nimports: good\ntypes: good\n")
    assert sorted(clone.calls()) == ["lint-imports --no-logo", "mypy ", "ruff check --quiet .", "ruff format --check ."]
    bad = clone.run("scripts/lint", FAIL="mypy lint-imports")
    assert bad.returncode == 1
    assert bad.stdout.splitlines() == [
        *("rules: good", "format: good"),
        *("lint-imports found something", "imports: FAILED", "mypy found something", "types: FAILED"),
    ]
    assert "make format" in clone.run("scripts/lint", FAIL="ruff").stdout


def test_lint_infra_finds_the_files_of_each_kind_and_names_the_kinds_that_are_not_there(clone: Clone) -> None:
    checkers(clone, INFRA_LINTERS)
    clone.program("a script", "true", folder=clone.folder / "infra")
    clone.add_to_git()
    done = clone.run("scripts/lint-infra")
    assert (done.returncode, done.stderr) == (0, "")
    calls = dict(call.split(" ", 1) for call in clone.calls())
    for name in ("scripts/setup-env", "scripts/lint", "scripts/lock", ".ci/run", "infra/a script"):
        assert name in calls["shellcheck"], name
    assert "pyproject.toml" not in calls["shellcheck"]
    assert ".yamllint" in calls["yamllint"]
    assert "hadolint: no file of its kind here yet" in done.stdout


def test_lint_infra_goes_on_after_a_failure(clone: Clone) -> None:
    checkers(clone, INFRA_LINTERS)
    for name in ("Dockerfile", "infra/Dockerfile.agent", "infra/Dockerfile.dockerignore", COMPOSE, ".github/workflows/ci.yml"):
        (clone.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (clone.folder / name).touch()
    clone.add_to_git()
    done = clone.run("scripts/lint-infra", FAIL="shellcheck hadolint")
    assert done.returncode == 1
    assert re.findall(r"^(\S+): (good|FAILED)", done.stdout, re.MULTILINE) == [
        *(("shellcheck", "FAILED"), ("yamllint", "good"), ("hadolint", "FAILED"), ("compose-lint", "good")),
        *(("actionlint", "good"), ("zizmor", "good")),
    ]
    calls = clone.calls()
    assert "hadolint Dockerfile infra/Dockerfile.agent" in calls
    workflows = ".github/workflows/ci.yml .github/workflows/release-trigger.yml"
    assert f"actionlint {workflows}" in calls
    assert f"zizmor --offline --quiet --persona auditor {workflows}" in calls


def test_lint_infra_outside_of_a_clone_does_not_pass(clone: Clone) -> None:
    checkers(clone, INFRA_LINTERS)
    done = clone.run("scripts/lint-infra", GIT_CEILING_DIRECTORIES=str(clone.folder.parent))
    assert done.returncode == 2
    assert "run it in a clone" in done.stderr
    assert clone.calls() == []


MAKE = """
echo "make $* CI=$CI stdin=$(cat)" >>"$CALLS"
case " ${FAIL:-} " in *" $2 "*) exit 2 ;; esac
echo "$2 ran"
"""
STEPS = ["infra", "lint", "lint-infra", "check-projects", "test-projects", "test"]


@pytest.fixture
def server(clone: Clone) -> Clone:
    """A machine on which everything is installed that the tests want."""
    clone.program("make", MAKE)
    for name in (
        *("docker", "dockerd", "busybox", "gpg", "tmux", "screen", "less", "sshd", "ssh", "uv"),
        *(
            "debootstrap",
            "iptables",
            "nginx",
            "tini",
            "curl",
            "ip",
            "openssl",
            "systemd-analyze",
            "java",
            "javac",
            "mvn",
            "cc",
            "setpriv",
        ),
    ):
        clone.program(name, "exit 0")
    return clone


def test_continuous_integration_runs_every_step_and_lets_none_ask(server: Clone) -> None:
    done = server.run(".ci/run", typed="yes\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert server.calls() == [f"make --no-print-directory {step} CI=true stdin=" for step in STEPS]
    summary = done.stdout.partition("summary\n")[2]
    good = re.findall(r"^(\S+) +good, \d+ s$", summary, re.MULTILINE)
    assert good == ["programs", "environment", "lint", "lint-infra", "projects", "test-projects", "test"]
    assert re.findall(r"^== +\d+ s  test$", done.stdout, re.MULTILINE)


def test_continuous_integration_runs_the_steps_that_are_named(server: Clone) -> None:
    done = server.run(".ci/run", "programs", "lint")
    assert (done.returncode, done.stderr) == (0, "")
    assert [call.split()[2] for call in server.calls()] == ["lint"]
    assert re.findall(r"^(\S+) +good, \d+ s$", done.stdout, re.MULTILINE) == ["programs", "lint"]
    done = server.run(".ci/run", "test-ansible")
    assert (done.returncode, done.stderr) == (0, "")
    assert [call.split()[2] for call in server.calls()] == ["test-ansible"]
    done = server.run(".ci/run", "lin")
    assert (done.returncode, done.stderr) == (2, "There is no step lin\n")
    assert server.calls() == []


@pytest.mark.parametrize("failing", ["infra", "lint lint-infra", "test"])
def test_continuous_integration_fails_after_all_steps_when_one_failed(server: Clone, failing: str) -> None:
    done = server.run(".ci/run", FAIL=failing)
    assert done.returncode == 1
    assert [call.split()[2] for call in server.calls()] == STEPS
    summary = done.stdout.partition("summary\n")[2]
    assert len(re.findall(r"^\S+ +FAILED \(2\), \d+ s$", summary, re.MULTILINE)) == len(failing.split())


def without_tmux_and_dockerd(server: Clone, user: int) -> None:
    (server.programs / "tmux").unlink()
    (server.programs / "dockerd").unlink()
    (server.programs / "id").unlink()
    server.program("id", f"echo {user}")
    # Of the shell's own look-ups nothing outside of the clone's PATH may count.
    run = server.folder / ".ci/run"
    run.write_text(run.read_text(encoding="utf-8").replace(":/usr/sbin:/sbin", ""), encoding="utf-8")


def test_what_is_missing_is_installed_in_one_go(server: Clone) -> None:
    without_tmux_and_dockerd(server, user=0)
    server.program("apt-get", 'echo "apt-get $*" >>"$CALLS"')
    done = server.run(".ci/run")
    assert done.returncode == 0
    assert server.calls()[:2] == ["apt-get update -qq", "apt-get install -y -qq docker.io tmux"]


@pytest.mark.parametrize(
    ("apt", "says"), [(True, "needs root: sudo apt-get install docker.io tmux"), (False, "no apt-get here")]
)
def test_what_cannot_be_installed_is_told_and_the_rest_runs(server: Clone, apt: bool, says: str) -> None:
    without_tmux_and_dockerd(server, user=1000)
    if apt:
        server.program("apt-get", 'echo "apt-get $*" >>"$CALLS"')
    done = server.run(".ci/run")
    assert done.returncode == 1
    assert says in done.stderr
    assert [call.split()[2] for call in server.calls()] == STEPS
