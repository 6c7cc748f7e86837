"""What configuration as code takes without a word and does not do as meant, and what casc.yaml permits to whom."""

from __future__ import annotations

import re

import pytest

from tests.infra import controller
from tests.support.casc import files
from tests.support.recorded import recorded

CASC = controller.CASC
TREE = controller.tree()
MATRIX = TREE["jenkins"]["authorizationStrategy"]["globalMatrix"]
CREDENTIALS = {
    one["id"]: {"kind": kind, **one}
    for entry in TREE["credentials"]["system"]["domainCredentials"][0]["credentials"]
    for kind, one in entry.items()
}
# Who may do what, and nothing else.
PERMISSIONS = {
    "admin": {"Overall/Administer"},
    "operator": {"Overall/Read", "View/Read", "Job/Read", "Job/Build", "Job/Cancel", "Agent/Connect"},
    "viewer": {"Overall/Read", "View/Read", "Job/Read"},
    "release-bot": {"Overall/Read", "Job/Read", "Job/Build"},
}
# A recorded refusal for each, with the permission that it asked for, under its Java name.
REFUSALS = {
    "Overall/Administer": ("perm-viewer-pluginmanager", "hudson.model.Hudson.Administer"),
    "Overall/Read": ("perm-nobody-api-json", "hudson.model.Hudson.Read"),
    "Job/Build": ("perm-viewer-post-build", "hudson.model.Item.Build"),
    "Job/Cancel": ("stop-no-permission", "hudson.model.Item.Cancel"),
    "Agent/Connect": ("agent/node-launch-operator", "hudson.model.Computer.Connect"),
}


def test_every_variable_has_a_value() -> None:
    used = {name for _, name in files.VARIABLE.findall(CASC)}
    known = {*controller.values(), *(f"readFileBase64:/run/secrets/{name}" for name in ("hf-read-token", "hf-write-token"))}
    assert used - known == {"name"}  # in the comment at the top
    assert "# " in next(line for line in CASC.splitlines() if "${name}" in line)


def test_every_secret_of_the_container_is_used() -> None:
    """One that is mounted and not used is one more place to steal it from."""
    script = (controller.FOLDER / "init.groovy.d" / "tokens.groovy").read_text(encoding="utf-8")
    users = [user["id"] for user in TREE["jenkins"]["securityRealm"]["local"]["users"]]
    assert "jenkins-${id}-token" in script
    read = {f"jenkins-{user}-token" for user in users} | {"agent-host-key.pub"}
    read |= {name for name in controller.secrets() if re.search(rf"[{{/]{re.escape(name)}['}}]", CASC)}
    assert read == set(controller.secrets())


def test_the_entry_point_waits_for_each_of_them() -> None:
    (call,) = re.findall(r"^hold-secrets jenkins((?:.*\\\n)*.*)$", controller.ENTRYPOINT, re.MULTILINE)
    assert sorted(call.replace("\\\n", " ").split()) == sorted(controller.secrets())


@pytest.mark.parametrize(
    ("word", "why"),
    [
        (r"\$\{trim:", "is unknown to older plugins, which make a } of it"),
        (r"\$\{readFile:", "keeps the last newline of the file"),
        (r"\$\{[^}]*:-", "would hide that something is not set: defaults are in docker-compose.yml"),
        (r"\^\$(?!\{)", "is no escape: the ^ stays"),
        (r"remotingSecurity", "has no effect any more, and fills the log"),
        (r"\b(anonymous|authenticated)\b", "gives rights to whoever comes"),
        (r"(?i)docker\.sock|docker[-_ ]?(host|cli|workflow)", "is what the controller knows nothing of"),
    ],
)
def test_words_that_do_not_do_what_they_seem_to(word: str, why: str) -> None:
    assert re.findall(word, CASC) == [], why


def test_the_hub_tokens_are_files_and_not_text() -> None:
    for name in ("hf-read-token", "hf-write-token"):
        assert CREDENTIALS[name]["kind"] == "file"
        assert f'secretBytes: "${{readFileBase64:/run/secrets/{name}}}"' in CASC


def test_no_build_can_get_the_agents_key() -> None:
    assert CREDENTIALS["agent-ssh-key"]["scope"] == "SYSTEM"
    assert TREE["jenkins"]["nodes"][0]["permanent"]["launcher"]["ssh"]["credentialsId"] == "agent-ssh-key"


def test_nobody_calls_in_and_nothing_is_built_here() -> None:
    assert TREE["jenkins"]["slaveAgentPort"] == -1
    assert TREE["jenkins"]["numExecutors"] == 0
    assert TREE["jenkins"]["securityRealm"]["local"]["allowsSignup"] is False
    assert TREE["jenkins"]["markupFormatter"] == "plainText"


def test_the_agents_host_key_is_pinned() -> None:
    strategy = TREE["jenkins"]["nodes"][0]["permanent"]["launcher"]["ssh"]["sshHostKeyVerificationStrategy"]
    assert strategy == {"manuallyProvidedKeyVerificationStrategy": {"key": controller.HOST_KEY}}


def test_every_way_past_the_webhooks_list_is_signed() -> None:
    """Its items are alternatives."""
    whitelist = TREE["unclassified"]["whitelist"]
    assert whitelist["enabled"] is True
    assert whitelist["whitelistItems"]
    for item in whitelist["whitelistItems"]:
        assert item["hmacEnabled"] is True
        assert item["hmacAlgorithm"] == "HmacSHA256"
        assert item["hmacHeader"] == "X-Hub-Signature-256"
        assert CREDENTIALS[item["hmacCredentialId"]]["kind"] == "string"


def test_users_may_do_what_is_theirs_and_no_more() -> None:
    assert list(MATRIX) == ["entries"]
    assert [list(entry) for entry in MATRIX["entries"]] == [["user"]] * len(PERMISSIONS)
    assert {entry["user"]["name"]: set(entry["user"]["permissions"]) for entry in MATRIX["entries"]} == PERMISSIONS
    assert {user["id"] for user in TREE["jenkins"]["securityRealm"]["local"]["users"]} == set(PERMISSIONS)


def test_their_passwords_are_their_own() -> None:
    for user in TREE["jenkins"]["securityRealm"]["local"]["users"]:
        assert user["password"] == f"content of jenkins-{user['id']}-password"


def test_each_permission_is_one_that_the_controller_knows() -> None:
    exported = files.load((controller.RECORDINGS / "casc-export.txt").read_text(encoding="utf-8"))
    entries = exported["jenkins"]["authorizationStrategy"]["globalMatrix"]["entries"]
    known = {name for entry in entries for name in entry["user"]["permissions"]} | set(REFUSALS)
    assert set().union(*PERMISSIONS.values()) <= known


@pytest.mark.parametrize("permission", REFUSALS)
def test_a_permission_is_what_was_missing_in_a_recorded_refusal(permission: str) -> None:
    name, asked = REFUSALS[permission]
    assert dict(recorded(name).headers)["x-required-permission"] == asked
    group = {"Hudson": "Overall", "Item": "Job", "Computer": "Agent"}[asked.split(".")[-2]]
    assert f"{group}/{asked.split('.')[-1]}" == permission


def test_only_an_administrator_changes_what_a_build_does() -> None:
    """A changed script on a node with the Docker socket is root on that host."""
    for user, permissions in PERMISSIONS.items():
        assert user == "admin" or not {"Run/Replay", "Job/Configure", "Overall/Administer"} & permissions
