"""The step of the workflow release-trigger, run by bash in an environment as GitHub sets it, against servers with TLS."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.infra.release import workflows
from tests.infra.release.events import COMMIT, HEAD, HOSTILE, KEY, REPOSITORY, by_hand, merged, with_projects
from tests.infra.release.front import FRP, RECORDED, Front, Reply, gate, plugin, queued
from tests.infra.release.workflows import Ran, Runner

TOKEN = "ghs_" + "t0k3n" * 8
STEP = workflows.step("release-trigger", "send", "Send the requests")


class Sender:
    """A runner of GitHub's, its API and the public address of the gate."""

    def __init__(self, folder: Path, keys: Path, api: Front, hook: Front) -> None:
        self.runner = Runner(folder)
        self.api, self.hook = api, hook
        with_projects(self.runner.workspace, "project-a", "project-b", "project-c")
        self.changes("projects/project-a/config.yaml")
        self.values = {
            "github.token": TOKEN,
            "vars.MLOPS_HOOK_URL": hook.url,
            "secrets.MLOPS_HOOK_SECRET": KEY,
        }
        self.runner.env |= {
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": api.url,
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_SHA": HEAD,
            "GITHUB_RUN_ID": "12345678901",
            "GITHUB_RUN_ATTEMPT": "1",
            "SSL_CERT_FILE": str(keys / "ca.pem"),
            # So that what is to be sent again is given up instead.
            "MLOPS_HOOK_PATIENCE": "0",
        }

    def changes(self, *paths: str) -> None:
        self.api.says = lambda request: Reply(200, json.dumps([{"filename": one} for one in paths]))

    def merged(self, **how: Any) -> Ran:
        return self.event("pull_request", merged(**how))

    def by_hand(self, projects: str, commit: str = "") -> Ran:
        return self.event("workflow_dispatch", by_hand(projects, commit))

    def event(self, name: str, event: Mapping[str, Any] | None) -> Ran:
        self.runner.env["GITHUB_EVENT_NAME"] = name
        ran = self.runner.run(STEP, self.values, event)
        # Whatever happens.
        for secret in (KEY, TOKEN, self.values["secrets.MLOPS_HOOK_SECRET"]):
            assert not secret or secret not in ran.log + ran.summary
        assert "Traceback" not in ran.log
        return ran

    def sent(self) -> list[tuple[object, object]]:
        return [(request.told["project"], request.told["commit"]) for request in self.hook.requests]


@pytest.fixture
def sender(tmp_path: Path, keys: Path, serve: Callable[..., Front], hook: Front) -> Sender:
    return Sender(tmp_path, keys, serve(lambda _request: Reply(500)), hook)


def test_a_merged_release_starts_its_trainings(sender: Sender) -> None:
    sender.changes("README.md", "projects/project-b/src/x.py", "projects/project-a/config.yaml", "projects/gone/x")
    sender.hook.says = lambda _request: plugin("gwt-good")
    ran = sender.merged(body="What is new.\r\n\r\ntrain: project-c\r\n")
    assert ran.status == 0
    assert sender.sent() == [("project-a", COMMIT), ("project-b", COMMIT), ("project-c", COMMIT)]
    deliveries = [request.told["delivery"] for request in sender.hook.requests]
    assert ran.log.splitlines() == [
        f"3 of {REPOSITORY} at {COMMIT} to {sender.hook.url}/generic-webhook-trigger/invoke",
        "project-a: queued",
        "project-b: queued",
        "project-c: queued",
    ]
    assert ran.summary.splitlines() == [
        f"Release at `{COMMIT}` by #7",
        "",
        "| project | what came of it | tries | delivery |",
        "|---|---|---|---|",
        f"| project-a | queued as item 18 | 1 | `{deliveries[0]}` |",
        f"| project-b | queued as item 18 | 1 | `{deliveries[1]}` |",
        f"| project-c | queued as item 18 | 1 | `{deliveries[2]}` |",
        "",
        "- gone is not there any more: nothing is trained of it.",
        "",
        "Queued means that Jenkins has it. Whether it is fresh, and not trained already, its build says.",
    ]
    for request in sender.hook.requests:
        digest = hmac.new(KEY.encode(), request.body, hashlib.sha256).hexdigest()
        assert request.headers["x-hub-signature-256"] == f"sha256={digest}"


