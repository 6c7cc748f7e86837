"""Stand-in for the webhook trigger of Jenkins, over real HTTP: accepts exactly what the recordings `gwt-*` show it to accept.

Its variables, filter and cause are read from infra/jenkins/casc.yaml.
"""

from __future__ import annotations

import hashlib
import hmac
import http.server
import json
import re
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CASC = Path(__file__).parents[2] / "infra" / "jenkins" / "casc.yaml"
PATH = "/generic-webhook-trigger/invoke"
_SIGNATURE = "X-Hub-Signature-256"
_NO_JOB = (
    "Did not find any jobs with GenericTrigger configured! If you are using a token, you need to pass it like "
    "...trigger/invoke?token=TOKENHERE. If you are not using a token, you need to authenticate like "
    "http://user:passsword@jenkins/generic-webhook... "
)


@dataclass(slots=True)
class Arrived:
    """A request that has reached Jenkins, whatever became of it. `headers` as they came."""

    line: str
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


@dataclass(frozen=True, slots=True)
class Item:
    """A build to come: its number, what it is to do, and every request that asked for it."""

    number: int
    parameters: Mapping[str, str]
    causes: Sequence[str]


class Trigger:
    """What the trigger of the job `train` makes of a request. A filter may be given in place of the one in casc.yaml."""

    def __init__(self, key: bytes, token: str, *, expression: str | None = None, text: str | None = None) -> None:
        casc = CASC.read_text()
        self._key, self._token = key, token
        self._variables = _variables(casc)
        self._text = _said(casc, "regexpFilterText") if text is None else text
        self._expression = _said(casc, "regexpFilterExpression").replace("\\\\", "\\") if expression is None else expression
        self._cause = _said(casc, "causeString")
        self._lock = threading.Lock()
        self._waiting: list[Item] = []
        self._number = 0

    def answer(self, arrived: Arrived) -> tuple[int, str]:
        """Status and body. The signature first, then the token, then what the body says."""
        problem = self._unsigned(arrived)
        if problem:
            told = "{" + ", ".join(f"{name.lower()}=[{value}]" for name, value in arrived.headers) + "}"
            message = f"Sender, 10.0.0.1, with headers {told} did not pass whitelist.\n"
            message += f"Did not find a matching whitelisted host:\n1) {problem.replace('{}', told)}\n"
            return 403, json.dumps({"jobs": None, "message": message})
        if not hmac.compare_digest((arrived.header("token") or "").encode(), self._token.encode()):
            return 404, json.dumps({"jobs": None, "message": _NO_JOB})
        values = self._resolved(arrived.body)
        text = re.sub(r"\$([A-Z]+)", lambda found: values.get(found[1], found[0]), self._text)
        # Java's \z is Python's \Z.
        triggered = re.search(self._expression.replace(r"\z", r"\Z"), text) is not None if self._expression else True
        number = self._queue(values) if triggered else 0
        job = {
            "regexpFilterExpression": self._expression, "triggered": triggered, "resolvedVariables": values,
            "regexpFilterText": text, "id": number, "url": f"queue/item/{number}/" if triggered else "",
        }  # fmt: skip
        return 200, json.dumps({"jobs": {"train": job}, "message": "Triggered jobs."})

    def leave_queue(self) -> list[Item]:
        """The quiet period is over: what has waited is built."""
        with self._lock:
            left, self._waiting = self._waiting, []
        return left

    def _unsigned(self, arrived: Arrived) -> str:
        """What is wrong with the signature; `{}` stands for all headers. Empty when nothing is."""
        given = arrived.header(_SIGNATURE)
        if given is None:
            return f'Was unable to find header with name "{_SIGNATURE}" among {{}}'
        # Only what follows the equals sign counts, in whatever case.
        value = given.rpartition("=")[2]
        wanted = hmac.new(self._key, arrived.body, hashlib.sha256).hexdigest()
        if hmac.compare_digest(value.lower().encode(), wanted.encode()):
            return ""
        return f'HMAC verification failed with "{_SIGNATURE}" as "{value}" and algorithm HmacSHA256'

    def _resolved(self, body: bytes) -> dict[str, str]:
        try:
            told = json.loads(body)
        except ValueError:
            told = None
        values = {}
        for name, (key, default) in self._variables.items():
            found = told.get(key) if isinstance(told, dict) else None
            values[name] = default if found is None else _as_text(found)
        return dict(sorted(values.items()))

    def _queue(self, values: Mapping[str, str]) -> int:
        cause = re.sub(r"\$([A-Z]+)", lambda found: values[found[1]], self._cause)
        with self._lock:
            for at, item in enumerate(self._waiting):
                if item.parameters == values:
                    self._waiting[at] = Item(item.number, values, [*item.causes, cause])
                    return item.number
            self._number += 1
            self._waiting.append(Item(self._number, values, [cause]))
            return self._number


class Jenkins:
    """A controller with that trigger on one port. `arrived` are all requests that have reached it, whatever they were."""

    def __init__(self, trigger: Trigger, listen: Callable[[], socket.socket]) -> None:
        """`listen` opens its socket, once for each start."""
        self.trigger = trigger
        self.arrived: list[Arrived] = []
        self.before_answer: Callable[[], None] = lambda: None
        self._listen = listen
        self._server: http.server.ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None
        self.start()

    def start(self) -> None:
        """Start it, also after `stop`."""
        server = http.server.ThreadingHTTPServer(("", 0), _handler(self), bind_and_activate=False)
        server.socket.close()
        server.socket = self._listen()
        server.daemon_threads = True
        self._server = server
        self._thread = threading.Thread(target=lambda: server.serve_forever(0.01), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End it: from now on connections are refused. Harmless when done twice."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
            self._server = None


def _handler(jenkins: Jenkins) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 10.0
        raw_requestline: bytes

        def parse_request(self) -> bool:
            # Before anything is looked at: also what is no request has arrived.
            self.here = Arrived(self.raw_requestline.decode("latin-1").rstrip("\r\n"))
            jenkins.arrived.append(self.here)
            good = super().parse_request()
            if good:
                self.here.headers = self.headers.items()
            return good

        def do_POST(self) -> None:
            self.here.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.path == PATH:
                self._say(*jenkins.trigger.answer(self.here))
            else:
                self._say(404, "Not Found")

        def do_GET(self) -> None:
            self._say(200, "Sign in to Jenkins")

        do_HEAD = do_PUT = do_DELETE = do_OPTIONS = do_PATCH = do_GET  # noqa: N815 # http.server calls them so

        def _say(self, status: int, text: str) -> None:
            jenkins.before_answer()
            with suppress(OSError):
                self.send_response(status)
                self.send_header("X-Jenkins", "2.421")
                self.send_header("Set-Cookie", "JSESSIONID.1=node0; Path=/; HttpOnly")
                self.send_header("Content-Type", "application/json;charset=utf-8")
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(text.encode())

        def log_message(self, *arguments: object) -> None:
            """Nothing."""

    return Handler


def _said(casc: str, word: str) -> str:
    (found,) = re.findall(rf"^ *{word}\('(.*)'\)$", casc, re.MULTILINE)
    return str(found)


def _variables(casc: str) -> dict[str, tuple[str, str]]:
    """Name of a variable: the key in the body, and its default."""
    found = re.findall(
        r"genericVariable \{\s*key\('(\w+)'\)\s*value\('\$\.(\w+)'\).*?defaultValue\('([^']*)'\)", casc, re.DOTALL
    )
    assert len(found) == casc.count("genericVariable {")
    return {name: (key, default) for name, key, default in found}


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
