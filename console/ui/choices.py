"""What can be done to a row, each with its key, and why not where that is known beforehand. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from console.model.asking import Stop
from console.model.build import Build, BuildRef
from console.model.container import ContainerState
from console.model.jenkins import JenkinsWorld
from console.model.jenkins_rows import with_details
from console.text import Clean, clean
from console.ui import makings
from console.ui.makings import Making

if TYPE_CHECKING:
    from console.model.container import Container
    from console.ui.acting import Subject

_ENDED = "it has ended"
_RUNS = "it still runs"
_GONE = "it has no container"
_ALONE = "it is for one container at a time"


@dataclass(frozen=True, slots=True)
class Choice:
    """An act that can be chosen. `key` is the id of its key, `asks` is for a text that `with_text` takes.

    `why_not` is known without asking anybody. Without `make` it is no act, but something that the screen does (`action`).
    """

    key: str
    words: str
    make: Making | None
    why_not: str = ""
    asks: str = ""
    with_text: Callable[[Clean], Making] | None = None
    action: str = ""


def acts_of(subjects: Sequence[Subject], world: JenkinsWorld | None) -> list[Choice]:
    """What can be done to these, as far as that is known beforehand."""
    refs = [one.ref for one in subjects if one.ref is not None]
    items = [one.item for one in subjects if one.ref is None and one.item is not None]
    nodes = [one.node for one in subjects if one.node is not None]
    found: list[Choice] = []
    over = [one for one in subjects if one.outlived]
    if refs:
        # Of a build that has ended the container is stopped: see below.
        all_over = len(over) == len(subjects)
        found += [one for one in _of_builds(refs, world) if not (all_over and one.key == "stop")]
    if items:
        key, words = ("cancel", "cancel") if not refs else ("cancel-queued", "cancel what is queued")
        found.append(Choice(key, words, makings.cancelling(items)))
    if nodes:
        names = [node.name for node in nodes]
        off = all(node.set_offline for node in nodes)
        on = not any(node.set_offline for node in nodes)
        found.append(
            Choice(
                "offline",
                "take off line",
                makings.setting_offline(names, clean("reason")),
                "it was taken off line already" if off else "",
                "reason",
                partial(makings.setting_offline, names),
            )
        )
        found.append(
            Choice("online", "bring on line", makings.setting_offline(names, None), "nobody took it off line" if on else "")
        )
    services = [one for one in subjects if one.service is not None]
    loose = [one for one in subjects if one.service is None and one.containers and not one.outlived]
    found += _of_services(services) if services else []
    found += _of_containers(loose, trained=bool(refs)) if loose else []
    found += _of_orphans(over) if over else []
    return _merged(found)


def _merged(choices: Sequence[Choice]) -> list[Choice]:
    """Rows of several kinds may have the same act: then it is one, and it leaves out what it cannot be done to."""
    found: dict[str, Choice] = {}
    for one in choices:
        other = found.get(one.key)
        if other is None:
            found[one.key] = one
        elif other.make is None or one.make is None:
            found[one.key] = replace(other, why_not=_ALONE)
        else:
            why = other.why_not if one.why_not else ""
            found[one.key] = replace(other, make=makings.together([other.make, one.make]), why_not=why)
    return list(found.values())


def _of_services(subjects: Sequence[Subject]) -> list[Choice]:
    names = [str(one.service) for one in subjects]
    every = [each for one in subjects for each in one.containers]
    gone = "" if every else "it has no container: up makes one"
    still = "" if any(_is_up(one) for one in every) else "it does not run"
    found = [
        Choice("restart", "restart", makings.on_services("restart", names), gone),
        Choice("service-up", "up: make what is missing", makings.on_services("up", names)),
        Choice("update", "fetch and make anew", makings.on_services("update", names)),
        Choice("stop", "stop", makings.on_services("stop", names), still),
        Choice("service-start", "start as it was made", makings.on_services("start", names), gone),
        Choice("recreate", "make anew", makings.on_services("recreate", names)),
        Choice("fetch", "fetch its image only", makings.on_services("pull", names)),
        Choice("service-down", "end all of the file", makings.on_services("down", ())),
    ]
    return [*found, *_inside(every)]


def _of_containers(subjects: Sequence[Subject], *, trained: bool) -> list[Choice]:
    """Of a build's training the build is stopped: what is done to its container alone has other keys."""
    every = [each for one in subjects for each in one.containers]
    ids = [one.id for one in every]
    runs, paused = _in(every, ContainerState.RUNNING), _in(every, ContainerState.PAUSED)
    lies = _in(every, ContainerState.EXITED, ContainerState.CREATED)
    up = any(_is_up(one) for one in every)
    found = [
        Choice("pause", "freeze it", makings.on_containers("pause", ids), "" if runs else "it does not run"),
        Choice("unpause", "let it go on", makings.on_containers("unpause", ids), "" if paused else "it is not paused"),
    ]
    if trained:
        found.append(
            Choice("container-stop", "stop the container", makings.on_containers("stop", ids), "" if up else "it does not run")
        )
    else:
        found = [
            Choice("restart", "restart", makings.on_containers("restart", ids)),
            Choice("service-up", "start", makings.on_containers("start", ids), "" if lies else "it runs"),
            Choice("stop", "stop", makings.on_containers("stop", ids), "" if up else "it does not run"),
            *found,
            Choice("kill", "kill", makings.on_containers("kill", ids), "" if up else "it does not run"),
            Choice("remove", "remove", makings.on_containers("remove", ids), "stop it first" if up else ""),
        ]
    return [*found, *_inside(every)]


