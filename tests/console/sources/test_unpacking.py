"""Tars that mean well, and tars that do not, put on a real disk."""

from __future__ import annotations

import io
import os
import stat
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from console.sources.newfile import SaveError
from console.sources.unpacking import NoArchiveError, Unpacked, single_file, stays_inside, unpack
from tests.support import skips
from tests.support.mounts import NoMountError, tmpfs

Entry = tuple[str, str, str | int]
"""Name; kind: `file` with its content, `folder`, `link`, `same` with what it leads to, or a type of tarfile's."""


def entry(name: str, kind: str, what: str | int = "", **more: object) -> tuple[tarfile.TarInfo, bytes]:
    made = tarfile.TarInfo(name)
    content = str(what).encode() if kind == "file" else b""
    kinds = {"file": tarfile.REGTYPE, "folder": tarfile.DIRTYPE, "link": tarfile.SYMTYPE, "same": tarfile.LNKTYPE}
    made.type = kinds.get(kind, kind.encode())
    made.size, made.mode = len(content), 0o755 if kind == "folder" else 0o644
    if kind in ("link", "same"):
        made.linkname = str(what)
    for key, value in more.items():
        setattr(made, key, value)
    return made, content


def tar(*entries: tuple[tarfile.TarInfo, bytes]) -> io.BytesIO:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for info, content in entries:
            archive.addfile(info, io.BytesIO(content))
    return io.BytesIO(made.getvalue())


def put(target: Path, *entries: tuple[tarfile.TarInfo, bytes], overwrite: bool = False) -> Unpacked:
    return unpack(tar(*entries), target, overwrite=overwrite)


def tree(folder: Path) -> dict[str, str | None]:
    """Files with their content, folders with None, links with where they lead."""
    found: dict[str, str | None] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        found[name] = f"-> {path.readlink()}" if path.is_symlink() else path.read_text() if path.is_file() else None
    return found


def test_a_folder_with_all_that_may_be_in_it(tmp_path: Path) -> None:
    made = put(
        tmp_path / "new",
        entry("a", "folder"),
        entry("a/b", "folder"),
        entry("a/b/one", "file", "1", mtime=1_000_000_000),
        entry("a/run", "file", "#!", mode=0o6755),
        entry("a/twice", "same", "a/b/one"),
        entry("a/b/up", "link", "../run"),
        entry("a/c/deep", "file", "below a folder that nobody told of"),
    )
    assert tree(tmp_path) == {
        "new": None,
        "new/b": None,
        "new/b/one": "1",
        "new/b/up": "-> ../run",
        "new/c": None,
        "new/c/deep": "below a folder that nobody told of",
        "new/run": "#!",
        "new/twice": "1",
    }
    assert (made.files, made.bytes, made.left_out) == (4, 1 + 2 + 34, [])
    assert (tmp_path / "new/b/one").stat().st_mtime == 1_000_000_000
    assert stat.S_IMODE((tmp_path / "new/run").stat().st_mode) == 0o755 & ~_umask()
    assert (tmp_path / "new/b/one").stat().st_uid == os.geteuid()


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def test_one_file_with_a_new_name(tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    made = unpack(tar(entry("old", "file", "hello")), tmp_path / "new", overwrite=False, progress=lambda *of: told.append(of))
    assert tree(tmp_path) == {"new": "hello"}
    assert (made.place, made.files, made.bytes, told) == (tmp_path / "new", 1, 5, [(5, 5)])


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (entry("a/../../out", "file", "x"), "leads elsewhere"),
        (entry("a/..", "folder"), "leads elsewhere"),
        (entry("/etc/out", "file", "x"), "leads elsewhere"),
        (entry("b/out", "file", "x"), "leads elsewhere"),
        (entry("a//out", "file", "x"), "leads elsewhere"),
        (entry("a/\x1b[2Jout", "file", "x"), "cannot be shown"),
        (entry("a/out", "link", "/etc/passwd"), "leads out"),
        (entry("a/out", "link", "../x"), "leads out"),
        (entry("a/out", "link", "b/../../x"), "leads out"),
        (entry("a/out", "same", "/etc/passwd"), "not here"),
        (entry("a/out", "same", "a/../../etc/passwd"), "not here"),
        (entry("a/out", "same", "a/missing"), "not here"),
        (entry("a/out", "same", "a"), "not here"),
        (entry("a/out", "same", "a/inner"), "not here"),
        (entry("a/out", "3", 0, devmajor=1, devminor=3), "no file"),
        (entry("a/out", "4", 0, devmajor=8, devminor=0), "no file"),
        (entry("a/out", "6"), "no file"),
        (entry("a/good", "file", "again"), "comes twice"),
        (entry("a/inner/out", "file", "x"), "below what is no folder"),
        (entry("a/good/out", "file", "x"), "below what is no folder"),
    ],
)
def test_what_is_left_out_and_told(tmp_path: Path, bad: tuple[tarfile.TarInfo, bytes], why: str) -> None:
    (tmp_path / "in").mkdir()
    made = put(
        tmp_path / "in" / "a",
        entry("a", "folder"),
        entry("a/good", "file", "good"),
        entry("a/inner", "link", "sub"),
        bad,
        entry("a/last", "file", "last"),
    )
    assert tree(tmp_path) == {"in": None, "in/a": None, "in/a/good": "good", "in/a/inner": "-> sub", "in/a/last": "last"}
    (told,) = made.left_out
    assert why in told
    assert "\x1b" not in told


