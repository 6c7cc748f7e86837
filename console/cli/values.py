"""`-p NAME=VALUE`: what a build is given. Secrets come from a file or standard input: others can read arguments."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from console.cli.options import UsageError
from console.model.asking import Definition, FieldKind
from console.text import clean
from console.text.near import did_you_mean

LONGEST = 64 * 1024
"""Bytes of one value."""

_SHOWN_CHOICES = 8
_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


@dataclass(frozen=True, slots=True)
class Given:
    """A value. `literal` tells that it stands on the command line, where everybody on the machine can read it."""

    value: str = field(repr=False)
    literal: bool


def parse(words: Sequence[str]) -> dict[str, Given]:
    """The values by their names. Raises UsageError, which quotes no value: it may be a secret.

    `NAME=VALUE`, `NAME=@FILE` (its content less the last line end), `NAME=-` (standard input; hidden on a terminal),
    `NAME=@@x` for a value that begins with an @.
    """
    found: dict[str, Given] = {}
    piped = ""
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or not name:
            raise UsageError("-p wants NAME=VALUE, NAME=@FILE, or NAME=- for standard input.")
        if name in found:
            raise UsageError(f"-p {clean(name)} is given twice.")
        if text == "-":
            if piped:
                raise UsageError(f"standard input is one value: it is {piped} already, and {clean(name)} wants it too.")
            piped = clean(name)
            found[name] = Given(_from_standard_input(piped), literal=False)
        elif text.startswith("@@"):
            found[name] = Given(text[1:], literal=True)
        elif text.startswith("@"):
            found[name] = Given(_from_file(clean(name), text[1:]), literal=False)
        else:
            found[name] = Given(text, literal=True)
    for name, one in found.items():
        if _is_no_text(name + one.value):
            raise UsageError(f"-p {clean(name)}: that is no text in UTF-8.")
    return found


def _is_no_text(text: str) -> bool:
    """Arguments that are no UTF-8 come with half characters in their place."""
    return any("\ud800" <= letter <= "\udfff" for letter in text)


def _from_file(name: str, path: str) -> str:
    if not path:
        raise UsageError(f"-p {name}=@ wants a file: -p {name}=@FILE. A value that is an @ is given as -p {name}=@@.")
    try:
        with Path(path).expanduser().open("rb") as file:
            return _text(name, file.read(LONGEST + 3), f"the file {clean(path)}")
    except RuntimeError:
        raise UsageError(f"-p {name}: {clean(path)}: nobody here has that home folder.") from None
    except OSError as error:
        raise UsageError(f"-p {name}: the file {clean(path)} cannot be read: {error.strerror}.") from None
    except ValueError:
        raise UsageError(f"-p {name}: {clean(path)} cannot be the name of a file.") from None


def _from_standard_input(name: str) -> str:
    if sys.stdin is None:
        raise UsageError(f"-p {name}=- wants the value on standard input, and there is none.")
    if sys.stdin.isatty():
        try:
            return getpass.getpass(f"{name} (it stays hidden): ", sys.stderr)
        except (EOFError, UnicodeDecodeError):
            raise UsageError(f"-p {name}=- wants a value: nothing was typed.") from None
    return _text(name, sys.stdin.buffer.read(LONGEST + 3), "standard input")


def _text(name: str, data: bytes, where: str) -> str:
    for end in (b"\r\n", b"\n"):
        if data.endswith(end):
            data = data[: -len(end)]
            break
    if len(data) > LONGEST:
        raise UsageError(f"-p {name}: {where} is too long for a value: 64 KiB at most.")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise UsageError(f"-p {name}: {where} is no text in UTF-8.") from None


def checked(given: Mapping[str, Given], declared: Sequence[Definition], what: str) -> dict[str, str]:
    """What is sent of `given`, when `declared` is what `what` takes. Raises UsageError for what cannot be sent."""
    known = {str(one.name): one for one in declared}
    found = {}
    for name, one in given.items():
        if name not in known:
            raise UsageError(_unknown(name, known, what))
        found[name] = _fitting(known[name], one, what)
    return found


def _unknown(name: str, known: Iterable[str], what: str) -> str:
    names = list(known)
    if not names:
        return f"{what} takes no parameters."
    folded = next((one for one in names if one.casefold() == name.casefold()), None)
    hint = did_you_mean(folded or name, names, otherwise=f" It has {', '.join(names)}.")
    return f"{what} has no parameter {clean(name)}.{hint}"


def _fitting(declared: Definition, given: Given, what: str) -> str:
    name, value = declared.name, given.value
    if not declared.exact:
        raise UsageError(f"{name} of {what} is not shown as it is, and cannot be sent from here.")
    match declared.kind:
        case FieldKind.PASSWORD if given.literal:
            raise UsageError(
                f"{name} is a password, never on a command line: -p {name}=@FILE, or -p {name}=- for standard input."
            )
        case FieldKind.FILE:
            raise UsageError(f"{name} of {what} is a file, which cannot be sent from here.")
        case FieldKind.CHOICE if value not in declared.choices:
            raise UsageError(_no_choice(declared, given))
        case FieldKind.BOOLEAN:
            if value.casefold() not in _TRUE + _FALSE:
                raise UsageError(f"{name} is true or false{_quoted(given)}.")
            return str(value.casefold() in _TRUE).lower()
    return value


def _no_choice(declared: Definition, given: Given) -> str:
    shown = ", ".join(one or "(empty)" for one in declared.choices[:_SHOWN_CHOICES])
    more = len(declared.choices) - _SHOWN_CHOICES
    hint = did_you_mean(given.value, declared.choices) if given.literal else ""
    return f"{declared.name} is one of: {shown}{f' and {more} more' if more > 0 else ''}{_quoted(given)}.{hint}"


def _quoted(given: Given) -> str:
    """What was typed; what came from elsewhere may be a secret that went into the wrong parameter."""
    return f", not {clean(given.value, limit=60) or 'empty'}" if given.literal else ""


def undeclared(wanted: Iterable[str], declared: Sequence[Definition], what: str) -> None:
    """Raises UsageError for a parameter that an option sets and `what` does not have."""
    known = [str(one.name) for one in declared]
    for name in wanted:
        if name not in known:
            raise UsageError(_unknown(name, known, what))
