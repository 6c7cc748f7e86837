"""Sends a recorded request to the model over real HTTP and compares the answers."""

from __future__ import annotations

import gzip
import http.client
from collections.abc import Iterable
from urllib.parse import urlsplit

from console.demo.controller import Controller
from tests.support.jenkins.recordings import Exchange, Got, compare
from tests.support.jenkins.server import JenkinsServer

ADMIN_TOKEN = "11" + "0" * 32


def secrets(recorded: Iterable[Exchange]) -> dict[str, dict[str, str]]:
    """Tokens and passwords that were right when they were recorded: by user id, `password` or the token's own text."""
    found: dict[str, dict[str, str]] = {}
    for one in recorded:
        if one.credentials is not None and one.status != 401:
            user, secret = one.credentials
            token = len(secret) == 34 and secret.startswith("11")
            found.setdefault(user, {})[secret if token else "password"] = secret
    found.setdefault("admin", {})["tests"] = ADMIN_TOKEN
    return found


def give_secrets(controller: Controller, known: dict[str, dict[str, str]]) -> None:
    """Let the accounts of a controller know what the recordings were made with."""
    for name, entries in known.items():
        user = controller.users.get(name)
        if user is not None:
            user.password = entries.get("password", "not used")
            user.tokens = {key: secret for key, secret in entries.items() if key != "password"}


def replay(controller: Controller, one: Exchange) -> list[str]:
    """What the model does otherwise than the recording says; empty when it reproduces the exchange."""
    with JenkinsServer(controller) as server:
        return compare(one, _send(server, one))


def _send(server: JenkinsServer, one: Exchange) -> Got:
    address = urlsplit(server.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
    dropped = {"host", "content-length", "cookie", "connection"}
    headers = {name: value for name, value in one.sent.items() if name not in dropped}
    if one.url.startswith("/") and not one.sent:
        # A few recordings kept no request headers: an administrator made them.
        headers["authorization"] = _basic("admin", ADMIN_TOKEN)
    if "jenkins-crumb" in one.sent and one.credentials is not None:
        headers |= _crumb(connection, one)
    connection.request(one.method, one.url, body=one.content or None, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    if answer.headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    connection.close()
    got = {name.lower(): value for name, value in answer.headers.items()}
    return Got(answer.status, got, body.decode("utf-8", "replace"))


def _crumb(connection: http.client.HTTPConnection, one: Exchange) -> dict[str, str]:
    """A crumb of this server for a recorded one; its session comes along only where the recording sent one."""
    import json

    connection.request("GET", "/crumbIssuer/api/json", headers={"authorization": one.sent["authorization"]})
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        return {}
    found = {"jenkins-crumb": str(json.loads(body)["crumb"])}
    if "cookie" in one.sent:
        found["cookie"] = answer.headers["Set-Cookie"].partition(";")[0]
    return found


def _basic(user: str, secret: str) -> str:
    import base64

    return "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()