def test_nothing_is_made_through_a_link_not_even_through_one_that_stays_inside(tmp_path: Path) -> None:
    made = put(
        tmp_path / "a",
        entry("a", "folder"),
        entry("a/sub", "folder"),
        entry("a/in", "link", "sub"),
        entry("a/in/x", "file", "x"),
    )
    assert tree(tmp_path / "a") == {"in": "-> sub", "sub": None}
    assert made.left_out == ["in/x: it would lie below what is no folder"]


def test_links_that_are_harmless_alone_lead_out_together_nowhere(tmp_path: Path) -> None:
    put(
        tmp_path / "a",
        entry("a", "folder"),
        entry("a/sub", "folder"),
        entry("a/sub/up", "link", ".."),
        entry("a/out", "link", "sub/up/.."),
        entry("a/far", "link", "sub/up/sub/up/x"),
        entry("a/x", "file", "x"),
    )
    assert not (tmp_path / "a/out").is_symlink()
    for path in (tmp_path / "a").rglob("*"):
        assert path.resolve().is_relative_to(tmp_path / "a")


def test_links_that_stay_inside() -> None:
    assert stays_inside(("a", "b", "l"), "../../x")
    assert not stays_inside(("a", "b", "l"), "../../../x")
    assert not stays_inside(("l",), "..")
    assert not stays_inside(("l",), "")
    assert not stays_inside(("a", "l"), "\x1b]0;x\x07")


Break = Callable[[bytes], bytes]


