"""The file of acts: whole lines of several consoles at once, and every place that it does not trust."""

from __future__ import annotations

import json
import os
import pwd
import stat
import subprocess
import sys
from pathlib import Path
from threading import Event

import pytest

from console.sources.auditfile import AuditError, AuditFile, state_folder
from tests.support import skips

ROOT = Path(__file__).parents[3]
FOREIGN = 4242
_WRITER = """
import sys
from pathlib import Path
from console.sources.auditfile import AuditFile
file = AuditFile(Path(sys.argv[1]), most=int(sys.argv[3]), kept=int(sys.argv[4]), lock_seconds=30.0)
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(sys.argv[5])):
    file.append(f"{sys.argv[2]} {number} " + "x" * (number % 90))
"""
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason=skips.NO_ROOT)


@pytest.fixture
def file(tmp_path: Path) -> AuditFile:
    return AuditFile(tmp_path / "state" / "mlops-console")


def refusal(file: AuditFile, line: str = "a line") -> str:
    with pytest.raises(AuditError) as caught:
        file.append(line)
    return str(caught.value.reason)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# What is usual


def test_the_folder_is_where_xdg_has_it() -> None:
    assert state_folder({"XDG_STATE_HOME": "/var/x", "HOME": "/home/a"}) == Path("/var/x/mlops-console")
    assert state_folder({"HOME": "/home/a"}) == Path("/home/a/.local/state/mlops-console")
    assert state_folder({"XDG_STATE_HOME": "x", "HOME": "/home/a"}) == Path("/home/a/.local/state/mlops-console")


@pytest.mark.parametrize("env", [{}, {"HOME": ""}, {"HOME": "here"}], ids=str)
def test_without_a_home_it_is_the_one_that_the_system_knows(env: dict[str, str]) -> None:
    own = Path(pwd.getpwuid(os.geteuid()).pw_dir)
    assert state_folder(env) == own / ".local/state/mlops-console"


def test_lines_come_back_in_their_order_and_are_their_owners_alone(file: AuditFile) -> None:
    before = os.umask(0)
    try:
        for number in range(3):
            file.append(f"line {number}")
    finally:
        os.umask(before)
    assert file.lines() == [b"line 0", b"line 1", b"line 2"]
    assert (mode(file.path), mode(file.path.parent)) == (0o600, 0o700)


def test_without_a_file_there_are_no_lines(file: AuditFile) -> None:
    assert file.lines() == []
    file.path.parent.mkdir(parents=True)
    assert file.lines() == []


def test_what_others_could_read_is_narrowed(file: AuditFile) -> None:
    file.append("one")
    file.path.chmod(0o644)
    file.path.parent.chmod(0o755)
    file.append("two")
    assert (mode(file.path), mode(file.path.parent)) == (0o600, 0o700)
    assert file.lines() == [b"one", b"two"]


def test_a_line_without_its_end_does_not_swallow_the_next(file: AuditFile) -> None:
    file.append("one")
    with file.path.open("ab") as torn:
        torn.write(b'{"half')
    file.append("two")
    assert file.lines() == [b"one", b'{"half', b"two"]


def test_what_nobody_waits_for_any_more_is_not_written(file: AuditFile) -> None:
    given_up = Event()
    given_up.set()
    file.append("late", given_up)
    assert file.lines() == []


# Many lines, several consoles


def test_a_full_file_makes_room_and_the_oldest_goes(tmp_path: Path) -> None:
    file = AuditFile(tmp_path / "a", most=100, kept=3)
    for number in range(50):
        file.append(f"line {number:02d} {'x' * 20}")
    names = ["audit.jsonl", *(f"audit.jsonl.{at}" for at in (1, 2, 3)), "audit.lock"]
    assert sorted(one.name for one in file.path.parent.iterdir()) == names
    kept = [line.split()[1] for line in file.lines()]
    assert kept == [b"%02d" % number for number in range(50 - len(kept), 50)]
    assert all(one.stat().st_size <= 100 and mode(one) == 0o600 for one in file.path.parent.iterdir())


