"""The one gate that every string from outside passes before it is kept, shown, printed or copied.

What comes out draws as many cells as it seems to and does nothing else to a terminal. Control sequences are dropped
whole; what else is invisible or moves the cursor is made visible, so that tampering shows. Text can not tell a "+3",
a U+2400 picture or a "<U+202E>" that the gate wrote from one that was there before: neither does any harm, and
cleaning twice changes nothing.
"""

import re

from console.text.chars import shown, suspects
from console.text.sequences import drop_sequences

LINE_LIMIT = 4096
"""Characters of one line that are kept unless the caller says otherwise."""

MARKS_PER_CELL = 4
"""Combining characters that one cell may carry: enough for the scripts that stack them, too few to run over others."""

TAB_STOP = 8

# A mark that opens a line would be drawn over whatever stands before the text. The dotted circle, which is usual, is
# two cells wide in some terminals; a space is one cell in all of them.
_BASE = " "
_LINE_FEED = "\u240a"


class Clean(str):
    """A `str` that has passed the gate. What is made from it by operations of `str` is plain `str` again."""

    __slots__ = ()


def clean(raw: object, *, lines: bool = False, limit: int = LINE_LIMIT) -> Clean:
    """Safe text from whatever came from outside; never fails, takes linear time, and changes nothing a second time.

    `raw` is text (lone surrogates allowed), bytes, or any object, for which `str(raw)` speaks. Bytes are UTF-8; each
    byte that is not is shown as U+FFFD. Such bytes from 0x80 to 0x9F are not taken for 8-bit controls: in Shift-JIS or
    EUC text they are halves of letters, and would make a terminal sequence swallow the rest of the line.

    One line comes out: a line feed within is shown, a last one is dropped. With `lines`, line feeds stay (CR LF is
    one). In each line what follows the last carriage return is kept, as after a progress bar. `limit` is characters
    per line of the result; a longer one ends in "+N", N being how many are not shown. ValueError if it is less than 1.
    """
    if limit < 1:
        raise ValueError(f"limit must be at least 1 character, not {limit}")
    if type(raw) is Clean and len(raw) <= limit and (lines or "\n" not in raw):
        return raw
    text = raw if type(raw) is str else _text(raw)
    if not _is_plain(text):
        rows = [_last_segment(row) for row in drop_sequences(text).split("\n")]
        if lines:
            return Clean("\n".join([_cut(_visible(row), limit) for row in rows]))
        if len(rows) > 1 and not rows[-1]:
            rows.pop()
        text = _visible(_LINE_FEED.join(rows))
    return Clean(_cut(text, limit))


def _text(raw: object) -> str:
    """The text of any object, as an exact `str`. Bytes that are not UTF-8 come out as lone surrogates, one each."""
    try:
        if isinstance(raw, bytes | bytearray | memoryview):
            return bytes(raw).decode("utf-8", "surrogateescape")
        return str.__str__(raw if isinstance(raw, str) else str(raw))
    except Exception:  # whatever an object from elsewhere raises while it describes itself
        return f"<unprintable {type(raw).__name__} object>"


def _is_plain(text: str) -> bool:
    """Whether every character is one that the gate leaves alone."""
    if text.isascii():
        return text.isprintable()
    return suspects().search(text) is None


def _last_segment(row: str) -> str:
    """What a terminal would show last of a line that is rewritten by carriage returns."""
    return row.rstrip("\r").rpartition("\r")[2] if "\r" in row else row


def _visible(row: str) -> str:
    """One line with its controls shown, its marks counted and its tabs expanded."""
    if _is_plain(row):
        return row
    row = suspects().sub(_show_run, row)
    return _expand_tabs(row) if "\t" in row else row


def _show_run(match: re.Match[str]) -> str:
    """A run of suspect characters as it is shown; marks always stand in one run with those that they follow."""
    out: list[str] = []
    has_base = match.start() > 0
    marks = 0
    for char in match[0]:
        text = char if char == "\t" else shown(char)
        if text is None:
            if not has_base:
                out.append(_BASE)
                has_base = True
            marks += 1
            if marks <= MARKS_PER_CELL:
                out.append(char)
        elif text:
            out.append(_surplus(marks))
            out.append(text)
            has_base = True
            marks = 0
    out.append(_surplus(marks))
    return "".join(out)


def _surplus(marks: int) -> str:
    return f"+{marks - MARKS_PER_CELL}" if marks > MARKS_PER_CELL else ""


def _expand_tabs(row: str) -> str:
    """One line with every tab as the spaces up to its stop. Columns are cells."""
    if row.isascii():
        return row.expandtabs(TAB_STOP)
    from rich.cells import cell_len

    *parts, last = row.split("\t")
    return "".join([part + " " * (TAB_STOP - cell_len(part) % TAB_STOP) for part in parts]) + last


def _cut(row: str, limit: int) -> str:
    """`row` in at most `limit` characters; where not even the "+N" has room, a "+" alone says that there is more."""
    if len(row) <= limit:
        return row
    kept = limit
    while kept + len(mark := f"+{len(row) - kept}") > limit:
        kept -= 1
    return row[:kept] + mark if kept >= 0 else row[: limit - 1] + "+"
