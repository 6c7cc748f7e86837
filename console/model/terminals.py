"""What a type of terminal (TERM) can show and understand."""

from __future__ import annotations

from collections.abc import Mapping

MONOCHROME, SIXTEEN, MANY, TRUE_COLOR = 2, 16, 256, 1 << 24

_MONOCHROME = ("vt", "dumb", "unknown")
_KNOW_QUESTIONS = (
    *("xterm", "tmux", "screen", "alacritty", "contour", "foot", "ghostty", "gnome", "iterm", "kitty", "konsole"),
    *("mintty", "mlterm", "ms-terminal", "putty", "rio", "rxvt", "st-", "vte", "wezterm", "zellij"),
)


def colors(env: Mapping[str, str]) -> int:
    """How many colours the terminal shows, by TERM and COLORTERM.

    COLORTERM is handed on to whatever runs in a terminal: it says nothing of one that knows no more than its own 16, and
    GNU screen before 5.0 reads a colour of 24 bits as blinking and reversed text. tmux makes of each what its own terminal has.
    """
    term = env.get("TERM", "")
    if _is_old(term):
        return MONOCHROME
    if term in ("linux", "ansi", "cons25"):
        return SIXTEEN
    if env.get("COLORTERM") in ("truecolor", "24bit") and not _within_screen(env):
        return TRUE_COLOR
    if "256color" not in term and not term.endswith("kitty"):
        return SIXTEEN
    return MANY


def _within_screen(env: Mapping[str, str]) -> bool:
    return bool(env.get("STY")) or (env.get("TERM", "").startswith("screen") and not env.get("TMUX"))


def draws_unicode(env: Mapping[str, str]) -> bool:
    """Whether it has more than letters: the kernel's console has 512 characters, and terminals of 1978 have fewer."""
    term = env.get("TERM", "")
    return term not in ("linux", "dumb") and not _is_old(term)


def _is_old(term: str) -> bool:
    return term.startswith(_MONOCHROME) and not term.startswith("vte")


def knows_questions(env: Mapping[str, str]) -> bool:
    """Whether it takes sequences with `>`, `<` or `$` in them without writing part of them on the screen.

    Terminals before xterm do not: they end such a sequence early, and show the letter that is left. An unknown one is taken
    for one of these, and for one without a second screen.
    """
    return f"{env.get('TERM', '')}-".startswith(_KNOW_QUESTIONS)


def has_second_screen(env: Mapping[str, str]) -> bool:
    """Whether what stood there before comes back when a full-screen program ends. In GNU screen it does not (altscreen)."""
    return knows_questions(env) and (bool(env.get("TMUX")) or not _within_screen(env))
