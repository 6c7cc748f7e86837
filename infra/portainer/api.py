"""Portainer's API over HTTPS, as far as it is needed: requests, and what its refusals mean in a sentence.

The token and the passwords go into requests and nowhere else: no message quotes a request, and of an answer only its `message`.
"""

from __future__ import annotations

import hashlib
import http.client
import ipaddress
import json
import socket
import ssl
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from console.text import clean
from infra.jenkins.steps.problem import Exit, Problem

_PATIENCE = 20.0
_LARGEST = 4_000_000
_RESTART = "restart it (docker compose restart portainer), then call this again within five minutes"


class Refusal(Exception):  # noqa: N818  # what it means is decided by who asked
    """An answer that is no success: its `status` and Portainer's own words, `message`."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{message} ({status})")
        self.status = status
        self.message = message


class Unreachable(Exception):  # noqa: N818  # the same
    """No answer; the text says why."""


class Portainer:
    """One Portainer at `url`. `certificate` is a PEM file with the very certificate that it must show.

    Without one the address has to be of this machine. Raises Problem for an address that cannot be used.
    """

    def __init__(self, url: str, certificate: Path | None) -> None:
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname or parts.path.strip("/"):
            raise Problem(f"{url} is no address of Portainer: give https://HOST:PORT.", Exit.USAGE)
        self.url = url.rstrip("/")
        self._host, self._port = parts.hostname, parts.port or 443
        self._pinned = _fingerprint_in(certificate) if certificate is not None else None
        if self._pinned is None and not _is_this_machine(self._host):
            raise Problem(f"{self.url} is not this machine: give its certificate with --certificate FILE.", Exit.USAGE)
        self._token: str | None = None

    def wait(self, seconds: float) -> None:
        """Return as soon as it answers, which takes it some seconds after a start. Raises Problem after `seconds`."""
        end = time.monotonic() + seconds
        while True:
            try:
                self.ask("GET", "/api/system/status")
            except Refusal as refusal:
                # Older ones have the status elsewhere; whoever refuses is there.
                if refusal.status not in (502, 503, 504):
                    return
                why = str(refusal)
            except Unreachable as away:
                why = str(away)
            else:
                return
            if time.monotonic() >= end:
                raise Problem(
                    f"Portainer does not answer at {self.url}: {why}. See whether it runs: docker compose ps portainer",
                    Exit.UNREACHABLE,
                )
            time.sleep(0.2)

    def log_in(self, user: str, password: str) -> bool:
        """Whether the password is good; then requests are made as that user. Raises Problem for any other answer."""
        self._token = None
        try:
            told = self.ask("POST", "/api/auth", {"username": user, "password": password})
        except Refusal as refusal:
            if refusal.status == 422:
                return False
            raise unexpected(refusal, f"logging in as {user}") from None
        token = told.get("jwt") if isinstance(told, dict) else None
        if not isinstance(token, str) or not token:
            raise Problem(f"{self.url} answers a log-in without a token: it is not Portainer.")
        self._token = token
        return True

    def ask(self, method: str, path: str, body: Any = None, *, form: Mapping[str, str] | None = None) -> Any:
        """The JSON of an answer; None where there is no body. Raises Refusal, and Unreachable without an answer."""
        headers = {"Accept": "application/json"}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        data: bytes | None = None
        if form is not None:
            kind, data = _multipart(form)
            headers["Content-Type"] = kind
        elif body is not None:
            headers["Content-Type"], data = "application/json", json.dumps(body).encode()
        connection = http.client.HTTPSConnection(self._host, self._port, timeout=_PATIENCE, context=_context())
        try:
            connection.connect()
            self._check(connection)
            connection.request(method, path, data, headers)
            answer = connection.getresponse()
            status, text = answer.status, answer.read(_LARGEST)
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(_words_of(error)) from None
        finally:
            connection.close()
        if not 200 <= status < 300:
            raise Refusal(status, _message(text))
        if not text.strip():
            return None
        try:
            return json.loads(text)
        except ValueError:
            raise Problem(f"{self.url} answers {method} {path} with something that is no JSON: it is not Portainer.") from None

    def _check(self, connection: http.client.HTTPSConnection) -> None:
        """Before anything is sent: is that the certificate that was given?"""
        if self._pinned is None:
            return
        assert isinstance(connection.sock, ssl.SSLSocket)  # noqa: S101 - an HTTPSConnection that is connected
        shown = hashlib.sha256(connection.sock.getpeercert(binary_form=True) or b"").hexdigest()
        if shown != self._pinned:
            raise Problem(
                f"{self.url} shows another certificate than the file that was given: nothing was sent. Its SHA-256 is {shown}. "
                "If Portainer's was made anew, take the new one out of its volume; else somebody else answers there."
            )


def unexpected(refusal: Refusal, what: str) -> Problem:
    """The sentence for a refusal that `what` did not expect."""
    if refusal.status == 303:
        # Portainer locks itself when nobody makes an administrator within five minutes; everything is 303 then.
        return Problem(f"Portainer has locked itself ({refusal.message}): {_RESTART}.")
    if refusal.status == 403:
        lately = "After many log-ins in a short time it refuses an address for a while; a restart ends that"
        return Problem(f"Portainer does not permit {what}: {refusal}. {lately}.")
    return Problem(f"Portainer failed at {what}: {refusal}. Its log says more: docker compose logs portainer")


def _context() -> ssl.SSLContext:
    """Certificates are not looked at here: Portainer signs its own, and that of a file is compared byte by byte.

    Without a file only an address of this machine is taken: nobody stands in between there, and the Engine holds the port
    from the moment on in which the container starts.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _fingerprint_in(file: Path) -> str:
    try:
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(file.read_text("ascii").strip())).hexdigest()
    except OSError as error:
        raise Problem(f"The certificate {file} cannot be read: {error.strerror}.", Exit.USAGE) from error
    except ValueError:
        raise Problem(f"{file} holds no certificate in PEM form.", Exit.USAGE) from None


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _multipart(fields: Mapping[str, str]) -> tuple[str, bytes]:
    """Content type and body of a form, which making an environment wants."""
    line = uuid.uuid4().hex
    parts = (f'--{line}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items())
    return f"multipart/form-data; boundary={line}", f"{''.join(parts)}--{line}--\r\n".encode()


def _message(text: bytes) -> str:
    """Portainer's own words in an error; the first words of what is none of its."""
    try:
        told = json.loads(text)
        words = str(told["message"])
    except (ValueError, KeyError, TypeError):
        words = text[:200].decode("utf-8", "replace").strip() or "without a word"
    return str(clean(" ".join(words.split()), limit=200))


def _words_of(error: Exception) -> str:
    if isinstance(error, TimeoutError | socket.timeout):
        return f"no answer within {_PATIENCE:g} s"
    if isinstance(error, ssl.SSLError):
        return "what listens there speaks no TLS"
    if isinstance(error, OSError):
        return str(clean(error.strerror or str(error), limit=200)).lower()
    return "it closed the connection without an answer"
