"""One build: reading it, its stages, logs and artifacts, and what can be posted to it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from mimetypes import guess_type

from console.demo.controller import Build, FlowNode, Permission, Pipeline, Say
from console.demo.controller.errors import KeptError, NoQuestionError, NotAllowedError, NotBuildableError
from tests.support.jenkins import answers, wfapi
from tests.support.jenkins.answers import Answer
from tests.support.jenkins.builds import build_bean, test_report
from tests.support.jenkins.exporting import export, is_api
from tests.support.jenkins.jobs import View
from tests.support.jenkins.logs import progressive
from tests.support.jenkins.requests import Request

_SANDBOX = "sandbox allow-same-origin; default-src 'none'; img-src 'self'; style-src 'self';"


class Builds:
    """Answers one request below the address of a build."""

    def __init__(self, view: View, request: Request, prefix: str, build: Build) -> None:
        self.view = view
        self.controller = view.controller
        self.request = request
        self.prefix = prefix
        self.build = build
        self.url = view.link_to_build(build)

    def answer(self, rest: list[str]) -> Answer:
        """`rest` are the path elements after the build's own."""
        build = self.build
        if is_api(rest):
            return export(self.view, self.request, build_bean(self.view, build))
        match rest:
            case []:
                return answers.page(self.controller, 200, f"{build.full_display_name} [Jenkins]", "<h1>Build</h1>")
            case ["consoleText"]:
                return answers.text(build.log.read()[0], chunked=True)
            case ["logText", "progressiveText"]:
                return progressive(self.controller, self.request, build.log, more=build.building)
            case ["artifact", *path]:
                return self._artifact("/".join(path))
            case ["testReport", *inner]:
                if build.suites and is_api(inner):
                    return export(self.view, self.request, test_report(build))
                return answers.bare_not_found()
            case ["wfapi", *inner]:
                return self._wfapi(inner)
            case ["execution", "node", number, *inner]:
                return self._node(number, inner)
            case ["input", name, action]:
                return self._input(name, action)
        return self._post(rest)

    def _artifact(self, path: str) -> Answer:
        if path.startswith("*zip*"):
            return Answer(200, [("Content-Type", "application/zip")], b"PK\x05\x06" + b"\0" * 18)
        content = self.build.artifacts.get(path)
        if content is None:
            return answers.not_found(self.controller)
        at = datetime.fromtimestamp((self.build.ended_at or self.view.now) / 1000, UTC)
        moment = at.strftime("%a, %d %b %Y %H:%M:%S GMT")
        headers = [
            ("Content-Security-Policy", _SANDBOX),
            ("Last-Modified", moment),
            ("Expires", moment),
            ("Accept-Ranges", "bytes"),
            ("Content-Type", guess_type(path)[0] or "application/octet-stream"),
        ]
        return Answer(200, headers, content)

    def _wfapi(self, rest: list[str]) -> Answer:
        build, now = self.build, self.view.now
        if not build.pipeline or not self.controller.stages_api:
            return answers.bare_not_found()
        match rest:
            case [] | ["describe"]:
                full = self.request.fields.get("fullStages") == "true"
                return answers.plain_json(wfapi.run(build, now, self.prefix, full=full))
            case ["artifacts"]:
                return answers.plain_json(wfapi.artifacts(build, self.prefix))
            case ["changesets"]:
                return answers.plain_json([])
            case ["pendingInputActions"]:
                return answers.plain_json([wfapi.question(build, asked, self.prefix) for asked in build.pending])
            case ["nextPendingInputAction"]:
                pending = build.pending
                return answers.plain_json(wfapi.question(build, pending[0], self.prefix) if pending else None)
            case ["inputSubmit"]:
                return self._submit(self.request.fields.get("inputId", ""))
        return answers.not_found(self.controller)

    def _node(self, number: str, rest: list[str]) -> Answer:
        flow = self.build.node(int(number)) if number.isdigit() else None
        if flow is None or not self.controller.stages_api:
            return answers.not_found(self.controller)
        match rest:
            case ["wfapi", "describe"]:
                describe = wfapi.node if flow.log is not None else wfapi.stage_with_steps
                return answers.plain_json(describe(self.build, flow, self.view.now, self.prefix))
            case ["wfapi", "log"]:
                return answers.plain_json(wfapi.step_log(self.build, flow, self.prefix))
            case ["log", "logText", "progressiveText"]:
                return self._node_log(flow)
        return answers.not_found(self.controller)

    def _node_log(self, flow: FlowNode) -> Answer:
        if flow.log is None:
            return answers.not_found(self.controller)
        return progressive(self.controller, self.request, flow.log, more=flow.ended_at is None)

    def _submit(self, name: str) -> Answer:
        """wfapi/inputSubmit: whatever is wrong, also a missing permission, is a 500, and the step keeps waiting."""
        from tests.support.jenkins.itemroutes import form_values

        if self.request.reads:
            return answers.form_required(self.controller)
        if not self.view.user.may(Permission.JOB_BUILD):
            return answers.oops(self.controller)
        try:
            values = form_values(self.request.fields.get("json", "{}"))
            self.controller.submit_input(self.build.job.full_name, self.build.number, name, values, by=self.view.user.id)
        except (NoQuestionError, NotAllowedError):
            return answers.oops(self.controller)
        return answers.empty(200)

    def _input(self, name: str, action: str) -> Answer:
        from tests.support.jenkins.itemroutes import form_values

        full_name, number, by = self.build.job.full_name, self.build.number, self.view.user.id
        try:
            self.controller.question(full_name, number, name)
        except NoQuestionError:
            return answers.not_found(self.controller)
        if action not in {"proceedEmpty", "abort", "submit", "proceed"}:
            return answers.not_found(self.controller)
        if self.request.reads:
            return answers.form_required(self.controller)
        allowed = self.view.user.may(Permission.JOB_BUILD)
        if not allowed and not (action == "abort" and self.view.user.may(Permission.JOB_CANCEL)):
            words = "You need to have Job/Build permissions to submit this."
            return answers.page(self.controller, 400, "Jenkins [Jenkins]", f"<h1>Error</h1><p>{words}</p>", ("X-Error", words))
        try:
            if action == "abort" or (action == "submit" and "abort" in self.request.fields):
                self.controller.reject_input(full_name, number, name, by=by)
            else:
                values = form_values(self.request.fields.get("json", "{}")) if action != "proceedEmpty" else None
                self.controller.submit_input(full_name, number, name, values, by=by)
        except (NoQuestionError, NotAllowedError):
            return answers.oops(self.controller)
        return answers.empty(302, f"{self.url}console") if action == "submit" else answers.empty(200)

    def _post(self, rest: list[str]) -> Answer:
        actions: dict[tuple[str, ...], tuple[Permission, Callable[[], Answer]]] = {
            ("stop",): (Permission.JOB_CANCEL, self._stop),
            ("doDelete",): (Permission.RUN_DELETE, self._delete),
            ("toggleLogKeep",): (Permission.RUN_UPDATE, self._keep),
            ("submitDescription",): (Permission.RUN_UPDATE, self._describe),
            ("configSubmit",): (Permission.RUN_UPDATE, self._configure),
        }
        if self.build.pipeline:
            actions |= {
                ("kill",): (Permission.JOB_CANCEL, self._kill),
                ("term",): (Permission.JOB_CANCEL, self._stop),
                ("replay", "rebuild"): (Permission.JOB_BUILD, self._rebuild),
                ("replay", "run"): (Permission.RUN_REPLAY, self._replay),
            }
        if self.build.pipeline and rest == ["replay"] and self.request.reads:
            return answers.page(self.controller, 200, f"Replay {self.build.shown_name} [Jenkins]", "<h1>Replay</h1>")
        known = actions.get(tuple(rest))
        if known is None:
            if not self.request.reads and len(rest) == 1 and not self.request.path.endswith("/"):
                # An action that does not exist: the server only adds a slash, which looks like success.
                return answers.empty(302, f"{self.url}{rest[0]}/")
            return answers.not_found(self.controller)
        if self.request.reads:
            return answers.form_required(self.controller)
        permission, act = known
        if not self.view.user.may(permission):
            return answers.denied(self.controller, self.view.user, permission, names=permission is not Permission.RUN_REPLAY)
        return act()

    def _stop(self) -> Answer:
        self.controller.stop(self.build.job.full_name, self.build.number, by=self.view.user.id)
        return answers.empty(302, self.url)

    def _kill(self) -> Answer:
        self.controller.kill(self.build.job.full_name, self.build.number)
        return answers.empty(302, self.url)

    def _delete(self) -> Answer:
        try:
            self.controller.delete_build(self.build.job.full_name, self.build.number)
        except KeptError as error:
            return answers.page(
                self.controller, 400, "Jenkins [Jenkins]", f"<h1>Error</h1><p>{error}</p>", ("X-Error", str(error))
            )
        return answers.empty(302, self.view.link(self.build.job))

    def _keep(self) -> Answer:
        self.build.keep = not self.build.keep
        return answers.empty(302, self.url)

    def _describe(self) -> Answer:
        self.build.description = self.request.fields.get("description") or None
        return answers.empty(302, self.url)

    def _configure(self) -> Answer:
        try:
            asked = json.loads(self.request.fields.get("json", "{}"))
        except ValueError:
            return answers.oops(self.controller)
        self.build.display_name = asked.get("displayName") or None
        self.build.description = asked.get("description") or None
        return answers.empty(302, self.url)

    def _rebuild(self) -> Answer:
        return self._again(None)

    def _replay(self) -> Answer:
        # The new script is Groovy, which the model does not read: it prints the script's text instead.
        return self._again(Pipeline((Say(self.request.fields.get("json", "")),), declarative=False))

    def _again(self, script: Pipeline | None) -> Answer:
        try:
            self.controller.replay(self.build.job.full_name, self.build.number, by=self.view.user.id, script=script)
        except NotBuildableError:
            return answers.page(self.controller, 409, "Jenkins [Jenkins]", "<h1>Not buildable</h1>")
        return answers.empty(302, self.view.link(self.build.job))
