"""Ends of its own: what a step of the platform, or the program itself, says that it ended with. Pure.

Each function gives None where it was something else.
"""

from __future__ import annotations

import re
from datetime import timedelta

from console.model.build import Result
from console.model.causes import start_cause
from console.model.gpu_words import Blame, xid_meaning, xid_words
from console.model.metric import Finding
from console.model.times import nanoseconds
from console.model.why import Cause, Evidence, Why
from console.model.words import duration
from console.runs import buildends, evidence
from console.runs.case import Case, told_words
from console.runs.crashes import LAUNCHERS, error_line
from console.runs.lessons import Lesson, hint_of, lesson_of
from console.runs.outside import KILLED, STOPPED
from console.text import Clean, clean

_ABORT, _BUS_ERROR = 134, 135
_SIGNALS = {
    132: "an illegal instruction",
    _ABORT: "an abort",
    _BUS_ERROR: "a bus error",
    136: "a floating point error",
    139: "a segmentation fault",
}
_REQUEST_STAGES = ("check request", "check", "validate request")
_ENGINE = re.compile(r"^The Docker Engine (?:cannot be reached|may not be used|did not answer)|docker program is not on PATH")
_WATCHDOG = "Watchdog caught collective operation timeout"
_OPERATION = re.compile(r"\bOpType=(?P<name>\w{1,40})")
_RAN = re.compile(r"\bran for (?P<ms>\d{1,12}) milliseconds")
_NEAR = timedelta(minutes=2)
_LAST = 20
"""Lines at the very end, in which the words for a signal are looked for."""

# The platform quotes the last line of a log that tells no error, whatever it is about.
_COMPLAINS = re.compile(
    r"error|exception|fail|cannot|can't|could not|unable|invalid|denied|refused|not found|no such|abort|assert|kill|terminat"
    r"|interrupt|panic|fault|missing|unexpected|must\b|expected|needs?\b|is no\b|no epoch|out of",
    re.IGNORECASE,
)


def image(case: Case) -> Why | None:
    sentences = [*told_words(case), str(case.problem.said) if case.problem is not None else ""]
    said = next((one for one in sentences if "could not be built" in one), None)
    if said is None:
        return None
    reason = said.partition("could not be built: ")[2]
    step = buildends.build_step(case.clues.build_lines)
    lesson = lesson_of(reason)
    rows = [evidence.row("jenkins", said), evidence.row("log", f"step {step}") if step is not None else None]
    if lesson is not None and lesson.cause is Cause.NO_SPACE:
        return case.why(lesson.cause, f"{lesson.words}, while its image was built", lesson.short, *rows, todo=str(lesson.todo))
    where = f" at step {step}" if step is not None else ""
    short = f"image {step}" if step is not None else "image could not be built"
    words = f"Its image could not be built{where}" + (f": {reason}" if reason else "")
    return case.why(Cause.IMAGE, words, short, *rows, todo="mend the Dockerfile or requirements.txt, and commit")


def not_started(case: Case) -> Why | None:
    """Where no program of its own has run."""
    error = case.container.details.error if case.container is not None and case.container.details is not None else ""
    verdict = case.verdict
    reason = verdict.reason if verdict is not None and verdict.status == "could-not-start" else error
    if not reason:
        return None
    lesson = lesson_of(reason)
    if lesson is not None:
        return _taught(case, lesson, case.platform or case.docker)
    told = start_cause(reason)
    if verdict is not None and "it was never started" in reason:
        return by_problem(case)
    rows = [case.platform, case.docker]
    return case.why(Cause.ERROR, f"Its container could not be started: {told}", told, *rows)


def by_problem(case: Case) -> Why | None:
    """The sentence of the step that gave up: what it names, else that the request was refused."""
    problem = case.problem
    if problem is None or case.result is not Result.FAILURE or case.code not in (None, 0):
        return None
    if case.verdict is not None and case.verdict.status not in ("ok", "could-not-start"):
        return None
    row = evidence.row("jenkins", problem.said, problem.at)
    lesson = lesson_of(problem.said)
    if lesson is not None:
        return _taught(case, lesson, row)
    if _ENGINE.search(problem.said):
        return case.why(Cause.ERROR, str(problem.said), "Docker is out of reach", row, todo="look at the Engine of the trainer")
    if problem.step in ("check", "request"):
        return case.why(Cause.REFUSED, f"It was refused before it began: {problem.said}", str(problem.said), row)
    return case.why(Cause.ERROR, f"The platform's step {problem.step} failed: {problem.said}", str(problem.said), row)


