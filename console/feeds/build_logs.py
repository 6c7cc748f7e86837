"""What single builds say in their logs, and nowhere else: what a Pipeline waits for, and why it was never begun."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import aclosing

from console.model.build import BuildRef, Stages, StageStatus
from console.model.held import compile_error
from console.sources.protocols import Jenkins
from console.text import Clean, clean

TAIL_BYTES = 4096
BUSY_BYTES = 32 * 1024
"""A log that grew by more since the last look belongs to a build that works."""

_BEGINNING_BYTES = 64 * 1024
_KEPT_LINES, _TOLD_LINES = 40, 60


class Tails:
    """The ends of the logs of builds that run, each read on from where it was read to."""

    def __init__(self, source: Jenkins) -> None:
        self._source = source
        self._known: dict[BuildRef, tuple[int, list[str]]] = {}

    def __len__(self) -> int:
        return len(self._known)

    async def read(self, ref: BuildRef) -> list[str]:
        """Its last lines as it stands now; none of a build that prints a lot. Raises JenkinsError."""
        start, lines = self._known.get(ref) or (max(0, await self._source.log_size(ref) - TAIL_BYTES), [])
        text, end = b"", start
        async with aclosing(self._source.log(ref, start)) as read:
            async for part in read:
                end = part.end
                if part.whole:
                    lines = []
                elif end - start > BUSY_BYTES:
                    # It prints a lot, so it waits for nothing: what it prints is not fetched.
                    text, lines = b"", []
                    break
                text = (text + part.text)[-4 * TAIL_BYTES :]
        joined = "\n".join(lines[-_KEPT_LINES:]) + text.decode("utf-8", "replace").replace("\r\n", "\n")
        lines = joined.split("\n")[-_TOLD_LINES:]
        self._known[ref] = end, lines
        return lines

    def leave_out(self, running: Collection[BuildRef]) -> list[BuildRef]:
        """Forget the logs of all others: those that were known."""
        gone = [ref for ref in self._known if ref not in running]
        for ref in gone:
            del self._known[ref]
        return gone

    def forget(self) -> None:
        self._known.clear()


async def why_it_failed(source: Jenkins, ref: BuildRef, stages: Stages | None) -> Clean:
    """The message of the stage that failed, or where its Jenkinsfile does not compile; empty where nothing tells. Raises
    JenkinsError."""
    if stages is not None and stages.status is StageStatus.NOT_EXECUTED and not stages.stages:
        lines = await _beginning(source, ref)
        return clean(compile_error(lines) or "it ended before its first stage")
    failed = [one for one in stages.stages if one.status is StageStatus.FAILED] if stages is not None else []
    # What follows the first failure fails only because of it.
    if failed:
        return clean(f"{failed[0].name}: {failed[0].error}" if failed[0].error else f"{failed[0].name} failed")
    return clean("")


async def _beginning(source: Jenkins, ref: BuildRef) -> list[str]:
    text = b""
    async for part in source.log(ref, 0):
        text += part.text
        if len(text) > _BEGINNING_BYTES:
            break
    return text.decode("utf-8", "replace").splitlines()
