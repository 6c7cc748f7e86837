"""python-jenkins, held to the rules of this console. It and requests take 100 ms to load: only `admin` does, in a thread.

Left to itself it sends no credentials with the first call, follows redirects, trusts other certificates than we do, fetches a
crumb that a token does not need, and puts whole pages into its errors. So its session is ours: what comes back is judged there,
and its own errors say only what is left.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import jenkins  # type: ignore[import-untyped]
import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase, HTTPBasicAuth

from console.model.jenkins import JenkinsError, Trouble
from console.sources.jenkins import answers
from console.sources.jenkins.client import LARGEST_ANSWER, Access, timed_out, trust, unreachable

if TYPE_CHECKING:
    import ssl

_PIECE = 64 * 1024


class _Nobody(AuthBase):
    """No credentials, not even those of a netrc file: requests would look there by itself."""

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        return r


class _Adapter(HTTPAdapter):
    """Trusts what `context` trusts, and neither a bundle of its own nor one that the environment names."""

    def __init__(self, context: ssl.SSLContext | None) -> None:
        self._context = context
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        host, _ = super().build_connection_pool_key_attributes(request, True, cert)
        return host, {"ssl_context": self._context} if self._context is not None else {}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Settled by the context."""


class _Session(requests.Session):
    """Gives back what was a success; everything else is a JenkinsError. `what` names what is being asked for."""

    def __init__(self, access: Access) -> None:
        super().__init__()
        told = trust(access)
        adapter = _Adapter(None if isinstance(told, bool) else told)
        self.mount("https://", adapter)
        self.mount("http://", adapter)
        self.trust_env = not access.address.loopback
        self.auth = _Nobody() if access.token is None else HTTPBasicAuth(access.user.encode(), access.token.reveal().encode())
        self.headers.update({"User-Agent": "mlops-console"})
        self.what = "Jenkins"
        self._access = access

    def send(self, request: requests.PreparedRequest, **named: Any) -> requests.Response:
        response = self._sent(request, named)
        status, body = response.status_code, response.content
        headers = {name.lower(): value for name, value in response.headers.items()}
        if status == 200:
            self._check_kind(request, headers, body)
        else:
            raise self._refused(status, headers, body)
        return response

    def _sent(self, request: requests.PreparedRequest, named: Mapping[str, Any]) -> requests.Response:
        """One answer, read to its end within the time that there is."""
        access = self._access
        end = time.monotonic() + access.timeout
        try:
            response = super().send(request, **{**named, "timeout": access.timeout, "stream": True, "allow_redirects": False})
            with response:
                body = bytearray()
                for piece in response.iter_content(_PIECE):
                    body += piece
                    if len(body) > LARGEST_ANSWER:
                        raise JenkinsError(Trouble.FAULT, f"Jenkins' answer about {self.what} is larger than 64 MB.")
                    if time.monotonic() > end:
                        raise timed_out(access)
        except requests.Timeout:
            raise timed_out(access) from None
        except requests.RequestException as error:
            raise unreachable(error, access) from None
        response._content = bytes(body)  # what its own reading would keep, which knows neither time nor size
        return response

    def _check_kind(self, request: requests.PreparedRequest, headers: Mapping[str, str], body: bytes) -> None:
        kind, path = headers.get("content-type", ""), urlsplit(request.url or "").path
        data = path.endswith(("/api/json", "/config.xml"))
        if (data and "html" in kind) or (not data and "x-jenkins" not in headers):
            raise answers.html_instead(headers, body[:20_000].decode("utf-8", "replace"))

    def _refused(self, status: int, headers: Mapping[str, str], body: bytes) -> JenkinsError:
        user = self._access.user or "anonymous"
        error = answers.trouble(status, headers, body[:200_000].decode("utf-8", "replace"), what=self.what, user=user)
        return (self._broken() or error) if status == 401 else error

    def _broken(self) -> JenkinsError | None:
        """A controller with a broken configuration refuses good tokens; only what it says to nobody tells it."""
        url = f"{self._access.address.root}/api/json?tree=mode"
        asked = self.prepare_request(requests.Request("GET", url, auth=_Nobody()))
        named = self.merge_environment_settings(url, {}, True, None, None)
        try:
            told = self._sent(asked, named)
        except JenkinsError:
            return None
        return answers.broken(told.text[:200_000]) if told.status_code == 500 else None


class Library(jenkins.Jenkins):  # type: ignore[misc]
    """One controller. Not for two threads at a time."""

    def __init__(self, access: Access) -> None:
        # It would write these headers, which may be secrets, to the log; and they are for whatever else runs here.
        os.environ.pop("JENKINS_API_EXTRA_HEADERS", None)
        super().__init__(access.address.root, timeout=access.timeout, retries=0)
        self._session = _Session(access)
        self._auth_resolved = True
        self.crumb = False

    def about(self, what: str) -> None:
        """What the next call asks for, in words."""
        self._session.what = what

    def close(self) -> None:
        self._session.close()
