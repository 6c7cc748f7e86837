"""Who may come in, and which room a request goes to. One place for what Jenkins does before any object is asked."""

from __future__ import annotations

from console.demo.controller import NOBODY, Controller, Permission, Phase, User
from tests.support.jenkins import answers
from tests.support.jenkins.answers import Answer
from tests.support.jenkins.itemroutes import Items
from tests.support.jenkins.jobs import View
from tests.support.jenkins.requests import Request
from tests.support.jenkins.rootroutes import Root

ANONYMOUS = User("anonymous", "anonymous", "", NOBODY)


class Front:
    """Answers requests out of one controller. `prefix` is a base path such as `/jenkins`, or empty."""

    def __init__(self, controller: Controller, prefix: str = "") -> None:
        self.controller = controller
        self.prefix = prefix
        self.url = ""

    def answer(self, request: Request) -> Answer:
        """The response to one request, at the moment of the controller's clock."""
        controller = self.controller
        controller.advance()
        if controller.phase in {Phase.STARTING, Phase.RESTARTING, Phase.DOWN}:
            return answers.waiting(controller, restarting=controller.phase is Phase.RESTARTING)
        credentials = request.credentials
        if controller.phase is Phase.BROKEN:
            # The security realm is not loaded, so no credentials are right; without any the exception shows.
            return answers.broken_boot() if credentials is None else answers.unauthorized(self.prefix + request.path)
        login = controller.people.login(*credentials) if credentials else None
        if credentials is not None and login is None:
            return answers.unauthorized(self.prefix + request.path)
        user = login.user if login else ANONYMOUS
        fresh = None
        hook = request.segments[:1] == ["generic-webhook-trigger"]
        if not request.reads and not hook and not (login and login.by_token):
            crumb = request.headers.get("jenkins-crumb")
            if not controller.people.crumb_is_valid(request.session, user.id, crumb):
                return answers.no_crumb(self.prefix + request.path)
        if not controller.people.knows_session(request.session) and self._opens_session(request):
            fresh = controller.people.open_session()
        answer = self._route(request, user, fresh or request.session or "")
        if fresh is not None:
            answer.headers.append(("Set-Cookie", f"JSESSIONID.{controller.session}={fresh}; Path=/; HttpOnly"))
        return answer

    def _opens_session(self, request: Request) -> bool:
        return request.segments[:1] == ["crumbIssuer"]

    def _route(self, request: Request, user: User, session: str) -> Answer:
        controller = self.controller
        view = View(controller, self.url, user)
        root = Root(view, request, self.prefix, session)
        public = root.public()
        if public is not None:
            return public
        if user is ANONYMOUS:
            return answers.login_first(controller, self.prefix + request.path)
        if not user.may(Permission.READ):
            return answers.denied(controller, user, Permission.READ)
        if request.segments[:1] == ["job"]:
            return Items(view, request, self.prefix).answer()
        return root.answer()
