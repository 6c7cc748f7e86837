"""The console's own client for a model controller behind its HTTP front."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from console.settings.secret import Secret
from console.sources.jenkins.address import parse
from console.sources.jenkins.client import Access
from console.sources.jenkins.source import JenkinsServer
from tests.support.jenkins.crowd import TOKEN, USER


@asynccontextmanager
async def asking(url: str, *, user: str = USER, token: str = TOKEN) -> AsyncIterator[JenkinsServer]:
    """Asks the controller at `url`; closed at the end."""
    source = JenkinsServer(Access(parse(url), user, Secret(token)))
    try:
        yield source
    finally:
        await source.aclose()
