"""Backups and their restore on a real Engine: all of it, encrypted, whole or not there at all."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import signal
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.infra.platform.serving import Server
from tests.support.waiting import until_sync

ROOT = Path(__file__).parents[3]
HOST = os.uname().nodename


def variables(server: Server) -> dict[str, str]:
    """Where its backups and their key are."""
    folder = server.root.parent / "kept"
    return {"BACKUP_DIR": str(folder / "backups"), "BACKUP_KEY": str(folder / "etc" / "backup.key")}


def backups(server: Server) -> list[Path]:
    return sorted(Path(variables(server)["BACKUP_DIR"]).iterdir())


def backup(server: Server, status: int = 0, **more: str) -> str:
    """What it says; its exit status must be this one."""
    done = server.run("infra/bin/backup", **variables(server), **more)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stderr


def restore(server: Server, status: int = 0, **more: str) -> str:
    done = server.run("infra/bin/restore", **{**variables(server), "CONFIRM": HOST, **more})
    assert done.returncode == status, done.stdout + done.stderr
    return done.stderr


def fill(server: Server) -> None:
    """Something of every kind that a Jenkins home has."""
    home = server.volume("jenkins-home")
    os.chown(home, 1000, 1000)
    (home / "jobs" / "train" / "builds" / "12").mkdir(parents=True)
    (home / "jobs" / "train" / "builds" / "12" / "log").write_bytes(b"epoch 1\n" * 100_000)
    (home / "jobs" / "train" / "builds" / "lastStable").symlink_to("12")
    os.link(home / "jobs" / "train" / "builds" / "12" / "log", home / "jobs" / "same")
    (home / "secret.key").write_text("k")
    (home / "secret.key").chmod(0o600)
    (home / "ジョブ \n.txt").write_text("named by people")
    for name in ("workspace", "war", "caches"):
        (home / name).mkdir()
        (home / name / "large").write_text("made anew")
    for path in home.rglob("*"):
        os.chown(path, 1000, 1000, follow_symlinks=False)
    (server.volume("portainer-data") / "portainer.db").write_bytes(bytes(range(256)) * 64)


def state(server: Server) -> dict[str, tuple[int, int, int, int, bytes]]:
    """Owner, mode, time and content of everything that a backup has to bring back."""
    found = {}
    for top in (server.volume("jenkins-home"), server.volume("portainer-data"), server.place.secrets):
        for path in [top, *top.rglob("*")]:
            name = f"{top.parent.name}/{path.relative_to(top)}"
            if not re.search(r"/(workspace|war|caches)(/|$)", name):
                about = path.lstat()
                content = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes() if path.is_file() else b""
                found[name] = about.st_uid, about.st_gid, about.st_mode, int(about.st_mtime), content
    found["env"] = 0, 0, 0, 0, server.place.env.read_bytes()
    return found


@pytest.fixture
def kept(server: Server) -> Server:
    server.up()
    fill(server)
    return server


def test_backup_wipe_restore_brings_the_same_state_back(kept: Server) -> None:
    before = state(kept)
    assert len(before) > 30
    said = backup(kept)
    (made,) = backups(kept)
    assert re.fullmatch(r"mlops-\d{8}T\d{6}Z\.tar\.gz\.gpg", made.name)
    assert f"{made} is whole: it was read back. 1 of at most 14 backups are in {made.parent}.\n" in said
    assert "Keep a copy of it away from this server" in said
    assert (made.stat().st_mode & 0o7777, made.parent.stat().st_mode & 0o7777) == (0o600, 0o700)

    kept.run("infra/bin/destroy", CONFIRM=HOST, **variables(kept)).check_returncode()
    shutil.rmtree(kept.place.secrets)
    kept.place.env.unlink()
    said = restore(kept)
    assert state(kept) == before
    assert said.endswith("All is up. Jenkins: http://localhost:8080/\n")
    assert not (kept.volume("jenkins-home") / "workspace").exists()
    assert {path.name for path in kept.volume("jenkins-home").parent.iterdir()} == {"_data"}
    labels = json.loads(kept.engine.docker("volume", "inspect", "mlops_jenkins-home"))[0]["Labels"]
    assert labels["com.docker.compose.volume"] == "jenkins-home"


def test_what_came_after_a_backup_is_gone_with_its_restore(kept: Server) -> None:
    backup(kept)
    before = state(kept)
    (kept.volume("jenkins-home") / "later").write_text("x")
    (kept.place.secrets / "webhook-hmac").unlink()
    restore(kept)
    assert state(kept) == before


def test_it_opens_without_this_program(kept: Server) -> None:
    """The command is the one in docs/operations.md."""
    backup(kept)
    (made,) = backups(kept)
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    found = re.search(r"^    (gpg --batch .*--decrypt FILE \| tar .*)$", page, re.MULTILINE)
    assert found
    command = found[1].replace("KEY", variables(kept)["BACKUP_KEY"]).replace("FILE", str(made))
    folder = kept.root.parent / "opened"
    folder.mkdir()
    environment = {**os.environ, "GNUPGHOME": str(folder)}
    subprocess.run(["sh", "-euc", command], cwd=folder, env=environment, check=True, capture_output=True)
    assert (folder / "volumes" / "jenkins-home" / "secret.key").read_text() == "k"
    assert (folder / "volumes" / "jenkins-home" / "secret.key").stat().st_uid == 1000
    assert json.loads((folder / "about.json").read_text())["host"] == HOST


def test_nothing_of_it_can_be_read_without_the_key(kept: Server) -> None:
    (kept.place.secrets / "webhook-token").read_bytes()
    backup(kept)
    (made,) = backups(kept)
    assert b"portainer" not in made.read_bytes()
    other = kept.root.parent / "other"
    other.write_text("0" * 64)
    before = state(kept), kept.containers()
    assert restore(kept, 1, BACKUP_KEY=str(other)) == f"restore: The backup was made with another key than {other}.\n"
    assert "is not here or cannot be read" in restore(kept, 1, BACKUP_KEY=str(kept.root / "none"))
    assert (state(kept), kept.containers()) == before


def test_a_damaged_one_touches_nothing(kept: Server) -> None:
    backup(kept)
    (made,) = backups(kept)
    content = made.read_bytes()
    middle = len(content) // 2
    before = state(kept), kept.containers()
    for damaged in (
        *(
            content[:-100],
            content[:-1],
            content[:middle],
            content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :],
        ),
        *(content + content, b"", b"no backup"),
    ):
        made.write_bytes(damaged)
        said = restore(kept, 1)
        assert said.startswith("restore: ")
        assert said.count("\n") == 1
        assert (state(kept), kept.containers()) == before
    assert {path.name for path in kept.volume("jenkins-home").parent.iterdir()} == {"_data"}
    assert [path.name for path in kept.place.infra.iterdir() if path.name.startswith(".secrets")] == []


def test_an_archive_of_something_else_touches_nothing(kept: Server) -> None:
    backup(kept)
    (made,) = backups(kept)
    for name in ("volumes/jenkins-home/../../../../etc/cron.d/x", "volumes/other/x", "etc/passwd", "secrets/../../x"):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
            archive.addfile(tarfile.TarInfo(name), io.BytesIO())
        key = variables(kept)["BACKUP_KEY"]
        made.unlink()
        words = ["gpg", "--batch", "--no-autostart", "--no-symkey-cache", "--pinentry-mode=loopback", "--s2k-count=65011712"]
        words += [f"--passphrase-file={key}", f"--output={made}", "--symmetric"]
        subprocess.run(words, input=buffer.getvalue(), check=True, capture_output=True)
        before = state(kept), kept.containers()
        assert "The backup has " in restore(kept, 1)
        assert (state(kept), kept.containers()) == before


def test_services_that_are_read_stand_still_for_that_time_and_go_on(kept: Server) -> None:
    backup(kept)
    ours = [f"--filter=container={one}" for one in kept.containers().values()]
    log = kept.engine.docker("events", "--since=5m", "--until=0s", *ours, "--format={{.Action}} {{.Actor.Attributes.name}}")
    acts = [line for line in log.splitlines() if "pause" in line]
    names = ("mlops-jenkins-1", "mlops-portainer-1")
    assert acts == [f"{act} {name}" for name in names for act in ("pause", "unpause")]
    assert kept.engine.inspect(kept.containers()["jenkins"])["State"]["Health"]["Status"] == "healthy"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_one_that_is_ended_leaves_nothing_and_the_next_one_is_whole(kept: Server, number: signal.Signals) -> None:
    large = kept.volume("jenkins-home") / "large"
    with large.open("wb") as file:
        for _ in range(8):
            file.write(os.urandom(1 << 24))
    folder = Path(variables(kept)["BACKUP_DIR"])
    environment = {**kept.environment, **variables(kept)}
    with subprocess.Popen([kept.root / "infra/bin/backup"], env=environment, stderr=subprocess.PIPE) as process:
        until_sync(lambda: any(one.stat().st_size > 1 << 20 for one in folder.glob(".*.new")), "it to be in the middle")
        process.send_signal(number)
        process.communicate()
        assert process.returncode not in {0, 1}
    if number != signal.SIGKILL:
        assert list(folder.iterdir()) == []
        assert not paused(kept)
    backup(kept)
    assert len(backups(kept)) == 1
    assert not paused(kept)


def paused(server: Server) -> bool:
    return any(server.engine.inspect(one)["State"]["Paused"] for one in server.containers().values())


def test_no_space_leaves_the_older_ones(kept: Server) -> None:
    backup(kept)
    older = backups(kept)
    (kept.root.parent / "sh").write_text("ulimit -f 64; exec infra/bin/backup\n")
    with (kept.volume("jenkins-home") / "large").open("wb") as file:
        file.write(os.urandom(1 << 20))
    done = kept.run("sh", str(kept.root.parent / "sh"), **variables(kept), BACKUP_KEEP="1")
    assert done.returncode == 1
    assert done.stderr.startswith("backup: gpg failed")
    assert backups(kept) == older
    assert not paused(kept)


def test_the_oldest_go_and_what_is_no_backup_stays(kept: Server) -> None:
    backup(kept)
    folder = Path(variables(kept)["BACKUP_DIR"])
    (newest,) = backups(kept)
    for name in ("mlops-20200101T000000Z.tar.gz.gpg", "mlops-20210101T000000Z.tar.gz.gpg", "mine.gpg", "mlops-old.tar.gz.gpg"):
        (folder / name).write_text("x")
    until_sync(lambda: not newest.name.startswith(now()), "the next second")
    said = backup(kept, BACKUP_KEEP="3")
    assert "3 of at most 3 backups are in" in said
    names = [path.name for path in backups(kept)]
    assert len(names) == 5
    assert {"mine.gpg", "mlops-old.tar.gz.gpg", "mlops-20210101T000000Z.tar.gz.gpg", newest.name} < set(names)


def now() -> str:
    done = subprocess.run(["date", "-u", "+mlops-%Y%m%dT%H%M%SZ"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_before_the_first_start_there_is_nothing_to_back_up(server: Server) -> None:
    assert "there is nothing to back up before the first make up" in backup(server, 1)
    assert not Path(variables(server)["BACKUP_DIR"]).exists()


def test_a_wrong_number_is_told(kept: Server) -> None:
    assert backup(kept, 2, BACKUP_KEEP="all") == "backup: BACKUP_KEEP is 'all'; expected how many backups stay, such as 14.\n"


def test_without_the_servers_name_nothing_happens(kept: Server) -> None:
    backup(kept)
    before = state(kept), kept.containers()
    for program in ("restore", "destroy"):
        for typed in ("", "yes\n", f"{HOST}x\n"):
            done = kept.run("make", program, typed=typed, **variables(kept))
            assert done.returncode == 2
            assert "nothing was changed." in done.stderr
            assert f"type the name of this server ({HOST}): " in done.stdout
    assert (state(kept), kept.containers()) == before


def test_destroy_says_what_it_keeps_and_keeps_it(kept: Server) -> None:
    backup(kept)
    secrets = kept.contents()
    done = kept.run("make", "destroy", typed=f"{HOST}\n", **variables(kept))
    assert done.returncode == 0, done.stderr
    assert f"It keeps: 1 backups in {variables(kept)['BACKUP_DIR']}, their key, secrets and settings" in done.stderr
    assert kept.containers() == {}
    assert "mlops_" not in kept.engine.docker("volume", "ls", "--quiet")
    assert kept.engine.docker("images", "--quiet", "mlops/jenkins") == ""
    assert len(backups(kept)) == 1
    assert kept.contents() == secrets
    assert Path(variables(kept)["BACKUP_KEY"]).is_file()
    kept.up()
