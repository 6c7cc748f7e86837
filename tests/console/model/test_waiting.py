"""Why things wait, from what a real controller said."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from console.model.build import BuildRef
from console.model.jenkins import Held, Node, QueueItem, Waits, Work
from console.model.waiting import launch_reason, node_reason, nodes_meant, reason, steps_of, waited_for
from console.text import clean
from tests.support.recorded import RECORDINGS, recorded

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
QUOTED = "\N{LEFT SINGLE QUOTATION MARK}%s\N{RIGHT SINGLE QUOTATION MARK}"


def ref(job: str, number: int) -> BuildRef:
    return BuildRef(clean(job), number)


def item(why: str, waits: Waits = Waits.BUILDABLE, *, stuck: bool = False, rest: float | None = None) -> QueueItem:
    until = NOW + timedelta(seconds=rest) if rest is not None else None
    since = NOW - timedelta(minutes=3)
    return QueueItem(7, clean("train"), clean("train"), waits, clean(why), since, stuck, until)


def node(name: str, *running: BuildRef, offline: bool = False, why: str = "", by_hand: bool = False, log: str = "") -> Node:
    labels = (clean("gpu"),)
    return Node(clean(name), False, offline, by_hand, clean(why), 2, labels, running, log_reason=clean(log) if log else None)


BUSY = Work((node("trainer-1", ref("train", 12), ref("train", 13)),), (), frozenset())
GONE = Work((node("trainer-1", offline=True, why="Connection was broken"),), (), frozenset())


@pytest.mark.parametrize(
    ("one", "work", "word", "cause"),
    [
        (item("In the quiet period. Expires in 4.5 sec", Waits.QUIET, rest=4.5), BUSY, "quiet", "quiet period, 5s more"),
        (item("In the quiet period. Expires in 31 sec", Waits.QUIET, rest=31), BUSY, "quiet", "quiet period, 35s more"),
        (item("Finished waiting", Waits.QUIET, rest=-1), BUSY, "quiet", "starts any moment"),
        (item("Build #2 is already in progress (ETA: N/A)", Waits.BLOCKED), BUSY, "blocked", "train #2, one at a time"),
        (item("Upstream project lib is already building.", Waits.BLOCKED), BUSY, "blocked", "lib is building"),
        (item("Waiting for next available executor"), BUSY, "queued", "all 2 executors busy"),
        (item(f"Waiting for next available executor on {QUOTED % 'gpu'}"), BUSY, "queued", "all 2 executors of gpu busy"),
        (item(f"Waiting for next available executor on {QUOTED % 'arm'}"), BUSY, "no node", "no executor of arm"),
        (item(f"There are no nodes with the label {QUOTED % 'tpu'}"), BUSY, "no node", "no node is tpu"),
        (
            item(f"{QUOTED % 'trainer-1'} is offline", stuck=True),
            GONE,
            "no node",
            "trainer-1 is off line: Connection was broken",
        ),
        (item(f"{QUOTED % 'elsewhere'} is offline", stuck=True), GONE, "no node", "elsewhere is off line"),
        (
            item(f"All nodes of label {QUOTED % 'gpu'} are offline"),
            GONE,
            "no node",
            "trainer-1 is off line: Connection was broken",
        ),
        (item(f"All nodes of label {QUOTED % 'arm'} are offline"), GONE, "no node", "all nodes of arm off line"),
        (item("All nodes are offline"), GONE, "no node", "trainer-1 is off line: Connection was broken"),
        (item("Jenkins is about to shut down"), BUSY, "held", "Jenkins shuts down"),
        (item("Etwas anderes", stuck=True), BUSY, "stuck", "Etwas anderes"),
        (item(""), BUSY, "waits", "Jenkins does not say why"),
    ],
)
def test_the_reason_in_words(one: QueueItem, work: Work, word: str, cause: str) -> None:
    told = reason(one, work, NOW)
    assert (told.state.word, told.cause) == (word, cause)


def test_a_label_of_another_language_is_still_told_in_jenkins_words() -> None:
    told = reason(item("‘trainer-1’はオフラインです"), BUSY, NOW)
    assert told.cause == "‘trainer-1’はオフラインです"


def test_the_words_do_not_change_every_second() -> None:
    causes = {reason(item("In the quiet period", Waits.QUIET, rest=rest), BUSY, NOW).cause for rest in (4.9, 4.1, 3.3, 0.4)}
    assert len(causes) == 1


def test_what_blocks_can_be_gone_to() -> None:
    assert reason(item("Build #2 is already in progress", Waits.BLOCKED), BUSY, NOW).by == ref("train", 2)
    assert reason(item("Waiting for next available executor"), BUSY, NOW).by == ref("train", 12)
    assert reason(item(f"{QUOTED % 'trainer-1'} is offline"), GONE, NOW).node == "trainer-1"


def test_while_quieting_down_everything_waits_for_that() -> None:
    told = reason(item("Waiting for next available executor"), BUSY, NOW, quieting_down=True)
    assert told.state.word == "held"
    assert told.sentences == ("Jenkins holds everything back: it is about to shut down.",), "it takes what is asked for"
    assert told.freed == "It begins after the restart, or when the shut-down is called off."


# Labels


def work(*nodes: Node) -> Work:
    return Work(nodes, (), frozenset())


AWAY_10 = node("trainer-10", offline=True, why="Connection was broken")
LACKS = "\N{LEFT SINGLE QUOTATION MARK}Jenkins\N{RIGHT SINGLE QUOTATION MARK} doesn\N{RIGHT SINGLE QUOTATION MARK}t have label "


def test_of_a_label_the_node_that_has_it_is_told() -> None:
    told = reason(item(f"All nodes of label {QUOTED % 'gpu'} are offline"), work(AWAY_10), NOW)
    assert told.node == "trainer-10"
    assert told.sentences[0] == "It needs a node with the label gpu. The only one is trainer-10, which is off line."
    assert told.sentences[1].startswith("Connection was broken. ")
    assert told.freed == "It begins when trainer-10 is back."


def test_of_a_label_with_several_nodes_all_are_told() -> None:
    second = node("trainer-2", offline=True, why="for repair", by_hand=True)
    well = replace(node("web-1"), labels=(clean("web"),))
    told = reason(item(f"All nodes of label {QUOTED % 'gpu'} are offline"), work(well, AWAY_10, second), NOW)
    assert (told.cause, told.node) == ("all 2 nodes of gpu off line", "trainer-10")
    assert told.sentences == (
        "It needs a node with the label gpu, and all 2 are off line.",
        "trainer-10: Connection was broken.",
        "trainer-2: for repair.",
    )
    assert told.freed == "It begins when one of them is back."


def test_of_many_nodes_some_are_told() -> None:
    away = [node(f"trainer-{number}", offline=True, why="x") for number in range(9)]
    told = reason(item(f"All nodes of label {QUOTED % 'gpu'} are offline"), work(*away), NOW)
    assert told.sentences[-1] == "5 more."


def test_an_expression_names_the_nodes_that_fit() -> None:
    why = item(f"Waiting for next available executor on {QUOTED % 'gpu&&!web'}")
    told = reason(why, BUSY, NOW)
    assert told.sentences == ("All 2 executors of gpu&&!web are taken: train #12, train #13.",)
    gone = reason(item(f"All nodes of label {QUOTED % 'gpu&&!web'} are offline"), GONE, NOW)
    fit = QUOTED % "gpu&&!web"
    assert gone.sentences[0] == f"It needs a node that fits {fit}. The only one is trainer-1, which is off line."


def test_an_expression_that_cannot_be_read_is_quoted_and_names_nobody() -> None:
    told = reason(item(f"Waiting for next available executor on {QUOTED % 'gpu->cuda'}"), BUSY, NOW)
    assert (told.state.word, told.by) == ("queued", None)
    assert told.sentences == (f"It waits for an executor of a node that fits {QUOTED % 'gpu->cuda'}.",)
    gone = reason(item(f"All nodes of label {QUOTED % 'gpu->cuda'} are offline"), GONE, NOW)
    assert (gone.state.word, gone.node) == ("no node", None)


def test_of_several_reasons_those_count_that_stand_in_the_way() -> None:
    why = f"{LACKS}{QUOTED % 'gpu'}; {QUOTED % 'trainer-10'} is offline"
    told = reason(item(why), work(node("Jenkins"), AWAY_10), NOW)
    assert (told.cause, told.node) == ("trainer-10 is off line: Connection was broken", "trainer-10")
    reserved = f"{QUOTED % 'web-1'} is reserved for jobs with matching label expression; {QUOTED % 'trainer-10'} is offline"
    assert reason(item(reserved), work(AWAY_10), NOW).node == "trainer-10"
    both = reason(
        item(f"{QUOTED % 'trainer-1'} is offline; {QUOTED % 'trainer-10'} is offline"), work(*GONE.nodes, AWAY_10), NOW
    )
    assert both.sentences[0] == "It needs one of several nodes, and all 2 are off line."
    other = f"{QUOTED % 'trainer-10'} is offline; something else"
    assert reason(item(other), work(AWAY_10), NOW).cause == other


def test_where_jenkins_says_only_who_does_not_fit() -> None:
    only = item(f"{LACKS}{QUOTED % 'gpu'}")
    assert reason(only, BUSY, NOW).cause == "all 2 executors of gpu busy"
    assert reason(only, GONE, NOW).node == "trainer-1"
    assert reason(only, work(), NOW).cause == "no node is gpu"
    reserved = reason(item(f"{QUOTED % 'web-1'} is reserved for jobs with matching label expression"), BUSY, NOW)
    assert reserved.cause == "no node takes unlabelled builds"


def test_idle_executors_are_never_said_to_be_taken() -> None:
    """An exclusive node is idle while a job without a label waits."""
    told = reason(item("Waiting for next available executor"), work(node("trainer-1")), NOW)
    assert told.sentences == ("No node takes builds without a label, though executors are idle.",)
    assert told.state.word == "no node"
    half = work(*BUSY.nodes, node("trainer-2", ref("other", 1)))
    told = reason(item("Waiting for next available executor"), half, NOW)
    assert told.sentences == ("All 2 executors are taken: train #12, train #13.",)
    free = reason(item(f"Waiting for next available executor on {QUOTED % 'gpu'}"), work(node("trainer-1")), NOW)
    assert (free.state.word, free.cause) == ("queued", "an executor of gpu")
    part = reason(item("Waiting for next available executor"), work(node("trainer-2", ref("other", 1))), NOW)
    assert (part.state.word, part.cause, part.by) == ("queued", "an executor that takes it", ref("other", 1))
    assert part.sentences == ("It waits for an executor. other #1 has one.",)


def test_the_nodes_that_are_meant() -> None:
    nodes = (node("trainer-1"), AWAY_10, replace(node("web-1"), labels=(clean("web"),)))

    def meant(why: str) -> list[str]:
        return [str(one.name) for one in nodes_meant(why, nodes)]

    assert meant(f"{QUOTED % 'trainer-10'} is offline") == ["trainer-10"], "trainer-1 is another one"
    assert meant(f"All nodes of label {QUOTED % 'gpu'} are offline") == ["trainer-1", "trainer-10"]
    assert meant(f"Waiting for next available executor on {QUOTED % 'web'}") == ["web-1"]
    assert meant(f"{LACKS}{QUOTED % 'gpu'}; {QUOTED % 'trainer-10'} is offline") == ["trainer-10"]
    assert meant(f"{LACKS}{QUOTED % 'web'}") == ["web-1"]
    assert meant("Build #2 is already in progress") == []
    assert meant("Waiting for next available executor") == []
    queue = [item(f"{QUOTED % 'trainer-10'} is offline"), item("x")]
    assert waited_for(queue, nodes) == (AWAY_10,)


def test_the_controllers_own_node_goes_by_the_name_that_jenkins_writes() -> None:
    own = replace(node("(built-in)", offline=True, why="gone"), controller=True, labels=())
    for name in ("Jenkins", "Built-In Node", "built-in"):
        assert reason(item(f"{QUOTED % name} is offline"), work(own), NOW).node == "(built-in)"


@pytest.mark.parametrize(
    ("one", "cause"),
    [
        (node("a"), None),
        (node("a", offline=True), "connecting"),
        (node("a", offline=True, log="connection refused"), "connecting: connection refused"),
        (node("a", offline=True, why="for repair", by_hand=True), "for repair"),
        (node("a", offline=True, why="", by_hand=True), "no reason given"),
        (node("a", offline=True, why="Connection was broken"), "Connection was broken"),
        (
            node("a", offline=True, why="This agent is offline because Jenkins failed to launch the agent process on it."),
            "cannot connect",
        ),
    ],
)
def test_why_a_node_is_off_line(one: Node, cause: str | None) -> None:
    told = node_reason(one)
    assert (told.cause if told is not None else None) == cause


def test_a_log_page_of_a_node_that_is_well_tells_nothing() -> None:
    assert launch_reason("Remoting version: 3131\nAgent successfully connected and online\n") is None


def test_nameless_steps_are_matched_in_the_order_of_their_waits() -> None:
    def step(number: int, minutes: int) -> QueueItem:
        return QueueItem(number, None, clean(""), Waits.BUILDABLE, clean(""), NOW - timedelta(minutes=minutes), True)

    waiting = [(ref("train", 12), Held("node", clean(""))), (ref("train", 14), Held("node", clean("")))]
    assert steps_of([step(20, 1), step(19, 5)], waiting) == {19: ref("train", 12), 20: ref("train", 14)}
    assert steps_of([step(20, 1)], waiting) == {}


def test_what_the_log_says_tells_whose_step_it_is() -> None:
    """Two jobs began to wait in another order than that of their names."""

    def step(number: int, minutes: int, why: str) -> QueueItem:
        return QueueItem(number, None, clean(""), Waits.BUILDABLE, clean(why), NOW - timedelta(minutes=minutes), True)

    gpu, arm = f"{QUOTED % 'gpu'} is offline", f"{QUOTED % 'arm'} is offline"
    told = [(ref("alpha", 5), Held("node", clean(arm))), (ref("zeta", 1), Held("node", clean(gpu)))]
    assert steps_of([step(19, 9, gpu), step(20, 1, arm)], told) == {19: ref("zeta", 1), 20: ref("alpha", 5)}
    silent = [(ref("alpha", 5), Held("node", clean(""))), (ref("zeta", 1), Held("node", clean(gpu)))]
    assert steps_of([step(19, 9, gpu), step(20, 1, arm)], silent) == {19: ref("zeta", 1), 20: ref("alpha", 5)}
    alike = [(ref("alpha", 5), Held("node", clean(gpu))), (ref("zeta", 1), Held("node", clean(gpu)))]
    assert steps_of([step(19, 9, gpu), step(20, 1, gpu)], alike) == {}, "which is whose nobody can tell"
    lock = [(ref("alpha", 5), Held("lock", clean("gpu-0"))), (ref("zeta", 1), Held("node", clean("")))]
    assert steps_of([step(19, 9, "")], lock) == {19: ref("zeta", 1)}


def test_steps_that_are_named_are_left_alone() -> None:
    named = QueueItem(3, None, clean("part of a #1"), Waits.BUILDABLE, clean(""), NOW, True, part_of=ref("a", 1))
    assert steps_of([named, item("x")], [(ref("b", 2), Held("node", clean("")))]) == {}
    nameless = replace(named, id=4, part_of=None)
    held = [(ref("a", 1), Held("node", clean(""))), (ref("b", 2), Held("node", clean("")))]
    assert steps_of([named, nameless], held) == {4: ref("b", 2)}, "the first has its step"
    assert steps_of([named, nameless], held[:1]) == {}, "so this one is of a build that nobody has looked at yet"


NODE_LOGS = {
    "agent/host-key-mismatch-log": "its host key is another one",
    "agent/node-log-after-cut": None,
    "agent/node-no-java-log": "there is no /opt/nothing/java",
    "agent/node-patient-log": "connection refused",
    "agent/node-refused-log": "connection refused",
    "agent/node-silent-log": "its ssh does not answer",
    "agent/node-wrong-host-key-log": "its host key is another one",
    "agent/node-wrong-key-log": "its key is refused for user jenkins",
    "agent/ssh-refused-log": "Connection terminated",
}


def test_every_log_page_of_a_node_that_was_recorded() -> None:
    names = {f"agent/{path.stem}" for path in (RECORDINGS / "agent").glob("*.json")}
    pages = {name for name in names if name.endswith(("-log", "-cut")) and "/computer/" in _url(name)}
    assert pages == set(NODE_LOGS), "each of them is told here"
    assert {name: launch_reason(recorded(name).body) for name in NODE_LOGS} == NODE_LOGS


def test_what_failed_before_it_came_on_line_is_no_reason() -> None:
    log = "Connection refused\nAgent successfully connected and online\n"
    assert launch_reason(log) is None
    assert launch_reason(f"{log}ERROR: Connection terminated\njava.io.EOFException\n") == "Connection terminated"


def _url(name: str) -> str:
    told = json.loads((RECORDINGS / f"{name}.json").read_text()).get("request") or {}
    return str(told.get("url") or told.get("path") or "")