def test_run_again_it_has_other_deliveries(sender: Sender) -> None:
    assert sender.merged().status == 0
    sender.runner.env["GITHUB_RUN_ATTEMPT"] = "2"
    assert sender.merged().status == 0
    first, second = [request.told for request in sender.hook.requests]
    assert first["delivery"] != second["delivery"]
    assert {**first, "delivery": "", "timestamp": 0} == {**second, "delivery": "", "timestamp": 0}


def test_a_release_that_changes_no_project_sends_nothing_and_is_good(sender: Sender) -> None:
    sender.changes("README.md", "projects/gone/x")
    ran = sender.merged()
    words = "This release changes no project. gone is not there any more: nothing is trained of it.\n"
    assert (ran.status, ran.log, ran.summary, sender.sent()) == (0, words, words, [])


def test_what_is_no_release_sends_nothing_and_is_good(sender: Sender) -> None:
    ran = sender.merged(labels=())
    assert (ran.status, sender.sent(), sender.api.requests) == (0, [], [])
    assert "does not have the label release" in ran.log
    assert "does not have the label release" in ran.summary


def test_a_fork_is_told_how_to_send_it_by_hand(sender: Sender) -> None:
    sender.values |= {"secrets.MLOPS_HOOK_SECRET": "", "vars.MLOPS_HOOK_URL": ""}
    ran = sender.merged(head="somebody/my-mlops-monorepo", body="train: project-b")
    words = (
        "Pull request #7 came from a fork, and GitHub gives no secrets to its workflow. Send it by hand: Actions, "
        f"release-trigger, Run workflow, with projects project-a project-b and commit {COMMIT}."
    )
    assert (ran.status, ran.log, ran.summary) == (2, f"::error::{words}\n", f"**Nothing was sent.** {words}\n")
    by_hand = sender.values | {"secrets.MLOPS_HOOK_SECRET": KEY, "vars.MLOPS_HOOK_URL": sender.hook.url}
    sender.values = by_hand
    assert sender.by_hand("project-a project-b", COMMIT).status == 0
    assert sender.sent() == [("project-a", COMMIT), ("project-b", COMMIT)]


def test_a_fork_without_anything_to_send_is_no_failure(sender: Sender) -> None:
    sender.values["secrets.MLOPS_HOOK_SECRET"] = ""
    sender.changes("README.md")
    assert sender.merged(head=None).status == 0


def test_by_hand_at_the_newest_of_the_branch(sender: Sender) -> None:
    ran = sender.by_hand("project-b, project-a")
    assert ran.status == 0
    assert sender.sent() == [("project-a", HEAD), ("project-b", HEAD)]
    assert sender.hook.requests[0].told["pull_request"] is None
    assert ran.summary.startswith(f"Release at `{HEAD}`\n")
    assert sender.api.requests == []


def test_thirty_projects_at_once(sender: Sender) -> None:
    names = [f"many-{number:02}" for number in range(30)]
    for name in names:
        (sender.runner.workspace / "projects" / name).mkdir()
        (sender.runner.workspace / "projects" / name / "config.yaml").touch()
    sender.changes(*(f"projects/{name}/config.yaml" for name in names))
    ran = sender.merged()
    assert ran.status == 0
    assert [project for project, _ in sender.sent()] == names
    assert ran.summary.count("queued as item 5") == 30


def test_a_name_that_is_no_project_fails_after_the_others_were_sent(sender: Sender) -> None:
    ran = sender.merged(body="train: projct-b")
    assert (ran.status, sender.sent()) == (1, [("project-a", COMMIT)])
    assert "::error::There is no project projct-b.\n" in ran.log
    assert "- **Wrong:** `There is no project projct-b`\n" in ran.summary
    assert "queued as item 5" in ran.summary


def test_only_names_that_are_no_projects(sender: Sender) -> None:
    sender.values["secrets.MLOPS_HOOK_SECRET"] = ""
    ran = sender.by_hand("projct-a")
    assert (ran.status, sender.sent()) == (1, [])
    assert "There is no project projct-a" in ran.summary


