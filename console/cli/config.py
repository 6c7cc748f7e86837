"""`config`: the settings, where they come from, and a file to begin with."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import click

from console.cli import forms
from console.cli.group import Context, command, global_params
from console.cli.options import UsageError
from console.cli.output import Cell, Column, Printer, print_json
from console.settings import Overrides
from console.settings.loading import places, user_file
from console.settings.manual import as_data, example_config, shown
from console.text import clean

_ROLES = {
    "administrator": "the administrator's defaults",
    "user": "your own",
    "given": "the one you named",
    "repository": "this repository's",
}
_SHOW_COLUMNS = (Column("SETTING", least=12, middle=True), Column("VALUE", least=12, drop=1), Column("FROM", least=16, drop=2))
_PATH_COLUMNS = (Column(drop=1), Column(), Column(least=16))


_KEY_COLUMNS = (
    Column("KEY", least=8),
    Column("WHAT", least=16),
    Column("WHERE", least=8, drop=2),
    Column("ID", least=8, drop=1),
    Column("INSTEAD OF", drop=3),
)


@click.group("config", context_settings={"help_option_names": ["--help", "-h"]})
def config() -> None:
    """Show, find or begin the settings."""


@command("show")
@click.pass_obj
def show(context: Context) -> int:
    """Show every setting and where its value comes from; secrets stay hidden."""
    loaded = context.backend.loaded
    if context.json:
        print_json(forms.envelope("config", as_data(loaded), taken_at=datetime.now(UTC), demo=context.backend.demo, sources={}))
        return 0
    rows = [[Cell(key), Cell(value), Cell(where)] for key, value, where in shown(loaded)]
    context.printer().table(_SHOW_COLUMNS, rows)
    return 0


@command("path")
@click.pass_obj
def path(context: Context) -> int:
    """Show which files are read, lowest first: a later one wins."""
    files = [
        (str(one.path), one.role, one.found and os.access(one.path, os.F_OK))
        for one in places(Overrides(config=context.options.config), os.environ, Path.cwd())
    ]
    if context.json:
        items = [{"path": clean(path), "role": role, "found": found} for path, role, found in files]
        print_json(forms.envelope("config-path", items, taken_at=datetime.now(UTC), demo=False, sources={}))
        return 0
    rows = [[Cell(_ROLES[role]), Cell("read" if found else "not there"), Cell(path)] for path, role, found in files]
    _printer().table(_PATH_COLUMNS, rows)
    return 0


@command("keys")
@click.pass_obj
def keys(context: Context) -> int:
    """Show every key as you have it; those you changed say which key of the console's they replace."""
    table = context.backend.keys()
    if context.json:
        items = [forms.key(one) for one in table]
        print_json(forms.envelope("config-keys", items, taken_at=datetime.now(UTC), demo=context.backend.demo, sources={}))
        return 0
    rows = [
        [
            Cell(clean(" ".join(one.keys))),
            Cell(clean(one.words)),
            Cell(clean(one.where)),
            Cell(clean(one.id)),
            Cell(clean(" ".join(one.ours)) if one.changed else clean("")),
        ]
        for one in table
    ]
    context.printer().table(_KEY_COLUMNS, rows)
    return 0


@command("init")
@click.option("--force", is_flag=True, help="Replace a file that is already there.")
@click.pass_obj
def init(context: Context, force: bool) -> int:
    """Write a commented file with every setting to your own place (or to --config)."""
    target = context.options.config or user_file(os.environ)
    # Also true for a link that leads nowhere, and false instead of an exception where we may not look.
    if os.path.lexists(target) and not force:
        raise UsageError(f"{target} is already there. --force replaces it.")
    try:
        _write(target, example_config())
    except OSError as failed:
        raise UsageError(f"{target} cannot be written: {failed.strerror}") from None
    if context.json:
        role = "user" if context.options.config is None else "given"
        written = {"path": clean(target), "role": role, "found": True}
        print_json(forms.envelope("config-path", [written], taken_at=datetime.now(UTC), demo=False, sources={}))
        return 0
    _printer().line(f"Wrote {target}. Every line in it is a comment until you take its # away.")
    return 0


def _printer() -> Printer:
    """For what has to work while the settings themselves are broken."""
    return Printer(color=False)


def _write(target: Path, text: str) -> None:
    """The whole file or nothing, for its owner only, in a folder for its owner only."""
    import tempfile

    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    fresh = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)


config.params += global_params()
for part in (show, path, keys, init):
    config.add_command(part)