@pytest.mark.parametrize(
    "broken",
    [
        lambda data: b"",
        lambda data: b"no tar at all, whatever you say" * 100,
        lambda data: data[:512],
        lambda data: data[: 3 * 512 + 100],
        lambda data: data[: 6 * 512],
        lambda data: data[:-1024].rstrip(b"\0"),
    ],
)
def test_what_is_cut_off_leaves_nothing(tmp_path: Path, broken: Break) -> None:
    data = tar(entry("a", "folder"), entry("a/one", "file", "1" * 600), entry("a/two", "file", "2" * 600)).getvalue()
    data = data[: data.rindex(b"2") // 512 * 512 + 512 + 1024]
    unpack(io.BytesIO(data), tmp_path / "whole", overwrite=False)
    with pytest.raises(NoArchiveError):
        unpack(io.BytesIO(broken(data)), tmp_path / "half", overwrite=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["whole"]


def test_a_header_that_is_as_long_as_it_likes(tmp_path: Path) -> None:
    info = tarfile.TarInfo("././@PaxHeader")
    info.type, info.size = tarfile.XHDTYPE, 1 << 30

    class Endless:
        def __init__(self) -> None:
            self.head = info.tobuf(tarfile.USTAR_FORMAT)
            self.given = 0

        def read(self, count: int) -> bytes:
            data, self.head = (self.head or bytes(count))[:count], b""
            self.given += len(data)
            return data

    endless = Endless()
    with pytest.raises(NoArchiveError):
        unpack(endless, tmp_path / "a", overwrite=False)
    assert endless.given < 16 << 20
    assert list(tmp_path.iterdir()) == []


def sparse(**headers: str) -> bytes:
    return tar(entry("a", "file", "x", pax_headers={f"GNU.sparse.{name}": value for name, value in headers.items()})).getvalue()


def deep() -> bytes:
    info = tarfile.TarInfo("././@PaxHeader")
    info.type = tarfile.XHDTYPE
    return info.tobuf(tarfile.USTAR_FORMAT) * 5000


NONSENSE = [sparse(major="1", minor="0", realsize="z"), sparse(map="1,x", size="1"), deep()]


@pytest.mark.parametrize("first", NONSENSE, ids=["sparse", "map", "deep"])
def test_headers_that_make_no_sense(tmp_path: Path, first: bytes) -> None:
    before = tar(entry("a", "folder")).getvalue()[:512]
    for data in (first, before + first):
        with pytest.raises(NoArchiveError):
            unpack(io.BytesIO(data), tmp_path / "a", overwrite=False)
        with pytest.raises((NoArchiveError, SaveError)):
            single_file(io.BytesIO(data), bytearray().extend)
    assert list(tmp_path.iterdir()) == []


def test_what_the_stream_raises_comes_through_and_leaves_nothing(tmp_path: Path) -> None:
    class Breaks(io.BytesIO):
        def read(self, count: int | None = -1, /) -> bytes:
            data = super().read(count)
            if not data:
                raise ConnectionResetError("gone")
            return data

    data = tar(entry("a", "folder"), entry("a/one", "file", "1" * 3000)).getvalue()[:2048]
    with pytest.raises(SaveError, match="gone"):
        unpack(Breaks(data), tmp_path / "a", overwrite=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "told"), [("link", "a is a link to elsewhere: copy that"), ("6", "no file and no folder"), ("3", "no file and no")]
)
def test_what_is_asked_for_must_be_a_file_or_a_folder(tmp_path: Path, kind: str, told: str) -> None:
    with pytest.raises(SaveError, match=told):
        put(tmp_path / "a", entry("a", kind, "elsewhere"))
    assert list(tmp_path.iterdir()) == []


FILE, FOLDER = (entry("a", "file", "new"),), (entry("a", "folder"), entry("a/new", "file", "new"))


@pytest.mark.parametrize("came", [FILE, FOLDER])
def test_nothing_is_replaced_unless_somebody_says_so(tmp_path: Path, came: tuple[tuple[tarfile.TarInfo, bytes], ...]) -> None:
    target = tmp_path / "a"
    for there in (lambda: target.write_text("old"), target.mkdir, lambda: target.symlink_to("/etc"), lambda: os.mkfifo(target)):
        there()
        before = target.lstat()
        with pytest.raises(SaveError, match=r"not overwritten|not replaced"):
            put(target, *came)
        assert target.lstat().st_ino == before.st_ino
        assert [path.name for path in tmp_path.iterdir()] == ["a"]
        target.rmdir() if target.is_dir() and not target.is_symlink() else target.unlink()


def test_replacing(tmp_path: Path) -> None:
    target = tmp_path / "a"
    target.write_text("old")
    put(target, *FILE, overwrite=True)
    assert tree(tmp_path) == {"a": "new"}
    with pytest.raises(SaveError, match="is a file, and what comes is a folder"):
        put(target, *FOLDER, overwrite=True)
    assert tree(tmp_path) == {"a": "new"}
    target.unlink()
    target.mkdir()
    (target / "old").write_text("old")
    with pytest.raises(SaveError, match="is a folder, and what comes is a file"):
        put(target, *FILE, overwrite=True)
    assert tree(tmp_path) == {"a": None, "a/old": "old"}
    put(target, *FOLDER, overwrite=True)
    assert tree(tmp_path) == {"a": None, "a/new": "new"}
    for way in ("/etc", "nowhere"):
        (tmp_path / "l").symlink_to(way)
        with pytest.raises(SaveError, match="is a link"):
            put(tmp_path / "l", *FILE, overwrite=True)
        (tmp_path / "l").unlink()


def test_what_takes_its_name_meanwhile_stays(tmp_path: Path) -> None:
    class Late(io.BytesIO):
        def read(self, count: int | None = -1, /) -> bytes:
            (tmp_path / "a").write_text("somebody else's")
            return super().read(count)

    with pytest.raises(SaveError, match="there already"):
        unpack(Late(tar(*FILE).getvalue()), tmp_path / "a", overwrite=False)
    assert tree(tmp_path) == {"a": "somebody else's"}


def test_what_was_there_is_never_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a"
    target.mkdir()
    (target / "mine").write_text("mine")
    real = os.rename

    def rename(source: str, name: str, **more: int) -> None:
        real(source, name, **more)
        if name == "old":
            target.mkdir()
            (target / "other").write_text("somebody else's")

    monkeypatch.setattr(os, "rename", rename)
    with pytest.raises(SaveError, match="has taken its name meanwhile") as refused:
        put(target, *FOLDER, overwrite=True)
    assert (target / "other").read_text() == "somebody else's"
    kept = Path(refused.value.reason.partition("is kept: ")[2])
    assert tree(kept) == {"mine": "mine"}
    assert [path.name for path in kept.parent.iterdir()] == ["old"]


def test_what_was_there_comes_back_where_what_is_new_cannot_take_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "a"
    target.mkdir()
    (target / "mine").write_text("mine")
    real = os.rename

    def rename(source: str, name: str, **more: int) -> None:
        if source == "whole":
            raise OSError(5, "Input/output error")
        real(source, name, **more)

    monkeypatch.setattr(os, "rename", rename)
    with pytest.raises(SaveError, match="Input/output error"):
        put(target, *FOLDER, overwrite=True)
    assert tree(tmp_path) == {"a": None, "a/mine": "mine"}


def test_what_cannot_be_removed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "mine").write_text("mine")
    real = os.unlink

    def unlink(path: str, **more: int) -> None:
        if path == "mine":
            raise PermissionError(13, "Permission denied")
        real(path, **more)

    monkeypatch.setattr(os, "unlink", unlink)
    with pytest.raises(SaveError, match=r"is saved, but what it replaced cannot be removed: .*\.part \(Permission denied\)"):
        put(tmp_path / "a", *FOLDER, overwrite=True)
    assert tree(tmp_path / "a") == {"new": "new"}


