"""How far a stage of a build has come, out of the build's log: which step of its Dockerfile an image is at (build.py of
infra/jenkins/steps), and how much of a model is sent (publish.py). Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from console.text import Clean, clean

_MOMENT = r"^(?:\[\d{4}-\d\d-\d\dT[\d:.]+Z\] ?)?"
"""With timestamps() each line begins with it."""

# The classic builder and BuildKit.
_STEP = re.compile(
    _MOMENT + r"\[build\] "
    r"(?:Step (?P<number>\d+/\d+) : (?P<what>.+)|#\d+ \[(?:[^\]]*? )?(?P<number2>\d+/\d+)\] (?P<what2>.+))$"
)
_SENT = re.compile(_MOMENT + r"\[publish\] (?P<words>[\d.]{1,9} [kMGT]?B of [\d.]{1,9} [kMGT]?B sent)$")
_STAGE = re.compile(r"^\[Pipeline\] \{ \(")
_ENDS_WORDS = frozenset({"&&", "||", ";", "|"})


def step_of(line: str) -> tuple[str, str] | None:
    """`6/9` and `RUN pip install`; None for any other line."""
    found = _STEP.match(line)
    if found is None:
        return None
    return found["number"] or found["number2"], found["what"] or found["what2"]


def step_now(lines: Sequence[str], before: Clean | None = None) -> Clean | None:
    """`6/9: pip install`, or `120 MB of 412 MB sent`, of the newest step in these lines, which may have been read before;
    `before` where none of them says anything of it. None where another stage has begun since."""
    for line in reversed(lines):
        said = line.rstrip()
        if (told := step_of(said)) is not None:
            return clean(f"{told[0]}: {_short(told[1])}", limit=80)
        if (sent := _SENT.match(said)) is not None:
            return clean(sent["words"])
        if _STAGE.match(line):
            return None
    return before


def _short(what: str) -> str:
    """What it does in a row: the first command, without its options."""
    instruction, *words = what.split()
    while words and words[0].startswith("--"):
        del words[0]
    end = next((at for at, word in enumerate(words) if word.startswith("-") or word in _ENDS_WORDS), len(words))
    kept = words[: max(1, end)]
    return " ".join(kept if instruction == "RUN" and kept else [instruction, *kept])
