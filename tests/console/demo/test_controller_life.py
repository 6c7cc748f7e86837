"""The model controller without a network: nodes, restarts, branches, webhooks, logs, freestyle builds."""

from __future__ import annotations

import pytest

from console.demo.controller import (
    Archive,
    Checkout,
    Describe,
    Kind,
    Link,
    Node,
    OnNode,
    Parameter,
    Phase,
    Pipeline,
    Say,
    Sh,
    Stage,
    State,
    Wait,
)
from console.demo.controller.errors import (
    AlreadyCancelledError,
    KeptError,
    MissingError,
    NotParameterizedError,
)
from tests.support.jenkins.world import EPOCHS, World, text


@pytest.fixture
def world() -> World:
    return World()


def test_what_a_process_printed_while_its_node_was_away_comes_in_one_go(world: World) -> None:
    world.controller.add_node(Node("gpu-1", ("gpu",)))
    build = world.start(Sh("train", EPOCHS), agent="gpu")
    world.tick(5)
    world.controller.set_link("gpu-1", Link.BROKEN)
    seen = sum(line.startswith("epoch") for line in text(build))
    world.tick(20)
    assert sum(line.startswith("epoch") for line in text(build)) == seen
    assert any(line.startswith("Cannot contact gpu-1: ") for line in text(build))
    world.controller.set_link("gpu-1", Link.ONLINE)
    world.tick(0.1)
    assert sum(line.startswith("epoch") for line in text(build)) == seen + 20
    world.tick(60)
    assert [line for line in text(build) if line.startswith("epoch")] == [f"epoch {number}" for number in range(1, 61)]
    assert build.result == "SUCCESS"


def test_a_stop_while_the_node_is_away_leaves_the_process_alone(world: World) -> None:
    world.controller.add_node(Node("gpu-1", ("gpu",)))
    build = world.start(
        Stage("Train", (OnNode("gpu", (Sh("train", EPOCHS),)),), post=(OnNode("gpu", (Say("x"),)),)), agent=None
    )
    world.tick(3)
    world.controller.set_link("gpu-1", Link.BROKEN)
    world.controller.stop("train", 1, by="admin")
    world.tick(30)
    assert "Could not connect to gpu-1 to send interrupt signal to process" in text(build)
    assert (build.building, build.result) == (True, "ABORTED")
    world.controller.set_link("gpu-1", Link.ONLINE)
    world.tick(1)
    assert not build.building


def test_the_states_of_a_node(world: World) -> None:
    node = world.controller.add_node(Node("gpu-1", link=Link.BROKEN))
    assert (node.offline, node.reason, node.offline_class) == (
        True, "Connection was broken", "hudson.slaves.OfflineCause$ChannelTermination",
    )  # fmt: skip
    world.controller.launch("gpu-1")
    assert (node.offline, node.reason, node.offline_class) == (True, "", None)
    world.controller.set_link("gpu-1", Link.LAUNCH_FAILED, "Connection refused")
    assert node.reason == "This agent is offline because Jenkins failed to launch the agent process on it."
    world.controller.set_link("gpu-1", Link.ONLINE)
    assert not node.offline
    world.controller.toggle_offline("gpu-1", "maintenance")
    assert (node.offline, node.reason, node.offline_class) == (True, "maintenance", "hudson.slaves.OfflineCause$UserCause")
    world.controller.toggle_offline("gpu-1")
    assert not node.offline


def test_a_restart_changes_the_session_and_spares_pipelines_and_queue(world: World) -> None:
    build = world.start(Sh("train", EPOCHS))
    world.controller.add_job("copy", Pipeline((Sh("x", EPOCHS),)), kind=Kind.FREESTYLE)
    freestyle = world.start(job="copy")
    item, _ = world.controller.trigger("train", by="admin", delay=300)
    session, seen = world.controller.session, len(text(build))
    world.controller.restart(stopping=1, down=5, starting=10, ids_anew=True)
    phases = [world.controller.phase]
    for _ in range(3):
        world.tick(5.4)
        phases.append(world.controller.phase)
    assert phases == [Phase.RESTARTING, Phase.DOWN, Phase.STARTING, Phase.UP]
    assert world.controller.session != session
    lines = text(build)
    assert any(line.startswith("Resuming build at ") for line in lines[seen:])
    assert (freestyle.building, freestyle.result) == (False, "ABORTED")
    assert (item.id, world.controller.queue[1]) == (1, item)
    world.tick(60)
    assert build.result == "SUCCESS"
    assert [line for line in text(build) if line.startswith("epoch")] == [f"epoch {number}" for number in range(1, 61)]


def test_a_start_with_a_broken_configuration_never_comes_up(world: World) -> None:
    world.controller.restart(broken=True)
    world.tick(600)
    assert world.controller.phase is Phase.BROKEN


def test_quieting_down_keeps_new_builds_in_the_queue(world: World) -> None:
    world.controller.quiet_down()
    world.controller.add_job("train", Pipeline((Say("x"),)))
    item, _ = world.controller.trigger("train", by="admin", delay=0)
    world.tick(60)
    assert item.why(world.controller.now) == "Jenkins is about to shut down"
    world.controller.quiet_down(on=False)
    world.tick(1)
    assert item.executable is not None


