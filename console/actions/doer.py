"""Carrying out a plan: once, if it still fits the world, with a line in the audit before and after."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from console.actions.plan import DoesAtOnce, Fate, Outcome, Plan, Result, Target, Tell, moved
from console.actions.readonly import acts_are_off
from console.model.source import SourceError
from console.text import Clean, clean

TWICE = Clean("It was carried out already.")


class UnrecordedError(Exception):
    """The audit line cannot be written; `reason` says why, and where."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = clean(reason)


class Recorder(Protocol):
    """Where acts leave their trace. Both raise UnrecordedError, also when a disk takes longer than a person would wait."""

    async def begin(self, plan: Plan) -> None: ...

    async def end(self, outcome: Outcome) -> None: ...


class RefusedError(Exception):
    """Nothing was done; `reason` is a sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = clean(reason)


class Doer:
    """Carries plans out. One for each console: it knows which plans were agreed to before.

    `done` is called when something has been done, so that what is watched is read anew at once. `read_only` is what has
    switched acts off: keys and commands are gone then, and what gets here all the same is refused.
    """

    def __init__(self, recorder: Recorder, done: Callable[[], None] = lambda: None, *, read_only: Clean | None = None) -> None:
        self._recorder = recorder
        self._done = done
        self._read_only = read_only
        self._agreed: set[str] = set()

    async def carry_out(self, plan: Plan, tell: Tell, called_off: Callable[[], bool] = lambda: False) -> Outcome | Plan:
        """Do it. A plan that no longer fits gives the newer one, with `moved`, and nothing was done.

        `called_off` is asked before each object: those that are not begun then are left. Raises RefusedError for a plan that
        was agreed to before, says itself that it cannot be done, or cannot be recorded; SourceError when the world cannot
        be looked at. Nothing was done then.
        """
        if self._read_only is not None:
            raise RefusedError(acts_are_off(self._read_only))
        if plan.id in self._agreed:
            raise RefusedError(TWICE)
        self._agreed.add(plan.id)
        try:
            newer, unrecorded = await self._last_look(plan)
        except BaseException:
            self._agreed.discard(plan.id)  # nothing was done: it may be agreed to again
            raise
        if newer is not None:
            return newer
        results = await self._each(plan, tell, called_off)
        outcome = Outcome(plan, tuple(results), unrecorded)
        try:
            await self._recorder.end(outcome)
        except UnrecordedError as error:
            outcome = replace(outcome, unrecorded=error.reason)
        self._done()
        return outcome

    async def _last_look(self, plan: Plan) -> tuple[Plan | None, Clean | None]:
        """The plan that takes the place of one that no longer fits, and why this one could not be recorded."""
        if plan.why_not is not None:
            raise RefusedError(plan.why_not)
        now = await plan.act.plan()
        if (what := moved(plan, now)) is not None:
            return replace(now, moved=what), None
        return None, await self._begin(plan)

    async def _begin(self, plan: Plan) -> Clean | None:
        """The line before the act: what is found without a second one was cut off in the middle."""
        try:
            await self._recorder.begin(plan)
        except UnrecordedError as error:
            if not plan.even_unrecorded:
                raise RefusedError(f"Not done, because it cannot be recorded: {error.reason}") from None
            return error.reason
        return None

    async def _each(self, plan: Plan, tell: Tell, called_off: Callable[[], bool]) -> list[Result]:
        results: list[Result] = []
        try:
            for target in plan.doable:
                if called_off() and not _begun(plan, target):
                    results.append(Result(target, Fate.LEFT, Clean("not begun")))
                else:
                    results.append(await _one(plan, target, tell))
        except asyncio.CancelledError:
            # Whoever waited is gone. What is under way may happen or not, and that is what is written down.
            begun = len(results)
            rest = plan.doable[begun:]
            results += [
                Result(one, Fate.UNSURE if at == 0 or _begun(plan, one) else Fate.LEFT, Clean("broken off"))
                for at, one in enumerate(rest)
            ]
            with contextlib.suppress(UnrecordedError):
                await self._recorder.end(Outcome(plan, tuple(results)))
            raise
        return results


def _begun(plan: Plan, target: Target) -> bool:
    return isinstance(plan.act, DoesAtOnce) and plan.act.begun(target)


async def _one(plan: Plan, target: Target, tell: Tell) -> Result:
    try:
        return await plan.act.perform(plan, target, tell)
    except SourceError as error:
        fate = Fate.UNSURE if error.unsure else Fate.FAILED
        return Result(target, fate, error.reason, error.permission, error.state)
