"""Secrets in whatever leaves this machine: those that are known, by their values, and others by their names and forms. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from console.model import secretnames
from console.settings.secret import masked as without_own
from console.text import Clean, clean

MASK = secretnames.MASK
SHORTEST = 6
"""Letters of a value that is looked for: `none` and `true` stand in every log, and mean nothing there."""

_FORMS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|\b(?:hf_|gh[pousr]_|github_pat_|glpat-|xox[abprs]-|sk-)[\w-]{6,}+"
    r"|\bAKIA[0-9A-Z]{16}\b"
    r"|\b11[0-9a-f]{32}\b"
    r"|\beyJ[\w-]{6,}+\.[\w-]{6,}+(?:\.[\w-]*+)?",
    re.DOTALL,
)
# As JSON and YAML have it, and as people and programs say it: `password is: x`, `password is generated for root@localhost: x`.
# Where more is hidden than had to be, nobody is harmed.
_NAMED = re.compile(
    r"""(?P<head>(?:(?P<quote>["'])|(?<![\w.-]))(?P<name>[\w.-]++)(?(quote)(?P=quote)|)"""
    r"""(?:[ \t]++(?:is|was)(?:[ \t]++[\w.@-]++){0,4}+)?+[ \t]*+:[ \t]*+)"""
    r"""(?P<value>"(?:\\.|[^"\\])*+"?|'[^']*+'?|[^\s,}\]]++)""",
    re.IGNORECASE,
)


class Masking:
    """`values` are secrets that are known."""

    def __init__(self, values: Iterable[str]) -> None:
        found = {part for value in values for part in (value, value.strip(), *value.splitlines()) if len(part) >= SHORTEST}
        self._values = sorted(found, key=len, reverse=True)

    def text(self, text: str) -> Clean:
        """Lines of a log, or of anything else that people wrote."""
        return clean(_NAMED.sub(_named, self._known(text)), lines=True)

    def data(self, value: Any) -> Any:
        """What JSON holds: names stay, every text in it is masked, and what stands below the name of a secret is one."""
        if isinstance(value, str):
            return self._known(value)
        if isinstance(value, Mapping):
            return {name: self._below(str(name), one) for name, one in value.items()}
        return [self.data(one) for one in value] if isinstance(value, list | tuple) else value

    def _below(self, name: str, value: Any) -> Any:
        # `key` is what our own answers call the name of a setting.
        hides = isinstance(value, str) and value and name != "key" and secretnames.secret(name)
        return MASK if hides else self.data(value)

    def _known(self, text: str) -> Clean:
        for value in self._values:
            text = text.replace(value, MASK)
        return secretnames.masked(_FORMS.sub(MASK, without_own(text)), lines=True)


def _named(found: re.Match[str]) -> str:
    if not secretnames.secret(found["name"]):
        return found[0]
    quote = found["value"][0] if found["value"][0] in "\"'" else ""
    return f"{found['head']}{quote}{MASK}{quote}"
