"""`make secrets`: made once, whole, owned by the reader, never shown; rotated and given by name."""

from __future__ import annotations

import errno
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from infra.platform import files
from infra.platform.catalogue import SECRETS, Kind
from tests.infra.platform.site import Site

# Every file, as people who set up the containers know it: owner and mode.
TABLE = {
    **{f"jenkins-{user}-password": (1000, 0o400) for user in ("admin", "operator", "viewer", "release-bot")},
    **{f"jenkins-{user}-token": (1000, 0o400) for user in ("admin", "operator", "viewer", "release-bot")},
    **dict.fromkeys(["webhook-hmac", "webhook-token", "agent-ssh-key", "frp-token", "frp-admin-password"], (1000, 0o400)),
    **dict.fromkeys(["hf-read-token", "hf-write-token", "git-token"], (1000, 0o400)),
    **dict.fromkeys(["agent-host-key", "portainer-admin-password", "portainer-developer-password"], (0, 0o400)),
    **dict.fromkeys(["agent-ssh-key.pub", "agent-host-key.pub"], (0, 0o444)),
    "frp-ca": (1000, 0o444),
}
FORMS = {
    r"jenkins-.*-password|portainer-.*": r"[A-Za-z0-9]{32}",
    r"jenkins-.*-token": r"11[0-9a-f]{32}",
    r"webhook-.*|frp-token|frp-admin-password": r"[0-9a-f]{64}",
    r"agent-.*-key": r"-----BEGIN OPENSSH PRIVATE KEY-----\n[^-]+-----END OPENSSH PRIVATE KEY-----\n",
    r"agent-.*-key\.pub": r"ssh-ed25519 \S+\n",
    r"frp-ca|hf-.*|git-token": r"none",
}


def owners_and_modes(folder: Path) -> dict[str, tuple[int, int]]:
    return {path.name: (path.lstat().st_uid, stat.S_IMODE(path.lstat().st_mode)) for path in folder.iterdir()}


def test_each_is_made_with_its_form_its_owner_and_its_mode(site: Site) -> None:
    table = site.secrets()
    assert owners_and_modes(site.place.secrets) == TABLE
    assert stat.S_IMODE(site.place.secrets.stat().st_mode) == 0o700
    contents = site.contents()
    for name, content in contents.items():
        form = next(form for names, form in FORMS.items() if re.fullmatch(names, name))
        assert re.fullmatch(form, content.decode()), name
    made = {name: content for name, content in contents.items() if content != b"none"}
    assert len(set(made.values())) == len(made)
    assert table.splitlines()[-1] == "22 secrets in infra/secrets: 18 made, 4 none"
    assert re.search(r"^agent-ssh-key.pub +made$", table, re.MULTILINE)
    assert "hf-write-token                none    nothing is published to the Hub." in table


def test_it_shows_no_value_and_no_value_is_in_a_command(site: Site) -> None:
    # Whatever it calls is written down: ssh-keygen alone.
    programs = site.root.parent / "programs"
    programs.mkdir()
    calls = site.root.parent / "calls"
    (programs / "ssh-keygen").write_text(f'#!/bin/sh\necho "$*" >>"{calls}"\nexec {shutil.which("ssh-keygen")} "$@"\n')
    (programs / "ssh-keygen").chmod(0o755)
    path = f"{programs}:{site.environment['PATH']}"
    shown = site.secrets(PATH=path) + site.secrets(PATH=path)
    shown += "".join(
        site.secrets(PATH=path, ROTATE=one.name) for one in SECRETS if not one.given and one.kind is not Kind.PUBLIC_KEY
    )
    shown += calls.read_text()
    for name, content in site.contents().items():
        if content != b"none":
            assert content.decode().split()[-1] not in shown, name
    assert calls.read_text().count("-t ed25519") == 4


def test_a_second_call_changes_nothing(site: Site) -> None:
    site.secrets()
    before, times = site.contents(), {path: path.stat().st_mtime_ns for path in site.place.secrets.iterdir()}
    assert site.secrets().splitlines()[-1] == "22 secrets in infra/secrets: 18 there, 4 none"
    assert site.contents() == before
    assert {path: path.stat().st_mtime_ns for path in site.place.secrets.iterdir()} == times


def test_only_what_is_missing_is_made(site: Site) -> None:
    site.secrets()
    before = site.contents()
    (site.place.secrets / "webhook-hmac").unlink()
    assert "17 there" in site.secrets()
    after = site.contents()
    assert {name for name in before if before[name] != after[name]} == {"webhook-hmac"}


