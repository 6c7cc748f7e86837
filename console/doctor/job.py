"""Hop 6: the job `train`, the nodes that run it, and the controller's plugins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from console.doctor.findings import Finding, HopState, Mends, broken, good, off, starting, together, warning
from console.doctor.visit import Visit
from console.model.asking import Definition, FieldKind
from console.model.jenkins import JenkinsError, Node, Trouble
from console.model.source import SourceError, SourceStatus
from console.model.training import TRAIN
from console.model.words import counted
from console.sources.protocols import Jenkins
from console.text import clean

HOP = "job"
LABEL = "trainer"
PARAMETERS = {
    "PROJECT": FieldKind.TEXT,
    "COMMIT": FieldKind.TEXT,
    "DELIVERY": FieldKind.TEXT,
    "TIMESTAMP": FieldKind.TEXT,
    "FORCE": FieldKind.BOOLEAN,
    "RESUME_FROM": FieldKind.TEXT,
    "OVERRIDES": FieldKind.LINES,
}
"""What the platform promises of the job; requests, retrigger and resume rely on it."""

_NAMED = 3


async def look(visit: Visit) -> Finding:
    if isinstance(visit.instruments.jenkins, SourceStatus):
        return off("no Jenkins is configured")
    jenkins = visit.jenkins
    found = [await _job(jenkins), await _nodes(jenkins)]
    pinned = await plugins(visit)
    bad = [one for one in (*found, pinned) if one is not None and one.state is not HopState.OK]
    if bad:
        return together(bad)
    told = "; ".join(str(one.seen) for one in (*found, pinned) if one is not None)
    return good(told)


async def _job(jenkins: Jenkins) -> Finding:
    try:
        job = next((one for one in await jenkins.jobs() if one.full_name == TRAIN), None)
        if job is None:
            return broken(HOP, "missing", f"there is no job {TRAIN}, or it is hidden from this user")
        declared = await jenkins.parameters(TRAIN)
    except JenkinsError as error:
        return _silent(error)
    if not job.buildable:
        return broken(HOP, "disabled", f"job {TRAIN} is disabled")
    wrong = _differ(declared)
    if wrong:
        return broken(HOP, "parameters", f"job {TRAIN}: {wrong}")
    return good(f"{TRAIN} has its {len(PARAMETERS)} parameters")


def _silent(error: JenkinsError) -> Finding:
    """It answered a moment ago; one that is restarted meanwhile is nobody's fault."""
    if error.trouble in (Trouble.STARTING, Trouble.RESTARTING):
        return starting(HOP, str(error.reason))
    return broken(HOP, "silent", str(error.reason))


def _differ(declared: Sequence[Definition]) -> str:
    """How the parameters differ from what they should be; empty where they do not. Further ones do no harm."""
    kinds = {str(one.name): one.kind for one in declared}
    missing = [name for name in PARAMETERS if name not in kinds]
    if missing:
        return f"parameter{'s' if len(missing) > 1 else ''} {', '.join(missing)} missing"
    return ", ".join(
        f"parameter {name} is {kinds[name].value}, not {kind.value}"
        for name, kind in PARAMETERS.items()
        if kinds[name] is not kind
    )


async def _nodes(jenkins: Jenkins) -> Finding:
    try:
        nodes = [one for one in (await jenkins.work()).nodes if not one.controller]
    except JenkinsError as error:
        return _silent(error)
    trainers = [one for one in nodes if LABEL in one.labels] or nodes
    if not trainers:
        return broken(HOP, "node", "Jenkins has no node for trainings")
    away = [one for one in trainers if one.offline]
    if not away:
        return good(f"{_called(trainers)} on line")
    switched = [one for one in away if one.set_offline]
    told = "; ".join([await _why(jenkins, one) for one in away])
    mends = Mends(nodes=tuple(one.name for one in switched))
    make = broken if len(away) == len(trainers) else warning
    if switched:
        names = [str(one.name) for one in switched]
        return make(HOP, "offline", told, mends=mends, about=names[0], names=" ".join(names))
    return make(HOP, "node", told, about=away[0].name)


async def _why(jenkins: Jenkins, node: Node) -> str:
    if node.set_offline:
        return f"node {node.name} was taken off line" + (f": {node.reason}" if node.reason else "")
    from console.feeds.jenkins_once import node_log_reason

    why = node.reason or await node_log_reason(jenkins, node.name)
    return f"node {node.name} is off line" + (f": {why}" if why else "")


def _called(nodes: Sequence[Node]) -> str:
    names = [str(one.name) for one in nodes]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"node{'s' if len(names) > 1 else ''} {', '.join(names[:_NAMED])}{more}"


async def plugins(visit: Visit) -> Finding | None:
    """Whether what is installed is what plugins.txt says; None where one of the two cannot be read."""
    admin = visit.instruments.admin
    pinned = await _pinned(visit)
    if admin is None or not pinned:
        return None
    try:
        installed = {str(one.name): one for one in await admin.plugins()}
    except JenkinsError as error:
        if error.trouble is Trouble.NOT_PERMITTED:
            return None
        return replace(_silent(error), state=HopState.WARNING)
    wrong = [f"{name} is missing, pinned at {version}" for name, version in pinned.items() if name not in installed]
    wrong += [
        f"{name} {installed[name].version} is there, pinned at {version}"
        for name, version in pinned.items()
        if name in installed and installed[name].version != version
    ]
    wrong += [f"{name} does not work" for name in pinned if name in installed and not installed[name].active]
    if not wrong:
        return good(f"{counted(len(pinned), 'plugin')} as pinned")
    more = f" and {len(wrong) - _NAMED} more" if len(wrong) > _NAMED else ""
    return warning(HOP, "plugins", f"plugin {', '.join(wrong[:_NAMED])}{more}")


async def _pinned(visit: Visit) -> dict[str, str]:
    """Versions by name out of plugins.txt beside the Compose file; none where it is not there."""
    try:
        project = await visit.project()
        if project is None:
            return {}
        text = await visit.instruments.files.text(Path(project.file).parent / "jenkins" / "plugins.txt")
    except SourceError:
        return {}
    lines = (line.partition("#")[0].strip() for line in clean(text, lines=True).splitlines())
    return {name: version for line in lines if line for name, _, version in [line.partition(":")] if version}
