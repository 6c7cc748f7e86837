"""From a bare server to a training server, and again."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from .machine import PLAYBOOKS, Machine
from .playing import Played, changed_in, play, variables

_STATE = "dpkg -l; cat /etc/passwd /etc/group; find /etc -newer /etc/hostname -type f | sort"


def test_a_dry_run_on_a_bare_server_is_clean(bare: Machine) -> None:
    before = bare.run(_STATE)
    played = play(bare, variables(bare), "--check", "--diff")
    assert played.status == 0, played.text
    assert "base : Install what the base takes" in played.changed
    assert bare.run(_STATE) == before


def test_two_runs_and_a_look_at_the_server(first_run: Played) -> None:
    """Molecule fails when the second run changes anything."""
    assert first_run.status == 0, first_run.text
    assert "docker : Install Engine and Compose" in first_run.changed


def test_a_dry_run_on_a_training_server_would_change_nothing(server: Machine) -> None:
    played = play(server, variables(server), "--check", "--diff")
    assert (played.status, played.changed) == (0, ()), played.text


def test_from_the_server_itself_it_is_the_same(server: Machine) -> None:
    """The inventory beside the playbook, as the first words of docs/server.md have it."""
    program = Path(sys.executable).with_name("ansible-playbook")
    server.path("/srv/site.json").write_text(json.dumps(variables(server)))
    said = server.run(f"cd {PLAYBOOKS} && HOME=/root {program} playbook.yml -e @/srv/site.json 2>&1", limit=300.0)
    assert changed_in(said) == (), said
    assert "failed=0" in said
