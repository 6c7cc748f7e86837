"""Files made from somebody else's words: they stay in their folder, replace nothing, and are whole or not there."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.sources.newfile import NewFile, SaveError, parts_of


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Nothing half-made stays, whatever a test does, and nothing is kept open."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    yield tmp_path / "to"
    assert list(tmp_path.rglob("*.part")) == []
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def save(folder: Path, path: str, data: bytes = b"new") -> Path:
    file = NewFile(folder, path)
    file.write(data)
    file.finish()
    return file.file


def refused(folder: Path, path: str) -> str:
    with pytest.raises(SaveError) as raised:
        save(folder, path)
    return str(raised.value)


def full(_handle: int, _data: object) -> int:
    raise OSError(errno.ENOSPC, "No space left on device")


def everything(folder: Path) -> list[str]:
    return sorted(str(one.relative_to(folder)) for one in folder.rglob("*"))


def test_a_file_comes_with_the_folders_on_its_way(folder: Path) -> None:
    assert save(folder, "out/deep/model 佐藤.bin", b"\0\1\2") == folder / "out/deep/model 佐藤.bin"
    assert (folder / "out/deep/model 佐藤.bin").read_bytes() == b"\0\1\2"
    assert everything(folder) == ["out", "out/deep", "out/deep/model 佐藤.bin"]


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/etc/passwd", "is absolute"),
        ("../up", "leads out of the folder"),
        ("a/../../up", "leads out of the folder"),
        ("..", "leads out of the folder"),
        ("", "A file without a name"),
        ("a//b", "is no name of a file"),
        ("a/", "is no name of a file"),
        ("./a", "is no name of a file"),
        (".", "is no name of a file"),
        ("a\0b", "cannot be shown"),
        ("a\nb", "cannot be shown"),
        ("a\x1b[2Jb", "cannot be shown"),
        ("a\u202egpj.exe", "cannot be shown"),
        ("a\udc80b", "cannot be shown"),
        ("a\\..\\b", "is a path of Windows"),
        ("C:/boot.ini", "is a path of Windows"),
        ("c:x", "is a path of Windows"),
        ("x" * 256, "is too long"),
        ("ü" * 128, "is too long"),
        ("/".join(["abcdefgh"] * 500), "is too long"),
    ],
)
def test_paths_that_lead_elsewhere(folder: Path, path: str, told: str) -> None:
    reason = refused(folder, path)
    assert told in reason
    assert reason.isprintable()
    assert not folder.exists()


@pytest.mark.parametrize(
    "path", ["a", "x" * 255, "a.b/..c/...", "-rf", "~/x", "ab:c", "{x}*?", "モデル　1.bin", "か\u3099.txt"]
)
def test_paths_that_are_odd_and_harmless(folder: Path, path: str) -> None:
    assert parts_of(path) == tuple(path.split("/"))
    assert save(folder, path).read_bytes() == b"new"


def test_what_is_there_is_never_overwritten(folder: Path) -> None:
    folder.mkdir()
    (folder / "a").write_bytes(b"old")
    assert refused(folder, "a") == f"{folder}/a is there already, and is not overwritten."
    assert (folder / "a").read_bytes() == b"old"


@pytest.mark.parametrize("target", ["outside", "nowhere"])
def test_a_link_in_the_place_of_the_file(folder: Path, tmp_path: Path, target: str) -> None:
    folder.mkdir()
    (tmp_path / "outside").write_bytes(b"old")
    (folder / "a").symlink_to(tmp_path / target)
    assert "is there already" in refused(folder, "a")
    assert (tmp_path / "outside").read_bytes() == b"old"
    assert not (tmp_path / "nowhere").exists()


def test_a_link_on_the_way(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    folder.mkdir()
    (folder / "out").symlink_to(tmp_path / "outside")
    assert "out on its way is a link, and links are not followed" in refused(folder, "out/a")
    assert everything(tmp_path / "outside") == []


def test_a_file_on_the_way(folder: Path) -> None:
    folder.mkdir()
    (folder / "out").write_bytes(b"old")
    assert "out on its way is a file and no folder" in refused(folder, "out/a")


def test_the_folder_itself_may_be_a_link(folder: Path, tmp_path: Path) -> None:
    """It is the person's own word."""
    (tmp_path / "big-disk").mkdir()
    folder.symlink_to(tmp_path / "big-disk")
    save(folder, "a")
    assert everything(tmp_path / "big-disk") == ["a"]


def test_a_name_that_is_taken_while_it_comes(folder: Path) -> None:
    file = NewFile(folder, "out/a")
    file.write(b"new")
    (folder / "out/a").write_bytes(b"somebody else's")
    with pytest.raises(SaveError, match="is there already"):
        file.finish()
    assert everything(folder) == ["out", "out/a"]
    assert (folder / "out/a").read_bytes() == b"somebody else's"


def test_a_folder_that_becomes_a_link_while_it_comes(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    file = NewFile(folder, "out/a")
    (folder / "out").rename(folder / "moved")
    (folder / "out").symlink_to(tmp_path / "outside")
    file.write(b"new")
    file.finish()
    assert everything(tmp_path / "outside") == []
    assert (folder / "moved/a").read_bytes() == b"new"


def test_while_it_comes_it_is_its_owners_alone_and_has_another_name(folder: Path) -> None:
    file = NewFile(folder, "a")
    file.write(b"half")
    found = list(folder.iterdir())
    assert [one.suffix for one in found] == [".part"]
    assert stat.S_IMODE(found[0].stat().st_mode) == 0o600
    file.discard()
    assert everything(folder) == []


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o027, 0o640), (0o000, 0o644)])
def test_the_mode_in_the_end(folder: Path, mask: int, mode: int) -> None:
    before = os.umask(mask)
    try:
        file = save(folder, "a")
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.stat().st_mode) == mode


def test_given_up_it_leaves_no_folder_that_it_made(folder: Path) -> None:
    (folder / "mine").mkdir(parents=True)
    file = NewFile(folder, "mine/yours/deep/a")
    file.write(b"half")
    file.discard()
    file.discard()
    file.write(b"late")
    assert everything(folder) == ["mine"]


def test_a_file_system_without_links(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_args: object, **_named: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    assert save(folder, "out/a").read_bytes() == b"new"
    assert everything(folder) == ["out", "out/a"]
    file = NewFile(folder, "b")
    (folder / "b").write_bytes(b"old")
    with pytest.raises(SaveError, match="is there already"):
        file.finish()
    assert (folder / "b").read_bytes() == b"old"


def test_a_folder_that_may_not_be_written(folder: Path) -> None:
    reason = refused(Path("/proc/self"), "a")
    assert reason.startswith("/proc/self/a is not saved: ")
    assert "Errno" not in reason


def test_a_full_disk_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small], capture_output=True, check=False)
    if mounted.returncode:  # only root may
        monkeypatch.setattr(os, "write", full)
    try:
        file = NewFile(small, "out/a")
        with pytest.raises(SaveError, match=r"out/a is not saved: the disk is full\.$"):
            file.write(b"x" * 200_000)
        file.discard()
        assert everything(small) == []
    finally:
        if not mounted.returncode:
            subprocess.run(["umount", "--lazy", small], check=True)
