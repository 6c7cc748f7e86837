"""What running builds wait for, out of every console log that a real controller wrote."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache

import pytest

from console.feeds.build_logs import TAIL_BYTES
from console.model.build import BuildRef
from console.model.held import compile_error, held
from console.model.jenkins import Held
from console.model.state import StateClass
from console.model.waiting import held_reason
from console.text import clean
from tests.support.recorded import RECORDINGS, Exchange, recorded

# What comes after a wait shows that there was one: these lines end it, or say more about it.
_TIME = re.compile(r"^\[\d{4}-\d\d-\d\dT[^\]]*\] ")
_AFTER = {
    "node": re.compile(r"Running on |Still waiting to schedule task|.+ is offline$|\[Pipeline\] node$|Click here to forcibly"),
    "lock": re.compile(
        r"Lock acquired on |Found \d+ available|\[.+\] is locked|Resource \[.+\] did not exist|Cancelling nested"
    ),
    "input": re.compile(r"Input requested$|Approved by |Proceed or Abort$|go\?$"),
}
# Two branches ask for a node, and the first has its own already; a step is stopped while it waits.
_BOTH = {("parallel-log", 16), ("parallel-log", 18)}
_STOPPED = {("agent/build-stop-while-node-gone-outer-finish-log", 48)}
_WAITS_AT_ITS_END = {
    "agent/build-waiting-for-node-log": "node",
    "pipeline/lock-waiting-log": "lock",
    "pipeline/perm-operator-log": "input",
    "pipeline/perm-viewer-log": "input",
}


@cache
def consoles() -> dict[str, list[str]]:
    """The lines of every recorded console of a build, by the recording's name."""
    found: dict[str, list[str]] = {}
    for path in sorted(RECORDINGS.rglob("*.json")):
        name = str(path.relative_to(RECORDINGS).with_suffix(""))
        one = _exchange(name)
        if one is None or one.method != "GET" or one.status != 200 or "/computer/" in one.url or "/indexing/" in one.url:
            continue
        if "consoleText" in one.url or "progressiveText" in one.url:
            found[name] = one.body.replace("\r\n", "\n").splitlines()
    return found


def _exchange(name: str) -> Exchange | None:
    try:
        return recorded(name)
    except (KeyError, TypeError):
        return None  # a series, or a table


def ref(job: str, number: int) -> BuildRef:
    return BuildRef(clean(job), number)


def test_there_are_consoles_to_look_at() -> None:
    assert len(consoles()) > 40
    assert _WAITS_AT_ITS_END.keys() <= consoles().keys()


def test_at_no_moment_of_any_console_a_wait_is_made_up() -> None:
    """After each line of each log: what it is said to wait for is what the next line brings."""
    waits = 0
    for name, lines in consoles().items():
        for count in range(len(lines)):
            found = held(lines[:count])
            if found is None:
                continue
            waits += 1
            following = _TIME.sub("", lines[count])
            assert _AFTER[found.what].match(following), f"{name} after {count} lines: {found}, and then {following!r}"
    assert waits > 60


def test_at_no_moment_of_any_console_a_wait_is_overlooked() -> None:
    """The other way round: before a node, a lock or an answer came, it was waited for."""
    ends = {"node": re.compile(r"Running on "), "lock": re.compile(r"Lock acquired on "), "input": re.compile(r"Approved by ")}
    came = dict.fromkeys(ends, 0)
    for name, lines in consoles().items():
        for count, line in enumerate(lines):
            for what, pattern in ends.items():
                if pattern.match(_TIME.sub("", line)) and (name, count) not in _BOTH | _STOPPED:
                    came[what] += 1
                    found = held(lines[:count])
                    assert found is not None, f"{name} line {count + 1}: {line}"
                    assert found.what == what
    assert all(came.values()), came


@pytest.mark.parametrize("name", sorted(consoles()))
def test_a_whole_log_waits_only_where_its_build_did(name: str) -> None:
    found = held(consoles()[name])
    assert (found.what if found is not None else None) == _WAITS_AT_ITS_END.get(name)


