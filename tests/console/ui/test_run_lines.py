"""What stands over the panes of a run, and what is said of one that does not train."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from console.model.build import BuildRef, Result
from console.model.container import ContainerState
from console.model.glyphs import Glyphs
from console.model.history import PastRun, Saved
from console.model.run import Phase
from console.model.state import StateClass, state
from console.model.why import Cause, Why
from console.model.world import World
from console.text import clean
from console.ui import runlines, runmatters
from console.ui.canvas import Line, plain
from console.ui.frame import Header, System, header
from console.ui.look import Look
from console.ui.palette import Role, choose
from console.ui.runview import Recalled, RunView, figures_of, find, with_older
from tests.console import fake_jenkins
from tests.console.fakes import NOW
from tests.console.ui import gpuworlds, trainingworlds

LOOK = Look(choose("dark", {}), Glyphs(unicode=True))
BEFORE = ("check", "image", "train", "publish")


def view_of(world: World, key: str, *, past: Recalled | None = None) -> RunView:
    run = find(world, key)
    assert run is not None, [str(one.key) for one in world.runs]
    found = past or Recalled()
    return with_older(RunView(run, world, figures_of(world, run) or found.figures, NOW, past=found))


def text(lines: Sequence[Line]) -> list[str]:
    return plain(lines).split("\n")


def one(line: Line | None) -> str:
    return plain([line]) if line is not None else ""


TRAINS = view_of(trainingworlds.world(), "train#128")
FAILED = view_of(trainingworlds.world(whys={"train#41": trainingworlds.MEMORY}), "train#41")
BY_HAND = view_of(trainingworlds.world(None, (trainingworlds.by_hand(),), known=[]), "local#3")
DONE = view_of(
    trainingworlds.world(trainingworlds.ended(), (gpuworlds.HELD,)),
    "train#128",
    past=Recalled(trainingworlds.REMEMBERED, trainingworlds.figures(), trainingworlds.figures()),
)


# Line 1


@pytest.mark.parametrize(
    ("view", "words"),
    [
        (TRAINS, "project-a #128   ▸ training  48%  18m left"),
        (FAILED, "project-b #41   ✗ failed  22m ago, after 43m"),
        (view_of(trainingworlds.world(trainingworlds.queued()), "queue/12"), "project-c 9be1   ◌ queued  for 3m"),
        (view_of(trainingworlds.world(trainingworlds.building(), ()), "train#128"), "project-a #128   ▸ building  for 17m"),
        (
            view_of(trainingworlds.world(None, (trainingworlds.by_hand(),), known=[]), "local#3"),
            "project-a local #3   ▸ training  for 16m",
        ),
        (replace(TRAINS, gone=True), "project-a #128   ? gone"),
        (replace(FAILED, gone=True), "project-b #41   ✗ failed  22m ago, after 43m"),
    ],
)
def test_line_1_says_what_it_is_and_how_far(view: RunView, words: str) -> None:
    assert one(runlines.heading(view, LOOK)) == words


def test_where_line_1_is_short_no_figure_of_it_is_cut() -> None:
    def head(width: int, view: RunView) -> str:
        crumbs = runlines.heading(view, LOOK)
        return one(header(Header("demo-01", crumbs, [System("disk", state(StateClass.ATTENTION, "91%"))], NOW), LOOK, width))

    assert head(60, FAILED).strip() == "demo-01 › project-b #41   ✗ failed  22m ago  ! disk 91%"
    long = replace(TRAINS, run=replace(TRAINS.run, project=clean("customer-churn-forecast-eu")))
    assert "custome⋯ast-eu #128   ▸ training  48%  18m left" in head(70, long)


def test_one_that_is_being_stopped_says_what_it_waits_for() -> None:
    stopping = replace(trainingworlds.TRAINING, stopping=frozenset({trainingworlds.RUN}))
    view = view_of(trainingworlds.world(stopping), "train#128")
    assert one(runlines.heading(view, LOOK)) == "project-a #128   ▸ stopping  saving checkpoint"


def test_one_that_is_stalled_says_for_how_long() -> None:
    stalled = trainingworlds.figures(findings=(trainingworlds.STALLED,), last=NOW - timedelta(minutes=11))
    view = view_of(trainingworlds.world(known=[(trainingworlds.TRAINER, stalled)]), "train#128")
    assert one(runlines.heading(view, LOOK)) == "project-a #128   ! stalled  48%  11m idle"
    assert one(runlines.trouble(view, LOOK, 80)).strip() == "! no step for 11m, usually one every 2s"


def test_what_outlived_its_build_trains_on_and_says_so() -> None:
    view = view_of(trainingworlds.world(trainingworlds.ended(Result.ABORTED, "")), "train#128")
    assert view.phase is Phase.TRAINING
    assert one(runlines.heading(view, LOOK)) == "project-a #128   ! orphan  48%  18m left"
    assert one(runlines.trouble(view, LOOK, 80)).strip() == "! Its build has ended (aborted), and it trains on."
    assert runmatters.about(view, LOOK, 80) is None, "its curves matter"


def test_a_cause_that_was_found_is_told_while_it_trains() -> None:
    why = Why(Cause.UNKNOWN, clean("The loss has not fallen for 3 epochs."), clean("plateau"))
    view = view_of(trainingworlds.world(whys={"train#128": why}), "train#128")
    assert one(runlines.trouble(view, LOOK, 80)).strip() == "! The loss has not fallen for 3 epochs."
    assert runlines.trouble(FAILED, LOOK, 80) is None, "of one that ended the pane tells it"
    assert runlines.trouble(TRAINS, LOOK, 80) is None


# Stages


def test_stages_with_their_times_and_what_is_still_to_come() -> None:
    found = one(runlines.strip(TRAINS, BEFORE, LOOK, 80))
    assert found == " ✓ check 2s   ✓ image 1m12s   ▸ train 16m   ◌ publish        7fa0146 by webhook"
    other = one(runlines.strip(TRAINS, ("lint", "train", "publish"), LOOK, 80))
    assert "publish" not in other, "one that went another way tells nothing of this one"


def test_stages_of_one_that_failed() -> None:
    found = one(runlines.strip(FAILED, BEFORE, LOOK, 80))
    assert found.startswith(" ✓ check 2s   ✓ image 2m40s   ✗ train 39m   ✓ finish 12s   - publish")


def test_where_there_is_little_room_what_is_over_goes_first() -> None:
    assert one(runlines.strip(TRAINS, BEFORE, LOOK, 30)) == " ⋯ ▸ train 16m   ◌ publish"


@pytest.mark.parametrize(
    ("state", "code", "words"),
    [
        (ContainerState.RUNNING, None, "▸ train 16m"),
        (ContainerState.EXITED, 0, "✓ train"),
        (ContainerState.EXITED, 1, "✗ train"),
    ],
)
def test_a_run_by_hand_has_one_stage(state: ContainerState, code: int | None, words: str) -> None:
    view = view_of(trainingworlds.world(None, (trainingworlds.by_hand(state, code),)), "local#3")
    found = one(runlines.strip(view, (), LOOK, 80))
    assert found.strip().startswith(words)
    assert found.endswith(" by hand")


# Figures


def test_figures_say_what_is_best_and_where() -> None:
    found = one(runlines.figures(TRAINS, LOOK, 110))
    assert found == " loss 0.419   val_loss 0.452 best   val_acc 0.909 best .914 @12   lr 8.8e-05   img/s 412"


@pytest.mark.parametrize(
    ("unit", "words"),
    [
        ("img/s", "img/s 412"), ("img", "img/s 412"), (None, "steps/s 412"), ("samples_per_sec", "samples/s 412"),
        ("throughput", "speed 412/s"),
    ],
)  # fmt: skip
def test_how_fast_it_is(unit: str | None, words: str) -> None:
    told = trainingworlds.figures(unit=clean(unit) if unit is not None else None)
    view = view_of(trainingworlds.world(known=[(trainingworlds.TRAINER, told)]), "train#128")
    assert one(runlines.figures(view, LOOK, 120)).endswith(f"   {words}")


def test_a_fit_that_is_not_the_first_is_told() -> None:
    view = view_of(trainingworlds.world(known=[(trainingworlds.TRAINER, trainingworlds.figures(fit=2))]), "train#128")
    assert one(runlines.figures(view, LOOK, 40)).startswith(" fit 2   loss 0.419")


def test_figures_are_left_out_whole() -> None:
    assert one(runlines.figures(TRAINS, LOOK, 40)) == " loss 0.419   val_loss 0.452 best"
    assert runlines.figures(view_of(trainingworlds.world(known=[]), "train#128"), LOOK, 80) is None


def test_what_is_not_finite_stands_out() -> None:
    broken = trainingworlds.figures(curves=(trainingworlds.curve("loss", [2.0, 1.0, float("nan")], 10),), lr=None, rate=None)
    view = view_of(trainingworlds.world(known=[(trainingworlds.TRAINER, broken)]), "train#128")
    line = runlines.figures(view, LOOK, 80)
    assert one(line) == " loss nan"
    assert line is not None
    assert line[2] == LOOK.part("nan", Role.BAD, bold=True)


# What matters of one that does not train


def test_why_it_failed_with_what_it_rests_on() -> None:
    found = runmatters.about(FAILED, LOOK, 80)
    assert found is not None
    assert (found.title, found.note) == ("Why", "Out of memory: the container reached its 16 GiB limit and was killed.")
    assert text(found.lines) == [
        " docker   OOMKilled, exit 137 at 13:41:09; limit 16 GiB, swap off",
        " memory   8.2 GiB at epoch 1, +0.9 GiB per epoch: it grew, it was not a peak",
        " log      13:41:07 DataLoader worker (pid 213) is killed by signal: Killed  e",
        " not      the GPU: 31 of 80 GiB used; not the disk: 155 GB free",
        " changed  crop 224 -> 384 since #40",
        " try      R go on from epoch 8 with resources.memory=24g, or lower batch_size",
    ]


def test_only_what_the_log_says_has_the_key_that_goes_there() -> None:
    timed = replace(trainingworlds.MEMORY, evidence=tuple(replace(each, at=1) for each in trainingworlds.MEMORY.evidence))
    found = runmatters.about(view_of(trainingworlds.world(whys={"train#41": timed}), "train#41"), LOOK, 120)
    assert found is not None
    assert [line.split()[0] for line in text(found.lines) if line.endswith("  e")] == ["log"]


def test_a_long_sentence_stands_below_the_title() -> None:
    found = runmatters.about(FAILED, LOOK, 60)
    assert found is not None
    assert found.note == ""
    assert text(found.lines)[:2] == [" Out of memory: the container reached its 16 GiB limit and", " was killed."]


def test_without_a_cause_what_jenkins_tells_is_all_there_is() -> None:
    found = runmatters.about(view_of(trainingworlds.world(), "train#41"), LOOK, 80)
    assert found is not None
    assert found.note == "exit code 137"
    mute = trainingworlds.world(
        replace(trainingworlds.TRAINING, history={clean("train"): (replace(trainingworlds.BROKEN, description=clean("")),)})
    )
    found = runmatters.about(view_of(mute, "train#41"), LOOK, 80)
    assert found is not None
    assert text(found.lines)[0] == " Nothing that was seen says why."


def test_what_is_kept_is_told() -> None:
    past = Recalled(PastRun(clean("train#41"), checkpoint=Saved(8, 412_000_000)))
    found = runmatters.about(replace(FAILED, past=past), LOOK, 80)
    assert found is not None
    assert " kept     checkpoint epoch 8, 412 MB" in text(found.lines)
    assert text(found.lines)[-1].startswith(" try"), "it follows from all else"


def test_what_came_of_it_stands_beside_the_run_before() -> None:
    better = trainingworlds.figures(curves=(trainingworlds.curve("val_acc", [0.5, 0.91], 217, better=1, epochs=True),))
    found = runmatters.about(replace(DONE, past=replace(DONE.past, before=better)), LOOK, 80)
    assert found is not None
    assert (found.title, found.note) == ("Result", "beside #127")
    assert text(found.lines) == [
        " loss     0.419    best 0.380 @3,010",
        " val_loss 0.452    best 0.452 @14",
        " val_acc  0.909    best 0.914 @12      +0.004, was 0.910",
        " took     17m, #127 took 38m",
        " hub      acme/project-a build-128",
        " link     https://hub.example.org/acme/project-a",
    ]


def test_what_is_as_it_was_has_no_sign() -> None:
    found = runmatters.about(DONE, LOOK, 80)
    assert found is not None
    assert text(found.lines)[2].endswith("as it was")


def test_one_that_told_nothing_says_so() -> None:
    view = replace(
        DONE, figures=None, past=Recalled(), before=None, good=None, run=replace(DONE.run, build=None, why=clean(""), ref=None)
    )
    found = runmatters.about(view, LOOK, 80)
    assert found is not None
    assert text(found.lines) == [" It told nothing of itself."]


def test_what_waits_says_for_what_and_what_would_free_it() -> None:
    queued = runmatters.about(view_of(trainingworlds.world(trainingworlds.queued()), "queue/12"), LOOK, 80)
    assert queued is not None
    assert (queued.title, queued.note) == ("Waits", "for 3m")
    assert text(queued.lines)[0] == " It waits for an executor of gpu. train #128 has one."
    locked = trainingworlds.held(fake_jenkins.locked("gpu-0", by={"train": 127}))
    view = view_of(trainingworlds.world(locked, (gpuworlds.HELD,)), "train#128")
    held = runmatters.about(view, LOOK, 80)
    assert held is not None
    told = text(held.lines)
    assert told[0] == " It waits for a GPU (lock gpu-0): train #127 has it."
    assert any("vision-large #7" in line for line in told), "who holds the cards"
    assert " It goes on when train #127 gives the lock back." in told
    assert runmatters.blocked_by(view) == BuildRef(clean("train"), 127)


def test_what_waits_while_jenkins_is_away_has_its_last_cause() -> None:
    view = view_of(trainingworlds.world(trainingworlds.queued()), "queue/12")
    found = runmatters.about(replace(view, world=replace(view.world, jenkins=None)), LOOK, 80)
    assert found is not None
    assert text(found.lines) == [f" {view.run.why}"]


def test_what_is_being_built_says_its_step() -> None:
    view = view_of(trainingworlds.world(trainingworlds.building(), ()), "train#128")
    found = runmatters.about(view, LOOK, 80)
    assert found is not None
    assert (found.title, found.note, found.lines) == ("Step image", "17m", [])
    step = runmatters.about(replace(view, run=replace(view.run, why=clean("6/9: pip install"))), LOOK, 80)
    assert step is not None
    assert text(step.lines) == [" 6/9: pip install"]
    image = runmatters.about(replace(view, run=replace(view.run, why=clean("image 6/9: pip install"))), LOOK, 80)
    assert image is not None
    assert (image.title, image.lines) == ("Step image 6/9: pip install", [])
    early = runmatters.about(replace(view, run=replace(view.run, stages=None, why=clean(""))), LOOK, 80)
    assert early is not None
    assert text(early.lines) == [" No stage has begun yet."]


def test_what_is_gone_says_what_became_of_it() -> None:
    found = runmatters.about(replace(TRAINS, gone=True), LOOK, 80)
    assert found is not None
    assert found.title == "Gone"
    assert text(found.lines)[0].startswith(" It is gone: Jenkins shows its build no more.")
    by_hand = view_of(trainingworlds.world(None, (trainingworlds.by_hand(),)), "local#3")
    found = runmatters.about(replace(by_hand, gone=True), LOOK, 80)
    assert found is not None
    assert text(found.lines)[0].startswith(" It is gone: its container was removed.")
    waited = view_of(trainingworlds.world(trainingworlds.queued()), "queue/12")
    found = runmatters.about(replace(waited, gone=True), LOOK, 80)
    assert found is not None
    assert text(found.lines)[0].startswith(" It has left the queue")


def test_publishing_says_where_to_with_what() -> None:
    stages = trainingworlds.stages(
        trainingworlds.RUN,
        ("check", 2.0),
        ("image", 72.0),
        ("train", 800.0),
        ("publish", None),
        begun=trainingworlds.NEWER.started,
    )
    jenkins = replace(trainingworlds.TRAINING, stages={**trainingworlds.STAGES, trainingworlds.RUN: stages})
    view = view_of(
        trainingworlds.world(
            jenkins, (trainingworlds.gone_container(),), known=[(trainingworlds.gone_container(), trainingworlds.figures())]
        ),
        "train#128",
        past=Recalled(trainingworlds.REMEMBERED),
    )
    assert view.phase is Phase.PUBLISHING
    found = runmatters.about(view, LOOK, 80)
    assert found is not None
    assert found.title == "Publishing"
    assert text(found.lines)[0] == " The model goes to the Hub. Its newest checkpoint is of epoch 14."
    sent = replace(view, run=replace(view.run, why=clean("118 MB of 412 MB sent")))
    goes = runmatters.about(sent, LOOK, 80)
    assert goes is not None
    assert text(goes.lines)[0] == " The model goes to the Hub: 118 MB of 412 MB sent. Its newest checkpoint is of"
    assert text(found.lines)[3].startswith(" val_acc  0.909")
