"""Why something in the queue waits, in words a person understands. Jenkins' own words come last, if at all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from console.model.build import BuildRef
from console.model.jenkins import Held, Node, QueueItem, Waits, Work
from console.model.state import State, StateClass, state
from console.model.words import age
from console.text import Clean, clean

_BUILD_RUNS = re.compile(r"^Build #(?P<number>\d+) is already in progress")
_UPSTREAM = re.compile(r"^(?P<which>Upstream|Downstream) project (?P<job>.+) is already building")
_OFFLINE = re.compile(r"^(?:All nodes of label )?\W(?P<name>.+)\W (?:is|are) offline$")
_NO_NODE = re.compile(r"^There are no nodes with the label \W(?P<name>.+)\W$")
_EXECUTOR = re.compile(r"^Waiting for next available executor(?: on \W(?P<name>.+)\W)?$")
_DOWN = "Jenkins is about to shut down"


@dataclass(frozen=True, slots=True)
class Reason:
    """`state` and one `cause` for a row; `sentences` say all of it, `freed` what would end the wait."""

    state: State
    cause: Clean
    sentences: tuple[Clean, ...]
    freed: Clean | None = None
    by: BuildRef | None = None
    node: Clean | None = None


def reason(item: QueueItem, work: Work, now: datetime, *, quieting_down: bool = False) -> Reason:
    """Why `item` has not begun. The words do not change from second to second."""
    why = str(item.why)
    if quieting_down or why == _DOWN:
        told = clean("Jenkins takes no new builds: it is about to shut down.")
        return Reason(
            state(StateClass.WAITING, "held"), clean("Jenkins shuts down"), (told,), clean("It ends with the restart.")
        )
    if item.waits is Waits.QUIET:
        return _quiet(item, now)
    if found := _BUILD_RUNS.match(why):
        by = BuildRef(item.job or item.title, int(found["number"]))
        cause = clean(f"{_name(by)}, one at a time")
        told = clean(f"{_name(by)} still runs, and this job runs one build at a time.")
        return Reason(state(StateClass.WAITING, "blocked"), cause, (told,), clean(f"It begins when {_name(by)} has ended."), by)
    if found := _UPSTREAM.match(why):
        side = "upstream" if found["which"] == "Upstream" else "downstream"
        told = clean(f"The {side} job {found['job']} is building, and this one waits for it.")
        return Reason(state(StateClass.WAITING, "blocked"), clean(f"{found['job']} is building"), (told,))
    if found := _NO_NODE.match(why):
        told = clean(f"No node has the label {found['name']}.")
        freed = clean("It never begins by itself: add a node with that label, or change the job's.")
        return Reason(state(StateClass.ATTENTION, "no node"), clean(f"no node is {found['name']}"), (told,), freed)
    if found := _OFFLINE.match(why):
        return _offline(found["name"], work)
    if found := _EXECUTOR.match(why):
        return _executor(found["name"], work)
    if item.waits is Waits.PENDING:
        return Reason(state(StateClass.ACTIVE, "starting"), clean("is being started"), (clean("It is being started."),))
    word = "stuck" if item.stuck else "waits"
    kind = StateClass.ATTENTION if item.stuck else StateClass.WAITING
    return Reason(state(kind, word), item.why or clean("Jenkins does not say why"), ())


def _quiet(item: QueueItem, now: datetime) -> Reason:
    told = "It waits a moment, so that equal requests become one build."
    if item.until is None or item.until <= now:
        return Reason(state(StateClass.WAITING, "quiet"), clean("starts any moment"), (clean(told),))
    rest = (item.until - now).total_seconds()
    # A countdown would repaint the row each second; it moves in steps of five.
    when = age(-(-rest // 5) * 5)
    return Reason(state(StateClass.WAITING, "quiet"), clean(f"quiet period, {when} more"), (clean(told),), clean(f"In {when}."))


def _offline(name: str, work: Work) -> Reason:
    node = next((one for one in work.nodes if one.name == name), None)
    why = node_reason(node) if node is not None else None
    how = "is connecting" if node is not None and node.connecting else "is off line"
    because = (node.log_reason or (why.cause if why is not None and not node.connecting else "")) if node is not None else ""
    cause = clean(f"{name} {how}" + (f": {because}" if because else ""))
    sentences = [clean(f"It needs the node {name}, which is off line.")]
    if why is not None:
        sentences.append(clean(f"{why.sentence}"))
    freed = clean(f"It begins when {name} is back.")
    return Reason(state(StateClass.ATTENTION, "no node"), cause, tuple(sentences), freed, node=clean(name))


def _executor(label: str | None, work: Work) -> Reason:
    fitting = [
        node for node in work.nodes if not node.offline and (label is None or label == node.name or label in node.labels)
    ]
    slots = sum(node.executors for node in fitting)
    runs = [ref for node in fitting for ref in node.running]
    where = f" of {label}" if label else ""
    if not slots:
        told = clean(f"No node{where} that is on line has an executor.")
        return Reason(state(StateClass.ATTENTION, "no node"), clean(f"no executor{where}"), (told,))
    by = runs[0] if runs else None
    after = f"after {_name(by)}" if by is not None else "soon"
    cause = f"all {slots} executors{where} busy" if slots > 1 else after
    listed = ", ".join(_name(ref) for ref in runs[:4]) + (f" and {len(runs) - 4} more" if len(runs) > 4 else "")
    taken = f"All {slots} executors{where} are taken" if slots > 1 else f"The executor{where} is taken"
    freed = clean("It begins when one of them has ended." if slots > 1 else "It begins when that has ended.")
    return Reason(state(StateClass.WAITING, "queued"), clean(cause), (clean(f"{taken}: {listed}."),), freed, by)


@dataclass(frozen=True, slots=True)
class NodeReason:
    """Why a node is off line: in a few words for a row, and in a sentence."""

    cause: Clean
    sentence: Clean


def node_reason(node: Node) -> NodeReason | None:
    """None when it is on line. Off line without a word of Jenkins means that it is trying to connect (agents.md, 3)."""
    if not node.offline:
        return None
    told = f": {node.log_reason}" if node.log_reason else ""
    if node.set_offline:
        words = str(node.reason) or "no reason given"
        return NodeReason(clean(words), clean(f"Somebody took it off line: {words}."))
    if node.connecting:
        return NodeReason(clean(f"connecting{told}"), clean(f"Jenkins is trying to connect{told}."))
    if "failed to launch" in node.reason:
        return NodeReason(clean(f"cannot connect{told}"), clean(f"The last try to connect failed{told}. {_LATER}"))
    return NodeReason(clean(f"{node.reason}{told}"), clean(f"{node.reason}{told}. {_LATER}"))


_LATER = "Jenkins looks again every other minute, and after five failed tries every 12 to 24 minutes."

_LAUNCH = (
    (re.compile(r"Server rejected the \d+ private key\(s\) for (\S+)"), "its key is refused for user {0}"),
    (re.compile(r"does not match the key required in the connection configuration"), "its host key is another one"),
    (re.compile(r"Connection refused"), "connection refused"),
    (re.compile(r"The kexTimeout \(\d+ ms\) expired"), "its ssh does not answer"),
    (re.compile(r"(\S*java): (?:No such file or directory|not found|command not found)"), "there is no {0}"),
    (re.compile(r"UnknownHostException: (\S+)"), "nobody knows the host {0}"),
    (re.compile(r"Connection timed out|No route to host"), "its host does not answer"),
    (re.compile(r"Agent JVM has terminated\. Exit code=(\d+)"), "its Java ended with code {0}"),
)


def launch_reason(log: str) -> Clean | None:
    """Why a try to connect failed, from the node's log page (agents.md, 3); None when it does not tell."""
    log = log.rpartition("Agent successfully connected and online")[2]
    for pattern, words in _LAUNCH:
        if found := pattern.search(log):
            return clean(words.format(*found.groups()))
    errors = [line for line in log.splitlines() if line.startswith("ERROR: ")]
    return clean(errors[-1].removeprefix("ERROR: ")) if errors else None


