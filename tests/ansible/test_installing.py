"""From a bare server to a training server, and again."""

from __future__ import annotations

from .machine import Machine
from .playing import Played, play, variables


def test_a_dry_run_on_a_bare_server_is_clean(bare: Machine) -> None:
    before = bare.run("dpkg -l; cat /etc/passwd; find /etc -newer /etc/hostname -type f | sort")
    played = play(bare, variables(), "--check", "--diff")
    assert played.status == 0, played.text
    assert "base : Install what the base takes" in played.changed
    assert bare.run("dpkg -l; cat /etc/passwd; find /etc -newer /etc/hostname -type f | sort") == before


def test_the_second_run_changes_nothing(server: Machine, first_run: Played) -> None:
    assert "docker : Install Engine and Compose" in first_run.changed
    played = play(server, variables())
    assert (played.status, played.changed) == (0, ()), played.text


def test_a_dry_run_on_a_training_server_would_change_nothing(server: Machine) -> None:
    played = play(server, variables(), "--check", "--diff")
    assert (played.status, played.changed) == (0, ()), played.text
