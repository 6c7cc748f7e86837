"""`preflight`: all that is wrong at once, a line each with what, where, and what to do."""

from __future__ import annotations

import os
import shutil
import socket
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infra.platform import checks, settings
from infra.platform.place import Place
from tests.infra.platform.site import FIXTURES, Site
from tests.support.engine import Engine
from tests.support.images import BUSYBOX

GOOD = {"MLOPS_REPOSITORY_URL": "https://git.test/mlops.git", "MLOPS_GPUS": "none"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Secrets as they are made, for copies."""
    if os.geteuid() != 0 or shutil.which("ssh-keygen") is None:
        pytest.skip("secrets cannot be made here")
    site = Site(tmp_path_factory.mktemp("made"))
    site.secrets()
    return site.place.secrets


@pytest.fixture
def place(tmp_path: Path, made: Path) -> Place:
    """A folder with good secrets and nothing else."""
    found = Place(tmp_path)
    found.infra.mkdir()
    found.secrets.mkdir(mode=0o700)
    for path in made.iterdir():
        copy = found.secrets / path.name
        shutil.copy2(path, copy)
        os.chown(copy, path.stat().st_uid, path.stat().st_gid)
    return found


def put(path: Path, content: bytes) -> None:
    """Other content, the same owner and mode."""
    about = path.stat()
    path.unlink()
    path.write_bytes(content)
    os.chown(path, about.st_uid, about.st_gid)
    path.chmod(stat.S_IMODE(about.st_mode))


def folder_for(path: Path) -> None:
    path.unlink()
    path.mkdir()


def link_for(path: Path) -> None:
    path.rename(path.with_name("moved"))
    path.symlink_to("moved")


def file_for(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.touch()


def pipe_for(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


MAKE = "sudo make secrets"
OTHER_KEY = b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBLwJx0pqqDB2yl7oHzYCM5FHPVjvNQXKDQ6Vjs0FQiN\n"
IS_FOLDER = f"is a folder (Docker makes one where a file is missing). Remove it, then: {MAKE}"


@pytest.mark.parametrize(
    ("name", "ruin", "words"),
    [
        ("webhook-hmac", Path.unlink, f"is missing. Make it: {MAKE}"),
        ("frp-token", folder_for, IS_FOLDER),
        ("frp-token", link_for, f"is a link. Remove it, then: {MAKE}"),
        ("frp-token", pipe_for, f"is no regular file. Remove it, then: {MAKE}"),
        (
            "git-token",
            lambda path: os.chown(path, 0, 0),
            f"belongs to uid 0, and its reader is uid 1000. {MAKE} sets it right.",
        ),
        ("agent-host-key", lambda path: os.chown(path, 1000, 0), "belongs to uid 1000, and its reader is uid 0."),
        ("webhook-hmac", lambda path: path.chmod(0o644), "can be read by everybody (0644; it should be 0400)."),
        ("webhook-hmac", lambda path: path.chmod(0o440), "can be read by its group (0440; it should be 0400)."),
        ("agent-ssh-key.pub", lambda path: path.chmod(0o646), "can be changed by everybody (0646; it should be 0444)."),
        ("frp-ca", lambda path: path.chmod(0o464), "can be changed by its group (0464; it should be 0444)."),
        ("frp-ca", lambda path: path.chmod(0o400), "cannot be read by its reader (0400; it should be 0444)."),
        ("frp-token", lambda path: path.chmod(0o500), f"has the wrong mode (0500; it should be 0400). {MAKE} sets it right."),
        ("frp-token", lambda path: put(path, b""), f"is empty. Make it anew: {MAKE} ROTATE=frp-token"),
        ("hf-read-token", lambda path: put(path, b""), f"is empty. Make it anew: {MAKE} GIVE=hf-read-token FILE=path"),
        ("jenkins-viewer-token", lambda path: put(path, b"a" * 34), "is not `11` and 32 lower-case hex digits, the form"),
        ("jenkins-admin-password", lambda path: put(path, b"admin"), "is not 32 letters and digits. Make it anew:"),
        ("webhook-token", lambda path: put(path, b"F" * 64), f"is not 64 lower-case hex digits. Make it anew: {MAKE} ROTATE="),
        ("agent-host-key", lambda path: put(path, b"x"), "is not an OpenSSH key. Make it anew:"),
        ("agent-host-key.pub", lambda path: put(path, b"ssh-ed25519 AAAA me@here"), f"{MAKE} ROTATE=agent-host-key"),
        ("agent-ssh-key.pub", lambda path: put(path, OTHER_KEY), "does not belong to agent-ssh-key. Make the pair anew:"),
        ("hf-write-token", lambda path: put(path, b"a b"), "has a blank in it, and no token has one. Give it again:"),
        ("hf-write-token", lambda path: put(path, b" \n"), "is empty. Give it again:"),
        ("frp-ca", lambda path: put(path, b"hello"), "is no certificate in PEM form"),
    ],
)
def test_each_fault_of_a_secret_is_one_line(place: Place, name: str, ruin: Callable[[Path], None], words: str) -> None:
    ruin(place.secrets / name)
    found = checks.of_secrets(place)
    assert len(found.wrong) == 1, found.wrong
    assert found.wrong[0].startswith(f"infra/secrets/{name} ")
    assert words in found.wrong[0]


def test_a_key_that_cannot_be_read_by_ssh_keygen_is_told(place: Place) -> None:
    put(
        place.secrets / "agent-ssh-key",
        b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
    )
    (line,) = checks.of_secrets(place).wrong
    assert line.startswith("infra/secrets/agent-ssh-key cannot be compared with its .pub: ssh-keygen refused: ")


def test_good_ones_are_no_fault_and_a_last_line_end_neither(place: Place) -> None:
    put(place.secrets / "webhook-hmac", (place.secrets / "webhook-hmac").read_bytes() + b"\n")
    put(place.secrets / "frp-ca", (FIXTURES / "ca.pem").read_bytes())
    found = checks.of_secrets(place)
    assert (found.wrong, found.unread, found.none) == ([], [], ["hf-read-token", "hf-write-token", "git-token"])


def test_many_faults_are_told_at_once_and_never_a_value(place: Place) -> None:
    put(place.secrets / "hf-write-token", b"hf_oh no")
    put(place.secrets / "jenkins-admin-password", b"hunter2")
    (place.secrets / "webhook-hmac").unlink()
    place.secrets.chmod(0o755)
    found = checks.of_secrets(place)
    assert [line.split()[0] for line in found.wrong] == [
        "infra/secrets",
        *("infra/secrets/jenkins-admin-password", "infra/secrets/webhook-hmac", "infra/secrets/hf-write-token"),
    ]
    assert "infra/secrets is open to others (0755). sudo make secrets closes it." in found.wrong
    assert not {"hf_oh", "hunter2"} & set(" ".join(found.wrong).split())


@pytest.mark.parametrize(
    ("ruin", "words"),
    [
        (shutil.rmtree, f"infra/secrets is missing. Make it: {MAKE}"),
        (file_for, f"infra/secrets is no folder. Move it away, then: {MAKE}"),
        (link_for, "infra/secrets is no folder."),
    ],
)
def test_a_fault_of_the_folder_is_one_line(place: Place, ruin: Callable[[Path], object], words: str) -> None:
    ruin(place.secrets)
    (line,) = checks.of_secrets(place).wrong
    assert words in line


@contextmanager
def listening() -> Iterator[int]:
    """A port of 127.0.0.1 that is taken meanwhile."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The group of a socket that stands for the Engine's."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        os.chown(tmp_path / "s", 0, 4711)
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path / 's'}")
        yield 4711


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"MLOPS_REPOSITORY_URL": ""}, "MLOPS_REPOSITORY_URL is not set in infra/.env: it is where the code is fetched from"),
        (
            {"MLOPS_REPOSITORY_URL": "https://a:b@git.test/x"},
            "has a user or password in it: take it out, and sudo make secrets GIVE=",
        ),
        (
            {"MLOPS_REPOSITORY_URL": "git@git.test:ann/x.git"},
            "MLOPS_REPOSITORY_URL is 'git@git.test:ann/x.git' in infra/.env: expected an https:// address",
        ),
        ({"DOCKER_GID": ""}, "DOCKER_GID is not set in infra/.env, and the group of {socket} is 4711: set DOCKER_GID=4711"),
        ({"DOCKER_GID": "999"}, "DOCKER_GID is '999' in infra/.env, and the group of {socket} is 4711: set DOCKER_GID=4711"),
        (
            {"MLOPS_GPUS": "two"},
            "MLOPS_GPUS is 'two' in infra/.env: expected how many GPUs trainings may use, a number, or none.",
        ),
        ({"MLOPS_GPUS": "3"}, "MLOPS_GPUS is 3 in infra/.env, and nvidia-smi lists 2: set MLOPS_GPUS=2"),
        ({"JENKINS_PORT": "http"}, "JENKINS_PORT is 'http' in infra/.env: expected a port, 1 to 65535."),
        ({"PORTAINER_PORT": "65536"}, "PORTAINER_PORT is '65536' in infra/.env: expected a port, 1 to 65535."),
        (
            {"PORTAINER_PORT": "8080"},
            "JENKINS_PORT and PORTAINER_PORT are the same in infra/.env: each needs a port of its own.",
        ),
        ({"MLOPS_MIN_FREE": "much"}, "MLOPS_MIN_FREE is 'much' in infra/.env: expected a size such as 10g."),
    ],
)
def test_each_fault_of_a_setting_is_one_line(
    tmp_path: Path, group: int, monkeypatch: pytest.MonkeyPatch, values: dict[str, str], words: str
) -> None:
    (tmp_path / "nvidia-smi").write_text(
        "#!/bin/sh\necho 'GPU 0: NVIDIA H200 (UUID: GPU-0)'; echo 'GPU 1: NVIDIA H200 (UUID: GPU-1)'\n"
    )
    (tmp_path / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    (line,) = checks.of_settings({**GOOD, "DOCKER_GID": str(group), **values})
    assert words.format(socket=tmp_path / "s") in line


def test_good_settings_are_no_fault(group: int) -> None:
    assert checks.of_settings({**GOOD, "DOCKER_GID": str(group)}) == []


def test_an_engine_on_another_machine_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "ssh://server")
    (line,) = checks.of_settings(GOOD)
    assert line.startswith("DOCKER_HOST names another machine: the platform runs where its Engine is.")


