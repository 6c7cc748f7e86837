"""request: whether a request may train at all, before anything else: is it fresh, was it seen, was it trained already."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from . import source
from .problem import Exit, Problem, answer, argument, parameter, words_of
from .record import root
from .source import Source

# Seconds that a request may be old, or ahead of our clock: a replay within them is caught by its delivery.
_FRESH = 600

# The webhook's default for what a request lacks, "missing", is a letter too short to be one.
_DELIVERY = re.compile(r"[A-Za-z0-9-]{8,64}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True)
class Build:
    """An earlier or later build of the job: its result (empty or `null` while it runs), display name and causes."""

    number: int
    result: str
    name: str
    causes: str


def step() -> int:
    """The program: one line on stdout, and 0, whenever the request could be judged."""
    answer(judge(history(Path(argument("HISTORY_FILE")))))
    return Exit.OK


def history(file: Path) -> list[Build]:
    """The builds of a file with one a line: number, result, display name and causes, with tabs between. Raises Problem."""
    try:
        text = file.read_bytes().decode(errors="replace")
    except OSError as error:
        raise Problem(f"The history of builds cannot be read: {words_of(error)}.", Exit.USAGE) from error
    found = []
    # Only a line feed ends a line: other ends of lines that a cause may hold must not hide the rest of it.
    for row, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        # Who trims the file takes the tab before the last causes, if these are empty.
        number, *rest = line.split("\t", 3)
        if not re.fullmatch(r"[0-9]{1,9}", number) or len(rest) < 2:
            raise Problem(f"{file}, line {row}: expected number, result, name and causes, with tabs between.", Exit.USAGE)
        found.append(Build(int(number), rest[0], rest[1], rest[2] if len(rest) > 2 else ""))
    return found


def judge(builds: Sequence[Build]) -> str:
    """`train KEY COMMIT`, `trained NUMBER KEY` or `refused SENTENCE`, for the request in the environment.

    KEY is `project@` with 12 digits of the commit, COMMIT has all 40. Raises Problem when nothing can be said.
    """
    number, scheduled = _number("BUILD_NUMBER"), _number("SCHEDULED")
    delivery, timestamp = os.environ.get("DELIVERY", ""), os.environ.get("TIMESTAMP", "")
    by_hand = not delivery and not timestamp
    try:
        if not by_hand:
            _must_be_fresh(delivery, timestamp, scheduled)
            _must_be_new(delivery, number, builds)
        where = _wanted(by_hand=by_hand)
    except Problem as problem:
        if problem.status is not Exit.BAD:
            raise  # nobody's request is at fault
        return f"refused {str(problem).removesuffix('.')}"
    key = f"{where.project}@{where.commit[:12]}"
    trained = [build.number for build in builds if build.number != number and _has_trained(build, key)]
    if trained and os.environ.get("FORCE", "").lower() != "true":
        return f"trained {max(trained)} {key}"
    return f"train {key} {where.commit}"


def _must_be_fresh(delivery: str, timestamp: str, scheduled: int) -> None:
    """`scheduled` in milliseconds: when the build left the queue."""
    if not _DELIVERY.fullmatch(delivery):
        raise Problem("DELIVERY is missing or not valid")
    if not _TIMESTAMP.fullmatch(timestamp):
        raise Problem("TIMESTAMP is missing or not valid")
    age = scheduled - int(timestamp) * 1000
    if age > _FRESH * 1000:
        raise Problem(
            f"the request is {_seconds(age)} s old, and more than {_FRESH} s are too old; a quiet-down or restart of Jenkins "
            "longer than ten minutes makes honest requests too old: send it again"
        )
    if -age > _FRESH * 1000:
        raise Problem(f"the sender's clock is ahead by {_seconds(-age)} s")


def _must_be_new(delivery: str, number: int, builds: Sequence[Build]) -> None:
    """Causes are there from the first moment of a build, so of two that start together the later one sees the other."""
    seen = [build.number for build in builds if build.number < number and f"(delivery {delivery})" in build.causes]
    if seen:
        raise Problem(f"delivery {delivery} was seen in #{min(seen)}")


def _wanted(*, by_hand: bool) -> Source:
    """What is to be trained. By hand no commit means the newest of the release branch; a webhook has to name one."""
    clone, branch = root(), os.environ.get("RELEASE_BRANCH", "")
    newest = source.head(clone, branch) if branch else ""
    commit = os.environ.get("COMMIT", "") or (newest if by_hand else "")
    return source.find(clone, os.environ.get("PROJECT", ""), commit, branch=branch)


def _has_trained(build: Build, key: str) -> bool:
    return build.result == "SUCCESS" and build.name.endswith(f" {key}")


def _seconds(milliseconds: int) -> int:
    """Rounded up: what is too old is never told as just old enough."""
    return -(-milliseconds // 1000)


def _number(name: str) -> int:
    said = parameter(name)
    if not re.fullmatch(r"[0-9]{1,18}", said):
        raise Problem(f"{name} is {said!r}; expected a number.", Exit.USAGE)
    return int(said)
