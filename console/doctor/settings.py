"""Hop 1: the settings, and who may change them."""

from __future__ import annotations

import stat
from pathlib import Path

from console.doctor.findings import Finding, HopState, Mends, Rights, broken, good, together
from console.doctor.visit import Visit
from console.model.filefacts import FileFacts
from console.model.source import NotThereError, SourceError
from console.model.words import counted
from console.settings import Loaded, SettingsError
from console.text import clean

HOP = "settings"
_OTHERS_READ = stat.S_IROTH | stat.S_IXOTH


def usable(visit: Visit) -> bool:
    """Whether anything can be asked with them."""
    return not isinstance(visit.instruments.loaded, SettingsError)


async def look(visit: Visit) -> Finding:
    tools = visit.instruments
    found = [one for path in tools.own if (one := await _rights(visit, path, secret=False)) is not None]
    found += [one for path in tools.keys if (one := await _rights(visit, path, secret=True)) is not None]
    if isinstance(tools.loaded, SettingsError):
        problems = tools.loaded.problems
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        return together([broken(HOP, "wrong", f"{problems[0]}{more}"), *found])
    if found:
        return together(found)
    return good(_told(tools.loaded))


def _told(loaded: Loaded) -> str:
    """How many values are not the defaults, and where they come from."""
    files = sum(one.found for one in loaded.files)
    told = [one for one in loaded.origins.values() if one.kind != "default"]
    written = [str(one.where).rpartition(":")[0] for one in told if one.kind == "file"]
    elsewhere = f"{counted(len(told) - len(written), 'value')} from elsewhere" if len(told) > len(written) else ""
    if not files:
        return f"no file of settings; {elsewhere}" if elsewhere else "all at their defaults"
    if written:
        head = f"{counted(len(written), 'value')} from {counted(len(set(written)), 'file')}"
    else:
        head = f"{counted(files, 'file')} that {'sets' if files == 1 else 'set'} nothing"
    return ", ".join(part for part in (head, elsewhere, "file modes are right") if part)


async def _rights(visit: Visit, path: Path, *, secret: bool) -> Finding | None:
    """What is wrong with one file; None where nothing is, or there is none."""
    tools = visit.instruments
    try:
        facts = await tools.files.facts(path)
        if stat.S_ISLNK(facts.mode):
            return None  # what it leads to has an owner of its own, such as a package of dotfiles
    except NotThereError:
        return None
    except SourceError as error:
        return Finding(HopState.WARNING, error.reason)
    if facts.uid not in (0, tools.uid):
        return broken(HOP, "owner", f"{path} belongs to user {facts.uid}", user=str(tools.user), path=str(path))
    wrong = facts.rights & _too_much(facts, secret=secret)
    if not wrong:
        return None
    rights = facts.rights & ~wrong
    who = "everybody" if wrong & stat.S_IRWXO else "its group"
    what = "read" if secret and wrong & _OTHERS_READ and not wrong & stat.S_IWOTH else "changed"
    mends = Mends(rights=(Rights(path, facts, rights),)) if facts.plain else Mends()
    told = f"{path} can be {what} by {who} (mode {facts.rights:04o})"
    return broken(HOP, "open", told, mends=mends, mode=f"{rights:04o}", path=str(clean(path)))


def _too_much(facts: FileFacts, *, secret: bool) -> int:
    """Bits that nobody should have. Where each user has a group of the same number, the group is that user."""
    if secret:
        return stat.S_IRWXO | stat.S_IWGRP
    return stat.S_IWOTH | (stat.S_IWGRP if facts.gid not in (0, facts.uid) else 0)