def test_thousands_of_wrong_names_are_counted(sender: Sender) -> None:
    ran = sender.merged(body="train: " + " ".join(f"x{number}" for number in range(9000)))
    assert ran.status == 1
    assert ran.log.count("::error::") == 11
    assert "and 8990 more names are no projects" in ran.summary
    assert len(ran.summary) < 3000


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (gate(403), "Jenkins refuses the signature (403): MLOPS_HOOK_SECRET is not the server's webhook-hmac"),
        (gate(404), "Jenkins knows no job for it (404): the server's webhook-token or its job train is wrong"),
        (gate(413), "the gate refuses the request (413)"),
        (gate(502), "Jenkins is not there (502)"),
        (FRP, "the tunnel is down (404 without the gate's mark)"),
        (plugin("gwt-filtered-project"), "Jenkins took no job for it: the request does not look like one of a release"),
    ],
)
def test_what_was_not_started_is_red_and_says_how_to_send_it_again(sender: Sender, reply: Reply, words: str) -> None:
    sender.changes("projects/project-a/x", "projects/project-b/x")
    sender.hook.says = lambda request: reply if request.told["project"] == "project-b" else queued(5)
    ran = sender.merged()
    assert ran.status == 1
    assert f"::error::project-b was not started: {words}\n" in ran.log
    assert f"| project-b | **not started**: {words} | 1 |" in ran.summary
    assert f"with projects project-b and commit {COMMIT}." in ran.summary
    assert "| project-a | queued as item 5 | 1 |" in ran.summary


def test_no_body_is_printed(sender: Sender) -> None:
    """A gate that lets through what the plugin says of a wrong signature, which repeats all headers."""
    text = RECORDED["gwt-wrong-signature"]["body"]
    for reply in (Reply(403, text), Reply(403, text, (("X-Mlops-Gate", "1"),)), Reply(200, text, (("X-Mlops-Gate", "1"),))):
        sender.hook.says = lambda _request, reply=reply: reply  # type: ignore[misc]
        ran = sender.merged()
        assert ran.status == 1
        assert "whitelist" not in ran.log + ran.summary
        assert "06f066fb" not in ran.log + ran.summary


@pytest.mark.parametrize(
    ("what", "value", "says"),
    [
        ("vars.MLOPS_HOOK_URL", "", "MLOPS_HOOK_URL is not set"),
        ("vars.MLOPS_HOOK_URL", "http://hook.example.org", "does not begin with https://"),
        ("vars.MLOPS_HOOK_URL", "https://me:s3cret@hook.example.org", "holds more than a host"),
        ("secrets.MLOPS_HOOK_SECRET", "", "MLOPS_HOOK_SECRET is not set"),
        ("secrets.MLOPS_HOOK_SECRET", "s3cret", "is not the platform's webhook-hmac"),
        ("secrets.MLOPS_HOOK_SECRET", "s3cret, and\nmore of it", "is not the platform's webhook-hmac"),
        ("github.token", "", "GITHUB_TOKEN is not set"),
    ],
)
def test_wrong_settings_are_told_before_anything_is_sent(sender: Sender, what: str, value: str, says: str) -> None:
    sender.values[what] = value
    ran = sender.merged()
    assert (ran.status, sender.sent()) == (2, [])
    assert says in ran.log
    assert ran.summary.startswith("**Nothing was sent.** ")
    assert "s3cret" not in ran.log + ran.summary


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("GITHUB_API_URL", "http://api.github.com", "GITHUB_API_URL does not begin with https://"),
        ("GITHUB_EVENT_NAME", "push", "The event push is no release"),
        ("GITHUB_RUN_ID", "x", "GITHUB_RUN_ID or GITHUB_RUN_ATTEMPT is no number"),
        ("GITHUB_RUN_ID", "", "GITHUB_RUN_ID is not set"),
        ("GITHUB_WORKSPACE", "", "GITHUB_WORKSPACE is not set"),
        ("MLOPS_HOOK_PATIENCE", "for ever", "MLOPS_HOOK_PATIENCE is no number of seconds"),
        ("MLOPS_HOOK_PATIENCE", "nan", "MLOPS_HOOK_PATIENCE is no number of seconds"),
        ("MLOPS_HOOK_PATIENCE", "-1", "MLOPS_HOOK_PATIENCE is no number of seconds"),
    ],
)
def test_a_wrong_environment_is_told(sender: Sender, name: str, value: str, says: str) -> None:
    step = {**STEP, "env": {**STEP["env"], name: value}}
    sender.runner.env["GITHUB_EVENT_NAME"] = "pull_request"
    ran = sender.runner.run(step, sender.values, merged())
    assert (ran.status, sender.sent()) == (2, [])
    assert says in ran.log
    assert "Traceback" not in ran.log


