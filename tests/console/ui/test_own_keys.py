"""Keys that people choose: how they are called, which cannot be, and that no two things end up on one key."""

from __future__ import annotations

import importlib
import itertools
import pkgutil
import string

import pytest
from textual.keys import _character_to_key

from console.ui import keymap, screens
from console.ui.keynames import KeyNameError, of_character, parsed, shown
from console.ui.ownkeys import OwnKeys, taken
from console.ui.screens.base import ConsoleScreen

SIGNS = [sign for sign in string.printable if sign.isprintable() and sign not in " ,"]


@pytest.mark.parametrize("sign", [*SIGNS, "ö", "é", "か", "→"])
def test_a_character_is_called_as_the_screen_calls_it(sign: str) -> None:
    assert of_character(sign) == _character_to_key(sign)
    assert parsed(sign) == of_character(sign)
    assert parsed(parsed(sign)) == parsed(sign), "Textual's own name is understood, too"
    assert shown(parsed(sign)) == sign


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("esc", "escape"),
        ("PgDn", "pagedown"),
        ("Enter", "enter"),
        ("ctrl+T", "ctrl+t"),
        ("F5", "f5"),
        ("j, down", "j,down"),
        ("comma", "comma"),
        ("shift+tab", "shift+tab"),
        ("ctrl+space", "ctrl+@"),
        ("f,f", "f"),
    ],
)
def test_names_are_taken_as_people_write_them(text: str, key: str) -> None:
    assert parsed(text) == key


@pytest.mark.parametrize("key", keymap.TABLE, ids=lambda key: key.id)
def test_what_the_screen_shows_can_be_written_into_the_settings(key: keymap.Key) -> None:
    assert parsed(",".join(shown(one) for one in key.keys.split(","))) == key.keys


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ctrl+i", "ctrl+i is tab in a terminal, and cannot be told from it"),
        ("ctrl+m", "is enter in a terminal"),
        ("ctrl+h", "is backspace in a terminal"),
        ("ctrl+j", "is enter in a terminal"),
        ("ctrl+[", "is esc in a terminal"),
        ("ctrl+s", "does not arrive everywhere: it makes many terminals stand still (flow control)"),
        ("ctrl+q", "flow control"),
        ("ctrl+a", "GNU screen keeps it"),
        ("ctrl+b", "tmux keeps it"),
        ("alt+x", "does not arrive in every terminal"),
        ("ctrl+shift+x", "does not arrive in every terminal"),
        ("shift+g", "is written as the character it makes: G"),
        ("entr", "there is no key entr. Did you mean enter?"),
        ("the big one", "there is no key the big one. Keys are called f, G, /"),
        ("f,", "a name of a key is missing beside a comma"),
        ("f25", "there is no key f25"),
    ],
)
def test_what_cannot_be_a_key_says_why(text: str, words: str) -> None:
    with pytest.raises(KeyNameError) as caught:
        parsed(text)
    assert words in str(caught.value)


def test_our_own_keys_are_each_one_thing_wherever_they_work() -> None:
    for place in keymap.PLACES:
        for one, other in itertools.combinations(place.keys, 2):
            assert not set(one.keys.split(",")) & set(other.keys.split(",")), (place.name, one.id, other.id)
    assert taken({}) == ({}, {})


def test_every_screen_and_every_key_has_its_place() -> None:
    for module in pkgutil.iter_modules(screens.__path__):
        importlib.import_module(f"console.ui.screens.{module.name}")
    known = {place.where for place in keymap.PLACES}

    def all_of(kind: type[ConsoleScreen]) -> list[type[ConsoleScreen]]:
        return [kind, *(one for sub in kind.__subclasses__() for one in all_of(sub))]

    for screen in all_of(ConsoleScreen):
        if screen.__module__.startswith("console.") and screen.where != ("everywhere",):
            assert screen.where in known, f"{screen.__name__}.where is missing in keymap.PLACES"
    reached = {key.id for place in keymap.PLACES for key in place.keys}
    assert reached >= keymap.IDS


@pytest.mark.parametrize(
    ("wanted", "key_id", "words"),
    [
        (
            {"filter": "x"},
            "filter",
            'x already stands for stop ("stop, cancel") in the main screen. Give that another key, too: keys.stop',
        ),
        ({"copy": "f"}, "copy", 'f already stands for follow ("follow the end") in a log. Give that another key'),
        ({"down": "n", "acts": "n"}, "acts", "Give one of them another key"),
        ({"keep": "x"}, "keep", "in the acts of a build"),
        ({"quit": "ctrl+c"}, "quit", 'ctrl+c already stands for interrupt ("twice: quit")'),
        ({"help": "enter"}, "help", "enter already stands for"),
        ({"edit": "y"}, "edit", "in a plan"),
        ({"refresh": "F5", "redraw": "f5"}, "redraw", "Give one of them another key"),
        ({"help": "ctrl+s"}, "help", "flow control"),
        ({"quit": ","}, "quit", "missing"),
    ],
)
def test_two_things_on_one_key_are_refused_by_name(wanted: dict[str, str], key_id: str, words: str) -> None:
    _, wrong = taken(wanted)
    assert words in " / ".join(wrong.values()), wrong
    assert key_id in wrong or wrong.keys() <= wanted.keys()


@pytest.mark.parametrize(
    "wanted",
    [
        {"filter": "f"},  # f is follow, in a log: they never meet
        {"filter": "x", "stop": "slash"},
        {"stop": "B", "values": "x"},
        {"quit": "x", "stop": "q"} | {"cancel": "q"},
        {"help": "f1"},
        {"open": "l", "next-pane": "tab,right", "cross-right": "right"},
    ],
)
def test_keys_can_change_places(wanted: dict[str, str]) -> None:
    keys, wrong = taken(wanted)
    assert not wrong
    assert OwnKeys(keys).of("filter") == tuple(parsed(wanted.get("filter", "/")).split(","))


def test_help_and_quit_always_have_a_key() -> None:
    for key_id, text in itertools.product(("help", "quit"), ("", " ", "ctrl+q", "nothing", "none")):
        keys, wrong = taken({key_id: text})
        assert key_id in wrong
        assert key_id not in keys
