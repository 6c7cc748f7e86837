"""Secrets in whatever leaves this machine: those that are known, by their values, and others by their names and forms. Pure."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    r"|\beyJ[\w-]{6,}+\.[\w-]{6,}+(?:\.[\w-]*+)?"
    # Whoever knows such an address may post there.
    r"""|(?<=\bhooks\.slack\.com/)[^\s"'<>]++|(?<=\b(?:discord|cordapp)\.com/api/webhooks/)[^\s"'<>]++"""
    r"""|(?<=\.webhook\.office\.com/)[^\s"'<>]++|(?<=\bapi\.telegram\.org/bot)[^\s"'<>/]++""",
    re.DOTALL,
)

# As JSON, YAML, TOML and INI have it, and as people and programs say it: `password is: x`, `password is generated for
# root@localhost: x`. `NAME=value` of shells is left to `secretnames`. Where more is hidden than had to be, nobody is harmed.
_HEAD = re.compile(
    r"""(?:(?P<quote>\\{0,7}+["'])|(?<![\w.-])(?<!://))(?P<name>[\w.-]++)(?(quote)(?P=quote)|(?:\\{0,7}+["'])?+)\]?+"""
    r"""(?:[ \t]++(?:is|was)(?:[ \t]++[\w.@-]++){0,4}+)?+"""
    r"""(?:[ \t]*+(?:=>|:=|:(?!:)[ \t]*+(?:(?:str|bytes|string|Secret(?:Str)?)[ \t]*+=(?!=))?+)[ \t]*+"""
    r"""|[ \t]++=(?![=>~])[ \t]*+|=(?!=)[ \t]++)""",
    re.IGNORECASE,
)
_STRINGS = r'"(?:\\.|[^"\\\n])*+"?+' + r"|'[^'\n]*+'?+"
# Each of them takes what it begins with, so that nothing is read twice.
_VALUE = re.compile(
    r"""(?P<scheme>(?:(?:bearer|basic|token)[ \t]++)?+)(?:"""
    r'''"""[^"]*+(?:"{1,2}(?!")[^"]*+)*+(?:"""|\Z)'''
    r"""|'''[^']*+(?:'{1,2}(?!')[^']*+)*+(?:'''|\Z)"""
    rf"""|(?P<text>{_STRINGS})"""
    r"""|(?P<deep>\\{1,7}+["'])(?:(?!(?P=deep))[^\n])*+(?P=deep)?+"""
    r"""|[|>][-+\d]{0,2}+[ \t]*+(?:\n(?=\n)|\n[ \t]++[^\n]*+)++"""
    rf"""|(?P<list>\[(?:{_STRINGS}|[^\]\n"']|\n[ \t]*+(?=["'\]\d-]))*+\]?+)"""
    r"""|(?P<bare>[^\s,}\]]++(?:[,}\])]++(?=[^\s"',}\])])[^\s,}\]]++)*+))""",
    re.IGNORECASE,
)
_NUMBERS = re.compile(r"[\[\]\s\d.,e+_-]*+", re.IGNORECASE)
_STARS = re.compile(r"""["'\\]*+\*{8}["'\\)\];.]*+""")


class Masking:
    """`values` are secrets that are known."""

    def __init__(self, values: Iterable[str]) -> None:
        parts = {part for value in values for part in (value, value.strip(), *value.splitlines(), *value.split("\t"))}
        # As they look where they have passed the gate, and within JSON.
        looks = {str(look) for part in parts if len(part) >= SHORTEST for look in (part, _whole(part), *_escaped(part))}
        self._values = sorted((look for look in looks if look), key=len, reverse=True)

    def text(self, text: str) -> Clean:
        """Lines of a log, or of anything else that people wrote."""
        # Colours within a name or a value would hide it. Nothing is cut off before it is masked: half a secret is not found.
        return secretnames.masked("".join(_named(self._known(_whole(text)))), lines=True)

    def data(self, value: Any) -> Any:
        """What JSON holds: names stay, every text in it is masked, and what stands below the name of a secret is one."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            # `{"name": "HF_TOKEN", "value": ...}` says it of its neighbour.
            said = str(value.get("name", ""))
            return {
                self._known(str(name)): self._below(said if name == "value" else str(name), one) for name, one in value.items()
            }
        if isinstance(value, list | tuple):
            return self._list(value)
        return MASK if not isinstance(value, bool) and str(value) in self._values else value

    def _below(self, name: str, value: Any) -> Any:
        # `key` is what our own answers call the name of a setting.
        return self._hidden(name, value) if name != "key" and secretnames.secret(name) else self.data(value)

    def _hidden(self, name: str, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {self._known(str(inner)): self._hidden(name, one) for inner, one in value.items()}
        if isinstance(value, list | tuple):
            return [self._hidden(name, one) for one in value]
        if value is None or isinstance(value, bool):
            return value
        return MASK if secretnames.hides(name, str(value)) else self.data(value)

    def _list(self, words: Sequence[Any]) -> list[Any]:
        """It may be a command line, where an option says it of the word behind it."""
        told = [self.data(one) for one in words]
        if not all(isinstance(one, str) for one in words):
            return told
        hidden = secretnames.arguments(words)
        return [short if short in (MASK, f"-p{MASK}") else one for short, one in zip(hidden, told, strict=True)]

    def _known(self, text: str) -> str:
        for value in self._values:
            text = text.replace(value, MASK)
        return _FORMS.sub(MASK, without_own(text))


def _whole(text: str) -> Clean:
    return clean(text, lines=True, limit=sys.maxsize)


def _escaped(text: str) -> tuple[str, str]:
    return json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]


def _named(text: str) -> Iterator[str]:
    at = 0
    start = 0
    while (found := _HEAD.search(text, at)) is not None:
        # A name may stand in what another, which means nothing, seems to say.
        at = found.end("name")
        # Before the value is read: what was read and stays would be read again for the next name in it.
        if not secretnames.secret(found["name"]) or secretnames.is_count(found["name"], text, found.end()):
            continue
        if (value := _VALUE.match(text, found.end())) is None or _is_none(found["name"], value):
            continue
        quote = value["text"][0] if value["text"] else value["deep"] or ""
        bare = value["bare"] or ""
        # The end of the text that all this stands in.
        after = quote or bare[len(bare.rstrip("\"'\\")) :]
        yield f"{text[start : found.end()]}{value['scheme']}{quote}{MASK}{after}"
        at = start = value.end()
    yield text[start:]


def _is_none(name: str, value: re.Match[str]) -> bool:
    """Stars already, or a list of numbers where one would be no secret."""
    if value["list"] and _NUMBERS.fullmatch(value["list"]) is not None:
        return secretnames.is_count(name, "0")
    return _STARS.fullmatch(value[0]) is not None
