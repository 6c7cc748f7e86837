"""The hyperparameters: the `train` section of config.yaml with MLOPS_OVERRIDES over it, as a dataclass of the project's own."""

from __future__ import annotations

import dataclasses
import difflib
import re
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml

from .problems import TrainingError

T = TypeVar("T")

# What every config.yaml may have. A project may read more of its own.
SECTIONS = ("resources", "build", "data", "base_model", "publish", "train")


def read(path: Path, overrides: str) -> dict[str, Any]:
    """The whole of config.yaml with overrides applied: lines `key=value`, a key without a dot is one of `train`.

    Raises TrainingError. The platform has checked the same before; by hand, outside of it, nobody has.
    """
    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise TrainingError(f"{path} cannot be read: {error}") from error
    if not isinstance(config, dict):
        raise TrainingError(f"{path} holds no keys with values")
    for line in overrides.splitlines():
        if not line.strip():
            continue
        name, equals, text = line.strip().partition("=")
        section, _, key = name.strip().rpartition(".")
        section = section or "train"
        if not equals or not key:
            raise TrainingError(f"MLOPS_OVERRIDES: {line.strip()!r} is no key=value")
        if section not in {*config, *SECTIONS}:
            raise TrainingError(f"MLOPS_OVERRIDES: {line.strip()!r}: config.yaml has no section {section}")
        place = config.get(section) or {}
        if not isinstance(place, dict):
            raise TrainingError(f"MLOPS_OVERRIDES: {line.strip()!r}: {section} in config.yaml has no keys")
        try:
            config[section] = {**place, key: yaml.safe_load(text)}
        except (ValueError, yaml.YAMLError) as error:
            raise TrainingError(f"MLOPS_OVERRIDES: {line.strip()!r}: this is no value that YAML knows") from error
    return typing.cast("dict[str, Any]", config)


def settings(kind: type[T], config: Mapping[str, Any], section: str = "train") -> T:
    """The dataclass `kind` filled from a section. Raises TrainingError for a key it has not, a wrong type, a missing key."""
    given = config.get(section) or {}
    if not isinstance(given, dict):
        raise TrainingError(f"config.yaml: {section} has no keys with values")
    hints = typing.get_type_hints(kind)
    values = {}
    for name, value in given.items():
        if name not in hints:
            near = difflib.get_close_matches(str(name), hints, 1)
            raise TrainingError(f"config.yaml: {section} has no {name}" + (f"; did you mean {near[0]}?" if near else ""))
        values[name] = _typed(f"{section}.{name}", value, hints[name])
    fields = dataclasses.fields(kind)  # type: ignore[arg-type]  # typing has no word for "any dataclass"
    for field in fields:
        has_default = field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
        if field.name not in values and not has_default:
            raise TrainingError(f"config.yaml: {section}.{field.name} is missing")
    return kind(**values)


def _typed(name: str, value: object, hint: Any) -> object:
    choices = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    for kind in choices:
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        plain = typing.get_origin(kind) or kind
        if isinstance(value, plain) and (plain is bool or not isinstance(value, bool)):
            if plain is list and typing.get_args(kind):
                return [_typed(f"{name}[{index}]", entry, typing.get_args(kind)[0]) for index, entry in enumerate(value)]
            return value
    expected = " or ".join("nothing" if kind is types.NoneType else getattr(kind, "__name__", str(kind)) for kind in choices)
    hint = ""
    if isinstance(value, str) and re.fullmatch(r"[-+]?[\d.]+[eE][-+]?\d+", value):
        hint = " (YAML takes a number with an exponent for text unless it has a point and a sign: 1.0e-3)"
    raise TrainingError(f"config.yaml: {name} is {value!r}; expected {expected}{hint}")
