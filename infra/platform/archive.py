"""Encrypted archives: tar, gzip and gpg, so that any Linux opens one without this program. Whole, or not there at all.

docs/operations.md has the command.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import secrets
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from infra.jenkins.steps.problem import Problem

from . import files

MISSING = "gpg is not on PATH: install it, on Debian and Ubuntu with `sudo apt install gnupg`."

_CHUNK = 1 << 20
# What of gpg's many lines names the cause.
_WRONG_KEY = "Bad session key"
# No agent: it would outlive a gpg that is killed.
_OPTIONS = (
    *("--batch", "--quiet", "--no-options", "--no-autostart", "--no-symkey-cache"),
    *("--pinentry-mode", "loopback", "--passphrase-file"),
)
# Named, so that an archive does not depend on what a version of gpg has for defaults; for its count it would ask an agent.
_CIPHER = (
    *("--cipher-algo", "AES256", "--compress-algo", "none"),
    *("--s2k-mode", "3", "--s2k-digest-algo", "SHA256", "--s2k-count", "65011712"),
)


def there() -> bool:
    """Whether archives can be written and read here."""
    return shutil.which("gpg") is not None


def make_key(path: Path) -> bool:
    """Make the key unless it is there; whether it was made. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if files.facts(path) is not None:
        return False
    files.put(path, secrets.token_hex(32).encode() + b"\n", mode=0o400, owner=(os.geteuid(), os.getegid()))
    return True


def write(path: Path, key: Path, fill: Callable[[tarfile.TarFile], None]) -> None:
    """Write an archive, read it back, and only then give it its name. `fill` adds what is to be in it.

    Raises Problem and OSError: then nothing is left of it.
    """
    half = path.with_name(f".{path.name}.new")
    try:
        with half.open("xb") as target:
            os.fchmod(target.fileno(), 0o600)
            written = _encrypt(target, key, fill)
            os.fsync(target.fileno())
        read = _decrypt(half, key, _all)
        _same(path.name, written, read)
        half.rename(path)
    except BaseException:
        half.unlink(missing_ok=True)
        raise
    _sync(path.parent)


def read(path: Path, key: Path, take: Callable[[tarfile.TarFile], None]) -> None:
    """Open an archive for `take`, which must read it to its last member and believe nothing of it before this returns.

    Raises Problem when it is damaged, cut off or of another key, OSError.
    """
    _decrypt(path, key, take)


def _all(archive: tarfile.TarFile) -> None:
    for _ in archive:
        pass


def _same(name: str, written: str, read: str) -> None:
    if read != written:
        raise Problem(f"{name} does not hold what was written into it: is the disk good? Nothing was kept.")


def _encrypt(target: IO[bytes], key: Path, fill: Callable[[tarfile.TarFile], None]) -> str:
    with _gpg(key, "--symmetric", *_CIPHER, stdin=subprocess.PIPE, stdout=target) as process:
        assert process.stdin is not None  # noqa: S101 - it is a pipe
        hashing = _Hashing(process.stdin)
        with (
            gzip.GzipFile(fileobj=hashing, mode="wb", compresslevel=1, mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as archive,
        ):
            fill(archive)
        process.stdin.close()
    return hashing.digest()


def _decrypt(path: Path, key: Path, take: Callable[[tarfile.TarFile], None]) -> str:
    with path.open("rb") as source, _gpg(key, "--decrypt", stdin=source, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        hashing = _Hashing(process.stdout)
        try:
            with gzip.GzipFile(fileobj=hashing) as plain, tarfile.open(fileobj=plain, mode="r|") as archive:
                take(archive)
                # What comes behind the last member: checksums, which only then are looked at.
                while plain.read(_CHUNK):
                    pass
        except (tarfile.TarError, EOFError, gzip.BadGzipFile) as error:
            while process.stdout.read(_CHUNK):
                pass
            # gpg knows better why, when it has ended badly.
            if process.wait() == 0:
                raise Problem(f"{path.name} is no backup of this platform: {error}.") from error
        while hashing.read(_CHUNK):
            pass
    return hashing.digest()


@contextmanager
def _gpg(key: Path, *words: str, stdin: int | IO[bytes], stdout: int | IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """A gpg without anybody's keys and settings. Raises Problem when it ends badly."""
    if not there():
        raise Problem(MISSING)
    if not os.access(key, os.R_OK):
        raise Problem(
            f"The key {key} is not here or cannot be read: name the one that the backup was made with (BACKUP_KEY=path)."
        )
    with tempfile.TemporaryDirectory(prefix="mlops-gpg-") as home, tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            ["gpg", "--homedir", home, *_OPTIONS, str(key), *words],
            stdin=stdin,
            stdout=stdout,
            stderr=said,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
            start_new_session=True,
        )
        try:
            yield process
            status = process.wait()
        except BrokenPipeError:
            status = process.wait() or 1
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        if status != 0:
            said.seek(0)
            raise Problem(_why(said.read().decode(errors="replace"), key))


def _why(said: str, key: Path) -> str:
    lines = [line.removeprefix("gpg: ") for line in said.splitlines() if line.startswith("gpg: ")]
    if _WRONG_KEY in said:
        return f"The backup was made with another key than {key}."
    return f"gpg failed: {lines[-1] if lines else 'it did not say why'}. The backup is damaged, or the disk is full."


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class _Hashing:
    """A stream that knows what has gone through it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._hash = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self._hash.update(data)
        self._stream.write(data)
        return len(data)

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self._hash.update(data)
        return data

    def flush(self) -> None:
        self._stream.flush()

    def digest(self) -> str:
        return self._hash.hexdigest()
