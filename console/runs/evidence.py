"""The lines below an explanation, each with who says so. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from console.model.container import Container, UsageHistory
from console.model.gpu import Xid
from console.model.gpu_words import xid_words
from console.model.times import nanoseconds
from console.model.why import Evidence
from console.model.words import binary, decimal, memory_of
from console.runs.endings import Said
from console.text import Clean, clean

_LONGEST = 400


def row(source: str, words: str, at: int | None = None) -> Evidence:
    return Evidence(clean(source), clean(" ".join(words.split()), limit=_LONGEST), at)


def of_container(container: Container, *, told_oom: bool) -> Evidence | None:
    """`OOMKilled, exit 137; limit 16 GiB`, as the Engine has it."""
    details = container.details
    if container.exit_code is None and not told_oom:
        return None
    parts = ["OOMKilled"] if details is not None and details.oom_killed else ["an event of out of memory"] if told_oom else []
    parts += [f"exit {container.exit_code}"] if container.exit_code is not None else []
    words = ", ".join(parts)
    if details is None:
        return row("docker", words)
    words += f"; limit {binary(details.memory_limit)}" if details.memory_limit is not None else "; no memory limit"
    if details.restarts:
        words += f"; started again {details.restarts} times"
    return row("docker", words, nanoseconds(details.finished_at) if details.finished_at is not None else None)


def of_usage(usage: UsageHistory | None) -> Evidence | None:
    """Its last reading of memory, and its highest."""
    readings = [one for one in usage.memory if one is not None] if usage is not None else []
    if usage is None or not readings:
        return None
    return row("memory", f"{memory_of(readings[-1], usage.memory_limit)} at the last reading, {binary(max(readings))} at most")


def of_cards(xids: Sequence[Xid]) -> Evidence | None:
    """The newest error that the driver reported of its cards."""
    if not xids:
        return None
    newest = max(xids, key=lambda one: one.at)
    return row("gpu", str(xid_words(newest)), nanoseconds(newest.at))


def last_lines(lines: Sequence[Said], count: int) -> list[Evidence]:
    """The last ones that say something; what is meant for programs is left out where there is anything else."""
    told = [one for one in lines if one.text.strip()]
    plain = [one for one in told if not one.text.startswith("{")]
    return [row("log", one.text, one.at) for one in (plain or told)[-count:]]


def kept(name: Clean | None, lines: Sequence[Said]) -> Evidence | None:
    """The newest checkpoint, as the platform or the training itself says."""
    for one, event in _events(lines, "checkpoint"):
        size = event.get("bytes")
        shown = f", {decimal(size)}" if isinstance(size, int) and not isinstance(size, bool) and size >= 0 else ""
        epoch = event.get("epoch")
        what = f"epoch {epoch}" if isinstance(epoch, int) else name
        return row("kept", f"checkpoint {what}{shown}" if what else f"a checkpoint{shown}", one.at)
    return row("kept", f"checkpoint {name}") if name is not None else None


def says_stopped(lines: Sequence[Said]) -> bool:
    """Whether the training itself says that it was asked to stop."""
    return any(True for _ in _events(lines, "stopped"))


def _events(lines: Sequence[Said], kind: str) -> Iterator[tuple[Said, Mapping[str, Any]]]:
    """Events of one kind with their lines, the newest first."""
    for one in reversed(lines):
        if not one.text.startswith('{"event"') or kind not in one.text:
            continue
        try:
            event = json.loads(one.text)
        except (ValueError, RecursionError):
            continue
        if isinstance(event, dict) and event.get("event") == kind:
            yield one, event
