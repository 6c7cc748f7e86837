"""Plots as pictures: what is written here is what is on the screen."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from console.model.glyphs import Glyphs
from console.text import clean
from console.ui.look import Look
from console.ui.palette import DARK, MONO, Role
from console.ui.plot import LEFT, Trace, View, area, cursor_column, inset, legend, plot, title_words
from console.ui.plot.traces import smoothed

UNICODE, ASCII = Look(MONO, Glyphs(unicode=True)), Look(MONO, Glyphs(unicode=False))
NAN, INF = math.nan, math.inf
Points = Sequence[tuple[float, float]]


def trace(name: str, points: Points, gaps: Points = ()) -> Trace:
    return Trace(clean(name), points, gaps)


def picture(view: View, width: int, height: int, *traces: Trace, look: Look = UNICODE) -> list[str]:
    return ["".join(text for text, _ in line).rstrip() for line in plot(traces, view, width, height, look)]


LOSS = trace("loss", [(float(at), 2.0 * math.exp(-at / 350) + 0.38 + 0.02 * math.sin(at)) for at in range(0, 3041, 20)])
VAL_LOSS = trace("val_loss", [(float(at), 2.0 * math.exp(-at / 350) + 0.45) for at in range(217, 3041, 217)])


def test_a_line_and_letters_over_it() -> None:
    assert picture(View(0, 3040), 80, 9, LOSS, VAL_LOSS) == [
        "       ⢣",
        "   2.0  ⠱⣀",
        "          ⠱⡀o",
        "           ⠈⠑⠢⡀",
        "   1.0        ⠈⠉⠦o⡀",
        "                  ⠈⠑⠒⠢o⠤⣀⣀ o",
        "                          ⠉⠉⠉⠑⠊⠑o⠒⠒⠒⠒o⠒⠢⠤⠒o⠔⠤⠤⠤⠤o⠤⠤⠤⠤o⠤⠤⠤⠤o⠤⠤⠤⠤o⠤⠤⠤⠤o⠤⠤⠤⠤o⠤⠤⠤⠤o",
        "   0.0",
        "       0                    1000                    2000              step 3040",
    ]


def test_in_ascii_with_the_crosshair_behind_the_curves() -> None:
    assert picture(View(0, 3040, cursor=2000), 60, 8, LOSS, VAL_LOSS, look=ASCII) == [
        "       *                                 |",
        "   2.0 ***                               |",
        "         *o*                             |",
        "   1.0     ***o                          |",
        "              ****o**o                   |",
        "                     ****o***o**o***o***o***o**o***o***o**o",
        "   0.0                                   |",
        "       0              1000             2000       step 3040",
    ]


def test_what_is_not_finite_is_marked_and_a_gap_is_blank() -> None:
    points = [(0, 1), (10, 0.8), (20, NAN), (30, NAN), (40, 0.3), (50, 0.2), (60, INF), (100, 0.1), (120, 0.1)]
    assert picture(View(0, 120), 60, 7, trace("loss", points, [(60, 100)])) == [
        "   1.0 ⠑⠢⣀                       !",
        "          ⠉⠂",
        "",
        "",
        "                        ⠉⠑⠒⠢⠤",
        "   0.0         !    !                             ⠒⠒⠒⠒⠒⠒⠒⠒⠒",
        "       0                   50                      step 120",
    ]


def test_a_log_scale_leaves_out_what_it_has_no_place_for_and_says_so() -> None:
    falling = trace("loss", [(0, 100), (10, 10), (20, 1), (30, 0), (40, 0.1), (50, 0.01)])
    view = View(0, 50, log=True)
    assert picture(view, 60, 9, falling) == [
        "   100 ⠉⠒⠤⢄⡀",
        "           ⠈⠉⠒⠤⢄⡀",
        "                ⠈⠉⠒⠢⠤⣀⡀",
        "     1                ⠈⠉⠒⠢⠤⣀",
        "",
        "                                                ⢀⡀",
        "                                                 ⠈⠑⠒⠤⣀⡀",
        "  0.01                                                ⠈⠑⠒⠤⣀",
        "       0                  20                   40   step 50",
    ]
    assert title_words([falling], view) == ("log", "1 value of 0 or less left out")
    assert title_words([falling], View(0, 20, log=True, smooth=10)) == ("log", "smoothed 10")
    assert title_words([falling], View(0, 50)) == ()


@pytest.mark.parametrize(("points", "below"), [([(0, 1e-4), (50, 1e-4)], "step 50"), ([(7, 1e-4)], "step 7")])
def test_what_does_not_change_stands_in_the_middle(points: Points, below: str) -> None:
    drawn = picture(View(points[0][0], points[-1][0]), 40, 5, trace("lr", points))
    assert drawn[2].startswith("  1e-4 ")
    assert drawn[2].count("⠉") == (32 if len(points) > 1 else 0)
    assert drawn[2].count("⠁") == (0 if len(points) > 1 else 1)
    assert [line for line in drawn[:4] if line] == [drawn[2]]
    assert below in drawn[4]


def test_curves_that_are_one_are_all_seen() -> None:
    same: Points = [(float(at), at * at / 1000) for at in range(101)]
    assert picture(View(0, 100), 50, 8, trace("a", same), trace("b", same), trace("c", same)) == [
        "    10                                        ⣀ox",
        "                                          ⢀ox⠊⠁",
        "                                      ⢀ox⠊⠁",
        "     5                            ⢀ox⠒⠉",
        "                             ⣀⣠ox⠋⠁",
        "                      ⢀ox⠤⠒ox",
        "     0 ox⣀⣀ox⠤⠤ox⠒⠒ox⠉⠁",
        "       0                   50            step 100",
    ]


def test_letters_that_meet_take_turns() -> None:
    places = (0, 25, 50, 75, 100)
    rising, falling = trace("a", [(at, at) for at in places]), [(float(at), float(100 - at)) for at in places]
    assert picture(View(0, 100), 50, 8, rising, trace("b", falling), trace("c", falling), look=ASCII) == [
        "   100 x                                   ******",
        "                 o                  *******",
        "                               *****",
        "    50                 *****x**",
        "               ********               o",
        "          *****",
        "     0 ***                                      x",
        "       0                   50            step 100",
    ]


def test_a_single_peak_among_thousands_is_there() -> None:
    peak = trace("x", [(float(at), 9.0 if at == 777 else 1.0) for at in range(3000)])
    assert picture(View(0, 3000), 60, 6, peak) == [
        "                    ⡇",
        "                    ⡇",
        "   5.0              ⡇",
        "                    ⡇",
        "   0.0 " + "⠒" * 13 + "⠓" + "⠒" * 38,
        "       0              1000             2000       step 3000",
    ]
    trough = trace("x", [(float(at), 0.0 if at == 777 else 8.0) for at in range(3000)])
    assert picture(View(0, 3000), 60, 6, trough)[:5] == [
        "       " + "⠉" * 13 + "⡏" + "⠉" * 38,
        "   5.0              ⡇",
        "                    ⡇",
        "                    ⡇",
        "   0.0              ⡇",
    ]


def test_a_line_goes_through_a_view_that_lies_between_two_points() -> None:
    assert picture(View(400, 600), 60, 5, trace("x", [(0, 1), (1000, 2)])) == [
        "   1.6                                        ⢀⣀⣀⣀⠤⠤⠤⠔⠒⠒⠒⠉⠉",
        "                                 ⣀⣀⣀⡠⠤⠤⠤⠒⠒⠒⠊⠉⠉⠁",
        "                   ⢀⣀⣀⡠⠤⠤⠤⠒⠒⠒⠊⠉⠉⠉",
        "   1.4 ⣀⣀⠤⠤⠤⠔⠒⠒⠒⠉⠉⠉⠁",
        "       400        450          500          550    step 600",
    ]


def test_values_below_zero_over_time() -> None:
    assert picture(View(0, 600, time=True), 60, 6, trace("x", [(0, -3), (300, -1), (600, -2)])) == [
        "   0.0",
        "                              ⣀⣀⠤⠤⠤⣀⣀⣀⡀",
        "                      ⣀⣀⠤⠤⠒⠒⠉⠉        ⠈⠉⠉⠉⠑⠒⠒⠒⠤⠤⠤⢄⣀⣀⣀⡀",
        "  -2.0        ⣀⣀⠤⠤⠒⠒⠉⠉                               ⠈⠉⠉⠉⠒⠒",
        "       ⣀⠤⠤⠒⠒⠉⠉",
        "       0                        5m                      10m",
    ]


def test_the_greatest_and_the_smallest_numbers() -> None:
    assert picture(View(0, 1), 40, 5, trace("x", [(0, -1e-12), (1, 1e300)]))[:4] == [
        " 1e300                         ⢀⣀⡠⠤⠔⠒⠊⠉",
        "                       ⣀⣀⠤⠤⠒⠒⠊⠉⠁",
        "              ⢀⣀⡠⠤⠤⠒⠒⠉⠉",
        "     0 ⣀⡠⠤⠔⠒⠊⠉⠁",
    ]
    whole = picture(View(0, 1), 60, 5, trace("x", [(0, -1.7e308), (1, 1.7e308)]))
    assert whole[0].startswith(" 1.7e308 ")
    assert whole[3].startswith("-1.7e308 ")


def test_in_twenty_cells_and_three_lines() -> None:
    assert picture(View(0, 1000), 20, 3, trace("x", [(0, 1), (1000, 2)])) == [
        "   2.0       ⣀⡠⠤⠔⠒⠉",
        "   1.0 ⣀⠤⠔⠒⠊⠉",
        "       0  step 1000",
    ]


@pytest.mark.parametrize(
    ("points", "view", "words"),
    [
        ([], View(0, 10), "No values yet."),
        ([(0, NAN), (5, INF)], View(0, 10), "No finite value."),
        ([(0, -1), (5, 0)], View(0, 10, log=True), "No value above 0 for a log scale."),
        ([(50, 1)], View(0, 10), "No values in this part."),
        ([(50, 1)], View(0, 10, log=True), "No values in this part."),
    ],
)
def test_where_nothing_can_be_drawn_a_sentence_says_why(points: Points, view: View, words: str) -> None:
    drawn = picture(view, 60, 7, trace("x", points))
    assert drawn[2].strip() == words
    assert drawn[6].split() == ["0", "5", "step", "10"]


def test_a_gap_ends_the_view_as_it_ends_the_line() -> None:
    """No line comes in out of a gap."""
    cut = trace("x", [(0, 1), (100, 2)], [(10, 90)])
    assert picture(View(20, 80), 60, 5, cut)[1].strip() == "No values in this part."


def test_letters_are_only_where_points_are() -> None:
    ends: Points = [(0, 1), (1000, 2)]
    assert not any("o" in line for line in picture(View(400, 600), 60, 5, trace("x", ends), trace("y", ends))[:4])


def test_a_gap_in_a_view_that_a_line_comes_into() -> None:
    cut = trace("x", [(0, 1), (30, 1), (40, 1), (60, 1), (100, 1)], [(40, 60)])
    assert picture(View(20, 80), 66, 4, cut)[1] == "     1 " + "⠤" * 19 + "⠄" + " " * 18 + "⠠" + "⠤" * 19


def test_smoothing_is_of_the_points_around() -> None:
    shaking = trace("x", [(float(at), float(at % 2)) for at in range(40)])
    assert picture(View(0, 39, smooth=4), 60, 6, shaking)[:5] == [
        "   1.0                                                    ⡜",
        "                                                         ⡰⠁",
        "        ⢀⠔" + "⠒" * 46 + "⠊",
        "       ⢀⠎",
        "   0.0 ⡜",
    ]


def test_a_smoothed_curve_ends_where_it_was_measured() -> None:
    falling = [2.5 / (1 + at) for at in range(11)]
    found = smoothed(falling, set(), 10)
    assert (found[0], found[-1]) == (falling[0], falling[-1])
    assert found[-2] == pytest.approx(sum(falling[-3:]) / 3)


def test_long_labels_make_room_and_too_long_ones_are_not_cut() -> None:
    close = [trace("x", [(0, 1000.001), (10, 1000.0025)])]
    view = View(0, 10)
    assert inset(close, view, 60, 6) == 9
    assert picture(view, 60, 6, *close)[1].startswith("1000.002 ")
    assert inset(close, view, 24, 6) == LEFT
    assert all(line[:LEFT].strip() == "" for line in picture(view, 24, 6, *close)[:5])


def test_curves_differ_in_colour_too_and_marks_are_loud() -> None:
    look = Look(DARK, Glyphs(unicode=True))
    flat = [trace(str(level), [(0, level), (10, level)]) for level in range(5)]
    drawn = plot([*flat, trace("bad", [(5, NAN)])], View(0, 10, cursor=5), 40, 12, look)
    styles = {text.strip(): style for line in drawn for text, style in line if text.strip()}
    expected = {"o": Role.ATTENTION, "x": Role.THIRD, "+": Role.GOOD, "#": Role.ACTIVE, "╎": Role.ACCENT}
    assert {sign: styles[sign] for sign in expected} == {sign: look.style(role) for sign, role in expected.items()}
    assert styles["!"] == look.style(Role.BAD, bold=True)
    assert styles["step 10" if "step 10" in styles else next(text for text in styles if "step" in text)] == look.style(
        Role.MUTED
    )


@pytest.mark.parametrize(("look", "words"), [(UNICODE, "loss line   val_loss o"), (ASCII, "loss *   val_loss o")])
def test_the_legend(look: Look, words: str) -> None:
    assert "".join(text for text, _ in legend([LOSS, VAL_LOSS], look)) == words
    assert legend([], look) == []


BUSY = [0, 20, 50, 100, 100, None, None, 80, 80, 80, 60, 0]
PEAKS = [0, 90, 50, 100, 100, None, None, 90, 100, 80, 95, 30]


@pytest.mark.parametrize(
    ("look", "drawn"),
    [
        (
            UNICODE,
            [
                "  100%   ⠒⠒  ⣿⣿⣿⣿    ⣶⣶⣭⣭⣤⣤╎⠒",
                "           ⣤⣤⣿⣿⣿⣿    ⣿⣿⣿⣿⣿⣿╎⣶",
                "     0 ⣀⣀⣤⣤⣿⣿⣿⣿⣿⣿    ⣿⣿⣿⣿⣿⣿╎⣿⣉⣉",
            ],
        ),
        (
            ASCII,
            [
                "  100%   ''  ####    ......|'",
                "           ..####    ######|:",
                "     0 ..::######    ######|#..",
            ],
        ),
    ],
    ids=["unicode", "ascii"],
)
def test_a_filled_history_with_its_gap_its_peaks_and_the_crosshair(look: Look, drawn: list[str]) -> None:
    lines = area(BUSY, PEAKS, 100, 32, 3, look, cursor=20)
    assert ["".join(text for text, _ in line).rstrip() for line in lines] == drawn


def test_the_crosshair_stands_in_one_column_of_curve_and_history() -> None:
    """Both are on one axis."""
    view = View(0, 100, cursor=62)
    at = cursor_column(view, 60)
    curve = picture(view, 60, 5, trace("x", [(0, 0), (100, 0.001)]))
    history = ["".join(text for text, _ in line) for line in area([50.0] * 10, (), 100, 60, 2, UNICODE, cursor=at)]
    assert at is not None
    assert {line.index("╎") for line in [*curve, *history] if "╎" in line} == {LEFT + at}


def test_a_single_peak_of_a_long_history_is_there() -> None:
    peaks = [100.0 if at == 777 else 1.0 for at in range(2000)]
    lines = area([1.0] * 2000, peaks, 100, 28, 3, UNICODE)
    assert ["".join(text for text, _ in line).rstrip() for line in lines] == [
        "  100%        ⠈",
        "",
        "     0 " + "⣀" * 20,
    ]
