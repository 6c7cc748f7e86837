"""Requests to one controller: connections, deadlines, the token, and what every answer means."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from console.model.jenkins import JenkinsError, Trouble
from console.settings.secret import Secret
from console.sources._blocking import Pool
from console.sources._causes import Cause, cause_of
from console.sources.jenkins import answers
from console.sources.jenkins.address import Address

if TYPE_CHECKING:
    import ssl

    import httpx

KEPT_CONNECTIONS = 4
LARGEST_ANSWER = 64 * 1024 * 1024
"""Bytes of one JSON answer after unpacking; 2,000 jobs are about 400 kB."""

LARGEST_REFUSAL = 200_000
"""Bytes of a page of an error that are looked at; Jenkins' own are 10 to 70 kB."""

_GOOD = frozenset({200})
# The Date header counts whole seconds: below this a difference is none.
_CLOCK_SLACK = timedelta(seconds=2)
_WORDS = {
    Cause.NOT_TRUSTED: "its certificate is not trusted. Name the authority's file with jenkins.ca_file",
    Cause.NO_SUCH_NAME: "nobody knows that host name",
}


@dataclass(frozen=True, slots=True)
class Access:
    """Where and as whom. `ca_file` are certificates (PEM) to trust besides the system's; `timeout` is in seconds."""

    address: Address
    user: str
    token: Secret | None
    timeout: float = 5.0
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer that was a success. `headers` have lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _Sending:
    """Whether anything of a request has left this machine."""

    begun = False

    async def trace(self, event: str, _info: Mapping[str, object]) -> None:
        if event.endswith("send_request_headers.started"):
            self.begun = True


