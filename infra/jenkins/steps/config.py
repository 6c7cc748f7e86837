"""config.yaml: read, laid over with overrides, checked. Every refusal names file, line, key and what was expected."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from .problem import Problem

Path_ = tuple[str | int, ...]

_MOST_ENTRIES = 10_000
_UNITS = {"b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_TYPES = {
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "boolean": "true or false",
    "object": "keys with values",
    "array": "a list",
    "null": "null",
}


@dataclass(frozen=True)
class Resources:
    """`memory` and `shm` in bytes, `timeout` in seconds."""

    gpus: int
    memory: int
    shm: int
    cpus: float
    timeout: int


@dataclass(frozen=True)
class Config:
    """What config.yaml says with all overrides; `values` is the whole of it."""

    resources: Resources
    values: Mapping[str, Any]

    @property
    def build_args(self) -> dict[str, str]:
        return dict(self.values.get("build") or {})

    @property
    def publish(self) -> Mapping[str, Any] | None:
        """`repo`, `private`, and `approve` if a person is to be asked first; None when nothing is to be published."""
        section: Mapping[str, Any] | None = self.values.get("publish")
        return section

    def pinned(self, section: str) -> tuple[str, str] | None:
        """Repository and revision of `data` or `base_model`; None when there is none yet."""
        found = self.values.get(section) or {}
        if found.get("repo") and found.get("revision"):
            return found["repo"], found["revision"]
        return None


def read(text: str, overrides: str, schema: str | None, *, file: str = "config.yaml") -> Config:
    """Check everything and return it. `schema` is the text of the project's config.schema.json.

    Raises Problem for the first thing that is wrong.
    """
    root, lines = _parse(text, file)
    changed = _apply(root, overrides)
    for name, content, section in (("platform", platform_schema(), ()), ("project", _own_schema(schema), ("train",))):
        if content is not None:
            value = root
            for key in section:
                value = value[key]
            _validate(value, content, section, _Places(file, lines, changed), name)
    given = root["resources"]
    memory = size(given["memory"])
    resources = Resources(
        gpus=given.get("gpus", 0),
        memory=memory,
        shm=size(given.get("shm", "64m")),
        cpus=float(given.get("cpus", 0)),
        timeout=duration(given["timeout"]),
    )
    if resources.shm > memory:
        raise Problem(f"{file}: resources.shm is {given['shm']}, more than resources.memory, {given['memory']}.")
    return Config(resources, root)


def split_overrides(text: str) -> list[tuple[str, str]]:
    """Key and value of each override: lines `key=value`, or several of them in one line with blanks between.

    Raises Problem.
    """
    pairs = []
    for line in text.splitlines():
        words = line.split()
        for entry in words if words and all(re.match(r"[\w.]+=", word) for word in words) else [line.strip()]:
            if not entry:
                continue
            key, equals, value = entry.partition("=")
            if not equals or not re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)?", key.strip()):
                raise Problem(f"OVERRIDES: {entry!r} is no key=value, such as epochs=2 or resources.memory=4g.")
            pairs.append((key.strip(), value.strip()))
    return pairs


def size(text: str) -> int:
    """Bytes of "512m", "2g"."""
    return int(text[:-1]) * _UNITS[text[-1].lower()]


def duration(text: str) -> int:
    """Seconds of "30m", "2h"."""
    return int(text[:-1]) * _SECONDS[text[-1]]


@cache
def platform_schema() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(__file__).with_name("config.schema.json").read_text(encoding="utf-8"))
    return found


class _Places:
    """Where a key stands, for messages."""

    def __init__(self, file: str, lines: Mapping[Path_, int], changed: Mapping[Path_, str]) -> None:
        self._file, self._lines, self._changed = file, lines, changed

    def of(self, path: Path_) -> str:
        for end in range(len(path), 0, -1):
            if path[:end] in self._changed:
                return f"OVERRIDES: {self._changed[path[:end]]}"
        for end in range(len(path), -1, -1):
            if path[:end] in self._lines:
                return f"{self._file}, line {self._lines[path[:end]]}"
        return self._file


def _parse(text: str, file: str) -> tuple[dict[str, Any], dict[Path_, int]]:
    """The content, and the line of each key and list entry."""
    lines: dict[Path_, int] = {}
    try:
        node = yaml.compose(text, yaml.SafeLoader)
        # Aliases of aliases make a few lines into millions of entries.
        entries = islice(_walk(node, (), file), _MOST_ENTRIES + 1) if node is not None else ()
        lines |= dict(entries)
        if len(lines) > _MOST_ENTRIES:
            raise Problem(f"{file} has more than {_MOST_ENTRIES:,} entries.")
        root = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise Problem(f"{file}, line {line}: this is no YAML: {error.problem or error.context}.") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Problem(f"{file} is no YAML: {error}") from error
    if not isinstance(root, dict):
        raise Problem(f"{file} holds no keys with values; docs/projects.md shows what it has to say.")
    return root, lines


def _walk(node: yaml.Node, path: Path_, file: str) -> Iterator[tuple[Path_, int]]:
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in seen:
                raise Problem(f"{file}, line {line}: {'.'.join(map(str, (*path, name)))} stands in line {seen[name]} already.")
            seen[name] = line
            yield (*path, name), line
            yield from _walk(value, (*path, name), file)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield (*path, index), value.start_mark.line + 1
            yield from _walk(value, (*path, index), file)


def _apply(root: dict[str, Any], overrides: str) -> dict[Path_, str]:
    changed: dict[Path_, str] = {}
    for key, text in split_overrides(overrides):
        section, _, name = key.rpartition(".")
        path = (section or "train", name)
        place = root.setdefault(path[0], {})
        if not isinstance(place, dict):
            raise Problem(f"OVERRIDES: {key}={text}: {path[0]} has no keys in config.yaml.")
        try:
            place[name] = yaml.safe_load(text)
        except (yaml.YAMLError, ValueError) as error:
            raise Problem(f"OVERRIDES: {key}={text}: this is no value that YAML knows.") from error
        changed[path] = f"{key}={text}"
    return changed


def _own_schema(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    try:
        schema = json.loads(text)
        jsonschema.Draft202012Validator.check_schema(schema)
    except (ValueError, jsonschema.SchemaError) as error:
        raise Problem(f"config.schema.json is no JSON Schema: {str(error).splitlines()[0]}") from error
    if not isinstance(schema, dict):
        raise Problem("config.schema.json is no JSON Schema: it holds no object.")
    return schema


def _validate(value: Any, schema: dict[str, Any], section: Path_, places: _Places, name: str) -> None:
    errors = sorted(
        jsonschema.Draft202012Validator(schema).iter_errors(value), key=lambda error: list(map(str, error.absolute_path))
    )
    for error in errors:
        path = (*section, *error.absolute_path)
        raise Problem(_sentence(error, path, places))


def _sentence(error: Any, path: Path_, places: _Places) -> str:
    dotted = ".".join(map(str, path))
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        known = list(error.schema.get("properties", ()))
        unknown = next(str(key) for key in error.instance if key not in known)
        near = difflib.get_close_matches(unknown, known, 1)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}."
        return f"{places.of((*path, unknown))}: there is no key {'.'.join(map(str, (*path, unknown)))}; {hint}"
    if error.validator == "required":
        missing = next(key for key in error.validator_value if key not in error.instance)
        key = ".".join((*map(str, path), missing))
        return f"{places.of(path)}: {key} is missing: {_expected(error.schema['properties'].get(missing, {}))}."
    found = json.dumps(error.instance, ensure_ascii=False, default=str)
    found = found if len(found) <= 60 else found[:59] + "…"
    return f"{places.of(path)}: {dotted or 'the file'} is {found}; expected {_wanted(error)}."


def _wanted(error: Any) -> str:
    if error.validator == "type":
        kinds = [error.validator_value] if isinstance(error.validator_value, str) else list(error.validator_value)
        words = error.schema.get("description") if error.schema.get("pattern") else None
        text = words or " or ".join(_TYPES.get(kind, kind) for kind in kinds)
        # YAML 1.1 takes a number with an exponent for text unless it has a dot before and a sign after the e.
        if (
            isinstance(error.instance, str)
            and {"number", "integer"} & set(kinds)
            and re.fullmatch(r"[-+]?[\d.]+[eE][-+]?\d+", error.instance)
        ):
            mantissa, _, exponent = error.instance.lower().partition("e")
            dotted = mantissa if "." in mantissa else f"{mantissa}.0"
            text += f", and YAML takes this for text: write {dotted}e{exponent if exponent[0] in '+-' else '+' + exponent}"
        return text
    if error.validator == "anyOf":
        best = [entry for entry in error.context if entry.validator_value != "null"] or list(error.context)
        return _wanted(best[0]) if best else "something else"
    if error.validator == "pattern":
        return str(error.schema.get("description", f"text like {error.validator_value}"))
    if error.validator == "enum":
        return "one of " + ", ".join(map(str, error.validator_value))
    bounds = {
        "minimum": "at least {}",
        "maximum": "at most {}",
        "exclusiveMinimum": "more than {}",
        "exclusiveMaximum": "less than {}",
    }
    if error.validator in bounds:
        return bounds[error.validator].format(error.validator_value)
    return str(error.message)


def _expected(schema: Mapping[str, Any]) -> str:
    reference = schema.get("$ref")
    if reference:
        schema = platform_schema()["$defs"].get(reference.rpartition("/")[2], {})
    return str(schema.get("description") or _TYPES.get(str(schema.get("type")), "a value")).rstrip(".")
