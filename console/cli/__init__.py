"""Every view again without a screen: text for people, `--json` for programs."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from console.cli.backend import Backend
    from console.cli.options import GlobalOptions

BAD_USE, UNREACHABLE, INTERRUPTED = 2, 3, 130


def run(rest: list[str], options: GlobalOptions, backend: Backend) -> int:
    """Run the command in `rest` and give the exit status: 0 good, 1 bad, 2 wrong use, 3 unreachable, 130 ctrl+c."""
    from console.cli.group import Context, root, run_click
    from console.cli.options import UsageError
    from console.cli.output import ReaderGoneError, complain
    from console.model.source import SourceError
    from console.settings import SettingsError

    if options.version:
        from importlib.metadata import version

        sys.stdout.write(f"mlops-console {version('mlops-console')}\n")
        return 0
    if options.help:
        rest = [*rest, "--help"]
    elif not rest and options.json:
        complain("--json wants a command: mlops-console status --json")
        return BAD_USE
    try:
        return run_click(root(), rest, Context(options, backend))
    except UsageError as error:
        complain(str(error))
        return BAD_USE
    except SettingsError as error:
        for problem in error.problems:
            complain(problem)
        return BAD_USE
    except SourceError as error:
        complain(error.reason)
        return BAD_USE
    except KeyboardInterrupt:
        return INTERRUPTED
    except ReaderGoneError:
        # Whoever read us has had enough. What is left in the buffer must not complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
