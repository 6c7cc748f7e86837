"""The entry point. It decides between the screen and a command, and loads only the one that is wanted."""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from console.backend import Backend
from console.cli.options import GlobalOptions, UsageError, remote_command, split
from console.settings import Overrides, SettingsError, load
from console.text import clean

if TYPE_CHECKING:
    from console.feeds.watch import Watch
    from console.sources.docker_engine.endpoint import Endpoint

NO_ENGINE = "no Docker Engine here: an invented server, nothing of it is real"

NOT_INSTALLED_THERE = (
    "mlops-console is not installed on {host}, or not on the PATH of a shell that nobody has logged in to.\n"
    "See what that is: ssh {host} 'echo $PATH'. A link to the program in /usr/local/bin helps everybody there."
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run `mlops-console` with these arguments (default: the program's own) and give the exit status."""
    try:
        return _main(argv)
    except KeyboardInterrupt:
        return 130
    except Exception as defect:
        return _defect(defect)


def program() -> None:
    """What the command `mlops-console` runs: `main`, and its status as the process's own. It does not return.

    Python stops daemon threads wherever they stand when it ends. Within a library in C++ (RE2 looks through logs in them) that
    aborts the process, so threads that are left are left to the kernel.
    """
    status = main()
    if not any(one.daemon for one in threading.enumerate()):
        sys.exit(status)
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):  # as Python itself ends when what was written last cannot be
        status = status or 120
    os._exit(status)


def _main(argv: Sequence[str] | None) -> int:
    try:
        options, rest = split(sys.argv[1:] if argv is None else argv)
        if options.host is not None:
            options = _as_permitted(options)
            command = remote_command(options, rest, tty=sys.stdin.isatty() and sys.stdout.isatty())
            return _go_there(options.host or "", command)
    except (UsageError, SettingsError) as error:
        return _complain(str(error))
    backend = Backend(options)
    if rest or options.json or options.help or options.version or "_MLOPS_CONSOLE_COMPLETE" in os.environ:
        from console.cli import run

        return run(rest, options, backend)
    return _screen(backend)


def _as_permitted(options: GlobalOptions) -> GlobalOptions:
    """Who may only look here looks only from here: the other machine is told so. Raises SettingsError.

    A file named with --config is the other machine's.
    """
    here = load(argv=Overrides(read_only=options.read_only or None), env=os.environ, cwd=Path.cwd())
    return replace(options, read_only=here.read_only is not None)


def _screen(backend: Backend) -> int:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return _complain("the screen needs a terminal. Without one: mlops-console status [--json]")
    if not os.environ.get("TERM"):
        return _complain("TERM is empty, so nobody knows what this terminal can show. Try: TERM=xterm-256color mlops-console")
    if os.environ["TERM"] in ("dumb", "unknown"):
        return _complain('a terminal of type "dumb" cannot show the screen. Try: mlops-console status --watch')
    try:
        settings = backend.loaded.settings
    except SettingsError as error:
        return _complain(str(error))
    reason = ""
    if not backend.demo:
        from console.model.source import SourceError

        try:
            if _no_engine_at(backend.endpoint):
                backend.demo, reason = True, NO_ENGINE
        except SourceError as error:
            return _complain(error.reason)
    # To collect garbage is to look at every object there is, and the libraries are most of them: at 80 ms a time.
    # They stay for good, so nobody looks while they are loaded, nor ever after.
    gc.disable()
    watch = backend.watch()
    # The first request is on its way while the screen's libraries are still being loaded.
    watch.start()
    from console.ui.ahead import Ahead
    from console.ui.app import ConsoleApp, Wishes
    from console.ui.oldgarbage import OldGarbage

    try:
        keys = backend.own_keys
    except SettingsError as error:
        watch.stop()
        return _complain(str(error))
    ahead = Ahead()
    app = ConsoleApp(
        watch,
        host=backend.host,
        demo=backend.demo,
        demo_reason=reason,
        demo_watch=_demo_watch(backend),
        wishes=Wishes(
            theme=settings.screen.theme,
            glyphs=settings.screen.glyphs,
            color=settings.screen.color != "never",
            motion=settings.screen.motion,
            notify=settings.notify.terminal,
            keys=keys,
        ),
        read_only=backend.loaded.read_only,
        make_recorder=backend.recorder,
        make_usual=lambda: backend.usual,
        make_instruments=backend.instruments,
        first_look=_first_look if settings.screen.tour else None,
        ahead=ahead,
        garbage=OldGarbage(),
    )
    gc.freeze()
    gc.enable()
    status = app.run(mouse=settings.screen.mouse)
    ahead.stop()
    app.live.stop()
    defect = app.defect or app.live.failure
    if defect is not None:
        return _defect(defect, app.last_actions, app.last_size)
    return app.return_code or 0 if status is None else status


def _defect(defect: BaseException, actions: Sequence[str] = (), size: tuple[int, int] | None = None) -> int:
    """Say in two lines what ended the console, and where what is known about it was written down."""
    import platform
    from importlib.metadata import version

    from console.model.crash import Circumstances, report, summary
    from console.settings.secret import masked
    from console.sources.crashfile import write_report

    versions = {"mlops-console": version("mlops-console"), "Python": platform.python_version(), "Textual": version("textual")}
    encoding = getattr(sys.__stdout__, "encoding", None) or "?"
    around = Circumstances(versions, os.environ.get("TERM", ""), encoding, size, list(actions))
    try:
        file = write_report(masked(report(defect, around)), os.environ)
        where = f"the report is {file}: it holds no values, no log and no secret."
    except OSError as failed:
        where = f"a report cannot be written: {failed.strerror}."
    return _complain(f"a defect ended the console: {masked(summary(defect))}.\n{where}", status=70)


async def _first_look() -> bool:
    """Whether the demo's tour was never shown to this person."""
    from console.sources.onlyonce import TOUR, first_time

    return await first_time(TOUR, os.environ)


def _demo_watch(backend: Backend) -> Callable[[], Watch]:
    def make() -> Watch:
        backend.demo = True
        return backend.watch()

    return make


def _no_engine_at(endpoint: Endpoint) -> bool:
    """True when nobody asked for a certain Engine and the usual place has none. What was asked for never turns into a demo."""
    from console.sources.docker_engine.source import local_socket_answers

    return endpoint.automatic and endpoint.path is not None and not local_socket_answers(endpoint.path)


def _go_there(host: str, command: Sequence[str]) -> int:
    from console.sources.elsewhere import NOT_FOUND, NoProgramError, run_there

    try:
        status = run_there(command)
    except NoProgramError:
        return _complain("--host needs ssh, which is not installed here.", status=3)
    if status == NOT_FOUND:
        return _complain(NOT_INSTALLED_THERE.format(host=host), status=NOT_FOUND)
    return status


def _complain(message: str, status: int = 2) -> int:
    text = clean(message, lines=True)
    sys.stderr.write(f"mlops-console: {text}\n")
    return status


if __name__ == "__main__":
    program()
