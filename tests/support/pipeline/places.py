"""Where steps run and what they wait for: nodes that come and go, locks, credentials."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


class JenkinsError(Exception):
    """What Jenkins would throw in the script; `kind` is the name that the Groovy side knows it by."""

    kind = "abort"


class OfflineError(JenkinsError):
    """A step was begun on a node that is gone."""

    kind = "offline"


class ArgumentError(JenkinsError):
    """A step cannot do what its parameters say."""

    kind = "argument"


class InterruptedStepError(JenkinsError):
    """A step was stopped; `block` is the number of the timeout that did it, if one did."""

    kind = "interrupted"

    def __init__(self, message: str, block: str | None = None) -> None:
        super().__init__(message)
        self.block = block


@dataclass(frozen=True)
class Node:
    """A node of the controller: `env` are its properties, `folder` its root (made below the run's folder if None)."""

    name: str = "trainer-1"
    labels: frozenset[str] = frozenset({"trainer"})
    env: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None

    def fits(self, label: str | None) -> bool:
        """Labels may be joined by && and ||, as far as one of the two is enough."""
        known = self.labels | {self.name}
        return label is None or any(all(part.strip() in known for part in each.split("&&")) for each in label.split("||"))


class Nodes:
    """Which nodes there are and which of them are gone. Not safe by itself: the run's condition is held around each call."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        self.all = {node.name: node for node in nodes}
        self.gone: set[str] = set()

    def find(self, label: str | None) -> tuple[Node | None, str]:
        """A node that can be taken, or None and why not, in Jenkins' words."""
        fitting = [node for node in self.all.values() if node.fits(label)]
        for node in fitting:
            if node.name not in self.gone:
                return node, ""
        if not fitting:
            return None, f"There are no nodes with the label ‘{label}’"
        return None, f"‘{fitting[0].name}’ is offline"


class Locks:
    """Lockable resources: `declared` by name with their labels, `taken` by other builds. Named ones are made when asked for."""

    def __init__(self, declared: Mapping[str, Iterable[str]], taken: Mapping[str, str], say: Callable[[str], None]) -> None:
        self._declared = {name: set(labels) for name, labels in declared.items()}
        self._taken = dict(taken)
        self._say = say
        self._held: dict[int, tuple[str, list[str]]] = {}

    def names(self, resource: str | None, label: str | None, quantity: int) -> str:
        """How the console calls what is asked for."""
        if resource and label:
            raise ArgumentError("Label and resource name cannot be specified simultaneously.")
        if not resource and not label:
            raise ArgumentError("Either resource label or resource name must be specified.")
        if label and not any(label in labels for labels in self._declared.values()):
            raise ArgumentError(f"The label does not exist: {label}")
        return resource or f"Label: {label}" + (f", Quantity: {quantity}" if quantity else "")

    def announce(self, shown: str, resource: str | None) -> None:
        """Says that it is wanted."""
        self._say(f"Trying to acquire lock on [{shown}]")
        if resource and resource not in self._declared and resource not in self._taken:
            self._say(f"Resource [{resource}] did not exist. Created.")

    def take(self, number: int, shown: str, resource: str | None, label: str | None, quantity: int) -> list[str] | None:
        """The names that are held now, or None while they are not free."""
        busy = set(self._taken) | {name for _, names in self._held.values() for name in names}
        if resource:
            names = [resource] if resource not in busy else []
        else:
            free = [name for name, labels in self._declared.items() if label in labels and name not in busy]
            every = [name for name, labels in self._declared.items() if label in labels]
            names = free[:quantity] if quantity and len(free) >= quantity else free if free == every and not quantity else []
        if not names:
            return None
        self._held[number] = (shown, names)
        self._say(f"Lock acquired on [{shown}]")
        return names

    def holder(self, resource: str | None) -> str:
        """` by train #21`, if another build has it."""
        return f" by {self._taken[resource]}" if resource in self._taken else ""

    def give(self, number: int) -> list[str]:
        """Gives back what `number` held; its names."""
        shown, names = self._held.pop(number)
        self._say(f"Lock released on resource [{shown}]")
        return names

    def free(self, resource: str) -> None:
        """Another build gives its lock back."""
        del self._taken[resource]