class Client:
    """Asks one controller. Every failure is a JenkinsError with a sentence; redirects are never followed.

    The token goes to this address alone. `session` is X-Jenkins-Session, which changes with every start; `ahead` how far the
    controller's clock is ahead of ours.
    """

    def __init__(self, access: Access) -> None:
        self._access = access
        self._http: httpx.AsyncClient | None = None
        self._opening = asyncio.Lock()
        self._slots = asyncio.Semaphore(KEPT_CONNECTIONS)
        self._worked = False
        self.session: str | None = None
        self.version: str | None = None
        self.ahead = timedelta(0)

    @property
    def user(self) -> str:
        return self._access.user or "anonymous"

    async def json(self, path: str, query: Mapping[str, str] | None = None, *, what: str) -> Any:
        """The decoded JSON at `path` below the root. `what` is what is asked for, as a sentence would name it."""
        return self.decode(await self.get(path, query, what=what), what, marked=path.endswith("api/json"))

    @staticmethod
    def decode(answer: Answer, what: str, *, marked: bool = True) -> Any:
        """What the answer holds. `marked`: only Jenkins can have written it, which the stage view's answers do not show."""
        if "json" not in answer.headers.get("content-type", ""):
            raise answers.html_instead(answer.headers, answer.body.decode("utf-8", "replace"))
        try:
            told = json.loads(answer.body)
        except ValueError:
            raise JenkinsError(Trouble.FAULT, f"Jenkins' answer about {what} is broken: it is no JSON.") from None
        if marked and not answers.is_told_by_jenkins(answer.headers, told):
            raise answers.foreign_data()
        return told

    async def get(
        self, path: str, query: Mapping[str, str] | None = None, *, what: str, method: str = "GET", packed: bool = True
    ) -> Answer:
        """The whole answer, if it is a success. `packed` lets it come compressed."""
        async with self._within(), self.stream(path, query, what=what, method=method, packed=packed) as response:
            return await _whole(response, what)

    async def post(
        self, path: str, form: bytes | None, query: Mapping[str, str] | None = None, *, what: str, taken: frozenset[int]
    ) -> Answer:
        """Send a form, or nothing, once, whatever happens: what starts something must not start it twice.

        `taken` are the statuses that are given back, redirects among them; every other one is a JenkinsError. It is `unsure`
        where the connection broke after the request had left.
        """
        sending = _Sending()
        opened = self.stream(path, query, what=what, method="POST", form=form, accepted=taken, sending=sending)
        try:
            async with self._within(), opened as response:
                return await _whole(response, what)
        except JenkinsError as error:
            if error.trouble is not Trouble.UNREACHABLE or not sending.begun:
                raise
            reason = f"{error.reason} It may have taken the request all the same: look before you send it again."
            raise JenkinsError(Trouble.UNREACHABLE, reason, status=error.status, unsure=True) from None

    @asynccontextmanager
    async def _within(self) -> AsyncIterator[None]:
        """One deadline for all of it, the wait for a free connection included."""
        try:
            async with asyncio.timeout(self._access.timeout):
                yield
        except TimeoutError:
            raise timed_out(self._access) from None

    @asynccontextmanager
    async def stream(
        self,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        what: str,
        method: str = "GET",
        form: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        accepted: frozenset[int] = _GOOD,
        sending: _Sending | None = None,
        packed: bool = True,
    ) -> AsyncIterator[httpx.Response]:
        """An answer whose body is still to come. Only the wait for each piece of it has a time limit."""
        http = await self._opened()
        from console.sources._httpx import httpx

        told = {"accept-encoding": "gzip"} if packed else {}
        told |= headers or {}
        if form is not None:
            told["content-type"] = "application/x-www-form-urlencoded"
        extensions = {"trace": sending.trace} if sending is not None else None
        request = http.stream(method, self._url(path, query), content=form, headers=told, extensions=extensions)
        async with self._slots:
            try:
                async with request as response:
                    self._note(response.headers)
                    if response.status_code not in accepted:
                        raise await self._refused(response, what)
                    self._worked = True
                    yield response
            except httpx.TimeoutException:
                raise timed_out(self._access) from None
            except httpx.HTTPError as error:
                raise unreachable(error, self._access) from None
            except httpx.InvalidURL:
                raise JenkinsError(Trouble.NOT_FOUND, f"There can be no {what}.") from None

    def _url(self, path: str, query: Mapping[str, str] | None) -> str:
        """Brackets and commas of `tree=` stay as they are: Jenkins takes them, and encoded they are three times as long."""
        from urllib.parse import quote

        text = "&".join(f"{name}={quote(value, safe='[]{},*:/')}" for name, value in (query or {}).items())
        return f"{self._access.address.root}/{path}{'?' if text else ''}{text}"

    def _note(self, headers: Mapping[str, str]) -> None:
        self.session = headers.get("x-jenkins-session", self.session)
        self.version = headers.get("x-jenkins", self.version)
        try:
            there = parsedate_to_datetime(headers["date"])
            ahead = there - datetime.now(UTC)
        except (KeyError, ValueError, TypeError, OverflowError):
            return
        if abs(ahead - self.ahead) > _CLOCK_SLACK:
            self.ahead = ahead if abs(ahead) > _CLOCK_SLACK else timedelta(0)

    async def _refused(self, response: httpx.Response, what: str) -> JenkinsError:
        text = await _beginning(response)
        error = answers.trouble(response.status_code, response.headers, text, what=what, user=self.user)
        if error.status == 401 and error.trouble is Trouble.NOT_AUTHENTICATED:
            return await self._why_refused() or error
        return error

    async def _why_refused(self) -> JenkinsError | None:
        """A controller with a broken configuration refuses every token, because it knows no users; to nobody it answers 500.

        Only that tells it from a bad token. None where it is well, and the token is not.
        """
        from console.sources._httpx import httpx

        assert self._http is not None  # noqa: S101 - it has just answered
        unknown = answers.refused_after_success() if self._worked else None
        try:
            request = httpx.Request("GET", self._url("api/json", {"tree": "mode"}), headers={"accept": "*/*"})
            response = await self._http.send(request, auth=None, stream=True)
            try:
                status, text = response.status_code, await _beginning(response)
            finally:
                await response.aclose()
        except httpx.HTTPError:
            return unknown
        if status == 500:
            return answers.broken(text)
        if status == 503:
            return answers.trouble(503, response.headers, text, what="Jenkins", user=self.user)
        return None if status in (200, 401, 403) else unknown

    async def _opened(self) -> httpx.AsyncClient:
        if self._http is None:
            async with self._opening:
                if self._http is None:
                    # Loading the library and the system's certificates takes 50 ms and more: not on the loop.
                    beside = Pool("jenkins", 1)
                    try:
                        self._http = await beside.run(self._open, self._access.timeout + 5)
                    except TimeoutError:
                        raise timed_out(self._access) from None
                    finally:
                        beside.close()
        return self._http

    def _open(self) -> httpx.AsyncClient:
        from console.sources._httpx import httpx

        access = self._access
        auth = httpx.BasicAuth(access.user, access.token.reveal()) if access.token is not None else None
        try:
            made = httpx.AsyncClient(
                auth=auth,
                headers={"user-agent": "mlops-console"},
                verify=trust(access),
                timeout=access.timeout,
                follow_redirects=False,
                limits=httpx.Limits(max_connections=KEPT_CONNECTIONS, max_keepalive_connections=2, keepalive_expiry=30),
                # A proxy of the environment is for other machines; a token for this one does not go through it.
                trust_env=not access.address.loopback,
            )
        except (ImportError, ValueError, httpx.InvalidURL):
            # The library's own message may quote the proxy's password.
            reason = f"Jenkins does not answer at {access.address.root}: the proxy that the environment names cannot be used."
            raise JenkinsError(Trouble.UNREACHABLE, reason) from None
        # httpx adds these to whatever it is given; in HTTP/1.1 they say nothing, at 60 bytes a request.
        for name in ("accept", "accept-encoding", "connection"):
            del made.headers[name]
        return made

    async def aclose(self) -> None:
        http, self._http = self._http, None
        if http is not None:
            await http.aclose()


