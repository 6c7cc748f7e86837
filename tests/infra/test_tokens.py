"""tokens.groovy, run by the Groovy that Jenkins has, against stand-ins for the classes of Jenkins that it uses.

Older controllers have `addFixedNewToken(name, value)`, newer ones only `addFixedNewToken(name, value, date)`: both are tried.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.infra import controller
from tests.support.groovy import running

SCRIPT = controller.FOLDER / "init.groovy.d" / "tokens.groovy"
USERS = ("admin", "operator", "viewer", "release-bot")
OWN = "4d1a0f5e-own mine 0000"


@pytest.fixture(scope="session", params=["older", "newer"])
def classes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stand-ins of one kind of controller."""
    java = running.HERE / "java"
    sources = [path for part in ("core", request.param) for path in sorted((java / part).rglob("*.java"))]
    return running.compiled(sources, tmp_path_factory.mktemp("classes"))


class Controller:
    """Four users, four secrets, and as many starts as one likes."""

    def __init__(self, classes: Path, folder: Path) -> None:
        self._classes = classes
        self.users = folder / "users"
        self.secrets = folder / "secrets"
        for made in (self.users, self.secrets):
            made.mkdir()
        for number, user in enumerate(USERS):
            (self.users / user).write_text("", encoding="utf-8")
            self.give(user, f"11{number:032x}")

    def give(self, user: str, value: str) -> None:
        # With the line end that an editor leaves.
        (self.secrets / f"jenkins-{user}-token").write_text(f"{value}\n", encoding="utf-8")

    def started_before(self) -> None:
        """As a first start has left it."""
        for number, user in enumerate(USERS):
            (self.users / user).write_text(f"4d1a0f5e-{user} platform {kept(f'11{number:032x}')}\n", encoding="utf-8")

    def start(self) -> list[str]:
        """What the script says at a start; never a token."""
        environment = {"USERS": str(self.users), "SECRETS": str(self.secrets)}
        ended = running.run(SCRIPT, classes=[self._classes], environment=environment)
        assert (ended.returncode, ended.stderr) == (0, "")
        for secret in self.secrets.iterdir():
            value = secret.read_text(encoding="utf-8").strip()
            # "none" and the like are no secrets.
            assert len(value) < 10 or value not in ended.stdout
        return ended.stdout.splitlines()

    def tokens(self, user: str) -> dict[str, str]:
        """Name and hash of each token that is saved."""
        lines = [line.split(" ") for line in (self.users / user).read_text(encoding="utf-8").splitlines()]
        names = [name for _, name, _ in lines]
        assert len(set(names)) == len(names)
        return {name: kept for _, name, kept in lines}


@pytest.fixture
def jenkins(classes: Path, tmp_path: Path) -> Controller:
    return Controller(classes, tmp_path)


def kept(value: str) -> str:
    return hashlib.sha256(value[2:].encode()).hexdigest()


def test_the_first_start_gives_each_user_the_token_of_its_secret(jenkins: Controller) -> None:
    assert jenkins.start() == [f"tokens: {user} has the token of its secret" for user in USERS]
    for number, user in enumerate(USERS):
        assert jenkins.tokens(user) == {"platform": kept(f"11{number:032x}")}


def test_the_next_start_changes_nothing(jenkins: Controller) -> None:
    jenkins.start()
    before = {user: (jenkins.users / user).read_bytes() for user in USERS}
    assert jenkins.start() == []
    assert {user: (jenkins.users / user).read_bytes() for user in USERS} == before


def test_a_changed_secret_takes_the_place_of_the_platforms_token_alone(jenkins: Controller) -> None:
    jenkins.started_before()
    with (jenkins.users / "operator").open("a", encoding="utf-8") as tokens:
        tokens.write(f"{OWN}\n")
    assert set(jenkins.tokens("operator")) == {"mine", "platform"}
    jenkins.give("operator", "11" + "c" * 32)
    others = {user: jenkins.tokens(user) for user in USERS if user != "operator"}
    assert jenkins.start() == ["tokens: operator has the token of its secret"]
    assert jenkins.tokens("operator") == {"mine": "0000", "platform": kept("11" + "c" * 32)}
    assert {user: jenkins.tokens(user) for user in others} == others


def test_a_user_who_has_no_tokens_yet_gets_a_place_for_them(jenkins: Controller) -> None:
    (jenkins.users / "viewer").write_text("no property\n", encoding="utf-8")
    assert "tokens: viewer has the token of its secret" in jenkins.start()
    assert set(jenkins.tokens("viewer")) == {"platform"}


def test_a_user_who_is_not_there_is_named(jenkins: Controller) -> None:
    (jenkins.users / "viewer").unlink()
    said = jenkins.start()
    assert "tokens: there is no user viewer: casc.yaml and tokens.groovy do not agree" in said
    assert [user for user in USERS if f"tokens: {user} has the token of its secret" in said] == [
        "admin",
        "operator",
        "release-bot",
    ]
    assert not (jenkins.users / "viewer").exists()


@pytest.mark.parametrize(
    "bad",
    [
        {"admin": "", "operator": "none", "viewer": "11short"},
        {"admin": "12" + "a" * 32, "operator": "11" + "g" * 32, "viewer": "11" + "A" * 32},
        {"admin": "11" + "a" * 33, "operator": "x11" + "a" * 32, "viewer": "11" + "a" * 31 + "\n" + "a"},
    ],
    ids=["no token", "wrong signs", "wrong length"],
)
def test_a_secret_that_is_no_token_is_named_and_no_token_lost(jenkins: Controller, bad: dict[str, str]) -> None:
    jenkins.started_before()
    before = {user: jenkins.tokens(user) for user in bad}
    for user, value in bad.items():
        jenkins.give(user, value)
    jenkins.give("release-bot", "11" + "d" * 32)
    assert jenkins.start() == [
        *(f"tokens: secret jenkins-{user}-token is no API token: make secrets ROTATE=jenkins-{user}-token" for user in bad),
        "tokens: release-bot has the token of its secret",
    ]
    assert {user: jenkins.tokens(user) for user in bad} == before
    assert jenkins.tokens("release-bot") == {"platform": kept("11" + "d" * 32)}


def test_a_secret_that_is_missing_takes_nothing_from_the_others(jenkins: Controller) -> None:
    (jenkins.secrets / "jenkins-admin-token").unlink()
    said = jenkins.start()
    assert said[0] == "tokens: secret jenkins-admin-token is no API token: make secrets ROTATE=jenkins-admin-token"
    assert len(said) == len(USERS)
    assert all(jenkins.tokens(user) for user in USERS[1:])


def test_the_users_are_those_of_the_configuration() -> None:
    made = [user["id"] for user in controller.tree()["jenkins"]["securityRealm"]["local"]["users"]]
    assert made == list(USERS)
    assert str(list(USERS)) in SCRIPT.read_text(encoding="utf-8")
