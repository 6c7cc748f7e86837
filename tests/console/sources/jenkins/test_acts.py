"""Asking for builds over real HTTP: what Jenkins takes, and what every refusal of it is called."""

from __future__ import annotations

import pytest

from console.demo.controller import (
    LIMITED,
    VIEWER,
    Fail,
    Kind,
    Parameter,
    ParameterKind,
    Permission,
    Pipeline,
    Say,
    Sh,
)
from console.model.build import BuildRef
from console.model.jenkins import JenkinsError, LeftItem, Queued, QueueItem, Trouble, Waits
from console.sources.jenkins.source import JenkinsServer as Source
from console.sources.protocols import Jenkins, JenkinsActs
from console.text import clean
from tests.support.jenkins.faults import Fault
from tests.support.jenkins.reaching import allow, source_at
from tests.support.jenkins.server import JenkinsServer
from tests.support.jenkins.world import EPOCHS, World

SCRIPT = Pipeline((Sh("train", EPOCHS),))
TRAIN = (
    Parameter("PROJECT", ParameterKind.CHOICE, choices=("churn", "fraud", "vision")),
    Parameter("NOTE", ParameterKind.TEXT),
)


@pytest.fixture
def world() -> World:
    world = World()
    allow(world.controller)
    world.controller.add_job("train", SCRIPT, parameters=TRAIN)
    world.controller.add_job("plain", SCRIPT)
    return world


async def refused(jenkins: Source, job: str, parameters: dict[str, str] | None = None) -> JenkinsError:
    with pytest.raises(JenkinsError) as raised:
        await jenkins.trigger(job, parameters)
    assert "<" not in raised.value.reason
    return raised.value


def test_what_watches_cannot_act() -> None:
    """The types hold it: whoever has a `Jenkins` has no way to start anything."""
    assert not set(vars(Jenkins)) & {name for name in vars(JenkinsActs) if not name.startswith("_")}


def posts(server: JenkinsServer) -> list[str]:
    return [line for line in server.requests if line.startswith("POST")]


async def test_a_request_becomes_an_item_of_the_queue(world: World, server: JenkinsServer, jenkins: Source) -> None:
    acts: JenkinsActs = jenkins
    queued = await acts.trigger("train", {"PROJECT": "fraud", "NOTE": "two\nlines & é=佐藤"})
    assert queued == Queued(1, already=False, held=False, session=clean(world.controller.session))
    item = world.controller.queue[1]
    assert [one.value for one in item.parameters] == ["fraud", "two\nlines & é=佐藤"]
    assert [one.user for one in item.causes] == [("operator", "Console operator")]


async def test_values_are_never_in_a_query(server: JenkinsServer, jenkins: Source) -> None:
    await jenkins.trigger("train", {"PROJECT": "fraud", "NOTE": "a-secret-word"}, delay=30)
    assert posts(server) == ["POST /job/train/buildWithParameters?delay=30sec"]
    assert all("secret" not in line and "fraud" not in line for line in server.requests)


async def test_the_delay_is_the_quiet_period(world: World, server: JenkinsServer, jenkins: Source) -> None:
    queued = await jenkins.trigger("plain", None, delay=90)
    item = world.controller.queue[queued.item_id]
    assert item.due - item.since == 90_000
    waiting = await jenkins.queue_item(queued.item_id)
    assert isinstance(waiting, QueueItem)
    assert (waiting.job, waiting.waits) == ("plain", Waits.QUIET)
    assert waiting.until is not None
    assert (waiting.until - waiting.since).total_seconds() == 90


async def test_an_equal_request_is_served_by_the_item_that_stands_there(server: JenkinsServer, jenkins: Source) -> None:
    first = await jenkins.trigger("train", {"PROJECT": "fraud"})
    again = await jenkins.trigger("train", {"PROJECT": "fraud"})
    other = await jenkins.trigger("train", {"PROJECT": "vision"})
    assert (first.already, again.already, other.already) == (False, True, False)
    assert again.item_id == first.item_id != other.item_id
    # Followed, the answer would lead to a page that does not exist.
    assert not [line for line in server.requests if line.rstrip("/").endswith(f"queue/item/{first.item_id}")]