def test_a_port_is_free_or_ours_or_told() -> None:
    with listening() as port:
        values = {"JENKINS_PORT": str(port), "PORTAINER_PORT": str(port)}
        ours = {"State": {"Running": True}, "HostConfig": {"PortBindings": {"8080/tcp": [{"HostPort": str(port)}]}}}
        lines = checks.of_ports(values, [])
        assert len(lines) == 2
        assert lines[0].startswith(f"Port {port} of 127.0.0.1 is taken by another program (`sudo ss -ltnp sport = :{port}`")
        assert lines[0].endswith("end it, or set JENKINS_PORT in infra/.env to a free one.")
        assert checks.of_ports(values, [ours]) == []
        assert len(checks.of_ports(values, [{**ours, "State": {"Running": False}}])) == 2
    assert checks.of_ports(values, []) == []


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    info = {"DockerRootDir": str(tmp_path)}
    (line,) = checks.of_disk({"MLOPS_MIN_FREE": "900t"}, info)
    assert line.startswith(f"The disk of the Docker Engine ({tmp_path}) has ")
    assert "MLOPS_MIN_FREE wants 921600.0 GiB: `docker system df` shows what takes it." in line
    assert checks.of_disk({"MLOPS_MIN_FREE": "1k"}, info) == []


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=b", "b"),
        (" export A = b c ", "b c"),
        ('A="b # c" # d', "b # c"),
        ("A='b'", "b"),
        ("A=b # c", "b"),
        ("A=b#c", "b#c"),
        ("A=", ""),
        ("A= # c", ""),
        ("A=1\nA=2", "2"),
    ],
)
def test_settings_are_read_as_compose_reads_them(line: str, value: str) -> None:
    assert settings.parse(f"# remark\n\n{line}\n", "infra/.env") == {"A": value}


