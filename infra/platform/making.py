"""`make secrets`: every secret made once, owned by its reader, never printed and never overwritten without being asked."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass

from infra.jenkins.steps.problem import Exit, Problem

from . import compose, files, giving, keys
from .catalogue import NONE, SECRETS, Kind, Secret, public, secret
from .place import Place, person

_MADE, _THERE, _MENDED, _NONE, _EMPTY = "made", "there", "mended", "none", "empty"


@dataclass(frozen=True)
class Row:
    """A line of the table: never a value."""

    name: str
    state: str
    note: str = ""


def step() -> int:
    """The program: `make secrets`. ROTATE, GIVE and FILE come from the environment. Raises Problem, OSError."""
    place = Place.here()
    rotate, give = os.environ.get("ROTATE", ""), os.environ.get("GIVE", "")
    if rotate and give:
        raise Problem("ROTATE and GIVE are two different wishes: name one of them.", Exit.USAGE)
    if rotate or give:
        renew(place, secret(rotate or give), given=bool(give), source=os.environ.get("FILE", ""))
        return Exit.OK
    rows = make(place)
    width = max(len(row.name) for row in rows)
    for row in rows:
        print(f"{row.name:{width}}  {row.state:6}  {row.note}".rstrip())
    counted = {state: sum(row.state == state for row in rows) for state in (_MADE, _THERE, _MENDED, _NONE, _EMPTY)}
    print(
        f"{len(rows)} secrets in infra/secrets: "
        + ", ".join(f"{number} {state}" for state, number in counted.items() if number)
    )
    return Exit.OK


def make(place: Place) -> list[Row]:
    """Make what is missing, set owners and modes right. Raises Problem before anything is written, OSError."""
    _look_at(place)
    missing = [one for one in SECRETS if files.facts(place.secrets / one.name) is None]
    _check_pairs(place, {one.name for one in missing})
    wrong = [one for one in SECRETS if one not in missing and not _is_right(place, one)]
    _needs_root([*missing, *wrong], "sudo make secrets")
    if any(one.kind in {Kind.PRIVATE_KEY, Kind.PUBLIC_KEY} for one in missing) and not keys.there():
        raise Problem(keys.MISSING)
    _folder(place)
    with files.alone(place.secrets):
        made: set[str] = set()
        return [_row(place, one, made) for one in SECRETS]


def renew(place: Place, one: Secret, *, given: bool, source: str) -> None:
    """Make one anew, or take one from a person, and say who must learn of it. Raises Problem, OSError."""
    if given and not one.given:
        raise Problem(f"{one.name} is made and not given: sudo make secrets ROTATE={one.name}", Exit.USAGE)
    _look_at(place, only=one)
    pair = [one, public(one)] if one.kind is Kind.PRIVATE_KEY else [one]
    words = f"{'GIVE' if one.given else 'ROTATE'}={one.name}" + (f" FILE={source}" if source else "")
    _needs_root(pair, f"sudo make secrets {words}")
    if one.kind is Kind.PRIVATE_KEY and not keys.there():
        raise Problem(keys.MISSING)
    content = giving.ask(one, source) if one.given else b""
    _folder(place)
    with files.alone(place.secrets):
        if one.kind is Kind.PRIVATE_KEY:
            _make_pair(place, one)
        else:
            _put(place, one, content or one.fresh())
    print(f"{one.name} is {'given' if one.given and content != NONE else 'none' if one.given else 'made anew'}.")
    if one.services:
        print(f"So that it is read: {compose.COMMAND} up -d --force-recreate {' '.join(one.services)}")
    if one.also:
        print(one.also)
    if one.given and source not in {"", "-"}:
        print(f"{source} still holds it: delete that file once nobody needs it.")


def _row(place: Place, one: Secret, made: set[str]) -> Row:
    """Make one if it is missing. Under the lock: another program may have made it since. `made` are those made by this one."""
    path = place.secrets / one.name
    if one.name in made:
        return Row(one.name, _MADE)
    if files.facts(path) is None:
        if one.given:
            _put(place, one, NONE)
            return _none(one)
        if one.kind is Kind.PRIVATE_KEY:
            _make_pair(place, one)
            made.add(public(one).name)
        elif one.kind is Kind.PUBLIC_KEY:
            _put(place, one, keys.public(files.read(path.with_suffix(""))))
        else:
            _put(place, one, one.fresh())
        return Row(one.name, _MADE)
    mended = not _is_right(place, one)
    if mended:
        _mend(place, one)
    if path.lstat().st_size == 0:
        return Row(one.name, _EMPTY, f"sudo make secrets {'GIVE' if one.given else 'ROTATE'}={one.name.removesuffix('.pub')}")
    if one.given and os.access(path, os.R_OK) and files.read(path).strip() == NONE:
        return _none(one)
    if mended:
        return Row(one.name, _MENDED, "owner or mode was wrong")
    return Row(one.name, _THERE)


def _none(one: Secret) -> Row:
    return Row(one.name, _NONE, f"{one.without}. To give it: sudo make secrets GIVE={one.name} FILE=path")


def _make_pair(place: Place, private: Secret) -> None:
    other = public(private)
    key = keys.pair(place.secrets, private.name)
    half = keys.public(key)
    # In this order: an end in between leaves a key without its public half, which the next call makes from it.
    (place.secrets / other.name).unlink(missing_ok=True)
    _put(place, private, key)
    _put(place, other, half)


def _put(place: Place, one: Secret, content: bytes) -> None:
    files.put(place.secrets / one.name, content, mode=one.mode, owner=(one.owner, one.owner))


def _mend(place: Place, one: Secret) -> None:
    handle = os.open(place.secrets / one.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        os.fchown(handle, one.owner, one.owner)
        os.fchmod(handle, one.mode)
    finally:
        os.close(handle)


def _is_right(place: Place, one: Secret) -> bool:
    found = (place.secrets / one.name).lstat()
    return found.st_uid == one.owner and stat.S_IMODE(found.st_mode) == one.mode


def _folder(place: Place) -> None:
    """Make infra/secrets, or close it to others."""
    place.secrets.mkdir(mode=0o700, exist_ok=True)
    if stat.S_IMODE(place.secrets.stat().st_mode) != 0o700:
        place.secrets.chmod(0o700)
    if os.geteuid() == 0 and place.secrets.stat().st_uid == 0:
        # Whoever called sudo may look whether all is there, and read nothing that is not theirs.
        os.chown(place.secrets, *person())


def _look_at(place: Place, only: Secret | None = None) -> None:
    """Raise Problem when infra/secrets or something in it is not what it should be."""
    folder = files.facts(place.secrets)
    if folder is None:
        return
    if not stat.S_ISDIR(folder.st_mode):
        raise Problem("infra/secrets is no folder: move it away, then call it again.")
    if not os.access(place.secrets, os.R_OK | os.X_OK):
        raise Problem("infra/secrets may not be read by this user: call it with sudo.")
    wrong = []
    for one in SECRETS if only is None else (only,):
        found = files.facts(place.secrets / one.name)
        if found is not None and files.no_file(found):
            wrong.append(f"infra/secrets/{one.name} {files.no_file(found)}: remove it, then call it again.")
    if wrong:
        raise Problem("\n".join(["Nothing was written.", *wrong]))


def _check_pairs(place: Place, missing: set[str]) -> None:
    for one in SECRETS:
        if one.kind is Kind.PRIVATE_KEY and one.name in missing and public(one).name not in missing:
            raise Problem(
                f"infra/secrets/{one.name}.pub is there without its key {one.name}. Nothing was written. "
                f"Make the pair anew: sudo make secrets ROTATE={one.name}"
            )


def _needs_root(touched: list[Secret], command: str) -> None:
    """Raise Problem when something has to be given to another user than the one who asks."""
    others = sorted({one.owner for one in touched} - {os.geteuid()})
    if others and os.geteuid() != 0:
        uids = " and ".join(f"uid {uid}" for uid in others)
        raise Problem(
            f"Secrets belong to their readers ({uids}), so this needs root: {command}. Nothing was written.", Exit.USAGE
        )
