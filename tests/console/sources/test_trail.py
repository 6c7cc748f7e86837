"""Two places for each record: one is enough, and a disk that hangs holds up nobody."""

from __future__ import annotations

import asyncio
import os
import pwd
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.sources import whoami
from console.sources.auditfile import AuditError, AuditFile
from console.sources.journal import Journal
from console.sources.trail import Trail
from tests.support.journald import StandIn

FIELDS = [("MESSAGE", "anna: retrigger train #41: begun")]


@pytest.fixture
def journald(tmp_path: Path) -> Iterator[StandIn]:
    with StandIn(tmp_path / "socket") as made:
        yield made


def trail(tmp_path: Path, *, deadline: float = 4.0, file: AuditFile | None = None, **env: str) -> Trail:
    return Trail(
        env,
        jenkins=lambda: "anna-at-ci",
        file=file or AuditFile(tmp_path / "state"),
        journal=Journal(tmp_path / "socket"),
        deadline=deadline,
    )


class Hanging(AuditFile):
    """On a disk that does not answer until it is let go."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.let_go = threading.Event()
        self.ended = threading.Event()

    def append(self, line: str, given_up: threading.Event | None = None) -> None:
        self.let_go.wait(30)
        super().append(line, given_up)
        self.ended.set()

    def lines(self) -> list[bytes]:
        self.let_go.wait(30)
        return super().lines()


async def test_both_places_take_it(tmp_path: Path, journald: StandIn) -> None:
    made = trail(tmp_path)
    assert await made.write("{}", FIELDS) is None
    assert await made.lines() == [b"{}"]
    assert journald.taken() == [("MESSAGE", FIELDS[0][1].encode())]
    made.close()


async def test_without_a_journal_the_file_is_enough_and_nothing_is_told(tmp_path: Path) -> None:
    made = trail(tmp_path)
    assert await made.write("{}", FIELDS) is None
    made.close()


async def test_a_journal_that_fails_is_a_warning(tmp_path: Path) -> None:
    StandIn(tmp_path / "socket")._socket.close()  # its name stays, and nobody listens
    made = trail(tmp_path)
    assert "The systemd journal takes nothing" in str(await made.write("{}", FIELDS))
    assert await made.lines() == [b"{}"]
    made.close()


async def test_a_file_that_fails_is_a_warning_where_the_journal_took_it(tmp_path: Path, journald: StandIn) -> None:
    (tmp_path / "state").write_text("")
    made = trail(tmp_path)
    assert f"{tmp_path / 'state'} is no folder" in str(await made.write("{}", FIELDS))
    assert journald.taken()
    made.close()


async def test_where_neither_takes_it_both_reasons_are_told(tmp_path: Path) -> None:
    StandIn(tmp_path / "socket")._socket.close()
    (tmp_path / "state").write_text("")
    made = trail(tmp_path)
    with pytest.raises(AuditError) as caught:
        await made.write("{}", FIELDS)
    assert "is no folder" in caught.value.reason
    assert "The systemd journal takes nothing" in caught.value.reason
    (tmp_path / "socket").unlink()
    with pytest.raises(AuditError, match=r"is no folder.*folder\.$"):
        await made.write("{}", FIELDS)
    made.close()


async def test_a_disk_that_hangs_is_told_and_writes_nothing_later(tmp_path: Path) -> None:
    file = Hanging(tmp_path / "state")
    made = trail(tmp_path, deadline=0.05, file=file)
    with pytest.raises(AuditError, match="cannot be written: the disk did not answer within 0s"):
        await made.write("{}", FIELDS)
    with pytest.raises(AuditError, match="cannot be read: the disk did not answer within 0s"):
        await made.lines()
    file.let_go.set()
    await asyncio.to_thread(file.ended.wait, 30)
    assert AuditFile(tmp_path / "state").lines() == []
    made.close()


async def test_the_journal_is_enough_for_a_disk_that_hangs(tmp_path: Path, journald: StandIn) -> None:
    file = Hanging(tmp_path / "state")
    made = trail(tmp_path, deadline=0.5, file=file)
    assert "the disk did not answer" in str(await made.write("{}", FIELDS))
    assert journald.taken()
    file.let_go.set()
    await asyncio.to_thread(file.ended.wait, 30)
    made.close()


async def test_who_it_is_comes_from_the_kernel_and_the_environment(tmp_path: Path) -> None:
    made = trail(tmp_path, SSH_CONNECTION="192.0.2.7 50112 192.0.2.1 22", SUDO_USER="anna\x1b[2J", USER="liar")
    found = await made.person()
    assert (found.user, found.uid) == (pwd.getpwuid(os.getuid()).pw_name, os.getuid())
    assert (found.sudo, found.ssh, found.jenkins) == ("anna", "192.0.2.7", "anna-at-ci")
    assert found.called == f"anna ({found.user})@192.0.2.7"
    made.close()


def test_a_user_without_a_name_and_an_older_ssh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 987_654)
    found = whoami.person({"SSH_CLIENT": "2001:db8::7 50112 22"})
    assert (found.user, found.uid, found.sudo, found.ssh, found.jenkins) == ("987654", 987_654, None, "2001:db8::7", None)
    assert found.called == "987654@2001:db8::7"


async def test_a_name_service_that_hangs_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    let_go = threading.Event()

    def hangs(_uid: int) -> pwd.struct_passwd:
        let_go.wait(30)
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", hangs)
    made = trail(tmp_path, deadline=0.05)
    with pytest.raises(AuditError, match="its name service hangs"):
        await made.person()
    let_go.set()
    made.close()
