"""How a build of the platform ended, out of its description and the end of its console. Pure.

The words are those of the Jenkinsfile and of infra/jenkins/steps (finish, fact, problem), and Jenkins' own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from console.model.build import without_key
from console.model.held import compile_error
from console.model.stagestep import step_of
from console.runs.endings import Said
from console.text import Clean, clean

_STATUS = re.compile(
    r"^(?P<status>failed|out[ -]of[ -]memory|could[ -]not[ -]start|refused|ok|stopped|timed-out): (?P<reason>.+)$"
)
_FINISH = re.compile(r"^\[finish\] .{1,100}?: (?P<told>(?:ok|failed|out-of-memory|stopped|timed-out|could-not-start): .+)$")
_PROBLEM = re.compile(r"^(?P<step>check|build|start|follow|finish|publish|request): (?P<said>[A-Za-z0-9].{3,})$")
_ENDS_STEP = ("[Pipeline]", "Post stage", "ERROR: ", "script returned", "ended with ")
_KEPT = re.compile(r"its newest checkpoint is (?P<name>[\w.+-]{1,100}?)\.?(?:$|[;, ])")

_ABORTED_BY = re.compile(r"^Aborted by (?P<who>.{1,200})$")
_REJECTED_BY = re.compile(r"^Rejected by (?P<who>.{1,200})$")
_TIMEOUT = "Timeout has been exceeded"
_STAGE = re.compile(r"^\[Pipeline\] \{ \((?P<name>.{1,200})\)$")
_SKIPPED = re.compile(r'^Stage ".{1,200}" skipped due to earlier failure')
_FINISHED = re.compile(r"^Finished: [A-Z_]+$")
_ERROR = re.compile(r"^ERROR: (?P<said>.+)$")
_GROOVY = re.compile(
    r"^(?:groovy\.lang\.\w{1,80}|java\.lang\.NoSuchMethodError|org\.codehaus\.groovy\.\S{1,120}"
    r"|org\.jenkinsci\.plugins\.scriptsecurity\.\S{1,120}RejectedAccessException|WorkflowScript)\b.*"
)
_LOST = re.compile(
    r"AgentOfflineException|AgentErrorCondition|ChannelClosedException|ClosedChannelException|RemovedNodeListener"
    r"|was marked offline: "
    r"|[Aa]gent was removed|removed or offline|Agent .{1,100} was deleted"
)
_NOTHING = re.compile(
    r"^\[Pipeline\]|^\s*$|^\s+at |^Also:|ErrorAction\$ErrorId"
    r"|^Post stage$|^Archiving artifacts|^Recording fingerprints|^Lock released|^Finished: "
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The platform's own word: `status` as in result.json, or `refused`; `checkpoint` is what is kept."""

    status: str
    reason: Clean
    checkpoint: Clean | None = None
    at: int | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """The sentence that a step of the platform ended with."""

    step: str
    said: Clean
    at: int | None = None


def verdict_of(description: str, failure: str, lines: Sequence[Said]) -> Verdict | None:
    """What the platform says of the end: in the build's description, in the word of the stage that failed, in its console."""
    for text in (description, failure.partition(": ")[2]):
        if (told := _verdict(without_key(text), None)) is not None:
            return told
    for one in reversed(lines):
        if found := _FINISH.match(one.text):
            return _verdict(found["told"], one.at)
    error = final_error(lines)
    return _verdict(without_key(error.text), error.at) if error is not None else None


def _verdict(text: str, at: int | None) -> Verdict | None:
    found = _STATUS.match(text)
    kept = _KEPT.search(text)
    checkpoint = clean(kept["name"]) if kept else None
    if found is not None:
        return Verdict(found["status"].replace(" ", "-"), clean(found["reason"], limit=1000), checkpoint, at)
    if text.startswith("timed out after"):
        return Verdict("timed-out", clean(text), checkpoint, at)
    if text.startswith(("stopped as asked", "asked to stop", "stopped before the training began")):
        return Verdict("stopped", clean(text), checkpoint, at)
    return None


def problem_of(lines: Sequence[Said]) -> Problem | None:
    """The last sentence with which a step gave up: its last line. What a training prints may look like one."""
    for at in reversed(range(len(lines))):
        found = _PROBLEM.match(lines[at].text)
        following = next((one.text for one in lines[at + 1 :] if one.text.strip()), "")
        if found is not None and following.startswith(_ENDS_STEP):
            return Problem(found["step"], clean(found["said"], limit=1000), lines[at].at)
    return None


def aborted_by(lines: Sequence[Said]) -> Clean | None:
    """Who: the first one who said stop. Jenkins writes no time before it, but before all that a training prints."""
    return next((clean(found["who"]) for one in lines if one.at is None and (found := _ABORTED_BY.match(one.text))), None)


def rejected_by(lines: Sequence[Said]) -> Clean | None:
    return next((clean(found["who"]) for one in lines if (found := _REJECTED_BY.match(one.text))), None)


def timed_out(lines: Sequence[Said]) -> bool:
    """Whether a time limit ended the whole build: one that was caught ends with other words."""
    return any(one.text == _TIMEOUT for one in lines[-_LAST:])


_LAST = 12


def final_error(lines: Sequence[Said]) -> Said | None:
    """The `ERROR: ...` of the pipeline's own end."""
    for one in reversed(lines[-_LAST:]):
        if found := _ERROR.match(one.text):
            return Said(clean(found["said"], limit=1000), one.at)
    return None


def groovy_error(lines: Sequence[Said]) -> Clean | None:
    """What is wrong with the Jenkinsfile: where it does not compile, or the error of Groovy that it ended with."""
    compiled = compile_error([one.text for one in lines])
    if compiled is not None:
        return clean(compiled)
    ends = [at for at, one in enumerate(lines) if one.text == "[Pipeline] End of Pipeline"]
    if not ends:
        return None
    return next((one.text for one in lines[ends[-1] :] if _GROOVY.match(one.text)), None)


def node_lost(lines: Sequence[Said]) -> Said | None:
    """The line of Pipeline's own end that says that its node was gone; one that came back ends no build."""
    ends = [at for at, one in enumerate(lines) if one.text == "[Pipeline] End of Pipeline"]
    return next((one for one in lines[ends[-1] :] if _LOST.search(one.text)), None) if ends else None


def failed_stage(lines: Sequence[Said]) -> Clean | None:
    """The stage that was open when the first of those behind it was skipped."""
    current = None
    for at, one in enumerate(lines):
        if found := _STAGE.match(one.text):
            following = next((each.text for each in lines[at + 1 :] if each.text.strip()), "")
            if _SKIPPED.match(following):
                return current
            current = clean(found["name"])
        elif _SKIPPED.match(one.text):
            return current
    return None


def build_step(lines: Sequence[Said]) -> Clean | None:
    """The step of the Dockerfile that was at work last: `6/9: RUN pip install`."""
    for one in reversed(lines):
        if told := step_of(one.text):
            return clean(f"{told[0]}: {told[1]}", limit=120)
    return None


def telling(lines: Sequence[Said]) -> list[Said]:
    """The lines that are no scaffolding of Pipeline."""
    return [one for one in lines if not _NOTHING.search(one.text)]
