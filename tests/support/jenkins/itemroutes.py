"""Folders and jobs: finding the object of an address, reading it, and what can be posted to a job."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping

from console.demo.controller import Build, Folder, Item, Job, Kind, Multibranch, Permission
from console.demo.controller.errors import NotBuildableError, NotParameterizedError
from console.demo.controller.items import encode
from console.demo.controller.parameters import BadValueError, Value
from tests.support.jenkins import answers, wfapi
from tests.support.jenkins.answers import Answer
from tests.support.jenkins.buildroutes import Builds
from tests.support.jenkins.exporting import export, is_api
from tests.support.jenkins.jobs import View, folder_bean, job_bean, view_bean
from tests.support.jenkins.logs import progressive
from tests.support.jenkins.requests import Request

_DELAY = re.compile(r"(\d+)(sec|secs)?$")


class Items:
    """Answers one request below `/job/`."""

    def __init__(self, view: View, request: Request, prefix: str) -> None:
        self.view = view
        self.controller = view.controller
        self.request = request
        self.prefix = prefix

    def answer(self) -> Answer:
        if not self.view.user.may(Permission.JOB_READ):
            # Whoever may not read jobs does not learn that they exist.
            return answers.not_found(self.controller)
        item: Item = self.controller.root
        rest, written = self.request.segments, [part for part in self.request.path.split("/") if part]
        while isinstance(item, Folder) and rest[:1] == ["job"] and len(rest) > 1:
            found = item.items.get(rest[1]) or item.items.get(encode(rest[1]))
            if found is None:
                return answers.not_found(self.controller)
            item, rest = found, rest[2:]
            self.view.asked[item.full_name] = "/".join(written[: len(written) - len(rest)]) + "/"
        if not rest and self.request.reads:
            if not self.request.path.endswith("/"):
                return answers.empty(302, self.view.link(item))
            return answers.page(self.controller, 200, f"{item.name} [Jenkins]", "<h1>Job</h1>")
        return self._job(item, rest) if isinstance(item, Job) else self._folder(item, rest)

    def _folder(self, folder: Folder, rest: list[str]) -> Answer:
        if is_api(rest):
            return export(self.view, self.request, folder_bean(self.view, folder))
        if len(rest) > 2 and rest[0] == "view" and is_api(rest[2:]):
            return export(self.view, self.request, view_bean(self.view, folder, rest[1]))
        if rest == ["config.xml"]:
            return self._config(folder)
        if isinstance(folder, Multibranch):
            if rest == ["build"]:
                return self._scan(folder)
            if rest == ["indexing", "consoleText"]:
                return answers.text(folder.indexing.read()[0], chunked=True)
            if rest == ["indexing", "logText", "progressiveText"]:
                return progressive(self.controller, self.request, folder.indexing, more=False)
        return answers.not_found(self.controller)

    def _scan(self, project: Multibranch) -> Answer:
        refused = self._refused(Permission.JOB_BUILD)
        if refused is not None:
            return refused
        self.controller.scan(project.full_name, by=self.view.user.id)
        return answers.empty(302, self.view.link(project))

    def _job(self, job: Job, rest: list[str]) -> Answer:
        if is_api(rest):
            return export(self.view, self.request, job_bean(self.view, job))
        if rest[:1] == ["wfapi"]:
            return self._wfapi(job, rest[1:])
        match rest:
            case ["build"]:
                return self._build(job)
            case ["buildWithParameters"]:
                return self._build_with_parameters(job)
            case ["config.xml"]:
                return self._config(job)
            case ["disable" | "enable" as action]:
                return self._switch(job, disabled=action == "disable")
            case ["doDelete"]:
                return self._delete(job)
            case [name, *inner]:
                build = find_build(job, name)
                if build is not None:
                    return Builds(self.view, self.request, self.prefix, build).answer(inner)
        return answers.not_found(self.controller)

    def _wfapi(self, job: Job, rest: list[str]) -> Answer:
        if job.kind is not Kind.PIPELINE or not self.controller.stages_api:
            return answers.bare_not_found()
        if rest in ([], ["describe"]):
            return answers.plain_json(wfapi.job(job, self.prefix))
        if rest == ["runs"]:
            fields = self.request.fields
            full = fields.get("fullStages") == "true"
            return answers.plain_json(wfapi.runs(job, self.view.now, self.prefix, since=fields.get("since"), full=full))
        return answers.not_found(self.controller)

    def _refused(self, permission: Permission, *headers: tuple[str, str]) -> Answer | None:
        """The refusal of a POST: a GET is 405, a missing permission 403; None when it may go on."""
        if self.request.reads:
            return answers.form_required(self.controller, *headers)
        return None if self.view.user.may(permission) else answers.denied(self.controller, self.view.user, permission)

    def _build(self, job: Job) -> Answer:
        refused = self._refused(Permission.JOB_BUILD, ("Allow", "POST"))
        if refused is not None:
            return refused
        if not job.buildable:
            return answers.page(self.controller, 409, "Jenkins [Jenkins]", f"<h1>{job.name} is not buildable</h1>")
        form = self.request.fields.get("json")
        if job.parameters and form is None:
            return answers.jetty(400, "Nothing is submitted", self.prefix + self.request.path)
        if form is not None and job.parameters:
            answer = self._trigger(job, form_values(form))
            # The classic form leads back to the job: it does not say which queue item it made.
            return answers.empty(201, self.view.link(job)) if answer.status in {201, 303} else answer
        answer = self._trigger(job, None)
        return answers.empty(201, answer.header("Location")) if answer.status == 303 else answer

    def _build_with_parameters(self, job: Job) -> Answer:
        refused = self._refused(Permission.JOB_BUILD, ("Allow", "POST"))
        return refused or self._trigger(job, dict(self.request.fields))

    def _trigger(self, job: Job, values: Mapping[str, Value] | None) -> Answer:
        delay: float | None = None
        if "delay" in self.request.fields:
            match = _DELAY.match(self.request.fields["delay"])
            if match is None:
                return answers.oops(self.controller)
            delay = float(match[1])
        try:
            item, merged = self.controller.trigger(job.full_name, values, by=self.view.user.id, delay=delay)
        except NotBuildableError:
            return answers.page(self.controller, 409, "Jenkins [Jenkins]", f"<h1>{job.name} is not buildable</h1>")
        except (NotParameterizedError, BadValueError):
            return answers.oops(self.controller)
        return answers.empty(303 if merged else 201, f"{self.view.url}queue/item/{item.id}/")

    def _config(self, item: Item) -> Answer:
        if not self.view.user.may(Permission.JOB_CONFIGURE):
            return answers.denied(self.controller, self.view.user, Permission.JOB_CONFIGURE)
        if not self.request.reads:
            if isinstance(item, Job):
                item.config = self.request.body.decode("utf-8", "replace")
            return answers.empty(200)
        root = {Kind.PIPELINE: "flow-definition", Kind.FREESTYLE: "project"}.get(item.kind, str(item.kind))
        words = html.escape(item.description or "")
        default = f"<?xml version='1.1' encoding='UTF-8'?>\n<{root}>\n  <description>{words}</description>\n</{root}>"
        text = item.config if isinstance(item, Job) and item.config else default
        return Answer(200, [("Content-Type", "application/xml")], text.encode())

    def _switch(self, job: Job, *, disabled: bool) -> Answer:
        if job.branch is not None and not self.request.reads:
            # A branch belongs to its project: nobody may configure it, not even an administrator.
            return answers.denied(self.controller, self.view.user, Permission.JOB_CONFIGURE)
        refused = self._refused(Permission.JOB_CONFIGURE)
        if refused is not None:
            return refused
        job.disabled = disabled
        return answers.empty(302, self.view.link(job))

    def _delete(self, job: Job) -> Answer:
        refused = self._refused(Permission.JOB_DELETE)
        if refused is not None:
            return refused
        self.controller.delete_item(job.full_name)
        return answers.empty(302, self.view.link(job.parent))


def find_build(job: Job, name: str) -> Build | None:
    """A build by its number or by one of Jenkins' permalinks."""
    if name.isdigit():
        return job.builds.get(int(name))
    permalinks: dict[str, tuple[str, ...]] = {
        "lastFailedBuild": ("FAILURE",),
        "lastStableBuild": ("SUCCESS",),
        "lastSuccessfulBuild": ("SUCCESS", "UNSTABLE"),
        "lastUnstableBuild": ("UNSTABLE",),
        "lastUnsuccessfulBuild": ("UNSTABLE", "FAILURE", "ABORTED", "NOT_BUILT"),
    }
    if name == "lastBuild":
        return job.last()
    if name == "lastCompletedBuild":
        return job.last_completed()
    return job.last(*permalinks[name]) if name in permalinks else None


def form_values(form: str) -> dict[str, Value]:
    """The values of Jenkins' own `json` form field: `{"parameter": [{"name": .., "value": ..}]}`, or one object alone."""
    try:
        asked = json.loads(form).get("parameter", [])
    except (ValueError, AttributeError):
        return {}
    entries = asked if isinstance(asked, list) else [asked]
    return {str(entry["name"]): entry.get("value", "") for entry in entries if isinstance(entry, dict) and "name" in entry}
