"""The names of runs where logs are asked for: a run's log is its container's, or its build's once that is gone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from console.cli.group import Context
from console.cli.options import UsageError
from console.cli.runfinding import RECALLED, chosen, opened, unknown
from console.feeds.runs_once import read_runs, with_past
from console.model.container import Container
from console.model.run import Run
from console.model.source import SourceError
from console.model.training import LOCAL
from console.runs.join import join
from console.runs.meant import is_called as named_so

# As many figures of an id as nobody would use for a name by chance.
_ID_FIGURES = 4
_BY_HAND = f"{LOCAL}#"
_NUMBERED = re.compile(r"#[0-9]+\Z")


def is_called(one: Container, name: str) -> bool:
    """Whether a container is meant by `name`: its own, its service's, or the beginning of its id."""
    return name in (one.name, one.service) or (len(name) >= _ID_FIGURES and one.id.startswith(name))


async def without_runs(context: Context, targets: Sequence[str], *, builds: bool) -> tuple[str, ...]:
    """The same targets, those that are runs replaced by the id of their container or by their build, `JOB#N`. With `builds`
    whatever can be a build is one. Raises UsageError for a run of which nothing is left to read."""
    if all("#" in one and not one.startswith(_BY_HAND) and (builds or not _NUMBERED.search(one)) for one in targets):
        return tuple(targets)
    containers = await _containers(context)
    there = join(containers, None, None, datetime.now(UTC))
    return tuple([await _instead(context, one, containers, there, builds=builds) for one in targets])


async def _containers(context: Context) -> Sequence[Container]:
    """None where Docker cannot be asked: whoever reads its logs will say so, and of a build it can be read all the same."""
    try:
        engine, compose = context.backend.sources()
    except SourceError:
        return ()
    try:
        return await engine.containers()
    except SourceError:
        return ()
    finally:
        await engine.aclose()
        await compose.aclose()


async def _instead(
    context: Context, target: str, containers: Sequence[Container], there: Sequence[Run], *, builds: bool
) -> str:
    named = "#" in target and not target.startswith("#")
    by_hand = target.startswith(_BY_HAND)
    if named and (by_hand or not builds):
        # The key of a run says all by itself: no other system has to be asked.
        run = next((one for one in there if named_so(one, target)), None)
        if run is not None and run.container is not None:
            return run.container.id
    if named and " " not in target and not by_hand:
        return target
    if not named and (not containers or any(is_called(one, target) or one.project == target for one in containers)):
        return target
    run = chosen(await _all(context), target)
    if run is None:
        if named:
            raise unknown(there, target)
        return target
    if run.container is not None and not (builds and run.ref is not None):
        return run.container.id
    if run.ref is None:
        raise UsageError(f"{run.shown}: its container is gone, and with it its log: a run by hand has no build.")
    return f"{run.ref.job}#{run.ref.number}"


async def _all(context: Context) -> Sequence[Run]:
    """Everything that has the name of a run; no log is read for it."""
    async with opened(context) as (engine, jenkins, gpus, past):
        found = await read_runs(engine, jenkins, gpus, measured=False)
        return (await with_past(found, past, limit=RECALLED)).found
