"""A command on another machine, by the system's own ssh: its configuration, its keys, its questions, its refusals."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from types import FrameType

NOT_FOUND = 127
"""What a shell says when there is no such program."""


class NoProgramError(Exception):
    """There is no such program on this machine."""


def run_there(command: Sequence[str]) -> int:
    """Run ssh in this terminal and give its exit status, 128 and the signal's number for one that a signal ended.

    What is typed reaches it alone, ctrl+c and ctrl+z too; where ssh stops for a while (~^Z) so does this process.
    Raises NoProgramError.
    """
    try:
        child = subprocess.Popen(list(command))  # noqa: S603 - no shell here: the words are ours, the host was checked
    except FileNotFoundError:
        raise NoProgramError(command[0]) from None
    # After its start: a child inherits what is ignored, but not what is handled.
    before = {number: signal.signal(number, _leave_it_to_ssh) for number in (signal.SIGINT, signal.SIGQUIT)}

    def pass_on(number: int, _frame: FrameType | None) -> None:
        child.send_signal(number)

    before |= {number: signal.signal(number, pass_on) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        return _waited_for(child)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave_it_to_ssh(_number: int, _frame: FrameType | None) -> None:
    """The terminal sends it to both."""


def _waited_for(child: subprocess.Popen[bytes]) -> int:
    while True:
        _, status = os.waitpid(child.pid, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            break
        os.kill(os.getpid(), signal.SIGSTOP)
        # The shell has brought us back, and in front: now ssh may have the terminal again.
        child.send_signal(signal.SIGCONT)
    child.returncode = os.waitstatus_to_exitcode(status)
    return child.returncode if child.returncode >= 0 else 128 - child.returncode
