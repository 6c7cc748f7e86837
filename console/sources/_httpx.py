"""httpx without its own command line, which would load rich and pygments: 6 MB, and half of the time that loading it takes."""

from __future__ import annotations

import sys

_COMMAND_LINE = "httpx._main"

# An import of what is None here fails, and httpx takes that for an installation without its command line.
sys.modules.setdefault(_COMMAND_LINE, None)  # type: ignore[arg-type]  # None is how Python has it
import httpx  # noqa: E402

if sys.modules.get(_COMMAND_LINE) is None:
    sys.modules.pop(_COMMAND_LINE, None)

__all__ = ["httpx"]
