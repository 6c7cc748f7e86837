"""A server for these tests, installed once by the playbook, and bare ones for what is to be refused."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import skips

from .machine import Machine, NoMachineError
from .playing import Played, play, variables


@pytest.fixture(scope="session")
def machine_or_reason() -> Iterator[Machine | str]:
    """Tried once: a skipped session fixture would be tried again by every test."""
    try:
        machine = Machine()
    except NoMachineError as error:
        yield skips.NO_MACHINE.format(why=error)
        return
    yield machine
    machine.close()


@pytest.fixture(scope="session")
def fresh(machine_or_reason: Machine | str) -> Machine:
    """The server that becomes the training server, before that."""
    if isinstance(machine_or_reason, str):
        pytest.skip(machine_or_reason)
    return machine_or_reason


@pytest.fixture(scope="session")
def first_run(fresh: Machine) -> Played:
    """The playbook's first run on it, which has to be good."""
    played = play(fresh, variables())
    assert played.status == 0, played.text
    return played


@pytest.fixture(scope="session")
def server(fresh: Machine, first_run: Played) -> Machine:
    """The training server: leave it as it was."""
    assert first_run.status == 0
    return fresh


@pytest.fixture(scope="module")
def bare(fresh: Machine) -> Iterator[Machine]:
    """A second server, which stays bare."""
    machine = Machine()
    yield machine
    machine.close()
