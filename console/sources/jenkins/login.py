"""Where the token comes from, and to which Jenkins it may go."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from console.model.jenkins import NOT_CONFIGURED
from console.model.source import SourceState, SourceStatus
from console.settings.description import Jenkins as Wanted
from console.settings.secret import Secret, check_secret_file, read_secret_file
from console.sources.jenkins.address import Address, AddressError, parse, same_place
from console.sources.jenkins.client import Access
from console.text import Clean, clean


@dataclass(frozen=True, slots=True)
class Stored:
    """What `login` has kept: a token and the one controller that it is for."""

    url: str
    user: str
    token: Secret


def login_file(folder: Path) -> Path:
    """In the folder of the person's own settings."""
    return folder / "jenkins-login.json"


def user_page(address: Address, user: str) -> Clean:
    """Where a person finds the own tokens at Jenkins: below it, at `security` or at `configure`."""
    return clean(f"{address.root}/user/{quote(user, safe='')}")


def load(path: Path) -> Stored | None:
    """None when nobody has logged in. OSError with a sentence when the file is open to others, ValueError when it is broken."""
    if not path.exists():
        return None
    check_secret_file(path)
    try:
        told = json.loads(path.read_bytes())
        return Stored(str(told["url"]), str(told["user"]), Secret(str(told["token"])))
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"{path} is broken. Run: mlops-console login") from None


def save(path: Path, stored: Stored) -> None:
    """Keep it for its owner alone; what was there is replaced whole or not at all. OSError when it cannot be written."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    text = json.dumps({"url": stored.url, "user": stored.user, "token": stored.token.reveal()})
    # Made for its owner alone. A name of its own: in a container the process after a crash has the same number again.
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    beside = Path(name)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise


def find_access(wanted: Wanted, path: Path) -> Access | SourceStatus:
    """How to reach Jenkins by the settings and what `login` has kept, or why that is not possible."""
    try:
        stored = load(path)
    except OSError as refused:
        return _not(SourceState.DENIED, refused.strerror or str(refused))
    except ValueError as broken:
        return _not(SourceState.DENIED, str(broken))
    url = wanted.url or (stored.url if stored is not None else "")
    if not url:
        return _not(SourceState.OFF, NOT_CONFIGURED)
    try:
        address = parse(url, insecure_http=wanted.insecure_http)
    except AddressError as wrong:
        return _not(SourceState.DENIED, f"jenkins.url: {wrong}")
    try:
        token = wanted.token or (read_secret_file(wanted.token_file) if wanted.token_file is not None else None)
    except OSError as refused:
        return _not(SourceState.DENIED, refused.strerror or str(refused))
    user = wanted.user
    if token is None and stored is not None:
        if not same_place(stored.url, url):
            told = f"The stored token is for {stored.url} and is not sent to {address.root}. Run: mlops-console login"
            return _not(SourceState.DENIED, told)
        if user and user != stored.user:
            told = f"The stored token is {stored.user}'s, and jenkins.user is {user}. Run: mlops-console login"
            return _not(SourceState.DENIED, told)
        token, user = stored.token, stored.user
    if token is None:
        return _not(SourceState.DENIED, f"There is no token for {address.root}. Run: mlops-console login")
    if not user:
        return _not(SourceState.DENIED, "jenkins.user is not set: a token is sent together with its user.")
    return Access(address, user, token, wanted.timeout, wanted.ca_file)


def _not(state: SourceState, reason: str) -> SourceStatus:
    return SourceStatus(state, clean(reason))
