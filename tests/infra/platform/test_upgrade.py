"""Upgrades on a real Engine: to another commit, back with its data when that does not get healthy, and on after an end."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest

from tests.infra.platform.serving import Server
from tests.infra.platform.test_backup import backups, variables
from tests.support.images import import_busybox
from tests.support.waiting import until_sync


class Clone:
    """A server whose checkout is a clone; `good` is another version that works, `bad` one that does not get healthy."""

    def __init__(self, server: Server) -> None:
        self.server = server
        (server.root / ".gitignore").write_text("infra/.env\ninfra/secrets/\ninfra/state/\n__pycache__/\n")
        server.git("config", "user.email", "ann@git.test")
        server.git("config", "user.name", "Ann")
        self.old = self.commit("v1")
        compose = server.place.compose
        text = compose.read_text()
        (server.place.infra / "gate" / "gate.conf").write_text("new\n")
        compose.write_text(text.replace("LABEL of=platform", "LABEL of=newer"))
        docker = server.place.infra / "jenkins" / "Dockerfile"
        docker.write_text(docker.read_text().replace("of=platform", "of=newer"))
        self.good = self.commit("v2")
        # As a newer program does that writes what an older one cannot read, and then falls over.
        compose.write_text(
            text.replace("cat /state/portainer-words;", "echo newer >/data/portainer.db; cat /state/portainer-words;").replace(
                "exec sleep 1000", "exit 3"
            )
        )
        self.bad = self.commit("v3")
        server.git("checkout", "--quiet", "--detach", "v1")

    def commit(self, tag: str) -> str:
        self.server.git("add", "--all")
        self.server.git("commit", "--quiet", "--message", tag)
        self.server.git("tag", tag)
        return self.head

    @property
    def head(self) -> str:
        return self.server.run("git", "rev-parse", "HEAD").stdout.strip()

    def upgrade(self, to: str, status: int = 0, **more: str) -> str:
        """What it says; its exit status must be this one."""
        done = self.server.run("infra/bin/upgrade", **{"LIMIT": "20", **variables(self.server), "TO": to, **more})
        assert done.returncode == status, done.stdout + done.stderr
        return done.stderr

    def data(self) -> bytes:
        return (self.server.volume("portainer-data") / "portainer.db").read_bytes()

    def image(self) -> str:
        """What the Jenkins that runs is of."""
        return str(self.server.engine.inspect(self.server.containers()["jenkins"])["Config"]["Labels"]["of"])

    def is_clean(self) -> bool:
        """Whether the checkout is its commit and no journey is left."""
        changed = self.server.run("git", "status", "--porcelain").stdout
        left = [path.name for path in (self.server.root / ".git").iterdir() if path.name.startswith(("mlops", "index.lock"))]
        tags = self.server.engine.docker("images", "--format={{.Tag}}", "mlops/jenkins").split()
        return (changed, left, tags) == ("", [], ["latest"])


@pytest.fixture
def clone(server: Server) -> Clone:
    made = Clone(server)
    server.up()
    (server.volume("portainer-data") / "portainer.db").write_bytes(b"older")
    return made


def test_another_version_takes_over_and_the_data_stay(clone: Clone) -> None:
    said = clone.upgrade("v2")
    assert clone.head == clone.good
    assert clone.image() == "newer"
    assert clone.data() == b"older"
    (made,) = backups(clone.server)
    assert said.endswith(f"This is {clone.good[:12]} now, and before it was {clone.old[:12]}; its data: {made}\n")
    assert "gate is made anew: infra/gate/gate.conf has changed since it was started\n" in said
    assert clone.is_clean()


def test_one_that_does_not_get_healthy_is_taken_back_with_its_data(clone: Clone) -> None:
    before = clone.server.contents(), clone.server.place.env.read_bytes()
    said = clone.upgrade("v3", 1)
    assert f"{clone.bad[:12]} did not get healthy: going back to {clone.old[:12]}.\n" in said
    assert said.endswith(f"The platform is {clone.old[:12]} again, with its data.\n")
    assert clone.head == clone.old
    assert clone.data() == b"older"
    assert (clone.server.contents(), clone.server.place.env.read_bytes()) == before
    assert clone.is_clean()
    assert clone.server.up().endswith("Everything ran as it should: nothing was changed.\n")


def test_the_way_back_takes_the_images_of_before_and_builds_none(server: Server) -> None:
    docker = server.place.infra / "jenkins" / "Dockerfile"
    text = docker.read_text()
    import_busybox(server.engine, "once:test")
    docker.write_text(text.replace("FROM ${BASE_IMAGE}${BASE_DIGEST}", "FROM once:test"))
    clone = Clone(server)
    server.up()
    server.engine.docker("image", "rm", "once:test")
    server.engine.docker("builder", "prune", "--all", "--force")
    docker.write_text(text)
    compose = server.place.compose
    compose.write_text(compose.read_text().replace("exec sleep 1000", "exit 3"))
    clone.commit("v4")
    server.git("checkout", "--quiet", "--detach", "v1")
    assert clone.upgrade("v4", 1).endswith(f"The platform is {clone.old[:12]} again, with its data.\n")
    assert clone.head == clone.old
    assert "docker compose build failed" in server.up(1)


def test_one_that_cannot_even_be_built_leaves_what_runs(clone: Clone) -> None:
    before = clone.server.containers()
    (clone.server.place.infra / "jenkins" / "Dockerfile").write_text("FROM none.test/nowhere\n")
    clone.commit("v4")
    clone.server.git("checkout", "--quiet", "--detach", "v1")
    assert "docker compose build failed" in clone.upgrade("v4", 1)
    assert clone.server.containers() == before
    assert clone.head == clone.old
    assert clone.is_clean()


def test_the_same_version_changes_nothing(clone: Clone) -> None:
    before = clone.server.containers()
    assert clone.upgrade("v1").endswith("Everything ran as it should: nothing was changed.\n")
    assert clone.server.containers() == before
    assert not Path(variables(clone.server)["BACKUP_DIR"]).exists()


def test_what_was_changed_on_the_server_alone_is_named_and_kept(clone: Clone) -> None:
    clone.server.config.write_text("mine\n")
    said = clone.upgrade("v2", 1)
    assert said == (
        "upgrade: Changed here and nowhere else: infra/gate/gate.conf. "
        "Commit them, or put them back with git checkout. Nothing was done.\n"
    )
    assert clone.server.config.read_text() == "mine\n"
    assert clone.head == clone.old


@pytest.mark.parametrize(
    ("to", "said"),
    [
        ("", "upgrade: Say what to upgrade to: make upgrade TO=v1.2.0, a tag, a branch of origin or a commit.\n"),
        ("--force", "upgrade: '--force' is no tag, branch or commit.\n"),
    ],
)
def test_a_wrong_word_is_told(server: Server, to: str, said: str) -> None:
    Clone(server)
    done = server.run("infra/bin/upgrade", TO=to)
    assert (done.returncode, done.stderr) == (2, said)


def test_a_branch_of_origin_is_fetched(clone: Clone) -> None:
    origin = clone.server.root.parent / "origin"
    clone.server.git("clone", "--quiet", "--bare", ".", str(origin))
    clone.server.git("--git-dir", str(origin), "branch", "--force", "release/1", "v2")
    clone.server.git("remote", "set-url", "origin", str(origin))
    clone.server.git("tag", "--delete", "v2")
    clone.upgrade("release/1")
    assert clone.head == clone.good


@pytest.mark.parametrize(
    ("to", "at"),
    [
        ("v2", "Building"),
        ("v2", "Starting"),
        ("v3", "Starting"),
        ("v3", "going back"),
        ("v3", "The backup is of"),
    ],
)
def test_one_that_was_killed_ends_the_same_when_it_is_called_again(clone: Clone, to: str, at: str) -> None:
    told = clone.server.root.parent / "told"
    environment = {**clone.server.environment, **variables(clone.server), "TO": to, "LIMIT": "20"}
    with told.open("wb") as output:
        process = subprocess.Popen(
            [clone.server.root / "infra/bin/upgrade"], env=environment, stderr=output, start_new_session=True
        )
        until_sync(lambda: at in told.read_text(), f"it to say {at}", 60)
        for pid in (process.pid, *children(process.pid)):
            signal_to(pid)
        process.wait()
    status = 0 if to == "v2" else 1
    clone.upgrade(to, status)
    assert clone.head == {"v2": clone.good, "v3": clone.old}[to]
    assert clone.data() == b"older"
    assert clone.is_clean()
    assert clone.server.up().endswith("Everything ran as it should: nothing was changed.\n")


def children(pid: int) -> list[int]:
    """All that it has started, and what those have."""
    found = []
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        found += [int(child), *children(int(child))]
    return found


def signal_to(pid: int) -> None:
    subprocess.run(["kill", f"-{signal.SIGKILL}", str(pid)], check=False, capture_output=True)


def test_a_journey_that_nobody_can_read_is_told(clone: Clone) -> None:
    (clone.server.root / ".git" / "mlops-upgrade").write_text(json.dumps({"other": 1}))
    assert "cannot be understood" in clone.upgrade("v2", 1)
    assert clone.head == clone.old
