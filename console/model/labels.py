"""Label expressions of Jenkins (`gpu && !(arm || old)`), told for the labels of one node. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

# As Jenkins' own grammar has it; implications, which nobody writes, are left to Jenkins.
_TOKEN = re.compile(r"""\s*(?:(?P<sign>&&|\|\||[!()])|"(?P<quoted>[^"]*)"|(?P<atom>[^\s&|!()<>"]+))""")
_LONGEST = 60
"""Each bracket is a call deeper: what comes from outside may not go as deep as it likes."""


class _UnreadableError(Exception):
    """It is no expression, or one that is not taken apart here."""


def is_label(expression: str) -> bool:
    """True for a label alone."""
    found = _TOKEN.fullmatch(expression)
    return found is not None and found["sign"] is None


def fits(expression: str, labels: Collection[str]) -> bool | None:
    """Whether a node with these labels (its name is one of them) fits. None where the expression cannot be read."""
    if expression in labels:
        return True
    try:
        tokens = _tokens(expression)
        told, rest = _either(tokens, 0, lambda name: name in labels)
    except _UnreadableError:
        return None
    return told if rest == len(tokens) else None


def _tokens(expression: str) -> list[tuple[bool, str]]:
    """Each with whether it is a sign."""
    found: list[tuple[bool, str]] = []
    at, text = 0, expression.rstrip()
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None or len(found) == _LONGEST:
            raise _UnreadableError
        sign, quoted = token["sign"], token["quoted"]
        found.append((True, sign) if sign is not None else (False, quoted if quoted is not None else token["atom"]))
        at = token.end()
    return found


_Has = Callable[[str], bool]
_Tokens = list[tuple[bool, str]]


def _either(tokens: _Tokens, at: int, has: _Has) -> tuple[bool, int]:
    told, at = _both(tokens, at, has)
    while tokens[at : at + 1] == [(True, "||")]:
        other, at = _both(tokens, at + 1, has)
        told = told or other
    return told, at


def _both(tokens: _Tokens, at: int, has: _Has) -> tuple[bool, int]:
    told, at = _one(tokens, at, has)
    while tokens[at : at + 1] == [(True, "&&")]:
        other, at = _one(tokens, at + 1, has)
        told = told and other
    return told, at


def _one(tokens: _Tokens, at: int, has: _Has) -> tuple[bool, int]:
    if at == len(tokens):
        raise _UnreadableError
    is_sign, text = tokens[at]
    if not is_sign:
        return has(text), at + 1
    if text == "!":
        told, at = _one(tokens, at + 1, has)
        return not told, at
    if text != "(":
        raise _UnreadableError
    told, at = _either(tokens, at + 1, has)
    if tokens[at : at + 1] != [(True, ")")]:
        raise _UnreadableError
    return told, at + 1
