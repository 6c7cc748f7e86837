"""Secrets: values that never show themselves, and files that only their owner may read."""

from __future__ import annotations

import errno
import stat
from pathlib import Path
from weakref import WeakValueDictionary

from console.settings.plainfile import read_plain
from console.text import Clean, clean

LARGEST = 64 * 1024


class Secret:
    """A value that no repr, str, log line or traceback shows."""

    __slots__ = ("__weakref__", "_value")

    def __init__(self, value: str) -> None:
        self._value = value
        _alive[id(self)] = self

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret(********)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


_alive: WeakValueDictionary[int, Secret] = WeakValueDictionary()


def masked(text: str) -> str:
    """`text` without the value of any secret that this process holds, whoever wrote it there."""
    values = {secret.reveal() for secret in list(_alive.values())}
    for value in sorted(values, key=len, reverse=True):
        if value:
            text = text.replace(value, "********")
    return text


class SecretFileError(OSError):
    """A secret's file that must not be used as it is; the message says what to do."""

    def __init__(self, message: Clean) -> None:
        super().__init__(message)
        # OSError keeps the message out of strerror unless a number comes with it.
        self.strerror = str(message)


class OpenSecretError(SecretFileError):
    """One that others can read or change: taking rights from its file mends it."""


def check_secret_file(path: Path) -> None:
    """Raise SecretFileError unless `path` is a regular file that the world cannot read and nobody else can change.

    For its rights that is an OpenSecretError. The group may read it: that is how a container gets a secret.
    """
    try:
        mode = path.stat().st_mode
    except OSError as failed:
        raise SecretFileError(clean(f"the secret {path} cannot be read: {failed.strerror}")) from None
    if not stat.S_ISREG(mode):
        raise SecretFileError(clean(f"the secret {path} is not a file"))
    if mode & (stat.S_IROTH | stat.S_IWOTH | stat.S_IXOTH | stat.S_IWGRP):
        reason = f"the secret {path} is open to others (mode {stat.S_IMODE(mode):04o}). Run: chmod 600 {path}"
        raise OpenSecretError(clean(reason))


def read_secret_file(path: Path) -> Secret:
    """The text of a secret's file without its last line end. SecretFileError when it is open, empty, too large or no text."""
    check_secret_file(path)
    try:
        raw = read_plain(path, LARGEST)
    except OSError as failed:
        if failed.errno == errno.EFBIG:
            raise SecretFileError(clean(f"the secret {path} is larger than 64 KiB: that is no token")) from None
        raise SecretFileError(clean(f"the secret {path} cannot be read: {failed.strerror}")) from None
    try:
        text = raw.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise SecretFileError(clean(f"the secret {path} is no text")) from None
    if not text:
        raise SecretFileError(clean(f"the secret {path} is empty"))
    return Secret(text)
