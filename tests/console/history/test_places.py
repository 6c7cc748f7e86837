"""Where it lies: modes, other files in its place, other versions, full disks."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from console.history import HistoryError, Reader, Trouble, Writer, schema
from console.model.history import Batch
from console.model.source import SourceError, SourceState
from console.text import Clean
from tests.console.history.making import KEY, LOSS, Place, curve, points, run
from tests.support import mounts
from tests.support.mounts import NoMountError

NOBODY = 65534


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_its_group_may_read_it_and_others_may_not(place: Place) -> None:
    before = os.umask(0o077)
    try:
        place.writer().record(points(KEY, *curve(3)))
    finally:
        os.umask(before)
    assert mode(place.path.parent) == 0o750
    files = sorted(one.name for one in place.path.parent.iterdir())
    assert files == ["history.db", "history.db-shm", "history.db-wal", "history.db.lock"]
    assert {mode(one) for one in place.path.parent.iterdir()} == {0o640}


def test_a_mode_that_somebody_chose_stays(place: Place) -> None:
    place.path.parent.mkdir(mode=0o755)
    place.path.touch()
    place.path.chmod(0o600)
    place.writer().record(Batch())
    assert (mode(place.path.parent), mode(place.path)) == (0o755, 0o600)


@pytest.fixture
def as_group_member(tmp_path: Path) -> Iterator[Callable[[Path], str]]:
    """Read as a user who is only in the file's group; the words of what he got."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    opened = []
    for folder in (tmp_path, *tmp_path.parents):
        if not mode(folder) & 0o001 and str(folder) != "/":
            opened.append((folder, mode(folder)))
            folder.chmod(mode(folder) | 0o011)

    def look(path: Path) -> str:
        told, tell = os.pipe()
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                os.setgroups([])
                os.setgid(path.stat().st_gid)
                os.setuid(NOBODY)
                try:
                    words = ",".join(one.key for one in Reader(path).runs().runs)
                except HistoryError as error:
                    words = error.trouble.name
                os.write(tell, words.encode())
                status = 0
            finally:
                os._exit(status)
        os.close(tell)
        with os.fdopen(told) as pipe:
            words = pipe.read()
        assert os.waitpid(pid, 0)[1] == 0
        return words

    yield look
    for folder, before in opened:
        folder.chmod(before)


def test_whoever_may_only_read_can_always_read(place: Place, as_group_member: Callable[[Path], str]) -> None:
    writer = place.writer()
    writer.record(Batch(runs=(run("a#1"),)))
    assert as_group_member(place.path) == "a#1"
    with closing(Reader(place.path)) as other:
        other.runs()
        place.close()
        assert as_group_member(place.path) == "a#1"
    assert as_group_member(place.path) == "a#1"
    place.writer().record(Batch(runs=(run("a#2"),)))
    assert as_group_member(place.path) == "a#2,a#1"
    place.close()
    assert sorted(one.name for one in place.path.parent.iterdir()) == ["history.db", "history.db.lock"]
    assert place.path.read_bytes()[18] == 1  # not in WAL mode: what is read now is read under a lock (fileformat2.html)
    assert as_group_member(place.path) == "a#2,a#1"
    place.path.chmod(0o600)
    assert as_group_member(place.path) == "DENIED"


def test_a_copy_that_a_writer_had_open_can_be_read(place: Place, as_group_member: Callable[[Path], str]) -> None:
    writer = place.writer()
    writer.record(Batch(runs=(run("a#1"),)))
    writer._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    copy = place.path.parent.with_name("copy") / "history.db"
    copy.parent.mkdir(mode=0o755)
    shutil.copy(place.path, copy)
    assert as_group_member(copy) == "a#1"
    # It was looked at without any lock, so only once: what is written after that is seen.


def test_before_anything_was_recorded(place: Place, reader: Reader) -> None:
    with pytest.raises(HistoryError, match=r"Nothing has been recorded yet: there is no .*history\.db") as caught:
        reader.runs()
    assert (caught.value.trouble, caught.value.state) == (Trouble.NOT_THERE, SourceState.OFF)
    assert isinstance(caught.value, SourceError)
    assert not place.path.parent.exists()
    place.writer().record(Batch(runs=(run(),)))
    assert reader.runs().runs == (run(),)


