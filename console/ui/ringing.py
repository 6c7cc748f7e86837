"""News for the terminal of somebody who looks elsewhere: a bell, or a notice on their desktop (OSC 9, OSC 777)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from console.sources.terminal import tmux_passes
from console.text import clean
from console.ui.clipboard import through_screen, through_tmux
from console.ui.net import safe_payload

BELL = "\x07"
TITLE = "mlops-console"
MOST = 200
"""Cells of one notice: a desktop shows a line or two."""


def ring(way: str, news: Sequence[str], write: Callable[[str], None], env: Mapping[str, str]) -> None:
    """Tell them by the way of `notify.terminal`. Where tmux lets nothing through to the terminal it rings, which tmux shows.

    Within tmux that is asked first, which may take seconds.
    """
    if way == "off":
        return
    passes = way != "bell" and bool(env.get("TMUX")) and tmux_passes(env)
    for told in (sequence(way, words) for words in news):
        if told == BELL:
            write(BELL)
        elif env.get("TMUX"):
            write(through_tmux(told) if passes else BELL)
        elif env.get("STY"):
            for piece in through_screen(told):
                write(piece)
        else:
            write(told)


def sequence(way: str, words: str) -> str:
    """The control sequence, with text that cannot end it or begin another one."""
    # What stands first is ours: some terminals take a number there for a command of their own.
    text = plain(words)
    match way:
        case "osc9":
            return f"\x1b]9;{TITLE}: {text}\x07"
        case "osc777":
            # Semicolons part the fields.
            return f"\x1b]777;notify;{TITLE};{text.replace(';', ',')}\x07"
        case _:
            return BELL


def plain(words: str) -> str:
    """One line of printable text."""
    return "".join(char for char in safe_payload(clean(words, limit=MOST)) if char.isprintable())
