"""The curves of a run and what its cards did, on one axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from console.model.glyphs import Glyphs
from console.model.history import CardPast
from console.model.history import Trace as PastTrace
from console.model.metric import Curve, Figures
from console.model.past import Around
from console.text import clean
from console.ui import runcards, runpanes, runplots
from console.ui.canvas import Line, plain
from console.ui.look import Look
from console.ui.palette import Ground, choose
from console.ui.runcards import Quantity, What
from console.ui.runplots import Wish
from console.ui.runview import Recalled, RunView
from tests.console.fakes import NOW
from tests.console.ui import trainingworlds
from tests.console.ui.test_run_lines import TRAINS, view_of

LOOK = Look(choose("dark", {}), Glyphs(unicode=True))
MINUTES = (NOW - trainingworlds.BEGAN).total_seconds() / 60


def text(lines: Sequence[Line]) -> list[str]:
    return plain(lines).split("\n")


def with_figures(*curves: Curve, **changes: object) -> RunView:
    return replace(TRAINS, figures=trainingworlds.figures(curves=curves, **changes))


def without_steps(curve: Curve) -> Curve:
    spots = tuple(replace(one, step=None, epoch=None) for one in curve.spots)
    return replace(curve, spots=spots, last=replace(curve.last, step=None, epoch=None))


LOSS = trainingworlds.curve("loss", [3.0, 2.0, 1.0], 10)


# Which curves, over what


def test_of_several_fits_the_newest_is_drawn() -> None:
    first, second = LOSS.spots, trainingworlds.curve("loss", [2.5, 1.5], 10).spots
    again = tuple(replace(spot, time=NOW + timedelta(minutes=at)) for at, spot in enumerate(second))
    curve = replace(LOSS, spots=(*first, *again), last=again[-1])
    view = with_figures(curve, fit=2, fit_since=NOW)
    plot = runplots.plot_of(view, Wish())
    assert plot is not None
    assert [list(trace.points) for trace in plot.traces] == [[(10.0, 2.5), (20.0, 1.5)]]


def test_curves_that_say_the_same_stand_together() -> None:
    assert [[str(one.name) for one in group] for group in runplots.groups(trainingworlds.figures())] == [
        ["loss", "val_loss"],
        ["val_acc"],
    ]
    pairs = (trainingworlds.curve("train/acc", [0.1], 10, better=1), trainingworlds.curve("eval/acc", [0.2], 10, better=1))
    (found,) = runplots.groups(Figures(curves=pairs))
    assert {str(one.name) for one in found} == {"train/acc", "eval/acc"}


def test_steps_are_the_axis_until_somebody_wants_time() -> None:
    by_step = runplots.plot_of(TRAINS, Wish())
    assert by_step is not None
    assert (by_step.view.start, by_step.view.end, by_step.view.time) == (0.0, 3040.0, False)
    by_time = runplots.plot_of(TRAINS, Wish(time=True))
    assert by_time is not None
    assert by_time.view.time
    assert by_time.view.start == 0.0
    assert by_time.view.end == pytest.approx(MINUTES * 60), "the axis ends now"


def test_without_steps_time_is_all_there_is() -> None:
    drawn = runplots.plot_of(with_figures(without_steps(LOSS)), Wish(time=False))
    assert drawn is not None
    assert drawn.view.time
    epochs = replace(LOSS, spots=tuple(replace(one, step=None, epoch=float(at)) for at, one in enumerate(LOSS.spots)))
    epochs = replace(epochs, last=epochs.spots[-1], best=None)
    drawn = runplots.plot_of(with_figures(epochs, step=None), Wish())
    assert drawn is not None
    assert (drawn.view.time, drawn.view.word) == (False, "epoch")


def test_a_run_that_was_resumed_begins_where_it_went_on() -> None:
    spots = tuple(replace(one, step=(one.step or 0) + 5000) for one in LOSS.spots)
    resumed = replace(LOSS, spots=spots, last=spots[-1], best=None)
    drawn = runplots.plot_of(with_figures(resumed, step=5030), Wish())
    assert drawn is not None
    assert drawn.whole == (5010.0, 5030.0)


def test_a_newest_value_that_is_not_finite_is_a_mark() -> None:
    drawn = runplots.plot_of(with_figures(trainingworlds.curve("loss", [2.0, 1.0, math.nan], 10)), Wish())
    assert drawn is not None
    assert math.isnan(drawn.traces[0].points[-1][1])


def test_of_one_that_ended_the_axis_ends_with_its_last_value() -> None:
    view = view_of(
        trainingworlds.world(
            trainingworlds.ended(),
            (trainingworlds.gone_container(),),
            known=[(trainingworlds.gone_container(), trainingworlds.figures())],
        ),
        "train#128",
    )
    drawn = runplots.plot_of(replace(view, now=NOW + timedelta(hours=3)), Wish(time=True))
    assert drawn is not None
    assert drawn.view.end < MINUTES * 60 + 1


def test_nothing_measured_is_no_plot() -> None:
    assert runplots.plot_of(replace(TRAINS, figures=None), Wish()) is None
    assert runplots.plot_of(replace(TRAINS, figures=Figures()), Wish()) is None


# What part of it


def test_all_of_the_axis_goes_on_growing() -> None:
    drawn = runplots.plot_of(TRAINS, Wish())
    assert drawn is not None
    whole = runplots.moved_wish(Wish(part=(10.0, 20.0)), drawn, replace(drawn.view, cursor=5.0))
    assert whole == Wish(part=None, cursor=5.0)


def test_a_part_that_ends_now_moves_on_with_the_end() -> None:
    drawn = runplots.plot_of(TRAINS, Wish())
    assert drawn is not None
    wish = runplots.moved_wish(Wish(), drawn, replace(drawn.view, start=2000.0))
    assert wish.part == (2000.0, math.inf)
    later = runplots.plot_of(replace(TRAINS, figures=trainingworlds.figures(step=3140)), wish)
    slid = runplots.slid(wish, later, drawn.whole)
    assert slid.part == (2100.0, math.inf)
    assert runplots.slid(slid, later, (0.0, 3140.0)) is slid
    fixed = runplots.moved_wish(Wish(), drawn, replace(drawn.view, start=1000.0, end=2000.0))
    assert runplots.slid(fixed, later, drawn.whole) is fixed, "one that ended earlier stands still"


def test_a_part_that_is_no_part_any_more_shows_all() -> None:
    drawn = runplots.plot_of(TRAINS, Wish(part=(9000.0, 9100.0)))
    assert drawn is not None
    assert (drawn.view.start, drawn.view.end) == drawn.whole


# Steps as times


def test_the_clock_of_steps_goes_by_when_they_were_told() -> None:
    fast = trainingworlds.BEGAN
    spots = tuple(
        replace(one, time=fast + timedelta(seconds=seconds)) for one, seconds in zip(LOSS.spots, (10, 20, 120), strict=True)
    )
    curve = replace(LOSS, spots=spots, last=spots[-1], best=None)
    view = with_figures(curve, step=30)
    wish = Wish()
    clock = runplots.clock_of(view, wish, runplots.plot_of(view, wish))
    start = fast.timestamp() * 1e9
    times = [(clock.time(place) - start) / 1e9 for place in (0, 5, 10, 20, 25, 30, 99)]
    assert times == pytest.approx([0, 5, 10, 20, 70, 120, 120])


def test_a_clock_that_was_set_back_never_runs_backwards() -> None:
    spots = tuple(
        replace(one, time=NOW - timedelta(seconds=seconds)) for one, seconds in zip(LOSS.spots, (10, 900, 5), strict=True)
    )
    view = with_figures(replace(LOSS, spots=spots, last=spots[-1], best=None), step=30)
    clock = runplots.clock_of(view, Wish(), runplots.plot_of(view, Wish()))
    times = [clock.time(place) for place in range(31)]
    assert times == sorted(times)


# Cards and machine


def test_what_can_be_drawn_of_cards_and_machine() -> None:
    assert runcards.quantities(TRAINS) == [
        Quantity(What.UTIL, 0),
        Quantity(What.MEMORY, 0),
        Quantity(What.POWER, 0),
        Quantity(What.CPU, None),
        Quantity(What.HOST_MEMORY, None),
    ]
    bare = view_of(trainingworlds.world(cards=False), "train#128")
    assert [one.card for one in runcards.quantities(bare)] == [None, None]
    nothing = replace(bare, world=replace(bare.world, machine=None, machine_history=None))
    assert runcards.quantities(nothing) == []


def drawn_history(view: RunView, what: Quantity, wish: Wish | None = None, slots: int = 40) -> runcards.History:
    chosen = wish or Wish(time=True)
    drawn = runplots.plot_of(view, chosen)
    assert drawn is not None
    return runcards.history(view, what, runplots.clock_of(view, chosen, drawn), (drawn.view.start, drawn.view.end), slots)


async def test_the_past_is_drawn_where_it_was_and_a_gap_stays_a_gap() -> None:
    past = trainingworlds.KnownPast()
    begin, end = int(trainingworlds.BEGAN.timestamp() * 1e9), int(NOW.timestamp() * 1e9)
    view = replace(TRAINS, past=Recalled(around=await past.around(begin, end, 800)))
    for wish in (Wish(time=True), Wish()):
        found = drawn_history(view, Quantity(What.UTIL, 0), wish)
        assert found.values[:4] == [None] * 4
        assert found.values[4:] == [93.0] * 36
        assert (found.top, found.label) == (100.0, "100%")
    assert drawn_history(view, Quantity(What.MEMORY, 0)).label == "80G"
    assert drawn_history(view, Quantity(What.POWER, 0)).label == "700W"
    assert drawn_history(view, Quantity(What.CPU, None)).values[-1] == 41.0
    assert drawn_history(view, Quantity(What.HOST_MEMORY, None)).label == "256G"
    other = drawn_history(view, Quantity(What.UTIL, 5))
    assert set(other.values) == {None}, "a card that nobody tells of"


async def test_what_lies_outside_of_the_answer_is_a_gap() -> None:
    begin, end = int(trainingworlds.BEGAN.timestamp() * 1e9), int(NOW.timestamp() * 1e9)
    half = await trainingworlds.KnownPast().around(begin + (end - begin) // 2, end, 800)
    found = drawn_history(replace(TRAINS, past=Recalled(around=half)), Quantity(What.UTIL, 0))
    assert found.values[:20] == [None] * 20
    assert found.values[-1] == 93.0


def test_until_the_history_answers_what_this_console_saw_is_drawn() -> None:
    found = drawn_history(TRAINS, Quantity(What.UTIL, 0))
    assert None not in found.values[1:]
    minutes = view_of(trainingworlds.world(), "train#128")
    host = drawn_history(minutes, Quantity(What.CPU, None))
    # Three hundred readings two seconds apart: of sixteen minutes the first six are not known.
    assert host.values[0] is None
    assert host.values[-1] == 41.0


async def test_cards_of_one_that_has_ended_are_known_from_the_past() -> None:
    view = view_of(trainingworlds.world(trainingworlds.ended(), ()), "train#128")
    assert runcards.cards_of(view) == []
    around = await trainingworlds.KnownPast().around(0, 10, 20)
    assert runcards.cards_of(replace(view, past=Recalled(around=around))) == [0]


@pytest.mark.parametrize(
    ("quantity", "name", "words"),
    [
        (Quantity(What.UTIL, 0), "GPU 0", "util 97%  mem 61/80G  71C  612W of 700W"),
        (Quantity(What.POWER, 0), "GPU 0 power", "util 97%  mem 61/80G  71C  612W of 700W"),
        (Quantity(What.CPU, None), "Host", "cpu 41% of 64 cores"),
        (Quantity(What.HOST_MEMORY, None), "Host", "memory 97/256G"),
    ],
)
def test_titles_say_what_is_drawn_and_how_it_is_now(quantity: Quantity, name: str, words: str) -> None:
    assert runcards.title(TRAINS, quantity) == (name, words)


@pytest.mark.parametrize(
    ("quantity", "value", "words"),
    [
        (Quantity(What.UTIL, 0), 93.0, "util 93% at 14:03:46"),
        (Quantity(What.POWER, 0), 612.4, "power 612W at 14:03:46"),
        (Quantity(What.MEMORY, 0), 61.0 * (1 << 30), "memory 61.0G at 14:03:46"),
        (Quantity(What.CPU, None), None, "cpu: nobody looked at 14:03:46"),
    ],
)
def test_values_under_the_crosshair(quantity: Quantity, value: float | None, words: str) -> None:
    assert runcards.value_words(quantity, value, NOW) == words


# Whole panes


def pane(view: RunView, wish: Wish, width: int = 60, height: int = 9, look: Look = LOOK) -> list[str]:
    return text(runpanes.metrics(view, runplots.plot_of(view, wish), look, width, height, number=1, focused=True))


def test_the_pane_of_the_curves() -> None:
    view = with_figures(trainingworlds.curve("loss", [3.0, 2.5, 2.0, 1.5, 1.0, 0.5], 500), step=3000)
    found = pane(view, Wish())
    assert found[0] == " 1 Metrics   loss line" + "step  t time".rjust(37)
    assert found[-1].split() == ["0", "1000", "2000", "step", "3000"]
    assert len(found) == 9
    assert any(set(line) & set("⠑⠢⢄⣀⡀⠒⠤") for line in found[1:-1])


def test_its_title_says_what_is_not_as_it_was_measured() -> None:
    assert "log, smoothed 10" in pane(TRAINS, Wish(log=True, smooth=True), 90)[0]
    assert pane(TRAINS, Wish(time=True), 90)[0].endswith("time  t step")


def test_its_title_has_the_values_under_the_crosshair() -> None:
    found = pane(TRAINS, Wish(cursor=2170.0), 90)
    assert found[0].startswith(" 1 Metrics   step 2,170   loss 0.4")
    assert "val_loss" in found[0]
    assert any("╎" in line for line in found[1:-1])


def test_a_narrow_title_keeps_its_axis() -> None:
    assert pane(TRAINS, Wish(), 44)[0] == " 1 Metrics   loss line" + "step  t time".rjust(21)
    narrow = pane(TRAINS, Wish(smooth=True, cursor=2170.0), 60)[0]
    assert narrow.startswith(" 1 Metrics   step 2,170")
    assert "smoothed 10  step  t time" in narrow, "what is not as it was measured is said in any case"


def test_a_pane_without_curves_says_why() -> None:
    nothing = replace(TRAINS, figures=None)
    assert pane(nothing, Wish()) == [" 1 Metrics", " Nothing was measured yet."]


async def test_the_crosshair_stands_at_the_same_place_in_both_panes() -> None:
    past = trainingworlds.KnownPast()
    begin, end = int(trainingworlds.BEGAN.timestamp() * 1e9), int(NOW.timestamp() * 1e9)
    view = replace(TRAINS, past=Recalled(around=await past.around(begin, end, 800)))
    wish = Wish(time=True, cursor=480.0)
    drawn = runplots.plot_of(view, wish)
    assert drawn is not None
    curves = text(runpanes.metrics(view, drawn, LOOK, 80, 10, number=1, focused=True))
    cards = text(
        runpanes.cards(
            view,
            Quantity(What.UTIL, 0),
            runplots.clock_of(view, wish, drawn),
            drawn,
            LOOK,
            80,
            4,
            plotted=9,
            number=2,
            focused=False,
        )
    )
    columns = {line.index("╎") for line in (*curves[1:-1], *cards[1:]) if "╎" in line}
    assert len(columns) == 1
    assert cards[0].strip() == "2 GPU 0   util 93% at 13:55:42"


def test_without_unicode_letters_and_signs_do() -> None:
    ascii_look = Look(choose("dark", {}), Glyphs(unicode=False))
    found = pane(TRAINS, Wish(), 80, 9, ascii_look)
    assert found[0].startswith(" 1 Metrics   loss *   val_loss o")
    assert all(line.isascii() for line in found)


def test_titles_stand_on_their_own_ground() -> None:
    head = runpanes.metrics(TRAINS, runplots.plot_of(TRAINS, Wish()), LOOK, 80, 9, number=1, focused=True)[0]
    grounds = {style.bgcolor for _, style in head}
    assert grounds == {LOOK.style(ground=Ground.FOCUS).bgcolor}


# The newest value


def crossed(view: RunView, where: float, quantity: Quantity) -> str:
    """The title of the cards with the crosshair `where` seconds after the beginning."""
    drawn = runplots.plot_of(view, Wish(time=True, cursor=where))
    assert drawn is not None
    clock = runplots.clock_of(view, Wish(time=True), drawn)
    lines = runpanes.cards(view, quantity, clock, drawn, LOOK, 120, 6, plotted=12, number=2, focused=False)
    return text(lines)[0]


def watched_until(seconds: float) -> RunView:
    """A training on whose cards somebody looked until so many seconds before now, and not in the minute around its middle."""
    begin, end = int(trainingworlds.BEGAN.timestamp() * 1e9), int(NOW.timestamp() * 1e9)
    count = int((end - begin) / 1e9)
    hole = range(count // 2, count // 2 + 60)
    values = tuple(None if at >= count - seconds or at in hole else 93.0 for at in range(count))
    card = CardPast(clean("GPU-0"), 0, *(PastTrace(values, values),) * 4, (clean("train#128"),) * count)
    return replace(TRAINS, past=Recalled(around=Around(begin, end, (card,), None, ())))


@pytest.mark.parametrize("seconds", [0, 6, 30])
def test_in_the_newest_column_the_newest_value_counts(seconds: int) -> None:
    view = watched_until(seconds)
    last = (NOW - trainingworlds.BEGAN).total_seconds()
    assert "util 93% at 14:03:" in crossed(view, last, Quantity(What.UTIL, 0))
    assert "nobody looked" not in crossed(view, last - 10, Quantity(What.UTIL, 0))


def test_what_is_older_than_a_gap_is_none_and_a_gap_between_values_stays_one() -> None:
    last = (NOW - trainingworlds.BEGAN).total_seconds()
    assert "util: nobody looked at 14:03:46" in crossed(watched_until(120), last, Quantity(What.UTIL, 0))
    assert "nobody looked" in crossed(watched_until(6), last / 2 + 20, Quantity(What.UTIL, 0))
    nothing = watched_until(last + 1)
    assert "util: nobody looked at" in crossed(nothing, last, Quantity(What.UTIL, 0))


def test_where_there_is_little_room_whole_items_are_left_out() -> None:
    drawn = runplots.plot_of(TRAINS, Wish(time=True))
    clock = runplots.clock_of(TRAINS, Wish(time=True), drawn)
    found = runpanes.cards(TRAINS, Quantity(What.UTIL, 0), clock, drawn, LOOK, 40, 5, plotted=12, number=None, focused=True)
    assert text(found)[0].rstrip() == " GPU 0   util 97%  mem 61/80G  71C"


def test_a_few_points_with_steps_do_not_make_steps_the_axis() -> None:
    spots = tuple(
        replace(one, step=at if at < 2 else None, epoch=float(at))
        for at, one in enumerate(trainingworlds.curve("loss", [3.0, 2.5, 2.0, 1.5, 1.0], 10).spots)
    )
    few = replace(LOSS, spots=spots, last=spots[-1], best=None)
    drawn = runplots.plot_of(with_figures(few, step=None), Wish())
    assert drawn is not None
    assert (drawn.view.word, drawn.view.time, len(drawn.traces[0].points)) == ("epoch", False, 5)
    few = replace(few, spots=tuple(replace(one, epoch=None) for one in spots), last=replace(spots[-1], epoch=None))
    drawn = runplots.plot_of(with_figures(few, step=None), Wish())
    assert drawn is not None
    assert drawn.view.time
    assert len(drawn.traces[0].points) == 5
