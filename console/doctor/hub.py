"""Hop 11: the Hugging Face Hub, and what its tokens may do. A token goes nowhere but where trainings send it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from console.doctor.findings import Finding, HopState, broken, good, off, together
from console.doctor.visit import Visit
from console.model.source import SourceError
from console.sources.web import host_of, is_safe
from console.text import Clean, clean

HOP = "hub"
_SERVICE = clean("jenkins")
_READ, _WRITE = "hf-read-token", "hf-write-token"
_NONE = b"none"
_SECONDS = 6.0


@dataclass(frozen=True, slots=True)
class _Told:
    """What the Hub says of a token: whose it is, and for what. `status` 0 where none was sent."""

    status: int
    who: Clean
    role: Clean
    seconds: float


async def look(visit: Visit) -> Finding:
    try:
        endpoint = await endpoint_of(visit)
    except SourceError as error:
        return visit.without_docker(error)
    if not endpoint:
        return off("no service here is told of a Hub")
    if not is_safe(endpoint):
        return broken(HOP, "odd", f"HF_ENDPOINT is {clean(endpoint)}: expected an https:// address")
    tokens = {name: await visit.secret(_SERVICE, name) for name in (_READ, _WRITE)}
    given = {name: token for name, token in tokens.items() if token and token != _NONE}
    try:
        if not given:
            return await _reached(visit, endpoint, tokens)
        found = [await _tried(visit, endpoint, name, token) for name, token in given.items()]
    except SourceError as error:
        return broken(HOP, "down", str(error.reason))
    bad = [one for one in found if one.state is not HopState.OK]
    return together(bad) if bad else good("; ".join(str(one.seen) for one in found))


async def endpoint_of(visit: Visit) -> str:
    """Where the trainings' Hub is, by what Jenkins was given; empty where nothing says. Raises SourceError."""
    return (await visit.environment(_SERVICE)).get("HF_ENDPOINT", "").rstrip("/")


async def _reached(visit: Visit, endpoint: str, tokens: dict[str, bytes]) -> Finding:
    """Without a token: whoever answers 401 there is a Hub."""
    told = await _asked(visit, endpoint, b"")
    if told.status != 401:
        return broken(HOP, "odd", f"{host_of(endpoint)} answers {told.status} to a question that wants a token")
    without = "no token was given" if _NONE in tokens.values() else "no token can be read here"
    return good(f"{host_of(endpoint)} answers in {told.seconds * 1000:.0f} ms; {without}")


async def _tried(visit: Visit, endpoint: str, name: str, token: bytes) -> Finding:
    told = await _asked(visit, endpoint, token)
    if told.status in (401, 403):
        return broken(HOP, "token", f"the Hub does not take {name} ({told.status})", name=name)
    if told.status != 200 or not told.who:
        return broken(HOP, "odd", f"{host_of(endpoint)} answers {told.status} to {name}")
    if name == _WRITE and told.role == "read":
        return broken(HOP, "rights", f"{name} of {told.who} may only read")
    return good(f"{name} of {told.who}: {told.role or 'rights unknown'}, in {told.seconds * 1000:.0f} ms")


async def _asked(visit: Visit, endpoint: str, token: bytes) -> _Told:
    headers = {"authorization": f"Bearer {token.decode('ascii', 'ignore')}"} if token else {}
    told = await visit.instruments.web.ask(f"{endpoint}/api/whoami-v2", headers=headers, limit=_SECONDS)
    who, role = "", ""
    try:
        said = json.loads(told.body)
        who = said["name"]
        role = said["auth"]["accessToken"]["role"]
    except (ValueError, KeyError, TypeError):
        pass
    return _Told(told.status, clean(who), clean(role), told.seconds)
