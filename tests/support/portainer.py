"""A small Portainer over HTTPS: the requests of its first set-up, with statuses and shapes as its documented API has them.

They come from the annotations of Portainer CE's own handlers (api/http/handler of its repository, which its API reference is
made from): 200 with the object for what was made or changed; 422 `Invalid credentials`; 403 `Access denied` after too many
tries and for who is no administrator; 409 for a name that is taken; 500 `Unable to initiate communications with endpoint`
where Docker cannot be reached; and 303 with the header `redirect-reason: AdminInitTimeout` for everything but the status once
it has locked itself. Errors are `{"message": ..., "details": ...}`. Fields are matched without regard to upper and lower case
and unknown ones are ignored, as Go's decoder does.
"""

from __future__ import annotations

import json
import re
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

SOCKET = "unix:///var/run/docker.sock"
SETTINGS = (
    "allowBindMountsForRegularUsers",
    "allowPrivilegedModeForRegularUsers",
    "allowHostNamespaceForRegularUsers",
    "allowContainerCapabilitiesForRegularUsers",
    "allowDeviceMappingForRegularUsers",
    "allowStackManagementForRegularUsers",
    "allowSysctlSettingForRegularUsers",
)
OFF_AT_FIRST = ("allowVolumeBrowserForRegularUsers", "enableHostManagementFeatures")

Told = tuple[int, Any]


@dataclass
class Standin:
    """What it holds, and how it behaves. `requests` are method and path of each; `changes` those that were no GET nor log-in.

    `nested`: it is one of the newer ones, which want settings in an object of their own and call a new password NewPassword.
    `dies_after`: so many changes are taken, then it closes connections without an answer.
    """

    passwords: dict[str, str]
    users: list[dict[str, Any]] = field(default_factory=lambda: [{"Id": 1, "Username": "admin", "Role": 1}])
    teams: list[dict[str, Any]] = field(default_factory=list)
    memberships: list[dict[str, Any]] = field(default_factory=list)
    endpoints: list[dict[str, Any]] = field(default_factory=list)
    nested: bool = False
    locked: bool = False
    banned: bool = False
    docker: bool = True
    deaf_to_settings: bool = False
    starting: int = 0
    dies_after: int | None = None
    requests: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    url: str = ""

    def state(self) -> Any:
        """All it holds, to compare."""
        return json.loads(json.dumps([self.passwords, self.users, self.teams, self.memberships, self.endpoints]))

    def answer(self, method: str, path: str, headers: Message, body: bytes) -> Told | None:
        """Status and object of one request; None cuts the connection off."""
        self.requests.append(f"{method} {path}")
        if self.starting > 0:
            self.starting -= 1
            return 503, {"message": "starting"}
        if path == "/api/system/status":
            return 200, {"Version": "2.30.0", "InstanceID": "x"}
        if self.locked:
            return 303, {"message": "Administrator initialization timeout", "details": "Administrator initialization timeout"}
        if path == "/api/auth" and method == "POST":
            return self._auth(_fields(body))
        user = (headers.get("Authorization") or "").removeprefix("Bearer token of ")
        role = next((one["Role"] for one in self.users if one["Username"] == user), None)
        if role is None:
            return 401, {"message": "Unauthorized", "details": "Unauthorized"}
        if role != 1:
            return 403, {"message": "Access denied", "details": "Access denied to resource"}
        if method != "GET":
            if self.dies_after is not None and len(self.changes) >= self.dies_after:
                return None
            self.changes.append(f"{method} {path}")
        return self._routed(method, path, headers, body)

    def _auth(self, given: dict[str, Any]) -> Told:
        if self.banned:
            return 403, {"message": "Access denied", "details": "Access denied to resource"}
        if self.passwords.get(given["username"]) != given["password"]:
            return 422, {"message": "Invalid credentials", "details": "Unauthorized"}
        return 200, {"jwt": f"token of {given['username']}"}

    def _routed(self, method: str, path: str, headers: Message, body: bytes) -> Told:
        lists = {
            "/api/users": self.users,
            "/api/teams": self.teams,
            "/api/team_memberships": self.memberships,
            "/api/endpoints": self.endpoints,
        }
        if method == "GET" and path in lists:
            return 200, lists[path]
        if method == "POST" and path == "/api/endpoints":
            return self._make_endpoint(_form(headers, body))
        if method == "POST" and path in lists:
            return self._make(path, _fields(body))
        if found := re.fullmatch(r"/api/(users|endpoints)/(\d+)(/settings)?", path):
            kept = lists[f"/api/{found[1]}"]
            one = next((one for one in kept if one["Id"] == int(found[2])), None)
            if one is None:
                return 404, {"message": f"Unable to find {found[1]} with the specified identifier inside the database"}
            if method == "GET":
                return 200, one
            given = _fields(body)
            if found[3]:
                return self._settings(one, given)
            return self._change_user(one, given) if found[1] == "users" else self._change_endpoint(one, given)
        return 404, {"message": "not found"}

    def _make(self, path: str, given: dict[str, Any]) -> Told:
        if path == "/api/teams":
            if any(one["Name"] == given["name"] for one in self.teams):
                return 409, {"message": "A team with the same name already exists", "details": "Team already exists"}
            self.teams.append({"Id": len(self.teams) + 1, "Name": given["name"]})
            return 200, self.teams[-1]
        if path == "/api/users":
            if any(one["Username"] == given["username"] for one in self.users):
                return 409, {"message": "Another user with the same username already exists"}
            if given["role"] not in (1, 2) or len(given["password"]) < 12:
                return 400, {"message": "Invalid request payload"}
            self.passwords[given["username"]] = given["password"]
            self.users.append({"Id": len(self.users) + 1, "Username": given["username"], "Role": given["role"]})
            return 200, self.users[-1]
        if any((one["UserID"], one["TeamID"]) == (given["userid"], given["teamid"]) for one in self.memberships):
            return 409, {"message": "Team membership already registered"}
        number = len(self.memberships) + 1
        made = {"Id": number, "UserID": given["userid"], "TeamID": given["teamid"], "Role": given["role"]}
        self.memberships.append(made)
        return 200, made

    def _make_endpoint(self, given: dict[str, str]) -> Told:
        if given.get("EndpointCreationType") != "1" or not given.get("Name"):
            return 400, {"message": "Invalid request payload"}
        if not self.docker:
            return 500, {"message": "Unable to initiate communications with endpoint", "details": "dial unix: no such file"}
        self.endpoints.append(endpoint(len(self.endpoints) + 1, given["Name"], given.get("URL") or SOCKET))
        return 200, self.endpoints[-1]

    def _settings(self, one: dict[str, Any], given: dict[str, Any]) -> Told:
        wanted = _lower(given.get("securitysettings", {})) if self.nested else given
        if not self.deaf_to_settings:
            known = one["SecuritySettings"]
            known.update({name: wanted[name.lower()] for name in known if name.lower() in wanted})
        return 200, one

    def _change_user(self, one: dict[str, Any], given: dict[str, Any]) -> Told:
        if new := given.get("newpassword" if self.nested else "password"):
            self.passwords[one["Username"]] = new
        if given.get("role"):
            one["Role"] = given["role"]
        return 200, one

    def _change_endpoint(self, one: dict[str, Any], given: dict[str, Any]) -> Told:
        for name in ("TeamAccessPolicies", "UserAccessPolicies"):
            if name.lower() in given:
                one[name] = given[name.lower()]
        return 200, one