def by_description(case: Case) -> Why | None:
    """A check that fails leaves its sentence in the description alone, where the log cannot be read (Jenkinsfile)."""
    if case.result is not Result.FAILURE or case.verdict is not None or case.container is not None or not case.description:
        return None
    lesson = lesson_of(case.description)
    if lesson is not None:
        return _taught(case, lesson, case.platform)
    stage = (case.clues.failure or "").partition(":")[0].removesuffix(" failed").strip().casefold()
    if stage not in _REQUEST_STAGES:
        return None
    return case.why(Cause.REFUSED, f"It was refused before it began: {case.description}", case.description, case.platform)


def collective(case: Case) -> Why | None:
    """NCCL's watchdog tears the process down: what is raised then, or by a launcher, tells of an NCCL error at most."""
    crash = case.crash
    code, said = _exit(case.verdict.reason if case.verdict is not None and case.verdict.status == "failed" else "")
    code = case.code if case.code is not None else code
    fits = code == _ABORT if crash is None else crash.kind == "DistBackendError" or crash.kind in LAUNCHERS
    if code == 0 or not fits or (crash is not None and said and crash.kind not in said):
        return None
    told = next((one for one in case.lines if _WATCHDOG in one.text), None)
    if told is None:
        return None
    what, ran = _OPERATION.search(told.text), _RAN.search(told.text)
    name = what["name"] if what is not None else "a collective operation"
    after = f" after {duration(int(ran['ms']) / 1000)}" if ran is not None else ""
    rows: list[Evidence | None] = [case.docker or case.platform, evidence.row("log", told.text, told.at)]
    if crash is not None:
        rows.append(evidence.row("log", crash.line, crash.at))
        rows += [evidence.row("log", f"before it: {one}") for one in (*crash.causes, *crash.before)]
    words = f"A collective operation of its GPUs timed out{f' ({name})' if what is not None else ''}{after}"
    todo = "look at the other ranks: one stood still, ended, or went another way; NCCL_DEBUG=INFO tells more"
    return case.why(Cause.ERROR, words, f"NCCL: {name} timed out", *rows, todo=todo)


def program(case: Case) -> Why | None:
    """What the program itself ended with."""
    reason = case.verdict.reason if case.verdict is not None and case.verdict.status == "failed" else ""
    code, said = _exit(reason)
    code = case.code if case.code is not None else code
    crash = case.crash
    if code == 0 or (case.container is None and case.verdict is None and case.result is None):
        return None
    if crash is None and not said:
        return None
    if crash is not None and said and crash.kind not in said and not said.endswith(str(crash.message)):
        crash = None  # the platform looked at the whole log
    rows: list[Evidence | None] = [case.docker or case.platform]
    texts = [said]
    if crash is not None:
        texts = [f"{crash.name}: {crash.full}", *crash.causes, said]
        rows.append(evidence.row("log", crash.line, crash.at))
        rows += [evidence.row("log", f"raised at {crash.place}")] if crash.place else []
        rows += [evidence.row("log", f"it came of {one}") for one in crash.causes]
        rows += [evidence.row("log", f"before it: {one}") for one in crash.before]
    around = " ".join(one.text for one in case.lines[-40:] if "Assertion `" in one.text)
    wholes = [f"{one} {around}" if "CUDA error" in one else one for one in texts if one]
    lesson = next((found for one in wholes if (found := lesson_of(one, on_gpu=case.on_gpu))), None)
    if lesson is not None:
        return _taught(case, _blamed(lesson, case), *rows)
    line = str(crash.line) if crash is not None else said
    words = f"It ended with {line}" + (f" (exit {code})" if code is not None and f"exit {code}" not in line else "")
    todo = next((hint for one in texts if one and (hint := hint_of(one))), Clean(""))
    return case.why(Cause.ERROR, words, line, *rows, todo=str(todo))


def _blamed(lesson: Lesson, case: Case) -> Lesson:
    """An error on the card that the driver holds the card for is the card's."""
    if lesson.cause is not Cause.ERROR:
        return lesson
    ended = case.run.since
    bad = [
        one
        for one in case.clues.xids
        if xid_meaning(one.number).blame is Blame.CARD
        and ended is not None
        and ended - one.at <= _NEAR
        and one.at - ended <= _NEAR
    ]
    if not bad:
        return lesson
    words = clean(f"The GPU failed: {xid_words(bad[0])}")
    return Lesson(Cause.GPU_FAULT, words, clean(f"GPU failed, Xid {bad[0].number}"), clean(xid_meaning(bad[0].number).do))


