"""The settings in words: for `config show`, for `config init`, and docs/settings.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from console.settings.description import SettingInfo, describe
from console.settings.loading import Loaded
from console.settings.secret import Secret
from console.text import Clean, clean

HIDDEN = Clean("********")


def value_of(loaded: Loaded, key: str) -> Any:
    """The value of a dotted key."""
    value: Any = loaded.settings
    for name in key.split("."):
        value = value[name] if isinstance(value, dict) else getattr(value, name)
    return value


def shown(loaded: Loaded) -> list[tuple[Clean, Clean, Clean]]:
    """Key, value and origin of every setting, for people; secrets are hidden."""
    rows = []
    for key, origin in loaded.origins.items():
        value = value_of(loaded, key)
        text = HIDDEN if isinstance(value, Secret) else _toml(value)
        where = origin.where if origin.kind != "environment" else clean(f"{origin.where} (environment)")
        rows.append((clean(key), clean(text), where))
    return rows


def as_data(loaded: Loaded) -> list[dict[str, Any]]:
    """The same for programs: `value` is null for a secret, whose `set` says whether there is one."""
    rows: list[dict[str, Any]] = []
    for key, origin in loaded.origins.items():
        value = value_of(loaded, key)
        secret = any(info.key == key and info.secret for info in describe())
        rows.append(
            {
                "key": clean(key),
                "value": None if secret else _plain(value),
                "set": value is not None,
                "origin": origin.kind,
                "where": origin.where,
            }
        )
    return rows


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [clean(item) for item in value]
    if isinstance(value, bool | int | float) or value is None:
        return value
    return clean(str(value))


def _toml(value: Any) -> str:
    """A value as it would stand in a file."""
    if value is None:
        return '""'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return f"{value:g}" if value != int(value) else f"{value:.1f}"
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    import json

    # JSON's string escapes are all valid in TOML's basic strings.
    return json.dumps(str(value), ensure_ascii=False)


def example_config() -> str:
    """A file with every setting commented out at its default."""
    lines = [
        "# Settings of mlops-console. Take the # away from what you want to change.",
        "# Where each value comes from: mlops-console config show",
    ]
    group = ""
    tables: list[str] = []
    for info in sorted(describe(), key=lambda info: "." in info.key):
        table, _, name = info.key.rpartition(".")
        if table != group:
            group = table
            lines += ["", f"[{table}]"]
            tables.append(table)
        lines += ["", f"# {info.words}{f' In {info.unit}.' if info.unit else ''}"]
        if info.env:
            lines.append(f"# Variable: {info.env}")
        if not info.secret:
            lines.append(f"#{name} = {_toml(_example(info))}")
    lines += ["", "[keys]", "", "# Own keys: names stand in docs/keys.md.", '#filter = "f"', ""]
    return "\n".join(lines)


def _example(info: SettingInfo) -> Any:
    if info.default is None and info.expected == "a path":
        return Path("/path/to/it")
    return info.default


def markdown() -> str:
    """The table of docs/settings.md."""
    lines = ["| setting | what | default | variable | repository may set it |", "|---|---|---|---|---|"]
    for info in describe():
        default = "" if info.default is None or info.secret else f"`{_toml(info.default)}`"
        unit = f" In {info.unit}." if info.unit else ""
        choice = f" {info.expected.capitalize()}." if info.expected.startswith("one of") else ""
        variable = f"`{info.env}`" if info.env else ""
        lines.append(
            f"| `{info.key}` | {info.words}{unit}{choice} | {default} | {variable} | {'yes' if info.repository else ''} |"
        )
    return "\n".join(lines) + "\n"