def _of_orphans(subjects: Sequence[Subject]) -> list[Choice]:
    """Trainings whose build has ended: what there is to be done about that comes first."""
    every = [each for one in subjects for each in one.containers]
    ids = [one.id for one in every]
    rest = [one for one in _of_containers(subjects, trained=True) if one.key != "container-stop"]
    return [
        Choice("adopt", "adopt: let it go on", makings.adopting(ids)),
        Choice("stop", "stop the container", makings.on_containers("stop", ids, outlived=True)),
        *rest,
    ]


def _inside(containers: Sequence[Container]) -> list[Choice]:
    """What needs one container."""
    alone = "" if len(containers) == 1 else _GONE if not containers else _ALONE
    runs = alone or ("" if containers[0].state is ContainerState.RUNNING else "it does not run")
    return [
        Choice("shell", "a shell inside", None, runs, action="shell"),
        Choice("copy-out", "copy a file out", None, alone, action="copy_out"),
    ]


def _is_up(one: Container) -> bool:
    return one.alive or one.state is ContainerState.RESTARTING


def _in(containers: Sequence[Container], *states: ContainerState) -> bool:
    return any(one.state in states for one in containers)


def _of_builds(refs: Sequence[BuildRef], world: JenkinsWorld | None) -> list[Choice]:
    builds = [_known(ref, world) for ref in refs]
    ended = _ENDED if all(one is not None and not one.building for one in builds) else ""
    stage = "a freestyle build can only be stopped" if all(one is not None and not one.pipeline for one in builds) else ""
    asks = world is None or any(held.what == "input" for ref in refs if (held := world.held.get(ref)) is not None)
    silent = "" if asks else "it asks nothing"
    kept = all(one is not None and one.kept for one in builds)
    jobs = list(dict.fromkeys(ref.job for ref in refs))
    known = [world.jobs.get(job) for job in jobs] if world is not None else []
    on = all(job is None or job.buildable for job in known)
    projects = list(dict.fromkeys(clean(job.rpartition("/")[0]) for job in jobs if "/" in job))
    found = [
        Choice("again", "run again", makings.again(refs)),
        Choice("stop", "stop", makings.ending(refs, Stop.STOP), ended),
        Choice("terminate", "terminate", makings.ending(refs, Stop.TERM), ended or stage),
        Choice("kill", "kill", makings.ending(refs, Stop.KILL), ended or stage),
        Choice("answer", "approve", makings.answering(refs, yes=True), silent),
        Choice("reject", "reject", makings.answering(refs, yes=False), silent),
        Choice("keep", "keep no longer" if kept else "keep for good", makings.keeping(refs, on=not kept)),
        Choice("job-switch", "disable its job" if on else "enable its job", makings.enabling(jobs, on=not on)),
    ]
    if projects:
        found.append(Choice("scan", "scan for branches", makings.scanning(projects)))
    return found


def _known(ref: BuildRef, world: JenkinsWorld | None) -> Build | None:
    if world is None:
        return None
    job = world.jobs.get(ref.job)
    last = job.last if job is not None and job.last is not None and job.last.ref == ref else None
    found = world.details.get(ref) or last or next((one for one in world.history.get(ref.job, ()) if one.ref == ref), None)
    return with_details(world, found) if found is not None else None