async def test_an_equal_request_without_parameters_is_known_by_its_causes(jenkins: Source) -> None:
    """Jenkins answers 201 to both."""
    first = await jenkins.trigger("plain", None, delay=60)
    again = await jenkins.trigger("plain", None, delay=60)
    assert (first.already, again.already) == (False, True)
    assert first.item_id == again.item_id


async def test_what_is_left_out_gets_its_default(world: World, server: JenkinsServer, jenkins: Source) -> None:
    queued = await jenkins.trigger("train", {})
    assert [one.value for one in world.controller.queue[queued.item_id].parameters] == ["churn", ""]


async def test_a_job_with_parameters_wants_them(jenkins: Source) -> None:
    error = await refused(jenkins, "train")
    assert error.trouble is Trouble.BAD_PARAMETER
    assert error.reason == "train has parameters, and Jenkins starts it only with them (400)."


async def test_a_value_outside_of_the_choices_is_named(jenkins: Source) -> None:
    """Jenkins itself says nothing but a logging id."""
    error = await refused(jenkins, "train", {"PROJECT": "n\x1b[2Jope", "NOTE": "x"})
    assert error.trouble is Trouble.BAD_PARAMETER
    assert error.reason.endswith(" cannot be nope. It is one of: churn, fraud, vision.")
    assert error.reason.startswith("PROJECT of train")


async def test_parameters_for_a_job_that_has_none(jenkins: Source) -> None:
    error = await refused(jenkins, "plain", {"PROJECT": "fraud"})
    assert error.trouble is Trouble.BAD_PARAMETER
    assert "plain has no parameters." in error.reason


async def test_a_branch_knows_its_parameters_only_after_its_first_build(world: World, jenkins: Source) -> None:
    world.controller.add_multibranch("repo", {"feature/x": ("c" * 40, Pipeline((Say("hi"),)))}, parameters=TRAIN)
    world.controller.scan("repo")
    error = await refused(jenkins, "repo/feature%2Fx", {"PROJECT": "fraud"})
    assert error.trouble is Trouble.BAD_PARAMETER
    assert "only after its first build" in error.reason
    world.tick(60)
    world.tick(60)
    assert (await jenkins.trigger("repo/feature%2Fx", {"PROJECT": "fraud"})).item_id


async def test_a_fault_that_has_nothing_to_do_with_the_values_is_none_of_theirs(server: JenkinsServer, jenkins: Source) -> None:
    server.fault(Fault.OOPS, match="buildWithParameters")
    error = await refused(jenkins, "train", {"PROJECT": "fraud"})
    assert error.trouble is Trouble.FAULT
    assert "its log has the cause under " in error.reason
    assert len(posts(server)) == 1


async def test_a_delay_before_now_is_not_asked_for(server: JenkinsServer, jenkins: Source) -> None:
    with pytest.raises(JenkinsError) as raised:
        await jenkins.trigger("plain", None, delay=-1)
    assert raised.value.trouble is Trouble.BAD_PARAMETER
    assert server.requests == []


async def test_disabled_jobs_and_dead_branches(world: World, jenkins: Source) -> None:
    world.controller.add_job("off", SCRIPT, disabled=True)
    project = world.controller.add_multibranch("repo", {"old": ("c" * 40, SCRIPT)})
    world.controller.scan("repo")
    project.branches = {}
    world.controller.scan("repo")
    for job in ("off", "repo/old"):
        error = await refused(jenkins, job)
        assert error.trouble is Trouble.DISABLED
        assert error.reason == f"Jenkins does not build {job}: it is disabled, or its branch is gone."


async def test_folders_and_what_is_not_there(world: World, jenkins: Source) -> None:
    world.controller.add_folder("team")
    for job in ("team", "none", "team/none"):
        error = await refused(jenkins, job)
        assert error.trouble is Trouble.NOT_FOUND
        assert error.reason == f"Jenkins has no job {job} (a folder is none), or hides it from operator."


