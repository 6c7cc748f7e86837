"""Everything that is not below a job: the root, login, crumbs, nodes, the queue, tokens, webhooks."""

from __future__ import annotations

from console.demo.controller import Permission
from console.demo.controller.errors import AlreadyCancelledError, MissingError
from tests.support.jenkins import answers
from tests.support.jenkins.answers import Answer
from tests.support.jenkins.beans import ALWAYS, Bean, bean
from tests.support.jenkins.computers import computer_bean, computers_bean, label_bean
from tests.support.jenkins.exporting import export, is_api
from tests.support.jenkins.jobs import View, root_bean, view_bean
from tests.support.jenkins.logs import progressive
from tests.support.jenkins.queue import item_bean, queue_bean
from tests.support.jenkins.requests import Request


class Root:
    """Answers one request outside of the jobs."""

    def __init__(self, view: View, request: Request, prefix: str, session: str) -> None:
        self.view = view
        self.controller = view.controller
        self.request = request
        self.prefix = prefix
        self.session = session

    def public(self) -> Answer | None:
        """What anybody may see, None for anything else."""
        segments = self.request.segments
        if segments == ["login"]:
            return answers.login_page(self.controller)
        if segments[:1] == ["whoAmI"] and is_api(segments[1:]):
            return self._export(self._who())
        if segments == ["generic-webhook-trigger", "invoke"]:
            return self._hook()
        return None

    def answer(self) -> Answer:
        """What a person with Overall/Read gets."""
        match self.request.segments:
            case []:
                return answers.page(self.controller, 200, "Dashboard [Jenkins]", "<h1>Dashboard</h1>")
            case [*rest] if is_api(rest):
                return self._export(root_bean(self.view))
            case ["view", name, *rest] if is_api(rest):
                return self._export(view_bean(self.view, self.controller.root, name))
            case ["crumbIssuer", *rest] if is_api(rest):
                return self._export(self._crumb())
            case ["label", name, *rest] if is_api(rest):
                return self._export(label_bean(self.view, name, "hudson.model.labels.LabelAtom"))
            case ["computer", *rest]:
                return self._computer(rest)
            case ["queue", *rest]:
                return self._queue(rest)
            case ["pluginManager", *rest] if is_api(rest):
                return self._may(Permission.ADMINISTER) or self._export(self._plugins())
            case ["quietDown" | "cancelQuietDown" | "restart" | "safeRestart" as action]:
                return self._administer(action)
            case ["user", name, "descriptorByName", "jenkins.security.ApiTokenProperty", "generateNewToken"]:
                return self._new_token(name)
        return answers.not_found(self.controller)

    def _export(self, what: Bean) -> Answer:
        return export(self.view, self.request, what)

    def _who(self) -> Bean:
        user = self.view.user
        anonymous = user.id == "anonymous"
        return bean(
            "hudson.security.WhoAmI",
            anonymous=anonymous,
            authenticated=True,
            authorities=["anonymous" if anonymous else "authenticated"],
            name=user.id,
        )

    def _plugins(self) -> Bean:
        known = [("git", "Git plugin", "5.2.0", True), ("ssh-slaves", "SSH Build Agents plugin", "2.916.vd17b_43357ce4", False)]
        if self.controller.stages_api:
            known.insert(1, ("pipeline-rest-api", "Pipeline: REST API Plugin", "2.33", True))
        plugins = [
            bean(
                None, 2,
                active=enabled, backupVersion=None, bundled=False, deleted=False, dependencies=[], detached=False,
                downgradable=False, enabled=enabled, hasUpdate=not enabled, longName=title, pinned=False,
                requiredCoreVersion="2.387.3", shortName=name, supportsDynamicLoad="MAYBE",
                url=f"https://plugins.example.org/{name}", version=version,
            )
            for name, title, version, enabled in known
        ]  # fmt: skip
        return bean("hudson.LocalPluginManager", ALWAYS, plugins=plugins)

    def _crumb(self) -> Bean:
        crumb = self.controller.people.crumb(self.session, self.view.user.id)
        return bean("hudson.security.csrf.DefaultCrumbIssuer", crumb=crumb, crumbRequestField="Jenkins-Crumb")

    def _hook(self) -> Answer:
        fields, headers = self.request.fields, self.request.headers
        bearer = headers.get("authorization", "").removeprefix("Bearer ")
        token = fields.get("token") or headers.get("token") or bearer
        try:
            jobs = self.controller.hook(token, self.request.body.decode("utf-8", "replace"))
        except MissingError as error:
            answer = answers.plain_json({"jobs": None, "message": str(error)})
            answer.status = 404
            return answer
        shown = {
            name: {"triggered": triggered, "id": number, "url": f"queue/item/{number}/"}
            for name, (triggered, number) in jobs.items()
        }
        return answers.plain_json({"jobs": shown, "message": "Triggered jobs."})

    def _new_token(self, name: str) -> Answer:
        if self.view.user.id != name:
            return answers.denied(self.controller, self.view.user, Permission.ADMINISTER)
        if self.request.reads:
            return answers.form_required(self.controller)
        token = self.request.fields.get("newTokenName", "token")
        number, value = self.controller.people.generate_token(name, token)
        return answers.plain_json({"status": "ok", "data": {"tokenName": token, "tokenUuid": number, "tokenValue": value}})

    def _may(self, permission: Permission) -> Answer | None:
        """The refusal, None when this person may."""
        return None if self.view.user.may(permission) else answers.denied(self.controller, self.view.user, permission)

    def _administer(self, action: str) -> Answer:
        refused = self._may(Permission.ADMINISTER)
        if refused is not None:
            return refused
        if self.request.reads:
            return answers.form_required(self.controller)
        if action in {"restart", "safeRestart"}:
            self.controller.restart()
        else:
            self.controller.quiet_down(on=action == "quietDown")
        return answers.empty(302, self.view.url)

    def _computer(self, rest: list[str]) -> Answer:
        if is_api(rest):
            return self._export(computers_bean(self.view))
        try:
            node = self.controller.node(rest[0] if rest else "")
        except MissingError:
            return answers.not_found(self.controller)
        url = f"{self.view.url}computer/{rest[0]}/"
        match rest[1:]:
            case [*inner] if is_api(inner):
                return self._export(computer_bean(self.view, node))
            case ["logText", "progressiveText"]:
                if not self.view.user.may(Permission.AGENT_CONNECT):
                    # Either of two permissions would do here, and then the server names none.
                    return answers.denied(self.controller, self.view.user, Permission.AGENT_CONNECT, names=False)
                return progressive(self.controller, self.request, node.log.encode(), more=True)
            case ["toggleOffline"]:
                refused = self._may(Permission.AGENT_DISCONNECT)
                if refused is None and not self.request.reads:
                    self.controller.toggle_offline(node.name, self.request.fields.get("offlineMessage", ""))
                return refused or self._posted(url)
            case ["launchSlaveAgent"]:
                refused = self._may(Permission.AGENT_CONNECT)
                if refused is None and not self.request.reads:
                    self.controller.launch(node.name)
                return refused or self._posted(f"{url}log")
        return answers.not_found(self.controller)

    def _posted(self, location: str) -> Answer:
        return answers.form_required(self.controller) if self.request.reads else answers.empty(302, location)

    def _queue(self, rest: list[str]) -> Answer:
        match rest:
            case [*inner] if is_api(inner):
                return self._export(queue_bean(self.view))
            case ["cancelItem"]:
                return self._cancel(self.request.fields.get("id", ""))
            case ["item", number, "cancelQueue"]:
                return self._cancel(number)
            case ["item", number, *inner] if is_api(inner) and number.isdigit():
                item = self.controller.queue.get(int(number))
                if item is not None and (item.job is None or self.view.user.may(Permission.JOB_READ)):
                    return self._export(item_bean(self.view, item))
        return answers.not_found(self.controller)

    def _cancel(self, number: str) -> Answer:
        if self.request.reads:
            return answers.form_required(self.controller)
        if not number.isdigit() or int(number) not in self.controller.queue:
            return answers.nothing_to_cancel(self.controller)
        if not self.view.user.may(Permission.JOB_CANCEL):
            return answers.page(self.controller, 422, "Jenkins [Jenkins]", "<h1>Unable to cancel</h1>")
        try:
            self.controller.cancel(int(number))
        except AlreadyCancelledError:
            return answers.page(self.controller, 500, "Jenkins [Jenkins]", "<h1>Oops!</h1>")
        return answers.empty(204)
