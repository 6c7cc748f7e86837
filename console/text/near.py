"""What a mistyped name was probably meant to be."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(name: str, known: Iterable[str], *, alike: float = 0.5) -> str | None:
    """The one of `known` that is most like `name`; None where none is by at least `alike` (0 to 1, difflib's ratio)."""
    # Loaded by whoever has mistyped something, and by nobody else: it takes longer than to find the command.
    import difflib

    found = difflib.get_close_matches(name, list(known), 1, alike)
    return found[0] if found else None


def did_you_mean(name: str, known: Iterable[str], *, alike: float = 0.5, otherwise: str = "") -> str:
    """` Did you mean NEAREST?`, with the blank before it; `otherwise` where nothing is near."""
    near = nearest(name, known, alike=alike)
    return f" Did you mean {near}?" if near is not None else otherwise
