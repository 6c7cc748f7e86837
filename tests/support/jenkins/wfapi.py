"""Runs, stages and steps as the plugin pipeline-rest-api shows them. Addresses in it have no host."""

from __future__ import annotations

import html
from typing import Any

from console.demo.controller import Build, FlowNode, Job, ParameterKind, Question, Status

Json = dict[str, Any]


def run(build: Build, now: int, base: str, *, full: bool = False) -> Json:
    """`wfapi/describe` of a build; `full` with the steps of each stage; `base` is the path prefix of the server."""
    at = f"{base}/{build.path}wfapi/"
    links: Json = {"self": {"href": f"{at}describe"}}
    if any(checkout.changes for checkout in build.checkouts):
        links["changesets"] = {"href": f"{at}changesets"}
    if build.pending:
        links["pendingInputActions"] = {"href": f"{at}pendingInputActions"}
        links["nextPendingInputAction"] = {"href": f"{at}nextPendingInputAction"}
    if build.artifacts:
        links["artifacts"] = {"href": f"{at}artifacts"}
    end = build.ended_at if build.ended_at is not None else now
    return {
        "_links": links,
        "id": str(build.number),
        "name": build.shown_name,
        "status": str(build.status()),
        "startTimeMillis": build.started_at,
        "endTimeMillis": end,
        "durationMillis": end - build.started_at,
        "queueDurationMillis": build.started_at - build.left_queue_at,
        "pauseDurationMillis": pause(build, now),
        "stages": [
            stage_with_steps(build, stage, now, base) if full else node(build, stage, now, base) for stage in build.stages
        ],
    }


def pause(build: Build, now: int) -> int:
    """Milliseconds that the steps of a run have waited for people."""
    return sum(step.paused(now) for step in build.nodes if step.log is not None)


def node(build: Build, flow: FlowNode, now: int, base: str) -> Json:
    """A stage or a step."""
    at = f"{base}/{build.path}execution/node/{flow.id}/"
    links: Json = {"self": {"href": f"{at}wfapi/describe"}}
    if flow.log is not None:
        links["log"] = {"href": f"{at}wfapi/log"}
        links["console"] = {"href": f"{at}log"}
    shown: Json = {
        "_links": links,
        "id": str(flow.id),
        "name": flow.name,
        "execNode": "",  # empty in every recording, also for steps on an agent
        "status": str(flow.shown_status),
    }
    if flow.failure is not None:
        shown["error"] = {"message": flow.failure.message, "type": flow.failure.type}
    if flow.description is not None:
        shown["parameterDescription"] = flow.description
    shown["startTimeMillis"] = flow.started_at
    shown["durationMillis"] = flow.duration(now)
    shown["pauseDurationMillis"] = flow.paused(now)
    if flow.log is not None:
        shown["parentNodes"] = [str(flow.parent)]
    return shown


def stage_with_steps(build: Build, stage: FlowNode, now: int, base: str) -> Json:
    """`execution/node/N/wfapi/describe` of a stage."""
    return {**node(build, stage, now, base), "stageFlowNodes": [node(build, step, now, base) for step in build.steps_of(stage)]}


def step_log(build: Build, flow: FlowNode, base: str) -> Json:
    """`execution/node/N/wfapi/log`: html-escaped text; a stage has none."""
    shown: Json = {"nodeId": str(flow.id), "nodeStatus": str(flow.status)}
    size = flow.log.size if flow.log is not None else 0
    if flow.log is None or not size:
        return {**shown, "length": 0, "hasMore": False, "consoleUrl": None}
    text, _ = flow.log.read()
    return {
        **shown,
        "length": size,
        "hasMore": flow.status is Status.IN_PROGRESS,
        "text": html.escape(text, quote=False),
        "consoleUrl": f"{base}/{build.path}execution/node/{flow.id}/log",
    }


def question(build: Build, asked: Question, base: str) -> Json:
    """One entry of `wfapi/pendingInputActions`."""
    at = f"{base}/{build.path}"
    inputs = []
    for parameter in asked.step.parameters:
        # An empty default is shown as null.
        definition: Json = {"defaultVal": parameter.fallback() if parameter.fallback() != "" else None}
        if parameter.kind is ParameterKind.CHOICE:
            definition["choices"] = list(parameter.choices)
        inputs.append(
            {
                "type": f"{parameter.kind}ParameterDefinition",
                "name": parameter.name,
                "description": parameter.description,
                "definition": definition,
            }
        )
    return {
        "id": asked.id,
        "proceedText": asked.step.ok,
        "message": asked.step.message,
        "inputs": inputs,
        "proceedUrl": f"{at}wfapi/inputSubmit?inputId={asked.id}",
        "abortUrl": f"{at}input/{asked.id}/abort",
        "redirectApprovalUrl": f"{at}input/",
    }


def artifacts(build: Build, base: str) -> list[Json]:
    """`wfapi/artifacts`."""
    return [
        {
            "id": f"n{number}",
            "name": path.rsplit("/", 1)[-1],
            "path": path,
            "url": f"{base}/{build.path}artifact/{path}",
            "size": len(build.artifacts[path]),
        }
        for number, path in enumerate(sorted(build.artifacts), 1)
    ]


def job(one: Job, base: str) -> Json:
    """`wfapi/` of a job."""
    at = f"{base}/{one.path}wfapi/"
    return {
        "_links": {"self": {"href": f"{at}describe"}, "runs": {"href": f"{at}runs"}},
        "name": one.name,
        "runCount": len(one.builds),
    }


def runs(one: Job, now: int, base: str, *, since: str | None = None, full: bool = False) -> list[Json]:
    """`wfapi/runs`: the newest first; `since` is the name of the oldest run that is wanted."""
    shown = []
    for build in one.newest_first():
        shown.append(run(build, now, base, full=full))
        if since is not None and build.shown_name == since:
            break
    return shown
