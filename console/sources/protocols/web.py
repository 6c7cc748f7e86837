"""Whoever answers on the web."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from console.sources.web import WebAnswer


class Knocks(Protocol):
    """Asks somebody on the web, once."""

    async def ask(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        limit: float = 5.0,
    ) -> WebAnswer:
        """What is answered, whatever the status; no redirect is followed. Raises `SourceError` where nobody answers within
        `limit` seconds, or whoever does cannot be trusted."""
        ...

    async def aclose(self) -> None: ...
