"""Text measured and cut in terminal cells. ASCII is counted; anything else asks Rich's tables, loaded when first needed."""

from __future__ import annotations

from collections.abc import Iterator


def width(text: str) -> int:
    """Cells that `text` takes on a terminal: 2 for most East Asian characters, 0 for combining marks."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def head(text: str, cells: int) -> str:
    """The longest beginning of `text` that is at most `cells` wide."""
    if text.isascii():
        return text[: max(0, cells)]
    taken, used = [], 0
    for character in text:
        size = width(character)
        if used + size > cells:
            break
        taken.append(character)
        used += size
    return "".join(taken)


def tail(text: str, cells: int) -> str:
    """The longest end of `text` that is at most `cells` wide."""
    if text.isascii():
        return text[len(text) - max(0, cells) :] if cells > 0 else ""
    taken, used = [], 0
    for character in reversed(text):
        size = width(character)
        if used + size > cells:
            break
        taken.append(character)
        used += size
    return "".join(reversed(taken))


def cut(text: str, cells: int, ellipsis: str) -> str:
    """`text`, shortened at its end to at most `cells` with `ellipsis` (one cell) where something was left out."""
    if width(text) <= cells:
        return text
    return head(text, cells - 1) + ellipsis if cells > 0 else ""


def cut_middle(text: str, cells: int, ellipsis: str) -> str:
    """`text`, shortened in its middle: names differ at both ends."""
    if width(text) <= cells:
        return text
    if cells <= 0:
        return ""
    right = (cells - 1) // 2
    return head(text, cells - 1 - right) + ellipsis + tail(text, right)


def pad(text: str, cells: int, *, right: bool = False) -> str:
    """`text` filled with blanks to `cells`, on its left when `right` is asked for. Longer text comes back as it is."""
    blanks = " " * max(0, cells - width(text))
    return blanks + text if right else text + blanks


def wrapped(line: str, cells: int) -> Iterator[str]:
    """`line` in parts of at most `cells`, broken at blanks where there are any; all parts have its indent."""
    if width(line) <= cells:
        yield line
        return
    text = line.strip()
    indent = line[: len(line) - len(line.lstrip())] if text else ""
    if 2 * len(indent) >= cells:
        indent = ""
    room = cells - len(indent)
    while width(text) > room and len(text) > 1:
        part = head(text, room) or text[0]  # a wide character where there is one cell only
        blank = part.rfind(" ")
        if blank > 0 and text[len(part)] != " ":
            part = part[:blank]
        yield indent + part.rstrip()
        text = text[len(part) :].lstrip()
    yield indent + text
