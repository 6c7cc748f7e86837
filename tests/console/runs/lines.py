"""Short ways to read lines in tests."""

from __future__ import annotations

from console.runs.reader import Reader
from console.runs.reading import Reading

SECOND = 1_000_000_000


def read(*lines: str, stderr: bool = False) -> list[Reading]:
    """What lines say that come one a second."""
    reader = Reader()
    entries = [(at * SECOND, stderr, f"{line}\n".encode()) for at, line in enumerate(lines, 1)]
    return reader.entries(entries) + reader.end((len(lines) + 1) * SECOND)


def one(line: str) -> Reading:
    """What the only reading of a line says."""
    found = read(line)
    assert len(found) == 1, found
    return found[0]


def values(reading: Reading) -> dict[str, float]:
    found: dict[str, float] = {metric.name: metric.value for metric in reading.metrics}
    assert len(found) == len(reading.metrics)
    return found
