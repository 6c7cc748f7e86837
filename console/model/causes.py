"""One cause out of what a program or Docker said: the line that tells it, with the cause before who met it."""

from __future__ import annotations

import re

from console.model.container import Inspection, Probe
from console.text import Clean, clean

_TRACEBACK = "Traceback (most recent call last)"
_TIMED_OUT = re.compile(r"Health check exceeded timeout \((?P<limit>[^)]+)\)")
_NO_PROGRAM = re.compile(r'exec: "(?P<name>[^"]+)": (?:executable file not found|stat [^:]+: no such file)')
# curl draws its progress in front of its message, without a line's end in between.
_CURL = re.compile(r"\bcurl: \(\d+\) (?P<what>.+)")
_HTTP_STATUS = re.compile(r"(?:requested URL returned error:|server returned error: HTTP/[\d.]+) (?P<status>\d{3})\b")
_PROGRESS = re.compile(r"% Total\b|Dload\b|[\d\s.kMG]+[-:\d\s]*--:--:--|Connecting to \S+ \(")

_REFUSED = re.compile(r"connection refused", re.IGNORECASE)
_PORT = re.compile(r"(?:[\w\])|]:|\bport )(\d{2,5})\b")
_PORT_OF_ADDRESS = re.compile(r"(?:://|Connecting to )[^\s/]*?:(\d{2,5})\b")

_STARTING_PROGRAM = re.compile(r".*unable to start container process: ")
_PORT_TAKEN = re.compile(r"Bind for \S*?:(?P<port>\d+) failed: port is already allocated|listen \w+ \S*:(?P<port2>\d+): bind: ")
_NO_GPU = re.compile(r"could not select device driver .*\[\[?gpu")


def probe_cause(details: Inspection | None) -> Clean:
    """Why the newest failed probe failed; empty when none did."""
    failed = [probe for probe in details.probes if probe.exit_code != 0] if details else []
    if details is None or not failed:
        return clean("")
    newest = max(failed, key=lambda probe: probe.start)
    lines = [line.strip() for line in newest.output.split("\n") if line.strip()]
    told = "\n".join(lines)
    if timed_out := _TIMED_OUT.match(told):
        return clean(f"its probe timed out after {timed_out['limit']}")
    if missing := _NO_PROGRAM.search(told):
        return clean(f"its probe needs {missing['name']}, which is not there")
    refused = next((line for line in lines if _REFUSED.search(line)), None)
    if refused is not None:
        command = details.probe.command if details.probe else ""
        return _refused(refused, told, command)
    if status := _HTTP_STATUS.search(told):
        return clean(f"HTTP {status['status']}")
    if not lines:
        return _silent(newest)
    return clean(_telling(lines))


def start_cause(error: str) -> Clean:
    """Why Docker could not start a container."""
    if taken := _PORT_TAKEN.search(error):
        return clean(f"port {taken['port'] or taken['port2']} is taken")
    if missing := _NO_PROGRAM.search(error):
        return clean(f"{missing['name']} is not in the image")
    if _NO_GPU.search(error):
        return clean("Docker has no GPU driver here")
    return clean(_STARTING_PROGRAM.sub("", error).removesuffix(": unknown"))


def _refused(line: str, told: str, command: str) -> Clean:
    """The cause before the program that met it: every client words this one differently, and some leave the port out."""
    port = _PORT.search(line) or _PORT_OF_ADDRESS.search(told) or _PORT_OF_ADDRESS.search(command)
    return clean(f"connection refused on :{port[1]}" if port else "connection refused")


def _telling(lines: list[str]) -> str:
    """The last line of a traceback, the message of curl, else the first that is no progress."""
    if any(_TRACEBACK in line for line in lines):
        return lines[-1]
    for line in lines:
        if message := _CURL.search(line):
            return message["what"]
    return next((line for line in lines if not _PROGRESS.match(line)), lines[0])


def _silent(probe: Probe) -> Clean:
    took = (probe.end - probe.start).total_seconds()
    return clean(f"its probe timed out after {took:.0f}s" if probe.exit_code == -1 else f"probe exit {probe.exit_code}")
