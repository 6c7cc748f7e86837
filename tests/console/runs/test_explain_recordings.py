"""Every recorded end is explained rightly or not at all: the truth stands beside each recording."""

from __future__ import annotations

import pytest

from console.model.build import Result
from console.model.cells import width
from console.model.why import Cause, Why
from console.runs.case import SHORT, Clues
from console.runs.endings import of_build, of_container
from console.runs.explain import explain
from tests.console.logs.recorded import entries_of
from tests.console.runs.ends import GIB, by_hand, certain, consoles, ended, gpu_failures, of_jenkins, rows, why
from tests.console.runs.recorded import NAMES, truth_of

_HOW = {"exception": Cause.ERROR, "oom-kill": Cause.CONTAINER_MEMORY, "sigkill": Cause.KILLED, "sigterm": Cause.ABORTED}
_GPU = {
    "cuda-oom": Cause.GPU_MEMORY,
    "device-assert": Cause.ERROR,
    "hidden-devices": Cause.NO_GPU,
    "killed-while-holding": Cause.KILLED,
}
_BUILDS = {
    "agent/abort-log": Cause.ABORTED,
    # Its step was killed with the agent: nothing in its console says so, and its container was stopped later.
    "agent/build-agent-replaced-log": None,
    "agent/build-stop-while-node-gone-log": Cause.ABORTED,
    "agent/build-stop-while-node-gone-outer-finish-log": Cause.ABORTED,
    "log-aborted": Cause.ABORTED,
    "log-failure-tail": Cause.ERROR,
    "multibranch-broken-jenkinsfile-log": Cause.PIPELINE,
    "pipeline/abort-by-operator-log": Cause.ABORTED,
    "pipeline/abort-fg-1-log": Cause.ABORTED,
    "pipeline/abort-fg-40-log": Cause.ABORTED,
    "pipeline/abort-timeout-log": Cause.TIMED_OUT,
    "pipeline/abort-train-log": Cause.ABORTED,
    "pipeline/abort-trap-1-log": Cause.ABORTED,
    "pipeline/abort-trap-40-log": Cause.ABORTED,
    "pipeline/abort-twice-log": Cause.ABORTED,
    "pipeline/fanout-build-step-stopped-log": Cause.ABORTED,
    "pipeline/gwt-path-project-log": Cause.REFUSED,
    "pipeline/gwt-short-commit-log": Cause.REFUSED,
    "pipeline/gwt-unknown-commit-log": Cause.REFUSED,
    "pipeline/gwt-unknown-project-log": Cause.REFUSED,
    "pipeline/train-fail-log": Cause.ERROR,
    "pipeline/train-gpu-log": Cause.NO_GPU,
    "pipeline/train-oom-log": Cause.CONTAINER_MEMORY,
    "upstream-log": Cause.ERROR,
}


def is_well_said(found: Why) -> bool:
    """A sentence, and a cause that fits into its cell."""
    return found.words.endswith(".") and 0 < width(found.short) <= SHORT and "\n" not in found.words


@pytest.mark.parametrize("name", NAMES)
def test_each_recorded_training(name: str) -> None:
    end = truth_of(name)["end"]
    run = by_hand(ended(end["exit_code"], oom=end["oom_killed"], limit=GIB))
    found = explain(run, Clues(lines=of_container(entries_of(name))))
    if end["exit_code"] == 0:
        assert found is None, "it went well"
        return
    assert certain(found).cause is _HOW[end["how"]]
    assert is_well_said(certain(found))
    if end["how"] == "exception":
        assert end["exception"] in certain(found).words


def test_the_last_exception_stands_with_its_place() -> None:
    found = explain(by_hand(ended()), Clues(lines=of_container(entries_of("end-exception"))))
    told = rows(found, "log")
    assert told[0] == "RuntimeError: training failed and no checkpoint could be loaded"
    assert told[1] == "raised at train.py:21"
    assert next(one.at for one in certain(found).evidence if one.source == "log"), "the line's own time"


@pytest.mark.parametrize("name", _GPU)
def test_each_recorded_failure_of_a_gpu(name: str) -> None:
    told = gpu_failures()[name]
    code = told["rc"] if told["rc"] >= 0 else 128 - told["rc"]
    found = certain(why(by_hand(ended(code)), told["stdout"], told["stderr"]))
    assert found.cause is _GPU[name]
    assert is_well_said(found)


def test_a_gpu_without_memory_says_how_much_was_asked_for() -> None:
    found = certain(why(by_hand(ended()), err=gpu_failures()["cuda-oom"]["stderr"]))
    assert "it asked for 8.00 GiB more, and of 79.18 GiB there were 6.66 GiB free on GPU 0" in found.words
    assert found.short == "GPU out of memory, 79 GiB"


def test_an_assertion_on_the_card_is_the_programs_fault() -> None:
    found = certain(why(by_hand(ended()), err=gpu_failures()["device-assert"]["stderr"]))
    assert "srcIndex < srcSelectDimSize" in found.words
    assert rows(found, "not") == ["the card: this is a fault of the program"]


@pytest.mark.parametrize(("name", "console"), consoles(), ids=lambda one: one if "/" in one or len(one) < 60 else "")
def test_each_recorded_console(name: str, console: str) -> None:
    result = Result(console.rpartition("Finished: ")[2].split()[0])
    found = explain(of_jenkins(result), Clues(build_lines=of_build(console[-65_536:])))
    if result in (Result.SUCCESS, Result.NOT_BUILT):
        assert found is None
        return
    assert name in _BUILDS, "its truth is not written down"
    assert certain(found).cause is (_BUILDS[name] or Cause.UNKNOWN)
    assert is_well_said(certain(found))


def test_who_has_aborted_it_is_said() -> None:
    console = dict(consoles())["pipeline/abort-by-operator-log"]
    found = explain(of_jenkins(Result.ABORTED), Clues(build_lines=of_build(console)))
    assert certain(found).short == "aborted by Console operator"
