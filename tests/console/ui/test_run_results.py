"""What came of a run in its row: how good it is, against the run before it, and where its model went."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from console.model import run_words
from console.model.build import Result
from console.model.history import PastRun, Published
from console.model.metric import Figures
from console.model.run import Run
from console.model.words import commit_id
from console.model.world import World
from console.runs.recalled import as_run
from console.text import clean
from console.ui import runpane
from console.ui.runpane import RunView
from console.ui.runresult import Known, result
from tests.console.fakes import NOW
from tests.console.ui import compareroom, trainingworlds
from tests.console.ui.compareworlds import ManyRemembered, past
from tests.console.ui.pressing import line_with
from tests.console.ui.test_run_pane import LOOK
from tests.console.ui.trainingworlds import curve

WORLD = trainingworlds.world()


def scored(value: float, name: str = "val_acc", better: int = 1) -> Figures:
    return Figures(curves=(curve(name, [value], 100, better=better),))


def known(**figures: Figures) -> Known:
    """Runs of project-a by their numbers, of which #104 failed."""
    told = {name.removeprefix("n"): one for name, one in figures.items()}
    every = [replace(past(int(number)), published=published(int(number))) for number in told]
    pasts = [replace(one, reason=clean("loss is NaN"), published=None) if one.number == 104 else one for one in every]
    return Known(
        [as_run(one) for one in pasts],
        {one.key: one for one in pasts},
        {clean(f"train#{number}"): one for number, one in told.items()},
    )


def published(number: int) -> Published:
    return Published(clean("acme/project-a"), clean("9f"), clean(f"build-{number}"), clean("https://hub.example.org/a"))


def run(of: Known, number: int) -> Run:
    return next(one for one in of.runs if one.key == f"train#{number}")


def told(of: Known, number: int, world: World | None = None) -> str:
    return result(run(of, number), of, world)


@pytest.mark.parametrize(
    ("now", "then", "words"),
    [
        (scored(0.978), scored(0.974), "+.004"),
        (scored(0.871), scored(0.873), "-.002"),
        (scored(2.41, "val_rmse", -1), scored(2.47, "val_rmse", -1), "-.060"),
        (scored(0.5), scored(0.5), "+.000"),
        (scored(0.50002), scored(0.5), "+.000"),
        (scored(0.49998), scored(0.5), "+.000"),
        (scored(61.25), scored(60.0), "+1.2"),
        (scored(1.25e-5), scored(1.05e-5), "+2.0e-06"),
        (scored(0.978), scored(0.9, "val_auc"), ""),
        (scored(0.978), Figures(), ""),
        (scored(0.978), None, ""),
        (Figures(), scored(0.9), ""),
    ],
)
def test_a_change_has_a_sign_and_no_zero(now: Figures, then: Figures | None, words: str) -> None:
    assert run_words.change(now, then) == words


def test_against_what_is_no_number_there_is_no_change() -> None:
    (one,) = scored(0.9).curves
    for best in (None, replace(one.last, value=math.inf), replace(one.last, value=math.nan)):
        odd = Figures(curves=(replace(one, best=best),))
        assert run_words.change(odd, scored(0.9)) == run_words.change(scored(0.9), odd) == ""


def test_how_good_it_is_against_the_last_that_went_well() -> None:
    of = known(n112=scored(0.974), n125=scored(0.5), n127=scored(0.978))
    failed = [as_run(past(125, good=False)) if one.key == "train#125" else one for one in of.runs]
    assert told(replace(of, runs=failed), 127) == "acc .978 +.004  hub build-127"


def test_how_good_it_is_against_the_run_before_and_where_it_went() -> None:
    of = known(n112=scored(0.974), n125=scored(0.971), n127=scored(0.978))
    assert told(of, 127) == "acc .978 +.007  hub build-127", "the run before counts, not the best one"
    assert told(of, 112) == "acc .974  hub build-112", "before the first there is none"


def test_without_a_score_nothing_is_told() -> None:
    of = known(n112=Figures(), n127=scored(0.978))
    assert told(of, 112) == ""
    assert told(of, 127) == "acc .978  hub build-127", "nor a change against what nobody measured"


