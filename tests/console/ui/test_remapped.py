"""A person who has changed every single key: all works with their keys, and none of ours is named anywhere."""

from __future__ import annotations

import ast
import re
from datetime import timedelta
from pathlib import Path

import pytest

from console.model.jenkins import JenkinsWorld
from console.model.source import SourceState, SourceStatus
from console.text import clean
from console.ui import keymap
from console.ui.app import Wishes
from console.ui.ownkeys import OURS, OwnKeys, taken
from tests.console.fakes import NOW
from tests.console.ui import jenkinsworlds
from tests.console.ui.pressing import press
from tests.console.ui.screenapp import app_of, screen_text
from tests.console.ui.tour import pressed, tour, touring
from tests.support.waiting import until

UI = Path(keymap.__file__).parent
# Letters that stand nowhere else on these screens.
OWN = {key.id: chr(0x10D0 + number) for number, key in enumerate(keymap.TABLE)}
LETTER = "[\u10d0-\u117f\u1c90-\u1cff]"


def own() -> OwnKeys:
    keys, wrong = taken(OWN)
    assert not wrong
    return OwnKeys(keys)


def wishes() -> Wishes:
    return Wishes(glyphs="unicode", keys=own().remapped)


async def test_the_screens_name_the_same_things_by_own_keys(jenkins: JenkinsWorld) -> None:
    """And every screen and sheet is reached with them.

    Where ours has a key in its footer, in a sheet's last line or in a sentence, theirs has their own.
    """
    texts = []
    for keys in ({}, own().remapped):
        async with (app := touring(jenkins, Wishes(glyphs="unicode", keys=keys))).run_test(size=(100, 30)) as pilot:
            texts.append({name: text async for name, text in tour(app, pilot)})
    ours, theirs = texts
    assert "the main screen at last" in theirs
    for name, text in theirs.items():
        last = [line for line in text.split("\n") if line.strip()][-1]
        typing = (
            name in {"its fields", "its fields, changed"} or "type" in name or name.startswith(("commands", "themes", "why"))
        )
        if not typing:
            assert re.search(LETTER, text), (name, text)
            assert not re.search(r"(?:^|  )(?:esc|enter|space|[LRxAfsy?q/]) [a-z]", last), (name, last)
        here = set(re.findall(r"(?:esc|enter|ctrl\+r|[a-zA-Z/]) (?:leave it|its plan|goes back|tries now|shows all)", text))
        assert not here or typing, (name, here)
    assert ours.keys() == theirs.keys()


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (("filter", "type:nothing like it", "key:enter"), "{back} shows all"),
        (("order",), ""),
        (("builds", "filter", "type:zzz", "key:enter"), "{back} shows all"),
        (("nodes", "filter", "type:zzz", "key:enter"), "{back} shows all"),
        (("interrupt",), "Press {interrupt} again to quit"),
        (("builds", "job", "open", "log", "next-mark"), "no mark is set: {mark} sets one"),
        (("builds", "job", "open", "log", "next-hit"), "nothing is searched for: {search} begins a search"),
        (("builds", "job", "open", "log", "wrap", "sideways-right"), "lines are wrapped: {wrap} shows them"),
        (("builds", "job", "open", "log", "wrap", "wrap"), "{sideways-left} {sideways-right} go sideways"),
        (("builds", "job", "open", "log", "select"), "{down} {up}, then {copy} copies, {back} leaves it"),
        (("builds", "job", "open", "log", "copy"), "; {save} saves to a file"),
        (("builds", "job", "open", "log", "up"), "{follow} follow"),
        (("builds", "acts"), "{take} its plan"),
        (("builds", "job", "open", "again"), "{agree} start it"),
        (("builds", "job", "open", "again", "edit"), "enter start it"),
    ],
)
async def test_sentences_name_own_keys(jenkins: JenkinsWorld, keys: tuple[str, ...], words: str) -> None:
    async with (app := touring(jenkins, wishes())).run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        for one in keys:
            for text in one.split(" ") if not one.startswith("type:") else [one]:
                for key in pressed(app, text):
                    await pilot.press(key)
            await pilot.pause()
        told = re.sub(r"\{([a-z-]+)\}", lambda found: own().first(found[1]), words)
        await until(lambda: told in screen_text(app), f"{told} in\n{screen_text(app)}")


async def test_an_engine_that_is_away_names_own_keys() -> None:
    away = SourceStatus(SourceState.UNREACHABLE, clean("Nobody answers."), NOW, NOW, NOW + timedelta(seconds=20))
    async with app_of(jenkinsworlds.world(None, away), wishes=wishes()).run_test(size=(100, 30)) as pilot:
        lines = await press(pilot, own().of("builds")[0])
        assert any(f"{own().first('refresh')} tries now" in line for line in lines), "\n".join(lines)


def test_no_text_of_the_screen_has_a_key_written_into_it() -> None:
    """Sentences take their keys out of the table; where something is typed a few keys are what they are."""
    named = re.compile(r"(?<![\w.{])(?:esc|enter|ctrl\+[a-z]|PgDn|PgUp|space)(?![\w}])")
    letter = re.compile(
        r"(?<![\w'{])(?:[b-zA-HJ-Z]|[/&?!]) (?:shows|saves|asks|sets|begins|copies|goes?|leaves?|tries|opens|scroll)\b"
    )
    found = []
    for path in sorted(UI.rglob("*.py")):
        tree = ast.parse(path.read_text())
        docs = {
            id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }
        for node in ast.walk(tree):
            if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in docs:
                continue
            if " " in node.value and (named.search(node.value) or letter.search(node.value)):
                found.append((path.name, node.lineno, node.value))
    assert [one for one in found if one[0] not in ("keynames.py", "keymap.py")] == []


def test_own_keys_hold_what_the_table_has() -> None:
    assert OURS.first("help") == "?"
    assert OURS.every("back") == "esc backspace"
    assert own().first("help") == OWN["help"]
