"""Which run it is that the run screen shows, what is known of it, and what is new about it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from console.model.build import BuildRef, Parameter, Result
from console.model.history import Asked, PastRun
from console.model.metric import Figures
from console.runs.before import before_of, good_before
from console.text import clean
from console.ui import runfacts, runmatters
from console.ui.canvas import plain
from console.ui.runview import Recalled, RunView, changes, find, kept, parameters, successor, with_older
from tests.console.fakes import NOW, inspection
from tests.console.ui import trainingworlds
from tests.console.ui.compareworlds import past, recalled
from tests.console.ui.test_run_lines import DONE, LOOK, TRAINS, text, view_of

# Facts


def test_facts_of_one_that_trains() -> None:
    past = Recalled(replace(trainingworlds.REMEMBERED, published=None))
    assert text(runfacts.facts(replace(TRAINS, past=past), LOOK, 60)) == [
        " started by  webhook, release PR #311",
        " commit      7fa01469cc8e",
        " parameters  lr=1e-4 epochs=30",
        " changed     lr 3e-4 -> 1e-4 since #127",
        " image       mlops/project-a:7fa01469cc8e",
        " container   mlops-project-a-128 up 16m",
        " memory      9.1 of 16 GiB",
        " gpus        0, 60 GiB held",
        " checkpoint  epoch 14, 98 MB",
        " left        18m by the last 5 epochs",
        " expected    done 14:22, #127 took 38m",
        " link        https://ci.example.org/job/train/128/",
    ]


def test_what_it_may_use_is_what_its_container_was_given_and_without_one_what_the_history_has() -> None:
    one = TRAINS.run.containers[0]
    limits = inspection(memory_limit=16 << 30, shm=8 << 30, cpus=4.0)
    run = replace(TRAINS.run, containers=(replace(one, details=limits),))
    assert " may use     memory 16 GiB, shm 8 GiB, 4 CPUs" in text(runfacts.facts(replace(TRAINS, run=run), LOOK, 60))
    kept_of_it = Recalled(replace(trainingworlds.REMEMBERED, asked=Asked(24 << 30, cpus=1.5, gpus=1)))
    found = text(runfacts.facts(replace(DONE, past=kept_of_it), LOOK, 60))
    assert " may use     memory 24 GiB, 1.5 CPUs" in found
    assert " memory      10 GiB at its peak of 24 GiB" in found


def test_facts_of_one_that_has_ended() -> None:
    found = text(runfacts.facts(DONE, LOOK, 60))
    assert " hub         acme/project-a build-128" in found
    assert " memory      10 GiB at its peak" in found
    assert not any(line.startswith((" left", " expected")) for line in found)


def test_facts_of_one_by_hand() -> None:
    view = view_of(trainingworlds.world(None, (trainingworlds.by_hand(),), cards=False), "local#3")
    found = text(runfacts.facts(view, LOOK, 60))
    assert found[0] == " started by  by hand, without Jenkins"
    assert " gpus        none: it trains on the CPU" in found


def test_what_is_long_has_more_lines_and_is_copied_in_one() -> None:
    found = text(runfacts.facts(TRAINS, LOOK, 34))
    assert found[0] == " started by  webhook, release PR"
    assert found[1] == "             #311"
    assert runfacts.text(TRAINS).startswith("started by  webhook, release PR #311\n")


# Which run it is, and what is new about it


def test_what_leaves_the_queue_is_followed_to_its_build() -> None:
    world = trainingworlds.world(trainingworlds.queued())
    waits = find(world, "queue/12")
    assert waits is not None
    assert successor(world, waits) is waits
    begun = replace(trainingworlds.NEWER, queue_id=12)
    later = trainingworlds.world(replace(trainingworlds.TRAINING, history={clean("train"): (begun,)}, jobs={}))
    found = successor(later, waits)
    assert found is not None
    assert found.key == "train#128"
    assert successor(trainingworlds.world(), waits) is None


def test_the_run_before_is_the_last_one_of_the_same_project() -> None:
    world = trainingworlds.world(trainingworlds.queued())
    found = {str(run.key): before_of(world.runs, run) for run in world.runs}
    assert {key: str(run.key) if run is not None else None for key, run in found.items()} == {
        "train#128": "train#127",
        "train#127": None,
        "train#41": "train#40",
        "train#40": None,
        "train#7": None,
        "queue/12": None,
    }


def test_one_that_was_skipped_is_no_run_before() -> None:
    skipped = trainingworlds.build(127, Result.NOT_BUILT, NOW - timedelta(hours=1), 0.1, "project-a")
    older = replace(trainingworlds.OLDER, ref=BuildRef(clean("train"), 126))
    world = trainingworlds.world(
        replace(trainingworlds.TRAINING, history={clean("train"): (trainingworlds.NEWER, skipped, older)})
    )
    run = find(world, "train#128")
    assert run is not None
    found = before_of(world.runs, run)
    assert found is not None
    assert found.key == "train#126"


def test_parameters_are_lines_of_overrides_and_what_else_was_set() -> None:
    given = replace(trainingworlds.NEWER, parameters=(*trainingworlds.NEWER.parameters, Parameter(clean("TOKEN"), None)))
    run = replace(TRAINS.run, build=given)
    assert parameters(run) == {"lr": "1e-4", "epochs": "30", "TOKEN": "********"}
    assert changes(with_older(replace(TRAINS, run=run))) == ["TOKEN unset -> ********", "lr 3e-4 -> 1e-4"]


def overrides(number: int, told: str) -> PastRun:
    return past(number, parameters={clean("OVERRIDES"): clean(told, lines=True)})


def only_history(number: int, told: str, *older: PastRun, before: Figures | None = None) -> RunView:
    one = overrides(number, told)
    found = recalled(one)
    return with_older(replace(found, past=replace(found.past, older=older, before=before)))


def test_what_changed_since_one_that_only_the_history_knows() -> None:
    view = only_history(120, "batch_size=128\nlr=1e-4", overrides(112, "lr=3e-4"), overrides(104, "lr=1"))
    assert view.before is not None
    assert view.before.key == "train#112"
    assert changes(view) == ["batch_size unset -> 128", "lr 3e-4 -> 1e-4"]
    assert dict(runfacts.pairs(view))["changed"] == "batch_size unset -> 128, lr 3e-4 -> 1e-4 since #112"
    assert changes(only_history(120, "lr=1", past(112, parameters={}))) is None, "nobody told those of #112"


def test_settings_that_no_build_tells_are_not_told_as_changed() -> None:
    """TRAINS has a build, and was given lr=1e-4 and epochs=30."""
    older = past(127, parameters={clean("lr"): clean("3e-4"), clean("epochs"): clean("30"), clean("momentum"): clean("0.9")})
    alone = replace(TRAINS.world, runs=(TRAINS.run,))
    view = with_older(replace(TRAINS, world=alone, past=Recalled(older=(older,))))
    assert changes(view) == ["lr 3e-4 -> 1e-4"]
    told = replace(
        view, past=replace(view.past, run=replace(older, key=TRAINS.run.key, parameters={clean("lr"): clean("1e-4")}))
    )
    assert changes(told) == ["epochs 30 -> unset", "lr 3e-4 -> 1e-4", "momentum 0.9 -> unset"]


def test_what_came_of_it_is_told_beside_the_last_that_went_well() -> None:
    failed, good = past(118, good=False), past(112)
    measured = Figures(curves=(trainingworlds.curve("val_acc", [0.90], 100, better=1),))
    view = only_history(120, "lr=1", failed, good, before=measured)
    view = replace(view, figures=Figures(curves=(trainingworlds.curve("val_acc", [0.95], 100, better=1),)))
    assert (view.before and view.before.key, view.good and view.good.key) == ("train#118", "train#112")
    told = runmatters.about(view, LOOK, 100)
    assert told is not None
    assert told.note == "beside #112"
    words = [plain([line]) for line in told.lines]
    assert any("+0.050, was 0.900" in one for one in words)
    assert any(one.endswith("#112 took 34m") for one in words)
    assert (changes(view) or [])[-1:] == ["lr 0.0118 -> 1"], "what it was given stands beside the run before"


def test_without_one_that_went_well_nothing_stands_beside_it() -> None:
    view = only_history(120, "lr=1", past(118, good=False))
    assert view.good is None
    assert good_before([view.run], view.run) is None


def test_figures_stay_when_their_container_is_removed() -> None:
    later = replace(TRAINS, figures=None)
    assert kept(later, TRAINS).figures is TRAINS.figures
    other = replace(later, run=replace(later.run, key=clean("train#1")))
    assert kept(other, TRAINS).figures is None
    assert kept(replace(TRAINS, figures=Figures()), TRAINS).figures == Figures()
