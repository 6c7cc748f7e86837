"""A reader that asks for little sees the same as one that asks for everything, whatever happens between two looks."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from functools import partial

import pytest

from console.demo.controller import Kind, Link, Node, OnNode, Pipeline, Sh, Wait
from console.model.jenkins import JenkinsError, Trouble, Waits, Work
from console.sources.jenkins import lately
from console.sources.jenkins.source import JenkinsServer
from console.text import clean
from tests.support.jenkins.asking import asking
from tests.support.jenkins.crowd import USER, crowd, work
from tests.support.jenkins.server import JenkinsServer as Front
from tests.support.jenkins.world import START
from tests.support.recorded import Exchange, replaying


class Lab:
    """A crowded controller whose clock the test moves, watched since before anything happened."""

    def __init__(self) -> None:
        self.at = START
        self.controller = crowd(lambda: self.at, 12)
        for name in ("shell", "shell-2"):
            script = Pipeline((Sh("make", ("ok", 60.0)),))
            job = self.controller.add_job(name, script, kind=Kind.FREESTYLE, label="docker", concurrent=False)
            job.next_number = 40
        machine = self.controller.add_node(Node("only", ("one",), 1, exclusive=True))
        assert not machine.offline
        held = Pipeline((OnNode("one", (Sh("make", ("ok", 20.0)),)), Wait(600)), declarative=False)
        for number, name in ((7, "first"), (8, "second")):
            self.controller.add_job(name, held).next_number = number
        self.names: list[str] = []

    def tick(self, seconds: float) -> None:
        self.at += round(seconds * 1000)
        self.controller.advance()

    def busy(self) -> None:
        """Two trainings on nodes, a third that waits for one."""
        self.names = work(self.controller)
        self.tick(10)

    def builds(self) -> list[tuple[str, int]]:
        return list(self.controller.runs)


def a_build_begins(lab: Lab) -> None:
    work(lab.controller, 4)
    lab.tick(10)


def a_build_ends(lab: Lab) -> None:
    name, number = lab.builds()[0]
    lab.controller.stop(name, number, by=USER)
    lab.tick(30)


def another_takes_its_executor(lab: Lab) -> None:
    """The same number on the same executor, within one look."""
    lab.controller.trigger("shell", by=USER, delay=0)
    lab.tick(1)


def a_shell_gives_way_to_another(lab: Lab) -> None:
    lab.controller.stop("shell", 40, by=USER)
    lab.tick(2)
    lab.controller.trigger("shell-2", by=USER, delay=0)
    lab.tick(1)


def one_waits_for_the_executor_of_another(lab: Lab) -> None:
    lab.controller.trigger("first", by=USER, delay=0)
    lab.tick(1)
    lab.controller.trigger("second", by=USER, delay=0)
    lab.tick(1)


def it_is_handed_on(lab: Lab) -> None:
    """Both Pipelines run before and after; only the executor has changed hands."""
    lab.tick(25)
    assert [build for build, _ in lab.builds() if build in ("first", "second")] == ["first", "second"]


def a_node_goes(lab: Lab) -> None:
    lab.controller.set_link("builder-1", Link.BROKEN)


def a_node_tries_again(lab: Lab) -> None:
    lab.controller.set_link("trainer-3", Link.CONNECTING)


def it_comes(lab: Lab) -> None:
    lab.controller.set_link("trainer-3", Link.ONLINE)


def a_node_is_set_off_line(lab: Lab) -> None:
    lab.controller.toggle_offline("builder-1", "cleaning")


def a_request_waits_in_its_quiet_period(lab: Lab) -> None:
    lab.controller.trigger(lab.names[0], by=USER, delay=60)


def it_becomes_buildable(lab: Lab) -> None:
    lab.controller.trigger("shell", by=USER, delay=2)
    lab.controller.set_link("builder-1", Link.BROKEN)
    lab.tick(0.5)


def it_gets_stuck(lab: Lab) -> None:
    lab.tick(10)


def all_its_nodes_go(lab: Lab) -> None:
    for name in ("trainer-1", "trainer-2"):
        lab.controller.set_link(name, Link.BROKEN)
    lab.tick(6)


def it_is_asked_for_once_more(lab: Lab) -> None:
    """The first one runs, the second waits out a quiet period."""
    lab.controller.trigger("shell", by=USER, delay=0)
    lab.tick(1)
    lab.controller.trigger("shell", by=USER, delay=5)


def it_is_blocked(lab: Lab) -> None:
    lab.tick(11)


def an_item_is_cancelled(lab: Lab) -> None:
    lab.controller.cancel(lab.controller.waiting_items[0].id)
    lab.tick(1)


HAPPENINGS: dict[str, tuple[Callable[[Lab], None], ...]] = {
    "begins": (a_build_begins,),
    "ends": (a_build_ends,),
    "swapped": (another_takes_its_executor, a_shell_gives_way_to_another),
    "handed-on": (one_waits_for_the_executor_of_another, it_is_handed_on),
    "node-gone": (a_node_goes,),
    "node-tries": (a_node_tries_again, it_comes),
    "node-set-off": (a_node_is_set_off_line,),
    "queued": (a_request_waits_in_its_quiet_period,),
    "stuck": (it_becomes_buildable, it_gets_stuck),
    "stuck-later": (all_its_nodes_go,),
    "blocked": (it_is_asked_for_once_more, it_is_blocked),
    "cancelled": (an_item_is_cancelled,),
}


@pytest.fixture
def lab() -> Lab:
    return Lab()


@pytest.fixture
def front(lab: Lab) -> Iterator[Front]:
    with Front(lab.controller) as server:
        yield server


@pytest.fixture
async def watching(front: Front) -> AsyncIterator[JenkinsServer]:
    async with asking(front.url) as source:
        yield source


def let(front: Front, happening: Callable[[], object]) -> None:
    """Let something happen between two looks; the Date of the answers stays that of this machine."""
    with front.lock:
        happening()
        front.date_offset = time.time() - front.controller.now / 1000


async def whole(front: Front) -> Work:
    """The same, read by somebody who knows nothing yet."""
    async with asking(front.url) as source:
        return await source.work()


@pytest.mark.parametrize("name", HAPPENINGS)
async def test_whatever_happens_is_seen_at_the_next_look(lab: Lab, front: Front, watching: JenkinsServer, name: str) -> None:
    let(front, lab.busy)
    before = await watching.work()
    assert before.running
    for happening in HAPPENINGS[name]:
        let(front, partial(happening, lab))
        after, expected = await watching.work(), await whole(front)
        assert without_clock(after) == without_clock(expected)
        assert without_clock(after) != without_clock(before)
        before = after


async def test_a_look_at_what_stands_still_is_the_same_and_small(lab: Lab, front: Front, watching: JenkinsServer) -> None:
    let(front, lab.busy)
    before = await watching.work()
    front.forget()
    assert await watching.work() == before
    assert len(front.requests) == 2
    assert not [line for line in front.requests if "displayName" in line or "causes" in line]


async def test_after_a_start_the_same_ids_mean_something_else(lab: Lab, front: Front, watching: JenkinsServer) -> None:
    """The queue of the new process begins at 1 again: an item that looks like one of before has other words."""
    lab.controller.next_queue_id = 1
    lab.controller.trigger("shell", by=USER, delay=600)
    first = await watching.work()
    with front.lock:
        lab.controller.cancel(1)
        del lab.controller.queue[1]
        lab.controller.restarts += 1
        lab.controller.next_queue_id = 1
        lab.controller.trigger("shell-2", by=USER, delay=600)
    second = await watching.work()
    assert [(item.id, item.job) for item in first.queue] == [(1, clean("shell"))]
    assert [(item.id, item.job) for item in second.queue] == [(1, clean("shell-2"))]


async def test_what_is_about_to_begin_is_looked_at_closely() -> None:
    """`pending` stands in the whole answer only, so one that said so is asked for again."""
    with replaying() as replayer:
        replayer.put("/computer/api/json", "computer")
        async with asking(replayer.url) as source:
            replayer.put("/queue/api/json", waiting(pending=True))
            assert [item.waits for item in (await source.work()).queue] == [Waits.PENDING]
            replayer.put("/queue/api/json", waiting(pending=False))
            assert [item.waits for item in (await source.work()).queue] == [Waits.BUILDABLE]
            assert {name for sent in replayer.headers for name in sent} == {
                "host",
                "authorization",
                "user-agent",
                "accept-encoding",
            }


def test_the_library_comes_without_its_command_line() -> None:
    """It would load rich and pygments for every command that asks Jenkins."""
    program = (
        "import sys; from console.sources.jenkins.client import Access, Client;"
        "from console.sources.jenkins.address import parse; Client(Access(parse('http://127.0.0.1:1/'), 'a', None))._open();"
        "print('httpx' in sys.modules, 'rich' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]


def waiting(*, pending: bool) -> Exchange:
    kind = "hudson.model.Queue$BuildableItem"
    item = {"_class": kind, "id": 4, "inQueueSince": START, "stuck": False, "pending": pending, "why": "x"}
    headers = (("content-type", "application/json;charset=utf-8"), ("x-jenkins", "2.421"))
    return Exchange("queue", "GET", "/queue/api/json", 200, headers, json.dumps({"items": [item]}))


def without_clock(work: Work) -> Work:
    """A sentence of Jenkins' may hold seconds that run."""
    return replace(work, queue=tuple(replace(item, why=clean("")) for item in work.queue))


async def test_being_told_to_end_is_not_forgotten_when_a_part_fails_in_the_same_moment() -> None:
    """gather gives the error of the part; whoever goes on after errors would then go on for ever."""

    async def fails() -> int:
        # Before what awaits it hears of its end.
        asyncio.get_running_loop().call_soon(both.cancel)
        raise JenkinsError(Trouble.FAULT, "it failed")

    async def hangs() -> int:
        await asyncio.Event().wait()
        return 1

    both = asyncio.create_task(lately._both(hangs(), fails()))
    with pytest.raises(asyncio.CancelledError):
        await both