def test_of_what_failed_the_cause_stays() -> None:
    of = known(n99=scored(0.9))
    failed = replace(of, runs=[as_run(past(99, good=False))])
    assert told(failed, 99) == ""


def test_what_goes_on_has_no_result() -> None:
    going = next(one for one in WORLD.runs if one.key == "train#128")
    assert result(going, Known(WORLD.runs, {}, {going.key: scored(0.9)}), WORLD) == ""


def test_what_was_skipped_or_is_of_another_project_is_not_the_one_before() -> None:
    done = trainingworlds.world(trainingworlds.ended())
    runs = done.runs
    newest = next(one for one in runs if one.key == "train#128")
    older = next(one for one in runs if one.key == "train#127")
    figures = {clean("train#128"): scored(0.9), clean("train#127"): scored(0.8), clean("train#41"): scored(0.1)}
    bare = replace(done, figures={})
    assert result(newest, Known(runs, {}, figures), bare) == "acc .900 +.100"
    assert older.build is not None
    skipped = replace(older, build=replace(older.build, result=Result.NOT_BUILT))
    rest = [skipped if one is older else one for one in runs]
    assert result(newest, Known(rest, {}, figures), bare) == "acc .900"


@pytest.mark.parametrize(
    ("why", "tag"),
    [
        ("best val_acc 0.9 in epoch 3, 30 epochs in 4m, published to acme/project-a as build-128", "  hub build-128"),
        ("published as build-7", "  hub build-7"),
        ("best val_acc 0.9 in epoch 3, not published yet", ""),
    ],
)
def test_without_a_history_the_sentence_of_the_build_says_where_it_went(why: str, tag: str) -> None:
    one = replace(as_run(past(128)), why=clean(why))
    assert result(one, Known([one], {}, {one.key: scored(0.9)}), None) == f"acc .900{tag}"


def test_what_is_seen_counts_before_what_is_remembered() -> None:
    gone = trainingworlds.gone_container()
    seen = trainingworlds.world(trainingworlds.ended(), (gone,), known=[(gone, scored(0.95))])
    newest = next(one for one in seen.runs if one.key == "train#128")
    assert result(newest, Known(seen.runs, {}, {newest.key: scored(0.1)}), seen).startswith("acc .950")
    empty = replace(seen, figures={gone.id: Figures()})
    assert result(newest, Known(seen.runs, {}, {newest.key: scored(0.1)}), empty).startswith("acc .100")


def test_its_row_has_room_for_all_of_it() -> None:
    of = known(n112=scored(0.974), n127=scored(0.978))
    recalled = {str(one.key): of.figures[one.key] for one in of.runs}
    view = RunView(world=WORLD, rows=of.runs, selected=None, top=0, focused=False, total=2, known=of, recalled=recalled)
    rows = ["".join(part for part, _ in line) for line in runpane.lines(view, LOOK, 80, 5, NOW)]
    assert "✓ published acc .978 +.004  hub build-127 " in line_with(rows, "#127")


async def test_the_list_tells_it_of_what_the_history_has() -> None:
    figures = {"train#112": scored(0.974), "train#104": scored(0.97), "train#127": scored(0.978)}
    remembered = ManyRemembered(replace(past(112), published=published(112)), past(104, days=9), past(127), figures=figures)
    async with compareroom.main(size=(120, 36), remembered=remembered) as one:
        await one.sees("acc .974 +.004  hub build-112")
        await one.sees("acc .978 +.004")
        assert "acc .970 " in line_with(one.lines, "#104")


@pytest.mark.parametrize(
    ("commit", "short", "wide"),
    [("7fa01469cc8e4d0b6c1f", "7fa0146", "7fa01469cc8e"), ("7fa0", "7fa0", "7fa0"), ("", "", ""), (None, "", "")],
)
def test_a_commit_has_7_figures_or_12(commit: str | None, short: str, wide: str) -> None:
    assert (commit_id(commit), commit_id(commit, wide=True)) == (short, wide)


def test_a_past_run_is_one_of_them() -> None:
    one = PastRun(clean("train#5"))
    assert result(as_run(one), Known(), None) == ""
