"""The file of acts on disks that are full, that may not be written, or that fail."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.sources.auditfile import AuditFile
from tests.console.sources.test_auditfile import refusal
from tests.support import skips


@pytest.fixture
def file(tmp_path: Path) -> AuditFile:
    return AuditFile(tmp_path / "state" / "mlops-console")


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of 64 KiB of its own."""
    if os.geteuid() != 0:
        pytest.skip(skips.NO_ROOT)
    small = tmp_path / "small"
    small.mkdir(mode=0o700)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs", small], capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip(skips.NO_ROOT)
    yield small
    subprocess.run(["umount", small], check=True)


def test_a_full_disk_leaves_no_half_line(mounted: Path) -> None:
    file = AuditFile(mounted)
    file.append("one")
    with (mounted / "filler").open("wb", buffering=0) as filler, contextlib.suppress(OSError):
        while True:
            filler.write(b"x" * 4096)
    # The rest of the file's first page has room for the beginning of this line only.
    assert refusal(file, "x" * 9000) == (
        f"{file.path} cannot be written: the disk is full. Make room on it, or set XDG_STATE_HOME to another folder."
    )
    assert file.path.read_bytes() == b"one\n"
    (mounted / "filler").unlink()
    file.append("two")
    assert file.lines() == [b"one", b"two"]


def test_a_disk_that_cannot_be_written_is_told(mounted: Path) -> None:
    file = AuditFile(mounted)
    file.append("one")
    subprocess.run(["mount", "-o", "remount,ro", mounted], check=True)
    said = "its file system is read-only. Make it writable, or set XDG_STATE_HOME to another folder."
    assert refusal(file) == f"{file.path} cannot be written: {said}"
    assert refusal(AuditFile(mounted / "new")).endswith(said)
    assert file.lines() == [b"one"]


def test_a_file_that_may_grow_no_further_leaves_no_half_line(file: AuditFile) -> None:
    file.append("one")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50, before[1]))
    try:
        said = refusal(file, "x" * 200)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert "cannot be written" in said
    assert file.path.read_bytes() == b"one\n"


def test_a_disk_that_fails_when_it_is_asked_to_keep_the_line(file: AuditFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """Network disks say only then that they are full: the line that was taken is taken back."""
    file.append("one")
    real = os.fsync

    def fails(handle: int) -> None:
        if stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(122, os.strerror(122))
        real(handle)

    monkeypatch.setattr(os, "fsync", fails)
    assert "your quota of the disk is used up" in refusal(file)
    assert file.path.read_bytes() == b"one\n"
