"""Builds' logs in the log view: everything it does with containers' logs, and both together by time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from console.logs.target import BuildTarget, LogTarget, Target, build_target
from console.model.build import BuildRef, Result
from console.model.container import Container
from console.model.jenkins import Controller, JenkinsError, JenkinsWorld, Trouble, Work
from console.model.source import SourceState, SourceStatus
from console.model.state import State, StateClass, state
from console.text import clean
from console.ui.logtargets import LogOwner, target_of
from console.ui.screens.log import LogScreen
from console.ui.screens.main import MainScreen
from tests.console.fakes import container
from tests.console.logs.builds import AWAY, REVOKED, TRAIN, FakeJenkins, note, stamped
from tests.console.logs.engine import LogEngine
from tests.console.ui.logapp import Sitting, entry, looking_at
from tests.console.ui.pressing import main_of
from tests.console.ui.screenapp import still
from tests.support.waiting import until

TARGET = build_target(TRAIN, "train #12")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.logs.buildlog.QUICK_SECONDS", 0.005)
    monkeypatch.setattr("console.logs.buildlog.SLOW_SECONDS", 0.01)


def numbered(count: int) -> FakeJenkins:
    """A log with a time in front of each line, a second apart from noon on."""
    jenkins = FakeJenkins()
    jenkins.piece = 65536
    jenkins.say(*(stamped(number, f"line {number}") for number in range(count)))
    return jenkins


@asynccontextmanager
async def log_of(
    jenkins: FakeJenkins | SourceStatus | None,
    *,
    engine: LogEngine | None = None,
    containers: Sequence[Container] = (),
    size: tuple[int, int] = (80, 24),
    at_error: bool = False,
) -> AsyncIterator[Sitting]:
    """The log of the build opened from the main screen."""
    async with looking_at(engine or LogEngine(), containers, size, opened="") as sitting:
        watch = still(sitting.app)
        watch.log_jenkins = jenkins
        main = main_of(sitting.app)
        await sitting.app.push_screen(LogScreen(main, [TARGET], at_error=at_error))
        await sitting.pilot.pause()
        yield sitting


async def test_the_newest_lines_are_there_and_more_come_by_themselves() -> None:
    jenkins = numbered(100)
    async with log_of(jenkins) as sitting:
        await sitting.shows("line 99", "following", "train #12 › log")
        assert sitting.lines[-1] == " 12:01:39   line 99"
        assert " Log  100 lines, 12:00 to 12:01" in sitting.title
        jenkins.say(stamped(100, "line 100"))
        await sitting.shows("line 100")
        assert "following" in sitting.status


async def test_older_lines_are_read_when_the_reader_asks_for_them() -> None:
    jenkins = numbered(30_000)
    async with log_of(jenkins) as sitting:
        await sitting.shows("line 29999")
        assert sitting.screen.feed.store.first > -2000
        await sitting.press("g")
        await sitting.shows("line 0", "30,000 lines")
        assert sitting.lines[0].endswith("line 0")
        store = sitting.screen.feed.store
        texts = [row.text.decode() for row in store.rows(store.first, store.end)]
        assert texts == [f"line {number}" for number in range(30_000)]


async def test_search_filter_levels_and_folding_work_as_for_containers() -> None:
    jenkins = numbered(2000)
    trace = ["Traceback (most recent call last):", '  File "train.py", line 1, in <module>', "RuntimeError: out of memory"]
    jenkins.say("ERROR: bad", *trace, "Finished: FAILURE")
    async with log_of(jenkins) as sitting:
        await sitting.shows("RuntimeError: out of memory  +2 lines")
        await sitting.press("/")
        await sitting.type("line 77$")
        await sitting.press("enter")
        await sitting.shows("1 of 1")
        assert sitting.cursor.endswith("line 77")
        await sitting.press("escape", "&")
        await sitting.type("bad")
        await sitting.press("enter")
        await sitting.shows("& bad hides")
        assert [line.split()[-1] for line in sitting.lines] == ["bad"]


async def test_it_opens_at_the_newest_error() -> None:
    jenkins = numbered(1000)
    jenkins.say(stamped(1000, "ERROR: it broke"), *(stamped(1001 + number, f"after {number}") for number in range(500)))
    async with log_of(jenkins, at_error=True) as sitting:
        await sitting.shows("ERROR: it broke")
        assert sitting.cursor.endswith("ERROR: it broke")


async def test_a_moment_is_gone_to() -> None:
    async with log_of(numbered(3000)) as sitting:
        await sitting.shows("line 2999")
        await sitting.press("T")
        await sitting.type("2026-11-23T12:10:00Z")
        await sitting.press("enter")
        await sitting.shows("line 600")
        assert sitting.cursor.endswith("line 600")


async def test_a_line_is_copied_as_it_is_shown() -> None:
    jenkins = numbered(3)
    jenkins.write(note() + b"[Pipeline] sh\n\x1b[31mred\x1b[0m\n")
    async with log_of(jenkins) as sitting:
        await sitting.shows("[Pipeline] sh", "red")
        await sitting.press("k", "y")
        assert sitting.copied == "[Pipeline] sh"


async def test_a_bar_is_shown_as_it_is_now() -> None:
    jenkins = numbered(2)
    jenkins.write(b" 10%\r 20%")
    async with log_of(jenkins) as sitting:
        await sitting.shows("20%")
        jenkins.write(b"\r100%\n")
        await sitting.shows("100%")
        await sitting.lacks("20%")


async def test_jenkins_going_away_is_told_in_the_log_and_lines_come_again() -> None:
    jenkins = numbered(3)
    async with log_of(jenkins) as sitting:
        await sitting.shows("line 2")
        jenkins.lasting = AWAY
        await sitting.shows("connection refused")
        jenkins.say(stamped(3, "line 3"))
        jenkins.lasting = None
        await sitting.shows("Jenkins answers again", "line 3")


async def test_the_end_of_the_build_is_told() -> None:
    jenkins = numbered(3)
    async with log_of(jenkins) as sitting:
        await sitting.shows("line 2")
        jenkins.end(Result.FAILURE)
        await sitting.shows("train #12 has ended: failed.")


async def test_a_token_that_is_revoked_is_told_below_the_lines() -> None:
    jenkins = numbered(3)
    async with log_of(jenkins) as sitting:
        await sitting.shows("line 2")
        jenkins.lasting = REVOKED
        await sitting.shows("line 2", "refuses the token of operator (401)", "following")
        jenkins.say(stamped(3, "line 3"))
        jenkins.lasting = None
        await sitting.shows("line 3", "Jenkins answers again", "following")


async def test_a_log_that_has_ended_is_followed_no_more() -> None:
    jenkins = numbered(3)
    async with log_of(jenkins) as sitting:
        await sitting.shows("line 2", "following")
        jenkins.end(Result.FAILURE)
        await until(lambda: sitting.status.rstrip().endswith("ended"), "the end to be told")
        assert "following" not in sitting.status
        await sitting.shows("train #12 has ended: failed.")


async def test_a_build_that_is_deleted_or_forbidden_is_followed_no_more() -> None:
    for error in (
        JenkinsError(Trouble.NOT_FOUND, "Jenkins has no log of train #12."),
        JenkinsError(Trouble.NOT_PERMITTED, "Jenkins: user operator lacks Job/Read."),
    ):
        jenkins = numbered(3)
        async with log_of(jenkins) as sitting:
            await sitting.shows("line 2", "following")
            jenkins.lasting = error
            await until(lambda: sitting.status.rstrip().endswith("ended"), "the end to be told")


@pytest.mark.parametrize(
    ("jenkins", "says"),
    [
        (None, "Jenkins is not configured. Run: mlops-console login"),
        (SourceStatus(SourceState.DENIED, clean("There is no token for http://ci.")), "There is no token for http://ci."),
    ],
)
async def test_without_jenkins_it_says_why_there_is_nothing(jenkins: SourceStatus | None, says: str) -> None:
    async with log_of(jenkins) as sitting:
        await sitting.shows(says)


async def test_a_build_that_is_gone_is_told_where_lines_would_be() -> None:
    jenkins = FakeJenkins()
    jenkins.lasting = JenkinsError(Trouble.NOT_FOUND, "Jenkins has no build train #12, or hides it from operator.")
    async with log_of(jenkins) as sitting:
        await sitting.shows("Jenkins has no build train #12, or hides it from operator.")


async def test_a_log_that_is_opened_while_jenkins_is_away_comes_when_jenkins_does() -> None:
    jenkins = numbered(3)
    jenkins.lasting = AWAY
    async with log_of(jenkins) as sitting:
        await sitting.shows("connection refused")
        jenkins.lasting = None
        await sitting.shows("line 2", "following")


async def test_a_stage_shows_what_its_steps_print() -> None:
    jenkins = numbered(3)
    jenkins.steps = {"7": b"+ make\nbuilt\n", "9": b"+ train\nepoch 1\n"}
    async with looking_at(LogEngine(), [], opened="") as sitting:
        still(sitting.app).log_jenkins = jenkins
        main = main_of(sitting.app)
        stage = build_target(TRAIN, "train #12 Train", stage=jenkins.stage.id)
        await sitting.app.push_screen(LogScreen(main, [stage]))
        await sitting.shows("train #12 Train › log", "epoch 1", "following")
        assert [" ".join(line.split()[1:]) for line in sitting.lines] == ["+ make", "built", "+ train", "epoch 1"]
        jenkins.steps["9"] += b"epoch 2\n"
        await sitting.shows("epoch 2")


# Together with containers


def with_build(engine: LogEngine) -> Container:
    labels = {clean("mlops.job"): clean("train"), clean("mlops.build"): clean("12"), clean("mlops.managed"): clean("true")}
    engine.one = replace(engine.one, labels={**engine.one.labels, **labels})
    engine.held = {engine.one.id: engine.one}
    return engine.one


def jenkins_world(jenkins: FakeJenkins) -> JenkinsWorld:
    job = jenkins.job
    return JenkinsWorld(clean("http://ci"), Controller(None, None), Work((), (), frozenset({TRAIN})), {job.full_name: job})


async def test_a_training_and_its_build_are_one_log_by_time() -> None:
    engine = LogEngine()
    trainer = with_build(engine)
    engine.store(*(entry(number, f"epoch {number}", at=number + 0.5) for number in range(5)))
    jenkins = numbered(5)
    async with looking_at(engine, [trainer], (100, 24), opened="") as sitting:
        watch = still(sitting.app)
        watch.log_jenkins = jenkins
        assert watch.world is not None
        watch.give(replace(watch.world, jenkins=jenkins_world(jenkins)))
        await sitting.press("L")
        await sitting.shows("epoch 4", "following")
        await sitting.press("M")
        await sitting.shows("Sources", "train #12")
        await sitting.press("enter")
        await sitting.shows("merged by time:", "a train", "b train #12", "line 4", "epoch 4")
        words = [" ".join(line.split()[-2:]) for line in sitting.lines]
        assert words == [f"{what} {number}" for number in range(5) for what in ("line", "epoch")]
        engine.say(entry(6, "epoch 6", at=6.5))
        jenkins.say(stamped(7, "line 7"))
        await sitting.shows("epoch 6", "line 7")


async def test_without_jenkins_the_container_is_read_all_the_same() -> None:
    engine = LogEngine()
    engine.store(*(entry(number, f"epoch {number}") for number in range(5)))
    async with looking_at(engine, [engine.one], opened="") as sitting:
        main = main_of(sitting.app)
        assert main.row is not None
        await sitting.app.push_screen(LogScreen(main, [target_of(main.row), TARGET]))
        await sitting.shows("epoch 4", "Jenkins is not configured")


async def test_a_build_whose_jenkins_is_away_keeps_no_container_waiting_and_comes_later() -> None:
    engine = LogEngine()
    engine.store(*(entry(number, f"epoch {number}") for number in range(5)))
    jenkins = numbered(3)
    jenkins.lasting = AWAY
    async with looking_at(engine, [engine.one], opened="") as sitting:
        still(sitting.app).log_jenkins = jenkins
        main = main_of(sitting.app)
        assert main.row is not None
        await sitting.app.push_screen(LogScreen(main, [target_of(main.row), TARGET]))
        await sitting.shows("epoch 4", "connection refused")
        engine.say(entry(6, "epoch 6"))
        await sitting.shows("epoch 6")
        jenkins.lasting = None
        await sitting.shows("line 0", "line 2")
        assert sitting.text.count("connection refused") == 1


async def test_builds_are_opened_by_name() -> None:
    jenkins = numbered(5)
    async with looking_at(LogEngine(), [], opened="") as sitting:
        watch = still(sitting.app)
        watch.log_jenkins = jenkins
        assert watch.world is not None
        watch.give(replace(watch.world, jenkins=jenkins_world(jenkins)))
        for word in ("train#12", "train#last"):
            await until(lambda: sitting.app.world is watch.world)
            front = main_of(sitting.app)
            front.action_logs_of([word])
            await sitting.shows("train #12 › log", "running", "line 4")
            await sitting.press("q")
        front = main_of(sitting.app)
        front.action_logs_of(["train#x"])
        await sitting.shows("nothing here is called train#x")


# Opened by another screen


class _Builds:
    """What a list of builds would be to its logs."""

    def __init__(self, main: MainScreen) -> None:
        self.look = main.look
        self.at = 12

    def log_neighbour(self, way: int) -> Sequence[Target]:
        self.at += way
        return [build_target(BuildRef(clean("train"), self.at), f"train #{self.at}")] if self.at <= 12 else []

    def log_problem(self) -> Sequence[Target]:
        return []

    def log_state(self, target: Target) -> State | None:
        assert isinstance(target, BuildTarget)
        return state(StateClass.BROKEN, f"no {target.ref.number}")


async def test_any_screen_can_own_a_log_and_step_through_its_things() -> None:
    jenkins = numbered(3)
    async with looking_at(LogEngine(), [], opened="") as sitting:
        still(sitting.app).log_jenkins = jenkins
        main = main_of(sitting.app)
        owner: LogOwner = _Builds(main)
        await sitting.app.push_screen(LogScreen(owner, [TARGET]))
        await sitting.shows("line 2", "no 12")
        await sitting.press("[")
        await sitting.shows("train #11 › log", "no 11", "Jenkins has no build train #11")
        await sitting.press("]")
        await sitting.shows("train #12 › log", "line 2")
        await sitting.press("]")
        await sitting.shows("train #12 › log", "line 2")


def test_a_target_is_named_as_people_type_it() -> None:
    assert TARGET.called == "train#12"
    assert TARGET.key == "build/train#12"
    step = build_target(TRAIN, "train #12 sh", step=clean("17"))
    assert step.key != TARGET.key
    assert isinstance(TARGET, BuildTarget)
    assert not isinstance(TARGET, LogTarget)
    assert not TARGET.belongs(container("train"))
