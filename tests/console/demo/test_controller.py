"""The model controller without a network: queue, executors, Pipelines, stops, questions."""

from __future__ import annotations

import pytest

from console.demo.controller import (
    Broken,
    Fail,
    Input,
    Link,
    Lock,
    Node,
    OnNode,
    Parallel,
    Parameter,
    ParameterKind,
    Pipeline,
    Say,
    Sh,
    Stage,
    State,
    Status,
    Timeout,
    Trigger,
    Unstable,
    Wait,
)
from console.demo.controller.errors import (
    MissingError,
    NoQuestionError,
    NotAllowedError,
    NotBuildableError,
    NotParameterizedError,
)
from console.demo.controller.parameters import BadValueError
from tests.support.jenkins.world import EPOCHS, World, shown, text


@pytest.fixture
def world() -> World:
    return World()


def test_an_item_waits_out_its_quiet_period_and_then_for_the_next_look_at_the_queue(world: World) -> None:
    world.controller.add_job("train", Pipeline((Say("x"),)))
    item, merged = world.controller.trigger("train", by="admin")
    assert not merged
    assert item.why(world.controller.now) == "In the quiet period. Expires in 5 sec"
    world.tick(1.1)
    assert item.why(world.controller.now) == "In the quiet period. Expires in 3.9 sec"
    world.controller.add_job("other", Pipeline(()))
    world.tick(4.2)  # the queue looked at five seconds, a little before the item was due
    assert (item.state, item.executable) in [(State.WAITING, None), (State.LEFT, world.controller.job("train").last())]
    world.tick(5)
    assert item.state is State.LEFT
    assert item.executable is world.build()
    world.tick(301)
    assert item.id not in world.controller.queue


def test_equal_requests_are_folded_and_other_parameters_are_not(world: World) -> None:
    world.controller.add_job("train", Pipeline(()), parameters=(Parameter("PROJECT"),))
    first, _ = world.controller.trigger("train", {"PROJECT": "a"}, by="admin")
    again, merged = world.controller.trigger("train", {"PROJECT": "a", "EVIL": "1"}, by="operator")
    other, _ = world.controller.trigger("train", {"PROJECT": "b"}, by="admin")
    assert (again, merged) == (first, True)
    assert [cause.text for cause in first.causes] == ["Started by user Administrator", "Started by user Console operator"]
    assert other is not first
    assert first.params() == "\nPROJECT=a"


def test_what_cannot_be_triggered_says_why(world: World) -> None:
    choice = Parameter("PROJECT", ParameterKind.CHOICE, choices=("a", "b"))
    world.controller.add_job("train", Pipeline(()), parameters=(choice,))
    world.controller.add_job("plain", Pipeline(()))
    world.controller.add_job("off", Pipeline(()), disabled=True)
    world.controller.add_folder("team")
    with pytest.raises(BadValueError):
        world.controller.trigger("train", {"PROJECT": "c"}, by="admin")
    with pytest.raises(NotParameterizedError):
        world.controller.trigger("plain", {"A": "1"}, by="admin")
    with pytest.raises(NotBuildableError):
        world.controller.trigger("off", by="admin")
    for name in ("none", "team"):
        with pytest.raises(MissingError):
            world.controller.trigger(name, by="admin")
    assert not world.controller.queue


def test_a_job_without_concurrent_builds_blocks_its_next_item(world: World) -> None:
    world.controller.add_job("train", Pipeline((Wait(20),)), concurrent=False, parameters=(Parameter("N"),))
    world.controller.trigger("train", {"N": "1"}, by="admin", delay=0)
    world.tick(1)
    item, _ = world.controller.trigger("train", {"N": "2"}, by="admin", delay=0)
    world.tick(1)
    assert item.state is State.BLOCKED
    assert item.why(world.controller.now) == "Build #1 is already in progress (ETA: N/A)"
    world.tick(25)
    assert item.executable is world.build()
    assert world.build().number == 2


def test_a_node_block_waits_in_the_queue_as_a_part_of_its_build(world: World) -> None:
    world.controller.add_node(Node("gpu-1", ("gpu",), link=Link.BROKEN))
    build = world.start(Stage("Train", (OnNode("gpu", (Say("here"),)),)), agent=None)
    (item,) = world.controller.waiting_items
    assert item.part is not None
    assert (item.part.name, item.job, item.state, item.stuck) == ("part of train #1", None, State.BUILDABLE, True)
    assert item.why(world.controller.now) == "‘gpu-1’ is offline"
    assert build.building
    world.tick(20)
    assert text(build)[-2:] == ["Still waiting to schedule task", "‘gpu-1’ is offline"]
    world.controller.set_link("gpu-1", Link.ONLINE)
    world.tick(1)
    assert (build.result, build.built_on) == ("SUCCESS", "gpu-1")
    assert build.stages[0].paused(world.controller.now) > 19_000