@pytest.mark.parametrize("name", sorted(_WAITS_AT_ITS_END))
def test_the_end_of_the_log_is_enough(name: str) -> None:
    """Only the end is read, from somewhere in the middle of a line or of a character."""
    lines = ["あ" * 4000, *consoles()[name]]
    raw = "\n".join(lines).encode()
    for size in (TAIL_BYTES, TAIL_BYTES - 1, TAIL_BYTES - 2):
        assert held(raw[-size:].decode("utf-8", "replace").split("\n")) == held(lines)


def test_a_line_that_is_half_there_makes_up_no_wait() -> None:
    for name in (
        "pipeline/lock-waiting-log",
        "pipeline/input-publish-log",
        "input-log-after",
        "agent/build-waiting-for-node-log",
    ):
        lines = consoles()[name]
        for count, line in enumerate(lines):
            before, whole = held(lines[:count]), held(lines[: count + 1])
            for cut in range(len(line)):
                half = held([*lines[:count], line[:cut]])
                assert half is None or half.what in {one.what for one in (before, whole) if one is not None}, (name, line[:cut])


def test_a_lock_stands_only_in_the_log() -> None:
    found = held(consoles()["pipeline/lock-waiting-log"])
    since = datetime(2026, 11, 23, 2, 29, 47, 282_000, tzinfo=UTC)
    assert found == Held("lock", clean("train-project-a"), ref("train", 21), since)
    told = held_reason(found)
    assert (told.state.word, told.cause, told.by) == ("blocked", "train #21 has lock train-project-a", ref("train", 21))


@pytest.mark.parametrize(
    "lines",
    [
        ["[gpu-0] is locked by train #21, waiting..."],
        ["[gpu-0] is locked by build train #21 #21 since Nov 24, 2026, 11:00 AM, waiting..."],
        [
            "Found 0 available resource(s). Waiting for correct amount: 1.",
            "[Resource: gpu-0] is locked by train #21, waiting...",
        ],
        [
            "The resource [gpu-0] is locked by build train #21 gpu #21 since Apr 20, 2026, 11:16 AM.",
            "[Resource: gpu-0] is not free, waiting for execution ...",
            "[Required resources: [gpu-0]] added into queue at position 0",
        ],
    ],
)
@pytest.mark.parametrize("stamp", ["", "[2026-11-23T02:29:47.283Z] "])
def test_a_lock_in_the_words_of_each_version(lines: list[str], stamp: str) -> None:
    all_lines = [f"{stamp}{line}" for line in ["Trying to acquire lock on [Resource: gpu-0]", *lines]]
    for count in range(1, len(all_lines) + 1):
        sofar = held(all_lines[:count])
        assert sofar is not None
        assert (sofar.what, sofar.on) == ("lock", "gpu-0")
    found = held(all_lines)
    assert found is not None
    assert found.by == ref("train", 21)
    assert (found.since is not None) is bool(stamp)
    assert held([*all_lines, f"{stamp}Lock acquired on [Resource: gpu-0]"]) is None


def test_who_has_the_lock_goes_by_the_name_of_its_job() -> None:
    lines = ["Trying to acquire lock on [gpu-0]", "[gpu-0] is locked by mlops \u00bb feature/aug #3, waiting..."]
    found = held(lines)
    assert found is not None
    assert found.by == ref("mlops/feature/aug", 3)


@pytest.mark.parametrize(
    "end",
    [
        "[gpu-0] is not free, skipping execution ...",
        "Lock acquired on [gpu-0]",
        "[Pipeline] // lock",
        "Cancelling nested steps due to timeout",
        "+ echo [gpu-0] is locked",
    ],
)
def test_a_lock_that_is_no_longer_waited_for(end: str) -> None:
    assert held(["Trying to acquire lock on [gpu-0]", end]) is None


def test_output_that_speaks_of_locks_is_no_lock() -> None:
    assert held(["[Pipeline] sh", "[gpu-0] is locked by train #21, waiting..."]) is None
    assert held(["[gpu-0] is locked by train #21, waiting..."]) is None


