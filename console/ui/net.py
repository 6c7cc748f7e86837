"""The second net: whatever text reached the screen without passing `console.text.clean` is made safe as it is drawn.

Textual writes the text of a segment to the terminal as it is, of every widget, border and title alike, and so it does
with the address of a link. All of it passes the filters that `App.get_line_filters()` returns.
"""

import sys
from functools import lru_cache

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from console.text import clean
from console.text.chars import REPLACEMENT, shown, suspects
from console.text.sequences import drop_sequences

PAYLOAD_LIMIT = 74_994
"""Bytes of UTF-8 in one payload: as base64, with 8 bytes around it, 100,000, the longest OSC 52 that terminals take."""


class SafetyNet(LineFilter):
    """Cleans every segment that is not safe, in the cells that it had: the layout never moves."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The segments of one line, safe to write.

        Segments of control codes are left out: Textual moves its cursor outside of the lines and puts none into them,
        so one that is here came with a renderable. They take no cells.
        """
        return [safe for segment in segments if not segment.control and (safe := _safe(segment)).text]


def _safe(segment: Segment) -> Segment:
    text, style, _ = segment
    if style and style.link and not _is_plain(style.link):
        return Segment(_harmless(text), style.update_link(None))
    if _is_plain(text):
        return segment
    return Segment(_harmless(text), style)


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable()


@lru_cache(maxsize=1024)
def _harmless(text: str) -> str:
    """`text` itself if the gate would leave it alone, else what the gate makes of it in as many cells."""
    # The cell that marks at the very start combine with is in the segment before.
    if suspects().search(text) is None or clean(f"x{text}", limit=sys.maxsize) == f"x{text}":
        return text
    return set_cell_size(clean(text, limit=sys.maxsize), cell_len(text))


def safe_payload(text: str) -> str:
    """What of `text` may leave by OSC, for the clipboard say, to be pasted who knows where.

    Control sequences, controls and invisible characters (bidi and tags among them) are dropped, tabs are spaces, line
    ends are "\\n", lone surrogates U+FFFD. Cut at 74,994 bytes of UTF-8, between characters. A title takes one line:
    `clean` it first.
    """
    rows = drop_sequences(text).replace("\r\n", "\n").replace("\t", " ").split("\n")
    kept = "\n".join([suspects().sub(lambda run: "".join(map(_kept, run[0])), row) for row in rows])
    return kept.encode()[:PAYLOAD_LIMIT].decode(errors="ignore")


def _kept(char: str) -> str:
    seen = shown(char)
    if seen is None:
        return char
    return seen if seen in (char, REPLACEMENT) else ""
