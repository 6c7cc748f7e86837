"""What a pane says of a system that cannot be trusted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from console.model.jenkins import NOT_CONFIGURED
from console.model.source import SourceState, SourceStatus
from console.text import clean
from console.ui.standing import trouble

# At noon of wherever the test runs: the moments below are shown in its own time.
NOON = datetime(2026, 11, 23, 12, 0).astimezone()
URL = "https://ci.example.org"
REFUSED = "Jenkins refuses the token of operator (401). Make a new one and run: mlops-console login"
LATE = f"Jenkins does not answer at {URL} (timed out after 5s)."
UNTRUSTED = f"Jenkins does not answer at {URL}: its certificate is not trusted. Name its file with jenkins.ca_file."
STARTING = "Jenkins is starting (503)."


def status(reason: str, state: SourceState = SourceState.UNREACHABLE, **ago: float | None) -> SourceStatus:
    """`since` and `taken` are seconds before noon, `next` seconds after it."""
    since, taken, later = ago.get("since"), ago.get("taken"), ago.get("next")
    return SourceStatus(
        state,
        clean(reason),
        None if since is None else (NOON - timedelta(seconds=since)).astimezone(UTC),
        None if taken is None else (NOON - timedelta(seconds=taken)).astimezone(UTC),
        None if later is None else (NOON + timedelta(seconds=later)).astimezone(UTC),
    )


@pytest.mark.parametrize(
    ("reason", "later", "told"),
    [
        (REFUSED, 1, f"{REFUSED}. Trying again."),
        (REFUSED, 18, f"{REFUSED}. Next try in 20s, ctrl+r tries now."),
        (REFUSED, None, REFUSED),
        (NOT_CONFIGURED, None, NOT_CONFIGURED),
        ("Jenkins failed at queue (500): it broke.", 1, "Jenkins failed at queue (500): it broke. Trying again."),
    ],
)
def test_sentences_are_kept_apart_and_a_command_stays_as_it_is_copied(reason: str, later: float | None, told: str) -> None:
    assert trouble(status(reason, SourceState.DENIED, next=later), "jenkins", NOON, "ctrl+r") == told


@pytest.mark.parametrize(
    ("reason", "taken", "told"),
    [
        (LATE, 60 * 57, "Jenkins has not answered since 11:03 (timed out after 5s)."),
        (LATE, 86400 + 60 * 57, "Jenkins has not answered since 11-22 11:03 (timed out after 5s)."),
        (LATE, None, LATE),
        (
            f"Jenkins does not answer at {URL}: connection refused.",
            60,
            "Jenkins has not answered since 11:59 (connection refused).",
        ),
        (
            "Jenkins does not answer at http://[::1]:8080: [Errno 5] bad.",
            60,
            "Jenkins has not answered since 11:59 ([Errno 5] bad).",
        ),
        ("A proxy before Jenkins answers 502: Bad Gateway.", 60, "A proxy before Jenkins answers 502: Bad Gateway."),
        (
            UNTRUSTED,
            60,
            UNTRUSTED,
        ),
    ],
)
def test_since_when_jenkins_is_silent(reason: str, taken: float | None, told: str) -> None:
    assert trouble(status(reason, taken=taken), "jenkins", NOON, "ctrl+r") == told
    assert (
        trouble(status(reason, taken=taken, next=20), "jenkins", NOON, "ctrl+r") == f"{told} Next try in 20s, ctrl+r tries now."
    )


@pytest.mark.parametrize(
    ("reason", "since", "told"),
    [
        (STARTING, 3, STARTING),
        (STARTING, 42, "Jenkins is starting (503), for 40s now."),
        (STARTING, 44.9, "Jenkins is starting (503), for 40s now."),
        (STARTING, 75, "Jenkins is starting (503), for 1m now."),
        (STARTING, None, STARTING),
        (STARTING, -30, STARTING),
        ("Jenkins is restarting (503).", 42, "Jenkins is restarting (503), for 40s now."),
    ],
)
def test_for_how_long_jenkins_has_been_starting(reason: str, since: float | None, told: str) -> None:
    assert trouble(status(reason, SourceState.STARTING, since=since), "jenkins", NOON, "ctrl+r") == told


def test_what_is_read_and_what_is_well() -> None:
    assert trouble(None, "jenkins", NOON, "ctrl+r") == "Reading jenkins"
    assert trouble(SourceStatus(SourceState.STARTING), "jenkins", NOON, "ctrl+r") == "Reading jenkins"
    assert trouble(SourceStatus(SourceState.OK), "jenkins", NOON, "ctrl+r") is None