def test_a_wait_for_a_node_stands_in_the_log_too() -> None:
    assert held(consoles()["agent/build-waiting-for-node-log"]) == Held("node", clean(""))
    later = held(["[Pipeline] node", "Still waiting to schedule task", "‘trainer-1’ is offline"])
    assert later == Held("node", clean("‘trainer-1’ is offline"))
    assert held(["[Pipeline] node", "Still waiting to schedule task"]) == Held("node", clean(""))
    assert held(["[Pipeline] node\r"]) == Held("node", clean(""))
    assert held(["[Pipeline] nodesByLabel"]) is None


def test_a_question_is_an_approval() -> None:
    lines = ["[Pipeline] input", "[2026-11-23T02:36:01.000Z] Publish project-c?", "[2026-11-23T02:36:01.000Z] Publish or Abort"]
    found = held(lines)
    assert found == Held("input", clean("Publish project-c?"), None, datetime(2026, 11, 23, 2, 36, 1, tzinfo=UTC))
    assert held_reason(found).state.kind is StateClass.ATTENTION
    assert held([*lines, "Approved by operator"]) is None
    assert held([*lines, "Rejected by operator"]) is None


def test_a_question_of_several_lines_is_still_one() -> None:
    lines = [
        "[Pipeline] input",
        "Publish project-c?",
        "",
        "accuracy .914 (+.004)",
        "size 412 MB",
        "to acme/project-c",
        "at build-12",
    ]
    found = held([*lines, "Publish or Abort"])
    assert found is not None
    assert found.on == "Publish project-c? accuracy .914 (+.004) size 412 MB to acme/project-c at build-12"


def test_a_question_with_fields_does_not_say_what_it_asks() -> None:
    assert held(["[Pipeline] input", "Input requested"]) == Held("input", clean(""))
    assert held_reason(Held("input", clean(""))).cause == "waits for an answer"


def test_output_that_looks_like_a_question_is_none() -> None:
    assert held(["[Pipeline] sh", "+ echo", "Retry or Abort"]) is None
    assert held(["[Pipeline] input", "Sure?", "Proceed or Abort", "[Pipeline] echo", "Retry or Abort"]) is None
    assert held([]) is None
    assert held(["", "  ", "[2026-11-23T02:36:01.000Z]"]) is None


def test_a_time_that_is_none_is_no_time() -> None:
    found = held(["[2026-99-99T99:99:99.000Z] Trying to acquire lock on [gpu-0]"])
    assert found == Held("lock", clean("gpu-0"))


def test_words_of_a_log_are_made_safe() -> None:
    found = held(["[Pipeline] input", "Go\x1b]52;c;aGk=\x07\u202e?", "Proceed or Abort"])
    assert found is not None
    assert not set(found.on) & set("\x1b\x07\u202e")


def test_where_a_jenkinsfile_does_not_compile() -> None:
    lines = recorded("multibranch-broken-jenkinsfile-log").body.splitlines()
    assert compile_error(lines) == "Jenkinsfile line 11: Expected a symbol"
    assert compile_error(lines[:16]) == "the Jenkinsfile does not compile"
    assert compile_error(["Started by user", "[Pipeline] sh", "WorkflowScript: 1: text of a test"]) is None


def test_no_other_log_is_one_of_a_jenkinsfile_that_does_not_compile() -> None:
    told = {name: compile_error(lines) for name, lines in consoles().items()}
    assert {name for name, error in told.items() if error} == {"multibranch-broken-jenkinsfile-log"}


RESTART = (
    "Resuming build at Mon Nov 23 02:51:49 UTC 2026 after Jenkins restart",
    "Waiting for reconnection of trainer-1 before proceeding with build",
    "Ready to run at Mon Nov 23 02:51:52 UTC 2026",
)


@pytest.mark.parametrize(
    "waits",
    [
        ("Trying to acquire lock on [gpu-0]", "[gpu-0] is locked by train #9, waiting..."),
        ("[Pipeline] input", "Publish it?", "Proceed or Abort"),
        ("[Pipeline] node",),
    ],
    ids=["lock", "question", "node"],
)
def test_a_restart_of_jenkins_ends_no_wait(waits: tuple[str, ...]) -> None:
    before = held(waits)
    assert before is not None
    for count in range(1, len(RESTART) + 1):
        assert held([*waits, *RESTART[:count]]) == before


def test_a_restart_of_jenkins_begins_none() -> None:
    assert held(["epoch 3", *RESTART]) is None
