"""The tour, as far as it is pure: what counts as learnt, which keys it names, what stands in the strip."""

from __future__ import annotations

import pytest

from console.model.cells import width as cells_of
from console.model.glyphs import Glyphs
from console.ui import tour
from console.ui.canvas import KeyText, plain
from console.ui.keymap import IDS
from console.ui.look import Look
from console.ui.ownkeys import OwnKeys
from console.ui.palette import choose
from console.ui.tour import STEPS, Front, Sight, Tour

MAIN = Sight(Front.MAIN, "runs", "train#128")
PALETTE = choose("dark", {"TERM": "xterm-256color"}, color=True)
LOOK = Look(PALETTE, Glyphs(unicode=True))

# For each lesson, by step: the key, what is seen before it, and what after it once it has done its thing.
DONE = (
    (
        ("down", MAIN, Sight(Front.MAIN, "runs", "train#127")),
        ("open", MAIN, Sight(Front.PAGE)),
        ("back", Sight(Front.PAGE), MAIN),
    ),
    (("log", MAIN, Sight(Front.LOG)), ("search", Sight(Front.LOG), Sight(Front.LOG, asks=True))),
    (("next-pane", MAIN, Sight(Front.MAIN, "queue", "queue/12")),),
    (("again", MAIN, Sight(Front.PLAN)), ("back", Sight(Front.PLAN), MAIN)),
    (("help", MAIN, Sight(Front.HELP)), ("quit", Sight(Front.HELP), MAIN), ("palette", MAIN, Sight(Front.COMMANDS))),
)


def test_five_steps_teach_ten_keys() -> None:
    assert len(STEPS) == 5
    taught = {one.shows for step in STEPS for one in step.lessons}
    assert len(taught) == 10
    assert {key_id for step in STEPS for one in step.lessons for key_id in (*one.shows, *one.counts)} <= IDS


def test_with_its_last_key_a_step_is_done_in_any_order() -> None:
    for order in (1, -1):
        now = tour.begin(acts=True)
        for number, lessons in enumerate(DONE):
            assert now.at == number
            for key_id, before, after in lessons[::order]:
                assert now.at == number
                now = now.after([key_id], before, after)
        assert now.over
        assert now.after(["down"], *DONE[0][0][1:]) is now


@pytest.mark.parametrize("at", range(5))
def test_a_key_that_did_nothing_is_not_learnt(at: int) -> None:
    now = Tour(STEPS, at)
    for key_id, before, _ in DONE[at]:
        assert now.after([key_id], before, before) is now


@pytest.mark.parametrize("at", range(5))
def test_what_another_key_did_is_not_learnt(at: int) -> None:
    now = Tour(STEPS, at)
    for _, before, after in DONE[at]:
        assert now.after(["refresh"], before, after) is now


def test_a_row_that_another_pane_has_is_no_move() -> None:
    now = Tour(STEPS)
    assert now.after(["down"], MAIN, Sight(Front.MAIN, "list", "container/1")) is now


def test_the_number_of_a_pane_counts_as_well() -> None:
    assert Tour(STEPS, 2).after(["pane-3"], MAIN, Sight(Front.MAIN, "list", "gate")).at == 3


def test_who_may_not_act_learns_the_rest() -> None:
    steps = tour.begin(acts=False).steps
    assert len(steps) == 4
    assert not any("again" in one.shows for step in steps for one in step.lessons)


@pytest.mark.parametrize("at", range(5))
@pytest.mark.parametrize("width", [80, 120, 200])
def test_the_strip_is_whole_from_80_cells_on(at: int, width: int) -> None:
    found = tour.lines(Tour(STEPS, at), LOOK, width)
    first, second = plain(found).split("\n")
    assert first.startswith(f" TOUR   {at + 1} of 5   ")
    assert second.endswith("  esc here ends the tour")
    assert "⋯" not in first + second
    assert max(cells_of(first), cells_of(second)) <= width


def test_what_is_learnt_has_a_sign() -> None:
    text = plain(tour.lines(Tour(STEPS, 0, frozenset({1})), LOOK, 80))
    assert "   j k move in Runs ✓ enter open one   esc come back" in text
    ascii_only = plain(tour.lines(Tour(STEPS, 0, frozenset({1})), Look(PALETTE, Glyphs(unicode=False)), 80))
    assert ascii_only.isascii()
    assert "+ enter open one" in ascii_only


def test_it_names_the_keys_that_a_person_has() -> None:
    own = OwnKeys({"down": "ctrl+n", "back": "f4", "pane-1": "f9", "log": "ctrl+t,L"})
    look = Look(PALETTE, Glyphs(unicode=True), own)
    first, second, third = (plain(tour.lines(Tour(STEPS, at), look, 80)) for at in range(3))
    assert "ctrl+n k move in Runs" in first
    assert "f4 come back" in first
    assert "f4 here ends the tour" in first
    assert "ctrl+t the log of a row" in second
    assert "f9 to 5 go straight there" in third


def test_keys_are_there_to_be_clicked() -> None:
    strip = tour.lines(Tour(STEPS), LOOK, 80)
    keys = [text.key for line in strip for text, _ in line if isinstance(text, KeyText)]
    assert keys[:4] == ["j", "k", "enter", "escape"]


def test_long_keys_are_cut_at_the_edge() -> None:
    own = OwnKeys(dict.fromkeys(IDS, "ctrl+right_square_bracket"))
    for at in range(5):
        for line in tour.lines(Tour(STEPS, at), Look(PALETTE, Glyphs(unicode=True), own), 80):
            assert sum(cells_of(text) for text, _ in line) <= 80