async def test_a_project_of_branches_is_scanned_and_that_is_said(world: World, jenkins: Source) -> None:
    world.controller.add_multibranch("repo", {"main": ("c" * 40, SCRIPT)})
    error = await refused(jenkins, "repo")
    assert error.trouble is Trouble.REFUSED
    assert error.reason == "repo is no job but a project of branches: Jenkins scans it now, and starts no build of it."


@pytest.mark.parametrize(
    ("permissions", "expected", "permission"),
    [(VIEWER, Trouble.NOT_PERMITTED, "Job/Build"), (LIMITED, Trouble.NOT_FOUND, None)],
)
async def test_who_may_not_build(
    world: World, jenkins: Source, permissions: frozenset[Permission], expected: Trouble, permission: str | None
) -> None:
    allow(world.controller, permissions)
    error = await refused(jenkins, "plain")
    assert (error.trouble, error.permission) == (expected, permission)
    assert "operator" in error.reason


async def test_while_it_shuts_down_a_request_is_taken_and_held(world: World, jenkins: Source) -> None:
    world.controller.quiet_down()
    queued = await jenkins.trigger("plain", None)
    assert queued.held
    assert jenkins.controller.quieting_down


async def test_a_shut_down_that_is_called_off_is_noticed(world: World, jenkins: Source) -> None:
    await jenkins.jobs()
    world.controller.quiet_down()
    await jenkins.trigger("plain", None, delay=60)
    world.controller.quiet_down(on=False)
    await jenkins.jobs()
    assert not jenkins.controller.quieting_down


async def test_names_with_blanks_slashes_and_other_letters(world: World, server: JenkinsServer, jenkins: Source) -> None:
    world.controller.add_folder("team a")
    world.controller.add_folder("team a/入れ子 dir")
    names = ["team a/入れ子 dir/copy data", "team a/50% off?#1", "team a/grün+blau"]
    for name in names:
        world.controller.add_job(name, SCRIPT)
    found = [(await jenkins.trigger(name, None)).item_id for name in names]
    assert [world.controller.queue[number].job.full_name for number in found] == names  # type: ignore[union-attr]
    told = [await jenkins.queue_item(number) for number in found]
    assert [one.job for one in told] == names


async def test_below_a_base_path(world: World) -> None:
    with JenkinsServer(world.controller, prefix="/ci/jenkins") as server:
        async with source_at(server) as jenkins:
            queued = await jenkins.trigger("plain", None)
            world.tick(10)
            left = await jenkins.queue_item(queued.item_id)
    assert left == LeftItem(1, clean("plain"), BuildRef(clean("plain"), 1), cancelled=False)
    assert posts(server) == ["POST /ci/jenkins/job/plain/build"]


# Where Jenkins itself is not well


async def test_a_controller_that_is_not_there_yet(world: World, jenkins: Source) -> None:
    world.controller.restart(stopping=5, down=0, starting=5)
    assert (await refused(jenkins, "plain")).trouble is Trouble.RESTARTING
    world.tick(6)
    assert (await refused(jenkins, "plain")).trouble is Trouble.STARTING
    world.tick(5)
    assert (await jenkins.trigger("plain", None)).item_id == 1


async def test_a_controller_broken_by_its_configuration(world: World, jenkins: Source) -> None:
    world.controller.restart(stopping=0, down=0, starting=0, broken=True)
    world.tick(1)
    error = await refused(jenkins, "plain")
    assert error.trouble is Trouble.BROKEN
    assert "UnknownAttributesException" in error.reason


async def test_a_token_that_is_not_taken_any_more(world: World, jenkins: Source) -> None:
    world.controller.users["operator"].tokens.clear()
    error = await refused(jenkins, "plain")
    assert error.trouble is Trouble.NOT_AUTHENTICATED
    assert "mlops-console login" in error.reason


