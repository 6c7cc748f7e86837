"""What befalls jobs, locks and processes beside the usual way: after a reload, at a label, with a machine that dies."""

from __future__ import annotations

import pytest

from console.demo.controller import Lock, OnNode, Pipeline, Say, Sh, Stage, Trigger, Wait
from tests.support.jenkins.world import World, shown, text


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize("anew", ["reload", "restart"])
def test_options_of_a_jenkinsfile_are_out_of_force_until_a_build_has_read_it(world: World, anew: str) -> None:
    script = Pipeline((Wait(60),))
    job = world.controller.add_job("train", script, concurrent=False, discarder=True)
    if anew == "reload":
        world.controller.reload()
    else:
        world.controller.restart()
        world.tick(10)
    assert (job.concurrent, job.discarder) == (True, False)
    world.start(job="train")
    assert (job.concurrent, job.discarder) == (False, True)


def test_a_replay_of_another_script_does_not_bring_them_back(world: World) -> None:
    job = world.controller.add_job("train", Pipeline((Say("x"),)), concurrent=False)
    world.start(job="train")
    world.tick(5)
    world.controller.reload()
    world.controller.replay("train", 1, by="admin", script=Pipeline((Say("y"),), declarative=False))
    world.tick(5)
    assert job.concurrent
    assert len(job.builds) == 2


def test_who_wants_more_of_a_label_than_is_free_waits_until_enough_come_back(world: World) -> None:
    world.controller.resources.update({"gpu-0": "gpu", "gpu-1": "gpu"})
    world.start(Lock("gpu", (Wait(30),), quantity=1), job="one")
    second = world.start(Lock("gpu", (Wait(30),), quantity=2), job="two")
    assert "[Label: gpu, Quantity: 2] is locked, waiting..." in text(second)
    assert "Found 1 available resource(s). Waiting for correct amount: 2." in text(second)
    assert set(world.controller.locks) == {"gpu-0"}
    world.tick(30)
    assert set(world.controller.locks) == {"gpu-0", "gpu-1"}
    assert "Lock acquired on [Label: gpu, Quantity: 2]" in text(second)
    world.tick(60)
    assert second.result == "SUCCESS"
    assert not world.controller.locks


def test_one_lock_of_a_label_and_another_one_do_not_wait_for_each_other(world: World) -> None:
    world.controller.resources.update({"gpu-0": "gpu", "gpu-1": "gpu"})
    for name in ("one", "two"):
        world.start(Lock("gpu", (Wait(30),), quantity=1), job=name)
    assert {name: build.job.name for name, build in world.controller.locks.items()} == {"gpu-0": "one", "gpu-1": "two"}


def test_a_process_that_died_is_noticed_after_two_looks_at_its_log(world: World) -> None:
    world.controller.heartbeat = 20
    build = world.start(OnNode("", (Sh("train", ("epoch 1", 600.0, "epoch 2")),)), agent=None)
    world.tick(5)
    world.controller.lose_processes("(built-in)")
    world.tick(39)
    assert build.building
    world.tick(2)
    assert not build.building
    assert build.result == "FAILURE"
    assert any("wrapper script does not seem to be touching the log file" in line for line in text(build))
    assert "epoch 2" not in text(build)


def test_a_process_that_lives_is_not_taken_for_one_that_died_before(world: World) -> None:
    world.controller.lose_processes("(built-in)")
    build = world.start(OnNode("", (Sh("train", ("epoch 1", 5.0, "epoch 2")),)), agent=None)
    world.tick(10)
    assert build.result == "SUCCESS"
    assert "epoch 2" in text(build)


def test_a_death_does_not_wake_who_has_no_process(world: World) -> None:
    build = world.start(OnNode("", (Sh("train", ("epoch 1",)), Wait(600))), agent=None)
    world.tick(5)
    world.controller.lose_processes("(built-in)")
    world.tick(590)
    assert build.building
    world.tick(30)
    assert build.result == "SUCCESS"


def test_a_stop_while_the_dead_process_is_waited_for_ends_the_build(world: World) -> None:
    build = world.start(OnNode("", (Sh("train", ("epoch 1", 600.0)),)), agent=None)
    world.controller.lose_processes("(built-in)")
    world.tick(5)
    world.controller.stop("train", 1, by="admin")
    world.tick(5)
    assert build.result == "ABORTED"


def test_stages_within_a_skipped_one_are_listed(world: World) -> None:
    inside = Lock("train", (OnNode("", (Stage("Build"), Stage("Train", (Sh("never", ("never",)),)))),))
    build = world.start(Stage("Training", (inside,), when=False), Stage("Last", (Say("x"),)))
    world.tick(5)
    assert shown(build) == [
        ("Training", "NOT_EXECUTED"),
        ("Build", "NOT_EXECUTED"),
        ("Train", "NOT_EXECUTED"),
        ("Last", "SUCCESS"),
    ]
    assert "never" not in text(build)
    assert not world.controller.locks


def test_a_stopped_build_waits_for_those_that_it_had_begun(world: World) -> None:
    world.controller.add_job("child", Pipeline((OnNode("", (Sh("train", (600.0,), stop_seconds=10),)),)))
    parent = world.start(Trigger("child", {}), job="parent")
    world.tick(10)
    world.controller.stop("parent", 1, by="admin")
    world.tick(5)
    assert parent.building
    world.tick(10)
    assert parent.result == "ABORTED"
    assert "Build child #1 completed: ABORTED" in text(parent)
