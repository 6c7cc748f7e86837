"""The queue as the server exports it."""

from __future__ import annotations

from console.demo.controller import CauseKind, QueueItem, State
from tests.support.jenkins.beans import ALWAYS, Bean, Field, bean
from tests.support.jenkins.builds import build_class, cause_action, parameters_action
from tests.support.jenkins.jobs import View

PLACEHOLDER = "org.jenkinsci.plugins.workflow.support.steps.ExecutorStepExecution$PlaceholderTask"


def queue_bean(view: View) -> Bean:
    """`/queue/api/json`: what has left is not listed."""
    items = [item for item in view.controller.waiting_items if view.user.may_see_jobs or item.part is not None]
    return Bean(
        "hudson.model.Queue",
        [
            Field("discoverableItems", list),
            Field("items", lambda: [item_bean(view, item) for item in items], inline=True),
        ],
    )


def item_bean(view: View, item: QueueItem) -> Bean:
    """`/queue/item/N/api/json`."""
    fields = [
        Field("actions", lambda: _actions(item)),
        *_common(view, item),
    ]
    if item.state is State.WAITING:
        fields.append(Field("timestamp", lambda: item.due, 2))
    elif item.state is State.LEFT:
        fields += [Field("cancelled", lambda: item.cancelled, 2), Field("executable", lambda: _executable(view, item), 2)]
    else:
        fields.append(Field("buildableStartMilliseconds", lambda: item.buildable_since, 2))
    if item.state is State.BUILDABLE:
        fields.append(Field("pending", lambda: False, 2))
    return Bean(str(item.state), fields)


def _common(view: View, item: QueueItem) -> list[Field]:
    return [
        Field("blocked", lambda: item.state is State.BLOCKED, 2),
        Field("buildable", lambda: item.state is State.BUILDABLE, 2),
        Field("id", lambda: item.id, 2),
        Field("inQueueSince", lambda: item.since, 2),
        Field("params", item.params, 2),
        Field("stuck", lambda: item.stuck, 2),
        Field("task", lambda: _task(view, item), 2),
        Field("url", lambda: f"queue/item/{item.id}/", 2),
        Field("why", lambda: item.why(view.now), 2),
    ]


def _actions(item: QueueItem) -> list[Bean]:
    if item.job is None:
        return []
    asked = [parameters_action(item.parameters)] if item.parameters else []
    causes = cause_action(item.causes)
    hooked = any(cause.kind in {CauseKind.HOOK, CauseKind.UPSTREAM} for cause in item.causes[:1])
    return [causes, *asked] if hooked else [*asked, causes]


def _task(view: View, item: QueueItem) -> Bean:
    job = item.job
    if job is None:
        return Bean(PLACEHOLDER)
    url = view.link(job)
    return Bean(
        str(job.kind),
        [
            Field("name", lambda: job.name, ALWAYS),
            Field("url", lambda: url, ALWAYS),
            Field("color", lambda: job.color, 2),
        ],
    )


def _executable(view: View, item: QueueItem) -> Bean | None:
    build = item.executable
    return None if build is None else bean(build_class(build), 2, number=build.number, url=view.link_to_build(build))
