"""Ends that came from outside of the program: it was refused, stopped or killed, or its node was lost. Pure.

Each function gives None where it was something else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from console.model.build import Result
from console.model.why import Cause, Evidence, Why
from console.model.words import binary
from console.runs import buildends, evidence
from console.runs.case import Case, told_words

KILLED, STOPPED, INTERRUPTED = 137, 143, 130
_OUT_OF_MEMORY = re.compile(
    r"^(?:[\w ]{1,40}: )?out of memory: the container |^(?:[\w ]{1,40}: )?training failed: out of memory$"
)
_LIMIT = re.compile(r"limit of (?P<size>[\d.]+ ?[KMGkmg](?:iB|B|b)?)")
_BY_MEMORY = re.compile(
    r"Killed|MemoryError|allocate|DataLoader worker|BrokenPipe|EOFError|ConnectionReset|exited unexpectedly|SIGKILL"
)


def refused(case: Case) -> Why | None:
    verdict = case.verdict
    if verdict is None or verdict.status != "refused":
        return None
    return case.why(Cause.REFUSED, f"The request was refused: {verdict.reason}", f"refused: {verdict.reason}")


def pipeline(case: Case) -> Why | None:
    if case.result is not Result.FAILURE:
        return None
    failure = str(case.clues.failure or "")
    told = buildends.groovy_error(case.clues.build_lines) or (failure if failure.startswith("Jenkinsfile ") else None)
    if told is None:
        return None
    place = told if told.startswith("Jenkinsfile ") else f"its pipeline ended with an error: {told}"
    words = f"The Jenkinsfile does not work: {place}"
    return case.why(Cause.PIPELINE, words, told, todo="mend the Jenkinsfile at this commit; the project is not at fault")


def ended_by_time(case: Case) -> Why | None:
    verdict = case.verdict
    if verdict is not None and verdict.status == "timed-out":
        limit = verdict.reason.partition(" (resources.timeout)")[0].removeprefix("timed out after ")
        words = f"Its time was over: it {verdict.reason.partition(';')[0]}"
        todo = "more time in resources.timeout, going on from its checkpoint"
        return case.why(Cause.TIMED_OUT, words, f"timed out after {limit}", case.platform, case.docker, todo=todo)
    if case.result is not Result.ABORTED or not buildends.timed_out(case.clues.build_lines):
        return None
    if buildends.aborted_by(case.clues.build_lines) is not None:
        return None
    rows = [evidence.row("jenkins", "Timeout has been exceeded"), case.docker]
    return case.why(Cause.TIMED_OUT, "A time limit of the pipeline ended it", "time limit of the pipeline", *rows)


def stopped(case: Case) -> Why | None:
    verdict, lines = case.verdict, case.clues.build_lines
    by_platform = verdict is not None and verdict.status == "stopped"
    by_hand = case.run.build is None and case.code == STOPPED
    if case.result is not Result.ABORTED and not by_platform and not by_hand:
        return None
    who, rejected = buildends.aborted_by(lines), buildends.rejected_by(lines)
    rows = [case.platform if verdict is not None else None, case.docker]
    if who is not None:
        rows.insert(0, evidence.row("jenkins", f"Aborted by {who}"))
        return case.why(Cause.ABORTED, f"It was aborted by {who}", f"aborted by {who}", *rows)
    if rejected is not None:
        return case.why(Cause.ABORTED, f"Publishing was rejected by {rejected}", f"rejected by {rejected}", *rows)
    if by_hand and not by_platform:
        return _by_hand(case, rows)
    if by_platform or case.code == STOPPED:
        words = "It was asked to stop, and did; nothing that is known says by whom"
        return case.why(Cause.ABORTED, words, "asked to stop", *rows)
    words = "Jenkins says that it was aborted; nothing that is known says by whom"
    return case.why(Cause.ABORTED, words, "aborted", *rows)


def _by_hand(case: Case, rows: Sequence[Evidence | None]) -> Why:
    """A training that obeys and any program without a handler end alike: what its log says parts them."""
    keeps, obeyed = evidence.kept(None, case.lines) is not None, evidence.says_stopped(case.lines)
    if keeps or obeyed:
        words = "It was asked to stop, and did" if obeyed else "SIGTERM ended it"
        words += f"{', with a checkpoint' if keeps else ''}; nothing that is known says by whom"
        return case.why(Cause.ABORTED, words, "stopped with a checkpoint" if keeps else "asked to stop", *rows)
    words = "SIGTERM ended it; nothing that is known says by whom, or that it kept a checkpoint"
    return case.why(Cause.ABORTED, words, "ended by SIGTERM", *rows, *evidence.last_lines(case.lines, 1))


def interrupted(case: Case) -> Why | None:
    """SIGINT, which Python turns into an exception: no error of the program, whatever the traceback looks like."""
    verdict = case.verdict
    told = verdict is not None and verdict.reason.startswith(f"exit {INTERRUPTED}: KeyboardInterrupt")
    seen = case.code == INTERRUPTED and case.crash is not None and case.crash.kind == "KeyboardInterrupt"
    if not told and not seen:
        return None
    rows = [case.docker or case.platform]
    if case.crash is not None:
        rows.append(evidence.row("log", case.crash.line, case.crash.at))
    words = "It was ended by ctrl+c (SIGINT); nothing that is known says by whom"
    return case.why(Cause.ABORTED, words, "ended by ctrl+c", *rows)


def node_lost(case: Case) -> Why | None:
    lost = buildends.node_lost(case.clues.build_lines)
    if lost is None or case.result is not Result.FAILURE:
        return None
    todo = "look at the node; the training may go on there without its build"
    return case.why(
        Cause.NODE_LOST, "Its node was lost while it ran", "node lost", evidence.row("jenkins", lost.text), todo=todo
    )


def memory(case: Case) -> Why | None:
    verdict = case.verdict
    said = next((text for text in told_words(case) if _OUT_OF_MEMORY.search(text)), None)
    by_platform = verdict.status == "out-of-memory" if verdict is not None else said is not None and case.container is None
    killed = case.out_of_memory and (case.code == KILLED or (case.code != 0 and _may_be_memory(case)))
    if not by_platform and not killed:
        return None
    if case.container is not None and case.container.details is not None and case.out_of_memory and case.limit is None:
        words = "Out of memory: the machine had none left, and the kernel killed it; the container has no limit of its own"
        return case.why(
            Cause.HOST_MEMORY, words, "host out of memory", case.docker, todo="set resources.memory, run fewer at once"
        )
    limit = binary(case.limit) if case.limit is not None else _limit(" ".join(told_words(case)))
    words = (
        f"Out of memory: the container reached its {limit} limit and was killed"
        if limit
        else ("Out of memory: the container reached its limit and was killed")
    )
    epoch = case.clues.figures.epoch if case.clues.figures is not None else None
    short = f"out of memory {limit or ''}".rstrip() + (f", epoch {epoch:g}" if epoch else "")
    rows = [case.docker or case.platform, evidence.of_usage(case.clues.usage), *evidence.last_lines(case.lines, 1)]
    return case.why(
        Cause.CONTAINER_MEMORY, words, short, *rows, todo="more resources.memory, or a lower batch_size or num_workers"
    )


def _may_be_memory(case: Case) -> bool:
    """Where only a part of it was killed: whether what it ended with can come of that."""
    return case.crash is None or bool(_BY_MEMORY.search(f"{case.crash.kind} {case.crash.full}"))


def _limit(text: str) -> str:
    found = _LIMIT.search(text)
    return found["size"] if found else ""


def killed(case: Case) -> Why | None:
    verdict = case.verdict
    by_platform = verdict is not None and "killed from outside" in verdict.reason
    removed = verdict is not None and "its container is gone" in verdict.reason
    if removed:
        words = "Somebody removed its container while it ran, and what it had written went with it"
        return case.why(Cause.KILLED, words, "its container was removed", case.platform)
    if case.code == STOPPED or (verdict is not None and verdict.reason.startswith(f"exit {STOPPED}: ")):
        rows = [case.docker or case.platform, *evidence.last_lines(case.lines, 2)]
        words = "It was ended from outside (SIGTERM), and not by its build"
        return case.why(Cause.KILLED, words, "ended from outside", *rows, todo="ask who was on the machine; run it again")
    if case.code != KILLED and not by_platform:
        return None
    details = case.container.details if case.container is not None else None
    denied = "out of memory: the Engine has no word of it" if details is not None and not case.out_of_memory else ""
    rows = [case.docker or case.platform, *evidence.last_lines(case.lines, 2)]
    words = "It was killed from outside (SIGKILL); it could not say a word of it"
    return case.why(
        Cause.KILLED, words, "killed from outside", *rows, denied=denied, todo="ask who was on the machine; run it again"
    )
