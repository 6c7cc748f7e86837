"""What every test process does around its tests: a scratch folder, and a run that leaves anything behind fails."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

import pytest

from tests.support.scratch import Scratch, remove_stale

_KEY = "leftovers"


class CleanSession:
    """Opens the Scratch of a process that runs tests: with xdist a worker, whose findings the main process gathers."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._left: list[str] = []
        remove_stale()
        self._scratch = None if _is_main_of_xdist(config) else Scratch()
        if threading.current_thread() is threading.main_thread():
            # The default would end the process on the spot, with an Engine left running.
            signal.signal(signal.SIGTERM, _interrupt)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """After the last fixture was torn down: look, and clean up."""
        if self._scratch is None:
            # The workers have ended by now, one that was killed without its cleaning.
            remove_stale()
        else:
            self._left += self._scratch.close()
            self._scratch = None
        output: dict[str, Any] | None = getattr(self._config, "workeroutput", None)
        if output is not None:
            output[_KEY] = self._left
        elif self._left and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """xdist: a worker has ended. One that crashed has no output."""
        self._left += getattr(node, "workeroutput", {}).get(_KEY, [])

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._left:
            terminalreporter.section("left behind by the tests (now removed)", red=True)
            for line in self._left:
                terminalreporter.line(line)

    def pytest_unconfigure(self) -> None:
        """Where the session did not get as far as its finish."""
        if self._scratch is not None:
            self._scratch.close()
            self._scratch = None


def _is_main_of_xdist(config: pytest.Config) -> bool:
    return not hasattr(config, "workerinput") and config.getoption("dist", "no") != "no"


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
