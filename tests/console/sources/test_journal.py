"""Entries for the systemd journal, taken by a stand-in that is as strict as the protocol's page."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.sources.auditfile import AuditError
from console.sources.journal import Journal, encoded
from tests.support import skips
from tests.support.journald import StandIn, parsed

ROOT = Path(__file__).parents[3]
JOURNALD = Path("/lib/systemd/systemd-journald")


@pytest.fixture
def journald(tmp_path: Path) -> Iterator[StandIn]:
    with StandIn(tmp_path / "socket") as made:
        yield made


def test_the_example_of_the_protocols_page_is_encoded_as_it_stands_there() -> None:
    fields = [("PRIORITY", "3"), ("BINARY_BLOB", "xx\nx"), ("MESSAGE", "Something happened.")]
    expected = b"PRIORITY=3\nBINARY_BLOB\n\x04\x00\x00\x00\x00\x00\x00\x00xx\nx\nMESSAGE=Something happened.\n"
    assert encoded(fields) == expected
    assert parsed(expected) == [(name, value.encode()) for name, value in fields]


def test_an_entry_arrives_as_it_was_given(journald: StandIn) -> None:
    fields = [("MESSAGE", "anna: retrigger é=1"), ("MLOPS_OBJECTS", "a\nb\n"), ("MLOPS_RESULT", "")]
    Journal(journald.path).send(fields)
    assert journald.taken() == [(name, value.encode()) for name, value in fields]
    assert journald.large == 0


def test_what_is_too_large_for_a_datagram_goes_as_a_sealed_file(journald: StandIn) -> None:
    fields = [("MESSAGE", "large"), ("MLOPS_RECORD", "x" * 3_000_000)]
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - only their number
    Journal(journald.path).send(fields)
    assert journald.taken() == [(name, value.encode()) for name, value in fields]
    assert journald.large == 1
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_a_journal_that_does_not_listen_is_told(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "socket")
    assert not journal.there
    StandIn(tmp_path / "other").close()
    left = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    left.bind(str(tmp_path / "socket"))
    left.close()
    assert journal.there
    with pytest.raises(AuditError) as caught:
        journal.send([("MESSAGE", "x")])
    assert caught.value.reason == (
        "The systemd journal takes nothing: Connection refused. See: systemctl status systemd-journald"
    )


def test_a_journal_that_does_not_read_holds_nobody_up(journald: StandIn) -> None:
    """The kernel keeps a few datagrams (net.unix.max_dgram_qlen), and then takes no more."""
    journal = Journal(journald.path, seconds=0.05)

    def send_many() -> None:
        for _ in range(100_000):
            journal.send([("MESSAGE", "x")])

    with pytest.raises(AuditError, match="it does not read"):
        send_many()
    assert journald.taken() == [("MESSAGE", b"x")]


_REAL = """
set -eu
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/journal /run/log/journal /run/systemd/journald.conf.d
printf '[Journal]\\nStorage=volatile\\nAudit=no\\nReadKMsg=no\\n' >/run/systemd/journald.conf.d/test.conf
/lib/systemd/systemd-journald &
journald=$!
trap 'kill $journald; wait $journald' EXIT
"$@"
"""
_SEND = """
import json, subprocess, sys, time
from console.sources.journal import Journal
journal = Journal()
until = time.monotonic() + 30
while not journal.there and time.monotonic() < until:
    time.sleep(0.02)
journal.send([("MESSAGE", "small"), ("SYSLOG_IDENTIFIER", "mlops-console"), ("MLOPS_OBJECTS", "a\\nb"), ("PRIORITY", "5")])
journal.send([("MESSAGE", "large"), ("SYSLOG_IDENTIFIER", "mlops-console"), ("MLOPS_RECORD", "x" * 1_000_000)])
words = ["journalctl", "-D", "/run/log/journal", "-t", "mlops-console", "-o", "json", "--all"]
found = []
while len(found) < 2 and time.monotonic() < until:
    found = subprocess.run(words, capture_output=True, text=True).stdout.splitlines()
for one in map(json.loads, found):
    print(one["MESSAGE"], one.get("MLOPS_OBJECTS", "-").replace("\\n", "+"), len(one.get("MLOPS_RECORD", "")), one["_UID"])
"""


def test_a_real_journald_keeps_both_kinds_and_adds_who_it_was() -> None:
    if os.geteuid() != 0:
        pytest.skip(skips.NO_ROOT)
    if not JOURNALD.exists() or shutil.which("journalctl") is None or shutil.which("unshare") is None:
        pytest.skip(skips.NO_JOURNALD)
    command = ["unshare", "--mount", "sh", "-c", _REAL, "sh", sys.executable, "-c", _SEND]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.stdout.splitlines() == ["small a+b 0 0", "large - 1000000 0"], done.stderr
