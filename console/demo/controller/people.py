"""Who may do what on the controller: users, permissions, API tokens, sessions and their crumbs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum


class Permission(StrEnum):
    """A permission by the name that X-Required-Permission gives it."""

    ADMINISTER = "hudson.model.Hudson.Administer"
    READ = "hudson.model.Hudson.Read"
    JOB_READ = "hudson.model.Item.Read"
    JOB_BUILD = "hudson.model.Item.Build"
    JOB_CANCEL = "hudson.model.Item.Cancel"
    JOB_CONFIGURE = "hudson.model.Item.Configure"
    JOB_DELETE = "hudson.model.Item.Delete"
    RUN_REPLAY = "hudson.model.Run.Replay"
    RUN_UPDATE = "hudson.model.Run.Update"
    RUN_DELETE = "hudson.model.Run.Delete"
    AGENT_CONNECT = "hudson.model.Computer.Connect"
    AGENT_DISCONNECT = "hudson.model.Computer.Disconnect"
    VIEW_READ = "hudson.model.View.Read"


_READING = frozenset({Permission.READ, Permission.JOB_READ, Permission.VIEW_READ})

NOBODY: frozenset[Permission] = frozenset()
LIMITED = frozenset({Permission.READ})
VIEWER = _READING
BUILDER = _READING | {Permission.JOB_BUILD}
OPERATOR = BUILDER | {Permission.JOB_CANCEL}
DEVELOPER = OPERATOR | {Permission.RUN_REPLAY}
ADMIN = frozenset({Permission.ADMINISTER})

_WRITE = "hudson.security.Permission.GenericWrite"
_GENERIC: dict[Permission, tuple[str, ...]] = {
    Permission.ADMINISTER: (),
    Permission.READ: ("hudson.security.Permission.GenericRead",),
    Permission.JOB_READ: ("hudson.security.Permission.GenericRead",),
    Permission.JOB_BUILD: ("hudson.security.Permission.GenericUpdate", _WRITE),
    Permission.JOB_CANCEL: ("hudson.security.Permission.GenericUpdate", _WRITE),
    Permission.JOB_CONFIGURE: (
        "hudson.security.Permission.GenericConfigure",
        "hudson.security.Permission.GenericUpdate",
        _WRITE,
    ),
    Permission.RUN_UPDATE: ("hudson.security.Permission.GenericUpdate", _WRITE),
    Permission.RUN_DELETE: ("hudson.security.Permission.GenericDelete", _WRITE),
    Permission.AGENT_CONNECT: ("hudson.model.Computer.Disconnect",),
}


def implied_by(permission: Permission) -> tuple[str, ...]:
    """What else would do, as X-Permission-Implied-By lists it; empty for Overall/Administer."""
    if permission is Permission.ADMINISTER:
        return ()
    return (*_GENERIC.get(permission, ()), str(Permission.ADMINISTER))


@dataclass(slots=True)
class User:
    """One account. `tokens` are API tokens, value by name; a token needs no crumb, a password does."""

    id: str
    full_name: str
    password: str
    permissions: frozenset[Permission]
    tokens: dict[str, str] = field(default_factory=dict)

    def may(self, permission: Permission) -> bool:
        if permission in self.permissions or Permission.ADMINISTER in self.permissions:
            return True
        return permission is Permission.AGENT_CONNECT and Permission.AGENT_DISCONNECT in self.permissions

    @property
    def may_see_jobs(self) -> bool:
        return self.may(Permission.JOB_READ)


@dataclass(frozen=True, slots=True)
class Login:
    """Credentials that were right. `by_token` frees a POST from the crumb."""

    user: User
    by_token: bool


class People:
    """All accounts and the web sessions that are open. Sessions end with the process of the controller."""

    def __init__(self, secret: str) -> None:
        self.users: dict[str, User] = {}
        self._secret = secret
        self._sessions: set[str] = set()
        self._issued = 0

    def login(self, name: str, secret: str) -> Login | None:
        """The account that `name` and `secret` (password or API token) open, None when they open nothing."""
        user = self.users.get(name)
        if user is None:
            return None
        if secret in user.tokens.values():
            return Login(user, by_token=True)
        return Login(user, by_token=False) if secret == user.password else None

    def open_session(self) -> str:
        """A new session id, the value of a JSESSIONID cookie."""
        session = f"node0{self.unique('session')[:24]}.node0"
        self._sessions.add(session)
        return session

    def crumb(self, session: str, user: str) -> str:
        """The crumb of one session: it is of no use with another one."""
        return hashlib.sha256(f"{self._secret}{session}{user}".encode()).hexdigest()

    def crumb_is_valid(self, session: str | None, user: str, crumb: str | None) -> bool:
        return session in self._sessions and crumb == self.crumb(session or "", user)

    def knows_session(self, session: str | None) -> bool:
        return session in self._sessions

    def generate_token(self, user: str, name: str) -> tuple[str, str]:
        """Make an API token; returns its uuid and its value (`11` and 32 hex digits)."""
        digest = self.unique("token")
        value = "11" + digest[:32]
        self.users[user].tokens[name] = value
        return f"{digest[32:40]}-{digest[40:44]}-4{digest[45:48]}-9{digest[49:52]}-{digest[52:64]}", value

    def end_sessions(self) -> None:
        self._sessions.clear()

    def unique(self, purpose: str) -> str:
        """64 hex digits that never come again and are the same in each run."""
        self._issued += 1
        return hashlib.sha256(f"{self._secret}{purpose}{self._issued}".encode()).hexdigest()
