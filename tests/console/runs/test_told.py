"""What the figures of trainings make of their rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from console.model.container import Container, ContainerState
from console.model.join import rest
from console.model.metric import Curve, Figures, Finding, Spot
from console.model.state import StateClass
from console.runs.told import told_rows
from console.text import clean
from tests.console.fake_jenkins import NOW
from tests.console.runs.test_join import training

LOSS = Spot(NOW, 300, 3.0, 0.409)
HALF = Figures(
    done=0.48,
    epoch=15,
    epochs=30,
    curves=(Curve(clean("loss"), -1, LOSS, LOSS, (LOSS,)),),
    finish=NOW + timedelta(minutes=18),
    last=NOW,
)


def told(one: Container, known: Figures) -> tuple[str, StateClass, str, list[str]]:
    rows, _ = rest([one], (), NOW)
    (row,), problems = told_rows(rows, {one.id: known}, NOW)
    return str(row.state.word), row.state.kind, str(row.why), [str(each.sentence) for each in problems]


def finding(sign: str, words: str) -> Finding:
    return Finding(clean(sign), clean(words), NOW)


def test_a_row_says_how_far_it_is_and_when_it_will_be_done() -> None:
    assert told(training(), HALF) == ("training", StateClass.ACTIVE, "48% 15/30  loss 0.409  18m left", [])


def test_the_worst_of_what_is_wrong_is_said() -> None:
    known = replace(
        HALF, findings=(finding("stalled", "No progress for 11m."), finding("not finite", "loss is nan since step 812."))
    )
    word, kind, why, problems = told(training(), known)
    assert (word, kind, why) == ("NaN", StateClass.BROKEN, "loss is nan since step 812.")
    assert problems == ["project-a #12 NaN: loss is nan since step 812."]


def test_a_plateau_is_no_trouble() -> None:
    known = replace(HALF, findings=(finding("plateau", "loss got no better."),))
    assert told(training(), known)[0] == "training"


def test_what_has_ended_or_is_broken_keeps_its_own_words() -> None:
    stalled = replace(HALF, findings=(finding("stalled", "No progress for 11m."),))
    assert told(training(state=ContainerState.EXITED, exit_code=1), stalled)[0] == "exited 1"
    assert told(training(state=ContainerState.PAUSED), stalled)[0] == "paused"


def test_the_worst_row_stands_first() -> None:
    good, bad = training(1), training(2)
    rows, _ = rest([good, bad], (), NOW)
    stalled = replace(HALF, findings=(finding("stalled", "No progress for 11m."),))
    found, _ = told_rows(rows, {good.id: HALF, bad.id: stalled}, NOW)
    assert [one.container.name for one in found] == [bad.name, good.name]


def test_nothing_is_said_where_nothing_is_known() -> None:
    rows, _ = rest([training()], (), NOW)
    assert told_rows(rows, {}, NOW) == (rows, ())


def test_no_metric_that_should_rise_is_a_loss() -> None:
    score = replace(HALF.curves[0], name=clean("val_acc"), better=1)
    plain = replace(score, name=clean("gnorm"), better=0)
    for known in (Figures(curves=(score,)), Figures(curves=(plain, score)), Figures()):
        assert known.loss is None
        assert known.lead == (known.curves[0] if known.curves else None), "something is shown first all the same"
    assert Figures(curves=(score, *HALF.curves)).lead == HALF.curves[0]
    assert told(training(), replace(HALF, curves=(score,)))[2] == "48% 15/30  val_acc 0.409  18m left"
