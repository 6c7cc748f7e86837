"""Questions to the Hugging Face Hub before hours are spent: is the token good, is the pinned revision there.

A few GET requests, by the standard library. Uploads are the publisher's, in its own container.
"""

from __future__ import annotations

import json
import os
import stat
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from .problem import Exit, Problem

PUBLIC = "https://huggingface.co"
READ, WRITE = "HF_READ_TOKEN_FILE", "HF_WRITE_TOKEN_FILE"

NOBODYS = "none"
"""What a file holds in place of a token that nobody has given."""

_PATIENCE = 15.0


def endpoint() -> str:
    """Where the Hub is: HF_ENDPOINT, a mirror for example, or the public one."""
    return (os.environ.get("HF_ENDPOINT") or PUBLIC).rstrip("/")


def is_offline() -> bool:
    """Whether HF_HUB_OFFLINE says that only the cache may be used."""
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}


def token(variable: str) -> str | None:
    """The token in the file that a variable names. None when the variable is not set, or when the file says NOBODYS: on a
    platform each secret has its file, also one that nobody gave. Raises Problem, never with the token.
    """
    named = os.environ.get(variable)
    if not named:
        return None
    path = Path(named)
    try:
        text, mode = path.read_text(encoding="utf-8").strip(), path.stat().st_mode
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise Problem(f"{variable}: {path} cannot be read: {why}.", Exit.USAGE) from error
    if text == NOBODYS:
        return None
    if not text or not text.isprintable() or " " in text:
        raise Problem(f"{variable}: {path} holds no token.", Exit.USAGE)
    if mode & (stat.S_IRWXO | stat.S_IWGRP):
        raise Problem(f"{variable}: {path} is open to everybody on this host: chmod 600 {path}", Exit.USAGE)
    return text


def check_write_token(repo: str) -> None:
    """Raise Problem unless there is a write token that the Hub knows. Says what to do."""
    secret = token(WRITE)
    if secret is None:
        raise Problem(
            f"No Hub token to publish {repo} with: put a write token into a file, chmod 600 it, and name it in {WRITE}. "
            "PUBLISH=no trains without publishing."
        )
    who = _ask("/api/whoami-v2", secret)
    if who is None:
        raise Problem(f"The Hub at {endpoint()} does not accept the token in {WRITE}: make a new one there.")
    role = str(((who.get("auth") or {}).get("accessToken") or {}).get("role") or "")
    if role == "read":
        raise Problem(f"The token in {WRITE} may only read: publishing {repo} needs one with the role write.")


def check_pinned(kind: str, repo: str, revision: str) -> None:
    """Raise Problem unless a `dataset` or `model` has this revision and the read token may see it."""
    secret = token(READ)
    if _ask(f"/api/{kind}s/{repo}/revision/{revision}", secret) is not None:
        return
    if _ask(f"/api/{kind}s/{repo}", secret) is not None:
        raise Problem(f"The {kind} {repo} has no revision {revision} (any more): pin one that it has in config.yaml.")
    raise Problem(
        f"The Hub at {endpoint()} shows no {kind} {repo}: the name is wrong, or it is private and "
        + (f"the token in {READ} may not see it." if secret else f"there is no read token (a file named in {READ}).")
    )


def _ask(path: str, secret: str | None) -> dict[str, Any] | None:
    """The decoded answer; None for 401, 403 and 404. Raises Problem when nobody answers."""
    request = urllib.request.Request(endpoint() + path)  # noqa: S310  # the scheme is looked at below
    if request.type not in {"http", "https"}:
        raise Problem(f"HF_ENDPOINT is {endpoint()!r}; expected an address with https://.", Exit.USAGE)
    if secret:
        request.add_unredirected_header("Authorization", f"Bearer {secret}")
    try:
        with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:  # noqa: S310
            content = json.loads(answer.read())
    except urllib.error.HTTPError as error:
        error.close()
        if error.code in {401, 403, 404}:
            return None
        raise Problem(f"The Hub at {endpoint()} answered {error.code}: try again later.", Exit.UNREACHABLE) from error
    except (OSError, ValueError) as error:
        why = getattr(error, "reason", None) or error
        raise Problem(
            f"The Hub at {endpoint()} cannot be reached: {why}. HF_HUB_OFFLINE=1 trains from the cache.", Exit.UNREACHABLE
        ) from error
    return content if isinstance(content, dict) else {}
