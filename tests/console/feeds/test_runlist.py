"""The runs of a picture: joined anew only when something they are made of is another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from console.feeds import runlist
from console.feeds.runlist import OLD_SECONDS, RunList
from console.model.build import Stages, StageStatus
from console.model.container import Container, ContainerState
from console.model.gpu import GpuWorld
from console.model.jenkins import JenkinsWorld
from console.model.run import Phase
from console.runs.join import join
from console.text import clean
from tests.console import fake_gpus
from tests.console.fake_jenkins import NOW, build, job, stage, world
from tests.console.fakes import container
from tests.console.runs.test_join import running, training

LATER = NOW + timedelta(seconds=1)


class Counted:
    """Joins as ever, and counts."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.times = 0
        monkeypatch.setattr(runlist, "join", self._join)

    def _join(self, *made_of: object) -> object:
        self.times += 1
        return join(*made_of)  # type: ignore[arg-type]  # as they came


def read_again(one: Container) -> Container:
    """What the next answer of the Engine makes of it: equal, and another object."""
    return replace(one)


def jenkins() -> JenkinsWorld:
    made, work = running()
    return world(job("train", made), work=work)


def gpus(load: int = 97) -> GpuWorld:
    return GpuWorld(fake_gpus.reading(fake_gpus.held(0, load, fake_gpus.process(container=training().id))))


def test_what_is_read_again_and_is_the_same_is_not_joined_again(monkeypatch: pytest.MonkeyPatch) -> None:
    counted, runs = Counted(monkeypatch), RunList()
    first = runs([training(gpu="0")], jenkins(), gpus(), NOW)
    assert [(one.key, one.phase) for one in first] == [("train#12", Phase.TRAINING)]
    again = runs([read_again(training(gpu="0")), container("web")], jenkins(), gpus(), LATER)
    assert again is first
    assert counted.times == 1


def test_a_card_that_is_warmer_is_no_other_run(monkeypatch: pytest.MonkeyPatch) -> None:
    counted, runs = Counted(monkeypatch), RunList()
    first = runs([training(gpu="0")], None, gpus(97), NOW)
    assert runs([training(gpu="0")], None, gpus(12), LATER) is first
    assert counted.times == 1


def gone(_: Container) -> list[Container]:
    return []


def ended(one: Container) -> list[Container]:
    return [replace(one, state=ContainerState.EXITED, exit_code=0)]


@pytest.mark.parametrize("change", [gone, ended])
def test_a_container_that_changes_is_joined_at_once(change: Callable[[Container], list[Container]]) -> None:
    runs = RunList()
    runs([training()], None, None, NOW)
    assert runs(change(training()), None, None, LATER) == join(change(training()), None, None, LATER)


def test_a_build_that_ends_and_a_card_that_is_left_are_joined_at_once() -> None:
    runs = RunList()
    (before,) = runs([training(gpu="0")], jenkins(), gpus(), NOW)
    assert before.cards == {0}
    assert before.holders
    (after,) = runs([training(gpu="0")], world(job("train", build("train", 12))), GpuWorld(fake_gpus.reading()), LATER)
    assert after.phase is Phase.ENDED
    assert not after.holders


def test_an_image_that_is_further_is_joined_at_once() -> None:
    runs = RunList()
    made, work = running()
    image = Stages(made.ref, StageStatus.IN_PROGRESS, (stage("image", StageStatus.IN_PROGRESS, took=None),))
    told = world(job("train", made), work=work, stages={made.ref: image})
    (before,) = runs([], told, None, NOW)
    (after,) = runs([], replace(told, steps={made.ref: clean("6/9: pip install")}), None, LATER)
    assert (before.why, after.why) == ("image", "image 6/9: pip install")


def test_words_that_count_seconds_do_not_stand_still(monkeypatch: pytest.MonkeyPatch) -> None:
    counted, runs = Counted(monkeypatch), RunList()
    first = runs([training()], jenkins(), None, NOW)
    second = runs([training()], jenkins(), None, NOW + timedelta(seconds=OLD_SECONDS))
    assert counted.times == 2
    assert second is first, "equal runs stay the objects that they were"
