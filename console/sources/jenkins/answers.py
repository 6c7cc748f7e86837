"""What an answer of Jenkins means to people: every status that was seen, with what tells it from the others.

Every rule here is one that a recording shows (tests/recordings/jenkins); Jenkins' own pages of 10 to 70 kB never get further.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from console.model.jenkins import JenkinsError, Trouble
from console.text import Clean, clean

_TITLE = re.compile(r"<title>\s*([^<]{0,200})", re.IGNORECASE)
_LOGGING_ID = re.compile(r"Logging ID=([0-9a-fA-F-]{8,64})")
_WORDS = re.compile(r"<[^>]*>|\s+")
# Bounded, and begun only where a word begins: a page may be 200,000 letters without a dot.
_CAUSED = re.compile(r"(?<![\w$.])((?:[\w$]{1,80}\.){1,20}[A-Z][\w$]{0,120}(?:Exception|Error)\b[^\n<]{0,300})")
_GROUPS = {"Hudson": "Overall", "Item": "Job", "Computer": "Agent"}


def permission(name: str) -> Clean:
    """`Job/Build` for `hudson.model.Item.Build`: the words of the page where an administrator ticks them."""
    group, _, what = name.strip().rpartition(".")
    group = group.rpartition(".")[2]
    return clean(f"{_GROUPS.get(group, group)}/{what}", limit=60)


def is_jenkins(headers: Mapping[str, str], body: str = "") -> bool:
    """Jenkins' own pages carry its version; Jetty, which it runs in, answers some requests by itself.

    A proxy before it puts its own name in the place of Jetty's: then only the page of an error tells whose it is.
    """
    told = "x-jenkins" in headers or headers.get("server", "").startswith("Jetty")
    return told or "Powered by Jetty" in body or body.startswith("<html><head><meta http-equiv='refresh' content='1;url=")


def is_told_by_jenkins(headers: Mapping[str, str], told: object) -> bool:
    """Whether data of `api/json` can be Jenkins': it names itself in the header, and the class of what it tells in the body,
    which no proxy drops."""
    return "x-jenkins" in headers or (isinstance(told, Mapping) and "_class" in told)


def foreign_data() -> JenkinsError:
    """A success that is JSON, of some other service."""
    reason = "What answers there is not Jenkins at all: its data bear no mark of Jenkins. Check jenkins.url."
    return JenkinsError(Trouble.NOT_JENKINS, reason, status=200)


def _is_lock_of_another(headers: Mapping[str, str], body: str) -> bool:
    """Jenkins asks for a token in the realm of its own name (recordings auth-wrong-*), a proxy in that of its owner."""
    asked = headers.get("www-authenticate", "")
    return bool(asked) and 'realm="jenkins"' not in asked.lower() and not is_jenkins(headers, body)


def trouble(status: int, headers: Mapping[str, str], body: str, *, what: str, user: str) -> JenkinsError:
    """What an answer that is no success means. `what` is what was asked for, in words; `headers` have lower-case names."""
    if 300 <= status < 400:
        return _redirect(status, headers, what)
    if status in (502, 504) or (status == 503 and not _is_waking(body)):
        return JenkinsError(Trouble.UNREACHABLE, f"A proxy before Jenkins answers {status}: {_title(body)}.", status=status)
    if status == 503:
        return waking(body)
    if status == 401 and _is_lock_of_another(headers, body):
        said = _title(body) or "without a word"
        reason = f"A proxy before Jenkins wants a log-in of its own (401): {said}. Check jenkins.url."
        return JenkinsError(Trouble.NOT_JENKINS, reason, status=401)
    if status == 401:
        return JenkinsError(Trouble.NOT_AUTHENTICATED, f"Jenkins refuses the token of {user} (401). {_ANEW}", status=401)
    if not is_jenkins(headers, body):
        reason = f"What answers there is not Jenkins: {status} {_title(body)}. Check jenkins.url."
        return JenkinsError(Trouble.NOT_JENKINS, reason, status=status)
    match status:
        case 403:
            return _forbidden(headers, body, what, user)
        case 404:
            return JenkinsError(Trouble.NOT_FOUND, f"Jenkins has no {what}, or hides it from {user}.", status=404)
        case 405:
            return JenkinsError(Trouble.REFUSED, f"Jenkins wants another kind of request for {what} (405).", status=405)
        case 409:
            return JenkinsError(Trouble.DISABLED, f"{what} is disabled, or its branch is gone.", status=409)
        case 422:
            return JenkinsError(Trouble.NOT_PERMITTED, f"Jenkins: {user} may not do that to {what} (422).", status=422)
        case 400:
            return JenkinsError(Trouble.BAD_PARAMETER, f"Jenkins refuses what was sent for {what} (400).", status=400)
    return _fault(status, body, what)


_ANEW = "Make a new one and run: mlops-console login"


def refused_after_success() -> JenkinsError:
    """A 401 to a token that was good, while nothing tells whether Jenkins is well."""
    reason = "Jenkins refuses a token that worked (401): its configuration may be broken."
    return JenkinsError(Trouble.NOT_AUTHENTICATED, reason, status=401)


def waking(body: str) -> JenkinsError:
    """Jenkins answers 503 with a page of its own while it starts and while it restarts."""
    if "Restarting" in _title(body):
        return JenkinsError(Trouble.RESTARTING, "Jenkins is restarting (503).", status=503)
    return JenkinsError(Trouble.STARTING, "Jenkins is starting (503).", status=503)


def broken(body: str) -> JenkinsError:
    """It has started and cannot work: its page quotes an exception. Then it refuses tokens that are good.

    Nearly always that is its configuration; a start may also fail at a plugin, and then nothing in the page is about the other.
    """
    page = _unescaped(body)
    caused = _CAUSED.search(page)
    what = "start" if caused and "io.jenkins.plugins.casc" not in page else "configuration"
    told = f": {_first_sentence(caused[1])}" if caused else ""
    word = clean("config failed" if what == "configuration" else "start failed")
    return JenkinsError(Trouble.BROKEN, f"Jenkins is up, but its {what} failed{told}.", status=500, word=word)


def _first_sentence(exception: str) -> str:
    """What it says before what it is: `no such attribute (UnknownAttributesException)`."""
    name, _, message = exception.partition(": ")
    short = name.rpartition(".")[2]
    said = re.split(r"\.(?:\s|$)", clean(message).strip(), maxsplit=1)[0]
    return f"{said} ({short})" if said else short


def html_instead(headers: Mapping[str, str], body: str) -> JenkinsError:
    """A success that is no JSON: a proxy's log-in page, or a site of somebody else."""
    if is_jenkins(headers):
        return JenkinsError(Trouble.FAULT, "Jenkins answered with a page instead of data.")
    return JenkinsError(
        Trouble.NOT_JENKINS, f"What answers there is not Jenkins but a page: {_title(body)}. Check jenkins.url.", status=200
    )


