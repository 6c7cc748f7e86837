"""How keys are called: as people write them (`/`, `esc`, `PgDn`), and as Textual does (`slash`, `escape`, `pagedown`). Pure."""

from __future__ import annotations

import unicodedata
from functools import cache

from console.text.near import did_you_mean

_SHOWN = {
    "escape": "esc",
    "pagedown": "PgDn",
    "pageup": "PgUp",
    "ctrl+@": "ctrl+space",
    "comma": "comma",  # a comma parts the names of keys
    "space": "space",
}
_REPLACED = {"solidus": "slash", "reverse_solidus": "backslash", "commercial_at": "at", "hyphen_minus": "minus"}
_REPLACED |= {"plus_sign": "plus", "low_line": "underscore"}
"""Names that Textual has shortened (textual/keys.py, KEY_NAME_REPLACEMENTS)."""
_ALIASES = {
    "esc": "escape",
    "return": "enter",
    "pgdn": "pagedown",
    "pgup": "pageup",
    "pagedn": "pagedown",
    "del": "delete",
    "ins": "insert",
    "backtab": "shift+tab",
    "ctrl+space": "ctrl+@",
    "ctrl+]": "ctrl+right_square_bracket",
    "ctrl+\\": "ctrl+backslash",
    "ctrl+^": "ctrl+circumflex_accent",
    "ctrl+_": "ctrl+underscore",
    "ctrl+[": "ctrl+left_square_bracket",
}
_ARROWS = ("up", "down", "left", "right", "home", "end")
_NAMED = frozenset(
    {"escape", "enter", "tab", "shift+tab", "backspace", "delete", "insert", "space", "pageup", "pagedown", *_ARROWS}
    | {f"{held}+{arrow}" for held in ("shift", "ctrl") for arrow in _ARROWS}
    | {f"f{number}" for number in range(1, 25)}
    | {f"ctrl+{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"}
    | {"ctrl+@", "ctrl+backslash", "ctrl+right_square_bracket", "ctrl+circumflex_accent", "ctrl+underscore"}
)
_OTHERS = {
    "ctrl+h": "backspace",
    "ctrl+i": "tab",
    "ctrl+j": "enter",
    "ctrl+m": "enter",
    "ctrl+left_square_bracket": "esc",
}
_TAKEN = {
    "ctrl+a": "GNU screen keeps it for itself",
    "ctrl+b": "tmux keeps it for itself",
    "ctrl+s": "it makes many terminals stand still (flow control)",
    "ctrl+q": "many terminals keep it for flow control",
}
_HELD = ("alt+", "meta+", "super+", "hyper+", "ctrl+shift+", "shift+ctrl+", "ctrl+alt+")


class KeyNameError(ValueError):
    """This can be no key of the console; the text says why."""


def shown(keys: str) -> str:
    """Key names as people write them: `slash` is `/`, `j,down` is `j down`."""
    return " ".join(_shown(key) for key in keys.split(","))


@cache
def _shown(key: str) -> str:
    if key in _SHOWN or key in _NAMED:
        return _SHOWN.get(key, key)
    return _character(key) or key


def parsed(text: str) -> str:
    """The keys that somebody has written, parted by commas, as Textual has them. Raises KeyNameError."""
    found = [_parsed(one.strip()) for one in text.split(",")]
    return ",".join(dict.fromkeys(found))


def _parsed(text: str) -> str:
    if not text:
        raise KeyNameError("a name of a key is missing beside a comma (the comma itself is called comma)")
    if len(text) == 1:
        if not text.isprintable() or text.isspace():
            raise KeyNameError("this character is no key that can be shown")
        return of_character(text)
    name = text.lower()
    name = _ALIASES.get(name, name)
    if name in _OTHERS:
        raise KeyNameError(f"{text} is {_OTHERS[name]} in a terminal, and cannot be told from it")
    if name in _TAKEN:
        raise KeyNameError(f"{text} does not arrive everywhere: {_TAKEN[name]}")
    if name in _NAMED:
        return name
    if name.startswith(_HELD):
        raise KeyNameError(f"{text} does not arrive in every terminal: take a letter, a sign, ctrl with a letter, or f1 to f24")
    if name.startswith("shift+") and len(name) == len("shift+x"):
        raise KeyNameError(f"{text} is written as the character it makes: {name[-1].upper()}")
    if _character(name) is not None:
        return name
    otherwise = " Keys are called f, G, /, esc, space, PgDn, ctrl+t, f5"
    hint = did_you_mean(name, [*_NAMED, *_ALIASES], alike=0.7, otherwise=otherwise)
    raise KeyNameError(f"there is no key {text}.{hint}")


def of_character(character: str) -> str:
    """The name that Textual has for a character (textual/keys.py, _character_to_key)."""
    if character.isalnum():
        return character
    name = unicodedata.name(character, character).lower().replace("-", "_").replace(" ", "_")
    return _REPLACED.get(name, name)


@cache
def _signs() -> dict[str, str]:
    """The signs of ASCII by their names."""
    return {of_character(sign): sign for sign in map(chr, range(0x21, 0x7F))}


def _character(name: str) -> str | None:
    """The character of a name such as `question_mark`; None where there is none."""
    if len(name) == 1:
        return name
    if (sign := _signs().get(name)) is not None:
        return sign
    try:
        found = unicodedata.lookup(name.replace("_", " ").upper())
    except KeyError:
        return None
    return found if of_character(found) == name and not found.isspace() else None
