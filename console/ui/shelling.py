"""The terminal given to a shell in a container, and taken back: the screen is suspended meanwhile, and the feeds go on."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported

from console.model.source import SourceError, SourceState
from console.text import Clean, clean
from console.ui.makings import Making

if TYPE_CHECKING:
    from console.actions.docker.shell import Talked
    from console.actions.plan import Act
    from console.sources.reach import Reach
    from console.ui.app import ConsoleApp

_OUT = 1
_NOT_HERE = Clean("This terminal cannot be handed to a shell. In another one: mlops-console container shell NAME")


def shell_in(app: ConsoleApp, container: Clean, name: Clean) -> Making:
    """A shell in the container of this id."""

    def make(reach: Reach) -> Act:
        from console.actions.docker.shell import OpenShell

        return OpenShell(reach, container, env=app.env, sit=partial(_at_the_terminal, app, name))

    return Making(make, "docker")


async def _at_the_terminal(app: ConsoleApp, name: Clean, work: Callable[[], Talked]) -> Talked:
    """In the back room: wait for what is done in the thread that has the terminal."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Talked] = loop.create_future()

    def tell(talked: Talked | None, error: Exception | None) -> None:
        if done.done():
            return
        if talked is not None:
            done.set_result(talked)
        else:
            done.set_exception(error or SourceError(SourceState.OK, _NOT_HERE))

    app.on_screen(partial(_sit, app, name, work, lambda *told: loop.call_soon_threadsafe(tell, *told)))
    return await done


def _sit(
    app: ConsoleApp, name: Clean, work: Callable[[], Talked], tell: Callable[[Talked | None, Exception | None], object]
) -> None:
    try:
        with app.suspend():
            # An Engine may take a while to answer, and an empty screen says nothing.
            with suppress(OSError):
                os.write(_OUT, f"Opening a shell in {name}.\r\n".encode())
            talked = work()
    except SuspendNotSupported:
        tell(None, None)
        return
    except OSError as failed:
        tell(None, SourceError(SourceState.OK, clean(f"The terminal is gone: {failed.strerror or failed}.")))
        return
    except Exception as error:  # a defect too is for whoever waits in the other room
        tell(None, error)
        return
    finally:
        app.come_back()
        app.clear_terminal()
    tell(talked, None)
