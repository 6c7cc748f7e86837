"""Runs by their names, as commands take them: those that are known here, else those that the history has. And which are
put beside each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from console.model.source import SourceError
from console.model.state import StateClass
from console.runs.meant import SHOWN, ManyMeantError, last_good, meant, near
from console.text import clean
from console.ui.comparison import MOST
from console.ui.screens.base import ConsoleScreen
from console.ui.screens.compare import CompareScreen

_LEAST = 2

if TYPE_CHECKING:
    from console.model.run import Run
    from console.sources.protocols import ContainerEngine


def open_called(screen: ConsoleScreen, name: str) -> None:
    """All about the run that is called so."""
    with_runs(screen, [name], lambda keys: _main(screen).open_run(keys[0]))


def compare_called(screen: ConsoleScreen, names: Sequence[str]) -> None:
    """Runs by their names, beside each other."""
    with_runs(screen, names, lambda keys: compare(_main(screen), list(dict.fromkeys(keys))))


def compare(screen: ConsoleScreen, keys: Sequence[str]) -> None:
    """These runs beside each other; one alone beside the last good one of its project."""
    known = screen.known_runs
    if len(keys) == 1:
        run = next((one for one in known if one.key == keys[0]), None)
        good = last_good(known, run) if run is not None else None
        if run is not None and good is None:
            hint = f"mark two runs with {screen.own('choose')}, then {screen.own('compare')}"
            screen.say(StateClass.ENDED, f"no other run of {run.project} went well", hint)
            return
        keys = [*keys, *([str(good.key)] if good is not None else [])]
    if len(keys) < _LEAST:
        screen.say(StateClass.ENDED, "there is nothing to compare it with" if keys else "nothing is selected")
    elif len(keys) > MOST:
        screen.say(StateClass.ENDED, f"{len(keys)} are marked: {MOST} can stand beside each other")
    else:
        screen.app.push_screen(CompareScreen(keys))


def _main(screen: ConsoleScreen) -> ConsoleScreen:
    """Back to the main screen, from which everything is opened that has a name."""
    screen.console.close_all()
    main = screen.app.screen_stack[0]
    assert isinstance(main, ConsoleScreen)  # noqa: S101 - the app begins with it
    return main


def with_runs(screen: ConsoleScreen, names: Sequence[str], then: Callable[[Sequence[str]], None]) -> None:
    """Do `then` with the keys of the runs that are called so, in the order of the names; what nothing is called is said."""
    known = screen.known_runs
    try:
        found = {name: str(run.key) for name in names if (run := meant(known, name)) is not None}
    except ManyMeantError as error:
        screen.console.say(StateClass.BROKEN, str(error))
        return
    missing = [name for name in names if name not in found]
    if not missing:
        then([found[name] for name in names])
        return
    console, live = screen.console, screen.console.live

    async def job(_engine: ContainerEngine) -> None:
        """The list may be too short for it: a key says all by itself."""
        told = {}
        try:
            past = await live.past()
            for name in missing:
                run = await past.run(str(clean(name, limit=SHOWN)))
                if run is not None:
                    told[name] = str(run.key)
        except SourceError:
            told = {}
        console.on_screen(lambda: finish(told))

    def finish(told: dict[str, str]) -> None:
        keys = found | told
        unknown = next((name for name in names if name not in keys), None)
        if unknown is not None:
            console.say(StateClass.BROKEN, nobody(known, unknown))
        else:
            then([keys[name] for name in names])

    live.attach(job)


def nobody(known: Sequence[Run], name: str) -> str:
    """That no run is called so, and what may have been meant."""
    close = near(known, name)
    hint = f". Did you mean {close}?" if close is not None else ""
    return f"no run is called {clean(name, limit=SHOWN)}{hint}"
