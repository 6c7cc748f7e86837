"""Agreeing to a plan: by an option, or on a terminal in the manner of its weight. Nobody agrees by accident."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from console.actions.plan import Plan, Weight
from console.cli.options import UsageError
from console.cli.output import write_aside
from console.text import clean

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Consent:
    """What the command line says about agreeing. `confirm` is the word of a plan whose work cannot come back."""

    yes: bool = False
    confirm: str | None = None
    dry_run: bool = False


def told(options: Mapping[str, Any]) -> Consent:
    """What the options of `asks` say."""
    return Consent(options["yes"], options["confirm"], options["dry_run"])


def asks(call: F) -> F:
    """The options that every act has."""
    for option in (
        click.option("--dry-run", is_flag=True, help="Show what would happen, and do nothing."),
        click.option("--confirm", metavar="WORD", help="Agree to what cannot be undone: the word is in the plan."),
        click.option("--yes", is_flag=True, help="Agree to the plan without being asked."),
    ):
        call = option(call)
    return call


def terminal() -> bool:
    """Whether there is a person who sees a question and can answer it."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))


def given(plan: Plan, consent: Consent) -> bool:
    """Whether the command line agrees. Raises UsageError for a word that is another plan's."""
    if plan.weight is not Weight.WORD:
        return consent.yes
    if consent.confirm is not None and consent.confirm != plan.word:
        raise UsageError(f"--confirm {clean(consent.confirm)} does not fit this plan: it wants --confirm {plan.word}")
    return consent.confirm is not None


def wanted(plan: Plan) -> str:
    """What a script has to say."""
    if plan.weight is Weight.WORD:
        return f"nothing was done: it cannot be undone, and without a terminal it wants --confirm {plan.word}"
    return "nothing was done: without a terminal it wants --yes. With --dry-run it only shows the plan."


def asked(plan: Plan) -> bool:
    """Ask the person at the terminal. KeyboardInterrupt for ctrl+c."""
    match plan.weight:
        case Weight.ENTER:
            return _answer(f"{plan.yes}? [Y/n] ").casefold() in ("\n", "y\n", "yes\n")
        case Weight.YES:
            return _answer(f"{plan.yes}? [y/N] ").casefold() in ("y\n", "yes\n")
        case Weight.WORD:
            return _answer(f"This cannot be undone. Type {plan.word} to {plan.yes}: ") == f"{plan.word}\n"


def yes(question: str) -> bool:
    """A question beside any plan; enter alone is no."""
    return _answer(f"{question} [y/N] ").casefold() in ("y\n", "yes\n")


def _answer(question: str) -> str:
    """The line that is typed, with its end; without one for ctrl+d."""
    # What was typed before the question stood there is no answer to it.
    with suppress(ImportError, OSError, ValueError):
        import termios

        termios.tcflush(sys.stdin, termios.TCIFLUSH)
    write_aside(clean(question))
    try:
        line = sys.stdin.readline()
    except UnicodeDecodeError:
        line = ""
    if not line.endswith("\n"):
        write_aside("\n")
        return ""
    return line.strip() + "\n"
