"""Nodes and their executors as the server exports them."""

from __future__ import annotations

from typing import Any

from console.demo.controller import Build, Job, Monitors, Node, Permission, Work
from console.demo.controller.items import walk
from tests.support.jenkins.beans import ALWAYS, Bean, Field, bean
from tests.support.jenkins.builds import build_bean
from tests.support.jenkins.jobs import EMPTY, View, job_bean
from tests.support.jenkins.queue import PLACEHOLDER

_NAMES = (
    "SwapSpaceMonitor",
    "TemporarySpaceMonitor",
    "DiskSpaceMonitor",
    "ArchitectureMonitor",
    "ResponseTimeMonitor",
    "ClockMonitor",
)
_LOAD = (
    "availableExecutors", "busyExecutors", "connectingExecutors", "definedExecutors", "idleExecutors", "onlineExecutors",
    "queueLength", "totalExecutors",
)  # fmt: skip


def computers_bean(view: View) -> Bean:
    """`/computer/api/json`."""
    nodes = list(view.controller.nodes.values())
    return Bean(
        "hudson.model.ComputerSet",
        [
            Field("busyExecutors", lambda: sum(node.busy for node in nodes)),
            Field("computer", lambda: [computer_bean(view, node) for node in nodes], inline=True),
            Field("displayName", lambda: "Nodes"),
            Field("totalExecutors", lambda: sum(node.executors for node in nodes if not node.offline)),
        ],
    )


def computer_bean(view: View, node: Node) -> Bean:
    """`/computer/NAME/api/json`."""
    icon = "symbol-computer" if not node.offline else "symbol-computer-offline"
    class_icon = "symbol-computer" if node.offline_class is None and not node.inbound else icon
    if node.temporarily_offline is not None:
        icon = class_icon = "symbol-computer-disconnected"
    fields = [
        Field("actions", list),
        Field("assignedLabels", lambda: [label_bean(view, label) for label in node.all_labels]),
        Field("description", lambda: node.description if not node.built_in else "the Jenkins controller's built-in node"),
        Field("displayName", lambda: node.name),
        Field("executors", lambda: [_executor(view, work, number) for number, work in enumerate(node.slots)]),
        Field("icon", lambda: icon),
        Field("iconClassName", lambda: class_icon),
        Field("idle", lambda: node.busy == 0 and not _one_off(view, node)),
        Field("jnlpAgent", lambda: node.inbound),
        Field("launchSupported", lambda: not node.inbound),
        Field("loadStatistics", _load),
        Field("manualLaunchAllowed", lambda: True),
        Field("monitorData", lambda: _monitors(node) if view.user.may(Permission.AGENT_CONNECT) else {}),
        Field("numExecutors", lambda: node.executors),
        Field("offline", lambda: node.offline),
        Field("offlineCause", lambda: _cause(view, node)),
        Field("offlineCauseReason", lambda: node.reason),
        Field("oneOffExecutors", lambda: [_one_off_executor(view, build) for build in _one_off(view, node)]),
        Field("temporarilyOffline", lambda: node.temporarily_offline is not None),
    ]
    if node.built_in:
        return Bean("hudson.model.Hudson$MasterComputer", fields)
    return Bean("hudson.slaves.SlaveComputer", [*fields, Field("absoluteRemotePath", lambda: _remote_path(view, node))])


def label_bean(view: View, label: str, java_class: str | None = None) -> Bean:
    """`/label/NAME/api/json`."""
    nodes = [node for node in view.controller.nodes.values() if label in node.all_labels]
    there = [node for node in nodes if not node.offline]
    tied = [job for job in walk(view.controller.root) if isinstance(job, Job) and job.label == label]
    total = sum(node.executors for node in there)
    busy = sum(node.busy for node in there)
    return Bean(
        java_class,
        [
            Field("actions", list),
            Field("busyExecutors", lambda: busy),
            Field("clouds", list),
            Field("description", lambda: None),
            Field("idleExecutors", lambda: total - busy),
            Field("loadStatistics", _load),
            Field("name", lambda: label, 2),
            Field("nodes", lambda: [_node(node) for node in nodes]),
            Field("offline", lambda: not there),
            Field("tiedJobs", lambda: [job_bean(view, job) for job in tied]),
            Field("totalExecutors", lambda: total),
            Field("propertiesList", list),
        ],
    )