def test_executors_are_counted_and_the_next_one_waits(world: World) -> None:
    for number in range(3):
        world.start(Stage("Train", (Sh("train", (30.0,)),)), job=f"train-{number}")
    node = world.controller.node("(built-in)")
    assert node.busy == 2
    assert [work.stage for work in node.slots if work] == ["Train", "Train"]
    (item,) = world.controller.waiting_items
    assert item.why(world.controller.now) == "Waiting for next available executor"
    assert not item.stuck
    world.tick(40)
    assert world.build("train-2").building
    assert node.busy == 1


def test_stages_grow_and_a_parent_ends_where_its_first_inner_stage_begins(world: World) -> None:
    inner = Stage("Inner", (Sh("x", ("a", 5.0)),))
    build = world.start(Stage("Outer", (Wait(2), inner)), Stage("Skipped", when=False), Stage("Last"))
    assert shown(build) == [("Outer", "IN_PROGRESS")]
    world.tick(3)
    assert shown(build) == [("Outer", "SUCCESS"), ("Inner", "IN_PROGRESS")]
    world.tick(10)
    assert shown(build) == [("Outer", "SUCCESS"), ("Inner", "SUCCESS"), ("Skipped", "NOT_EXECUTED"), ("Last", "SUCCESS")]
    assert 2000 <= build.stages[0].duration(world.controller.now) < 2100
    step = build.steps_of(build.stages[1])[0]
    assert step.log is not None
    assert step.log.read()[0] == "a\n"
    assert build.stages[1].log is None


def test_branches_run_together_and_look_finished_while_they_run(world: World) -> None:
    branches = tuple(Stage(name, (OnNode("", (Sh("x", (seconds,)),)),)) for name, seconds in (("unit", 3.0), ("lint", 5.0)))
    build = world.start(Stage("Fan out", (Parallel(branches),)), Stage("Join"), agent=None)
    world.tick(1)
    assert [str(stage.shown_status) for stage in build.stages] == ["SUCCESS", "SUCCESS", "SUCCESS"]
    assert build.stages[2].duration(world.controller.now) <= 0
    world.tick(9)
    assert shown(build) == [("Fan out", "SUCCESS"), ("unit", "SUCCESS"), ("lint", "SUCCESS"), ("Join", "SUCCESS")]
    assert build.stages[2].duration(world.controller.now) >= 5000


def test_a_failure_marks_the_stage_skips_the_rest_and_runs_post(world: World) -> None:
    script = Pipeline(
        (Stage("Train", (Fail("diverged"),)), Stage("Publish")), post=(Say("done: ${currentBuild.currentResult}"),)
    )
    world.controller.add_job("train", script)
    build = world.start()
    world.tick(5)
    assert shown(build) == [("Train", "FAILED"), ("Publish", "FAILED"), ("Declarative: Post Actions", "SUCCESS")]
    assert build.stages[0].failure is not None
    assert build.stages[0].failure.message == "diverged"
    lines = text(build)
    assert 'Stage "Publish" skipped due to earlier failure(s)' in lines
    assert "done: FAILURE" in lines
    assert lines[-2:] == ["ERROR: diverged", "Finished: FAILURE"]
    assert (build.result, build.status()) == ("FAILURE", Status.FAILED)


def test_an_exit_code_an_unstable_stage_and_a_script_that_does_not_compile(world: World) -> None:
    failed = world.start(Fail(exit_code=3), job="a")
    unstable = world.start(Stage("Train", (Unstable("bad metric"),)), job="b")
    world.controller.add_job("c", Broken(("startup failed", "1 error")))
    broken = world.start(job="c")
    world.tick(5)
    assert text(failed)[-2:] == ["ERROR: script returned exit code 3", "Finished: FAILURE"]
    assert (unstable.result, shown(unstable), unstable.job.color) == ("UNSTABLE", [("Train", "UNSTABLE")], "yellow")
    assert (broken.result, broken.status(), broken.stages) == ("FAILURE", Status.NOT_EXECUTED, [])


def test_a_stopped_build_goes_on_for_a_while_with_its_result_set(world: World) -> None:
    slow = Sh("train", EPOCHS, stop_seconds=3, on_stop=("saved",))
    build = world.start(Stage("Train", (slow,), post=(Sh("finish", (4.0, "finished")),)))
    world.tick(2)
    world.controller.stop("train", 1, by="operator")
    assert (build.building, build.result) == (True, None)
    world.tick(4)
    assert (build.building, build.result) == (True, "ABORTED")
    world.tick(10)
    assert (build.building, build.result, build.status()) == (False, "ABORTED", Status.ABORTED)
    lines = text(build)
    assert (
        lines.index("Aborted by Console operator") < lines.index("Sending interrupt signal to process") < lines.index("saved")
    )
    assert "script returned exit code 143" in lines
    assert "finished" in lines
    world.controller.stop("train", 1, by="operator")  # stopping what has ended changes nothing
    assert build.result == "ABORTED"


