"""Bring a Portainer to what docs/portainer.md says, from whatever it is now: only what differs is changed.

The Community Edition knows administrators and standard users. There is no role that only reads, so a standard user gets what
comes nearest: access to the environment through a team, with every setting that restricts non-administrators on.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from infra.jenkins.steps.problem import Exit, Problem, say
from infra.portainer.api import Portainer, Refusal, Unreachable, unexpected

URL = "https://127.0.0.1:9443"
SECRETS = Path(__file__).resolve().parents[1] / "secrets"
ENVIRONMENT, TEAM, USER = "local", "developers", "developer"
SOCKET = "unix:///var/run/docker.sock"

_DOCKER = 1  # the type of an environment, and of how it is made, for a Docker Engine that Portainer reaches directly
_STANDARD = 2  # the role of a user who is no administrator
_MEMBER = 2  # the role in a team
_NO_ROLE = 0  # roles of an access are Business Edition: in this one the number means nothing

Made = Callable[[str], None]


def step(arguments: Sequence[str] | None = None) -> int:
    """The program. Raises Problem with a sentence for everything that goes wrong."""
    parser = argparse.ArgumentParser(
        prog="portainer-setup", description="Set Portainer up after its first start; again is no harm."
    )
    parser.add_argument("--url", default=URL, help=f"where it is ({URL})")
    parser.add_argument("--certificate", type=Path, help="PEM file with its certificate; a must beyond this machine")
    parser.add_argument("--secrets", type=Path, default=SECRETS, help="folder of the passwords (infra/secrets)")
    parser.add_argument("--wait", type=float, default=60.0, metavar="SECONDS", help="how long it may take to start (60)")
    given = parser.parse_args(arguments)
    admin, developer = (password(given.secrets / f"portainer-{who}-password") for who in ("admin", "developer"))
    portainer = Portainer(given.url, given.certificate)
    portainer.wait(given.wait)
    changes: list[str] = []
    try:
        bring_about(portainer, admin, developer, changes.append)
    except Unreachable as away:
        raise Problem(f"Portainer went away: {away}. Call this again: it goes on where it was.", Exit.UNREACHABLE) from None
    finally:
        for change in changes:
            say(f"portainer-setup: {change}.")
    if not changes:
        say("portainer-setup: all is as it should be.")
    return Exit.OK


def password(file: Path) -> str:
    """What a secret's file holds. Raises Problem, never with what is in it."""
    try:
        text = file.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise Problem(f"There is no {file}. Make the secrets: make secrets", Exit.USAGE) from None
    except PermissionError:
        raise Problem(f"{file} may not be read: it is root's. Call this with sudo.", Exit.USAGE) from None
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise Problem(f"{file} cannot be read: {why}.", Exit.USAGE) from None
    if not text:
        raise Problem(f"{file} is empty. Remove it and make the secrets: make secrets", Exit.USAGE)
    return text


def bring_about(portainer: Portainer, admin: str, developer: str, made: Made) -> None:
    """Everything, in an order in which nobody has more rights for a moment than in the end. `made` is told of each change."""
    if not portainer.log_in("admin", admin):
        raise Problem(
            "Portainer refuses the password in portainer-admin-password: its volume was made with another one, and the file is "
            "read at the very first start only. Put the old password back, or change it in Portainer (My account); "
            "docs/portainer.md says how to begin anew."
        )
    environment = _environment(portainer, made)
    _restrict(portainer, environment, made)
    team = _team(portainer, made)
    user = _user(portainer, developer, made)
    _member(portainer, team, user, made)
    _access(portainer, environment, team, made)
    _good_password(portainer, admin, developer, user, made)


def _environment(portainer: Portainer, made: Made) -> int:
    found = _list(portainer, "/api/endpoints", "the environments")
    local = next((one for one in found if one.get("Type") == _DOCKER and one.get("URL") == SOCKET), None)
    if local is not None:
        return _id(local, "an environment")
    taken = next((one for one in found if one.get("Name") == ENVIRONMENT), None)
    if taken is not None:
        raise Problem(
            f"Portainer has an environment {ENVIRONMENT} that is not the Docker Engine of this server. "
            "Give it another name in Portainer, then call this again."
        )
    try:
        told = portainer.ask(
            "POST", "/api/endpoints", form={"Name": ENVIRONMENT, "EndpointCreationType": str(_DOCKER), "URL": SOCKET}
        )
    except Refusal as refusal:
        if refusal.status == 500:
            raise Problem(
                f"Portainer cannot reach Docker: {refusal}. Its container needs /var/run/docker.sock. When it has it: "
                "docker compose up -d portainer, then call this again."
            ) from None
        raise unexpected(refusal, "making the environment") from None
    made(f"made the environment {ENVIRONMENT}")
    return _id(told, "an environment")


