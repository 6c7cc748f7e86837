"""Pairs of SSH keys, made and compared by ssh-keygen."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from infra.jenkins.steps.problem import Problem

from . import files

MISSING = "ssh-keygen is not on PATH: install it, on Debian and Ubuntu with `sudo apt install openssh-client`."

_QUICK = 30.0


def there() -> bool:
    """Whether pairs can be made and compared here."""
    return shutil.which("ssh-keygen") is not None


def pair(folder: Path, name: str) -> bytes:
    """A new ed25519 key; what is made on the way is in `folder` and gone afterwards. Raises Problem."""
    work = files.half_made(folder, name)
    try:
        path = work / "key"
        _ask("-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path))
        return path.read_bytes()
    finally:
        shutil.rmtree(work)


def public(private: bytes) -> bytes:
    """Type and key of a private key, without a comment, and a line end. Raises Problem."""
    # Through a pipe: of a file ssh-keygen would first judge owner and mode.
    said = _ask("-y", "-P", "", "-f", "/dev/stdin", given=private)
    return b" ".join(said.split()[:2]) + b"\n"


def _ask(*arguments: str, given: bytes | None = None) -> bytes:
    try:
        done = subprocess.run(
            ["ssh-keygen", *arguments],
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            timeout=_QUICK,
            check=False,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise Problem(MISSING) from error
    except subprocess.TimeoutExpired as error:
        raise Problem(f"ssh-keygen did not end within {_QUICK:g}s.") from error
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise Problem(f"ssh-keygen refused: {said[-1] if said else f'exit status {done.returncode}'}.")
    return done.stdout
