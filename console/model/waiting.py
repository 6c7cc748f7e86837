"""Why something in the queue waits, in words a person understands. Jenkins' own words come last, if at all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from console.model.build import BuildRef
from console.model.jenkins import Held, JenkinsWorld, Node, QueueItem, Waits, Work
from console.model.labels import fits, is_label
from console.model.state import State, StateClass, state
from console.model.words import age
from console.text import Clean, clean

_BUILD_RUNS = re.compile(r"^Build #(?P<number>\d+) is already in progress")
_UPSTREAM = re.compile(r"^(?P<which>Upstream|Downstream) project (?P<job>.+) is already building")
_OFFLINE = re.compile(r"^\W(?P<name>.+)\W is offline$")
_ALL_OFFLINE = re.compile(r"^All nodes(?: of label \W(?P<name>.+)\W)? are offline$")
_NO_NODE = re.compile(r"^There are no nodes with the label \W(?P<name>.+)\W$")
_EXECUTOR = re.compile(r"^Waiting for next available executor(?: on \W(?P<name>.+)\W)?$")
_DOWN = "Jenkins is about to shut down"
# Of several reasons, which Jenkins joins, these say only which nodes are out of the question.
_LACKS = re.compile(r"^\W.+\W doesn\Wt have label \W(?P<name>.+)\W$")
_RESERVED = re.compile(r"^\W.+\W is reserved for jobs with matching label expression$")
_AND = "; "
_BUILT_IN = frozenset({"Jenkins", "Built-In Node", "built-in", "master"})
"""What Jenkins calls its own node where its URL calls it something else."""
_NAMED = 4
NO_GPU = "no GPU"
# The platform's locks are `trainer-1-gpu-0` and their label `gpu-trainer-1` (infra/jenkins/entrypoint); others write `gpu-0`.
_GPU_LOCK = re.compile(r"(?:.+-)?gpu(?:s|[-_ ].*|\d+)?", re.IGNORECASE)
_OPEN, _CLOSE = "\N{LEFT SINGLE QUOTATION MARK}", "\N{RIGHT SINGLE QUOTATION MARK}"


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
        told = clean("Jenkins holds everything back: it is about to shut down.")
        freed = clean("It begins after the restart, or when the shut-down is called off.")
        return Reason(state(StateClass.WAITING, "held"), clean("Jenkins shuts down"), (told,), freed)
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
    if told_nodes := _about_nodes(why, work):
        return told_nodes
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


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which nodes a part of a reason is about: one by its `name`, those that fit a `label`, or all of them."""

    name: str | None = None
    label: str | None = None

    def fits(self, node: Node) -> bool:
        if self.name is not None:
            return node.name == self.name or (node.controller and self.name in _BUILT_IN)
        if self.label is None:
            return True
        names = (*_BUILT_IN, *node.labels) if node.controller else (node.name, *node.labels)
        return fits(self.label, names) or False

    @property
    def readable(self) -> bool:
        return self.label is None or fits(self.label, ()) is not None

    @property
    def words(self) -> str:
        """After `a node`."""
        if self.label is None:
            return self.name or ""
        return f"with the label {self.label}" if is_label(self.label) else f"that fits {_OPEN}{self.label}{_CLOSE}"


def _away(part: str) -> _Wanted | None:
    if found := _OFFLINE.match(part):
        return _Wanted(name=found["name"])
    found = _ALL_OFFLINE.match(part)
    return _Wanted(label=found["name"]) if found else None


def _taken(part: str) -> _Wanted | None:
    """Jenkins writes the name of a node where a single one fits, and that is one of its labels."""
    found = _EXECUTOR.match(part)
    return _Wanted(label=found["name"]) if found else None


def _parts(why: str) -> tuple[list[str], list[str]]:
    """What stands in the way, and beside it which nodes are out of the question in any case."""
    parts = why.split(_AND)
    aside = [part for part in parts if _LACKS.match(part) or _RESERVED.match(part)]
    return [part for part in parts if part not in aside], aside


def nodes_meant(why: str, nodes: Sequence[Node]) -> tuple[Node, ...]:
    """The nodes that an item with these words of Jenkins waits for: by name, or by a label that they have.

    Who waits for any executor waits for no node in particular.
    """
    parts, aside = _parts(why)
    wanted = [one for part in parts if (one := _away(part) or _taken(part)) and one != _Wanted()]
    if not parts and (label := _lacked(aside)) is not None:
        wanted = [_Wanted(label=label)]
    return tuple(node for node in nodes if any(one.fits(node) for one in wanted))