async def _beginning(response: httpx.Response) -> str:
    """Enough of a page to tell what it is about: whoever answers there may write without end."""
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > LARGEST_REFUSAL:
            break
    return body[:LARGEST_REFUSAL].decode("utf-8", "replace")


async def _whole(response: httpx.Response, what: str) -> Answer:
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > LARGEST_ANSWER:
            raise JenkinsError(Trouble.FAULT, f"Jenkins' answer about {what} is larger than 64 MB.")
    return Answer(response.status_code, response.headers, bytes(body))


def trust(access: Access) -> ssl.SSLContext | bool:
    if access.address.scheme == "http":
        return False  # there is nothing to verify, and loading certificates takes time
    import ssl

    context = ssl.create_default_context()
    if access.ca_file is not None:
        try:
            context.load_verify_locations(cafile=access.ca_file)
        except (OSError, ssl.SSLError) as failed:
            reason = getattr(failed, "strerror", None) or str(failed)
            raise JenkinsError(Trouble.UNREACHABLE, f"jenkins.ca_file {access.ca_file} cannot be used: {reason}.") from None
    return context


def timed_out(access: Access) -> JenkinsError:
    reason = f"Jenkins does not answer at {access.address.root} (timed out after {access.timeout:g}s)."
    return JenkinsError(Trouble.UNREACHABLE, reason)


def unreachable(error: Exception, access: Access) -> JenkinsError:
    """The innermost cause in plain words."""
    cause, innermost = cause_of(error)
    if cause is not None:
        told = _WORDS.get(cause, cause.value)
    else:
        told = str(getattr(innermost, "strerror", None) or innermost or error)
    return JenkinsError(Trouble.UNREACHABLE, f"Jenkins does not answer at {access.address.root}: {told}.")
