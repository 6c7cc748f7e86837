"""What becomes of the runs that a person follows, out of worlds that come one after the other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.model.build import BuildRef
from console.model.metric import Figures
from console.model.run import Phase, Run
from console.model.source import SourceState
from console.model.state import State, StateClass
from console.model.world import World
from console.text import clean
from console.ui.notify import Followed, Heard, Notice, following, look
from tests.console.fake_jenkins import build, item
from tests.console.fakes import container
from tests.console.ui.followworlds import ASKS, FAILED, TRAINS, died, ended, ill, local, run, why, world

ONE = container("mlops-project-a-128")


def followed(*runs: Run, at: World | None = None) -> Followed:
    now = at or world(*runs)
    return {one.key: following(one, now) for one in runs}


def heard(known: Followed, *worlds: World) -> list[Notice]:
    """Everything that is told while these worlds come."""
    told: list[Notice] = []
    for one in worlds:
        known, now = look(known, one)
        told += now
    return told


def words(told: list[Notice]) -> list[tuple[StateClass, str]]:
    return [(one.kind, str(one.words)) for one in told]


def test_nothing_is_told_while_nothing_happens() -> None:
    going = world(run())
    assert heard(followed(run()), going, going) == []


def test_the_end_is_told_once_and_only_of_whom_is_followed() -> None:
    before = followed(run())
    after = world(ended(), ended(129))
    (told,) = heard(before, world(run(), run(129)), after, after)
    assert told == Notice(StateClass.GOOD, clean("project-a #128 published: best val_acc 0.949"), BuildRef(clean("train"), 128))
    assert look(before, after)[0] == {}, "it is followed no more"


def test_a_failure_is_told_with_what_was_found_out() -> None:
    failed = ended(state=FAILED, why="script returned exit code 1")
    assert words(heard(followed(run()), world(failed))) == [
        (StateClass.BROKEN, "project-a #128 failed: script returned exit code 1")
    ]
    known = world(failed, whys={failed.key: why("Out of memory: the container reached 16 GiB.")})
    assert words(heard(followed(run()), known)) == [
        (StateClass.BROKEN, "project-a #128 failed: Out of memory: the container reached 16 GiB.")
    ]


@pytest.mark.parametrize(
    ("sign", "kind", "word"),
    [
        ("stalled", StateClass.ATTENTION, "stalled"),
        ("not finite", StateClass.BROKEN, "NaN"),
        ("diverging", StateClass.ATTENTION, "diverging"),
    ],
)
def test_trouble_is_told_when_it_begins(sign: str, kind: StateClass, word: str) -> None:
    one = run(containers=(ONE,))
    well, bad = world(one), world(one, figures={ONE.id: ill(sign, "It says so.")})
    assert words(heard(followed(one), well, bad, bad)) == [(kind, f"project-a #128 {word}: It says so.")]
    assert len(heard(followed(one), bad, well, bad)) == 2, "a second time is another time"


def test_a_plateau_wakes_nobody() -> None:
    one = run(containers=(ONE,))
    assert heard(followed(one), world(one, figures={ONE.id: ill("plateau", "It got no better.")})) == []
    assert heard(followed(one), world(one, figures={ONE.id: Figures()})) == []


def test_what_was_wrong_when_it_was_begun_to_follow_is_known() -> None:
    one = run(containers=(ONE,))
    bad = world(one, figures={ONE.id: ill("stalled", "No progress for 11m.")})
    assert heard(followed(one, at=bad), bad) == []
    worse = world(one, figures={ONE.id: ill("not finite", "loss is nan.")})
    assert words(heard(followed(one, at=bad), worse)) == [(StateClass.BROKEN, "project-a #128 NaN: loss is nan.")]


def test_a_question_wants_an_answer() -> None:
    asks = run(state=ASKS, phase=Phase.WAITING, why="Publish this model?")
    assert words(heard(followed(run()), world(asks))) == [
        (StateClass.ATTENTION, "project-a #128 approval: Publish this model?")
    ]


def test_waiting_is_no_trouble() -> None:
    waits = run(state=State(StateClass.WAITING, clean("no GPU")), phase=Phase.WAITING, why="after train #127")
    assert heard(followed(run()), world(waits)) == []


def test_an_item_of_the_queue_is_followed_on_as_the_build_that_it_became() -> None:
    queued = Run(clean("queue/12"), clean("project-a"), clean("7fa0"), Phase.QUEUED, TRAINS, clean(""), item=item(12))
    began = replace(run(), build=replace(build(), queue_id=12))
    left, told = look(followed(queued), world(began))
    assert (set(left), told) == ({began.key}, ())
    assert words(heard(left, world(replace(ended(), build=began.build)))) == [
        (StateClass.GOOD, "project-a #128 published: best val_acc 0.949")
    ]


def test_a_build_that_nobody_has_seen_yet_is_waited_for() -> None:
    started: Followed = {clean("train#128"): Heard(clean("project-a"))}
    assert heard(started, world(), world(run())) == []
    assert words(heard(started, world(), world(ended()))) == [(StateClass.GOOD, "project-a #128 published: best val_acc 0.949")]


def test_a_run_that_is_out_of_sight_is_told_of_when_it_comes_back() -> None:
    """While Jenkins is away there may be nothing of it."""
    assert len(heard(followed(run()), world(), world(), world(ended()))) == 1


def test_a_run_by_hand_leaves_only_an_event() -> None:
    going = local(ONE)
    for code, kind, told in (
        (0, StateClass.GOOD, "line local #1 done"),
        (137, StateClass.BROKEN, "line local #1 ended with exit 137"),
    ):
        gone = world(events=(died(ONE, code),))
        assert words(heard(followed(going), world(going), gone, gone)) == [(kind, told)]


def test_a_container_that_is_only_out_of_sight_has_not_ended() -> None:
    going = local(ONE)
    assert heard(followed(going), world()) == []
    away = world()
    docker = replace(away.sources["docker"], state=SourceState.UNREACHABLE)
    away = replace(away, events=(died(ONE, 0),), sources={**away.sources, "docker": docker})
    assert heard(followed(going), away) == []
    assert heard({clean("local#1"): Heard(clean("line"))}, world(events=(died(ONE, 0),))) == []


def test_words_of_others_have_passed_the_gate() -> None:
    hostile = replace(ended(), project=clean("a\x1b]52;c;eA==\x07b"), why=clean("\x1b[2J\u202eevil"))
    (told,) = heard(followed(run()), world(hostile))
    assert told.words.isprintable()