def waited_for(queue: Sequence[QueueItem], nodes: Sequence[Node]) -> tuple[Node, ...]:
    """The nodes that anything in the queue waits for."""
    meant = {node.name for item in queue for node in nodes_meant(item.why, nodes)}
    return tuple(node for node in nodes if node.name in meant)


def _about_nodes(why: str, work: Work) -> Reason | None:
    """A reason that nodes are; None where the words tell something else as well."""
    parts, aside = _parts(why)
    if not parts:
        return _elsewhere(_lacked(aside), work)
    if len(parts) == 1 and (found := _NO_NODE.match(parts[0])):
        return _no_label(found["name"])
    away = [one for part in parts if (one := _away(part))]
    taken = [one for part in parts if (one := _taken(part))]
    if len(away) + len(taken) < len(parts):
        return None
    return _executor(taken, work) if taken else _offline(away, work)


def _lacked(aside: Sequence[str]) -> str | None:
    return next((found["name"] for part in aside if (found := _LACKS.match(part))), None)


def _elsewhere(label: str | None, work: Work) -> Reason:
    """Jenkins says only who does not fit."""
    wanted = _Wanted(label=label)
    if label is None:
        return _unlabelled()
    fitting = [node for node in work.nodes if wanted.fits(node)]
    if not fitting:
        return _no_label(label)
    return _offline([wanted], work) if all(node.offline for node in fitting) else _executor([wanted], work)


def _no_label(label: str) -> Reason:
    told = clean(f"No node has the label {label}." if is_label(label) else f"There is no node {_Wanted(label=label).words}.")
    freed = clean("It never begins by itself: add a node with that label, or change the job's.")
    return Reason(state(StateClass.ATTENTION, "no node"), clean(f"no node is {label}"), (told,), freed)


def _unlabelled() -> Reason:
    told = clean("No node takes builds without a label, though executors are idle.")
    freed = clean("It never begins by itself: give the job a label, or let a node take any build.")
    return Reason(state(StateClass.ATTENTION, "no node"), clean("no node takes unlabelled builds"), (told,), freed)


def _offline(wanted: Sequence[_Wanted], work: Work) -> Reason:
    nodes = [node for node in work.nodes if node.offline and any(one.fits(node) for one in wanted)]
    first, kind = wanted[0], state(StateClass.ATTENTION, "no node")
    needs = f"the node {first.name}" if first.name is not None else f"a node {first.words}".rstrip()
    if not nodes and first.name is None:
        label = f" of {first.label}" if first.label else ""
        told = clean(f"It needs {needs}, and all of them are off line.")
        return Reason(kind, clean(f"all nodes{label} off line"), (told,), clean("It begins when one of them is back."))
    if len(nodes) > 1:
        label = f" of {first.label}" if first.label and len(wanted) == 1 else ""
        begin = f"It needs {needs}" if len(wanted) == 1 else "It needs one of several nodes"
        sentences = [clean(f"{begin}, and all {len(nodes)} are off line.")]
        for node in nodes[:_NAMED]:
            why = node_reason(node)
            sentences.append(clean(f"{node.name}: {why.cause}." if why is not None else node.name))
        if len(nodes) > _NAMED:
            sentences.append(clean(f"{len(nodes) - _NAMED} more."))
        cause, freed = clean(f"all {len(nodes)} nodes{label} off line"), clean("It begins when one of them is back.")
        return Reason(kind, cause, tuple(sentences), freed, node=nodes[0].name)
    name = str(nodes[0].name if nodes else first.name)
    if first.name is not None:
        return _one_away(name, nodes, f"It needs {needs}, which is off line.")
    return _one_away(name, nodes, f"It needs {needs}. The only one is {name}, which is off line.")


def _one_away(name: str, nodes: Sequence[Node], told: str) -> Reason:
    """`nodes` holds the one that is called so, if it is known."""
    node = nodes[0] if nodes else None
    why = node_reason(node) if node is not None else None
    how = "is connecting" if node is not None and node.connecting else "is off line"
    because = (node.log_reason or (why.cause if why is not None and not node.connecting else "")) if node is not None else ""
    cause = clean(f"{name} {how}" + (f": {because}" if because else ""))
    sentences = [clean(told)]
    if why is not None:
        sentences.append(clean(f"{why.sentence}"))
    freed = clean(f"It begins when {name} is back.")
    return Reason(state(StateClass.ATTENTION, "no node"), cause, tuple(sentences), freed, node=clean(name))


