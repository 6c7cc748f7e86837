"""The playbook as a person runs it: what it said and how it ended."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.engine import compose_program

from .machine import PLAYBOOKS, Machine

# Seconds for one run.
_LIMIT = 1200.0
ADMIN, VIEWER = "ada", "vic"


@dataclass(frozen=True, slots=True)
class Played:
    """`changed` are the names of tasks; `status` is ansible-playbook's."""

    status: int
    text: str
    changed: tuple[str, ...]


def variables(machine: Machine, **more: object) -> dict[str, Any]:
    """What the training server of these tests is: Debian's own Docker, because there is no way to Docker's repository here."""
    compose = compose_program()
    assert compose is not None
    return {
        "docker_source": "distribution",
        "docker_compose_program": str(compose),
        # Whoever wants it says so: images of the platform are in registries.
        "platform_deploy": False,
        "base_admins": [{"name": ADMIN, "comment": "Ada", "authorized_keys": [machine.public_key]}],
        "base_viewers": [{"name": VIEWER, "authorized_keys": []}],
        **more,
    }


def play(machine: Machine, variables: Mapping[str, object] | None, *options: str) -> Played:
    """One run on `machine` with the options of ansible-playbook."""
    return run(machine, "ansible-playbook", "--inventory", str(machine.inventory(variables)), "playbook.yml", *options)


def molecule(machine: Machine, variables: Mapping[str, object] | None, *arguments: str) -> Played:
    """Molecule's one scenario on `machine`."""
    return run(machine, "molecule", *arguments, MLOPS_TEST_INVENTORY=str(machine.inventory(variables)))


def run(machine: Machine, program: str, *arguments: str, folder: Path = PLAYBOOKS, **more: str) -> Played:
    """One run of a program of Ansible's in `folder`, which keeps what it keeps in the folder of `machine`."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name(program)), *arguments],
        cwd=folder,
        env=environment(machine) | more,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_LIMIT,
        check=False,
    )
    text = f"{done.stdout}{done.stderr}"
    return Played(done.returncode, text, changed_in(done.stdout))


def environment(machine: Machine) -> dict[str, str]:
    """Nothing that a person here has set for Ansible, and none of their keys."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "MOLECULE_", "SSH_"))}
    programs = Path(sys.executable).parent
    env |= {"PATH": f"{programs}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8", "NO_COLOR": "1", "ANSIBLE_NOCOLOR": "1"}
    home = machine.folder / "home"
    return env | {"ANSIBLE_HOME": str(home), "MOLECULE_EPHEMERAL_DIRECTORY": str(home / "molecule")}


def changed_in(said: str) -> tuple[str, ...]:
    """The names of the tasks that changed something."""
    names: list[str] = []
    task = ""
    for line in said.splitlines():
        if found := re.search(r"(?:TASK|RUNNING HANDLER) \[(.*)\]", line):
            task = found[1]
        # A diff may end in the middle of the line.
        elif "changed: [" in line and task not in names:
            names.append(task)
    return tuple(names)