def test_cancel_delete_keep_and_replay(world: World) -> None:
    world.controller.add_job(
        "train", Pipeline((Say("x"), Archive("out/a.json", b"{}"))), parameters=(Parameter("N", default="7"),)
    )
    item, _ = world.controller.trigger("train", {}, by="admin", delay=60)
    world.controller.cancel(item.id)
    assert (item.state, item.cancelled, item.executable) == (State.LEFT, True, None)
    with pytest.raises(AlreadyCancelledError):
        world.controller.cancel(item.id)
    with pytest.raises(MissingError):
        world.controller.cancel(99)
    world.controller.trigger("train", {"N": "8"}, by="admin", delay=0)
    world.tick(5)
    build = world.build()
    again = world.controller.replay("train", 1, by="operator")
    world.tick(5)
    assert again.executable is world.build()
    assert [value.value for value in world.build().parameters] == ["8"]
    assert [cause.text for cause in world.build().causes] == ["Started by user Console operator", "Replayed #1"]
    build.keep = True
    with pytest.raises(KeptError, match=r"Unable to delete train #1: .*"):
        world.controller.delete_build("train", 1)
    build.keep = False
    world.controller.delete_build("train", 1)
    with pytest.raises(MissingError):
        world.controller.build("train", 1)


def test_branches_learn_their_parameters_and_die_with_their_branch(world: World) -> None:
    script = Pipeline((Checkout("file:///r.git", "a" * 40, branch="feature/x"), Describe(description="seen")), agent="")
    parameters = (Parameter("EPOCHS", default="3"),)
    project = world.controller.add_multibranch(
        "mono", {"feature/x": ("a" * 40, script), "docs": ("b" * 40, None)}, display_name="Mono", parameters=parameters
    )
    world.controller.scan("mono", by="admin")
    (job,) = world.controller.jobs.values()
    assert (job.full_name, job.path, job.full_display_name) == (
        "mono/feature%2Fx",
        "job/mono/job/feature%252Fx/",
        "Mono » feature/x",
    )
    with pytest.raises(NotParameterizedError):
        world.controller.trigger(job.full_name, {"EPOCHS": "1"}, by="admin")
    world.tick(20)
    build = job.last()
    assert build is not None
    assert (build.result, build.description, [cause.text for cause in build.causes]) == ("SUCCESS", "seen", ["Branch indexing"])
    assert job.parameters == parameters
    world.controller.scan("mono")
    assert not world.controller.waiting_items
    assert "No changes detected: feature/x (still at " in project.indexing.read()[0]
    del project.branches["feature/x"]
    world.controller.scan("mono")
    assert (job.buildable, job.color) == (False, "disabled")


def test_a_webhook_fills_in_the_parameters(world: World) -> None:
    job = world.controller.add_job("train", Pipeline(()), parameters=(Parameter("PROJECT"), Parameter("N")))
    world.controller.add_hook(job, "secret", {"PROJECT": ("$.project", "none"), "N": ("$.n", "1")}, "release of $PROJECT")
    assert world.controller.hook("secret", '{"project": "a"}') == {"train": (True, 1)}
    assert world.controller.queue[1].params() == "\nPROJECT=a\nN=1"
    assert world.controller.queue[1].causes[0].text == "release of a"
    with pytest.raises(MissingError):
        world.controller.hook("wrong", "{}")


def test_the_log_counts_raw_bytes_and_begins_anew_beyond_its_end(world: World) -> None:
    build = world.start(Sh("x", ("héllo ✓ 模型 \x1b[32mgreen\x1b[0m",)), agent="")
    world.tick(5)
    whole, size = build.log.read()
    assert size > len(whole.encode())
    assert build.log.read(size) == ("", size)
    assert build.log.read(size + 1) == (whole, size)
    tail, _ = build.log.read(size - len(b"Finished: SUCCESS\n"))
    assert tail == "Finished: SUCCESS\n"
    within = next(text for at in range(size) if (text := build.log.read(at)[0]).startswith("\ufffdllo"))
    assert "模型 \x1b[32mgreen" in within


def test_freestyle_holds_an_executor_and_has_no_stages(world: World) -> None:
    world.controller.add_job("copy", Pipeline((Sh("x", ("copied", 5.0), exit_code=1),)), kind=Kind.FREESTYLE)
    build = world.start(job="copy")
    assert world.controller.node("(built-in)").busy == 1
    assert not any("[Pipeline]" in line for line in text(build))
    world.tick(10)
    assert (build.result, build.job.color, build.stages) == ("FAILURE", "red", [])
    assert text(build)[-2:] == ["Build step 'Execute shell' marked build as failure", "Finished: FAILURE"]


def test_the_estimate_is_the_mean_of_the_last_three_good_builds(world: World) -> None:
    world.controller.add_job("train", Pipeline((Wait(10),)))
    assert world.controller.job("train").estimate() == -1
    for _ in range(2):
        world.start()
        world.tick(30)
    assert 10_000 <= world.controller.job("train").estimate() < 11_000
