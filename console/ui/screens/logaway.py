"""A log on its way out: into a file, to the pager."""

from __future__ import annotations

import os
import re
import tempfile
import threading
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported

from console.logs.export import ExistsError, save
from console.model.state import StateClass
from console.model.words import counted, decimal
from console.sources.terminal import pager_of, run_pager
from console.text import clean
from console.ui.screens.confirm import Confirm

if TYPE_CHECKING:
    from console.ui.screens.logkeys import LogKeys

_UNUSUAL = re.compile(r"[^\w.-]+", re.ASCII)


def ask_and_save(screen: LogKeys) -> None:
    """Ask for a name and write what the filter shows, all of it, to that file."""
    name = _UNUSUAL.sub("-", screen.targets[0].name).strip("-.") if screen.targets else ""
    now = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")

    def done(text: str) -> None:
        if text:
            path = Path(text).expanduser()
            screen.wait_for_all(lambda: _save(screen, path, overwrite=False), "reading all of it first")

    screen.ask("save to", "a file", f"{name or 'log'}-{now}.log", done)


def _save(screen: LogKeys, path: Path, *, overwrite: bool) -> None:
    store, query = screen.feed.store, screen.quest.filter.query()
    shown = clean(str(path))

    def work() -> None:
        try:
            lines, size = save(path, store, query, overwrite=overwrite)
        except ExistsError:
            screen.app.call_from_thread(_ask_to_overwrite, screen, path)
        except OSError as error:
            reason = clean(error.strerror or str(error))
            screen.app.call_from_thread(screen.say, StateClass.BROKEN, f"not saved: {reason}: {shown}")
        else:
            words = f"saved {counted(lines, 'line')}, {decimal(size)}: {shown}"
            screen.app.call_from_thread(screen.say, StateClass.GOOD, words)

    # A million lines take a second.
    threading.Thread(target=work, name="save", daemon=True).start()


def _ask_to_overwrite(screen: LogKeys, path: Path) -> None:
    def answered(agreed: bool | None) -> None:
        if agreed:
            _save(screen, path, overwrite=True)
        else:
            screen.say(StateClass.ENDED, f"not saved: {screen.own('save')} asks for another name")

    words = [f"{clean(path.name)} exists already in", f"  {clean(str(path.absolute().parent))}"]
    screen.app.push_screen(Confirm("Save", words, "overwrite it"), answered)


def open_pager(screen: LogKeys) -> None:
    """Show what the filter shows in `$PAGER`, and come back."""
    env = screen.console.env
    try:
        command = pager_of(env)
    except ValueError as error:
        screen.say(StateClass.BROKEN, str(clean(str(error))))
        return
    if command is None:
        screen.say(StateClass.BROKEN, f"no pager is installed: set PAGER, or {screen.own('save')} saves to a file")
        return
    try:
        with tempfile.TemporaryDirectory(prefix="mlops-console-") as folder:
            file = Path(folder) / (_UNUSUAL.sub("-", screen.targets[0].name) or "log")
            save(file, screen.feed.store, screen.quest.filter.query())
            with screen.app.suspend():
                status = run_pager(command, file, os.environ)
    except SuspendNotSupported:
        screen.say(StateClass.BROKEN, f"this terminal cannot be handed to a pager: {screen.own('save')} saves to a file")
        return
    except OSError as error:
        screen.say(StateClass.BROKEN, f"not opened: {clean(error.strerror or str(error))}")
        return
    screen.action_redraw()
    if status not in (0, 130):
        screen.say(StateClass.ATTENTION, f"{clean(command[0])} ended with exit status {status}")
