"""Untrusted text made safe: the one gate. See `gate` for the rules."""

from console.text.gate import Clean, clean

__all__ = ["Clean", "clean"]