def test_wrong_owners_and_modes_are_set_right_and_contents_stay(site: Site) -> None:
    site.secrets()
    before = site.contents()
    (site.place.secrets / "webhook-hmac").chmod(0o644)
    os.chown(site.place.secrets / "frp-token", 0, 0)
    site.place.secrets.chmod(0o755)
    table = site.secrets()
    assert re.findall(r"^(\S+) +mended", table, re.MULTILINE) == ["webhook-hmac", "frp-token"]
    assert owners_and_modes(site.place.secrets) == TABLE
    assert stat.S_IMODE(site.place.secrets.stat().st_mode) == 0o700
    assert site.contents() == before


def test_an_empty_one_is_named_and_left(site: Site) -> None:
    site.secrets()
    (site.place.secrets / "frp-token").write_bytes(b"")
    assert re.search(r"^frp-token +empty +sudo make secrets ROTATE=frp-token$", site.secrets(), re.MULTILINE)


def test_the_folder_belongs_to_whoever_called_sudo(site: Site) -> None:
    site.secrets(SUDO_UID="1234", SUDO_GID="1235")
    about = site.place.secrets.stat()
    assert (about.st_uid, about.st_gid) == (1234, 1235)
    assert owners_and_modes(site.place.secrets) == TABLE


def test_without_root_it_says_the_command_and_writes_nothing(open_site: Site) -> None:
    done = open_site.run_as(1000, "secrets")
    assert done.returncode == 2
    assert done.stderr == (
        "secrets: Secrets belong to their readers (uid 0), so this needs root: sudo make secrets. Nothing was written.\n"
    )
    assert not open_site.place.secrets.exists()


def test_without_root_a_rotation_says_its_command(open_site: Site) -> None:
    open_site.secrets(SUDO_UID="1001", SUDO_GID="1001")
    before = open_site.contents()
    done = open_site.run_as(1001, "secrets", ROTATE="webhook-hmac")
    assert done.returncode == 2
    assert "needs root: sudo make secrets ROTATE=webhook-hmac." in done.stderr
    given = open_site.run_as(1001, "secrets", GIVE="hf-read-token", FILE="x")
    assert "needs root: sudo make secrets GIVE=hf-read-token FILE=x." in given.stderr
    assert open_site.contents() == before
    # Where nothing is left to do, no root is needed to look.
    assert open_site.run_as(1001, "secrets").returncode == 0


def test_without_ssh_keygen_it_says_what_to_install_and_writes_nothing(site: Site) -> None:
    done = site.run(sys.executable, "infra/bin/secrets", PATH=str(site.root))
    assert done.returncode == 1
    assert "ssh-keygen is not on PATH: install it, on Debian and Ubuntu with `sudo apt install openssh-client`." in done.stderr
    assert not site.place.secrets.exists()


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("folder", "is a folder (Docker makes one where a file is missing)"),
        ("link", "is a link"),
        ("pipe", "is no regular file"),
    ],
)
def test_what_is_no_file_is_refused_before_anything_is_written(site: Site, kind: str, words: str) -> None:
    path = site.place.secrets / "frp-token"
    site.place.secrets.mkdir(mode=0o700)
    other = site.root / "other"
    other.write_text("mine")
    if kind == "folder":
        path.mkdir()
    elif kind == "link":
        path.symlink_to(other)
    else:
        os.mkfifo(path)
    for more in ({"ROTATE": ""}, {"ROTATE": "frp-token"}):
        done = site.run("infra/bin/secrets", **more)
        assert done.returncode == 1
        assert f"infra/secrets/frp-token {words}: remove it, then call it again." in done.stderr
    assert [entry.name for entry in site.place.secrets.iterdir()] == ["frp-token"]
    assert other.read_text() == "mine"


