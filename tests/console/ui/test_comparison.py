"""Runs beside each other, as lines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest

from console.model.glyphs import Glyphs
from console.model.metric import Figures
from console.text import clean
from console.ui import comparison
from console.ui.canvas import Line, plain
from console.ui.comparelayout import ALL, PLOT, ROWS, shape
from console.ui.comparison import beside
from console.ui.look import Look
from console.ui.palette import choose
from console.ui.runplots import Wish
from console.ui.runview import RunView
from tests.console.ui import trainingworlds
from tests.console.ui.compareworlds import earlier, falling, past, recalled, several, view

LOOK = Look(choose("dark", {}), Glyphs(unicode=True))
ASCII = Look(choose("dark", {}), Glyphs(unicode=False))
WORLD = trainingworlds.world()
RUNNING = view(WORLD, "train#128")
BEFORE = view(WORLD, "train#127", falling())


def text(lines: Sequence[Line]) -> list[str]:
    return [line.rstrip() for line in plain(lines).split("\n")]


def drawn(views: Sequence[RunView], wish: Wish | None = None, look: Look = LOOK, size: tuple[int, int] = (80, 14)) -> list[str]:
    both, asked = beside(views), wish or Wish()
    made = comparison.plot_of(both, asked)
    return text(comparison.curves(both, asked, made, look, *size, focused=True))


def rows(views: Sequence[RunView], width: int = 80, height: int = 10) -> list[str]:
    return text(comparison.rows(beside(views), None, LOOK, width, height, focused=False))


def told(views: Sequence[RunView], width: int = 80) -> dict[str, list[str]]:
    """All in which they differ, by the name of the row."""
    both = beside(views)
    found = [line.split("\t") for line in comparison.text(both).split("\n")]
    assert len(comparison.everything(both, LOOK, width)) >= len(found) - 1
    return {name: values for name, *values in found}


# Names


def test_runs_of_one_project_are_their_numbers_and_others_have_their_names() -> None:
    assert beside([RUNNING, BEFORE]).labels == ["#128", "#127"]
    other = recalled(past(9, "project-b"))
    assert beside([RUNNING, other]).labels == ["project-a #128", "project-b #9"]
    same = recalled(past(127, key=clean("train#127@1f")))
    assert beside([BEFORE, same]).labels == ["#127", "train#127@1f"]
    twin = recalled(past(127, key=clean("nightly#127"), job=clean("nightly")))
    assert beside([BEFORE, twin]).labels == ["train#127", "nightly#127"], "their numbers alone do not tell them apart"


def test_line_1_names_them() -> None:
    heads = [
        plain([comparison.heading(beside(views), LOOK)]) for views in ([RUNNING, BEFORE], [RUNNING, recalled(past(9, "b"))])
    ]
    assert heads == ["compare project-a #128, #127", "compare project-a #128, b #9"]
    assert plain([comparison.heading(beside([]), LOOK)]) == "compare"


# The curves


def test_the_first_has_the_line_and_the_others_letters() -> None:
    lines = drawn([RUNNING, BEFORE])
    assert lines[0].startswith(" 1 loss   #128 line   #127 o")
    assert lines[0].endswith("+2 more  step  t time")
    assert lines[-1].endswith("step 6000"), "as far as the longest of them came"
    assert sum("o" in line for line in lines[1:-1]) > 2
    assert drawn([BEFORE, RUNNING])[0].startswith(" 1 loss   #127 line   #128 o")
    five = drawn(several(5))
    assert five[0].startswith(" 1 loss   #100 line   #101 o   #102 x   #103 +   #104 #")
    assert all(letter in "".join(five[1:-1]) for letter in "ox+#")


def test_without_unicode_it_is_letters_all_the_same() -> None:
    lines = drawn([RUNNING, BEFORE], look=ASCII)
    assert lines[0].startswith(" 1 loss   #128 *   #127 o")
    assert all(line.isascii() for line in lines)


def test_metrics_that_most_have_come_first_and_the_key_goes_through_all() -> None:
    both = beside([RUNNING, BEFORE])
    assert both.names == ["loss", "val_loss", "val_acc"]
    late = beside([recalled(past(1), falling("own")), RUNNING, BEFORE])
    assert late.names == ["loss", "own", "val_loss", "val_acc"]
    assert drawn([RUNNING, BEFORE], Wish(group=1))[0].startswith(" 1 val_loss   #128 line   #127 n/a")
    assert drawn([BEFORE, RUNNING], Wish(group=1))[0].startswith(" 1 val_loss   #127 n/a   #128 o"), "signs stay"
    assert drawn([RUNNING, BEFORE], Wish(group=3))[0].startswith(" 1 loss")


def test_over_time_each_begins_where_its_run_began() -> None:
    long_ago = recalled(past(100), falling())
    made = comparison.plot_of(beside([RUNNING, long_ago]), Wish(time=True))
    assert made is not None
    shift = (trainingworlds.BEGAN - long_ago.began).total_seconds()  # type: ignore[operator]
    moved = replace(long_ago, figures=earlier(falling(), shift))
    made = comparison.plot_of(beside([RUNNING, moved]), Wish(time=True))
    assert made is not None
    first, second = (one.points for one in made.traces)
    assert 0 < second[0][0] < 60
    assert first[0][0] == pytest.approx(3.2, abs=1)
    assert made.view.time
    assert made.whole[1] >= 16 * 60 + 4, "one that goes on goes up to now"


def test_what_counts_nothing_alike_stands_over_time() -> None:
    epochs = _without_steps(falling())
    made = comparison.plot_of(beside([RUNNING, recalled(past(1), epochs)]), Wish())
    assert made is not None
    assert made.view.time
    alike = comparison.plot_of(beside([recalled(past(1), epochs), recalled(past(2), epochs)]), Wish())
    assert alike is not None
    assert (alike.view.time, alike.view.word) == (False, "epoch")


def _without_steps(known: Figures) -> Figures:
    curves = []
    for one in known.curves:
        spots = [replace(spot, step=None, epoch=float(number + 1)) for number, spot in enumerate(one.spots)]
        curves.append(replace(one, spots=spots, last=spots[-1]))
    return replace(known, curves=tuple(curves), step=None)


def test_the_crosshair_tells_no_value_of_one_that_came_less_far() -> None:
    lines = drawn([RUNNING, BEFORE], Wish(cursor=1000.0))
    assert lines[0].startswith(" 1 loss   step 1,000   #128 0.")
    assert "#127 1." in lines[0]
    far = drawn([RUNNING, BEFORE], Wish(cursor=5900.0))
    assert "#128 n/a   #127 0.3" in far[0]
    assert any("╎" in line for line in far)


def test_nothing_measured_is_said() -> None:
    assert drawn([view(trainingworlds.world(known=[]), "train#128"), view(WORLD, "train#127")]) == [
        " 1 Metrics",
        " Nothing was measured yet.",
    ]


def test_values_that_are_no_numbers_are_marked() -> None:
    broken = falling()
    bad = replace(broken.curves[0], last=replace(broken.curves[0].last, value=math.nan, step=6100))
    lines = drawn([recalled(past(1), replace(broken, curves=(bad,))), BEFORE])
    assert any("!" in line for line in lines[1:])


# What is to be said


@pytest.mark.parametrize(
    ("views", "words"),
    [
        ([RUNNING, BEFORE], ""),
        ([view(trainingworlds.world(known=[]), "train#128"), BEFORE], "#128 has measured nothing yet."),
        ([RUNNING, view(WORLD, "train#127")], "Nothing is kept of what #127 measured."),
        ([RUNNING, recalled(past(7)), recalled(past(8))], "Nothing is known of what #7 and #8 measured."),
        (
            [RUNNING, recalled(past(7)), recalled(past(8)), recalled(past(9))],
            "Nothing is known of what #7, #8 and #9 measured.",
        ),
        ([recalled(past(7)), view(WORLD, "train#127")], "None of them has measured anything."),
        ([BEFORE, recalled(past(7), falling("nll"))], "They have no metric in common: m goes through those of each."),
    ],
)
def test_what_there_is_not_is_said(views: Sequence[RunView], words: str) -> None:
    assert comparison.sentence(beside(views), LOOK) == words


# The rows


def test_a_row_for_each_with_what_differs_and_what_came_of_it() -> None:
    lines = rows([RUNNING, BEFORE, recalled(past(112), falling())])
    assert lines[0].split() == ["2", "Runs", "state", "lr", "took", "memory", "best", "gpu"]
    assert lines[1].split() == ["#128", "line", "▸", "training", "1e-4", "17m", "9/16G", "acc", ".914", "0", "60G"]
    assert lines[2].split()[:7] == ["#127", "o", "✓", "published", "3e-4", "38m", "loss"]
    assert lines[3].split()[:5] == ["#112", "x", "✓", "published", "0.0112"]
    assert "10/16G" in lines[3]


def test_parameters_that_are_alike_stand_nowhere() -> None:
    assert "epochs" not in rows([RUNNING, BEFORE])[0]
    assert beside([RUNNING, RUNNING]).parameters == {}


def test_one_that_lacks_a_parameter_says_so_and_of_an_unknown_one_nothing_is_claimed() -> None:
    without = recalled(past(100, parameters={clean("OVERRIDES"): clean("lr=0.0101\nepochs=30", lines=True)}), falling())
    extra = recalled(past(101, parameters={clean("OVERRIDES"): clean("lr=0.0101\nepochs=30\nmix=0.2", lines=True)}), falling())
    silent = recalled(past(102, parameters={}), falling())
    assert beside([without, extra, silent]).parameters == {"mix": (None, "0.2", "n/a")}
    lines = rows([without, extra, silent])
    assert lines[1].split()[4] == "unset"
    assert beside([without, silent]).parameters == {}


def test_parameters_without_a_column_are_counted_and_all_of_them_are_told() -> None:
    def many(number: int) -> RunView:
        given = "\n".join(f"setting_{one}={number * one}" for one in range(1, 9))
        return recalled(past(number, parameters={clean("OVERRIDES"): clean(given, lines=True)}), falling())

    views = [many(1), many(2)]
    lines = rows(views)
    assert lines[0].split()[-4:] == ["took", "memory", "best", "gpu"], "what came of it keeps its place"
    assert lines[-1] == " 6 more parameters differ: i shows all"
    assert told(views)["setting_8"] == ["8", "16"]
    assert "more" not in rows(views, 200)[-1]


@pytest.mark.parametrize("width", [30, 40, 60, 80, 120, 200])
@pytest.mark.parametrize("count", [2, 5, 8])
def test_no_line_is_too_long(width: int, count: int) -> None:
    views = several(count)
    for line in (
        *rows(views, width),
        *drawn(views, size=(width, 12)),
        *text(comparison.everything(beside(views), LOOK, width)),
    ):
        assert len(line) <= width, line


# All of it


def test_each_metric_has_its_best_and_its_last() -> None:
    found = told([RUNNING, BEFORE])
    assert found["loss best"][1] == "0.305 @6,000"
    assert found["loss last"][1] == "0.305"
    assert found["val_acc best"] == ["0.914 @12", "n/a"]
    assert found["took"] == ["17m", "38m"]
    assert found["state"] == ["training", "published"]


def test_runs_without_a_column_are_counted() -> None:
    lines = text(comparison.everything(beside(several(8)), LOOK, 60))
    assert lines[-1] == " 4 more have no room."
    assert "#103" in lines[0]
    assert "#104" not in lines[0]


# Where it all stands


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 50), (60, 18), (40, 10), (30, 6), (30, 7)])
@pytest.mark.parametrize("runs", [2, 5, 8])
@pytest.mark.parametrize("plots", [True, False])
def test_panes_stand_below_each_other(size: tuple[int, int], runs: int, plots: bool) -> None:
    width, height = size
    found = shape(width, height, 1, 1 + runs, plots=plots, zoom=None)
    at = 1
    for one in (PLOT, ROWS, ALL):
        region = found.region(one)
        if region is not None:
            assert region.y >= at
            at = region.bottom
    assert at <= height - 1
    assert found.rows is not None


def test_a_tall_screen_has_all_of_it_and_a_low_one_no_plot() -> None:
    tall = shape(120, 36, 3, 3, plots=True, zoom=None)
    assert tall.all is not None
    assert tall.plot is not None
    low = shape(80, 13, 1, 3, plots=True, zoom=None)
    assert low.plot is None
    assert low.all is not None
    usual = shape(80, 24, 1, 3, plots=True, zoom=None)
    assert usual.all is None
    assert usual.plot is not None
    assert usual.plot.height == 24 - 1 - 3 - 1
    assert shape(80, 24, 1, 3, plots=True, zoom=ALL).all is not None