def test_an_event_that_is_none_is_told(sender: Sender) -> None:
    ran = sender.event("pull_request", None)
    assert (ran.status, ran.log) == (2, "::error::The event is no JSON object.\n")


def test_a_list_that_github_does_not_give_is_told(sender: Sender) -> None:
    sender.api.says = lambda _request: Reply(404, HOSTILE)
    ran = sender.merged()
    assert ran.log == "::error::GitHub does not list the files of the pull request: 404. Run the job again.\n"
    assert (ran.status, sender.sent()) == (2, [])


def test_a_summary_that_cannot_be_written_does_not_hide_what_was_sent(sender: Sender) -> None:
    step = {**STEP, "env": {**STEP["env"], "GITHUB_STEP_SUMMARY": "/no/such/folder"}}
    sender.runner.env["GITHUB_EVENT_NAME"] = "pull_request"
    ran = sender.runner.run(step, sender.values, merged())
    assert ran.status == 0
    assert "The summary cannot be written: No such file or directory" in ran.log


# Commands to the runner begin a line with ::, or stand anywhere with ##[ in front.
def assert_harmless(ran: Ran) -> None:
    for line in ran.log.splitlines():
        assert not line.lstrip().startswith("::") or line.startswith("::error::There is no project "), line
        assert "##[" not in line
    for word in ("<img", "evil.example>", "](", "**e**", "\x1b"):
        assert word not in ran.log + ran.summary
    rows = [line for line in ran.summary.splitlines() if line.startswith("|")]
    assert all(line.count("|") == 5 for line in rows)


def test_hostile_titles_bodies_and_labels_do_no_harm(sender: Sender) -> None:
    ran = sender.merged(
        title=HOSTILE, labels=("release", HOSTILE), body=f"{HOSTILE}\ntrain: {HOSTILE}\ntrain: ::error::x ##[group]y"
    )
    assert (ran.status, sender.sent()) == (1, [("project-a", COMMIT)])
    assert_harmless(ran)
    assert "There is no project ??error??x" in ran.log


def test_hostile_names_of_files_and_repositories_do_no_harm(sender: Sender) -> None:
    sender.changes("projects/project-a/" + HOSTILE, f"projects/{HOSTILE}/x", HOSTILE, "projects/::error::x/y")
    ran = sender.merged(head=HOSTILE)
    assert (ran.status, sender.sent()) == (0, [("project-a", COMMIT)])
    assert_harmless(ran)


def test_hostile_words_typed_by_hand_do_no_harm(sender: Sender) -> None:
    assert_harmless(sender.by_hand(HOSTILE))
    ran = sender.by_hand("project-a", "$(touch here) ::error::x")
    assert ran.status == 2
    assert "::x" not in ran.log
    assert not (sender.runner.workspace / "here").exists()


def test_nothing_secret_is_on_a_command_line(sender: Sender, tmp_path: Path) -> None:
    """What everybody on the machine could read in the list of processes, while a request is under way."""
    seen: list[bytes] = []

    def says(_request: object) -> Reply:
        for process in Path("/proc").glob("[0-9]*"):
            try:
                seen.append((process / "cmdline").read_bytes())
            except OSError:
                continue
        return queued(5)

    sender.hook.says = says
    assert sender.merged().status == 0
    assert any(b"infra/bin/release" in one for one in seen)
    assert not any(KEY.encode() in one or TOKEN.encode() in one for one in seen)
