"""`infra/bin/settings NAME=value ...`: infra/.env written once, and some of it set, by a program instead of by hand."""

from __future__ import annotations

import difflib
import sys

from infra.jenkins.steps.problem import Exit, Problem, say

from . import files, settings
from .place import Place


def step() -> int:
    """The program. Says what it has changed, or that nothing was. Raises Problem, OSError."""
    place = Place.here()
    wanted = _wanted(place, sys.argv[1:])
    told = settings.write_first(place)
    found = settings.read(place)
    changed = {name: value for name, value in wanted.items() if found.get(name) != value}
    if changed:
        text, about = place.env.read_text(encoding="utf-8"), place.env.stat()
        for name, value in changed.items():
            text = settings.filled(text, name, value)
        files.put(place.env, text.encode(), mode=0o644, owner=(about.st_uid, about.st_gid))
    for line in (*told, *(f"{name}={value}" for name, value in changed.items())):
        say(line)
    if not told and not changed:
        say("infra/.env: nothing was changed.")
    return Exit.OK


def _wanted(place: Place, words: list[str]) -> dict[str, str]:
    wanted = settings.parse("\n".join(words), "the command line:")
    known = settings.parse(place.example.read_text(encoding="utf-8"), "infra/.env.example")
    for name in wanted:
        if name not in known and not name.endswith("_DIGEST"):
            near = difflib.get_close_matches(name, known, 1)
            raise Problem(f"There is no setting {name}." + (f" Did you mean {near[0]}?" if near else ""), Exit.USAGE)
    return wanted
