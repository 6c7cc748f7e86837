"""One request as the front sees it."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from urllib.parse import parse_qsl, unquote


@dataclass(slots=True)
class Request:
    """`path` is raw (still encoded), without the query and the prefix of the server."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes = b""
    fields: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        pairs = parse_qsl(self.query, keep_blank_values=True)
        if self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            pairs += parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True)
        self.fields = dict(pairs)

    @property
    def segments(self) -> list[str]:
        """The decoded elements of the path: `%252F` is `%2F` here, `%2F` is a slash within an element."""
        return [unquote(part) for part in self.path.split("/") if part]

    @property
    def credentials(self) -> tuple[str, str] | None:
        """User and secret of a Basic header; ("", "") for one that cannot be read, None without one."""
        header = self.headers.get("authorization")
        if header is None:
            return None
        scheme, _, value = header.partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            user, _, secret = base64.b64decode(value).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
        return user, secret

    @property
    def session(self) -> str | None:
        """The value of the session cookie, whatever the suffix of its name."""
        jar = SimpleCookie(self.headers.get("cookie", ""))
        return next((morsel.value for name, morsel in jar.items() if name.startswith("JSESSIONID")), None)

    @property
    def reads(self) -> bool:
        return self.method in {"GET", "HEAD"}
