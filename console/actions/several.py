"""Several acts as one: one plan, one consent, one line in the audit; each object by the act that it belongs to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace

from console.actions.plan import Act, DoesAtOnce, News, Outcome, Plan, Result, Target, Tell, Weight
from console.text import Clean, clean


class Several:
    """Acts on objects that have nothing to do with each other. `name` goes into the audit, `title` above the plan.

    None of them may need a typed word: that would be for one of them alone.
    """

    def __init__(self, name: str, title: str, acts: Sequence[Act]) -> None:
        self._name = name
        self._title = clean(title)
        self._acts = tuple(acts)
        self._of: Mapping[Clean, tuple[Act, Plan]] = {}

    @property
    def name(self) -> str:
        return self._name

    async def plan(self) -> Plan:
        plans = [await act.plan() for act in self._acts]
        self._of = {target.key: (act, one) for act, one in zip(self._acts, plans, strict=True) for target in one.targets}
        refused = next((one.refused for one in plans if one.refused is not None), None)
        if any(one.weight is Weight.WORD for one in plans):
            refused = Clean("One of them cannot be undone: do it by itself.")
        return Plan(
            act=self,
            title=self._title,
            yes=Clean("do all of it"),
            targets=tuple(target for one in plans for target in one.targets),
            says=tuple(say for one in plans for say in one.says),
            same_as=tuple(line for one in plans for line in one.same_as),
            weight=max((one.weight for one in plans), default=Weight.ENTER),
            basis=tuple(replace(fact, name=f"{at}/{fact.name}") for at, one in enumerate(plans) for fact in one.basis),
            refused=refused,
            even_unrecorded=all(one.even_unrecorded for one in plans),
        )

    async def perform(self, plan: Plan, target: Target, tell: Tell) -> Result:
        act, own = self._of[target.key]
        return await act.perform(own, target, tell)

    def begun(self, target: Target) -> bool:
        act, _ = self._of[target.key]
        return isinstance(act, DoesAtOnce) and act.begun(target)

    def aftermath(self, outcome: Outcome, *, whole: bool = False) -> AsyncIterator[News] | None:
        return None