def test_everything_is_told_at_once_by_the_program(site: Site, engine: Engine) -> None:
    site.environment |= engine.environment
    site.secrets()
    (site.place.secrets / "webhook-hmac").chmod(0o644)
    group = engine.socket.stat().st_gid
    with listening() as port:
        site.write_env(DOCKER_GID="999", JENKINS_PORT=str(port), PORTAINER_PORT="1", MLOPS_REPOSITORY_URL="")
        done = site.run("infra/bin/preflight")
    assert (done.returncode, done.stdout) == (2, "")
    lines = done.stderr.splitlines()
    assert [line.split()[0] for line in lines if not line.startswith("Note: ")] == [
        *("MLOPS_REPOSITORY_URL", "DOCKER_GID", "infra/secrets/webhook-hmac", "Port"),
    ]
    assert f"set DOCKER_GID={group}" in done.stderr
    notes = [line for line in lines if line.startswith("Note: ")]
    assert notes[0].startswith(
        "Note: infra/.env lacks RELEASE_BRANCH, MLOPS_NETWORK, JENKINS_URL, FRP_SERVER_ADDR, FRP_SERVER_PORT:"
    )
    assert notes[1].startswith("Note: Not given: frp-ca, hf-read-token, hf-write-token, git-token.")


def test_what_is_good_is_said_with_versions(site: Site, engine: Engine) -> None:
    site.environment |= engine.environment
    site.secrets()
    site.write_env(DOCKER_GID=str(engine.socket.stat().st_gid), JENKINS_PORT="1", PORTAINER_PORT="2")
    done = site.run("make", "preflight")
    assert done.returncode == 0, done.stderr
    version = engine.docker("compose", "version", "--short").strip()
    assert done.stderr.splitlines()[-1].startswith("Secrets and settings are good; Docker ")
    assert done.stderr.splitlines()[-1].endswith(f", Compose {version}.")


