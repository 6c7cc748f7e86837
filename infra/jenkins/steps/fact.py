"""fact: one fact of the current run, in one line, for a pipeline that decides by it or shows it."""

from __future__ import annotations

import os
from collections.abc import Callable

from .finish import Result
from .problem import Exit, Problem, answer, argument, one_line
from .record import PUBLISHED, Folder, current
from .source import COMMIT, NAME

# So much of a training's own words that there is room for where its model is.
_REASON = 120


def step() -> int:
    """The program: `fact NAME`, of the run that JOB_NAME and BUILD_NUMBER, or RUN, name."""
    name = argument("NAME")
    if name not in FACTS:
        raise Problem(f"There is no fact {name!r}; there are {', '.join(FACTS)}.", Exit.USAGE)
    answer(FACTS[name](current()))
    return Exit.OK


def words(folder: Folder) -> str:
    """The build's description: what it trains, and how that has ended. Raises Problem."""
    key = _key(folder)
    result = _result(folder)
    if result is None:
        return key
    reason = result.reason.strip().removesuffix(".")
    if result.status == "ok":
        return f"{key}: {', '.join([one_line(reason, _REASON), *_trained(result), *_published(folder)])}"
    # What says of itself how it has ended needs no word before it.
    told = "" if result.status in {"stopped", "timed-out"} else result.status.replace("-", " ") + ": "
    return f"{key}: {told}{reason}"


def _gpus(folder: Folder) -> str:
    return str(int(folder.record().resources["gpus"]))


def _approve(folder: Folder) -> str:
    return "yes" if (folder.record().publish or {}).get("approve") is True else "no"


def _publish(folder: Folder) -> str:
    return str((folder.record().publish or {}).get("repo", "no"))


def _status(folder: Folder) -> str:
    result = _result(folder)
    return result.status if result is not None else "unknown"


# Name -> the fact. Those that read run.json raise Problem before there is one.
FACTS: dict[str, Callable[[Folder], str]] = {
    "gpus": _gpus,
    "approve": _approve,
    "publish": _publish,
    "status": _status,
    "words": words,
}


def _key(folder: Folder) -> str:
    """What is trained; of a request that `check` has refused, what was asked for."""
    project, commit = os.environ.get("PROJECT", ""), os.environ.get("COMMIT", "")
    if folder.read("run.json") is not None or not (NAME.fullmatch(project) and COMMIT.fullmatch(commit)):
        record = folder.record()
        project, commit = record.project, record.commit
    return f"{project}@{commit[:12]}"


def _result(folder: Folder) -> Result | None:
    known = folder.read("result.json")
    return Result(**known) if known is not None else None


def _trained(result: Result) -> list[str]:
    """ "40 epochs in 10m 11s", as far as it is known."""
    spent = _spent(result.seconds) if result.seconds is not None else None
    if result.epochs is None:
        return [f"took {spent}"] if spent else []
    epochs = f"{result.epochs} epoch" + ("s" if result.epochs != 1 else "")
    return [f"{epochs} in {spent}" if spent else epochs]


def _published(folder: Folder) -> list[str]:
    event = folder.read(PUBLISHED)
    if event:
        return [f"published to {event['repo']} as {event['tag']}"]
    return ["not published yet"] if folder.record().publish else []


def _spent(seconds: float) -> str:
    """ "42s", "10m 11s", "2h 5m": nearer than a time that is left, because it is over."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60}s"
    return f"{whole // 3600}h {whole % 3600 // 60}m"
