"""Sends a recorded request to the model over real HTTP and compares the answers."""

from __future__ import annotations

import base64
import gzip
import http.client
import json
import re
from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import urlsplit

from console.demo.controller import Controller
from tests.support.jenkins.recordings import Exchange, Got, compare, joined
from tests.support.jenkins.server import JenkinsServer

ADMIN_TOKEN = "11" + "5" * 32


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
        got = _send(server, one)
        return compare(one, got) + _not_the_end(server, one, got)


def _not_the_end(server: JenkinsServer, one: Exchange, got: Got) -> list[str]:
    """X-Text-Size is where the next reading starts: nothing comes from there, and the size is the same.

    So it was recorded (log-finished-start-at-end). The recorded number itself says little: the notes
    of the model have other lengths.
    """
    size = got.headers.get("x-text-size")
    if size is None or one.method != "GET":
        return []
    url = f"{one.url.partition('?')[0]}?start={size}"
    again = _send(server, replace(one, url=url, headers={}))
    if again.body or again.headers.get("x-text-size") != size:
        return [f"x-text-size {size} is not the end of the log"]
    return []


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
    connection.request(one.method, _offset_of_this_log(server.controller, one), body=one.content or None, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    if answer.headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    connection.close()
    return Got(answer.status, joined(answer.headers.items()), body.decode("utf-8", "replace"))


def _offset_of_this_log(controller: Controller, one: Exchange) -> str:
    """The address with the `start` that means the same place in the log of the model.

    Its notes have other lengths than the recorded ones. At or behind the end it is the distance from the end that
    counts, within the file the text that the recording begins with.
    """
    found = re.match(r"/job/(\w+)/(\d+)/logText/progressiveText\?start=(\d+)$", one.url)
    size = one.headers.get("x-text-size")
    if found is None or size is None or found[3] == "0":
        return one.url
    log = controller.build(found[1], int(found[2])).log
    start = int(found[3]) - int(size) + log.size
    if start < log.size:
        wanted = one.body.replace("\r\n", "\n")
        start = next((at for at in range(log.size, 0, -1) if log.read(at)[0] == wanted), start)
    return f"{one.url[: found.start(3)]}{start}"


def _crumb(connection: http.client.HTTPConnection, one: Exchange) -> dict[str, str]:
    """A crumb of this server for a recorded one; its session comes along only where the recording sent one."""
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
    return "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()
