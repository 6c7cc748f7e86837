"""What the front answers: status, headers and body, and the html pages of Jenkins and of the Jetty below it."""

from __future__ import annotations

import gzip
import html
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from console.demo.controller import Controller, Permission, User
from console.demo.controller.people import implied_by

JSON = "application/json;charset=utf-8"
TEXT = "text/plain;charset=utf-8"
HTML = "text/html;charset=utf-8"
_IDENTITY = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA"


@dataclass(slots=True)
class Answer:
    """One response. `squeeze`: gzip when the client takes it; `chunked`: sent without a length."""

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    squeeze: bool = False
    chunked: bool = False

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


def squeezed(answer: Answer) -> Answer:
    """The same answer compressed, as the server does it for exported beans, logs and pages."""
    headers = [*answer.headers, ("Content-Encoding", "gzip")]
    return Answer(answer.status, headers, gzip.compress(answer.body, 6), chunked=True)


def _marks(controller: Controller) -> list[tuple[str, str]]:
    return [("X-Jenkins", controller.version), ("X-Jenkins-Session", controller.session)]


def exported(controller: Controller, value: Any, *, pretty: bool = False) -> Answer:
    """An answer of api/json: the only kind of data that carries X-Jenkins."""
    if pretty:
        text = json.dumps(value, ensure_ascii=False, indent=2, separators=(",", " : "))
    else:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    headers = [*_marks(controller), ("X-Frame-Options", "deny"), ("Content-Type", JSON)]
    return Answer(200, headers, text.encode("utf-8", "replace"), squeeze=True)


def plain_json(value: Any) -> Answer:
    """An answer of wfapi: JSON without any mark of Jenkins, and never compressed."""
    return Answer(
        200, [("Content-Type", JSON)], json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    )


def text(body: str, *, size: int | None = None, more: bool = False, chunked: bool = False) -> Answer:
    """A log. `size` is X-Text-Size; X-More-Data is there or absent, never false."""
    headers = [("Content-Type", TEXT)]
    if size is not None:
        headers.append(("X-Text-Size", str(size)))
    if more:
        headers.append(("X-More-Data", "true"))
    return Answer(200, headers, body.encode("utf-8", "replace"), squeeze=True, chunked=chunked)


def empty(status: int, location: str | None = None) -> Answer:
    """201, 204, 302, 303 or a 200 without a body."""
    return Answer(status, [("Location", location)] if location else [])


