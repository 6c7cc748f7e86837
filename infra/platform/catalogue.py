"""Every secret of the platform: what it looks like, who reads it, who must learn of a new one."""

from __future__ import annotations

import difflib
import re
import secrets as random
import string
from dataclasses import dataclass
from enum import Enum

from infra.jenkins.steps.problem import Exit, Problem

# What stands in the file of a secret that nobody has given.
NONE = b"none"

_CONTROLLER = 1000
_ROOT = 0
_LETTERS = string.ascii_letters + string.digits


class Kind(Enum):
    """What a secret looks like: a pattern of the whole file, and words for it."""

    PASSWORD = (rb"[A-Za-z0-9]{32}", "32 letters and digits")
    API_TOKEN = (rb"11[0-9a-f]{32}", "`11` and 32 lower-case hex digits, the form that Jenkins wants")
    HEX = (rb"[0-9a-f]{64}", "64 lower-case hex digits")
    PRIVATE_KEY = (
        rb"-----BEGIN OPENSSH PRIVATE KEY-----\n[A-Za-z0-9+/=\n]+-----END OPENSSH PRIVATE KEY-----",
        "an OpenSSH key",
    )
    PUBLIC_KEY = (rb"ssh-ed25519 [A-Za-z0-9+/]+=*", "`ssh-ed25519` and the key, without a comment")
    TOKEN = (rb"[!-~]+", "one line without blanks, or the word none")
    CERTIFICATE = (rb"(?s).+", "a certificate in PEM form, or the word none")

    def fits(self, content: bytes) -> bool:
        """Whether the content of a file, less one last line end, has this form."""
        return re.fullmatch(self.value[0], content.removesuffix(b"\n")) is not None

    @property
    def words(self) -> str:
        return self.value[1]


@dataclass(frozen=True)
class Secret:
    """One file below infra/secrets.

    `owner` is the uid of its reader. `services` must be made anew to read a new one, and `also` says who else must learn of
    it. `without` says what does not work while a given one is `none`.
    """

    name: str
    kind: Kind
    owner: int = _CONTROLLER
    services: tuple[str, ...] = ()
    also: str = ""
    without: str = ""

    @property
    def mode(self) -> int:
        """What of it may be read, and by whom."""
        return 0o444 if self.kind in {Kind.PUBLIC_KEY, Kind.CERTIFICATE} else 0o400

    @property
    def given(self) -> bool:
        """Whether it comes from a person and cannot be made here."""
        return self.kind in {Kind.TOKEN, Kind.CERTIFICATE}

    def fresh(self) -> bytes:
        """A new value. Of keys and of what is given there is none: ValueError."""
        if self.kind is Kind.PASSWORD:
            return "".join(random.choice(_LETTERS) for _ in range(32)).encode()
        if self.kind is Kind.API_TOKEN:
            return b"11" + random.token_hex(16).encode()
        if self.kind is Kind.HEX:
            return random.token_hex(32).encode()
        raise ValueError(self.name)


def _jenkins(user: str, *, also: tuple[str, str] = ("", ""), readers: tuple[str, ...] = ()) -> list[Secret]:
    """Password and token of a user of Jenkins. `also`: who must learn of a new one, of each."""
    return [
        Secret(f"jenkins-{user}-password", Kind.PASSWORD, services=("jenkins",), also=also[0]),
        Secret(f"jenkins-{user}-token", Kind.API_TOKEN, services=("jenkins", *readers), also=also[1]),
    ]


_SIGNS_IN = "Whoever signs in to Jenkins as {} needs the new one."
_CONSOLE = "Whoever uses the console as {}: mlops-console login."
_NOT_PUBLISHED = "projects that publish are not trained, unless PUBLISH=no in infra/.env"
_PORTAINER = "Portainer reads it only while its data are empty: change the password of {} in Portainer too."

SECRETS: tuple[Secret, ...] = (
    *_jenkins("admin", also=(_SIGNS_IN.format("admin"), "")),
    *_jenkins("operator", also=(_SIGNS_IN.format("operator"), _CONSOLE.format("operator"))),
    *_jenkins("viewer", also=(_SIGNS_IN.format("viewer"), _CONSOLE.format("viewer")), readers=("agent",)),
    *_jenkins("release-bot"),
    Secret(
        "webhook-hmac",
        Kind.HEX,
        services=("jenkins",),
        also="GitHub: put the new value into the secret MLOPS_HOOK_SECRET (docs/way-in.md).",
    ),
    Secret("webhook-token", Kind.HEX, services=("jenkins", "gate")),
    Secret("agent-ssh-key", Kind.PRIVATE_KEY, services=("jenkins", "agent")),
    Secret("agent-ssh-key.pub", Kind.PUBLIC_KEY, _ROOT, services=("jenkins", "agent")),
    Secret("agent-host-key", Kind.PRIVATE_KEY, _ROOT, services=("jenkins", "agent")),
    Secret("agent-host-key.pub", Kind.PUBLIC_KEY, _ROOT, services=("jenkins", "agent")),
    Secret("portainer-admin-password", Kind.PASSWORD, _ROOT, services=("portainer",), also=_PORTAINER.format("admin")),
    Secret(
        "portainer-developer-password",
        Kind.PASSWORD,
        _ROOT,
        also="Portainer keeps the old one: change the password of developer in Portainer too.",
    ),
    Secret("frp-token", Kind.HEX, services=("frp_client",), also="frps: its token file needs the new value."),
    Secret("frp-admin-password", Kind.HEX, services=("frp_client",)),
    Secret("frp-ca", Kind.CERTIFICATE, services=("frp_client",), without="the tunnel stays closed: no release comes in"),
    Secret(
        "hf-read-token", Kind.TOKEN, services=("jenkins",), without="private models and data sets of the Hub cannot be read"
    ),
    Secret("hf-write-token", Kind.TOKEN, services=("jenkins",), without=_NOT_PUBLISHED),
    Secret("git-token", Kind.TOKEN, services=("jenkins",), without="a private repository cannot be fetched"),
)

_BY_NAME = {secret.name: secret for secret in SECRETS}


def secret(name: str) -> Secret:
    """The secret of a name; that of a public key's name is its pair's. Raises Problem."""
    found = _BY_NAME.get(name.removesuffix(".pub"))
    if found is None:
        near = difflib.get_close_matches(name, _BY_NAME, 1)
        raise Problem(f"There is no secret {name}." + (f" Did you mean {near[0]}?" if near else ""), Exit.USAGE)
    return found


def public(private: Secret) -> Secret:
    """The other half of a pair."""
    return _BY_NAME[f"{private.name}.pub"]