def test_a_port_of_the_platform_itself_is_no_fault(site: Site, engine: Engine) -> None:
    site.environment |= engine.environment
    site.secrets()
    with listening() as port:
        site.write_env(DOCKER_GID=str(engine.socket.stat().st_gid), JENKINS_PORT=str(port), PORTAINER_PORT="1")
        labels = ["--label=com.docker.compose.project=mlops", "--label=com.docker.compose.oneoff=False"]
        publish = ["--network=none", f"--publish=127.0.0.1:{port}:8080"]
        name = engine.docker("run", "--detach", *labels, *publish, BUSYBOX, "sleep", "1000").strip()
        try:
            assert site.run("infra/bin/preflight").returncode == 0
        finally:
            engine.docker("rm", "--force", name)
        assert site.run("infra/bin/preflight").returncode == 2


def test_without_an_engine_the_status_is_3(site: Site, tmp_path: Path) -> None:
    site.secrets()
    site.write_env(JENKINS_PORT="1", PORTAINER_PORT="2", MLOPS_REPOSITORY_URL="")
    done = site.run("infra/bin/preflight", DOCKER_HOST=f"unix://{tmp_path}/nobody")
    assert done.returncode == 3
    assert done.stderr.startswith("The Docker Engine cannot be reached: ")
    assert "Is Docker installed, and is this user in its group?\n" in done.stderr
    assert "MLOPS_REPOSITORY_URL is not set in infra/.env" in done.stderr


@pytest.mark.parametrize(
    ("compose", "words"),
    [
        ('echo "docker: unknown command: docker compose" >&2; exit 1', "Docker Compose is not here (docker compose version): "),
        ("echo 1.29.2", "Docker Compose is 1.29.2, and this platform needs 2.24 or newer: update it."),
        ("echo v2.3.3", "Docker Compose is v2.3.3, and this platform needs 2.24 or newer: update it."),
    ],
    ids=["none", "first", "old"],
)
def test_without_a_compose_that_is_new_enough_the_status_is_3(site: Site, engine: Engine, compose: str, words: str) -> None:
    site.environment |= engine.environment
    site.secrets()
    site.write_env(JENKINS_PORT="1", PORTAINER_PORT="2", DOCKER_GID=str(engine.socket.stat().st_gid))
    docker = site.root / "docker"
    docker.write_text(f'#!/bin/sh\nif [ "$1" = compose ]; then {compose}; else exec {shutil.which("docker")} "$@"; fi\n')
    docker.chmod(0o755)
    done = site.run("infra/bin/preflight", PATH=f"{site.root}:{site.environment['PATH']}")
    assert done.returncode == 3
    assert done.stderr.startswith(words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "infra/.env is missing: once Docker is here, make up writes it from infra/.env.example."),
        ("A=1\nhf_secret\n", "infra/.env line 2 is no setting: write NAME=value, or # before a remark."),
    ],
)
def test_settings_that_cannot_be_read_are_told(site: Site, text: str | None, words: str) -> None:
    site.secrets()
    if text is not None:
        site.place.env.write_text(text)
    done = site.run("infra/bin/preflight", DOCKER_HOST="unix:///nobody")
    assert f"\n{words}\n" in f"\n{done.stderr}"
    assert "hf_secret" not in done.stderr


def test_who_is_not_root_checks_what_may_be_seen(open_site: Site) -> None:
    open_site.secrets(SUDO_UID="1001", SUDO_GID="1001")
    open_site.write_env()
    (open_site.place.secrets / "webhook-hmac").chmod(0o440)
    done = open_site.run_as(1001, "preflight", DOCKER_HOST="unix:///nobody")
    assert "infra/secrets/webhook-hmac can be read by its group" in done.stderr
    assert "Note: What is in 19 secrets was not looked at, this user may not read them: sudo make preflight" in done.stderr
    closed = open_site.run_as(1002, "preflight", DOCKER_HOST="unix:///nobody")
    assert "infra/secrets may not be looked into by this user. Call it with sudo." in closed.stderr
    assert "is missing" not in closed.stderr.replace("infra/.env is missing", "")


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("git@github.com:ann/mlops.git", "https://github.com/ann/mlops.git"),
        ("ssh://git@git.test:2222/ann/mlops.git", "https://git.test/ann/mlops.git"),
        ("ssh://git@git.test/mlops", "https://git.test/mlops"),
        ("https://ann:secret@git.test/mlops.git", "https://ann:secret@git.test/mlops.git"),
        ("/srv/git/mlops.git", "/srv/git/mlops.git"),
    ],
)
def test_the_clones_remote_as_jenkins_can_fetch_from_it(remote: str, address: str) -> None:
    assert settings.over_https(remote) == address
