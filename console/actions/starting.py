"""Units of this machine's systemd that are started."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from console.actions.plan import Basis, Fate, News, Outcome, Plan, Result, Say, Target, Tell, Weight, several
from console.model.unit import Unit
from console.sources.protocols import Units
from console.text import Clean, clean

GONE = Clean("There is no such unit here any more.")
RUNS = Clean("It is started already.")


class StartUnits:
    """Starts units that do not run. Where this user may not, the plan says what to type instead."""

    name = "unit-start"

    def __init__(self, units: Units, names: Sequence[str]) -> None:
        self._units = units
        self._names = tuple(names)

    async def plan(self) -> Plan:
        may = await self._units.may_start()
        targets, basis = [], []
        for name in self._names:
            unit = await self._units.unit(name)
            refused = _refused(unit, name, may=may)
            targets.append(Target(_key(name), clean(name), refused))
            moved = refused or clean(f"{name} is in another state now.")
            basis.append(Basis(str(_key(name)), (unit.active if unit is not None else None, may), moved))
        free = [str(one.name) for one in targets if one.refused is None]
        return Plan(
            act=self,
            title=clean(f"Start  {several(self._names)}"),
            yes=Clean("start"),
            targets=tuple(targets),
            says=(Say("does", clean(f"starts {several(free)}")),) if free else (),
            same_as=tuple(_command(name) for name in free),
            weight=Weight.ENTER,
            basis=tuple(basis),
        )

    async def perform(self, plan: Plan, target: Target, tell: Tell) -> Result:
        tell(clean(f"starting {target.name}"))
        await self._units.start(str(target.name))
        return Result(target, Fate.DONE, Clean("started"))

    def aftermath(self, outcome: Outcome, *, whole: bool = False) -> AsyncIterator[News] | None:
        return None


def _refused(unit: Unit | None, name: str, *, may: bool) -> Clean | None:
    if unit is None:
        return GONE
    if not unit.rests:
        return RUNS
    return None if may else clean(f"You may not start it. Who may: sudo {_command(name)}")


def _key(name: str) -> Clean:
    return clean(f"unit/{name}")


def _command(name: str) -> Clean:
    return clean(f"systemctl start {name}")
