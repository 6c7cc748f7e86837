"""Acts that are switched off: one sentence, wherever somebody tries one."""

from __future__ import annotations

from console.text import Clean, clean


def acts_are_off(where: Clean) -> Clean:
    """`where` is what has switched them off, as `Loaded.read_only` tells it."""
    return clean(f"Read-only: acts are off ({where}).")
