"""The parameter OVERRIDES is many: each `key=value` of it says of one thing how it trains. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from console.model.secretnames import MASK, secret
from console.text import Clean, clean

OVERRIDES = Clean("OVERRIDES")
_LINES = re.compile(r"[\n␊]")
"""A value that was kept as one line has its line ends as a sign."""

_WORD = re.compile(r"[\w.]+=")
_PART = re.compile(r"\s*([A-Za-z_][\w.]*)\s*=(.*)", re.DOTALL)


def parts(value: str) -> Mapping[Clean, Clean]:
    """Its parts, in their order, as the platform takes them apart (infra/jenkins/steps/config.py): lines, or several in one
    line with blanks between. Values of what is called like a secret are masked. Empty where it is not made of such."""
    found: dict[Clean, Clean] = {}
    for line in _LINES.split(value):
        words = line.split()
        for entry in words if words and all(map(_WORD.match, words)) else [line]:
            part = _PART.fullmatch(entry)
            if part is not None:
                found[clean(part[1])] = MASK if secret(part[1]) else clean(part[2].strip())
            elif entry.strip():
                return {}
    return found


def apart(told: Iterable[tuple[Clean, Clean]]) -> Mapping[Clean, Clean]:
    """Parameters, with those parts in the place of OVERRIDES. One that has such a name already stands: the training has said so
    of itself."""
    given = dict(told)
    inside = parts(given.get(OVERRIDES, Clean("")))
    if not inside:
        return given
    del given[OVERRIDES]
    return {**inside, **given}