def endpoint(number: int, name: str, url: str = SOCKET, kind: int = 1) -> dict[str, Any]:
    """An environment as it is when it has just been made: nearly everything is permitted."""
    settings = {**dict.fromkeys(SETTINGS, True), **dict.fromkeys(OFF_AT_FIRST, False)}
    found = {"Id": number, "Name": name, "URL": url, "Type": kind, "SecuritySettings": settings}
    return {**found, "TeamAccessPolicies": {}, "UserAccessPolicies": {}}


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A self-signed certificate and its key, as Portainer makes one at its first start."""
    made, key = folder / f"{name}.pem", folder / f"{name}-key.pem"
    kind = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1")
    where = ("-subj", "/CN=portainer", "-keyout", str(key), "-out", str(made))
    subprocess.run(["openssl", *kind, *where], check=True, capture_output=True, timeout=60)
    return made, key


@contextmanager
def serving(standin: Standin, pair: tuple[Path, Path]) -> Iterator[Standin]:
    """It answers at `standin.url` for the time of a `with`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            told = standin.answer(self.command, self.path, self.headers, body)
            if told is None:
                self.close_connection = True
                return
            text = json.dumps(told[1]).encode()
            self.send_response(told[0])
            if told[0] == 303:
                self.send_header("redirect-reason", "AdminInitTimeout")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PUT = _serve  # noqa: N815 - the names that the library calls

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Nothing is written."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    standin.url = f"https://127.0.0.1:{server.server_address[1]}"
    try:
        yield standin
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _lower(given: dict[str, Any]) -> dict[str, Any]:
    return {name.lower(): value for name, value in given.items()}


def _fields(body: bytes) -> dict[str, Any]:
    return _lower(json.loads(body))


def _form(headers: Message, body: bytes) -> dict[str, str]:
    line = str(headers.get("Content-Type")).partition("boundary=")[2]
    found = {}
    for part in body.decode().split(f"--{line}")[1:-1]:
        head, _, value = part.strip("\r\n").partition("\r\n\r\n")
        found[re.findall(r'name="([^"]+)"', head)[0]] = value
    return found
