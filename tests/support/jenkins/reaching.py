"""The console's own source, set on a server of the model controller."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from console.demo.controller import OPERATOR, Controller, Permission
from console.settings.secret import Secret
from console.sources.jenkins.address import parse
from console.sources.jenkins.client import Access
from console.sources.jenkins.source import JenkinsServer as Source
from tests.support.jenkins.server import JenkinsServer

TOKEN = "11a0b1c2d3e4f5061728394a5b6c7d8e9f"


def allow(controller: Controller, permissions: Iterable[Permission] = OPERATOR, user: str = "operator") -> None:
    """Give `user` the token that `access` sends."""
    controller.add_user(user, permissions, full_name="Console operator", tokens={"console": TOKEN})


def access(url: str, *, user: str = "operator", patience: float = 5.0) -> Access:
    return Access(parse(url), user, Secret(TOKEN), patience)


@asynccontextmanager
async def source_at(server: JenkinsServer | str, *, user: str = "operator", patience: float = 5.0) -> AsyncIterator[Source]:
    """The source on a server, or on a URL; closed at the end."""
    url = server if isinstance(server, str) else server.url
    source = Source(access(url, user=user, patience=patience))
    try:
        yield source
    finally:
        await source.aclose()
