"""Where requests go, and with what they are signed: from the environment, checked before anything is sent."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from .release import Problem

PATH = "/generic-webhook-trigger/invoke"
SHORTEST = 16
"""Characters of a signing key: a shorter one is a mistake, or can be guessed."""

_HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
_PRINTED = re.compile(r"[!-~]+")


@dataclass(frozen=True)
class Target:
    """The public address of the gate. `key` signs, and shows itself nowhere."""

    host: str
    port: int
    key: bytes = field(repr=False)
    context: ssl.SSLContext = field(repr=False)

    @property
    def shown(self) -> str:
        return f"https://{self.host}{f':{self.port}' if self.port != 443 else ''}{PATH}"


def target(env: Mapping[str, str]) -> Target:
    """From MLOPS_HOOK_URL and MLOPS_HOOK_SECRET. Raises Problem, which repeats neither a key nor a password."""
    url, key = env.get("MLOPS_HOOK_URL", "").strip(), env.get("MLOPS_HOOK_SECRET", "").strip()
    if not url:
        raise Problem("MLOPS_HOOK_URL is not set: set it as a variable of the environment release (docs/way-in.md).")
    if not key:
        raise Problem("MLOPS_HOOK_SECRET is not set: set it as a secret of the environment release (docs/way-in.md).")
    if len(key) < SHORTEST or not _PRINTED.fullmatch(key):
        raise Problem(
            f"MLOPS_HOOK_SECRET is not the platform's webhook-hmac: it is shorter than {SHORTEST} characters, "
            "or has blanks or line ends in it."
        )
    host, port = place("MLOPS_HOOK_URL", url)
    if urlsplit(url).path.rstrip("/") not in ("", PATH):
        raise Problem(f"MLOPS_HOOK_URL has another path than {PATH}, which is the only one that the gate knows.")
    # SSL_CERT_FILE names other authorities, for a server with a certificate of its own.
    return Target(host, port, key.encode(), ssl.create_default_context())


def place(variable: str, url: str) -> tuple[str, int]:
    """Host and port of an https address. Raises Problem, which names the variable and repeats nothing of its value."""
    if not _PRINTED.fullmatch(url):
        # urlsplit drops line ends, and what is left may be another host.
        raise Problem(f"{variable} has line ends, blanks or other signs in it: it looks like https://hook.example.org")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Problem(f"{variable} is no address: it looks like https://hook.example.org") from None
    if parts.scheme != "https":
        raise Problem(f"{variable} does not begin with https://: requests would be readable, and answers anybody's.")
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise Problem(f"{variable} holds more than a host: a name, a password or a query do not belong into it.")
    host = parts.hostname or ""
    if not _HOST.fullmatch(host) or port == 0:
        raise Problem(f"{variable} names no host: it looks like https://hook.example.org")
    return host, port or 443
