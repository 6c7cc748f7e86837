"""Several acts as one: what is marked in a list can be of different kinds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from console.actions.plan import Act, News, Outcome, Plan, Result, Say, Target, Tell
from console.actions.streams import merged
from console.text import Clean, clean

_FIELDS = Clean("It wants to be told values: answer it by itself.")


class Together:
    """One plan for all of them, as heavy as the heaviest."""

    def __init__(self, acts: Sequence[Act]) -> None:
        self._acts = tuple(acts)
        self._plans: tuple[Plan, ...] = ()

    @property
    def name(self) -> str:
        return "+".join(dict.fromkeys(act.name for act in self._acts))

    async def plan(self) -> Plan:
        plans = self._plans = tuple([await act.plan() for act in self._acts])
        heaviest = max(plans, key=lambda one: one.weight)
        targets = tuple(target for one in plans for target in _with_why(one))
        doable = any(one.refused is None for one in targets)
        return Plan(
            act=self,
            title=clean(", ".join(one.title for one in plans)),
            yes=heaviest.yes if len(plans) == 1 else Clean("do all of it"),
            targets=targets,
            says=tuple(say for one in plans for say in _says(one)),
            same_as=tuple(same for one in plans if _is_doable(one) for same in one.same_as),
            weight=heaviest.weight,
            word=heaviest.word,
            # Two questions are each the `question` of their act: by their names alone they would be one fact.
            basis=tuple(
                replace(basis, name=f"{number} {basis.name}") for number, one in enumerate(plans) for basis in one.basis
            ),
            refused=None if doable else next((one.refused for one in targets), None),
            even_unrecorded=all(one.even_unrecorded for one in plans),
        )

    async def perform(self, plan: Plan, target: Target, tell: Tell) -> Result:
        own = self._plan_of(target)
        return await own.act.perform(own, target, tell)

    def _plan_of(self, target: Target) -> Plan:
        return next(one for one in self._plans if any(each.key == target.key for each in one.targets))

    def aftermath(self, outcome: Outcome, *, whole: bool = False) -> AsyncIterator[News] | None:
        found = []
        for one in self._plans:
            keys = {target.key for target in one.targets}
            own = Outcome(one, tuple(result for result in outcome.results if result.target.key in keys))
            if (news := one.act.aftermath(own, whole=whole)) is not None:
                found.append(news)
        return merged(found) if found else None


def _is_doable(plan: Plan) -> bool:
    return any(one.refused is None for one in _with_why(plan))


def _with_why(plan: Plan) -> tuple[Target, ...]:
    """An act that cannot be done at all says so of each of its objects."""
    if plan.act.name == "approve" and plan.entries:
        # Nobody has seen its fields here, and what is sent is what was seen.
        return tuple(replace(one, refused=one.refused or _FIELDS) for one in plan.targets)
    if plan.why_not is None:
        return plan.targets
    return tuple(Target(one.key, one.name, one.refused or plan.why_not, one.denied) for one in plan.targets)


def _says(plan: Plan) -> tuple[Say, ...]:
    """What a plan says, with the name of what it says it of; one of several objects names them itself."""
    if len(plan.targets) != 1:
        return plan.says
    return tuple(replace(say, text=clean(f"{plan.targets[0].name}: {say.text}")) for say in plan.says)
