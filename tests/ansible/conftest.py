"""A server for these tests, installed once by the playbook, and bare ones for what is to be refused."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import images, skips

from .machine import ROOT, Machine, NoMachineError
from .playing import Played, molecule, variables


@pytest.fixture(scope="session")
def machine_or_reason() -> Iterator[Machine | str]:
    """Tried once: a skipped session fixture would be tried again by every test."""
    try:
        machine = Machine(ROOT, Path(sys.base_prefix))
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
    """The playbook twice, and a look at what became of the server: all by Molecule."""
    return molecule(fresh, variables(fresh), "test")


@pytest.fixture(scope="session")
def server(fresh: Machine, first_run: Played) -> Machine:
    """The training server: leave it as it was."""
    assert first_run.status == 0, first_run.text
    return fresh


@pytest.fixture(scope="session")
def busybox(server: Machine) -> str:
    """An image of its Engine with the programs of busybox."""
    server.path("/srv/busybox.tar").write_bytes(images._root_file_system())
    server.run("docker import /srv/busybox.tar busybox:test && rm /srv/busybox.tar")
    return "busybox:test"


@pytest.fixture(scope="session")
def bare(fresh: Machine) -> Iterator[Machine]:
    """A second server, which stays bare."""
    machine = Machine()
    yield machine
    machine.close()