@pytest.mark.parametrize("target", ["/proc/new", "/sys/new", "/dev/null/new", f"/tmp/{'n' * 300}"])
def test_a_place_where_nothing_can_be_made(target: str) -> None:
    with pytest.raises(SaveError, match="is not saved: "):
        put(Path(target), *FILE)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """80 MB of which 64 are never touched, and room for few files."""
    try:
        with tmpfs(tmp_path / "small", "size=80m,nr_inodes=1200") as folder:
            yield folder
    except NoMountError as error:
        pytest.skip(skips.NO_MOUNT.format(why=error))


def test_a_disk_with_too_little_room(small: Path) -> None:
    big = entry("a/big", "file", "x" * (20 << 20))
    with pytest.raises(SaveError, match=r"a/big takes 21 MB, and 84 MB are free|a/big takes .*, and .* are free"):
        put(small / "a", entry("a", "folder"), big)
    assert list(small.iterdir()) == []
    several = [entry(f"a/{number}", "file", "x" * (4 << 20)) for number in range(30)]
    with pytest.raises(SaveError, match=r"are free|No space left"):
        put(small / "a", entry("a", "folder"), *several)
    assert list(small.iterdir()) == []
    for number in range(300):
        (small / f"f{number}").touch()
    with pytest.raises(SaveError, match="no room for more files"):
        put(small / "a", entry("a", "file", "x"))


def test_one_file_to_somewhere_else() -> None:
    got = bytearray()
    assert single_file(tar(entry("a", "file", "hello")), got.extend) == 5
    assert bytes(got) == b"hello"
    for what in (entry("a", "folder"), entry("a", "link", "b"), entry("a", "6")):
        with pytest.raises(SaveError, match="only a file can be written to standard output"):
            single_file(tar(what), got.extend)
    assert bytes(got) == b"hello"
