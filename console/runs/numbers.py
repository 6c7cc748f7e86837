"""Numbers as training programs write them."""

from __future__ import annotations

import math
import re

NUMBER = r"[-+]?(?:\d{1,24}(?:\.\d{0,30})?|\.\d{1,30})(?:[eE][-+]?\d{1,3})?|[-+]?(?:[nN]a[nN]|NAN|[iI]nf(?:inity)?|INF)"
_WHOLE = re.compile(NUMBER)
_WRAPPED = re.compile(
    r"(?:(?:np|numpy|jnp|torch|tf)\.)?(?:float|int|bfloat|tensor|Array|array)\d{0,3}\(([^()]{1,40}?)(?:,[^()]{0,80})?\)"
)
_SHORT = {"k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}


def number(text: str) -> float | None:
    """The value of what is one number and nothing else; None for all other text."""
    return float(text) if len(text) <= 60 and _WHOLE.fullmatch(text) else None


def wrapped(text: str) -> float | None:
    """A number, also as numpy, torch or jax print one within a dict: `np.float32(0.9)`, `tensor(0.9)`."""
    found = _WRAPPED.fullmatch(text) if text.endswith(")") and len(text) < 200 else None
    return number(found[1].strip() if found else text)


def short(text: str) -> float | None:
    """A count of tqdm: `350`, `50.0`, `1.2k`."""
    factor = _SHORT.get(text[-1:], 1.0)
    value = number(text[:-1] if factor != 1.0 else text)
    return None if value is None or not math.isfinite(value) else value * factor


MOST_COUNTED = 10**15
"""No program counts further, and every float up to here is exact."""


def whole(value: float | None) -> int | None:
    """A count as an integer; None if it is none."""
    if value is None or not math.isfinite(value) or value < 0 or value > MOST_COUNTED:
        return None
    return int(value)
