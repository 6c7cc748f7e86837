"""How a message leaves the console: posted to an address, or handed to a program. Each says in words what went wrong."""

from __future__ import annotations

import ipaddress
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from console.settings import read_secret_file
from console.settings.secret import masked
from console.sources._blocking import Pool
from console.sources._process import Children
from console.text import Clean, clean

if TYPE_CHECKING:
    import httpx

_AGAIN = frozenset({408, 425, 429})
"""Statuses that may be another one when it is asked again; so may every one from 500 on."""
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")
_WORDS = 300
_OUTPUT = 64 * 1024
_LOADING_SECONDS = 30.0
_HEADER = re.compile(r"[A-Za-z0-9-]{1,80}")


class MessageError(Exception):
    """A message did not arrive. `again`: it may when it is sent once more; `reason` is a sentence."""

    def __init__(self, reason: str, *, again: bool) -> None:
        super().__init__(reason)
        self.reason: Clean = clean(masked(reason), limit=_WORDS)
        self.again = again


class Messenger(Protocol):
    """One way out."""

    @property
    def name(self) -> Clean:
        """`webhook https://hooks.example.org`, `command tell-people`: nothing in it is a secret."""
        ...

    @property
    def repeats(self) -> bool:
        """Whether the same message may be sent once more when nobody knows whether it has arrived."""
        ...

    async def send(self, message: Mapping[str, object], variables: Mapping[str, str]) -> None:
        """Have it arrive. `variables` are the most important of it by themselves. Raises MessageError."""
        ...

    async def aclose(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Address:
    """Where a webhook is. Its path may be what lets one in, so only `shown` is ever told."""

    url: str
    shown: Clean
    loopback: bool


def address_of(url: str) -> Address:
    """Raises ValueError with a sentence for what nothing is posted to."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("notify.webhook is no address.") from None
    loopback = _is_loopback(host)
    if not host or parts.scheme not in ("https", "http") or any(ord(sign) <= 32 for sign in url):
        raise ValueError("notify.webhook wants an address such as https://hooks.example.org/mlops.")
    if parts.scheme == "http" and not loopback:
        raise ValueError(f"notify.webhook would go to {clean(host)} in the clear: https only, or http on this machine.")
    if parts.username is not None or parts.password is not None:
        raise ValueError("notify.webhook holds a user or a password: name a file with notify.secret_file.")
    shown = f"{parts.scheme}://{host}" + (f":{port}" if port is not None else "")
    return Address(url, clean(shown), loopback)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Webhook:
    """Posts each message as one JSON object. Redirects are not followed: the secret is for this address alone."""

    repeats = True

    def __init__(self, address: Address, *, header: str, secret_file: Path | None, timeout: float) -> None:
        """Raises ValueError with a sentence for a header that cannot be one, OSError for a secret that is open to others."""
        if not _HEADER.fullmatch(header):
            raise ValueError(f"notify.header {clean(header, limit=80)} is no name of a header.")
        self._address = address
        self._header = header
        self._file = secret_file
        self._timeout = timeout
        self._http: httpx.AsyncClient | None = None
        if secret_file is not None:
            read_secret_file(secret_file)

    @property
    def name(self) -> Clean:
        return clean(f"webhook {self._address.shown}")

    async def send(self, message: Mapping[str, object], variables: Mapping[str, str]) -> None:
        import asyncio

        http = await self._opened()
        from console.sources._httpx import httpx

        try:
            async with asyncio.timeout(self._timeout):
                headers = {"content-type": "application/json", "idempotency-key": str(message.get("id", "")), **self._secret()}
                request = http.build_request("POST", self._address.url, content=json.dumps(message).encode(), headers=headers)
                response = await http.send(request, stream=True)
                try:
                    status = response.status_code
                finally:
                    await response.aclose()
        except (TimeoutError, httpx.TimeoutException):
            raise MessageError(f"{self._address.shown} did not answer within {self._timeout:g}s.", again=True) from None
        except (httpx.HTTPError, httpx.InvalidURL) as failed:
            words = str(failed).replace(self._address.url, str(self._address.shown)) or type(failed).__name__
            raise MessageError(f"{self._address.shown} cannot be reached: {words}.", again=True) from None
        if 300 <= status < 400:
            raise MessageError(f"{self._address.shown} redirects ({status}), which is not followed.", again=False)
        if not 200 <= status < 300:
            raise MessageError(f"{self._address.shown} answered {status}.", again=status >= 500 or status in _AGAIN)

    def _secret(self) -> dict[str, str]:
        """Read each time: a secret may be renewed while a recorder runs for months."""
        if self._file is None:
            return {}
        try:
            value = read_secret_file(self._file).reveal()
        except OSError as refused:
            raise MessageError(refused.strerror or str(refused), again=False) from None
        if not (value.isascii() and value.isprintable()):
            raise MessageError(f"{self._file} holds something that no header can carry.", again=False)
        return {self._header: value}

    async def _opened(self) -> httpx.AsyncClient:
        if self._http is None:
            # The library and the system's certificates take 50 ms and more: not on the loop.
            beside = Pool("webhook", 1)
            try:
                self._http = await beside.run(self._open, _LOADING_SECONDS)
            except TimeoutError:
                raise MessageError("httpx could not be loaded: the disk hangs.", again=True) from None
            finally:
                beside.close()
        return self._http

    def _open(self) -> httpx.AsyncClient:
        from console.sources._httpx import httpx

        return httpx.AsyncClient(
            follow_redirects=False, timeout=self._timeout, trust_env=not self._address.loopback, http2=False
        )

    async def aclose(self) -> None:
        if self._http is not None:
            http, self._http = self._http, None
            await http.aclose()


class Command:
    """Hands each message to a program of the person's or the administrator's choice: on its input, as JSON. No shell."""

    repeats = False

    def __init__(self, words: Sequence[str], *, env: Mapping[str, str], timeout: float) -> None:
        """Raises ValueError with a sentence for what is no program."""
        if not words or not words[0].startswith("/"):
            raise ValueError("notify.command wants a list that begins with the absolute path of a program.")
        if any("\0" in word for word in words):
            raise ValueError("notify.command holds a byte that no argument can have.")
        self._words = tuple(words)
        self._env = {name: env[name] for name in _PASSED_ON if name in env}
        self._timeout = timeout
        self._children = Children(_OUTPUT)

    @property
    def name(self) -> Clean:
        return clean(f"command {Path(self._words[0]).name}")

    async def send(self, message: Mapping[str, object], variables: Mapping[str, str]) -> None:
        try:
            ended = await self._children.run(
                self._words,
                env={**self._env, **variables},
                cwd=Path("/"),
                deadline=self._timeout,
                given=json.dumps(message).encode() + b"\n",
            )
        except TimeoutError:
            raise MessageError(f"{self._words[0]} was not done after {self._timeout:g}s and was killed.", again=False) from None
        except OSError as failed:
            words = failed.strerror or os.strerror(failed.errno or 0)
            raise MessageError(f"{self._words[0]} cannot be started: {words}.", again=False) from None
        if ended.status:
            how = f"ended with {ended.status}" if ended.status > 0 else f"was ended by signal {-ended.status}"
            said = " ".join((ended.err or ended.out)[-1000:].decode("utf-8", "replace").split())
            raise MessageError(f"{self._words[0]} {how}{f': {said}' if said else '.'}", again=False)

    async def aclose(self) -> None:
        await self._children.aclose()
