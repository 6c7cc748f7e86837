"""Builds as the server exports them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from console.demo.controller import Build, Cause, CauseKind, Change, Checkout, ParameterKind, ParameterValue
from tests.support.jenkins.beans import ALWAYS, Bean, Field, bean
from tests.support.jenkins.jobs import EMPTY, View

RUN = "org.jenkinsci.plugins.workflow.job.WorkflowRun"
FREESTYLE_BUILD = "hudson.model.FreeStyleBuild"


def build_class(build: Build) -> str:
    return RUN if build.pipeline else FREESTYLE_BUILD


def build_bean(view: View, build: Build) -> Bean:
    """One build, `/job/NAME/N/api/json`."""
    executor = bean("hudson.model.OneOffExecutor" if build.pipeline else "hudson.model.Executor")
    head = [
        Field("actions", lambda: _actions(view, build)),
        Field("artifacts", lambda: [_artifact(path) for path in sorted(build.artifacts)]),
        Field("building", lambda: build.building),
        Field("description", lambda: build.description),
        Field("displayName", lambda: build.shown_name),
        Field("duration", lambda: build.duration),
        Field("estimatedDuration", lambda: build.job.estimate() if not build.building else build.estimate),
        Field("executor", lambda: executor if build.building else None),
        Field("fullDisplayName", lambda: build.full_display_name),
        Field("id", lambda: str(build.number)),
    ]
    in_progress = [Field("inProgress", lambda: build.building)]
    middle = [
        Field("keepLog", lambda: build.keep),
        Field("number", lambda: build.number, 3),
        Field("queueId", lambda: build.queue_id),
        Field("result", lambda: build.result),
        Field("timestamp", lambda: build.left_queue_at),
        Field("url", lambda: view.link_to_build(build), 3),
    ]
    if not build.pipeline:
        changes = bean("hudson.scm.EmptyChangeLogSet", ALWAYS, items=[], kind=None)
        tail = [Field("builtOn", lambda: build.built_on), Field("changeSet", lambda: changes), Field("culprits", list)]
        return Bean(FREESTYLE_BUILD, [*head, *in_progress, *middle, *tail])
    tail = [
        Field("changeSets", lambda: _change_sets(view, build)),
        Field("culprits", lambda: _culprits(view, build)),
        *in_progress,
        Field("nextBuild", lambda: _neighbour(view, build, 1)),
        Field("previousBuild", lambda: _neighbour(view, build, -1)),
    ]
    return Bean(RUN, [*head, *middle, *tail])


def _change_sets(view: View, build: Build) -> list[Bean]:
    found = []
    for checkout in build.checkouts:
        items = [_change(view, change) for change in checkout.changes]
        if items:
            found.append(bean("hudson.plugins.git.GitChangeSetList", ALWAYS, items=items, kind="git"))
    return found


def _change(view: View, change: Change) -> Bean:
    day = datetime.fromtimestamp(change.at / 1000, UTC)
    return bean(
        "hudson.plugins.git.GitChangeSet", ALWAYS,
        affectedPaths=list(change.files), commitId=change.commit, timestamp=change.at, author=_person(view, change.author),
        authorEmail=change.email, comment=f"{change.message}\n", date=day.strftime("%Y-%m-%d %H:%M:%S +0000"), id=change.commit,
        msg=change.message, paths=[bean(None, ALWAYS, editType="edit", file=file) for file in change.files],
    )  # fmt: skip


def _person(view: View, name: str) -> Bean:
    return bean(None, ALWAYS, absoluteUrl=f"{view.url}user/{name}", fullName=name)


def _culprits(view: View, build: Build) -> list[Bean]:
    """Whoever changed something since the last good build: those of the bad builds before count too."""
    names: dict[str, None] = {}
    for other in build.job.newest_first():
        if other.number > build.number:
            continue
        if other is not build and other.result in {"SUCCESS", "UNSTABLE"}:
            break
        names |= {change.author: None for checkout in other.checkouts for change in checkout.changes}
    return [_person(view, name) for name in names]


def _artifact(path: str) -> Bean:
    name = path.rsplit("/", 1)[-1]
    return bean(None, 3, displayPath=name, fileName=name, relativePath=path)


def _neighbour(view: View, build: Build, step: int) -> Bean | None:
    numbers = sorted(build.job.builds)
    if build.number not in numbers:
        return None
    at = numbers.index(build.number) + step
    if not 0 <= at < len(numbers):
        return None
    full = build_bean(view, build.job.builds[numbers[at]])
    # The server knows the class of a neighbour from its place, so it leaves `_class` out here.
    return Bean(None, full.fields)


def _actions(view: View, build: Build) -> list[Bean]:
    hooked = any(cause.kind in {CauseKind.HOOK, CauseKind.UPSTREAM} for cause in build.causes[:1])
    asked = [parameters_action(build.parameters)] if build.parameters else []
    causes = cause_action(build.causes)
    first = [causes, *asked] if hooked else [*asked, causes]
    if not build.pipeline:
        stopped = _interruptions(build)
        return [*first, *stopped, EMPTY, EMPTY, _display_action(view, build)]
    return [*first, *_pipeline_actions(view, build)]


def _pipeline_actions(view: View, build: Build) -> list[Bean]:
    found: list[Bean] = []
    if build.job.branch is not None:
        found.append(bean("jenkins.scm.api.SCMRevisionAction"))
    found.append(bean("org.jenkinsci.plugins.workflow.libs.LibrariesAction", libraries=[]))
    if build.has_environment:
        found.append(bean("org.jenkinsci.plugins.workflow.cps.EnvActionImpl", environment={}))
    found += [build_data(checkout, build.number) for checkout in build.checkouts]
    if build.asked:
        waiting = bool(build.pending)
        found.append(
            bean(
                "org.jenkinsci.plugins.workflow.support.steps.input.InputAction",
                displayName="Paused for Input" if waiting else None,
                executions=[EMPTY for _ in build.pending],
                waitingForInput=waiting,
            )
        )
    if build.suites:
        found.append(test_action(build))
    found += [
        bean("org.jenkinsci.plugins.workflow.support.steps.input.ApproverAction", userId=user) for user in build.approvers
    ]
    found += _interruptions(build)
    packages = {"F": "org.jenkinsci.plugins.workflow.graph.", "S": "org.jenkinsci.plugins.workflow.cps.nodes."}
    graph = [Bean(packages[name[0]] + name) for name in build.graph]
    restartable = [stage.name for stage in build.stages if stage.name != "Declarative: Post Actions"]
    found += [
        EMPTY,
        EMPTY,
        EMPTY,
        _display_action(view, build),
        bean(
            "org.jenkinsci.plugins.pipeline.modeldefinition.actions.RestartDeclarativePipelineAction",
            restartEnabled=not build.building and build.declarative,
            restartableStages=restartable if build.declarative else [],
        ),
        EMPTY,
        bean("org.jenkinsci.plugins.workflow.job.views.FlowGraphAction", nodes=graph),
        EMPTY,
        EMPTY,
        EMPTY,
    ]
    return found


def _interruptions(build: Build) -> list[Bean]:
    """One action for each interruption, its cause shows with a tree= only."""
    return [
        bean("jenkins.model.InterruptedBuildAction", causes=[bean(java_class, 3, shortDescription=words)])
        for java_class, words in build.interruptions
    ]


def _display_action(view: View, build: Build) -> Bean:
    url = view.link_to_build(build)
    return bean(
        "org.jenkinsci.plugins.displayurlapi.actions.RunDisplayAction",
        artifactsUrl=f"{url}artifact",
        changesUrl=view.link(build.job) + "changes",
        displayUrl=url,
        testsUrl=f"{url}testReport",
    )


def parameters_action(values: tuple[ParameterValue, ...]) -> Bean:
    return bean("hudson.model.ParametersAction", 2, parameters=[_parameter(value) for value in values])


def _parameter(value: ParameterValue) -> Bean:
    kind = ParameterKind.STRING if value.kind is ParameterKind.CHOICE else value.kind
    # A password is exported without its value.
    shown = {} if value.kind is ParameterKind.PASSWORD else {"value": value.value}
    return bean(f"hudson.model.{kind}ParameterValue", 3, name=value.name, **shown)


def cause_action(causes: list[Cause]) -> Bean:
    return bean("hudson.model.CauseAction", 2, causes=[_cause(cause) for cause in causes])


def _cause(cause: Cause) -> Bean:
    more: dict[str, Any] = {}
    if cause.user is not None:
        more = {"userId": cause.user[0], "userName": cause.user[1]}
    elif cause.upstream is not None:
        name, path, number = cause.upstream
        more = {"upstreamBuild": number, "upstreamProject": name, "upstreamUrl": path}
    return bean(str(cause.kind), 3, shortDescription=cause.text, **more)


def build_data(checkout: Checkout, number: int) -> Bean:
    """What the git plugin leaves: from it a client learns the commit."""
    branch = bean(None, ALWAYS, SHA1=checkout.commit, name=checkout.branch)
    revision = bean(None, ALWAYS, SHA1=checkout.commit, branch=[branch])
    of_branch = bean(
        "hudson.plugins.git.util.Build", ALWAYS, buildNumber=number, buildResult=None, marked=revision, revision=revision
    )
    return bean(
        "hudson.plugins.git.util.BuildData",
        2,
        buildsByBranchName={checkout.branch: of_branch},
        lastBuiltRevision=revision,
        remoteUrls=[checkout.remote],
        scmName="",
    )


def test_action(build: Build) -> Bean:
    passed, failed, skipped = test_counts(build)
    total = passed + failed + skipped
    return bean(
        "hudson.tasks.junit.TestResultAction", 2, failCount=failed, skipCount=skipped, totalCount=total, urlName="testReport"
    )


def test_counts(build: Build) -> tuple[int, int, int]:
    """Passed, failed, skipped."""
    cases = [case for suite in build.suites for case in suite.cases]
    failed = sum(case.failure is not None for case in cases)
    skipped = sum(case.skipped for case in cases)
    return len(cases) - failed - skipped, failed, skipped


def test_report(build: Build) -> Bean:
    """`/testReport/api/json`."""
    passed, failed, skipped = test_counts(build)
    suites = []
    for suite in build.suites:
        cases = []
        for case in suite.cases:
            # The age of a skipped case counts from build 0, since it never failed.
            ages = {"PASSED": 0, "FAILED": 1, "SKIPPED": build.number + 1}
            status = "FAILED" if case.failure else "SKIPPED" if case.skipped else "PASSED"
            cases.append(
                bean(
                    None, ALWAYS,
                    testActions=[], age=ages[status], className=case.class_name, duration=case.duration,
                    errorDetails=case.failure[0] if case.failure else None,
                    errorStackTrace=case.failure[1] if case.failure else None,
                    failedSince=build.number if case.failure else 0, name=case.name, properties={}, skipped=case.skipped,
                    skippedMessage="" if case.skipped else None, status=status, stderr=None, stdout=None,
                )
            )  # fmt: skip
        suites.append(
            bean(
                None, ALWAYS,
                cases=cases, duration=round(sum(case.duration for case in suite.cases), 3),
                enclosingBlockNames=[name for _, name in suite.stages],
                enclosingBlocks=[str(number) for number, _ in suite.stages], id=None, name=suite.name,
                nodeId=str(suite.step) if suite.step else None, properties={}, stderr=None, stdout=None, timestamp=None,
            )
        )  # fmt: skip
    duration = round(sum(case.duration for suite in build.suites for case in suite.cases), 3)
    return bean(
        "hudson.tasks.junit.TestResult",
        testActions=[],
        duration=duration,
        empty=not suites,
        failCount=failed,
        passCount=passed,
        skipCount=skipped,
        suites=suites,
    )
