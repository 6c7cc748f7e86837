"""A recorder that writes nothing down."""

from __future__ import annotations

from console.actions.plan import Outcome, Plan


class Remembered:
    """See `console.actions.doer.Recorder`: for as long as the program runs."""

    def __init__(self) -> None:
        self.begun: list[Plan] = []
        self.ended: list[Outcome] = []

    async def begin(self, plan: Plan) -> None:
        self.begun.append(plan)

    async def end(self, outcome: Outcome) -> None:
        self.ended.append(outcome)
