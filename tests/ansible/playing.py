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

from tests.support import leftovers
from tests.support.engine import compose_program

from .machine import PLAYBOOKS, Machine

# Seconds for one run.
_LIMIT = 480.0
ADMIN, VIEWER = "ada", "vic"


@dataclass(frozen=True, slots=True)
class Played:
    """`changed` are the names of tasks; `status` is ansible-playbook's."""

    status: int
    text: str
    changed: tuple[str, ...]


def variables(**more: object) -> dict[str, Any]:
    """What the training server of these tests is: Debian's own Docker, because there is no way to Docker's repository here."""
    compose = compose_program()
    assert compose is not None
    return {
        "docker_source": "distribution",
        "docker_compose_program": str(compose),
        # Whoever wants it says so: images of the platform are in registries.
        "platform_deploy": False,
        "base_admins": [{"name": ADMIN, "comment": "Ada", "authorized_keys": [_public_key("ada")]}],
        "base_viewers": [{"name": VIEWER, "authorized_keys": [_public_key("vic")]}],
        **more,
    }


def play(machine: Machine, variables: Mapping[str, object] | None, *options: str) -> Played:
    """One run on `machine` with the options of ansible-playbook."""
    return run("--inventory", str(machine.inventory(variables)), *options)


def run(*options: str, playbook: str = "playbook.yml", folder: Path = PLAYBOOKS) -> Played:
    """One run with the options of ansible-playbook alone."""
    program = Path(sys.executable).with_name("ansible-playbook")
    # Nothing that a person here has set for Ansible, and none of their keys.
    env = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "SSH_"))}
    # Of the same address in another process's network there must be no connection that is taken over.
    env |= {"ANSIBLE_SSH_CONTROL_PATH_DIR": os.environ[leftovers.MARKER]}
    env |= {"ANSIBLE_NOCOLOR": "1", "LC_ALL": "C.UTF-8", "ANSIBLE_LOCALHOST_WARNING": "0"}
    done = subprocess.run(
        [str(program), *options, playbook],
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_LIMIT,
        check=False,
    )
    text = f"{done.stdout}{done.stderr}"
    return Played(done.returncode, text, _changed(done.stdout))


def _changed(said: str) -> tuple[str, ...]:
    names: list[str] = []
    task = ""
    for line in said.splitlines():
        if found := re.match(r"(?:TASK|RUNNING HANDLER) \[(.*)\]", line):
            task = found[1]
        elif line.startswith("changed:") and task not in names:
            names.append(task)
    return tuple(names)


def _public_key(name: str) -> str:
    # A point of the curve as good as any: nobody has its secret.
    return f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl {name}"