def _executor(wanted: Sequence[_Wanted], work: Work) -> Reason:
    label = wanted[0].label if len(wanted) == 1 else " or ".join(str(one.label) for one in wanted)
    where = f" of {label}" if label else ""
    queued = state(StateClass.WAITING, "queued")
    if not all(one.readable for one in wanted):
        told = clean(f"It waits for an executor of a node {wanted[0].words}.")
        return Reason(queued, clean(f"an executor{where}"), (told,), clean("It begins when one is free."))
    fitting = [node for node in work.nodes if not node.offline and node.executors and any(one.fits(node) for one in wanted)]
    if not fitting:
        told = clean(f"No node{where} that is on line has an executor.")
        return Reason(state(StateClass.ATTENTION, "no node"), clean(f"no executor{where}"), (told,))
    # A node with an executor to spare is none that takes this: it is kept for jobs with its label (agents.md, 1).
    full = [node for node in fitting if node.busy >= node.executors]
    if not full:
        # Builds of jobs that this user may not see take executors too: then nobody here knows more than that it waits.
        runs = [ref for node in fitting for ref in node.running]
        if label is None and not runs:
            return _unlabelled()
        has = f" {_name(runs[0])} has one." if runs else ""
        told = clean(f"It waits for an executor{where}.{has}")
        return Reason(
            queued,
            clean(f"an executor{where}" if where else "an executor that takes it"),
            (told,),
            by=runs[0] if runs else None,
        )
    slots = sum(node.executors for node in full)
    runs = [ref for node in full for ref in node.running]
    after = f"after {_name(runs[0])}"
    cause = f"all {slots} executors{where} busy" if slots > 1 else after
    more = len(runs) - _NAMED
    listed = ", ".join(_name(ref) for ref in runs[:_NAMED]) + (f" and {more} more" if more > 0 else "")
    taken = f"All {slots} executors{where} are taken" if slots > 1 else f"The executor{where} is taken"
    freed = clean("It begins when one of them has ended." if slots > 1 else "It begins when that has ended.")
    return Reason(queued, clean(cause), (clean(f"{taken}: {listed}."),), freed, runs[0])


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
        if _GPU_LOCK.fullmatch(held.on):
            told = clean(f"It waits for a GPU (lock {held.on}): {by}.")
            cause = clean(f"after {_name(held.by)}" if held.by is not None else "all are taken")
            return Reason(state(StateClass.WAITING, NO_GPU), cause, (told,), freed or None, held.by)
        return Reason(state(StateClass.WAITING, "blocked"), cause, (told,), freed or None, held.by)
    if held.what == "input":
        asks = f"asks: {held.on}" if held.on else "waits for an answer"
        told = clean(f"It {asks}" if held.on else "It waits for a person's answer.")
        return Reason(state(StateClass.ATTENTION, "approval"), clean(asks), (told,))
    on = f": {held.on}" if held.on else ""
    return Reason(state(StateClass.WAITING, "no node"), clean(f"waits for a node{on}"), (clean(f"It waits for a node{on}."),))


def build_waits(world: JenkinsWorld, ref: BuildRef) -> Reason | None:
    """Why a build that has begun goes no further; None when it goes on.

    One that waits for a node has a step in the queue, and the queue knows more of that than the log of the build.
    """
    held = world.held.get(ref)
    if held is None:
        return None
    if held.what == "node":
        belongs = steps_of(world.work.queue, list(world.held.items()))
        item = next((one for one in world.work.queue if (one.part_of or belongs.get(one.id)) == ref), None)
        if item is not None:
            # A step has no quiet period: its moment decides nothing.
            return reason(item, world.work, item.since, quieting_down=world.controller.quieting_down)
    return held_reason(held)


def _name(ref: BuildRef | None) -> str:
    return str(ref.shown) if ref is not None else ""


def steps_of(queue: Sequence[QueueItem], held: Sequence[tuple[BuildRef, Held]]) -> dict[int, BuildRef]:
    """Which build each nameless step in the queue belongs to. What cannot be told for sure is left out.

    After a while the log of a build says of its wait what the queue says of the step. The steps of one job that say nothing
    yet began to wait in the order of its builds.
    """
    nameless = [item for item in queue if item.job is None and item.part_of is None]
    named = {item.part_of for item in queue}
    waiting = [(ref, one.on) for ref, one in held if one.what == "node" and ref not in named]
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
