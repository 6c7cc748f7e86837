"""A file or folder out of a container, asked for on the screen and saved where the console was started."""

from __future__ import annotations

import os
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from console.model.source import SourceError
from console.model.state import StateClass
from console.model.words import counted, decimal
from console.text import Clean, clean
from console.ui.screens.ask import AskSheet
from console.ui.screens.confirm import Confirm

if TYPE_CHECKING:
    from console.sources.protocols import ContainerEngine
    from console.sources.unpacking import Unpacked
    from console.ui.screens.base import ConsoleScreen

_TELL_SECONDS = 0.5


def ask_and_copy(screen: ConsoleScreen, container: Clean, name: Clean) -> None:
    """Ask for the path, and where something has that name here whether it may go."""
    from console.actions.docker.copying import final_place, inside
    from console.sources.newfile import SaveError

    try:
        here = Path.cwd()
    except OSError:
        screen.say(StateClass.BROKEN, "the folder that the console was started in is gone: there is no place to copy to")
        return

    def wrong(text: str) -> str | None:
        try:
            final_place(inside(text), here)
        except (SaveError, OSError) as error:
            return str(error.reason if isinstance(error, SaveError) else clean(error.strerror or str(error)))
        return None

    def chosen(text: str | None) -> None:
        if text is None:
            return
        path = inside(text)
        try:
            place = final_place(path, here)
        except SaveError as error:
            screen.say(StateClass.BROKEN, str(error.reason))
            return
        go = partial(_copy, screen, container, path, place)
        if os.path.lexists(place):
            words = [f"{clean(place.name)} exists already in", f"  {clean(str(place.parent))}"]
            screen.app.push_screen(
                Confirm("Copy out", words, "overwrite it"), lambda agreed: go(overwrite=True) if agreed else None
            )
        else:
            go(overwrite=False)

    sheet = AskSheet("Copy out", f"{name}, into {clean(str(here))}", "a path in the container: /out/metrics.json", wrong)
    screen.app.push_screen(sheet, chosen)


def _copy(screen: ConsoleScreen, container: Clean, path: str, place: Path, *, overwrite: bool) -> None:
    app = screen.console
    live = app.live

    async def job(_engine: ContainerEngine) -> None:
        from console.actions.docker.copying import copy_to
        from console.sources.newfile import SaveError

        try:
            made = await copy_to(await live.reach(), container, path, place, overwrite=overwrite, progress=told)
        except (SaveError, SourceError) as error:
            app.on_screen(partial(app.say, StateClass.BROKEN, str(error.reason)))
        else:
            app.on_screen(partial(_saved, screen, made))

    due = 0.0

    def told(done: int, size: int | None) -> None:
        nonlocal due
        if (now := time.monotonic()) >= due:
            due = now + _TELL_SECONDS
            words = f"copying {clean(path)}: {decimal(done)}" + (f" of {decimal(size)}" if size else "")
            app.on_screen(partial(app.say, StateClass.ACTIVE, words))

    live.attach(job)


def _saved(screen: ConsoleScreen, made: Unpacked) -> None:
    left = len(made.left_out) + made.more_left_out
    words = f"{counted(made.files, 'file')}, {decimal(made.bytes)}: {clean(str(made.place))}"
    if left:
        first = made.left_out[0] if made.left_out else ""
        screen.console.say(StateClass.ATTENTION, f"{words}; {left} left out: {first}")
    else:
        screen.console.say(StateClass.GOOD, words)