def _text(path: Path) -> None:
    path.write_text("this is no database, and is longer than the header of one" * 50)


def _folder(path: Path) -> None:
    path.mkdir()


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE cookies (name)")


def _cut(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\x00" + b"\xff" * 200)


@pytest.mark.parametrize("make", [_text, _folder, _pipe, _foreign, _cut])
def test_what_is_no_history_is_neither_read_nor_touched(place: Place, reader: Reader, make: Callable[[Path], None]) -> None:
    place.path.parent.mkdir()
    make(place.path)
    before = place.path.read_bytes() if place.path.is_file() else b""
    with pytest.raises(HistoryError) as caught:
        reader.runs()
    assert caught.value.trouble is Trouble.NO_DATABASE
    with pytest.raises(HistoryError) as caught:
        place.writer()
    assert caught.value.trouble is Trouble.NO_DATABASE
    assert "Move it away" in caught.value.reason
    assert (place.path.read_bytes() if place.path.is_file() else b"") == before
    if place.path.is_dir():
        place.path.rmdir()
    else:
        place.path.unlink()
    place.writer().record(Batch(runs=(run(),)))
    assert reader.runs().runs == (run(),)


def _newer(path: Path, readable_from: int) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
        db.execute("UPDATE meta SET value = ? WHERE name = 'readable_from'", (readable_from,))
        db.execute("ALTER TABLE runs ADD COLUMN carbon REAL")
        db.commit()


def test_a_newer_version_is_read_as_far_as_it_says_and_never_written(place: Place, reader: Reader) -> None:
    place.writer().record(Batch(runs=(run(),)))
    place.close()
    _newer(place.path, schema.VERSION)
    assert reader.runs().runs == (run(),)
    with pytest.raises(HistoryError, match=r"newer version of this program\. Update this one to record in it") as caught:
        place.writer()
    assert caught.value.trouble is Trouble.NEWER
    with closing(sqlite3.connect(place.path)) as db:
        db.execute("UPDATE meta SET value = ?", (schema.VERSION + 1,))
        db.commit()
    with pytest.raises(HistoryError, match=r"Update this one to read it") as caught:
        reader.runs()
    assert caught.value.trouble is Trouble.NEWER


def test_a_refused_writer_leaves_the_lock(place: Place) -> None:
    _foreign_folder = place.path.parent
    _foreign_folder.mkdir()
    _foreign(place.path)
    for _ in range(2):
        with pytest.raises(HistoryError) as caught:
            place.writer()
        assert caught.value.trouble is Trouble.NO_DATABASE


def test_another_file_in_its_place_is_seen(place: Place, reader: Reader) -> None:
    writer = place.writer()
    writer.record(Batch(runs=(run("a#1"),)))
    assert reader.run("a#1")
    shutil.move(place.path.parent, place.path.parent.with_name("old"))
    with pytest.raises(HistoryError, match="was moved or removed while it was written") as caught:
        writer.record(Batch(runs=(run("a#2"),)))
    assert caught.value.trouble is Trouble.NOT_THERE
    with pytest.raises(HistoryError, match="Nothing has been recorded yet"):
        reader.runs()
    writer.close()
    place.writer().record(Batch(runs=(run("a#3"),)))
    assert reader.runs().runs == (run("a#3"),)


def test_damage_is_told_and_nothing_is_made_up(place: Place, reader: Reader) -> None:
    place.writer().record(points(KEY, *curve(2000)))
    place.close()
    data = bytearray(place.path.read_bytes())
    data[4096 * 3 :] = os.urandom(len(data) - 4096 * 3)
    place.path.write_bytes(data)
    with pytest.raises(HistoryError) as caught:
        reader.points(KEY)
    assert caught.value.trouble is Trouble.DAMAGED
    assert "Move it away" in caught.value.reason


def test_a_closed_writer_says_so(place: Place) -> None:
    writer = place.writer()
    writer.close()
    writer.close()
    with pytest.raises(HistoryError, match="has been closed"):
        writer.record(Batch())


def test_who_holds_it_otherwise_is_waited_for_and_then_told(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = place.writer()
    writer._db.execute("PRAGMA busy_timeout = 20")
    with closing(sqlite3.connect(place.path, isolation_level=None)) as shell:
        shell.execute("BEGIN IMMEDIATE")
        with pytest.raises(HistoryError, match="another program holds it") as caught:
            writer.record(Batch(runs=(run(),)))
        assert caught.value.trouble is Trouble.BUSY
        shell.execute("ROLLBACK")
    writer.record(Batch(runs=(run(),)))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    try:
        with mounts.tmpfs(tmp_path / "disk", "size=2m") as folder:
            yield folder
    except NoMountError as error:
        pytest.skip(f"needs a file system of its own: {error}")


def test_a_full_disk_is_told_and_it_goes_on_when_there_is_room(small_disk: Path) -> None:
    place = Place(small_disk / "history" / "history.db")
    writer = place.writer()
    reader = Reader(place.path)
    writer.record(Batch(runs=(run("a#0"),)))
    number = 0
    caught: HistoryError | None = None
    while caught is None:
        try:
            writer.record(points(f"a#{number}", *curve(1000)))
            number += 1
        except HistoryError as error:
            caught = error
    assert caught.trouble is Trouble.FULL
    assert "the disk is full. Make room on it" in caught.reason
    assert number > 3
    told = {one.key for one in reader.runs().runs}
    assert told == {f"a#{at}" for at in range(number)}
    assert all(len(reader.points(f"a#{at}")[LOSS]) == 1000 for at in range(number))
    with pytest.raises(HistoryError, match="the disk is full"):
        writer.record(points(f"a#{number}", *curve(1000)))
    assert reader.runs().runs  # nothing was given up for the sake of a full disk
    assert not any(one.bare for one in reader.runs().runs)
    mounts.resize(small_disk, "size=20m")
    for at in range(number, number + 10):
        writer.record(points(f"a#{at}", *curve(1000)))
    assert len(reader.points(f"a#{number}")[LOSS]) == 1000
    assert len(reader.runs().runs) == number + 10
    reader.close()
    place.close()
    with closing(sqlite3.connect(place.path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def fill(disk: Path) -> Path:
    filler = disk / "filler"
    handle = os.open(filler, os.O_WRONLY | os.O_CREAT)
    with suppress(OSError):
        while True:
            os.write(handle, b"x" * 4096)
    os.close(handle)
    return filler


def test_reading_needs_a_little_room_where_nobody_writes(small_disk: Path) -> None:
    """A copy of a file that was open has nothing beside it, and SQLite makes that first: it then speaks of input and output."""
    place = Place(small_disk / "history.db")
    writer = place.writer()
    writer.record(Batch(runs=(run(),)))
    writer._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    copy = small_disk / "copy.db"
    shutil.copy(place.path, copy)
    place.close()
    filler = fill(small_disk)
    with closing(Reader(copy)) as reader:
        with pytest.raises(HistoryError, match="the disk is full") as caught:
            reader.runs()
        assert caught.value.trouble is Trouble.FULL
        filler.unlink()
        assert reader.runs().runs == (run(),)


def test_a_disk_with_no_room_for_anything(small_disk: Path) -> None:
    filler = fill(small_disk)
    with pytest.raises(HistoryError, match="the disk is full") as caught:
        Writer(small_disk / "history.db")
    assert caught.value.trouble is Trouble.FULL
    filler.unlink()
    place = Place(small_disk / "history.db")
    place.writer().record(Batch(runs=(run(),)))
    with closing(Reader(place.path)) as reader:
        assert reader.runs().runs == (run(),)
    place.close()


def test_a_folder_that_may_not_be_written(small_disk: Path) -> None:
    mounts.make_read_only(small_disk)
    with pytest.raises(HistoryError, match="its folder or its file does not permit it") as caught:
        Writer(small_disk / "history.db")
    assert (caught.value.trouble, caught.value.state) == (Trouble.DENIED, SourceState.DENIED)


def test_odd_names_of_folders(tmp_path: Path) -> None:
    place = Place(tmp_path / "a?b #1 %41" / "h istory.db")
    place.writer().record(Batch(runs=(run(Clean("x#1")),)))
    with closing(Reader(place.path)) as reader:
        assert reader.run("x#1")
    place.close()
    assert place.path.exists()
