"""What Jenkins asks of whoever acts: the parameters that a job declares, the questions of a build that waits for an answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from console.text import Clean


class FieldKind(StrEnum):
    """How a parameter is given. OTHER is a type that is sent as a text, FILE one that cannot be sent from here."""

    TEXT = "text"
    LINES = "lines"
    CHOICE = "choice"
    BOOLEAN = "boolean"
    PASSWORD = "password"  # noqa: S105 - the name of a kind
    FILE = "file"
    OTHER = "other"


def is_exact(raw: str, shown: Clean) -> bool:
    """Whether what is shown is what is there, and may be sent. How lines end does not count."""
    return raw.replace("\r\n", "\n") == shown


@dataclass(frozen=True, slots=True)
class Definition:
    """A parameter as it is declared. `default` is None where Jenkins does not tell it, as for passwords; a boolean's is `true`
    or `false`. `exact` is False where a name, choice or default holds something that is not shown as it is, and cannot be sent
    from here."""

    name: Clean
    kind: FieldKind
    description: Clean
    default: Clean | None
    choices: tuple[Clean, ...] = ()
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Question:
    """What a build waits for. `id` is how the answer names it, `proceed` the word on the button for yes."""

    id: Clean
    message: Clean
    proceed: Clean
    fields: tuple[Definition, ...] = ()


class Stop(StrEnum):
    """How a build is ended, from the one that lets it clean up to the one that does not."""

    STOP = "stop"
    TERM = "term"
    KILL = "kill"


class Needs(StrEnum):
    """Permissions that acts take, by the names of the page where an administrator ticks them."""

    BUILD = "Job/Build"
    CANCEL = "Job/Cancel"
    CONFIGURE = "Job/Configure"
    UPDATE = "Run/Update"
    DISCONNECT = "Agent/Disconnect"
