"""Secrets by their names: what is written down, or kept, must not hold them. Pure."""

from __future__ import annotations

import re

from console.text import Clean, clean

MASK = Clean("*" * 8)
"""What stands for a secret, whatever its length."""

SECRET_NAME = r"[\w.-]*(?:token|passw(?:or)?d|passphrase|secret|key|credential)[\w.-]*"  # noqa: S105 - it names secrets and is none
"""A parameter or variable that is called like a secret, whatever its kind; case does not matter."""

_WHOLE = re.compile(SECRET_NAME, re.IGNORECASE)
_NAMED = re.compile(
    rf"""(?:(?P<quote>['"])|(?<![\w.-])){SECRET_NAME}=""",
    re.IGNORECASE,
)
_INSIDE = {"'": re.compile(r"[^']*'?"), '"': re.compile(r'(?:\\.|[^"\\])*"?'), "": re.compile("")}
_PIECES = re.compile(r"""(?:'[^']*'?|"(?:\\.|[^"\\])*"?|\\.|[^\s&'"\\])*""")


def masked(text: str) -> Clean:
    """`NAME=value` with stars for the value where the name is that of a secret, however a shell would have it quoted."""
    parts: list[str] = []
    at = 0
    while (found := _NAMED.search(text, at)) is not None:
        quote = found["quote"] or ""
        inside = _INSIDE[quote].match(text, found.end())
        end = inside.end() if inside is not None else found.end()
        rest = _PIECES.match(text, end)
        parts += [text[at : found.end()], MASK, quote]
        at = rest.end() if rest is not None else end
    return clean("".join([*parts, text[at:]]))


def secret(name: str) -> bool:
    """Whether something of this name is taken for a secret."""
    return _WHOLE.fullmatch(name) is not None
