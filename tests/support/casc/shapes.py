"""What a value of the configuration may look like, and what is wrong with one that does not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Scalar:
    """`string`, `integer` or `boolean`, or one of some words."""

    kind: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Items:
    """A list of equal things."""

    of: Shape


@dataclass(frozen=True, slots=True)
class Named:
    """A mapping with these keys and no others; a thing without keys may also be left empty."""

    attributes: Mapping[str, Shape]


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing of several kinds: `kind: {...}`, or the kind alone."""

    kinds: Mapping[str, Shape]


@dataclass(frozen=True, slots=True)
class Ref:
    """A Java class, or `.name` for what the root's own bag calls so; `symbol` is how the file called it."""

    name: str
    symbol: str = ""


@dataclass(frozen=True, slots=True)
class Unsaid:
    """The schema says nothing of it, and neither does the list of what is known."""

    what: str


Shape = Scalar | Items | Named | Choice | Ref | Unsaid

STRING = Scalar("string")
INTEGER = Scalar("integer")
BOOLEAN = Scalar("boolean")


class Resolver(Protocol):
    """Finds what a Ref stands for."""

    def resolved(self, ref: Ref) -> Shape: ...


def faults(value: Any, shape: Shape, of: Resolver, where: str) -> Iterator[str]:
    """A sentence for everything that is wrong with `value`."""
    match shape:
        case Ref():
            yield from faults(value, of.resolved(shape), of, where)
        case Unsaid(what):
            yield f"{where}: nothing is known of {what}"
        case Scalar():
            yield from _scalar_faults(value, shape, where)
        case Items(inner):
            yield from _list_faults(value, inner, of, where)
        case Named(attributes):
            yield from _mapping_faults(value, attributes, of, where)
        case Choice(kinds):
            yield from _choice_faults(value, kinds, of, where)


def _list_faults(value: Any, inner: Shape, of: Resolver, where: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{where}: is no list"
        return
    for index, one in enumerate(value):
        yield from faults(one, inner, of, f"{where}[{index}]")


def _mapping_faults(value: Any, attributes: Mapping[str, Shape], of: Resolver, where: str) -> Iterator[str]:
    if value is None and not attributes:
        return
    if not isinstance(value, dict):
        yield f"{where}: has to have keys: {', '.join(attributes)}"
        return
    for key, one in value.items():
        if key in attributes:
            yield from faults(one, attributes[key], of, f"{where}/{key}")
        else:
            yield f"{where}: has no key {key}"


def _choice_faults(value: Any, kinds: Mapping[str, Shape], of: Resolver, where: str) -> Iterator[str]:
    if isinstance(value, str):
        if value not in kinds:
            yield f"{where}: is no {value}, but one of {', '.join(kinds)}"
    elif not isinstance(value, dict) or len(value) != 1:
        yield f"{where}: has to be one of {', '.join(kinds)}"
    else:
        ((kind, inside),) = value.items()
        if kind in kinds:
            yield from faults(inside, kinds[kind], of, f"{where}/{kind}")
        else:
            yield f"{where}: is no {kind}, but one of {', '.join(kinds)}"


def _scalar_faults(value: Any, shape: Scalar, where: str) -> Iterator[str]:
    if shape.words and value not in shape.words:
        yield f"{where}: is none of {', '.join(shape.words)}"
    elif shape.kind == "boolean" and not isinstance(value, bool):
        yield f"{where}: is neither true nor false"
    elif shape.kind == "integer" and not (type(value) is int or (isinstance(value, str) and re.fullmatch(r"-?\d+", value))):
        yield f"{where}: is no whole number"
    # A number would do; true, from an unquoted yes, would become a text that nobody has written.
    elif shape.kind == "string" and not isinstance(value, str):
        yield f"{where}: is no text"
