"""What stands before the words of a line, and the lines that only announce a training."""

from __future__ import annotations

import re

from console.runs.names import PHASES, Kind, kind_of, words

_SEARCHED = 2000
"""Characters of a line in which an announcement is looked for."""

LOOSE = words(
    """
    end of ended finished finish done complete completed result results summary metrics metric set stats statistics log logs
    report after at current final global local training validation progress losses over debug info warning warn error notice
    success trace critical
    batches steps iterations iters epochs samples examples updates and
    """
)
"""Words that say nothing of a number and may stand in a line of progress."""

_PREFIX = re.compile(
    r"""
      (?P<klog>[IWEF]\d{4}(?:\d{4})?\s+\d\d:\d\d:\d\d(?:\.\d+)?\s+\d+\s+[\w./-]{1,120}:\d+\]\s?)
    | (?P<syslog>[A-Z][a-z]{2}\s+\d{1,2}\s\d\d:\d\d:\d\d\s[\w.-]{1,80}\s[\w./-]{1,80}(?:\[\d+\])?:\s)
    | (?P<basic>(?:DEBUG|INFO|WARNING):[\w.]{1,80}:(?=\S))
    | (?P<compose>[\w.-]{1,80}\s{0,20}\|\s(?=\S))
    """,
    re.VERBOSE,
)
_LOGGER = re.compile(
    r"[\w.-]{1,80}\s(?:-\s(?:DEBUG|INFO|WARNING)\s-|:\s(?:DEBUG|INFO|WARNING)\s:|\[(?:DEBUG|INFO|WARNING)\])\s"
)
_STAMP = re.compile(r"\d{4}[-/]\d\d[-/]\d\d[T\s]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?\s[-|:\s]{0,3}")
_ANNOUNCED = re.compile(
    r".{0,80}?(?:\b(?:start(?:ing)?|begin(?:ning)?)\s(?:the\s)?training\b.{0,40}?|\btrain(?:ing)?\sfor\s)\b(?P<told>\d{1,7})\sepochs\b"
    r"|.{0,80}?\b(?:config(?:uration)?|args|arguments|hyper-?param(?:eter)?s|Namespace)\b.{0,1500}?"
    r"[\s(,'\"]((?:num|max|n|num_train|total)_)?epochs['\"]?\s?[=:]\s?(?P<many>\d{1,7})(?![\w.])",
    re.IGNORECASE,
)


def past_prefix(line: str) -> int:
    """Where the message begins behind the time, the logger and the like that are no words of it."""
    start = 0
    found = _PREFIX.match(line)
    if found is not None and not _says(found):
        start = found.end()
    found = _STAMP.match(line, start)
    found = _LOGGER.match(line, found.end() if found is not None else start)
    return found.end() if found is not None else start


def announced(text: str) -> int | None:
    """Of how many epochs a line speaks that tells how a training is set up; its other numbers measure nothing."""
    found = _ANNOUNCED.match(text, 0, _SEARCHED) if "epochs" in text else None
    return int(found["many"] or found["told"]) if found is not None else None


def _says(prefix: re.Match[str]) -> bool:
    """Whether what looks like the name of a container is a word of the line: `train | epoch 1 | loss 0.2`."""
    name = prefix["compose"]
    if name is None:
        return False
    word = name.rstrip(" |").lower()
    return word in PHASES or word in LOOSE or kind_of(word) is not Kind.OTHER
