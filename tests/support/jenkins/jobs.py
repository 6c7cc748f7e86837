"""Folders and jobs as the server exports them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from console.demo.controller import (
    Build,
    Controller,
    Folder,
    Item,
    Job,
    Kind,
    Multibranch,
    Parameter,
    ParameterKind,
    Permission,
    User,
)
from console.demo.controller.items import encode
from tests.support.jenkins.beans import ALWAYS, Bean, Field, bean

EMPTY = Bean(None)


@dataclass(frozen=True, slots=True)
class View:
    """What is looked at, by whom, and the address (with a last slash) that links begin with."""

    controller: Controller
    url: str
    user: User
    asked: dict[str, str] = field(default_factory=dict)
    """The addresses of the items on the way to what was asked for, as the request wrote them, by full name."""

    @property
    def now(self) -> int:
        return self.controller.now

    def link(self, item: Item) -> str:
        """The address of an item. The server repeats how the request wrote it: also `%2F`, where its own links say `%252F`."""
        if item.parent is None:
            return self.url
        found = self.asked.get(item.full_name)
        return f"{self.url}{found}" if found is not None else f"{self.link(item.parent)}job/{encode(item.name)}/"

    def link_to_build(self, build: Build) -> str:
        return f"{self.link(build.job)}{build.number}/"


def root_bean(view: View) -> Bean:
    """The controller itself, `/api/json`."""
    controller = view.controller
    node = controller.node("(built-in)")
    all_view = bean("hudson.model.AllView", 2, name="all", url=view.url)
    sees_views = view.user.may(Permission.VIEW_READ)
    return Bean(
        "hudson.model.Hudson",
        [
            Field("assignedLabels", lambda: [bean(None, 2, name=label) for label in node.all_labels]),
            Field("mode", lambda: "EXCLUSIVE" if node.exclusive else "NORMAL"),
            Field("nodeDescription", lambda: "the Jenkins controller's built-in node"),
            Field("nodeName", lambda: ""),
            Field("numExecutors", lambda: node.executors),
            Field("description", lambda: controller.description),
            Field("jobs", lambda: visible(view, controller.root)),
            Field("overallLoad", lambda: EMPTY),
            Field("primaryView", lambda: all_view),
            Field("quietDownReason", lambda: None),
            Field("quietingDown", lambda: controller.quieting_down),
            Field("slaveAgentPort", lambda: 0),
            Field("unlabeledLoad", lambda: bean("jenkins.model.UnlabeledLoadStatistics")),
            Field("url", lambda: view.url),
            Field("useCrumbs", lambda: True),
            Field("useSecurity", lambda: True),
            Field("views", lambda: [all_view] if sees_views else []),
        ],
    )


def view_bean(view: View, folder: Folder, name: str) -> Bean:
    """A list view of all jobs, `/view/all/api/json`."""
    return Bean(
        "hudson.model.AllView",
        [
            Field("description", lambda: None),
            Field("jobs", lambda: visible(view, folder)),
            Field("name", lambda: name, 2),
            Field("property", list),
            Field("url", lambda: view.link(folder), 2),
        ],
    )


def visible(view: View, folder: Folder) -> list[Bean]:
    """The items that this person may see."""
    return [item_bean(view, item) for item in folder.sorted_items()] if view.user.may(Permission.JOB_READ) else []


def item_bean(view: View, item: Item) -> Bean:
    return job_bean(view, item) if isinstance(item, Job) else folder_bean(view, item)


def folder_bean(view: View, folder: Folder) -> Bean:
    """A folder or a multibranch project."""
    url = view.link(folder)
    multibranch = isinstance(folder, Multibranch)
    name, java_class = (
        ("default", "jenkins.branch.MultiBranchProjectViewHolder$ViewImpl") if multibranch else ("all", "hudson.model.AllView")
    )
    only_view = bean(java_class, 2, name=name, url=url)
    credentials = Bean("com.cloudbees.plugins.credentials.ViewCredentialsAction", [Field("stores", dict)])
    fields = [
        Field("actions", lambda: [*[EMPTY] * (6 if multibranch else 3), credentials]),
        *_names(folder, url),
        Field("healthReport", lambda: _worst_health(folder)),
        Field("jobs", lambda: visible(view, folder)),
        Field("primaryView", lambda: only_view),
        Field("views", lambda: [only_view]),
    ]
    if multibranch:
        fields.append(Field("sources", lambda: [EMPTY]))
    return Bean(str(folder.kind), fields)


def _names(item: Item, url: str) -> list[Field]:
    return [
        Field("description", lambda: item.description),
        Field("displayName", lambda: item.display_name or item.name),
        Field("displayNameOrNull", lambda: item.display_name),
        Field("fullDisplayName", lambda: item.full_display_name),
        Field("fullName", lambda: item.full_name),
        Field("name", lambda: item.name, ALWAYS),
        Field("url", lambda: url, ALWAYS),
    ]


def job_bean(view: View, job: Job) -> Bean:
    """A Pipeline, a branch or a freestyle job."""
    from tests.support.jenkins.builds import build_bean

    def one(find: Callable[[], Build | None]) -> Callable[[], Bean | None]:
        def get() -> Bean | None:
            build = find()
            return None if build is None else build_bean(view, build)

        return get

    return Bean(
        str(job.kind),
        [
            Field("actions", lambda: _actions(view, job)),
            *_names(job, view.link(job)),
            Field("buildable", lambda: job.buildable),
            Field("builds", lambda: [build_bean(view, build) for build in job.newest_first()[:100]]),
            Field("allBuilds", lambda: [build_bean(view, build) for build in job.newest_first()], -1),
            Field("color", lambda: job.color, 2),
            Field("firstBuild", one(lambda: job.newest_first()[-1] if job.builds else None)),
            Field("healthReport", lambda: health(job)),
            Field("inQueue", lambda: _queue_item(view, job) is not None),
            Field("keepDependencies", lambda: False),
            Field("lastBuild", one(job.last)),
            Field("lastCompletedBuild", one(job.last_completed)),
            Field("lastFailedBuild", one(lambda: job.last("FAILURE"))),
            Field("lastStableBuild", one(lambda: job.last("SUCCESS"))),
            Field("lastSuccessfulBuild", one(lambda: job.last("SUCCESS", "UNSTABLE"))),
            Field("lastUnstableBuild", one(lambda: job.last("UNSTABLE"))),
            Field("lastUnsuccessfulBuild", one(lambda: job.last("UNSTABLE", "FAILURE", "ABORTED", "NOT_BUILT"))),
            Field("nextBuildNumber", lambda: job.next_number),
            Field("property", lambda: _properties(job)),
            Field("queueItem", lambda: _queue_item(view, job)),
            Field("concurrentBuild", lambda: job.concurrent),
            *(_freestyle_fields(job) if job.kind is Kind.FREESTYLE else [Field("resumeBlocked", lambda: False)]),
        ],
    )


def _freestyle_fields(job: Job) -> list[Field]:
    return [
        Field("disabled", lambda: job.disabled),
        Field("downstreamProjects", list),
        Field("labelExpression", lambda: job.label or None),
        Field("scm", lambda: bean("hudson.scm.NullSCM")),
        Field("upstreamProjects", list),
    ]


def _actions(view: View, job: Job) -> list[Bean]:
    url = view.link(job)
    shown = bean("org.jenkinsci.plugins.displayurlapi.actions.JobDisplayAction", displayUrl=url)
    credentials = bean("com.cloudbees.plugins.credentials.ViewCredentialsAction", stores={})
    if job.kind is Kind.FREESTYLE:
        # Only a freestyle job lists its parameters among the actions as well, and there the default has no name.
        return [*(_parameters(job, with_name=False)), *[EMPTY] * 4, shown, credentials]
    return [*[EMPTY] * 8, shown, EMPTY, EMPTY, credentials]


def _properties(job: Job) -> list[Bean]:
    found: list[Bean] = []
    if job.branch is not None:
        branch = bean("jenkins.branch.Branch$Dead") if job.dead else EMPTY
        found.append(bean("org.jenkinsci.plugins.workflow.multibranch.BranchJobProperty", 2, branch=branch))
    found += _parameters(job, with_name=True)
    if job.discarder:
        found.append(bean("jenkins.model.BuildDiscarderProperty"))
    if not job.concurrent and job.kind is Kind.PIPELINE:
        found.append(bean("org.jenkinsci.plugins.workflow.job.properties.DisableConcurrentBuildsJobProperty"))
    if job.hook_token is not None and job.kind is Kind.PIPELINE:
        found.append(bean("org.jenkinsci.plugins.workflow.job.properties.PipelineTriggersJobProperty"))
    return found


def _parameters(job: Job, *, with_name: bool) -> list[Bean]:
    if not job.parameters:
        return []
    definitions = [_definition(parameter, with_name=with_name) for parameter in job.parameters]
    return [bean("hudson.model.ParametersDefinitionProperty", 2, parameterDefinitions=definitions)]


def _definition(parameter: Parameter, *, with_name: bool) -> Bean:
    value_kind = ParameterKind.STRING if parameter.kind is ParameterKind.CHOICE else parameter.kind
    name = {"name": parameter.name} if with_name else {}
    # The value of a secret is never exported.
    value: dict[str, Any] = {} if parameter.kind is ParameterKind.PASSWORD else {"value": parameter.fallback()}
    choices = {"choices": list(parameter.choices)} if parameter.kind is ParameterKind.CHOICE else {}
    return bean(
        f"hudson.model.{parameter.kind}ParameterDefinition",
        ALWAYS,
        defaultParameterValue=bean(f"hudson.model.{value_kind}ParameterValue", ALWAYS, **name, **value),
        description=parameter.description,
        name=parameter.name,
        type=f"{parameter.kind}ParameterDefinition",
        **choices,
    )


def _queue_item(view: View, job: Job) -> Bean | None:
    from tests.support.jenkins.queue import item_bean as queue_item_bean

    items = [item for item in view.controller.waiting_items if item.job is job]
    return queue_item_bean(view, items[0]) if items else None


def health(job: Job) -> list[Bean]:
    """Stability of the last five completed builds; nothing for a job that has none."""
    done = [build for build in job.newest_first() if not build.building][:5]
    if not done:
        return []
    bad = sum(build.result == "FAILURE" for build in done)
    score = 100 * (len(done) - bad) // len(done)
    if not bad:
        words = "No recent builds failed."
    elif bad == len(done):
        words = "All recent builds failed."
    else:
        words = f"{bad} out of the last {len(done)} builds failed."
    return [_health_bean(f"Build stability: {words}", score)]


def _health_bean(text: str, score: int) -> Bean:
    # Five bands of 20; a full multiple belongs to the lower one (a score of 80 has the icon 60to79).
    band = next(
        name
        for limit, name in ((80, "80plus"), (60, "60to79"), (40, "40to59"), (20, "20to39"), (-1, "00to19"))
        if score > limit
    )
    icon = f"health-{band}"
    return bean(None, 2, description=text, iconClassName=f"icon-{icon}", iconUrl=f"{icon}.png", score=score)


def _worst_health(folder: Folder) -> list[Bean]:
    """A multibranch project shows the worst of its branches."""
    if not isinstance(folder, Multibranch):
        return []
    scored = [(one, item) for item in folder.sorted_items() if isinstance(item, Job) for one in health(item)]
    if not scored:
        return []
    values = [({each.name: each.get() for each in one.fields}, item) for one, item in scored]
    worst, item = min(values, key=lambda pair: int(pair[0]["score"]))
    return [_health_bean(f"Worst health: {item.full_display_name}: {worst['description']}", int(worst["score"]))]
