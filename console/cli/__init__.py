"""Every view again without a screen: text for people, `--json` for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from console.cli.backend import Backend
    from console.cli.options import GlobalOptions

BAD_USE, NOT_POSSIBLE, INTERRUPTED = 2, 3, 130


def run(rest: list[str], options: GlobalOptions, backend: Backend) -> int:
    """Run the command in `rest` and give the exit status: 0 good, 1 bad, 2 wrong use, 3 unreachable, 130 ctrl+c."""
    from console.cli.output import OutputError, ReaderGoneError, complain, drop_output

    try:
        return _run(rest, options, backend)
    except KeyboardInterrupt:
        # What was not written yet must not wait at the end for a terminal or a pager that takes no more.
        drop_output()
        return INTERRUPTED
    except ReaderGoneError:
        drop_output()
        return 0
    except OutputError as error:
        drop_output()
        complain(str(error))
        return NOT_POSSIBLE


def _run(rest: list[str], options: GlobalOptions, backend: Backend) -> int:
    from console.cli.group import Context, root, run_click
    from console.cli.options import UsageError
    from console.cli.output import write_out
    from console.model.source import SourceError
    from console.settings import SettingsError

    if options.version:
        from importlib.metadata import version

        write_out(f"mlops-console {version('mlops-console')}\n")
        return 0
    if options.help:
        rest = [*rest, "--help"]
    elif not rest and options.json:
        return _refuse(["--json wants a command: mlops-console status --json"], options, backend)
    try:
        return run_click(root(), rest, Context(options, backend))
    except UsageError as error:
        return _refuse([str(error)], options, backend)
    except SettingsError as error:
        return _refuse(error.problems, options, backend)
    except SourceError as error:
        return _refuse([error.reason], options, backend)


def _refuse(messages: Sequence[str], options: GlobalOptions, backend: Backend) -> int:
    """Say what is wrong with what was asked: to people on stderr, to a program that wants JSON there as well."""
    from console.cli.output import complain, print_json

    for message in messages:
        complain(message)
    if options.json:
        from datetime import UTC, datetime

        from console.cli import forms

        items = [forms.mistake(message) for message in messages]
        print_json(forms.envelope("error", items, taken_at=datetime.now(UTC), demo=backend.demo, sources={}))
    return BAD_USE
