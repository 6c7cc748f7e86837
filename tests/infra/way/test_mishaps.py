"""Something on the way is down while a release is sent: the sender tries again, and what has come in twice is built once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.infra.way.conftest import Send
from tests.support.waiting import until_sync
from tests.support.way import PATH, Way


def _one_build(way: Way, delivery: str) -> None:
    (item,) = way.jenkins.trigger.leave_queue()
    assert set(item.causes) == {f"release of project-a (delivery {delivery})"}


def _frps(way: Way) -> tuple[Callable[[], None], Callable[[], None]]:
    return lambda: way.frps.stop(at_once=True), way.frps.start


def _frpc(way: Way) -> tuple[Callable[[], None], Callable[[], None]]:
    def stop() -> None:
        way.client.program.stop(at_once=True)
        until_sync(lambda: not way.ask("GET", PATH, at="vhost").by_gate, "frps to have noticed")

    return stop, way.client.program.start


def _gate(way: Way) -> tuple[Callable[[], None], Callable[[], None]]:
    return way.gate.stop, way.gate.start


def _gate_killed(way: Way) -> tuple[Callable[[], None], Callable[[], None]]:
    return lambda: way.gate.stop(at_once=True), way.gate.start


def _front(way: Way) -> tuple[Callable[[], None], Callable[[], None]]:
    def start() -> None:
        way.front.start()
        until_sync(lambda: _greets(way), "the front to be back")

    return way.front.stop, start


def _jenkins(way: Way) -> tuple[Callable[[], None], Callable[[], None]]:
    return way.jenkins.stop, way.jenkins.start


def _greets(way: Way) -> bool:
    try:
        way.connect().close()
    except OSError:
        return False
    return True


# What is down, and how the sender's first try ends.
DOWN = {
    "frps": (_frps, "502 without the gate's mark"),
    "frpc": (_frpc, "the tunnel is down (404 without the gate's mark)"),
    "gate": (_gate, "the tunnel is down (404 without the gate's mark)"),
    "gate-killed": (_gate_killed, "the tunnel is down (404 without the gate's mark)"),
    "front": (_front, "no answer: Connection refused"),
    "jenkins": (_jenkins, "Jenkins is not there (502)"),
}


@pytest.mark.parametrize("name", DOWN)
def test_it_is_down_and_comes_back(way: Way, send: Send, name: str) -> None:
    make, words = DOWN[name]
    stop, start = make(way)
    stop()
    up = False

    def pause() -> None:
        nonlocal up
        assert not up, "a third try"
        assert way.jenkins.arrived == []
        start()
        way.until_open()
        up = True

    try:
        # Patience that has ended before it began: one try, and its words.
        (sent,) = send(patience=0.0)
        assert (sent.queued, sent.tries) == (False, 1)
        assert sent.answer.words.startswith(words)
        (sent,) = send(pause=pause)
    finally:
        if not up:
            start()
            way.until_open()
    assert (sent.queued, sent.tries) == (True, 2)
    assert len(way.jenkins.arrived) == 1
    _one_build(way, sent.delivery)


def test_jenkins_is_away_for_several_tries(way: Way, send: Send) -> None:
    way.jenkins.stop()
    pauses: list[None] = []

    def pause() -> None:
        pauses.append(None)
        if len(pauses) == 4:
            way.jenkins.start()

    (sent,) = send(pause=pause)
    assert (sent.queued, sent.tries) == (True, 5)
    _one_build(way, sent.delivery)


@pytest.mark.parametrize("name", ["frps", "frpc", "gate"])
def test_the_answer_is_lost_on_its_way_back(way: Way, send: Send, name: str) -> None:
    """Jenkins has taken the request, and the sender cannot know: the same delivery comes once more and is the same build."""
    stop, start = DOWN[name][0](way)
    lost: list[None] = []

    def lose() -> None:
        if not lost:
            lost.append(None)
            stop()

    def pause() -> None:
        start()
        way.until_open()

    way.jenkins.before_answer = lose
    try:
        (sent,) = send(pause=pause)
    finally:
        way.jenkins.before_answer = lambda: None
    assert (sent.queued, sent.tries, len(way.jenkins.arrived)) == (True, 2, 2)
    assert way.jenkins.arrived[0].body == way.jenkins.arrived[1].body
    _one_build(way, sent.delivery)
