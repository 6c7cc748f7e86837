"""What Jenkins wants to be told: the parameters of a job, the questions of a build, and the answers to them.

To whatever is wrong with an answer Jenkins says 500 with a logging id, and goes on waiting (recordings input-submit-*,
pipeline/input-publish-viewer): so the question is looked at again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from console.model import refusals
from console.model.asking import Definition, FieldKind, Question, is_exact
from console.model.build import BuildRef, as_people_write
from console.model.jenkins import JenkinsError, Trouble
from console.sources.jenkins import answers, trees
from console.sources.jenkins.acts import declared, form
from console.sources.jenkins.address import build_path, job_path
from console.sources.jenkins.client import Client
from console.sources.jenkins.parse import value_of
from console.text import Clean, clean

_KINDS = {
    "StringParameterDefinition": FieldKind.TEXT,
    "TextParameterDefinition": FieldKind.LINES,
    "ChoiceParameterDefinition": FieldKind.CHOICE,
    "BooleanParameterDefinition": FieldKind.BOOLEAN,
    "PasswordParameterDefinition": FieldKind.PASSWORD,
}
_TEXTS = (FieldKind.TEXT, FieldKind.LINES)
_NAMED = re.compile(r"\b[A-Z]\w{1,20}/[A-Z]\w{1,20}\b")
_PIPELINE_BUILD = "WorkflowRun"


async def parameters(client: Client, job: str) -> tuple[Definition, ...]:
    """See `sources.protocols.Jenkins`, as for `questions`."""
    what = f"job {as_people_write(job)}"
    told = await client.json(f"{job_path(job)}/api/json", {"tree": trees.PARAMETERS}, what=what)
    return tuple(_declared(one) for one in declared(told))


async def questions(client: Client, ref: BuildRef) -> tuple[Question, ...]:
    return tuple(
        Question(
            id=clean(one.get("id")),
            message=_line(one.get("message")),
            proceed=_line(one.get("proceedText")) or Clean("Proceed"),
            fields=tuple(_asked_field(each) for each in _mappings(one.get("inputs"))),
        )
        for one in await _pending(client, ref)
    )


async def answer(client: Client, ref: BuildRef, question: str, values: Mapping[str, str]) -> None:
    """See `sources.protocols.JenkinsActs`, as for `reject`."""
    found = await _find(client, ref, question)
    what = f"question {question} of {ref.shown}"
    # With the list of what is asked, and not proceedEmpty: only so every field that is left out has its default.
    sent = form({"json": json.dumps({"parameter": _filled(found, values)})}, what)
    path, query = f"{build_path(ref)}/wfapi/inputSubmit", {"inputId": str(found["id"])}
    try:
        got = await client.post(path, sent, query, what=what, taken=frozenset({200}))
    except JenkinsError as error:
        raise await _why_not(client, ref, question, values, error) from None
    _check_empty(got.headers, got.body)


async def reject(client: Client, ref: BuildRef, question: str) -> None:
    found = await _find(client, ref, question)
    what = f"question {question} of {ref.shown}"
    path = f"{build_path(ref)}/input/{quote(str(found['id']), safe='')}/abort"
    try:
        got = await client.post(path, None, what=what, taken=frozenset({200, 400}))
    except JenkinsError as error:
        raise await _why_not(client, ref, question, {}, error) from None
    if got.status == 400:
        refused = _not_allowed(client, got.headers, got.body, what)
        raise refused if refused.permission is not None else await _if_asked(client, ref, question, refused)
    _check_empty(got.headers, got.body)


def _not_allowed(client: Client, headers: Mapping[str, str], body: bytes, what: str) -> JenkinsError:
    """Who may not answer gets 400, and the reason in a header (recording input-submit-no-permission)."""
    text = body.decode("utf-8", "replace")
    error = answers.trouble(400, headers, text, what=what, user=client.user)
    said = clean(headers.get("x-error", ""), limit=200)
    if not said or not answers.is_jenkins(headers, text):
        return error
    named = _NAMED.search(said)
    reason = f"Jenkins does not take that of {client.user} for {what}: {said}"
    return JenkinsError(Trouble.NOT_PERMITTED, reason, permission=clean(named[0]) if named else None, status=400)


def _check_empty(headers: Mapping[str, str], body: bytes) -> None:
    """What Jenkins takes it answers with nothing (recordings input-submit, input-abort); a page is one of a proxy."""
    if body.strip():
        raise answers.html_instead(headers, body.decode("utf-8", "replace"))


async def _pending(client: Client, ref: BuildRef) -> list[Mapping[str, Any]]:
    try:
        told = await client.json(f"{build_path(ref)}/wfapi/pendingInputActions", what=f"questions of {ref.shown}")
    except JenkinsError as error:
        if error.trouble is not Trouble.NOT_FOUND:
            raise
        await _check_asks_nothing(client, ref)
        return []
    return [one for one in _mappings(told) if isinstance(one.get("id"), str)]


async def _check_asks_nothing(client: Client, ref: BuildRef) -> None:
    """The stage view's 404 tells neither whether there is such a build nor whether it is one that can ask. Raises
    JenkinsError unless it is there and cannot."""
    told = await client.json(f"{build_path(ref)}/api/json", {"tree": trees.KIND}, what=f"build {ref.shown}")
    if str(told.get("_class") if isinstance(told, Mapping) else "").endswith(_PIPELINE_BUILD):
        raise answers.no_stage_view()


async def _find(client: Client, ref: BuildRef, question: str) -> Mapping[str, Any]:
    """The question as Jenkins writes it, its id included."""
    for one in await _pending(client, ref):
        if clean(one["id"]) == question:
            return one
    raise refusals.not_asked(question, ref)


def _filled(question: Mapping[str, Any], values: Mapping[str, str]) -> list[dict[str, object]]:
    """Every field with its value, or its default where Jenkins tells it; what is not asked for stands at the end."""
    fields = {str(one.get("name")): one for one in _mappings(question.get("inputs"))}
    sent: list[dict[str, object]] = []
    for name, one in fields.items():
        kind = _kind(one)
        value: object = values[name] if name in values else _default(one.get("definition"), "defaultVal", kind)
        if value is None or kind is FieldKind.FILE:
            continue
        sent.append({"name": name, "value": value == "true" if kind is FieldKind.BOOLEAN else value})
    return sent + [{"name": name, "value": value} for name, value in values.items() if name not in fields]


async def _why_not(
    client: Client, ref: BuildRef, question: str, values: Mapping[str, str], error: JenkinsError
) -> JenkinsError:
    if (error.trouble, error.status) not in ((Trouble.FAULT, 500), (Trouble.NOT_FOUND, 404)):
        return error
    try:
        found = await _find(client, ref, question)
    except JenkinsError as why:
        return why if why.trouble is Trouble.NOT_FOUND else error
    if error.trouble is Trouble.NOT_FOUND:
        return error
    return _bad_value(found, ref, values) or refusals.may_not_answer(question, ref, client.user, _logged(error))


async def _if_asked(client: Client, ref: BuildRef, question: str, error: JenkinsError) -> JenkinsError:
    """`error`, unless the question has gone meanwhile."""
    try:
        await _find(client, ref, question)
    except JenkinsError as why:
        return why if why.trouble is Trouble.NOT_FOUND else error
    return error


def _logged(error: JenkinsError) -> str:
    _, found, cause = error.reason.partition("its log has the cause under ")
    return f". {found.capitalize()}{cause.rstrip('.')}" if found else ""


def _bad_value(question: Mapping[str, Any], ref: BuildRef, values: Mapping[str, str]) -> JenkinsError | None:
    """What in `values` Jenkins cannot have taken; None where nothing is wrong with them."""
    fields = {str(one.get("name")): one for one in _mappings(question.get("inputs"))}
    for name, value in values.items():
        if name not in fields:
            reason = f"{clean(question['id'], limit=60)} of {ref.shown} does not ask for {clean(name, limit=60)}."
            return JenkinsError(Trouble.BAD_PARAMETER, reason, status=500)
        choices = _choices(fields[name].get("definition"))
        if choices and value not in choices:
            return refusals.cannot_be(name, ref.shown, value, choices)
    return None


# What is asked for


def _declared(one: Mapping[str, Any]) -> Definition:
    kind = _kind(one)
    return _definition(one, kind, _default(one.get("defaultParameterValue"), "value", kind), _choices(one))


def _asked_field(one: Mapping[str, Any]) -> Definition:
    kind, told = _kind(one), one.get("definition")
    return _definition(one, kind, _default(told, "defaultVal", kind), _choices(told))


def _definition(one: Mapping[str, Any], kind: FieldKind, default: str | None, choices: list[str]) -> Definition:
    name = str(one.get("name") or "")
    shown = clean(name)
    offered = tuple(clean(each) for each in choices)
    value = clean(default, lines=True) if default is not None else None
    told = value is None or default is None or is_exact(default, value)
    return Definition(
        name=shown,
        kind=kind,
        description=_line(one.get("description")),
        default=value,
        choices=offered,
        exact=told and shown == name and list(offered) == choices,
    )


def _kind(one: Mapping[str, Any]) -> FieldKind:
    name = str(one.get("type") or str(one.get("_class")).rpartition(".")[2])
    return FieldKind.FILE if name.endswith("FileParameterDefinition") else _KINDS.get(name, FieldKind.OTHER)


def _default(holder: object, name: str, kind: FieldKind) -> str | None:
    """As it would be sent; None where Jenkins does not tell it. An empty one of a text it tells as null (input-pending)."""
    if not isinstance(holder, Mapping) or name not in holder or kind in (FieldKind.PASSWORD, FieldKind.FILE):
        return None
    value = value_of(holder[name])
    return "" if value is None and kind in _TEXTS else value


def _choices(holder: object) -> list[str]:
    found = holder.get("choices") if isinstance(holder, Mapping) else None
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def _mappings(found: object) -> list[Mapping[str, Any]]:
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def _line(text: object) -> Clean:
    """A text for people in one line."""
    return clean(" ".join(text.split()) if isinstance(text, str) else "")