def held_reason(held: Held) -> Reason:
    """Why a build that has begun goes no further."""
    if held.what == "lock":
        by = f"{_name(held.by)} has it" if held.by is not None else "somebody has it"
        told = clean(f"It waits for the lock {held.on}: {by}.")
        # Who has it comes first: what stands at the end of a row is cut.
        cause = clean(f"{_name(held.by)} has lock {held.on}" if held.by is not None else f"lock {held.on}")
        freed = clean(f"It goes on when {_name(held.by)} gives the lock back." if held.by is not None else "")
        return Reason(state(StateClass.WAITING, "blocked"), cause, (told,), freed or None, held.by)
    if held.what == "input":
        asks = f"asks: {held.on}" if held.on else "waits for an answer"
        told = clean(f"It {asks}" if held.on else "It waits for a person's answer.")
        return Reason(state(StateClass.ATTENTION, "approval"), clean(asks), (told,))
    on = f": {held.on}" if held.on else ""
    return Reason(state(StateClass.WAITING, "no node"), clean(f"waits for a node{on}"), (clean(f"It waits for a node{on}."),))


def _name(ref: BuildRef | None) -> str:
    return str(ref.shown) if ref is not None else ""


def steps_of(queue: Sequence[QueueItem], held: Sequence[tuple[BuildRef, Held]]) -> dict[int, BuildRef]:
    """Which build each nameless step in the queue belongs to. What cannot be told for sure is left out.

    After a while the log of a build says of its wait what the queue says of the step. The steps of one job that say nothing
    yet began to wait in the order of its builds.
    """
    nameless = [item for item in queue if item.job is None and item.part_of is None]
    waiting = [(ref, one.on) for ref, one in held if one.what == "node"]
    told: dict[int, BuildRef] = {}
    for words in {on for _, on in waiting if on}:
        items = [item for item in nameless if item.why == words]
        refs = [ref for ref, on in waiting if on == words]
        if len(items) == len(refs) == 1:
            told[items[0].id] = refs[0]
    items = sorted((item for item in nameless if item.id not in told), key=lambda item: item.since)
    refs = sorted(ref for ref, _ in waiting if ref not in told.values())
    if len(items) == len(refs) and len({ref.job for ref in refs}) == 1:
        told |= {item.id: ref for item, ref in zip(items, refs, strict=True)}
    return told
