"""Lines that belong together: a traceback is one thing, however many lines it has."""

from __future__ import annotations

import re
from enum import IntEnum

MOST_LINES = 2000
"""Lines of one block at most, so that a wrong guess cannot swallow a log."""
_MESSAGE_LINES = 40


class Part(IntEnum):
    """What a line is in a block."""

    NONE = 0
    HEAD = 1
    BODY = 2


# In front of each line some programs repeat who writes: `[rank0]: `, `worker 3 | `, `  | ` of exception groups.
_HEAD = re.compile(
    rb"(?P<prefix>.{0,60}?)(?:(?:  \+ Exception Group )?(?P<python>Traceback \(most recent call last\):)"
    rb"|(?P<go>panic: |fatal error: |goroutine \d+ \[)|(?P<rust>thread '[^']{0,80}' (?:\(\d+\) )?panicked at))"
)
_AT = re.compile(rb"\s+at .{1,400}(?:\)|:\d+)$|\s*\.\.\. \d+ (?:more|common frames omitted)|Caused by: |\s+Suppressed: ")
_FRAME = re.compile(rb"[ |+]{1,40}File \"")
_INDENTED = re.compile(rb"[ \t|+]")
# By its name an exception's line is told from `loss: 0.2` behind a traceback that was cut off.
_LAST = re.compile(rb"[ |+]{0,40}(?:\w{1,60}\.){0,12}[A-Z]\w{0,120}(?::\s|:?$)")
_GROUP_ENDS = re.compile(rb" {0,40}\+-{20,}$")
_LINK = re.compile(rb"[ |]{0,40}(?:During handling of the above exception|The above exception was the direct cause)")
_GO = re.compile(rb"(?:\t|goroutine \d+ \[|created by |\[signal |exit status |runtime\.|main\.|[\w./*()\-]{1,200}\(.*\)|$)")
# In front of a line that tells no exception these can only begin a block.
_T = ord("T")
_OPENINGS = frozenset(b" \tCSfgpt.")
_RUST = re.compile(rb"(?:note: |stack backtrace:|\s+\d+: |\s+at |  )")


class Blocks:
    """Tells for the lines of one stream, in order, which belong to a block.

    Python's tracebacks with their chains, groups, notes and messages of several lines; stack traces of Java and Node, whose
    first line is known only by what follows, so that it is no part of the block; panics of Go and Rust.
    """

    __slots__ = ("_after", "_empty", "_kind", "_lines", "_linked", "_message", "_prefix")

    def __init__(self) -> None:
        self._kind = ""
        self._prefix = b""
        self._lines = 0
        self._message = 0
        self._after = False
        self._empty = False
        self._linked = False

    @property
    def active(self) -> bool:
        """Whether the next line may belong to a block, whatever it says."""
        return bool(self._kind)

    def feed(self, text: bytes) -> Part:
        """The part that the next line is: clean UTF-8 without its newline."""
        if not self._kind:
            # One byte is looked for ten times faster than a word.
            if (_T not in text or b"Traceback (most" not in text) and (not text or text[0] not in _OPENINGS):
                return Part.NONE
        else:
            self._lines += 1
            if self._lines == 2 and self._prefix and not text.startswith(self._prefix) and _FRAME.match(text):
                # Logging writes its prefix once, in front of the first line.
                self._prefix = b""
            bare = self._bare(text)
            if bare is not None and self._lines < MOST_LINES and getattr(self, f"_goes_on_{self._kind}")(bare):
                return Part.BODY
            self._kind = ""
        return self._begin(text)

    def _bare(self, text: bytes) -> bytes | None:
        """The line without what stands in front of each; None if it comes from somebody else."""
        if text.startswith(self._prefix):
            return text[len(self._prefix) :]
        written = self._prefix.rstrip()
        if not written:
            return text
        # Blanks at the end of an empty line may have been cut off.
        return b"" if text == written else None

    def _begin(self, text: bytes) -> Part:
        if b"Traceback (most" in text or b"panic" in text or b"goroutine " in text or b"fatal error: " in text:
            found = _HEAD.match(text)
            if found is not None:
                kind = found.lastgroup or ""
                prefix = found["prefix"]
                if kind == "python" or not prefix:
                    self._kind, self._prefix = kind, prefix
                    self._lines, self._message, self._after, self._empty, self._linked = 1, 0, False, False, False
                    return Part.HEAD
        if (b" at " in text or b"\tat " in text or text.startswith((b"Caused by: ", b"\t... "))) and _AT.match(text):
            return Part.BODY
        return Part.NONE

    def _goes_on_python(self, text: bytes) -> bool:
        begins = b"Traceback (most recent call last):" in text
        if begins and self._after and not self._linked and not _INDENTED.match(text):
            return False
        if begins or _LINK.match(text):
            self._after, self._message, self._linked, self._empty = False, 0, True, False
            return True
        if not self._after:
            if _INDENTED.match(text):
                self._after = bool(_GROUP_ENDS.match(text))
                return True
            if self._linked and not text.strip():
                return True
            self._linked = False
            if _LAST.match(text):
                self._after = True
                return True
            return False
        return self._is_message(text)

    def _is_message(self, text: bytes) -> bool:
        """Behind the exception's line: only what is set apart can be told from the program's next words."""
        self._message += 1
        if self._message > _MESSAGE_LINES:
            return False
        # An empty line may stand before "During handling of ..."; the next one tells.
        if not text.strip():
            self._empty = True
            return True
        return not self._empty and bool(_INDENTED.match(text))

    def _goes_on_go(self, text: bytes) -> bool:
        return bool(_GO.match(text))

    def _goes_on_rust(self, text: bytes) -> bool:
        self._message += 1
        return self._message == 1 or bool(_RUST.match(text))
