"""Text for the clipboard of the terminal that a person sits at, however far away that is: OSC 52."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from enum import Enum

from console.sources.terminal import load_tmux_buffer
from console.ui.net import safe_payload

_SCREEN_CHUNK = 240
"""Bytes that GNU screen takes in one string."""


class Way(Enum):
    """How the text left."""

    TERMINAL = "terminal"
    TMUX = "tmux"
    TMUX_PASSED = "tmux, passed through"
    SCREEN = "screen"


HELP = {
    Way.TERMINAL: "nothing arrives? the terminal has to allow OSC 52",
    Way.TMUX: "nothing arrives? prefix ] pastes it within tmux",
    Way.TMUX_PASSED: "nothing arrives? tmux needs: set -g allow-passthrough on",
    Way.SCREEN: "nothing arrives? the terminal has to allow OSC 52",
}
"""No terminal says whether it took it: what to do when it did not."""


def copy(text: str, write: Callable[[str], None], env: Mapping[str, str]) -> tuple[int, Way]:
    """Send text on its way; how many bytes of it, less than all where it is too long, and by which way."""
    payload = safe_payload(text)
    data = payload.encode()
    if env.get("TMUX"):
        if load_tmux_buffer(data, env):
            return len(data), Way.TMUX
        write(through_tmux(sequence(data)))
        return len(data), Way.TMUX_PASSED
    if env.get("STY"):
        for piece in through_screen(sequence(data)):
            write(piece)
        return len(data), Way.SCREEN
    write(sequence(data))
    return len(data), Way.TERMINAL


def sequence(data: bytes) -> str:
    """The control sequence that sets the clipboard."""
    return f"\x1b]52;c;{base64.b64encode(data).decode()}\x07"


def through_tmux(text: str) -> str:
    """A sequence that tmux hands on as it is, where it is allowed to (`allow-passthrough`)."""
    inner = text.replace("\x1b", "\x1b\x1b")
    return f"\x1bPtmux;{inner}\x1b\\"


def through_screen(text: str) -> list[str]:
    """The same for GNU screen, in pieces."""
    return [f"\x1bP{text[at : at + _SCREEN_CHUNK]}\x1b\\" for at in range(0, len(text), _SCREEN_CHUNK)]