def _exit(reason: str) -> tuple[int | None, str]:
    """`exit 3: ValueError: no column price` in its parts; a last line that complains of nothing is no error."""
    found = re.match(r"exit (?P<code>\d{1,3}): (?P<said>.+)$", reason)
    if found is None:
        return None, ""
    said = found["said"]
    return int(found["code"]), said if _COMPLAINS.search(said) else ""


def _taught(case: Case, lesson: Lesson, *rows: Evidence | None) -> Why:
    words, short, found = str(lesson.words), str(lesson.short), list(rows)
    broken = _not_finite(case) if lesson.cause is Cause.NOT_FINITE else None
    if broken is not None:
        # `loss is nan since step 812. The last finite value was 0.41 at step 811.`
        short = broken.words.partition(". ")[0].removesuffix(".")
        words = f"{words}: {short}"
        found.append(evidence.row("figures", broken.words, nanoseconds(broken.since)))
    return case.why(lesson.cause, words, short, *found, denied=str(lesson.denied), todo=str(lesson.todo))


def _not_finite(case: Case) -> Finding | None:
    """What the figures know of it: of the loss if they do, else of the metric that was none first."""
    known = case.clues.figures
    found = [one for one in known.findings if one.sign == "not finite"] if known is not None else []
    loss = known.loss.name if known is not None and known.loss is not None else None
    return min(found, key=lambda one: (loss is None or not one.words.startswith(f"{loss} "), one.since), default=None)


def signal(case: Case) -> Why | None:
    name = _SIGNALS.get(case.code or 0)
    if name is None:
        return None
    for told in reversed(case.lines[-_LAST:]) if case.code == _BUS_ERROR else ():
        if (lesson := lesson_of(told.text)) is not None and lesson.cause is Cause.NO_SPACE:
            return _taught(case, lesson, case.docker, evidence.row("log", told.text, told.at))
    rows = [case.docker, *evidence.last_lines(case.lines, 2)]
    return case.why(Cause.ERROR, f"It crashed with {name} (exit {case.code})", f"{name}, exit {case.code}", *rows)


def last_error(case: Case) -> Why | None:
    """A line that calls itself an error, at the very end of what the program said."""
    if case.code in (None, 0) or not case.clues.lines:
        return None
    line = error_line(case.clues.lines)
    if line is None:
        return None
    rows = [case.docker, evidence.row("log", line.text, line.at)]
    lesson = lesson_of(line.text, on_gpu=case.on_gpu)
    if lesson is not None:
        return _taught(case, lesson, *rows)
    return case.why(Cause.ERROR, f"It ended with exit {case.code}, and its last error is: {line.text}", str(line.text), *rows)


_DOCKER_SAYS = re.compile(r"^(?:docker: |Error response from daemon: |ERROR: |error: |E: )")


def build(case: Case) -> Why | None:
    """What the build alone tells: its last error, and the stage that it came of."""
    if case.result is not Result.FAILURE:
        return None
    told = [one for one in buildends.telling(case.clues.build_lines)[-60:] if _DOCKER_SAYS.match(one.text)]
    for one in reversed(told):
        if (lesson := lesson_of(one.text)) is not None:
            return _taught(case, lesson, evidence.row("jenkins", one.text, one.at), case.platform)
    said = str(case.error.text) if case.error is not None else ""
    if not said or re.search(rf"exit(?: code)? (?:{KILLED}|{STOPPED}|-1)\b", said):
        return None
    lesson = lesson_of(said)
    if lesson is not None:
        return _taught(case, lesson, case.platform)
    stage = buildends.failed_stage(case.clues.build_lines)
    if stage is not None and stage.casefold() in _REQUEST_STAGES:
        return case.why(Cause.REFUSED, f"It was refused before it began: {said}", said, case.platform)
    where = f" in stage {stage}" if stage is not None else ""
    rows = [case.platform, *evidence.last_lines([one for one in case.lines if not one.text.startswith("ERROR: ")], 2)]
    return case.why(Cause.ERROR, f"Its build ended{where} with: {said}", said, *rows)