def test_a_folder_that_is_a_link_is_refused(site: Site) -> None:
    (site.root / "elsewhere").mkdir()
    site.place.secrets.symlink_to(site.root / "elsewhere")
    done = site.run("infra/bin/secrets")
    assert (done.returncode, done.stderr) == (1, "secrets: infra/secrets is no folder: move it away, then call it again.\n")
    assert list((site.root / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("name", [one.name for one in SECRETS if not one.given and one.kind is not Kind.PUBLIC_KEY])
def test_a_rotation_makes_that_one_anew_and_says_who_must_know(site: Site, name: str) -> None:
    site.secrets()
    before = site.contents()
    said = site.secrets(ROTATE=name)
    after = site.contents()
    pair = {name, f"{name}.pub"} if name.startswith("agent-") else {name}
    assert {one for one in before if before[one] != after[one]} == pair
    assert owners_and_modes(site.place.secrets) == TABLE
    assert said.startswith(f"{name} is made anew.\n")
    services = next(one.services for one in SECRETS if one.name == name)
    if services:
        assert f"docker compose --file infra/docker-compose.yml up -d --force-recreate {' '.join(services)}\n" in said
    others = {"webhook-hmac": "GitHub", "jenkins-operator-token": "mlops-console login", "frp-token": "frps"}
    assert others.get(name, "") in said


def test_a_pair_is_named_by_either_half(site: Site) -> None:
    site.secrets()
    before = site.contents()
    assert site.secrets(ROTATE="agent-host-key.pub").startswith("agent-host-key is made anew.")
    after = site.contents()
    assert {one for one in before if before[one] != after[one]} == {"agent-host-key", "agent-host-key.pub"}
    derived = subprocess.run(
        ["ssh-keygen", "-y", "-f", site.place.secrets / "agent-host-key"], capture_output=True, text=True, check=True
    ).stdout
    assert derived.split()[:2] == after["agent-host-key.pub"].decode().split()


def test_a_lost_public_half_is_made_from_its_key(site: Site) -> None:
    site.secrets()
    before = site.contents()
    (site.place.secrets / "agent-ssh-key.pub").unlink()
    site.secrets()
    assert site.contents() == before


def test_a_public_half_without_its_key_is_refused(site: Site) -> None:
    site.secrets()
    (site.place.secrets / "agent-ssh-key").unlink()
    (site.place.secrets / "frp-token").unlink()
    done = site.run("infra/bin/secrets")
    assert done.returncode == 1
    assert "Make the pair anew: sudo make secrets ROTATE=agent-ssh-key" in done.stderr
    assert not (site.place.secrets / "frp-token").exists()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"ROTATE": "webhook-hmc"}, "There is no secret webhook-hmc. Did you mean webhook-hmac?"),
        ({"ROTATE": "../../etc/passwd"}, "There is no secret ../../etc/passwd."),
        ({"ROTATE": "webhook-hmac", "GIVE": "git-token"}, "ROTATE and GIVE are two different wishes: name one of them."),
        ({"GIVE": "webhook-hmac"}, "webhook-hmac is made and not given: sudo make secrets ROTATE=webhook-hmac"),
    ],
)
def test_wrong_words_are_refused_with_a_sentence(site: Site, more: dict[str, str], words: str) -> None:
    done = site.run("infra/bin/secrets", **more)
    assert (done.returncode, done.stderr) == (2, f"secrets: {words}\n")
    assert not site.place.secrets.exists()


def test_make_passes_the_words_on(site: Site) -> None:
    site.run("make", "secrets").check_returncode()
    before = site.contents()
    assert site.run("make", "secrets", "ROTATE=webhook-token").stdout.startswith("webhook-token is made anew.")
    assert site.contents()["webhook-token"] != before["webhook-token"]


def test_what_a_killed_one_left_half_written_goes(site: Site) -> None:
    site.secrets()
    half = site.place.secrets / ".webhook-hmac.new"
    half.write_text("half")
    (site.place.secrets / ".agent-ssh-key.new").mkdir()
    (site.place.secrets / ".agent-ssh-key.new" / "key").write_text("half")
    site.secrets()
    assert set(site.contents()) == set(TABLE)


def test_two_at_once_make_each_once(site: Site) -> None:
    command = [site.root / "infra/bin/secrets"]
    both = [subprocess.Popen(command, env=site.environment, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    tables = [process.communicate(timeout=60)[0] for process in both]
    made = [set(re.findall(r"^(\S+) +made$", table, re.MULTILINE)) for table in tables]
    assert len(made[0]) + len(made[1]) == 18
    assert made[0] | made[1] == {one.name for one in SECRETS if not one.given}


def test_a_file_has_its_mode_before_anything_is_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int]] = []
    real = os.fchmod

    def spy(handle: int, mode: int) -> None:
        for _ in range(2):
            about = os.fstat(handle)
            seen.append((stat.S_IMODE(about.st_mode), about.st_size))
            real(handle, mode)

    monkeypatch.setattr(os, "fchmod", spy)
    old = os.umask(0)
    try:
        files.put(tmp_path / "it", b"secret", mode=0o444, owner=(os.geteuid(), os.getegid()))
    finally:
        os.umask(old)
    assert seen == [(0o400, 0), (0o444, 0)]
    assert (tmp_path / "it").read_bytes() == b"secret"


def test_a_file_that_could_not_be_written_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "it"
    path.write_bytes(b"old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        files.put(path, b"new", mode=0o400, owner=(os.geteuid(), os.getegid()))
    assert [entry.name for entry in tmp_path.iterdir()] == ["it"]
    assert path.read_bytes() == b"old"
