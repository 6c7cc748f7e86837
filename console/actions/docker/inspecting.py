"""All that the Engine knows of a container, fit to be shown: clean, and without what must not be seen. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from console.model.secretnames import MASK, arguments, label_value, masked
from console.text import Clean, clean

Fact: TypeAlias = "Mapping[Clean, Fact] | list[Fact] | Clean | int | float | bool | None"

# What people put their own names into; the Engine's own names (SandboxKey) are about no secret.
_OWN_NAMES = frozenset({"Labels", "Annotations", "DriverOpts", "Options", "StorageOpt", "Sysctls", "Config"})
_NOT_OWN = frozenset({"/Config"})
_DEEPEST = 50


def facts(raw: Mapping[str, object], *, values: bool) -> Mapping[Clean, Fact]:
    """The same with every text clean. Values of the environment are stars unless `values`; what looks like a secret in labels,
    options and arguments always is."""
    return _table(raw, "", values=values)


def _table(raw: Mapping[str, object], path: str, *, values: bool) -> Mapping[Clean, Fact]:
    last = path.rpartition("/")[2]
    own = last in _OWN_NAMES and path not in _NOT_OWN
    made: dict[Clean, Fact] = {}
    for name, value in raw.items():
        if own and isinstance(value, str):
            made[clean(name)] = label_value(name, value)
        else:
            made[clean(name)] = _any(value, f"{path}/{name}", values=values)
    return made


def _any(value: object, path: str, *, values: bool) -> Fact:
    if path.count("/") > _DEEPEST:
        return Clean("...")
    if isinstance(value, Mapping):
        return _table(value, path, values=values)
    if isinstance(value, list):
        return _list(value, path, values=values)
    if isinstance(value, str):
        return masked(value)
    return value if isinstance(value, bool | int | float) else None


def _list(value: list[object], path: str, *, values: bool) -> list[Fact]:
    if path == "/Config/Env":
        return [_variable(one, values=values) for one in value if isinstance(one, str)]
    # All of it, so that a name and its value stay together; what is no text stands between words as an empty one.
    words = arguments([one if isinstance(one, str) else "" for one in value])
    return [
        word if isinstance(one, str) else _any(one, f"{path}/", values=values) for one, word in zip(value, words, strict=True)
    ]


def _variable(text: str, *, values: bool) -> Clean:
    name, equals, _ = text.partition("=")
    return clean(text, lines=True) if values or not equals else clean(f"{name}={MASK}")


def outline(told: Fact, depth: int = 0) -> Iterator[str]:
    """A tree as lines: names before what they stand for, what belongs to a name below it and further in."""
    indent = "  " * depth
    if isinstance(told, Mapping):
        for name, value in told.items():
            if isinstance(value, Mapping | list) and value:
                yield f"{indent}{name}:"
                yield from outline(value, depth + 1)
            else:
                yield f"{indent}{name}: {_scalar(value)}"
    elif isinstance(told, list):
        for value in told:
            if isinstance(value, Mapping | list) and value:
                yield f"{indent}-"
                yield from outline(value, depth + 1)
            else:
                yield f"{indent}- {_scalar(value)}"


def _scalar(value: Fact) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "none" if value is None or value == "" or isinstance(value, Mapping | list) else str(value)