def _remote_path(view: View, node: Node) -> str | None:
    return node.root if node.connected and view.user.may(Permission.AGENT_CONNECT) else None


def _node(node: Node) -> Bean:
    java_class = "hudson.model.Hudson" if node.built_in else "hudson.slaves.DumbSlave"
    return bean(java_class, 3, nodeName="" if node.built_in else node.name)


def _load() -> Bean:
    return bean("hudson.model.Label$1", **dict.fromkeys(_LOAD, EMPTY))


def _cause(view: View, node: Node) -> Bean | None:
    if node.offline_class is None:
        return None
    return bean(node.offline_class, description=node.reason, timestamp=view.now)


def _one_off(view: View, node: Node) -> list[Build]:
    """Every Pipeline that runs holds a weightless executor of the built-in node."""
    if not node.built_in:
        return []
    return [run.build for run in view.controller.runs.values() if run.build.pipeline]


def _one_off_executor(view: View, build: Build) -> Bean:
    return _executing(view, build_bean(view, build), -1, build, build.started_at)


def _executor(view: View, work: Work | None, number: int) -> Bean:
    if work is None:
        return bean(None, currentExecutable=None, idle=True, likelyStuck=False, number=number, progress=-1)
    if not work.part:
        return _executing(view, build_bean(view, work.build), number, work.build, work.started_at)
    build = work.build
    name = f"{build.job.full_display_name} {build.shown_name}" + (f" ({work.stage})" if work.stage else "")
    part = bean(
        f"{PLACEHOLDER}$PlaceholderExecutable", 3,
        displayName=name, fullDisplayName=name, number=build.number, url=view.link_to_build(build),
    )  # fmt: skip
    return _executing(view, part, number, build, work.started_at)


def _executing(view: View, executable: Bean, number: int, build: Build, since: int) -> Bean:
    estimate = build.estimate
    progress = -1 if estimate <= 0 else min(99, (view.now - since) * 100 // estimate)
    # Jenkins thinks that something hangs after ten times its usual time, or after a day.
    stuck = view.now - since > (estimate * 10 if estimate > 0 else 24 * 3600 * 1000)
    return bean(None, currentExecutable=executable, idle=False, likelyStuck=stuck, number=number, progress=progress)


def _monitors(node: Node) -> dict[str, Any]:
    names = [f"hudson.node_monitors.{name}" for name in _NAMES]
    seen = node.monitors
    return dict(zip(names, _monitor_values(seen) if seen else [None] * len(names), strict=True))


def _monitor_values(seen: Monitors) -> list[Any]:
    space = "hudson.node_monitors.DiskSpaceMonitorDescriptor$DiskSpace"
    return [
        bean(
            "hudson.node_monitors.SwapSpaceMonitor$MemoryUsage2", ALWAYS,
            availablePhysicalMemory=seen.available_memory, availableSwapSpace=seen.available_swap,
            totalPhysicalMemory=seen.total_memory, totalSwapSpace=seen.total_swap,
        ),
        bean(space, ALWAYS, timestamp=seen.at, path=seen.temporary_path, size=seen.temporary_space),
        bean(space, ALWAYS, timestamp=seen.at, path=seen.disk_path, size=seen.disk_space),
        seen.architecture,
        bean("hudson.node_monitors.ResponseTimeMonitor$Data", ALWAYS, timestamp=seen.at, average=seen.response),
        bean("hudson.util.ClockDifference", ALWAYS, diff=seen.clock_difference),
    ]  # fmt: skip
