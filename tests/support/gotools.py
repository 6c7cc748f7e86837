"""Programs in Go that tests of the platform run for real: the tunnel's two ends, and a stand-in for Portainer."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_SOURCE = _ROOT / "tests" / "fixtures" / "platform"
_CACHE = _ROOT / ".cache" / "frp"
_PACKAGES = ("github.com/fatedier/frp/cmd/frpc", "github.com/fatedier/frp/cmd/frps", "./portainer")
# Seconds. The first build fetches the modules and compiles all of them.
_LIMIT = 600.0


class NoGoError(Exception):
    """They cannot be built here; the message says why."""


def programs() -> Path:
    """The folder with frpc, frps and portainer, built by the first process that asks. Raises NoGoError."""
    files = sorted(file for file in _SOURCE.rglob("*") if file.name.startswith("go.") or file.suffix == ".go")
    recipe = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
    folder = _CACHE / recipe
    _CACHE.mkdir(parents=True, exist_ok=True)
    with (_CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            for older in _CACHE.iterdir():
                if older.is_dir():
                    shutil.rmtree(older)
            new = folder.with_suffix(".new")
            _build(new)
            new.rename(folder)
    return folder


def _build(folder: Path) -> None:
    if shutil.which("go") is None:
        raise NoGoError("Go is not installed")
    # Static, since they run on a busybox without a C library.
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false"}
    command = ["go", "build", "-trimpath", "-ldflags=-s -w", "-o", f"{folder}/", *_PACKAGES]
    try:
        done = subprocess.run(
            command, cwd=_SOURCE, env=environment, capture_output=True, text=True, timeout=_LIMIT, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise NoGoError(f"go build took more than {_LIMIT:g} s") from error
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines()
        raise NoGoError(f"go build failed: {lines[-1] if lines else 'no word'}")
