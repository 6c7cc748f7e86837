"""Hop 9: the way from the internet to Jenkins, gone by this machine like any sender would."""

from __future__ import annotations

from console.doctor import answers, gate
from console.doctor.findings import Finding, HopState, broken, good, off
from console.doctor.visit import Visit
from console.model.service import CLIENT
from console.model.source import SourceError
from console.text import clean

HOP = "public"
_SERVICE, _SECRET = clean("jenkins"), "webhook-hmac"
_SECONDS = 10.0


async def look(visit: Visit) -> Finding:
    try:
        domain = (await visit.environment(CLIENT)).get("FRP_DOMAIN", "")
    except SourceError as error:
        return visit.without_docker(error)
    if not domain or visit.found["tunnel"].state is HopState.OFF:
        return off("there is no public address: FRP_DOMAIN is not set")
    url = f"https://{domain}{answers.PATH}"
    try:
        told = await visit.instruments.web.ask(url, method="POST", body=answers.NOTHING, limit=_SECONDS)
    except SourceError as error:
        key = "certificate" if "certificate" in error.reason else "unreachable"
        return broken(HOP, key, str(error.reason))
    unsigned = answers.of_headers(told.status, told.headers)
    if not unsigned.marked:
        return broken(HOP, "not-gate", f"{domain} answers {unsigned.status} without the gate's mark")
    if unsigned.status in answers.AWAY:
        away = await gate.without_jenkins(visit, HOP)
        return away or broken(HOP, "odd", f"the gate does not reach Jenkins ({unsigned.status})")
    if (wrong := gate.by_status(HOP, unsigned.status)) is not None:
        return wrong
    took = f"{domain} refuses an unsigned request in {told.seconds * 1000:.0f} ms"
    secret = await visit.secret(_SERVICE, _SECRET)
    if not secret:
        return good(f"{took}; the secret cannot be read here, so none was signed")
    return await _signed(visit, url, secret, took)


async def _signed(visit: Visit, url: str, key: bytes, took: str) -> Finding:
    """A request that is signed and names no project: Jenkins takes it, and starts nothing."""
    headers = answers.signed(key, answers.PING)
    try:
        told = await visit.instruments.web.ask(url, method="POST", headers=headers, body=answers.PING, limit=_SECONDS)
    except SourceError as error:
        return broken(HOP, "unreachable", str(error.reason))
    found = answers.of_headers(told.status, told.headers)
    if not found.marked:
        return broken(HOP, "not-gate", f"a signed request is answered with {found.status} without the gate's mark")
    if found.status == 403:
        return broken(HOP, "signature", "Jenkins refuses a request that is signed with webhook-hmac (403)")
    if found.status == 404:
        return broken(HOP, "token", "Jenkins knows no job for what the gate sends on (404)")
    if found.status != 200 or answers.triggered(told.body) is not False:
        return broken(HOP, "odd", f"a signed request that starts nothing is answered with {found.status}")
    return good(f"{took}, and takes a signed one, which starts nothing")