def test_a_gap_is_filled_before_anything_is_lost(tmp_path: Path) -> None:
    """A crash in the middle of renaming leaves a number out."""
    file = AuditFile(tmp_path / "a", most=10, kept=4)
    for word in ("one", "two", "three"):
        file.append(f"{word:8}")
    (tmp_path / "a" / "audit.jsonl.1").rename(tmp_path / "a" / "audit.jsonl.4")
    before = len(file.lines())
    for at in range(2):
        file.append(f"more {at:3}")
        assert len(file.lines()) == before + at + 1
    assert sorted(file.lines()) == sorted([b"one     ", b"two     ", b"three   ", b"more   0", b"more   1"])


def test_a_line_longer_than_a_file_has_one_of_its_own(tmp_path: Path) -> None:
    file = AuditFile(tmp_path / "a", most=100)
    for line in ("short", "x" * 500, "last"):
        file.append(line)
    assert file.lines() == [b"short", b"x" * 500, b"last"]


def test_two_consoles_at_once_lose_nothing(tmp_path: Path) -> None:
    """Each writes 200 lines, across some forty new files."""
    most, kept, count = 600, 80, 200
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(tmp_path), name, str(most), str(kept), str(count)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            text=True,
        )
        for name in ("left", "right")
    ]
    for one in writers:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in writers:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    for one in writers:
        one.communicate(timeout=120)
        assert one.returncode == 0
    lines = AuditFile(tmp_path, most=most, kept=kept).lines()
    assert len([one for one in tmp_path.iterdir() if one.name.startswith("audit.jsonl.")]) > 10
    for name in ("left", "right"):
        own = [line for line in lines if line.startswith(name.encode())]
        assert own == [f"{name} {number} {'x' * (number % 90)}".encode() for number in range(count)]
    assert len(lines) == 2 * count


def test_a_reader_meets_no_half_renamed_files(tmp_path: Path) -> None:
    """While another console writes and begins new files, what is read grows and never misses a line."""
    most, kept, count = 300, 200, 150
    writer = subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(tmp_path), "w", str(most), str(kept), str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        cwd=ROOT,
        text=True,
    )
    assert writer.stdin is not None
    writer.stdin.write("go\n")
    writer.stdin.flush()
    file = AuditFile(tmp_path, most=most, kept=kept, lock_seconds=30.0)
    try:
        while writer.poll() is None:
            numbers = [int(line.split()[1]) for line in file.lines()]
            assert numbers == list(range(len(numbers)))
    finally:
        writer.communicate(timeout=60)
    assert len(file.lines()) == count