def test_a_process_that_does_not_stop_is_left_after_twenty_seconds(world: World) -> None:
    build = world.start(Sh("train", EPOCHS, stop_seconds=60))
    world.controller.stop("train", 1, by="admin")
    world.tick(19)
    assert build.building
    world.tick(2)
    assert not build.building
    assert "After 20s process did not stop" in text(build)


def test_kill_ends_a_build_at_once_and_gives_back_what_it_held(world: World) -> None:
    build = world.start(Lock("gpu", (Sh("train", EPOCHS),)))
    world.controller.kill("train", 1)
    world.tick(0)
    assert (build.building, build.result) == (False, "ABORTED")
    assert world.controller.node("(built-in)").busy == 0
    assert not world.controller.locks


def test_a_lock_is_waited_for_without_a_node_and_without_a_place_in_the_queue(world: World) -> None:
    locked = Stage("Training", (Lock("train-a", (OnNode("", (Sh("x", (10.0,)),)),)),))
    world.start(locked, agent=None)
    second = world.start(agent=None)
    third = world.start(agent=None)
    assert text(second)[-1] == "[train-a] is locked by train #1, waiting..."
    assert not world.controller.waiting_items
    assert world.controller.node("(built-in)").busy == 1
    world.tick(11)
    assert "Lock acquired on [train-a]" in text(second)
    assert "Lock acquired on [train-a]" not in text(third)
    world.tick(30)
    assert (second.result, third.result) == ("SUCCESS", "SUCCESS")


def test_a_timeout_interrupts_its_steps(world: World) -> None:
    build = world.start(Timeout(5, (Sh("train", EPOCHS),)))
    world.tick(10)
    assert build.result == "ABORTED"
    lines = text(build)
    assert "Timeout set to expire in 5 sec" in lines
    assert "Cancelling nested steps due to timeout" in lines
    assert "Timeout has been exceeded" in lines


def test_a_question_is_answered_refused_or_asked_of_somebody_else(world: World) -> None:
    target = Parameter("TARGET", ParameterKind.CHOICE, choices=("staging", "production"))
    ask = Stage("Publish", (Input("publish", "Publish?", parameters=(target,), submitter=("operator",)),))
    build = world.start(ask, agent=None)
    assert (build.status(), shown(build)) == (Status.PAUSED, [("Publish", "PAUSED_PENDING_INPUT")])
    assert [question.id for question in build.pending] == ["Publish"]
    with pytest.raises(NoQuestionError):
        world.controller.submit_input("train", 1, "publish", by="operator")
    with pytest.raises(NotAllowedError):
        world.controller.submit_input("train", 1, "Publish", by="admin")
    with pytest.raises(NoQuestionError):
        world.controller.submit_input("train", 1, "Publish", {"TARGET": "moon"}, by="operator")
    assert build.pending
    world.controller.submit_input("train", 1, "Publish", by="operator")
    world.tick(1)
    assert (build.result, build.approvers) == ("SUCCESS", ["operator"])
    assert build.questions[0].answer == {"TARGET": "staging"}
    assert "Approved by Console operator" in text(build)
    refused = world.start(agent=None)
    world.controller.reject_input("train", 2, "Publish", by="operator")
    world.tick(1)
    assert (refused.result, shown(refused)) == ("ABORTED", [("Publish", "ABORTED")])
    assert "Rejected by Console operator" in text(refused)


def test_a_build_starts_another_one_and_takes_over_its_result(world: World) -> None:
    world.controller.add_job("child", Pipeline((Fail("bad"),)))
    parent = world.start(Trigger("child", {}), agent=None)
    world.tick(30)
    assert parent.result == "FAILURE"
    assert "Build child #1 completed: FAILURE" in text(parent)
    (cause,) = world.build("child").causes
    assert cause.upstream == ("train", "job/train/", 1)


def test_stopping_the_parent_stops_the_child(world: World) -> None:
    world.controller.add_job("child", Pipeline((Sh("x", EPOCHS),)), quiet_period=0)
    parent = world.start(Trigger("child", {}), agent=None)
    world.tick(2)
    world.controller.stop("train", 1, by="admin")
    world.tick(5)
    assert (parent.result, world.build("child").result) == ("ABORTED", "ABORTED")
