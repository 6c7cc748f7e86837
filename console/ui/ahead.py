"""What keys will need is loaded while nobody presses one: a screen that opens for the first time is not waited for."""

from __future__ import annotations

import gc
import threading
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module

PAUSE_SECONDS = 0.02
"""Between two modules: the loops and the terminal's threads come first."""

MODULES: Sequence[str] = (
    "console.model.jenkins_rows",
    "console.ui.prompt",
    "console.ui.screens.sheet",
    "console.ui.screens.help",
    "console.ui.screens.commands",
    "console.ui.details",
    "console.ui.screens.detail",
    "re2",
    "console.logs.levels",
    "console.logs.store",
    "console.logs.tail",
    "console.logs.several",
    "console.logs.lens",
    "console.logs.search",
    "console.feeds.log_feed",
    "console.ui.logrows",
    "console.ui.logtargets",
    "console.ui.screens.log",
    "console.ui.screens.logsources",
    "console.ui.screens.logaway",
    "console.ui.screens.nodelog",
    "console.ui.screens.gpus",
    "console.ui.screens.builds",
    "console.ui.screens.build",
    "console.ui.screens.nodes",
    "console.ui.screens.disk",
    "console.feeds.disk_feed",
    "console.actions.docker.known",
    "console.ui.screens.waiting",
    "console.ui.screens.audit",
    "console.ui.screens.doctor",
    "console.ui.screens.files",
    "console.ui.doing",
    "console.ui.screens.acts",
    "console.actions.jenkins.retrigger",
    "console.actions.jenkins.cancelling",
    "console.actions.jenkins.switching",
)
"""In the order in which people come to them."""


class Ahead:
    """Loads modules one after the other, in a thread that keeps nothing alive. Whoever needs one earlier loads it himself."""

    def __init__(self, modules: Sequence[str] = MODULES, pause: float = PAUSE_SECONDS) -> None:
        self._modules = modules
        self._pause = pause
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._load, name="ahead", daemon=True)
        self._begun = False

    @property
    def done(self) -> bool:
        """Whether nothing is being loaded any more."""
        return self._begun and not self._thread.is_alive()

    def begin(self) -> None:
        """Load them from now on; only once, and not after `stop`."""
        if not self._begun and not self._over.is_set():
            self._begun = True
            self._thread.start()

    def stop(self) -> None:
        """Load no other module."""
        self._over.set()

    def _load(self) -> None:
        # As at the start: nobody collects garbage among what is being loaded, and what stays is never looked at again.
        gc.disable()
        try:
            for name in self._modules:
                if self._over.wait(self._pause):
                    return
                with suppress(ImportError):  # whoever needs it says so
                    import_module(name)
            gc.freeze()
        finally:
            gc.enable()