def test_a_lock_that_is_never_given_back_is_told(tmp_path: Path) -> None:
    file = AuditFile(tmp_path / "a", lock_seconds=0.05)
    file.append("one")
    lock = file.path.with_name("audit.lock")
    code = "import fcntl, sys; f = open(sys.argv[1]); fcntl.flock(f, 2); print('held', flush=True); sys.stdin.read()"
    holder = subprocess.Popen([sys.executable, "-c", code, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        said = refusal(file)
        assert said == f"{lock} is held by another process for more than 0s. See which: fuser -v {lock}"
        with pytest.raises(AuditError, match="held by another process"):
            file.lines()
    finally:
        holder.communicate(timeout=30)
    file.append("two")
    assert file.lines() == [b"one", b"two"]


# Places that are not trusted


def test_a_link_is_not_followed(file: AuditFile, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("theirs\n")
    file.path.parent.mkdir(parents=True)
    file.path.symlink_to(elsewhere)
    assert refusal(file) == f"{file.path} is a link, and links are not followed. Remove it."
    assert elsewhere.read_text() == "theirs\n"
    with pytest.raises(AuditError, match="is a link"):
        file.lines()
    elsewhere.unlink()
    assert "is a link" in refusal(file)
    assert not elsewhere.exists()


def test_a_lock_that_is_a_link_is_not_followed(file: AuditFile, tmp_path: Path) -> None:
    file.path.parent.mkdir(parents=True)
    lock = file.path.with_name("audit.lock")
    lock.symlink_to(tmp_path / "elsewhere")
    assert refusal(file) == f"{lock} is no plain file. Move it away."
    assert not (tmp_path / "elsewhere").exists()


def test_a_second_name_is_refused(file: AuditFile, tmp_path: Path) -> None:
    file.append("one")
    (tmp_path / "second").hardlink_to(file.path)
    assert refusal(file) == f"{file.path} has 2 names (hard links). Remove the others, or move it away."
    assert file.path.read_bytes() == b"one\n"


@pytest.mark.parametrize("make", ["folder", "pipe", "socket", "device"])
def test_what_is_no_plain_file_is_refused(file: AuditFile, make: str) -> None:
    file.path.parent.mkdir(parents=True)
    if make == "folder":
        file.path.mkdir()
    elif make == "pipe":
        os.mkfifo(file.path)
    elif make == "socket":
        os.mknod(file.path, 0o600 | stat.S_IFSOCK)
    else:
        if os.geteuid() != 0:
            pytest.skip(skips.NO_ROOT)
        os.mknod(file.path, 0o600 | stat.S_IFCHR, os.makedev(1, 7))  # /dev/full
    assert refusal(file) == f"{file.path} is no plain file. Move it away."


@pytest.mark.parametrize("bits", [0o620, 0o602, 0o666])
def test_a_file_that_others_can_change_is_refused(file: AuditFile, bits: int) -> None:
    file.append("one")
    file.path.chmod(bits)
    assert refusal(file) == f"{file.path} can be changed by others. Look whether they have, then run: chmod 600 {file.path}"
    assert file.path.read_bytes() == b"one\n"


def test_a_folder_that_others_can_change_is_refused(file: AuditFile) -> None:
    file.append("one")
    file.path.parent.chmod(0o770)
    folder = file.path.parent
    assert refusal(file) == f"{folder} can be changed by others. Look whether they have, then run: chmod 700 {folder}"


def test_ones_own_link_to_a_folder_is_fine(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    AuditFile(tmp_path / "link").append("one")
    assert (tmp_path / "real" / "audit.jsonl").read_bytes() == b"one\n"


@needs_root
def test_a_link_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "real")
    os.lchown(link, FOREIGN, FOREIGN)
    assert refusal(AuditFile(link)) == (
        f"{link} is a link that belongs to user {FOREIGN}. Remove it, or set XDG_STATE_HOME to another folder."
    )
    assert not (tmp_path / "real" / "audit.jsonl").exists()


@needs_root
@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_belongs_to_somebody_else_is_refused(file: AuditFile, what: str) -> None:
    """As after `sudo`, where the home that came along is the person's own."""
    file.append("one")
    place = file.path if what == "file" else file.path.parent
    os.chown(place, FOREIGN, FOREIGN)
    assert refusal(file) == (
        f"{place} belongs to user {FOREIGN} and not to root. Set XDG_STATE_HOME to a folder of your own (after sudo: sudo -H), "
        f"or run: chown 0 {place}"
    )
    assert file.path.read_bytes() == b"one\n"


@needs_root
def test_a_file_that_may_not_be_read_is_told(file: AuditFile, tmp_path: Path) -> None:
    file.append("one")
    code = """
import os, sys
from pathlib import Path
from console.sources.auditfile import AuditError, AuditFile
os.chdir(sys.argv[1])
os.setgid(4242), os.setuid(4242)
file = AuditFile(Path("state/mlops-console"))
for call in (file.lines, lambda: file.append("two")):
    try:
        call()
    except AuditError as error:
        print(error.reason)
"""
    tmp_path.chmod(0o755)
    (tmp_path / "state").chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout.splitlines() == [
        "state/mlops-console cannot be read: Permission denied.",
        "state/mlops-console/audit.jsonl cannot be written: its folder does not permit it. Change the folder's owner or mode, "
        "or set XDG_STATE_HOME to another folder.",
    ], done.stderr


@pytest.mark.parametrize("where", ["", "mlops-console"])
def test_a_file_where_the_folder_should_be(tmp_path: Path, where: str) -> None:
    (tmp_path / "state").mkdir()
    blocking = tmp_path / "state" / where if where else tmp_path / "state" / "x"
    blocking.write_text("")
    folder = blocking if where else blocking / "mlops-console"
    assert refusal(AuditFile(folder)) == (
        f"{folder} is no folder, or a part of its path is none. Move that away, or set XDG_STATE_HOME to another folder."
    )


def test_lines_are_bytes_of_json(file: AuditFile) -> None:
    file.append(json.dumps({"name": "é"}))
    assert json.loads(file.lines()[0]) == {"name": "é"}