async def test_a_page_of_a_proxy_is_no_answer(server: JenkinsServer, jenkins: Source) -> None:
    server.fault(Fault.PROXY_200, match="/build")
    assert (await refused(jenkins, "plain")).trouble is Trouble.NOT_JENKINS
    server.fault(Fault.PROXY_502, match="/build")
    error = await refused(jenkins, "plain")
    assert error.trouble is Trouble.UNREACHABLE
    assert "It may have taken the request all the same" in error.reason


async def test_a_connection_that_breaks_is_never_tried_twice(server: JenkinsServer, jenkins: Source) -> None:
    """Whether it was taken is not known: then a second request could be a second training."""
    server.fault(Fault.RESET, match="/build")
    error = await refused(jenkins, "plain")
    assert (error.trouble, error.unsure) == (Trouble.UNREACHABLE, True)
    assert "It may have taken the request all the same" in error.reason
    assert len(posts(server)) == 1


async def test_one_that_takes_no_connection_has_not_taken_it(server: JenkinsServer, jenkins: Source) -> None:
    server.refuse()
    error = await refused(jenkins, "plain")
    assert (error.trouble, error.unsure) == (Trouble.UNREACHABLE, False)
    assert error.reason.endswith(": connection refused.")


async def test_one_that_hangs_may_have_taken_it(server: JenkinsServer) -> None:
    server.fault(Fault.HANG, seconds=30, match="/build")
    async with source_at(server, patience=0.3) as jenkins:
        error = await refused(jenkins, "plain")
    assert "timed out after 0.3s" in error.reason
    assert "It may have taken the request all the same" in error.reason


async def test_behind_a_proxy_that_hides_what_answers(server: JenkinsServer, jenkins: Source, world: World) -> None:
    """Jetty's own pages have no mark of Jenkins, and its name is not told any more."""
    server.name = "nginx"
    assert (await refused(jenkins, "train")).trouble is Trouble.BAD_PARAMETER
    world.controller.add_multibranch("repo", {"main": ("c" * 40, SCRIPT)})
    assert (await refused(jenkins, "repo")).trouble is Trouble.REFUSED
    first = await jenkins.trigger("train", {})
    assert (await jenkins.trigger("train", {})).item_id == first.item_id


# Items of the queue


async def test_what_became_of_an_item(world: World, server: JenkinsServer, jenkins: Source) -> None:
    queued = await jenkins.trigger("plain", None)
    world.tick(10)
    built = await jenkins.queue_item(queued.item_id)
    assert built == LeftItem(queued.item_id, clean("plain"), BuildRef(clean("plain"), 1), cancelled=False)
    dropped = await jenkins.trigger("plain", None, delay=60)
    world.controller.cancel(dropped.item_id)
    assert await jenkins.queue_item(dropped.item_id) == LeftItem(dropped.item_id, clean("plain"), None, cancelled=True)
    world.tick(301)
    with pytest.raises(JenkinsError) as raised:
        await jenkins.queue_item(queued.item_id)
    assert raised.value.trouble is Trouble.NOT_FOUND
    # Then the build is found by the id that it was queued under.
    assert (await jenkins.build(BuildRef(clean("plain"), 1))).queue_id == queued.item_id


async def test_ids_that_begin_again_are_told_by_session_and_job(world: World, jenkins: Source) -> None:
    first = await jenkins.trigger("plain", None)
    world.tick(10)
    world.controller.restart(stopping=0, down=0, starting=0, ids_anew=True)
    world.tick(1)
    second = await jenkins.trigger("train", {"PROJECT": "fraud"})
    assert first.item_id == second.item_id
    assert first.session != second.session
    assert (await jenkins.queue_item(first.item_id)).job == "train"


async def test_an_item_that_waits_for_a_node(world: World, jenkins: Source) -> None:
    world.controller.add_job("gpu", Pipeline((Fail("no"),)), kind=Kind.FREESTYLE, label="gpu", quiet_period=0)
    queued = await jenkins.trigger("gpu", None)
    world.tick(1)
    waiting = await jenkins.queue_item(queued.item_id)
    assert isinstance(waiting, QueueItem)
    assert (waiting.waits, waiting.stuck) == (Waits.BUILDABLE, True)
