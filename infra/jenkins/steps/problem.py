"""What went wrong, in one sentence that says what to do, and the exit statuses of all steps."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path

from console.text import clean

# Characters of an answer: a description of a build that everybody still reads.
ANSWER = 300


class Exit(IntEnum):
    """Exit statuses. 143 is also what a stopped training ends with itself."""

    OK = 0
    BAD = 1
    USAGE = 2
    UNREACHABLE = 3
    INTERRUPTED = 130
    STOPPED = 143


class Problem(Exception):  # noqa: N818  # most are no errors of the program: a request that cannot be met
    """The text is one sentence, or a few, for the person who asked."""

    def __init__(self, text: str, status: Exit = Exit.BAD) -> None:
        super().__init__(text)
        self.status = status


def say(text: str) -> None:
    """A line for people. The log of the container has stdout to itself.

    What builders, Hubs and containers say is in it: it passes the gate that the console's text passes.
    """
    # Where tabs end needs the widths of letters, and a library for them that an agent does not have.
    print(clean(text.replace("\t", "    "), lines=True), file=sys.stderr, flush=True)


def answer(text: str) -> None:
    """The one line on stdout that a pipeline reads: through the gate, ANSWER characters at most, UTF-8 in every locale."""
    sys.stdout.buffer.write(one_line(text).encode() + b"\n")
    sys.stdout.buffer.flush()


def one_line(text: str, limit: int = ANSWER) -> str:
    """Text of others as one line of at most `limit` characters."""
    return clean(" ".join(text.split()), limit=limit)


def argument(name: str) -> str:
    """The only word on the command line, for what `name` says. Raises Problem when there is none, or more."""
    program, *words = sys.argv
    if len(words) != 1 or not words[0]:
        raise Problem(f"expected one word on the command line: {Path(program).name} {name}", Exit.USAGE)
    return words[0]


def program(name: str, step: Callable[[], int]) -> int:
    """Run one step as a program: a Problem is a sentence, never a traceback.

    PROBLEM_FILE names a file that holds this sentence afterwards, for a pipeline that shows it, and is gone when all is well.
    """
    kept = os.environ.get("PROBLEM_FILE")
    if kept:
        Path(kept).unlink(missing_ok=True)
    try:
        return step()
    except Problem as problem:
        said, status = str(problem), problem.status
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output has gone. Python would complain once more when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return Exit.BAD
    except OSError as error:
        said, status = f"{words_of(error)}. When that is mended, call it again.", Exit.BAD
    say(f"{name}: {said}")
    if kept:
        Path(kept).write_text(one_line(said) + "\n", encoding="utf-8")
    return status


def words_of(error: OSError) -> str:
    """What the system said, and of which file, without a full stop."""
    return f"{error.strerror or error}" + (f" ({error.filename})" if error.filename else "")


def parameter(name: str, *, default: str | None = None) -> str:
    """A variable of the environment. Raises Problem when it is missing and has no default."""
    value = os.environ.get(name) or default
    if value is None:
        raise Problem(f"{name} is not set.", Exit.USAGE)
    return value
