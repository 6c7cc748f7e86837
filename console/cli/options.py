"""Options that work before and after every command, taken out of the arguments before anything else is loaded."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# name: the field it sets, whether it takes a value, what the help says
GLOBAL: dict[str, tuple[str, bool, str]] = {
    "--config": ("config", True, "Read this settings file instead of your own."),
    "--demo": ("demo", False, "Show an invented server: nothing real is read or changed."),
    "--read-only": ("read_only", False, "Switch every act off."),
    "--json": ("json", False, "Answer with JSON, for programs."),
    "--no-color": ("no_color", False, "Use no colours."),
    "--host": ("host", True, "Run the console on this host, over ssh."),
    "--version": ("version", False, "Show the version and exit."),
    "--help": ("help", False, "Show help and exit."),
}
_SHORT = {"-h": "--help", "-V": "--version"}


class UsageError(Exception):
    """The command line cannot be understood; the message says what to do."""


@dataclass(frozen=True, slots=True)
class GlobalOptions:
    config: Path | None = None
    demo: bool = False
    read_only: bool = False
    json: bool = False
    no_color: bool = False
    host: str | None = None
    version: bool = False
    help: bool = False


def split(argv: Sequence[str]) -> tuple[GlobalOptions, list[str]]:
    """The global options, wherever they stand before a `--`, and the rest in its order."""
    found: dict[str, Any] = {}
    rest: list[str] = []
    words = list(argv)
    while words:
        word = words.pop(0)
        if word == "--":
            return GlobalOptions(**found), [*rest, word, *words]
        name, equals, value = _SHORT.get(word, word).partition("=")
        if name not in GLOBAL:
            rest.append(word)
            continue
        field, wants_value, _ = GLOBAL[name]
        if not wants_value:
            if equals:
                raise UsageError(f"{name} takes no value.")
            found[field] = True
            continue
        if not equals:
            if not words:
                raise UsageError(f"{name} wants a value: {name} {field.upper()}")
            value = words.pop(0)
        if not value:
            raise UsageError(f"{name} wants a value that is not empty.")
        found[field] = _path(value) if field == "config" else value
    return GlobalOptions(**found), rest


def _path(value: str) -> Path:
    try:
        return Path(value).expanduser()
    except RuntimeError:
        raise UsageError(f"{value}: nobody here has that home folder.") from None


def remote_command(options: GlobalOptions, rest: Sequence[str], *, tty: bool) -> list[str]:
    """The ssh command that runs the console on `options.host`, with the same arguments less --host.

    Raises UsageError for a host that ssh would take for an option or that cannot be one.
    """
    host = options.host or ""
    if host.startswith("-") or not host.isprintable() or any(character.isspace() for character in host):
        raise UsageError(f"--host {host!r} is no host name.")
    words = ["mlops-console"]
    for name, (field, wants_value, _) in GLOBAL.items():
        value = getattr(options, field)
        if field == "host" or not value:
            continue
        words += [name, str(value)] if wants_value else [name]
    remote = " ".join(shlex.quote(word) for word in [*words, *rest])
    return ["ssh", *(["-t"] if tty else []), "--", host, remote]