def page(controller: Controller, status: int, title: str, words: str, *headers: tuple[str, str]) -> Answer:
    """A page that Jenkins itself renders: some ten kilobytes of html with X-Jenkins."""
    links = "".join(
        f'<link rel="stylesheet" href="/static/{controller.session}/css/part-{n}.css" type="text/css">' for n in range(90)
    )
    body = (
        f'\n\n  \n  <!DOCTYPE html><html><head resURL="/static/{controller.session}" data-rooturl="" '
        f'data-crumb-header="Jenkins-Crumb">\n    <title>{html.escape(title)}</title>{links}</head>'
        f'<body id="jenkins" class="yui-skin-sam"><div id="main-panel">{words}</div>'
        f'<footer><a href="https://www.jenkins.io/">Jenkins {controller.version}</a></footer></body></html>'
    )
    shown = [
        *headers,
        ("Content-Type", HTML),
        ("Expires", "0"),
        ("Cache-Control", "no-cache,no-store,must-revalidate"),
        ("X-Hudson-Theme", "default"),
        ("Referrer-Policy", "same-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("X-Hudson", "1.395"),
        *_marks(controller),
        ("X-Frame-Options", "sameorigin"),
        ("X-Instance-Identity", _IDENTITY),
    ]
    return Answer(status, shown, body.encode(), squeeze=True, chunked=status in {404, 405})


def nothing_to_cancel(controller: Controller) -> Answer:
    """The 404 of cancelItem: an error page instead of the usual one."""
    return page(controller, 404, "Jenkins [Jenkins]", "<h1>Error</h1>")


def not_found(controller: Controller) -> Answer:
    return page(controller, 404, "Not Found [Jenkins]", "<h1>Not Found</h1>")


def oops(controller: Controller, *headers: tuple[str, str]) -> Answer:
    """The 500 that hides its reason: a logging id is all there is."""
    number = controller.people.unique("logging")
    logged = f"{number[:8]}-{number[8:12]}-4000-8000-{number[12:24]}"
    words = f"<h1>Oops!</h1><p>A problem occurred while processing the request.</p><p>Logging ID={logged}</p>"
    return page(controller, 500, "Jenkins [Jenkins]", words, *headers)


def form_required(controller: Controller, *headers: tuple[str, str]) -> Answer:
    title = "Form post required" if headers else "Method Not Allowed"
    return page(controller, 405, f"{title} [Jenkins]", f"<h1>{title}</h1>", *headers)


def denied(controller: Controller, user: User, permission: Permission, *, names: bool = True) -> Answer:
    """A 403 for a known person: the headers say what is missing, the page is for people."""
    headers: list[tuple[str, str]] = []
    if names:
        headers = [
            ("X-You-Are-Authenticated-As", user.id),
            (
                "X-You-Are-In-Group-Disabled",
                "JENKINS-39402: use -Dhudson.security.AccessDeniedException2.REPORT_GROUP_HEADERS=true",
            ),
            ("X-Required-Permission", str(permission)),
        ]
        headers += [("X-Permission-Implied-By", other) for other in implied_by(permission)]
    return page(controller, 403, "Jenkins", f"<h1>Access Denied</h1><p>{user.id} is missing the permission</p>", *headers)


def login_first(controller: Controller, path: str) -> Answer:
    """What a person without credentials gets: 403, not 401, with a script that leads to the login page."""
    target = f"/login?from={quote(path, safe='')}"
    body = (
        f"<html><head><meta http-equiv='refresh' content='1;url={target}'/><script>window.location.replace('{target}');"
        "</script></head><body style='background-color:white; color:white;'>\n\n\nAuthentication required\n<!--\n-->\n\n"
        "</body></html>" + " " * 300
    )
    headers = [("Content-Type", HTML), ("X-Hudson", "1.395"), *_marks(controller)]
    return Answer(403, headers, body.encode(), chunked=True)


def login_page(controller: Controller) -> Answer:
    return page(controller, 200, "Sign in [Jenkins]", "<h1>Sign in to Jenkins</h1>")


def bare_not_found() -> Answer:
    """The 404 below an existing object, without any mark of Jenkins: no test report, no wfapi."""
    body = (
        "<html><head><meta http-equiv='refresh' content='1;url=..'/><script>window.location.replace('..');</script></head>"
        "<body style='background-color:white; color:white;'>Not found</body></html>"
    )
    return Answer(404, [("Content-Type", HTML)], body.encode(), chunked=True)


def jetty(status: int, words: str, path: str, *headers: tuple[str, str]) -> Answer:
    """An error page of Jetty: no X-Jenkins."""
    path = html.escape(path.partition("?")[0])
    body = (
        '<html>\n<head>\n<meta http-equiv="Content-Type" content="text/html;charset=ISO-8859-1"/>\n'
        f"<title>Error {status} {words}</title>\n</head>\n<body><h2>HTTP ERROR {status} {words}</h2>\n<table>\n"
        f"<tr><th>URI:</th><td>{path}</td></tr>\n<tr><th>STATUS:</th><td>{status}</td></tr>\n"
        f"<tr><th>MESSAGE:</th><td>{words}</td></tr>\n<tr><th>SERVLET:</th><td>Stapler</td></tr>\n</table>\n"
        '<hr/><a href="https://eclipse.org/jetty">Powered by Jetty:// 10.0.15</a><hr/>\n\n</body>\n</html>\n'
    )
    shown = [*headers, ("Cache-Control", "must-revalidate,no-cache,no-store"), ("Content-Type", "text/html;charset=iso-8859-1")]
    return Answer(status, shown, body.encode())


def unauthorized(path: str) -> Answer:
    """Wrong credentials: 401 on every address."""
    return jetty(
        401,
        "Unauthorized",
        path,
        ("Set-Cookie", "remember-me=; Path=/; Expires=Thu, 01-Jan-1970 00:00:00 GMT; Max-Age=0"),
        ("WWW-Authenticate", 'Basic realm="Jenkins"'),
    )


def no_crumb(path: str) -> Answer:
    return jetty(403, "No valid crumb was included in the request", path)


def waiting(controller: Controller, *, restarting: bool) -> Answer:
    """503 while it starts or restarts: no Retry-After, no X-Jenkins."""
    title, words = ("Restarting Jenkins", "restarting") if restarting else ("Starting Jenkins", "getting ready to work")
    body = (
        f'\n    \n    \n    <!DOCTYPE html><html lang="en"><head resURL="/static/{controller.session}"><title>{title}</title>'
        f'</head><body><div class="simple-page" role="main"><h1 class="loading">\nPlease wait while Jenkins is {words}\n</h1>'
        '<p class="restarting">Your browser will reload automatically when Jenkins is ready.</div></body></html>'
    )
    headers = [("Expires", "0"), ("Cache-Control", "no-cache,no-store,must-revalidate"), ("Content-Type", HTML)]
    return Answer(503, headers, body.encode())


# As Jenkins prints what a start failed on: the cause first, and after each part who called it. Pages are 72 kB, as recorded.
_TRACE = "".join(f"\tat io.jenkins.plugins.casc.BaseConfigurator.configure(BaseConfigurator.java:{n})\n" for n in range(700))
BROKEN_CONFIGURATION = (
    "io.jenkins.plugins.casc.UnknownAttributesException: jenkins: Invalid configuration elements for type: class "
    f"jenkins.model.Jenkins : nonsense.\nAvailable attributes : agentProtocols, authorizationStrategy, clouds\n{_TRACE}"
    "Caused: java.lang.reflect.InvocationTargetException\nCaused: java.lang.Error\n"
    "Caused: org.jvnet.hudson.reactor.ReactorException\nCaused: hudson.util.HudsonFailedToLoad\n"
)


def broken_boot() -> Answer:
    """A start that failed on its configuration, seen without credentials."""
    body = (
        "\n  \n  <!DOCTYPE html><html><head><title>Jenkins</title></head><body><h1>Error</h1>"
        f'<pre style="margin-left: 2em;white-space: pre-wrap">{html.escape(BROKEN_CONFIGURATION)}</pre></body></html>'
    )
    headers = [("Content-Type", HTML), ("X-Hudson-Theme", "default"), ("Referrer-Policy", "same-origin")]
    return Answer(500, headers, body.encode(), chunked=True)


def proxy_page(status: int) -> Answer:
    """A page of a proxy in front: html, whatever the status, and nothing of Jenkins in it."""
    words = "502 Bad Gateway" if status != 200 else "Please sign in to the company network"
    body = f"<html>\r\n<head><title>{words}</title></head>\r\n<body><center><h1>{words}</h1></center></body>\r\n</html>\r\n"
    return Answer(status, [("Content-Type", "text/html"), ("X-Proxy", "yes")], body.encode())
