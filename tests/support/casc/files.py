"""The files of configuration as code, read, put together and filled in as the plugin does it."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

# Everything that the plugin replaces, with the sign that keeps it from doing so.
VARIABLE = re.compile(r"(\^?)\$\{([^{}]*)\}")

Place = tuple[str | int, ...]


class FilesError(ValueError):
    """What the plugin would refuse, or would take without a word and nobody can have meant."""


class _Loader(yaml.SafeLoader):
    """The plugin lets the last of two equal keys win, and says nothing."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                raise FilesError(f"line {key.start_mark.line + 1}: {key.value} is there twice")
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def load(text: str) -> Any:
    """The tree of one file; FilesError for a key that is there twice."""
    return yaml.load(text, _Loader)  # noqa: S506 # a SafeLoader


def merged(first: Any, second: Any, where: str = "") -> Any:
    """Both together, by the plugin's strategy errorOnConflict: mappings and lists grow, everything else is a conflict."""
    if isinstance(first, dict) and isinstance(second, dict):
        both = dict(first)
        for key, value in second.items():
            both[key] = merged(first[key], value, f"{where}/{key}") if key in first else value
        return both
    if isinstance(first, list) and isinstance(second, list):
        return [*first, *second]
    raise FilesError(f"{where or '/'} is in two files")


def filled_in(tree: Any, values: Mapping[str, str]) -> Any:
    """The tree with every `${name}` replaced; FilesError names one that has no value (the plugin would write nothing)."""
    if isinstance(tree, dict):
        return {key: filled_in(value, values) for key, value in tree.items()}
    if isinstance(tree, list):
        return [filled_in(value, values) for value in tree]
    if not isinstance(tree, str):
        return tree

    def one(found: re.Match[str]) -> str:
        kept, name = found.groups()
        if kept:
            return found.group()[1:]
        if name.startswith("readFileBase64:"):
            return base64.b64encode(values[Path(name.partition(":")[2]).name].encode()).decode()
        if name not in values:
            raise FilesError(f"{name} has no value")
        return values[name]

    return VARIABLE.sub(one, tree)


def examples(markdown: str) -> list[str]:
    """The YAML blocks of a page."""
    return re.findall(r"^```yaml\n(.*?)^```$", markdown, re.MULTILINE | re.DOTALL)


def leaves(tree: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Every value that is no mapping and no list, with its place."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from leaves(value, (*place, key))
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            yield from leaves(value, (*place, index))
    else:
        yield place, tree


def keys(tree: Any, place: Place = ()) -> Iterator[Place]:
    """The place of every key of every mapping."""
    inside = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in inside:
        if isinstance(tree, dict):
            yield (*place, key)
        yield from keys(value, (*place, key))


def with_key(tree: Any, place: Place, name: str) -> Any:
    """A copy in which the key at `place` is called `name`."""
    head, *rest = place
    if isinstance(tree, dict):
        if not rest:
            return {name if key == head else key: value for key, value in tree.items()}
        return {key: with_key(value, tuple(rest), name) if key == head else value for key, value in tree.items()}
    return [with_key(value, tuple(rest), name) if index == head else value for index, value in enumerate(tree)]


def with_value(tree: Any, place: Place, value: Any) -> Any:
    """A copy in which `value` stands at `place`."""
    if not place:
        return value
    head, *rest = place
    if isinstance(tree, dict):
        return {key: with_value(old, tuple(rest), value) if key == head else old for key, old in tree.items()}
    return [with_value(old, tuple(rest), value) if index == head else old for index, old in enumerate(tree)]
