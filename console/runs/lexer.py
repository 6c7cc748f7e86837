"""The words, numbers and signs of a line, for `sentence`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from console.runs.numbers import NUMBER

_UNIT = (
    r"%|(?:it|its|steps?|samples?|sequences?|seqs?|images?|imgs?|tokens?|toks?|tok|words?|examples?|batch(?:es)?|frames?|items?)"
    r"\x20?/\x20?(?:s|sec|second)\b|/s\b"
    r"|(?:s|sec|ms|us|µs)\x20?/\x20?(?:it|iter|step|batch|epoch|sample|image)s?\b"
    r"|(?:ms|us|µs|ns|s|secs?|seconds?|min|mins|minutes?|h|hrs?|hours?|m|d|days?|[KMGT]i?B|kB|[BKMG])\b|秒|分|時間"
)
# What a number may be followed by, so that a version, a path or an address is none.
_END = r"(?=[\s,;|)\]\[}>!]|[.:](?:\s|$)|//?\s|$|[^\x00-\x7f]|-\s)"
_CLOCK = r"\d{1,2}:\d\d(?::\d\d)?(?:[.,]\d{1,9})?"
_DATE = r"\d{4}[-/.]\d\d[-/.]\d\d|\d\d[-/]\d\d[-/]\d{2,4}"

RANK = re.compile(r"[\[(]\s?rank[\s:=_]{0,2}(\d{1,6})\s?[\])]", re.IGNORECASE)
TEED = re.compile(r"\[(?:default|rank|local_rank|worker|trainer|train|process|proc|gpu)_?(\d{1,6})\]:\x20?", re.IGNORECASE)
"""How a launcher begins each line of one of its processes: `[default0]:`, the first role of torchrun, with `--tee`."""

RATE = re.compile(r"[(\[]\s?(\d{1,12}(?:\.\d{1,12})?)\s?((?:it|steps?|samples?|images?|imgs?|tokens?|words?)/s(?:ec)?)\s?[)\]]")
TIME_UNIT = re.compile(
    r"(?:s|sec|ms|us|µs)\s?/|(?:ms|us|µs|ns|s|secs?|seconds?|mins?|minutes?|h|hrs?|hours?|m|d|days?|秒|分|時間)$"
)

_TOKEN = re.compile(
    rf"""
      (?P<space>\s++|\#(?=\d))
    | (?P<stamp>\[?(?:{_DATE})(?:[T\s]\s?{_CLOCK})?(?:\s?(?:Z|UTC|[+-]\d\d:?\d\d))?\]?(?=[\s,|:\[\]]|$)
        |\[{_CLOCK}\]|{_CLOCK}(?:\s?[AP]M)?(?![\w:./])
        |(?:\d{{1,4}}\s?[dhms]\s){{1,3}}\d{{1,4}}\s?[hms]\b
        |\d{{1,4}}[dhm]\d{{1,2}}[ms](?:\d{{1,2}}s)?\b
        |\d{{1,4}}\sdays?,\s{_CLOCK}(?![\w:./]))
    | (?P<fraction>(?P<open>\[\s{{0,6}})?(?P<done>\d{{1,12}})\s{{0,6}}(?:/|\bof\b)\s{{0,6}}(?P<all>\d{{1,12}})
        (?:\s\(\s{{0,2}}\d{{1,3}}(?:\.\d{{1,3}})?%\))?(?(open)\s{{0,2}}\]|(?![\w/.%-]\S|[\w/])))
    | (?P<grouped>\d{{1,3}}(?:,\d{{3}}){{1,4}}(?=[\s;|)\]]|[,:.](?:\s|$)|$))
    | (?P<both>\[(?P<outer>\d{{1,9}}),\s{{1,9}}(?P<inner>\d{{1,12}})\](?=\s))
    | (?P<ratio>\d{{1,9}}\.\d{{1,4}}/\d{{1,9}}\.\d{{1,4}}\x20?(?:{_UNIT})?{_END})
    | (?P<number>(?P<value>{NUMBER})(?:(?P<unit>(?:{_UNIT})|\x20(?:{_UNIT})(?!\s{{1,9}}[-+.\d])){_END}|{_END}))
    | (?P<index>\[\s{{0,6}}(?P<place>\d{{1,12}})\s{{0,2}}\])
    | (?P<bar>[━╸╺─═]{{2,}}+|\[[=>.#\s-]{{5,200}}\])
    | (?P<quoted>"(?:[^"\\]|\\.)*+"|'(?:[^'\\]|\\.)*+')
    | (?P<group>\[[^\[\]]{{0,120}}\]|\([^()]{{0,120}}\))
    | (?P<where>[\w./<>-]{{1,120}}\.py:\d{{1,6}}\b|[\w.<>]{{1,80}}:[\w.<>]{{1,80}}:\d{{1,6}}\b
        |[A-Za-z_][\w.]{{0,80}}:\d{{1,6}}(?=\s+[-|]\s))
    | (?P<word>[^\W\d](?:[\w./@%'()+#]|-(?=\w))*+)
    | (?P<pair>[=:]+)
    | (?P<sign>//?(?=\s)|[,;|·•¦>*~✓✔✅]|[-–—]+(?=\s|$)|\#+(?=\s))
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)


def tokens(text: str) -> Iterator[re.Match[str]]:
    """The tokens of a line in order, none left out; a match's `lastgroup` tells which kind it is."""
    return _TOKEN.finditer(text)
