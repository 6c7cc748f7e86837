"""`config`: the settings, where they come from, and a file to begin with."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import click

from console.cli import forms
from console.cli.group import Context, command
from console.cli.options import UsageError
from console.cli.output import Cell, print_json
from console.settings import Overrides
from console.settings.loading import places, user_file
from console.settings.manual import as_data, example_config, shown

_ROLES = {
    "administrator": "the administrator's defaults",
    "user": "your own",
    "given": "the one you named",
    "repository": "this repository's",
}


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
    context.printer().table(rows, header=("SETTING", "VALUE", "FROM"))
    return 0


@command("path")
@click.pass_obj
def path(context: Context) -> int:
    """Show which files are read, lowest first: a later one wins."""
    files = places(Overrides(config=context.options.config), os.environ, Path.cwd())
    if context.json:
        items = [{"path": str(one.path), "role": one.role, "found": one.found} for one in files]
        print_json(forms.envelope("config-path", items, taken_at=datetime.now(UTC), demo=False, sources={}))
        return 0
    rows = [[Cell(_ROLES[one.role]), Cell("read" if one.found else "not there"), Cell(str(one.path))] for one in files]
    context.printer().table(rows)
    return 0


@command("init")
@click.option("--force", is_flag=True, help="Replace a file that is already there.")
@click.pass_obj
def init(context: Context, force: bool) -> int:
    """Write a commented file with every setting to your own place (or to --config)."""
    target = context.options.config or user_file(os.environ)
    if target.exists() and not force:
        raise UsageError(f"{target} is already there. --force replaces it.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = target.with_name(f".{target.name}.{os.getpid()}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(example_config())
        fresh.replace(target)
    except OSError as failed:
        raise UsageError(f"{target} cannot be written: {failed.strerror}") from None
    context.printer().line(f"Wrote {target}. Every line in it is a comment until you take its # away.")
    return 0


for part in (show, path, init):
    config.add_command(part)
