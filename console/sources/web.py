"""One request to somebody on the web: what they answer, how long it took, and why they do not. Nothing is sent twice."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from console.model.source import SourceError, SourceState
from console.sources._blocking import Pool
from console.sources._causes import cause_of
from console.text import Clean, clean

LARGEST = 64 * 1024
_LOADING_SECONDS = 3.0
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class WebAnswer:
    """`headers` have lower-case names; of the body the first 64 KiB are kept. `seconds` until all of it was there.

    Headers and body are as they came: whoever shows something of them cleans it.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    seconds: float


def host_of(url: str) -> Clean:
    """The name in an address; the address itself where there is none."""
    return clean(_parts(url).hostname or url)


def is_safe(url: str) -> bool:
    """Whether a secret may go there: over TLS, or to this very machine."""
    parts = _parts(url)
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and is_here(url)))


def is_here(url: str) -> bool:
    """Whether it is an address of this machine alone."""
    return _parts(url).hostname in _LOOPBACK


def _parts(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        return SplitResult("", "", "", "", "")


class Web:
    """See `sources.protocols.Knocks`. The library and name look-ups block, so threads of its own ask."""

    def __init__(self) -> None:
        self._pool = Pool("web", 4)

    async def ask(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        limit: float = 5.0,
    ) -> WebAnswer:
        place = host_of(url)
        try:
            return await self._pool.run(lambda: _ask(url, method, headers or {}, body, limit), limit + _LOADING_SECONDS)
        except TimeoutError:
            raise SourceError(SourceState.UNREACHABLE, _late(place, limit)) from None

    async def aclose(self) -> None:
        """Threads that still wait are left alone."""
        self._pool.close()


def _ask(url: str, method: str, headers: Mapping[str, str], body: bytes, limit: float) -> WebAnswer:
    import ssl

    from console.sources._httpx import httpx

    place = host_of(url)
    begun = time.monotonic()
    try:
        # The library's own trust is a list that it brings along; ours is the machine's, to which sites add their own.
        verify = ssl.create_default_context() if url.startswith("https:") else False
        told = {"user-agent": "mlops-console", **headers}
        with (
            httpx.Client(verify=verify, timeout=limit, follow_redirects=False, headers=told) as client,
            client.stream(method, url, content=body or None) as response,
        ):
            kept = bytearray()
            for piece in response.iter_bytes():
                kept += piece[: LARGEST - len(kept)]
                if len(kept) >= LARGEST or time.monotonic() - begun > limit:
                    break
            found = {name.lower(): value for name, value in response.headers.items()}
            return WebAnswer(response.status_code, found, bytes(kept), time.monotonic() - begun)
    except httpx.TimeoutException:
        raise SourceError(SourceState.UNREACHABLE, _late(place, limit)) from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        raise SourceError(SourceState.UNREACHABLE, clean(f"{place}: {_why(error)}")) from None


def _late(place: Clean, limit: float) -> Clean:
    return clean(f"{place} does not answer (timed out after {limit:g}s)")


def _why(error: Exception) -> str:
    cause, innermost = cause_of(error)
    return cause or str(getattr(innermost, "strerror", None) or type(innermost).__name__)