def no_stage_view() -> JenkinsError:
    reason = "Jenkins has no stage view: install the plugin Pipeline: Stage View (pipeline-rest-api)."
    return JenkinsError(Trouble.NOT_FOUND, reason, status=404)


def _is_waking(body: str) -> bool:
    return "Jenkins" in _title(body)


def _redirect(status: int, headers: Mapping[str, str], what: str) -> JenkinsError:
    target = headers.get("location", "")
    if is_jenkins(headers):
        return JenkinsError(Trouble.REFUSED, f"Jenkins does not know that of {what} ({status}).", status=status)
    reason = f"The address redirects ({status}) to {target or 'nowhere'}. The token is not sent there: set jenkins.url to it."
    return JenkinsError(Trouble.NOT_JENKINS, reason, status=status)


def _forbidden(headers: Mapping[str, str], body: str, what: str, user: str) -> JenkinsError:
    needed = headers.get("x-required-permission")
    if needed:
        lacking = permission(needed.split(",")[0])
        return JenkinsError(Trouble.NOT_PERMITTED, f"Jenkins: user {user} lacks {lacking}.", permission=lacking, status=403)
    if "No valid crumb" in body:
        reason = "Jenkins wants a crumb: that was a password. Give an API token: mlops-console login"
        return JenkinsError(Trouble.NOT_AUTHENTICATED, reason, status=403)
    if "Authentication required" in body:
        return JenkinsError(Trouble.NOT_AUTHENTICATED, "Jenkins wants a user and a token. Run: mlops-console login", status=403)
    return JenkinsError(Trouble.NOT_PERMITTED, f"Jenkins: user {user} may not see {what} (403).", status=403)


def _fault(status: int, body: str, what: str) -> JenkinsError:
    if logged := _LOGGING_ID.search(body):
        told = f"its log has the cause under {logged[1]}"
    else:
        told = _title(body) or "without a word"
    return JenkinsError(Trouble.FAULT, f"Jenkins failed at {what} ({status}): {told}.", status=status)


def _title(body: str) -> str:
    """What a page calls itself, or how it begins."""
    if found := _TITLE.search(body[:20_000]):
        return str(clean(_unescaped(found[1]).strip(), limit=80))
    return str(clean(_unescaped(_WORDS.sub(" ", body[:2000])).strip(), limit=80))


def _unescaped(text: str) -> str:
    # Its table of 2,231 characters is loaded when a page has to be read, which is seldom.
    import html

    return html.unescape(text)
