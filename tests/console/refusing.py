"""What a Jenkins of a test says to acts that the test is not about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

from console.model.asking import Definition, Needs, Question, Stop
from console.model.build import BuildRef
from console.model.jenkins import JenkinsError, Queued, Trouble


class Refusing:
    """Refuses every act, declares nothing and asks nothing. `heard` is told of each before it is answered."""

    async def heard(self, what: str) -> None:
        pass

    async def _refuse(self, what: str) -> NoReturn:
        await self.heard(what)
        raise JenkinsError(Trouble.REFUSED, "This Jenkins is only looked at.")

    async def parameters(self, job: str) -> tuple[Definition, ...]:
        await self.heard(f"parameters {job}")
        return ()

    async def questions(self, ref: BuildRef) -> tuple[Question, ...]:
        await self.heard(f"questions {ref}")
        return ()

    async def trigger(self, job: str, parameters: Mapping[str, str] | None, *, delay: int | None = None) -> Queued:
        await self._refuse(f"trigger {job}")

    async def stop(self, ref: BuildRef, how: Stop) -> None:
        await self._refuse(f"{how} {ref}")

    async def cancel(self, item_id: int) -> None:
        await self._refuse(f"cancel {item_id}")

    async def answer(self, ref: BuildRef, question: str, values: Mapping[str, str]) -> None:
        await self._refuse(f"answer {ref} {question}")

    async def reject(self, ref: BuildRef, question: str) -> None:
        await self._refuse(f"reject {ref} {question}")

    async def scan(self, project: str) -> None:
        await self._refuse(f"scan {project}")

    async def set_enabled(self, job: str, *, on: bool) -> None:
        await self._refuse(f"{'enable' if on else 'disable'} {job}")

    async def set_kept(self, ref: BuildRef, *, on: bool) -> bool:
        await self._refuse(f"{'keep' if on else 'let go'} {ref}")

    async def set_offline(self, node: str, reason: str | None) -> bool:
        await self._refuse(f"{'offline' if reason is not None else 'online'} {node}")

    async def lacks(self, needs: Needs, job: str, ended: BuildRef | None = None) -> bool | None:
        await self.heard(f"lacks {needs} {job}")
        return None
