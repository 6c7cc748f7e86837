"""The keys that a person has: ours, but where the settings say something else. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import combinations

from console.settings import Loaded, check_keys
from console.settings.keyfacts import KeyFact
from console.ui import keymap
from console.ui.keymap import PLACES, TABLE, Key
from console.ui.keynames import KeyNameError, parsed, shown


class OwnKeys:
    """`remapped` has keys as Textual calls them, by the id of what they do; the rest are ours."""

    def __init__(self, remapped: Mapping[str, str]) -> None:
        self.remapped = remapped
        self._keys: dict[str, tuple[str, ...]] = {}

    def of(self, key_id: str) -> tuple[str, ...]:
        """The keys that do this, the one that is shown first."""
        if (known := self._keys.get(key_id)) is None:
            ours = next(key.keys for key in keymap.TABLE if key.id == key_id)
            known = self._keys[key_id] = tuple(self.remapped.get(key_id, ours).split(","))
        return known

    def first(self, key_id: str) -> str:
        """The key that does this, as people write it: `esc`, `/`."""
        return shown(self.of(key_id)[0])

    def every(self, key_id: str) -> str:
        """All keys that do this, as people write them: `j down`."""
        return shown(",".join(self.of(key_id)))

    def firsts(self, *key_ids: str) -> str:
        """The first key of each: `j k`."""
        return " ".join(self.first(one) for one in key_ids)

    def meant(self, key: str, ids: Iterable[str]) -> str | None:
        """Which of these ids a pressed key stands for."""
        return next((one for one in ids if key in self.of(one)), None)


OURS = OwnKeys({})


def checked(loaded: Loaded) -> Mapping[str, str]:
    """What the settings say of keys, by id, as Textual calls them. Raises SettingsError for all that cannot be."""
    keys, wrong = taken(loaded.settings.keys)
    check_keys(loaded, {key.id for key in keymap.TABLE}, wrong)
    return keys


def taken(wanted: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """What the settings say of keys, as Textual calls them; and by id what is wrong with the rest.

    An id that is not in the table is left out of both.
    """
    found: dict[str, str] = {}
    wrong: dict[str, str] = {}
    known = {key.id for key in TABLE}
    for key_id, text in wanted.items():
        if key_id in known:
            try:
                found[key_id] = parsed(text)
            except KeyNameError as error:
                wrong[key_id] = str(error)
    for key_id, words in _clashes(found).items():
        wrong.setdefault(key_id, words)
    return found, wrong


def _clashes(remapped: Mapping[str, str]) -> dict[str, str]:
    """What has a key that something else has in the same place, by the id that a person gave it to."""
    own = OwnKeys(remapped)
    found: dict[str, str] = {}
    for place in PLACES:
        for one, other in combinations(place.keys, 2):
            both = [key for key in own.of(one.id) if key in own.of(other.id)]
            if not both or not remapped.keys() & {one.id, other.id}:
                continue
            mine, theirs = (one, other) if one.id in remapped else (other, one)
            found.setdefault(mine.id, _clash(shown(both[0]), mine, theirs, place.name, again=theirs.id in remapped))
    return found


def _clash(key: str, mine: Key, theirs: Key, place: str, *, again: bool) -> str:
    """Who has it already, where, and what to do."""
    what = "Give one of them another key" if again else f"Give that another key, too: keys.{theirs.id}"
    return f'{key} already stands for {theirs.id} ("{theirs.words}") in {place}. {what}'


def facts(remapped: Mapping[str, str]) -> list[KeyFact]:
    """The whole table as a person has it."""
    own = OwnKeys(remapped)
    return [
        KeyFact(
            id=key.id,
            keys=tuple(shown(one) for one in own.of(key.id)),
            ours=tuple(shown(one) for one in key.keys.split(",")),
            where=key.where,
            words=key.words,
            acts=key.acts,
        )
        for key in TABLE
    ]
