"""The pages that the table of hops makes: docs/troubleshooting.md, and its part of docs/operations.md. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from console.doctor.hops import EVERYWHERE, GAP, HOPS, Hop, Remedy, hop


def markdown() -> str:
    """The part of docs/troubleshooting.md that this table makes."""
    lines: list[str] = []
    for at, one in enumerate(HOPS, 1):
        lines += [f"## {at} {one.id}: {one.title}", "", f"Looks at {one.asks}. While it is broken {one.costs}."]
        if one.needs:
            coming = [f"{name} is starting" for name in one.needs if "starting" in hop(name).remedies]
            broken = f"{' or '.join(one.needs)} is broken"
            lines += ["", f"Skipped while {', or '.join([broken, *coming])}."]
        lines += _rows(one.remedies)
    lines += ["## At every hop", "", "What may keep the doctor from looking, wherever it is.", *_rows(EVERYWHERE)]
    return "\n".join(lines[:-1]) + "\n"


def _rows(remedies: Mapping[str, Remedy]) -> list[str]:
    rows = [f"| {each.sees} | {GAP.sub(_upper, each.do).replace('|', chr(92) + '|')} |" for each in remedies.values()]
    return ["", "| it shows | what to do |", "|---|---|", *rows, ""]


def overview() -> str:
    """The part of docs/operations.md that this table makes: every hop in a line, and where to read how to mend it."""
    lines = ["| hop | while it is broken |", "|---|---|"]
    lines += [f"| [{at} {one.id}](troubleshooting.md#{_anchor(at, one)}) | {one.costs} |" for at, one in enumerate(HOPS, 1)]
    return "\n".join(lines) + "\n"


def _anchor(at: int, one: Hop) -> str:
    """Of its heading, as GitHub calls it."""
    return f"{at} {one.id} {one.title}".lower().replace(" ", "-")


def _upper(found: re.Match[str]) -> str:
    return found[1].upper()
