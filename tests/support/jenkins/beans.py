"""Exported beans and how the server cuts them: `depth=`, `tree=` with nesting, `*` and ranges.

A bean's field has a visibility: it is shown when visibility > level - depth, as Stapler does it. So at the
default depth 0 the bean that was asked for shows everything, the beans in it only what has visibility 2, and so on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

ALWAYS = 999
Getter = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Field:
    """One exported property. `inline` beans count as a part of the bean that holds them."""

    name: str
    get: Getter
    visibility: int = 1
    inline: bool = False


@dataclass(frozen=True, slots=True)
class Bean:
    """Something exported; `java_class` None is a bean whose class is known from its place (no `_class`)."""

    java_class: str | None
    fields: Sequence[Field] = ()


def bean(java_class: str | None, visibility: int = 1, /, **values: Any) -> Bean:
    """A bean of fixed values, all of one visibility."""
    return Bean(java_class, [Field(name, _constant(value), visibility) for name, value in values.items()])


def _constant(value: Any) -> Getter:
    return lambda: value


class TreeSyntaxError(Exception):
    """The tree= parameter cannot be read: the server answers 500."""


@dataclass(slots=True)
class Tree:
    """What a tree= asks for below one bean: the fields by name, `*` for all, each with its range."""

    fields: dict[str, Tree] = field(default_factory=dict)
    start: int | None = None
    end: int | None = None

    def child(self, name: str) -> Tree | None:
        return self.fields.get(name) or self.fields.get("*")


def parse_tree(text: str) -> Tree:
    """Read a tree= parameter; raises TreeSyntaxError."""
    tree, rest = _read_fields(text)
    if rest:
        raise TreeSyntaxError(rest)
    return tree


def _read_fields(text: str) -> tuple[Tree, str]:
    tree = Tree()
    while True:
        size = next((at for at, char in enumerate(text) if char in "[]{},"), len(text))
        name, text = text[:size].strip(), text[size:]
        if not name:
            raise TreeSyntaxError(text)
        child = Tree()
        if text.startswith("["):
            child, text = _read_fields(text[1:])
            if not text.startswith("]"):
                raise TreeSyntaxError(text)
            text = text[1:]
        if text.startswith("{"):
            inside, closed, text = text[1:].partition("}")
            if not closed:
                raise TreeSyntaxError(inside)
            child.start, child.end = _read_range(inside)
        tree.fields[name] = child
        if not text.startswith(","):
            return tree, text
        text = text[1:]


def _read_range(text: str) -> tuple[int | None, int | None]:
    first, comma, last = text.partition(",")
    try:
        start = int(first) if first.strip() else None
        if not comma:
            return start, None if start is None else start + 1
        return start, int(last) if last.strip() else None
    except ValueError as error:
        raise TreeSyntaxError(text) from error


def cut_by_tree(value: Any, tree: Tree) -> Any:
    """What a tree= shows of a bean, a list or a plain value."""
    if isinstance(value, Bean):
        shown: dict[str, Any] = {} if value.java_class is None else {"_class": value.java_class}
        for one in value.fields:
            child = tree.child(one.name)
            if child is not None:
                shown[one.name] = cut_by_tree(one.get(), child)
        return shown
    if isinstance(value, Mapping):
        return {name: cut_by_tree(inner, tree.child(name) or Tree()) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [cut_by_tree(inner, tree) for inner in value[tree.start : tree.end]]
    return value


def cut_by_depth(value: Any, depth: int, level: int = 0) -> Any:
    """What depth= shows; `level` counts the beans above this one."""
    if isinstance(value, Bean):
        shown: dict[str, Any] = {} if value.java_class is None else {"_class": value.java_class}
        for one in value.fields:
            if one.visibility > level - depth:
                shown[one.name] = cut_by_depth(one.get(), depth, level if one.inline else level + 1)
        return shown
    if isinstance(value, Mapping):
        return {name: cut_by_depth(inner, depth, level) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [cut_by_depth(inner, depth, level) for inner in value]
    return value
