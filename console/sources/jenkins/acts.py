"""Asking for a build: what Jenkins says to it, and what can be found out where it says too little (recordings trigger-*)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from console.model import refusals
from console.model.build import as_people_write
from console.model.jenkins import JenkinsError, Queued, QueueItem, Trouble
from console.sources.jenkins import answers, trees
from console.sources.jenkins.address import job_path
from console.sources.jenkins.client import Answer, Client
from console.sources.jenkins.parse import Parser
from console.text import clean

_ITEM = re.compile(r"/queue/item/(\d{1,18})/?$")
_TAKEN = frozenset({200, 201, 302, 303})


async def trigger(client: Client, parser: Parser, job: str, parameters: Mapping[str, str] | None, delay: int | None) -> Queued:
    """See `sources.protocols.JenkinsActs`."""
    if delay is not None and delay < 0:
        raise JenkinsError(Trouble.BAD_PARAMETER, f"A build cannot be delayed by {delay} seconds.")
    path = f"{job_path(job)}/{'build' if parameters is None else 'buildWithParameters'}"
    # Values go in the body: a query is written down by every proxy on the way, and its length is limited.
    sent = form(parameters or {}, f"job {as_people_write(job)}")
    query = {"delay": f"{delay}sec"} if delay is not None else None
    what = f"job {as_people_write(job)}"
    try:
        answer = await client.post(path, sent, query, what=what, taken=_TAKEN)
    except JenkinsError as error:
        raise await _explained(client, job, parameters, error) from None
    number = _item(answer)
    if number is None:
        number = await _find(client, parser, job, parameters, answer)
    already, held = await asyncio.gather(_stood_before(client, answer, number), _shuts_down(client))
    return Queued(number, already, held, clean(client.session) if client.session else None)


def form(fields: Mapping[str, str], what: str) -> bytes:
    """The body that tells `fields`. Raises JenkinsError for what is no text, such as the bytes of another encoding."""
    try:
        return urlencode(fields).encode()
    except UnicodeEncodeError:
        raise JenkinsError(Trouble.BAD_PARAMETER, f"What is to be sent for {what} holds something that is no text.") from None


def _item(answer: Answer) -> int | None:
    """The item of the queue that the answer names."""
    if answer.status not in (201, 303):
        return None
    found = _ITEM.search(_path(answer.headers.get("location", "")))
    return int(found[1]) if found else None


def _path(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


async def _find(client: Client, parser: Parser, job: str, parameters: Mapping[str, str] | None, answer: Answer) -> int:
    """Jenkins named no item: then the queue is looked at. Raises JenkinsError where that settles nothing."""
    _check_taken(client, job, answer)
    try:
        told = await client.json("queue/api/json", {"tree": trees.QUEUE}, what="queue")
    except JenkinsError as error:
        reason = f"Jenkins took the request for {as_people_write(job)}, and its queue cannot be looked at: {error.reason}"
        raise JenkinsError(error.trouble, reason, status=error.status, unsure=True) from None
    fitting = [item for item in parser.queue(told) if item.job == job and _asked_for(item, parameters or {})]
    if len(fitting) == 1:
        return fitting[0].id
    many = f"{len(fitting)} fit it there" if fitting else "it is not there any more"
    reason = (
        f"Jenkins took the request for {as_people_write(job)} without saying which item of the queue it became, and {many}."
    )
    raise JenkinsError(Trouble.FAULT, reason, status=answer.status, unsure=True)


def _check_taken(client: Client, job: str, answer: Answer) -> None:
    """Raises JenkinsError for a redirect that starts no build: a scan of branches, a URL without an action, a log-in page."""
    if answer.status == 201:
        return
    target = _path(answer.headers.get("location", ""))
    if answer.status == 302 and target.rstrip("/").endswith(f"/{job_path(job)}"):
        raise refusals.scanned_instead(job)
    if answer.status == 200:
        raise answers.html_instead(answer.headers, answer.body.decode("utf-8", "replace"))
    raise answers.trouble(answer.status, answer.headers, "", what=f"job {as_people_write(job)}", user=client.user)


def _asked_for(item: QueueItem, parameters: Mapping[str, str]) -> bool:
    known = {str(one.name): one.value for one in item.parameters}
    return all(name not in known or known[name] in (None, clean(value, lines=True)) for name, value in parameters.items())


async def _stood_before(client: Client, answer: Answer, number: int) -> bool:
    """303 tells it. To `build` Jenkins answers 201 even so; but every request that is folded into an item leaves its cause
    there (recording queue-waiting)."""
    if answer.status == 303:
        return True
    try:
        told = await client.json(f"queue/item/{number}/api/json", {"tree": trees.ITEM_CAUSES}, what=f"item {number}")
    except JenkinsError:
        return False
    actions = told.get("actions") if isinstance(told, Mapping) else None
    found = [one.get("causes") for one in actions if isinstance(one, Mapping)] if isinstance(actions, list) else []
    return sum(len(one) for one in found if isinstance(one, list)) > 1


async def _shuts_down(client: Client) -> bool:
    """While it is about to shut down Jenkins takes requests as ever, and begins nothing."""
    try:
        told = await client.json("api/json", {"tree": "quietingDown"}, what="Jenkins")
    except JenkinsError:
        return False
    return isinstance(told, Mapping) and told.get("quietingDown") is True


# Why it was refused


async def _explained(client: Client, job: str, parameters: Mapping[str, str] | None, error: JenkinsError) -> JenkinsError:
    """The refusal in the words of what was asked for. Jenkins gives no reason for a value that it does not take: its answer
    is a page with a logging id, as for everything else that goes wrong inside, so the job itself is asked."""
    match error.trouble, error.status:
        case Trouble.NOT_FOUND, 404:
            return refusals.no_job(job, client.user)
        case Trouble.DISABLED, _:
            return refusals.not_buildable(job)
        case Trouble.BAD_PARAMETER, 400 if parameters is None:
            return refusals.needs_parameters(job)
        case Trouble.FAULT, 500:
            found = await _bad_parameter(client, job, parameters or {}) if parameters is not None else None
            return found if found is not None else error
    return error


async def _bad_parameter(client: Client, job: str, parameters: Mapping[str, str]) -> JenkinsError | None:
    """What in `parameters` Jenkins cannot have taken; None where nothing is wrong with them."""
    try:
        told = await client.json(f"{job_path(job)}/api/json", {"tree": trees.PARAMETERS}, what=f"job {as_people_write(job)}")
    except JenkinsError:
        return None
    known = list(declared(told))
    if not known:
        return refusals.has_no_parameters(job)
    for one in known:
        choices, value = one.get("choices"), parameters.get(str(one.get("name")))
        if isinstance(choices, list) and value is not None and value not in choices:
            return refusals.cannot_be(str(one.get("name")), as_people_write(job), value, choices)
    return None


def declared(job: object) -> Iterator[Mapping[str, Any]]:
    """The definitions of the job's parameters, from its `property`."""
    held = job.get("property") if isinstance(job, Mapping) else None
    for one in held if isinstance(held, list) else []:
        definitions = one.get("parameterDefinitions") if isinstance(one, Mapping) else None
        yield from (each for each in (definitions if isinstance(definitions, list) else []) if isinstance(each, Mapping))
