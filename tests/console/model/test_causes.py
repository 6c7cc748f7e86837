"""One cause out of what probes and Docker say, as real programs say it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from console.model.causes import probe_cause, start_cause
from console.model.container import Inspection, Probe, ProbePlan
from console.text import clean
from tests.console.fakes import NOW, failing, inspection

CURL_PROGRESS = (
    "  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current\n"
    "                                 Dload  Upload   Total   Spent    Left  Speed\n"
    "\r  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0"
)


def said(output: str, command: str = "true", code: int = 1) -> Inspection:
    probe = Probe(NOW - timedelta(seconds=5), NOW, code, clean(output, lines=True))
    return inspection(probe=ProbePlan(clean(command), 30.0, 5.0, 3, 0.0), probes=(probe,), failing_streak=3)


@pytest.mark.parametrize(
    ("output", "cause"),
    [
        ("wget: can't connect to remote host (127.0.0.1:9000): Connection refused", "connection refused on :9000"),
        ("curl: (7) Failed to connect to localhost port 8080: Connection refused", "connection refused on :8080"),
        ("GET http://127.0.0.1:9000/api/system/status: connection refused", "connection refused on :9000"),
        ('Get "http://[::1]:80/": dial tcp [::1]:80: connect: connection refused', "connection refused on :80"),
        (
            "Connecting to localhost:8081 ([::1]:8081)\nwget: can't connect to remote host: Connection refused",
            "connection refused on :8081",
        ),
        (
            'Traceback (most recent call last):\n  File "x.py", line 12, in f\n    urlopen("http://localhost:8000/health")\n'
            "urllib.error.URLError: <urlopen error [Errno 111] Connection refused>",
            "connection refused on :8000",
        ),
        ("connection refused", "connection refused"),
        (CURL_PROGRESS + "curl: (22) The requested URL returned error: 503", "HTTP 503"),
        (CURL_PROGRESS + "\ncurl: (6) Could not resolve host: db", "Could not resolve host: db"),
        ("Connecting to localhost (127.0.0.1:80)\nwget: server returned error: HTTP/1.1 502 Bad Gateway", "HTTP 502"),
        ("Connecting to db (10.0.0.2:80)\nwget: download timed out", "wget: download timed out"),
        ("HTTP 503\nbody of the answer", "HTTP 503"),
        ('Traceback (most recent call last):\n  File "x.py", line 1\nOSError: no route', "OSError: no route"),
        ("loading\nTraceback (most recent call last):\n  File\nKeyError: 'a'\n\n", "KeyError: 'a'"),
        ("\n\n  spaced  \n", "spaced"),
        ("disk 12:30:45 full", "disk 12:30:45 full"),
        (CURL_PROGRESS.partition("\n")[0], CURL_PROGRESS.partition("\n")[0].strip()),
        ("", "probe exit 1"),
        (
            'OCI runtime exec failed: exec failed: unable to start container process: exec: "curl": executable file not found '
            "in $PATH: unknown",
            "its probe needs curl, which is not there",
        ),
        ("Health check exceeded timeout (3s)", "its probe timed out after 3s"),
        ("Health check exceeded timeout (1m0s): half an answer", "its probe timed out after 1m0s"),
    ],
)
def test_the_cause_of_a_failed_probe(output: str, cause: str) -> None:
    assert probe_cause(said(output)) == cause


def test_the_port_is_that_of_the_probe_where_its_output_leaves_it_out() -> None:
    refused = said("wget: can't connect to remote host: Connection refused", "wget -qO- http://127.0.0.1:9000/x")
    assert probe_cause(refused) == "connection refused on :9000"


def test_a_probe_that_ran_into_its_limit_without_a_word() -> None:
    assert probe_cause(said("", code=-1)) == "its probe timed out after 5s"


def test_the_newest_failure_counts() -> None:
    details = failing("old")
    newest = Probe(NOW, NOW, 2, clean("new"))
    good = Probe(NOW + timedelta(seconds=1), NOW + timedelta(seconds=1), 0, clean("fine"))
    assert probe_cause(replace(details, probes=(newest, *details.probes, good))) == "new"


def test_nothing_failed() -> None:
    assert probe_cause(None) == ""
    assert probe_cause(inspection()) == ""
    assert probe_cause(said("ok", code=0)) == ""


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (
            "driver failed programming external connectivity on endpoint web (1f2e): Bind for 0.0.0.0:8080 failed: port is "
            "already allocated",
            "port 8080 is taken",
        ),
        (
            "driver failed programming external connectivity on endpoint web (1f2e): Error starting userland proxy: "
            "listen tcp4 0.0.0.0:8080: bind: address already in use",
            "port 8080 is taken",
        ),
        (
            "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: "
            'exec: "nope": executable file not found in $PATH: unknown',
            "nope is not in the image",
        ),
        (
            "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: "
            'exec: "/app/run": stat /app/run: no such file or directory: unknown',
            "/app/run is not in the image",
        ),
        (
            "OCI runtime create failed: runc create failed: unable to start container process: error during container init: "
            "no space left on device: unknown",
            "error during container init: no space left on device",
        ),
        ('could not select device driver "" with capabilities: [[gpu]]', "Docker has no GPU driver here"),
        ("network mlops_default not found", "network mlops_default not found"),
    ],
)
def test_why_a_container_did_not_start(error: str, cause: str) -> None:
    assert start_cause(error) == cause
