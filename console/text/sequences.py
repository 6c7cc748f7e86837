"""Terminal control sequences, recognised as a terminal's own parser does, so that they can be dropped whole.

The grammar is that of ECMA-48 and of the DEC VT500 parser (vt100.net/emu/dec_ansi_parser), with two differences.
A line feed always ends a sequence: what a log says in its next line can not be hidden by this one, and a text cleaned
line by line is the text cleaned at once. And a sequence that breaks off is dropped as far as it goes.
"""

import re
from functools import cache

# Introducers in their 8-bit form (code points U+0080 to U+009F): DCS, SOS, CSI, OSC, PM, APC.
_EIGHT_BIT = {code: f"\x1b{chr(code - 0x40)}" for code in (0x90, 0x98, 0x9B, 0x9D, 0x9E, 0x9F)}


@cache
def _sequence() -> re.Pattern[str]:
    # Controls inside a sequence are carried out, or ignored, and the sequence goes on: all but LF, CAN, SUB and ESC.
    inner = r"\x00-\x09\x0b-\x17\x19\x1c-\x1f\x7f"
    cancel = r"\x18\x1a"
    # Possessive repeats: no way back, so the time is linear whatever the text.
    return re.compile(
        rf"\x1b[{inner}]*+(?:"
        rf"\[[{inner}\x20-\x3f]*+[\x40-\x7e{cancel}]?"  # CSI
        rf"|\][^\x07\n\x1b\x80-\x9f{cancel}]*+(?:\x07|\x9c|\x1b\\|[{cancel}])?"  # OSC, which BEL ends too
        rf"|[PX^_][^\n\x1b\x80-\x9f{cancel}]*+(?:\x9c|\x1b\\|[{cancel}])?"  # DCS, SOS, PM, APC
        rf"|[{inner}\x20-\x2f]*+[\x30-\x7e{cancel}]?"  # every other escape sequence
        r")"
    )


def drop_sequences(text: str) -> str:
    """`text` without its control sequences, terminated or not, 7-bit and 8-bit. No ESC is left in the result."""
    if not text.isascii():
        text = text.translate(_EIGHT_BIT)
    return _sequence().sub("", text) if "\x1b" in text else text
