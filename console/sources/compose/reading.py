"""Calls of Compose that only read the file, and what becomes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from console.model.source import SourceError, SourceState
from console.sources._process import Children, Finished
from console.sources.compose.messages import complaint
from console.sources.compose.place import Place
from console.text import clean


class Reading:
    """`env` are all the variables that Compose sees, `timeout` seconds for each call."""

    def __init__(self, place: Place, env: Mapping[str, str], timeout: float) -> None:
        self._place = place
        self._env = env
        self._timeout = timeout
        self._children = Children()

    async def aclose(self) -> None:
        """End the calls that run."""
        await self._children.aclose()

    async def run(self, command: Sequence[str], given: bytes = b"") -> Finished:
        """Raises SourceError: UNREACHABLE when it does not finish or was ended, OFF when it cannot be run."""
        where = self._place.short
        try:
            done = await self._children.run(
                command, env=self._env, cwd=self._place.file.parent, deadline=self._timeout, given=given
            )
        except TimeoutError:
            reason = f"Compose has not read {where} within {self._timeout:g}s."
            raise SourceError(SourceState.UNREACHABLE, clean(reason)) from None
        except OSError as failed:
            reason = f"Compose cannot be run: {command[0]}: {failed.strerror}."
            raise SourceError(SourceState.OFF, clean(reason)) from None
        if done.status < 0:
            reason = f"Compose was ended by signal {-done.status} while it read {where}."
            raise SourceError(SourceState.UNREACHABLE, clean(reason))
        return done

    def refusal(self, config: Finished) -> SourceError:
        """Why the file is refused: DENIED where a part of it may not be read, else STALE."""
        reason = complaint(config.err, self._place.file, self._place.root)
        return SourceError(SourceState.DENIED if reason.endswith("permission denied") else SourceState.STALE, reason)

    def model(self, config: Finished) -> dict[str, Any]:
        """The resolved model, with `name` and `services` as they are in every one. Raises SourceError: STALE."""
        import json

        try:
            model = json.loads(config.out)
            return {**model, "name": model.get("name") or "", "services": dict(model.get("services") or {})}
        except (ValueError, AttributeError, TypeError):
            what = "more than can be read" if config.cut else "no JSON"
            reason = f"{self._place.short}: Compose answers with {what}."
            raise SourceError(SourceState.STALE, clean(reason)) from None