def _settings(portainer: Portainer, environment: int) -> dict[str, bool]:
    told = _told(portainer, "GET", f"/api/endpoints/{environment}", None, "the environment")
    settings = told.get("SecuritySettings") if isinstance(told, dict) else None
    if not isinstance(settings, dict) or not settings:
        raise Problem("This Portainer tells no security settings of its environment: it is too old. 2.9 is the least.")
    return settings


def _restrict(portainer: Portainer, environment: int, made: Made) -> None:
    """Switch off whatever this Portainer can keep from non-administrators: each version knows some settings more."""
    settings = _settings(portainer, environment)
    allowed = _allowed(settings)
    if not allowed:
        return
    wanted = dict.fromkeys(allowed, False)
    # Newer versions want them in an object of their own, older ones do not; each leaves the other form unread.
    _told(
        portainer,
        "PUT",
        f"/api/endpoints/{environment}/settings",
        {**wanted, "securitySettings": {**settings, **wanted}},
        "the security settings",
    )
    if left := _allowed(_settings(portainer, environment)):
        raise Problem(
            f"Portainer took the security settings and still has {', '.join(left)} on. Switch them off by hand, in Host, Setup."
        )
    made(f"switched off for non-administrators: {', '.join(sorted(allowed))}")


def _allowed(settings: dict[str, bool]) -> list[str]:
    switches = (name for name in settings if name.endswith("ForRegularUsers") or name == "enableHostManagementFeatures")
    return [name for name in switches if settings[name]]


def _team(portainer: Portainer, made: Made) -> int:
    found = _list(portainer, "/api/teams", "the teams")
    team = next((one for one in found if one.get("Name") == TEAM), None)
    if team is None:
        team = _told(portainer, "POST", "/api/teams", {"Name": TEAM}, "making the team")
        made(f"made the team {TEAM}")
    return _id(team, "a team")


def _user(portainer: Portainer, password: str, made: Made) -> int:
    found = _list(portainer, "/api/users", "the users")
    user = next((one for one in found if one.get("Username") == USER), None)
    if user is None:
        body = {"Username": USER, "Password": password, "Role": _STANDARD}
        user = _told(portainer, "POST", "/api/users", body, "making the user")
        made(f"made the user {USER}")
    elif user.get("Role") != _STANDARD:
        _told(portainer, "PUT", f"/api/users/{_id(user, 'a user')}", {"Role": _STANDARD}, "changing the user")
        made(f"made {USER} a standard user: it was an administrator")
    return _id(user, "a user")


def _member(portainer: Portainer, team: int, user: int, made: Made) -> None:
    found = _list(portainer, "/api/team_memberships", "who is in the teams")
    if any(one.get("UserID") == user and one.get("TeamID") == team for one in found):
        return
    body = {"UserID": user, "TeamID": team, "Role": _MEMBER}
    _told(portainer, "POST", "/api/team_memberships", body, "putting the user into the team")
    made(f"put {USER} into the team {TEAM}")


def _access(portainer: Portainer, environment: int, team: int, made: Made) -> None:
    told = _told(portainer, "GET", f"/api/endpoints/{environment}", None, "the environment")
    policies = (told.get("TeamAccessPolicies") if isinstance(told, dict) else None) or {}
    if str(team) in policies:
        return
    # The whole list is replaced: what others were given stays in it.
    body = {"TeamAccessPolicies": {**policies, str(team): {"RoleId": _NO_ROLE}}}
    _told(portainer, "PUT", f"/api/endpoints/{environment}", body, "giving the team access")
    made(f"gave the team {TEAM} access to the environment")


def _good_password(portainer: Portainer, admin: str, password: str, user: int, made: Made) -> None:
    """The file is what counts: a password that was changed by hand, or lost with an old file, is set anew."""
    if portainer.log_in(USER, password):
        return
    portainer.log_in("admin", admin)
    # The name of the field changed with the versions; each leaves the other unread.
    body = {"Username": USER, "Password": password, "NewPassword": password, "Role": _STANDARD}
    _told(portainer, "PUT", f"/api/users/{user}", body, "setting the password")
    if not portainer.log_in(USER, password):
        raise Problem(f"Portainer took a new password for {USER} and still refuses it. Set it by hand, in Users, {USER}.")
    made(f"set the password of {USER} to that of its file")


def _told(portainer: Portainer, method: str, path: str, body: Any, what: str) -> Any:
    try:
        return portainer.ask(method, path, body)
    except Refusal as refusal:
        raise unexpected(refusal, what) from None


def _list(portainer: Portainer, path: str, what: str) -> list[dict[str, Any]]:
    told = _told(portainer, "GET", path, None, what)
    if told is not None and not isinstance(told, list):
        raise Problem(f"{portainer.url} answers GET {path} with something else than a list: it is not Portainer.")
    return [one for one in told or [] if isinstance(one, dict)]


def _id(one: Any, what: str) -> int:
    number = one.get("Id") if isinstance(one, dict) else None
    if not isinstance(number, int):
        raise Problem(f"Portainer tells of {what} without a number.")
    return number
