"""Ending and switching: builds, items of the queue, projects of branches, jobs and nodes.

What succeeds is a redirect to the object (recordings stop-*, item-disable, build-toggle-keep), and so is what Jenkins does not
know at all: that one leads to itself with a slash at the end (term-freestyle).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import unquote, urljoin, urlsplit

from console.model import refusals
from console.model.asking import Needs, Stop
from console.model.build import BuildRef, as_people_write
from console.model.jenkins import JenkinsError, LeftItem, Trouble
from console.sources.jenkins import answers, trees
from console.sources.jenkins.acts import form
from console.sources.jenkins.address import build_path, job_path, node_path
from console.sources.jenkins.client import Answer, Client
from console.sources.jenkins.parse import Parser
from console.text import clean

# A page with 200 is looked at as well: only so it is said to be a page of a proxy.
_REDIRECTS = frozenset({200, 302, 303})
_SCANNED = ("MultiBranchProject", "OrganizationFolder")
_BRANCH = "BranchJobProperty"


class UnknownActError(JenkinsError):
    """Jenkins does not know this act of this object."""


async def stop(client: Client, ref: BuildRef, how: Stop) -> None:
    """See `sources.protocols.JenkinsActs`, as for all of these."""
    path = build_path(ref)
    try:
        await _post(client, f"{path}/{how}", leads_to=path, what=f"build {ref.shown}")
    except UnknownActError:
        raise refusals.only_stop(how, ref) from None


async def cancel(client: Client, parser: Parser, item_id: int) -> None:
    what = f"item {item_id} of the queue"
    try:
        await client.post("queue/cancelItem", None, {"id": str(item_id)}, what=what, taken=frozenset({204}))
    except JenkinsError as error:
        raise await _why_not_cancelled(client, parser, item_id, error) from None


async def _why_not_cancelled(client: Client, parser: Parser, item_id: int, error: JenkinsError) -> JenkinsError:
    match error.trouble, error.status:
        case Trouble.NOT_FOUND, 404:
            return refusals.not_queued(item_id, client.user)
        case Trouble.NOT_PERMITTED, 422:
            # It names no permission here, and it can be no other (queue-cancel-no-permission, release-bot-cancel).
            return JenkinsError(
                Trouble.NOT_PERMITTED,
                f"Jenkins: user {client.user} lacks {Needs.CANCEL}.",
                permission=clean(Needs.CANCEL),
                status=422,
            )
        case Trouble.FAULT, 500:
            try:
                told = await client.json(f"queue/item/{item_id}/api/json", {"tree": trees.ITEM}, what=f"item {item_id}")
            except JenkinsError:
                return error
            found = parser.queue_item(told)
            return refusals.left_queue(found) if isinstance(found, LeftItem) else error
    return error


async def scan(client: Client, project: str) -> None:
    path, what = job_path(project), f"project {as_people_write(project)}"
    # The same request to a job starts a build of it.
    told = await client.json(f"{path}/api/json", {"tree": trees.KIND_OF_ITEM}, what=what)
    if not str(told.get("_class") if isinstance(told, dict) else "").endswith(_SCANNED):
        raise refusals.no_project(project)
    await _post(client, f"{path}/build", leads_to=path, what=what)


async def set_enabled(client: Client, job: str, *, on: bool) -> None:
    path, what = job_path(job), f"job {as_people_write(job)}"
    try:
        await _post(client, f"{path}/{'enable' if on else 'disable'}", leads_to=path, what=what)
    except JenkinsError as error:
        # To a branch Jenkins says that to everybody, administrators too (multibranch-branch-disable).
        if error.trouble is Trouble.NOT_PERMITTED and await _is_branch(client, job):
            raise refusals.only_with_its_project(job) from None
        raise


async def _is_branch(client: Client, job: str) -> bool:
    try:
        told = await client.json(f"{job_path(job)}/api/json", {"tree": trees.PARAMETERS}, what=f"job {as_people_write(job)}")
    except JenkinsError:
        return False
    held = told.get("property") if isinstance(told, dict) else None
    return any(isinstance(one, dict) and str(one.get("_class")).endswith(_BRANCH) for one in held or ())


async def set_kept(client: Client, ref: BuildRef, *, on: bool) -> bool:
    path, what = build_path(ref), f"build {ref.shown}"

    async def is_kept() -> bool:
        return await _flag(client, path, "keepLog", what)

    return await _toggled(
        is_kept, wanted=on, toggle=lambda: _post(client, f"{path}/toggleLogKeep", leads_to=path, what=what), what=what
    )


async def set_offline(client: Client, node: str, reason: str | None) -> bool:
    path, what = node_path(node), f"node {node}"
    told = form({"offlineMessage": reason}, what) if reason is not None else None

    async def is_set() -> bool:
        return await _flag(client, path, "temporarilyOffline", what)

    return await _toggled(
        is_set,
        wanted=reason is not None,
        toggle=lambda: _post(client, f"{path}/toggleOffline", told, leads_to=path, what=what),
        what=what,
    )


async def _toggled(
    look: Callable[[], Awaitable[bool]], *, wanted: bool, toggle: Callable[[], Awaitable[None]], what: str
) -> bool:
    """Jenkins only knows how to toggle: what is so already is left alone, and what came of it is looked at."""
    if await look() is wanted:
        return False
    await toggle()
    try:
        now = await look()
    except JenkinsError as error:
        reason = f"Jenkins took the request for {what}, and what came of it cannot be seen: {error.reason}"
        raise JenkinsError(error.trouble, reason, status=error.status, unsure=True) from None
    if now is not wanted:
        reason = f"Somebody else switched {what} at the same moment, and it is as it was before. Look before you do it again."
        raise JenkinsError(Trouble.REFUSED, reason)
    return True


async def _flag(client: Client, path: str, name: str, what: str) -> bool:
    told = await client.json(f"{path}/api/json", {"tree": name}, what=what)
    found = told.get(name) if isinstance(told, dict) else None
    if not isinstance(found, bool):
        raise JenkinsError(Trouble.FAULT, f"Jenkins' answer about {what} makes no sense.")
    return found


async def _post(client: Client, path: str, sent: bytes | None = None, *, leads_to: str, what: str) -> None:
    """Raises JenkinsError for every answer but the redirect to `leads_to`, a path below the root."""
    answer = await client.post(path, sent, what=what, taken=_REDIRECTS)
    if answer.status == 200:
        raise answers.html_instead(answer.headers, answer.body.decode("utf-8", "replace"))
    target = _target(path, answer)
    if target.rstrip("/").endswith(f"/{unquote(leads_to)}"):
        return
    if target.endswith(f"/{unquote(path)}/"):
        raise UnknownActError(Trouble.REFUSED, f"Jenkins does not know that of {what} ({answer.status}).", status=answer.status)
    raise answers.trouble(answer.status, answer.headers, "", what=what, user=client.user)


def _target(path: str, answer: Answer) -> str:
    """The path that it leads to, without its percent signs: who writes it may encode it otherwise than we do."""
    try:
        return unquote(urlsplit(urljoin(f"/{path}", answer.headers.get("location", ""))).path)
    except ValueError:
        return ""
